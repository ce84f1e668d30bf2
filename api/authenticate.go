package api

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/users"
)

// guesses is how many wrong passwords a minute an address may send for one
// e-mail address.
const guesses = 10

type authenticator struct {
	auth     *auth.Service
	users    *users.Service
	failures *edge.Failures // shared by all that take passwords
}

// middleware finds out who calls an operation. Pages and probes beside the API
// need nobody.
func (a authenticator) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !strings.HasPrefix(r.URL.Path, "/api/") {
			return next(c)
		}
		actor, err := a.caller(r.Context(), c)
		if err != nil {
			return err
		}
		edge.SetActor(c, actor.AccountID, actor.ID())
		c.SetRequest(r.WithContext(auth.With(c.Request().Context(), actor)))
		return next(c)
	}
}

// caller is who calls, at the brand of the host: who signed in, or the user for whom
// that is.
func (a authenticator) caller(ctx context.Context, c echo.Context) (auth.Actor, error) {
	actor, err := a.actor(ctx, c)
	if email := c.Request().Header.Get("X-On-Behalf-Of"); err == nil && email != "" {
		if wire.CheckString(email) != nil {
			return actor, fault.New(fault.Unauthenticated, "malformed X-On-Behalf-Of")
		}
		actor, err = a.auth.AsUser(ctx, actor, email)
	}
	if err != nil {
		return actor, err
	}
	return a.auth.At(ctx, actor, hostCalled(ctx))
}

// again checks the credentials of c's request once more, for an answer that
// goes on for long.
func (a authenticator) again(c echo.Context, op gen.Operation) func(context.Context) error {
	return func(ctx context.Context) error {
		actor, err := a.caller(ctx, c)
		if err != nil {
			return err
		}
		return may(actor, op)
	}
}

func (a authenticator) actor(ctx context.Context, c echo.Context) (auth.Actor, error) {
	header := c.Request().Header.Get("Authorization")
	if header == "" {
		if token := c.QueryParam("access_token"); token != "" {
			return a.bearer(ctx, token)
		}
		account, _, err := a.auth.ByHost(ctx, hostCalled(ctx))
		return auth.Actor{AccountID: account}, err
	}
	scheme, credentials, _ := strings.Cut(header, " ")
	credentials = strings.TrimSpace(credentials)
	switch {
	case strings.EqualFold(scheme, "Basic"):
		return a.basic(ctx, c, credentials)
	case strings.EqualFold(scheme, "Bearer"):
		return a.bearer(ctx, credentials)
	}
	return auth.Actor{}, fault.New(fault.Unauthenticated, "unknown scheme")
}

func (a authenticator) basic(ctx context.Context, c echo.Context, credentials string) (auth.Actor, error) {
	user, secret, ok := basicPair(credentials)
	if !ok {
		return auth.Actor{}, fault.New(fault.Unauthenticated, "malformed credentials")
	}
	if email, ok := strings.CutSuffix(user, "/token"); ok {
		return a.auth.APIToken(ctx, email, secret)
	}
	account, _, err := a.auth.ByHost(ctx, hostCalled(ctx))
	if err != nil {
		return auth.Actor{}, err
	}
	return a.password(ctx, account, user, secret)
}

// password checks a password unless too many wrong ones came before it.
func (a authenticator) password(ctx context.Context, account int64, email, password string) (actor auth.Actor, err error) {
	from := edge.ClientIP(ctx)
	if err := a.failures.Begin(from, email); err != nil {
		return auth.Actor{}, err
	}
	right := false // also when the check panics
	defer func() { a.failures.End(from, email, right) }()
	actor, err = a.auth.Password(ctx, account, email, password)
	right = err == nil
	return actor, err
}

// urlSafe turns the alphabet of URLs into the standard one.
var urlSafe = strings.NewReplacer("-", "+", "_", "/")

// basicPair decodes "user:secret". The Ruby client writes the URL-safe
// alphabet, and some clients leave the padding out.
func basicPair(credentials string) (user, secret string, ok bool) {
	text := strings.TrimRight(urlSafe.Replace(credentials), "=")
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil {
		return "", "", false
	}
	user, secret, ok = strings.Cut(string(b), ":")
	return user, secret, ok && user != "" && wire.CheckString(string(b)) == nil
}

// bearer tells a JWT by its two dots; our own tokens have none.
func (a authenticator) bearer(ctx context.Context, token string) (auth.Actor, error) {
	if strings.Count(token, ".") == 2 {
		return a.auth.JWTUser(ctx, token, a.users.Vouched)
	}
	return a.auth.OAuth(ctx, token)
}

// hostCalled is the name of the host that the request came to.
func hostCalled(ctx context.Context) string { return hostOf(edge.BaseURL(ctx)) }

// hostOf is the name of the host of an address, without a port.
func hostOf(base string) string {
	_, host, _ := strings.Cut(base, "://")
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// noSuchID answers for ids that no record can have: domain functions may take 0
// for any.
func noSuchID(c echo.Context) error {
	values := c.ParamValues()
	for i, name := range c.ParamNames() {
		if !strings.HasSuffix(name, "id") {
			continue
		}
		if id, err := wire.ParseID(values[i]); err == nil && id <= 0 {
			return fault.Missing(name, id)
		}
	}
	return nil
}

// authorize refuses a call that the contract does not allow the caller, before
// anything of the request is read that could be wrong too.
func authorize(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		method := c.Request().Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		if op, ok := routes[method+" "+c.Path()]; ok {
			if err := may(auth.From(c.Request().Context()), op); err != nil {
				return err
			}
		}
		return next(c)
	}
}

// guard lets an operation run for those whom its x-allow names, and gives its
// handler what it may know of the request.
func (s setUp) guard(next gen.StrictHandlerFunc, operation string) gen.StrictHandlerFunc {
	op := operations[operation]
	return func(c echo.Context, request any) (any, error) {
		ctx := c.Request().Context()
		if err := may(auth.From(ctx), op); err != nil { // If-Match reads past authorize
			return nil, err
		}
		if inHelpCenter(op) && !ofAccount(op) && !auth.From(ctx).Brand.Open(auth.From(ctx)) {
			return nil, fieldErrors{fault.Missing("help center of brand", auth.From(ctx).Brand.ID), inGuide(op)}
		}
		if err := noSuchID(c); err != nil {
			return nil, err
		}
		own := s // each call reads its own
		c.SetRequest(c.Request().WithContext(withCall(ctx, c, &own)))
		answer, err := next(c, request)
		if err == nil {
			err = own.err
		}
		if err != nil && inHelpCenter(op) {
			err = fieldErrors{err, inGuide(op)}
		}
		return answer, err
	}
}

// may fails unless the actor has the role and the scope that op asks for, and no
// restriction that it refuses.
func may(actor auth.Actor, op gen.Operation) error {
	if !actor.AtLeast(op.Allow) {
		if actor.Anonymous() {
			return fault.New(fault.Unauthenticated, "sign in first")
		}
		return fault.Denied()
	}
	if actor.Staff() && slices.Contains(op.Refuse, actor.Restriction()) {
		return fault.Denied()
	}
	action := "write"
	if op.Method == http.MethodGet {
		action = "read"
	}
	area := op.Area
	if inHelpCenter(op) {
		area = "hc" // as the scopes of tokens call it
	}
	if !actor.HasScope(area, action) {
		return fault.New(fault.MissingScope, "%s", action)
	}
	return nil
}

// operations by their name, and routes by method and path as echo has it.
var operations, routes = func() (byID, byRoute map[string]gen.Operation) {
	byID, byRoute = make(map[string]gen.Operation, len(gen.Operations)), make(map[string]gen.Operation, len(gen.Operations))
	parameters := strings.NewReplacer("{", ":", "}", "")
	for _, op := range gen.Operations {
		byID[op.ID] = op
		byRoute[op.Method+" "+parameters.Replace(op.Path)] = op
	}
	return byID, byRoute
}()
