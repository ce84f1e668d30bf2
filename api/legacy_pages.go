package api

import (
	"context"
	"encoding/base64"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/server/page"
)

// An older way of paging has a limit and one cursor for both directions. Ours
// say which in their first letter: > is on, < is back.

const maxLegacy = 1000 // records on a page

// legacyPage is the page that a caller asks for in the older way; size is that
// of one without a limit.
func legacyPage(limit *wire.Int, size int, cursor *string) (page.Request, error) {
	if limit != nil && *limit > 0 {
		size = int(min(*limit, maxLegacy))
	}
	p := page.First(size)
	if cursor == nil {
		return p, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(*cursor)
	if err != nil || len(text) == 0 {
		return p, page.BadCursor("cursor")
	}
	if text[0] == '<' {
		p.Before = string(text[1:])
	} else {
		p.After = string(text[1:])
	}
	return p, nil
}

// legacyLink is the cursor of another page, and its URL.
func legacyLink(ctx context.Context, cursor string) (text, url string) {
	text = base64.RawURLEncoding.EncodeToString([]byte(cursor))
	c := callOf(ctx)
	q := cloned(c.query)
	q.Set("cursor", text)
	return text, c.base + c.path + ".json?" + q.Encode()
}

// addLegacyPaging adds what leads to the pages before and after.
func addLegacyPaging[T any](ctx context.Context, l *wire.Listing, list page.Result[T]) {
	var before, after [2]any
	if len(list.Items) > 0 {
		before[0], before[1] = legacyLink(ctx, "<"+list.Before)
		after[0], after[1] = legacyLink(ctx, ">"+list.After)
	}
	addLegacyLinks(l, before, after)
}

func addLegacyLinks(l *wire.Listing, before, after [2]any) {
	l.Add("before_url", before[1])
	l.Add("after_url", after[1])
	l.Add("before_cursor", before[0])
	l.Add("after_cursor", after[0])
}

// addLegacyPagingBack is addLegacyPaging of a list that begins with the newest:
// before leads to what is older, after to what is newer, each if there is any.
func addLegacyPagingBack[T any](ctx context.Context, l *wire.Listing, list page.Result[T]) {
	var before, after [2]any
	if list.HasMore && len(list.Items) > 0 {
		before[0], before[1] = legacyLink(ctx, ">"+list.After)
	}
	if len(list.Items) > 0 && (list.Request.After != "" || list.Request.Before != "") {
		after[0], after[1] = legacyLink(ctx, "<"+list.Before)
	}
	addLegacyLinks(l, before, after)
}
