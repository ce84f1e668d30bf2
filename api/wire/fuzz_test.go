package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/helpd/helpd/api/wire"
)

// What is read is written in a form that reads as the same.
func FuzzID(f *testing.F) {
	for _, s := range []string{"1", "12.0", "9223372036854775808", "-1e3", "0x1p4", "", "1e999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := wire.ParseID(s)
		if err != nil {
			return
		}
		b, err := json.Marshal(id)
		if err != nil {
			t.Fatal(err)
		}
		var again wire.ID
		if err := json.Unmarshal(b, &again); err != nil || again != id {
			t.Errorf("%q reads as %d, written as %s, which reads as %d, %v", s, id, b, again, err)
		}
	})
}

func FuzzTime(f *testing.F) {
	for _, s := range []string{"2023-09-18T23:35:11Z", "2023-09-18", "1690000000.5", "2023-09-18 23:35:11 +0200", "-62135596800", "253402300799.999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := wire.ParseTime(s)
		if err != nil {
			return
		}
		b, err := json.Marshal(at)
		if err != nil || len(b) != len(`"2023-09-18T23:35:11Z"`) {
			t.Fatalf("%q reads as %v, written as %s, %v", s, at, b, err)
		}
		var again wire.Time
		if err := json.Unmarshal(b, &again); err != nil || again.String() != at.String() {
			t.Errorf("%q reads as %s, which reads as %s, %v", s, at, again, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"ticket":{"assignee_id":"1","due_at":5,"tags":"a,b","watcher_ids":"1,2"}}`, `[]`, ``, `{"ticket":{"fields":[{"id":1e99}]}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err := wire.Decode(b, new(body))
		var field *wire.FieldError
		var syntax *wire.SyntaxError
		if err != nil && !errors.As(err, &field) && !errors.As(err, &syntax) && !errors.Is(err, wire.ErrNoBody) {
			t.Errorf("fails with %T %v", err, err)
		}
	})
}

// No string decoded from a body that passes Check has what PostgreSQL refuses,
// and its nesting is at most the limit.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{"a":"\u0000"}`, `{"a":"\\u0000"}`, "[\"\\\x00\"]", "\"\xff\"", `[[["x"]]]`, `"\ud800"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 4
		var v any
		if wire.Check(b, limit) != nil || json.Unmarshal(b, &v) != nil {
			return
		}
		walk(v, 0, func(v any, depth int) {
			if s, ok := v.(string); ok && (!utf8.ValidString(s) || strings.ContainsRune(s, 0)) {
				t.Fatalf("%q holds %q", b, s)
			}
			if depth > limit {
				t.Fatalf("%q nests deeper than %d", b, limit)
			}
		})
	})
}

// walk visits a decoded JSON value; depth is the number of lists and objects
// that are open at it, itself included.
func walk(v any, depth int, visit func(v any, depth int)) {
	switch v := v.(type) {
	case []any:
		visit(v, depth+1)
		for _, e := range v {
			walk(e, depth+1, visit)
		}
	case map[string]any:
		visit(v, depth+1)
		for k, e := range v {
			visit(k, depth+1)
			walk(e, depth+1, visit)
		}
	default:
		visit(v, depth)
	}
}

func FuzzTags(f *testing.F) {
	f.Add("VIP big,deal")
	f.Fuzz(func(t *testing.T, s string) {
		tags := wire.SplitTags(s)
		if again := wire.SplitTags(strings.Join(tags, " ")); strings.Join(again, " ") != strings.Join(tags, " ") {
			t.Errorf("%q splits into %q, and that into %q", s, tags, again)
		}
	})
}
