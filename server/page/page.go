// Package page reads one page of a listing, by cursor or by offset. It does not
// know what is listed.
package page

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"github.com/helpd/helpd/server/fault"
)

// Limits of a page and of offset paging.
const (
	DefaultSize = 100
	MaxSize     = 100
	MaxOffset   = 10_000 // rows that offset pages reach
)

// maxCursor is the length of the longest cursor that is read, in bytes. Orders
// have up to three texts of 255 characters: what is grouped by, as it is and
// folded, and what is sorted by.
const maxCursor = 8 << 10

// Request is the page that a caller asks for.
type Request struct {
	Cursor bool   // cursor style; otherwise offset style
	Size   int    // rows, 1 to MaxSize
	Number int    // offset style: the page, from 1
	After  string // cursor style: the rows behind this cursor
	Before string // cursor style: the rows in front of this cursor
	Sort   string // a name the listing knows; empty for its default
	Desc   bool   // with Sort: largest first
}

// End is the cursor behind the last row of any listing: the page before it is the
// last one. It is the base64 of last_page, as the help center writes it.
const End = "bGFzdF9wYWdl"

// First is the first page in cursor style.
func First(size int) Request { return Request{Cursor: true, Size: size} }

// offset is how many rows lie in front of a page by number.
func (r Request) offset() int { return (r.Number - 1) * r.Size }

// reachable fails for a page by number that lies behind what these reach.
func (r Request) reachable() error {
	if r.offset() >= MaxOffset {
		return fault.New(fault.BadPage, "Offset pagination reaches %d records; use cursor pagination beyond", MaxOffset)
	}
	return nil
}

// Result is one page of a listing.
type Result[T any] struct {
	Items   []T
	Request Request
	HasMore bool
	After   string // cursor style: behind the last row; empty on an empty page
	Before  string // cursor style: in front of the first row
	// HasPrevious, in cursor style, tells of rows in front of the first one.
	HasPrevious bool
	Count       int // offset style: rows of the whole listing
}

// Map turns the items of a page into something else.
func Map[T, U any](r Result[T], f func(T) U) Result[U] {
	items := make([]U, len(r.Items))
	for i, item := range r.Items {
		items[i] = f(item)
	}
	return Result[U]{Items: items, Request: r.Request, HasMore: r.HasMore, After: r.After, Before: r.Before, HasPrevious: r.HasPrevious, Count: r.Count}
}

// cursor is what an opaque cursor holds: the order it belongs to and the values
// of the order's columns in the row it stands at. The form is the original's.
type cursor struct {
	Order string `json:"o"`
	Value []any  `json:"v"`
}

func encode(order string, values []any) string {
	for i, v := range values {
		if t, ok := v.(time.Time); ok {
			values[i] = t.UTC().Format(time.RFC3339Nano)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)              // a cursor of <<< is not to be six times as long
	_ = e.Encode(cursor{order, values}) // scalars only
	return base64.URLEncoding.EncodeToString(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// Cursor is the cursor that stands at values, which are texts and whole numbers, in an
// order of what no query lists.
func Cursor(order string, values ...any) string { return encode(order, values) }

// Values are what Cursor was given, n of them: texts and int64. name is that of the
// cursor, after or before. It fails with fault.BadCursor for one of another order.
func Values(name, cursor, order string, n int) ([]any, error) { return decode(name, cursor, order, n) }

// BadCursor is the failure of a cursor that we did not give out, sent as the
// parameter name.
func BadCursor(name string) error { return fault.New(fault.BadCursor, "%s is not valid", name) }

// decode reads a cursor of the order with n columns.
func decode(name, text, order string, n int) ([]any, error) {
	bad := BadCursor("page[" + name + "]")
	if len(text) > maxCursor {
		return nil, bad
	}
	b, err := base64.URLEncoding.DecodeString(text)
	if err != nil {
		if b, err = base64.StdEncoding.DecodeString(text); err != nil {
			return nil, bad
		}
	}
	var c cursor
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&c); err != nil || c.Order != order || len(c.Value) != n {
		return nil, bad
	}
	for i, v := range c.Value {
		switch v := v.(type) {
		case json.Number:
			id, err := v.Int64()
			if err != nil {
				return nil, bad
			}
			c.Value[i] = id
		case string:
			if strings.ContainsRune(v, 0) {
				return nil, bad
			}
		case bool, nil:
		default:
			return nil, bad
		}
	}
	return c.Value, nil
}
