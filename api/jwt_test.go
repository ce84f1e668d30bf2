package api_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/helpd/helpd/models"
)

const badTokenBody = `{"error":"invalid_token","error_description":"The access token provided is expired, revoked, malformed or invalid for other reasons."}`

// product signs tokens for its users with a key of the account.
type product struct {
	a      *anAPI
	kid    string
	method jwt.SigningMethod
	key    any
}

func (a *anAPI) product(algorithm string) product {
	a.t.Helper()
	p := product{a: a, method: jwt.GetSigningMethod(algorithm)}
	var secret []byte
	switch algorithm {
	case "HS256":
		secret = []byte(strings.Repeat("s", 32))
		p.key = secret
	case "RS256":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		p.key, secret = key, publicPEM(a.t, key, err)
	case "ES256":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		p.key, secret = key, publicPEM(a.t, key, err)
	case "EdDSA":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		p.key, secret = key, publicPEM(a.t, key, err)
	}
	row, err := a.auth.NewJWTKey(context.Background(), a.account.ID, algorithm, secret)
	if err != nil {
		a.t.Fatal(err)
	}
	p.kid = row.Kid
	return p
}

func publicPEM(t *testing.T, key crypto.Signer, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// token is good for an hour unless claims say otherwise.
func (p product) token(claims jwt.MapClaims) string {
	p.a.t.Helper()
	if _, ok := claims["exp"]; !ok {
		claims["exp"] = theClock.Add(time.Hour).Unix()
	}
	t := jwt.NewWithClaims(p.method, claims)
	t.Header["kid"] = p.kid
	text, err := t.SignedString(p.key)
	if err != nil {
		p.a.t.Fatal(err)
	}
	return text
}

func (a *anAPI) bearer(token string) *anAPI {
	return a.anonymous().with("Authorization", "Bearer "+token)
}

func (r *result) wantBadToken() *result {
	r.t.Helper()
	return r.want(401).wantJSON(badTokenBody)
}

func TestJWTOfEachAlgorithmSignsInANewEndUser(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, algorithm := range []string{"HS256", "RS256", "ES256", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			p := a.product(algorithm)
			email := a.email(strings.ToLower(algorithm))
			token := p.token(jwt.MapClaims{"external_id": "ext-" + algorithm, "email": email, "name": "Lee " + algorithm})
			me := a.bearer(token).get("/api/v2/users/me").want(200)
			id := me.id("user")
			if role := me.member("user", "role"); role != "end-user" {
				t.Errorf("role %v", role)
			}
			again := a.bearer(token).get("/api/v2/users/me").want(200).id("user")
			if again != id {
				t.Errorf("the second request made another user: %d and %d", id, again)
			}
			user := a.get("/api/v2/users/" + strconv.FormatInt(id, 10)).want(200)
			for member, want := range map[string]any{"external_id": "ext-" + algorithm, "email": email, "name": "Lee " + algorithm, "verified": true} {
				if got := user.member("user", member); got != want {
					t.Errorf("%s is %v, want %v", member, got, want)
				}
			}
		})
	}
}

func TestJWTThatIsNotGoodIsRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	hs, es := a.product("HS256"), a.product("ES256")
	claims := func() jwt.MapClaims { return jwt.MapClaims{"email": a.email("lee"), "name": "Lee"} }
	with := func(name string, value any) jwt.MapClaims {
		c := claims()
		c[name] = value
		return c
	}
	signed := func(method jwt.SigningMethod, kid any, key any) string {
		t.Helper()
		c := with("exp", theClock.Add(time.Hour).Unix())
		token := jwt.NewWithClaims(method, c)
		token.Header["kid"] = kid
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	noExpiry := claims()
	noExpiry["exp"] = nil
	good := hs.token(claims())
	for name, token := range map[string]string{
		"expired":                 hs.token(with("exp", theClock.Add(-time.Hour).Unix())),
		"good for too long":       hs.token(with("exp", theClock.Add(25*time.Hour).Unix())),
		"without an end":          hs.token(noExpiry),
		"end that is no number":   hs.token(with("exp", "tomorrow")),
		"end beyond time":         hs.token(with("exp", json.Number("1e300"))),
		"not good yet":            hs.token(with("nbf", theClock.Add(time.Hour).Unix())),
		"for nobody":              hs.token(jwt.MapClaims{"name": "Lee"}),
		"for no e-mail address":   hs.token(jwt.MapClaims{"email": "not an address"}),
		"external id with a NUL":  hs.token(jwt.MapClaims{"external_id": "a\x00b"}),
		"name with a NUL":         hs.token(with("name", "a\x00b")),
		"overlong external id":    hs.token(jwt.MapClaims{"external_id": strings.Repeat("x", 300)}),
		"overlong":                hs.token(with("extra", strings.Repeat("x", 20_000))),
		"claims of other types":   hs.token(with("email", []int{1})),
		"external id of a list":   hs.token(with("external_id", []int{1})),
		"unknown key":             signed(jwt.SigningMethodHS256, "0123456789ab", hs.key),
		"key id with a NUL":       signed(jwt.SigningMethodHS256, "a\x00b", hs.key),
		"key id that is a number": signed(jwt.SigningMethodHS256, 7, hs.key),
		"without a key id":        signed(jwt.SigningMethodHS256, "", hs.key),
		"wrong secret":            signed(jwt.SigningMethodHS256, hs.kid, []byte(strings.Repeat("x", 32))),
		"other algorithm":         signed(jwt.SigningMethodHS512, hs.kid, hs.key),
		"algorithm of no key":     signed(jwt.SigningMethodNone, hs.kid, jwt.UnsafeAllowNoneSignatureType),
		"public key as secret":    signed(jwt.SigningMethodHS256, es.kid, publicPEM(t, es.key.(*ecdsa.PrivateKey), nil)),
		"signature cut off":       good[:strings.LastIndexByte(good, '.')+1],
		"nothing but dots":        "..",
		"garbage":                 "a.b.c",
	} {
		t.Run(name, func(t *testing.T) {
			a.bearer(token).get("/api/v2/users/me").wantBadToken()
			a.anonymous().get("/api/v2/users/me?access_token=" + token).wantBadToken()
		})
	}
	if n := count(a, `SELECT count(*) FROM users WHERE account_id = ?`); n != 1 {
		t.Errorf("%d users besides the admin were made", n-1)
	}
}

func TestJWTFindsTheUserByExternalIDThenByAddress(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	p := a.product("HS256")
	me := func(claims jwt.MapClaims) int64 {
		t.Helper()
		return a.bearer(p.token(claims)).get("/api/v2/users/me").want(200).id("user")
	}
	lee := a.user("Lee", a.email("lee"), "end-user")
	if got := me(jwt.MapClaims{"email": strings.ToUpper(a.email("lee")), "external_id": "lee-1"}); got != lee {
		t.Errorf("by address: %d, want %d", got, lee)
	}
	if got := me(jwt.MapClaims{"email": a.email("moved"), "sub": "LEE-1"}); got != lee {
		t.Errorf("by the external id noted the first time: %d, want %d", got, lee)
	}
	numbered := me(jwt.MapClaims{"external_id": 4711})
	if got := me(jwt.MapClaims{"external_id": "4711"}); got != numbered {
		t.Errorf("an external id that is a number: %d, want %d", got, numbered)
	}
	agent := a.user("Ana", a.email("ana"), "agent")
	if got := me(jwt.MapClaims{"email": a.email("ana")}); got != agent {
		t.Errorf("an agent: %d, want %d", got, agent)
	}
	a.bearer(p.token(jwt.MapClaims{"email": a.email("ana")})).get("/api/v2/users").want(200)
	if other := me(jwt.MapClaims{"email": a.email("lee"), "external_id": "somebody-else"}); other == lee {
		t.Error("an address led to the user of another external id")
	}
}

// An end user must not get other people's sign-ins by writing their address
// into the own profile.
func TestJWTDoesNotTrustAnUnprovenAddress(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	p := a.product("HS256")
	mallory := a.user("Mallory", a.email("mallory"), "end-user")
	path := "/api/v2/users/" + strconv.FormatInt(mallory, 10) + "/identities"
	a.post(path, `{"identity":{"type":"email","value":"`+a.email("victim")+`"}}`).want(201)
	a.bearer(p.token(jwt.MapClaims{"email": a.email("victim")})).get("/api/v2/users/me").wantBadToken()
	victim := a.bearer(p.token(jwt.MapClaims{"email": a.email("victim"), "external_id": "v-1"})).get("/api/v2/users/me").want(200).id("user")
	if victim == mallory {
		t.Error("the victim was signed in as another user")
	}
}

func TestJWTDoesNotBringBackWhoMayNotSignIn(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	p := a.product("HS256")
	for _, who := range []string{"suspended", "deleted"} {
		body := `{"user":{"name":"Lee","verified":true,"email":"` + a.email(who) + `","external_id":"` + who + `"}}`
		path := "/api/v2/users/" + strconv.FormatInt(a.post("/api/v2/users", body).want(201).id("user"), 10)
		token := p.token(jwt.MapClaims{"external_id": who, "email": a.email(who)})
		byAddress := p.token(jwt.MapClaims{"email": a.email(who)})
		a.bearer(token).get(path + "/identities").want(200)
		if who == "suspended" {
			a.put(path, `{"user":{"suspended":true}}`).want(200)
		} else {
			a.delete(path).want(200)
		}
		a.bearer(token).get("/api/v2/users/me").want(401)
		a.bearer(byAddress).get("/api/v2/users/me").want(401)
	}
}

// A widget asks every few seconds: that must not write, and its first requests,
// which come at once, must not make several users.
func TestJWTOfAWidgetThatPolls(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	token := a.product("HS256").token(jwt.MapClaims{"external_id": "lee", "email": a.email("lee"), "name": "Lee"})
	ids := make([]int64, 6)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() { ids[i] = a.bearer(token).get("/api/v2/users/me").want(200).id("user") })
	}
	all.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("several users were made: %v", ids)
		}
	}
	before := a.rows()
	for i := range 3 {
		later := theClock.Add(time.Duration(i+1) * time.Minute)
		a.now.Store(&later)
		a.bearer(token).get("/api/v2/users/me").want(200)
	}
	if tables := changed(before, a.rows()); len(tables) > 0 {
		t.Errorf("asking again wrote to %v", tables)
	}
}

func TestJWTOfAnotherAccountNamesItsOwnUsers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	b := a.another()
	a.user("Lee", "lee@shared.example", "end-user")
	token := b.product("HS256").token(jwt.MapClaims{"email": "lee@shared.example"})
	id := a.bearer(token).get("/api/v2/users/me").want(200).id("user")
	var u models.User
	if err := b.db.WithContext(b.ctx()).Take(&u, "id = ?", id).Error; err != nil {
		t.Errorf("the user is not of the key's account: %v", err)
	}
}

// count is the one number that a query with the account as its argument finds.
func count(a *anAPI, query string) (n int) {
	a.t.Helper()
	if err := a.db.WithContext(a.ctx()).Raw(query, a.account.ID).Row().Scan(&n); err != nil {
		a.t.Fatal(err)
	}
	return n
}
