package api

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/exports"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

type helpCenterHandlers struct {
	help    *helpcenter.Service
	users   *users.Service
	exports *exports.Service
	tickets *tickets.Service
}

const (
	helpCenterPath = "/api/v2/help_center/"
	guidePath      = "/api/v2/guide/"
)

var (
	localeSegment = regexp.MustCompile(`^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	slugged       = regexp.MustCompile(`/(articles|sections|categories)/(\d+)-[^/]*`)
)

// asked is what a request of the help center asked for before its path was made
// that of an operation.
type asked struct {
	path   string
	locale string // as it is written in the path; empty: none
}

type askedKey struct{}

// pathAsked is the path that a client called.
func pathAsked(r *http.Request) string {
	if a, ok := r.Context().Value(askedKey{}).(asked); ok {
		return a.path
	}
	return r.URL.Path
}

// localeAsked is the language in the path that a client called; empty for none.
func localeAsked(ctx context.Context) string {
	a, _ := ctx.Value(askedKey{}).(asked)
	return a.locale
}

// helpCenterPaths takes the language out of paths of the help center, and the
// words behind the ids of articles, sections and categories: so each operation is
// there once. It must be installed with echo's Pre.
func helpCenterPaths(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		rest, ok := strings.CutPrefix(pathOf(r.URL), helpCenterPath)
		if !ok {
			return next(c)
		}
		a := asked{path: r.URL.Path}
		if first, behind, more := strings.Cut(rest, "/"); more && localeSegment.MatchString(first) {
			a.locale, rest = first, behind
		}
		path := slugged.ReplaceAllString(helpCenterPath+rest, "/$1/$2")
		plain, err := url.PathUnescape(path)
		if err != nil {
			return next(c)
		}
		// The URL is the one that will be routed, whatever request holds it.
		if r.URL.RawPath != "" {
			r.URL.RawPath = path
		}
		r.URL.Path = plain
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), askedKey{}, a)))
		return next(c)
	}
}

// firstSize is how many records a page by number has unless the caller says.
const firstSize = 30

// helpPageOf reads the page of the help center that the caller asks for. Those who
// page by cursor may send sort_by and sort_order, too.
func helpPageOf(ctx context.Context) (page.Request, error) {
	r, err := pageOf(ctx)
	q := callOf(ctx).query
	if by := q.Get("sort_by"); r.Cursor && by != "" {
		r.Sort, r.Desc = by, strings.EqualFold(q.Get("sort_order"), "desc")
	}
	if !r.Cursor && q.Get("per_page") == "" || r.Cursor && q.Get("page[size]") == "" {
		r.Size = firstSize
	}
	return r, err
}

// helpLinks are where a page of the help center leads to: what is not there is
// left out.
type helpLinks struct {
	First string  `json:"first"`
	Last  string  `json:"last"`
	Prev  *string `json:"prev,omitempty"`
	Next  *string `json:"next,omitempty"`
}

// helpListOf answers with the page of a list of the help center that the caller
// asks for.
func helpListOf[T, U any](ctx context.Context, key string, list func(page.Request) (page.Result[T], error), json func(T) U) (wire.Listing, error) {
	p, err := helpPageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	found, err := list(p)
	if err != nil {
		return wire.Listing{}, err
	}
	return helpList(ctx, key, page.Map(found, json)), nil
}

// helpList is the envelope of a page of the help center, which differs from that
// of others.
func helpList[T any](ctx context.Context, key string, r page.Result[T]) wire.Listing {
	l := wire.Listing{Key: key, Items: r.Items}
	c := callOf(ctx)
	if !r.Request.Cursor {
		addPaging(ctx, &l, r)
		l.Add("page", r.Request.Number)
		l.Add("page_count", (r.Count+r.Request.Size-1)/r.Request.Size)
		l.Add("per_page", r.Request.Size)
		if r.Request.Sort != "" {
			order := "asc"
			if r.Request.Desc {
				order = "desc"
			}
			l.Add("sort_by", r.Request.Sort)
			l.Add("sort_order", order)
		}
		dropSuffix(&l)
		return l
	}
	meta, links := &wire.Meta{HasMore: r.HasMore}, helpLinks{
		First: c.helpLink("", "", r.Request.Size), Last: c.helpLink("page[before]", page.End, r.Request.Size),
	}
	if len(r.Items) > 0 {
		meta.After, meta.Before = &r.After, &r.Before
		if r.HasPrevious {
			links.Prev = new(c.helpLink("page[before]", r.Before, r.Request.Size))
		}
		if r.HasMore {
			links.Next = new(c.helpLink("page[after]", r.After, r.Request.Size))
			c.echo.Response().Header().Set("Link", "<"+*links.Next+`>; rel="next"`)
		}
	}
	l.First = []wire.Member{{Key: "meta", Value: meta}, {Key: "links", Value: links}}
	return l
}

// dropSuffix leaves .json out of the links of a page, as the help center does.
func dropSuffix(l *wire.Listing) {
	if next := value(l.NextPage); next != nil {
		l.NextPage.Set(strings.Replace(*next, ".json?", "?", 1))
	}
	if previous := value(l.PreviousPage); previous != nil {
		l.PreviousPage.Set(strings.Replace(*previous, ".json?", "?", 1))
	}
}

func (c call) helpLink(name, cursor string, size int) string {
	q := cloned(c.query)
	q.Del("page[before]")
	q.Del("page[after]")
	if name != "" {
		q.Set(name, cursor)
	}
	q.Set("page[size]", strconv.Itoa(size))
	return c.base + c.path + "?" + q.Encode()
}

// helpURL is the address of a record of a brand's help center (0: that of the host) in a
// language: https://host/api/v2/help_center/en-us/articles/5-Title.json.
func helpURL(ctx context.Context, brand int64, locale, kind, id string) string {
	return baseOfBrand(ctx, brand) + helpCenterPath + locale + "/" + kind + "/" + id + ".json"
}

// htmlURL is where people read a record: https://host/hc/en-us/articles/5-Title.
func htmlURL(ctx context.Context, brand int64, locale, kind string, id int64, title string) string {
	return pageURL(baseOfBrand(ctx, brand), locale, kind, id, title)
}

func pageURL(base, locale, kind string, id int64, title string) string {
	return base + helpcenter.PagePath(locale, kind, id, title)
}

// fieldErrors is an error of the help center, which tells what is wrong by field.
type fieldErrors struct {
	error
	guide bool // of an operation below guidePath, where nothing is said of what is missing
}

// Unwrap is the error itself.
func (e fieldErrors) Unwrap() error { return e.error }

// fieldErrorsBody is {"errors":{"title":["cannot be blank"]}}.
type fieldErrorsBody struct {
	Errors map[string][]string `json:"errors"`
}

// answer is the answer to what is wrong with a record; anything else has the form
// that it has everywhere.
func (e fieldErrors) answer() (answer, bool) {
	f := fault.Of(e.error)
	if f != nil && f.Kind == fault.NotFound && e.guide {
		return answer{status: 404}, true // and no body
	}
	if f == nil || f.Kind != fault.Invalid {
		return answer{}, false
	}
	body := fieldErrorsBody{map[string][]string{}}
	for field, details := range f.Details {
		for _, d := range details {
			body.Errors[field] = append(body.Errors[field], strings.TrimPrefix(d.Description, fault.Title(field)+": "))
		}
	}
	return answer{status: 400, body: body}, true
}

// inHelpCenter reports whether an operation tells errors by field.
func inHelpCenter(op gen.Operation) bool {
	return strings.HasPrefix(op.Path, helpCenterPath) || inGuide(op)
}

// ofAccount reports whether an operation is about what all help centers of an account
// share, or about all of them: it is there though that of the host's brand is closed.
func ofAccount(op gen.Operation) bool {
	return op.Area == "guide" || op.Area == "user_segments" || op.Area == "help_center_sessions"
}

func inGuide(op gen.Operation) bool { return strings.HasPrefix(op.Path, guidePath) }

func (h helpCenterHandlers) ListHelpCenterLocales(ctx context.Context, _ gen.ListHelpCenterLocalesRequestObject) (gen.ListHelpCenterLocalesResponseObject, error) {
	l, err := h.help.Locales(ctx, auth.From(ctx))
	return gen.ListHelpCenterLocales200JSONResponse{Locales: list(l.Enabled), DefaultLocale: l.Default}, err
}

// textOf is what a request asks a text to be. A null body is an empty one.
func textOf(in gen.TextInput) helpcenter.Text {
	t := helpcenter.Text{
		Locale: string(or(in.Locale, "")), Title: (*string)(in.Title), Markdown: (*string)(in.BodyMarkdown),
		Draft: (*bool)(in.Draft), Outdated: (*bool)(in.Outdated),
	}
	if in.Body.IsNull() {
		t.Body = new(string)
	} else if body, err := in.Body.Get(); err == nil {
		t.Body = new(string(body))
	}
	return t
}

// helpTranslations are the translations of records, if the caller asks for them.
func (h helpCenterHandlers) helpTranslations(ctx context.Context, source string, ids []int64) (map[int64][]helpcenter.Translation, error) {
	if !includes(ctx, "translations") || len(ids) == 0 {
		return nil, nil
	}
	return h.help.TranslationsOf(ctx, auth.From(ctx), source, ids)
}

// embedded are the translations of one record as they stand in it; nil if the
// caller did not ask for them.
func embedded(ctx context.Context, all map[int64][]helpcenter.Translation, brand, id int64) []gen.Translation {
	if !includes(ctx, "translations") {
		return nil
	}
	return each(all[id], func(t helpcenter.Translation) gen.Translation { return translationOf(ctx, brand, t) })
}

// kinds are what addresses call the records that have translations.
var kinds = map[string]string{models.SourceArticle: "articles", models.SourceSection: "sections", models.SourceCategory: "categories"}

func value[T any](n interface{ Get() (T, error) }) *T {
	v, err := n.Get()
	if err != nil {
		return nil
	}
	return &v
}
