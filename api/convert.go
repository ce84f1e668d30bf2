package api

import (
	"encoding/json"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
)

// How members of requests become what domain functions take.

func nullableText(n nullable.Nullable[wire.Text]) nullable.Nullable[string] {
	return convert(n, func(t wire.Text) string { return string(t) })
}

// convert keeps absent and null what they are.
func convert[F, T any](n nullable.Nullable[F], f func(F) T) nullable.Nullable[T] {
	if n.IsNull() {
		return nullable.NewNullNullable[T]()
	}
	v, err := n.Get()
	if err != nil {
		return nil
	}
	return nullable.NewNullableWithValue(f(v))
}

// or is the value of an optional member, or what stands for an absent one.
func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// bulkItems are items of a bulk job.
func bulkItems[T any](list []T) ([]json.RawMessage, error) {
	out := make([]json.RawMessage, len(list))
	for i, item := range list {
		b, err := json.Marshal(item)
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return out, nil
}

// Results of the items of bulk jobs, as clients read them.
type (
	bulkCreated struct {
		Status string `json:"status"`
		ID     int64  `json:"id"`
	}
	bulkDone struct {
		Action  string `json:"action"`
		ID      int64  `json:"id"`
		Status  string `json:"status"`
		Success bool   `json:"success"`
	}
)

func created(id int64) bulkCreated { return bulkCreated{"Created", id} }

func updated(id int64) bulkDone { return bulkDone{"update", id, "Updated", true} }

func deleted(id int64) bulkDone { return bulkDone{"delete", id, "Deleted", true} }

// named are the ids in the URL of an operation on many records, each once: what is
// named twice is changed once, and has one result. It fails for more of them than
// jobs.MaxItems, as they are sent.
func named(ids wire.IDs) ([]int64, error) {
	list := int64s(ids)
	if len(list) > jobs.MaxItems {
		return nil, fault.Exceeds(jobs.MaxItems)
	}
	return distinct(list), nil
}

// distinct are the values of a list, each once; a zero value is none.
func distinct[T comparable](list []T) (out []T) {
	var none T
	seen := map[T]bool{none: true}
	for _, v := range list {
		if !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}
