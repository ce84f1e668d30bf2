package api

import (
	"context"
	"strconv"
	"strings"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
)

// maxShowMany is how many ids a show_many takes.
const maxShowMany = 100

// each is f of every item; never nil, which would print as null.
func each[T, U any](items []T, f func(T) U) []U {
	out := make([]U, len(items))
	for i, item := range items {
		out[i] = f(item)
	}
	return out
}

// list is the items as they are; [] in place of null.
func list[S ~[]T, T any](items S) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// orNull is the value that p points to, or null, in types that tell absent and
// null apart.
func orNull[T any](p *T) nullable.Nullable[T] {
	if p == nil {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(*p)
}

func isSet(f *wire.Flag) bool { return f != nil && bool(*f) }

// linkBelow is the absolute URL of a record that belongs to another:
// linkBelow(ctx, "ticket_fields", 5, "options", 6).
func linkBelow(ctx context.Context, resource string, id int64, part string, partID int64) string {
	parent := strings.TrimSuffix(link(ctx, resource, id), ".json")
	return parent + "/" + part + "/" + strconv.FormatInt(partID, 10) + ".json"
}
