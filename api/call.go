package api

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// call is what handlers need to know of the request beside its parameters and
// body: absolute URLs in answers repeat how the server was reached, and the
// parameters of paging, sorting and side-loading are read here for all lists.
type call struct {
	base   string // https://host:port
	path   string // /api/v2/groups, without .json
	client string // what the caller's program calls itself
	accept string // the types of answers that it takes
	query  url.Values
	setUp  *setUp
	brand  auth.Brand // that the host leads to

	echo echo.Context // of the request, for what only a few ask
}

type callKey struct{}

func withCall(ctx context.Context, c echo.Context, s *setUp) context.Context {
	return context.WithValue(ctx, callKey{}, call{edge.BaseURL(c.Request().Context()), pathAsked(c.Request()), c.Request().UserAgent(), c.Request().Header.Get("Accept"), c.QueryParams(), s, auth.From(ctx).Brand, c})
}

func callOf(ctx context.Context) call { return ctx.Value(callKey{}).(call) }

// link is the absolute URL of an API path: link(ctx, "groups", 5) is
// https://host/api/v2/groups/5.json.
func link(ctx context.Context, resource string, id int64) string {
	base := callOf(ctx).base
	b := make([]byte, 0, len(base)+len(resource)+32)
	b = append(b, base...)
	b = append(b, "/api/v2/"...)
	b = append(b, resource...)
	b = append(b, '/')
	b = strconv.AppendInt(b, id, 10)
	return string(append(b, ".json"...))
}

// includes reports whether the caller asked to side-load name.
func includes(ctx context.Context, name string) bool {
	for _, value := range callOf(ctx).query["include"] {
		for part := range strings.SplitSeq(value, ",") {
			if strings.TrimSpace(part) == name {
				return true
			}
		}
	}
	return false
}

// pageOf reads the page that the caller asks for. A size over the maximum is
// cut to it, because clients send 1000; one below 1 is an error. Those who page
// by number may sort as those do who page by cursor, if they do not send sort_by.
func pageOf(ctx context.Context) (page.Request, error) {
	q := callOf(ctx).query
	r := page.Request{Size: page.DefaultSize, Number: 1, After: q.Get("page[after]"), Before: q.Get("page[before]")}
	r.Cursor = q.Has("page[size]") || r.After != "" || r.Before != ""
	size := "per_page"
	if r.Cursor {
		size = "page[size]"
		r.Sort, r.Desc = strings.CutPrefix(q.Get("sort"), "-")
		if r.After != "" && r.Before != "" {
			return r, fault.New(fault.BadCursor, "page[after] and page[before] exclude each other")
		}
	} else {
		r.Sort, r.Desc = q.Get("sort_by"), strings.EqualFold(q.Get("sort_order"), "desc")
		if name, desc := strings.CutPrefix(q.Get("sort"), "-"); r.Sort == "" && name != "" {
			r.Sort, r.Desc = name, r.Desc || desc
		}
		n, err := positive(q, "page", 1)
		if err != nil {
			return r, err
		}
		r.Number = n
	}
	n, err := positive(q, size, page.DefaultSize)
	r.Size = min(n, page.MaxSize)
	return r, err
}

// signed reports whether the order of a page was asked for with sort, where
// nothing but a minus makes it begin with the largest.
func signed(ctx context.Context, r page.Request) bool {
	return r.Sort != "" && (r.Cursor || callOf(ctx).query.Get("sort_by") == "")
}

func positive(q url.Values, name string, otherwise int) (int, error) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.BadPage, "%s must be a whole number of 1 or more", name)
	}
	return int(min(n, 1<<30)), nil
}

// listing is the envelope of a page: the items under key, then the members of
// the paging style that the caller asked for.
func listing[T any](ctx context.Context, key string, r page.Result[T]) wire.Listing {
	l := wire.Listing{Key: key, Items: r.Items}
	addPaging(ctx, &l, r)
	return l
}

func addPaging[T any](ctx context.Context, l *wire.Listing, r page.Result[T]) {
	c := callOf(ctx)
	if !r.Request.Cursor {
		l.Count = &r.Count
		l.NextPage, l.PreviousPage = nullable.NewNullNullable[string](), nullable.NewNullNullable[string]()
		if r.HasMore && r.Request.Number*r.Request.Size < page.MaxOffset { // beyond is an error
			l.NextPage.Set(c.numbered(r.Request.Number+1, r.Request.Size))
		}
		if r.Request.Number > 1 {
			l.PreviousPage.Set(c.numbered(r.Request.Number-1, r.Request.Size))
		}
		return
	}
	l.Meta = &wire.Meta{HasMore: r.HasMore}
	l.Links = &wire.Links{}
	if len(r.Items) == 0 {
		return
	}
	l.Meta.After, l.Meta.Before = &r.After, &r.Before
	prev := c.with("page[before]", r.Before, "page[after]", r.Request.Size)
	l.Links.Prev = &prev
	// node-zendesk follows links.next until it is null, whatever has_more says.
	if r.HasMore {
		next := c.with("page[after]", r.After, "page[before]", r.Request.Size)
		l.Links.Next = &next
	}
}

// whole is the envelope of a list that is not paged; clients still read the
// members of paging.
func whole[T any](key string, items []T) wire.Listing {
	count := len(items)
	return wire.Listing{
		Key: key, Items: items, Count: &count,
		NextPage: nullable.NewNullNullable[string](), PreviousPage: nullable.NewNullNullable[string](),
	}
}

// numbered is the URL of another page; the caller's other parameters stay.
func (c call) numbered(number, size int) string {
	q := cloned(c.query)
	q.Set("page", strconv.Itoa(number))
	if q.Has("per_page") {
		q.Set("per_page", strconv.Itoa(size))
	}
	return c.base + c.path + ".json?" + q.Encode()
}

func (c call) with(name, cursor, drop string, size int) string {
	q := cloned(c.query)
	q.Del(drop)
	q.Set(name, cursor)
	q.Set("page[size]", strconv.Itoa(size))
	return c.base + c.path + ".json?" + q.Encode()
}

func cloned(q url.Values) url.Values {
	out := make(url.Values, len(q)+1)
	for name, values := range q {
		if name != "access_token" { // a secret that must not be repeated
			out[name] = values
		}
	}
	return out
}

// mapped turns a page of records into their wire forms.
func mapped[T, U any](ctx context.Context, r page.Result[T], f func(context.Context, T) U) page.Result[U] {
	return page.Map(r, func(item T) U { return f(ctx, item) })
}

// countJSON is the form of counts, whose time is the one on the wire that is
// written with an offset.
func countJSON(n int, at time.Time) gen.CountEnvelope {
	return gen.CountEnvelope{Count: gen.Count{Value: int64(n), RefreshedAt: at.UTC().Format("2006-01-02T15:04:05-07:00")}}
}
