package wire_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/helpd/helpd/api/wire"
	"github.com/oapi-codegen/nullable"
)

type ticket struct {
	Subject  *string                         `json:"subject"`
	Assignee nullable.Nullable[wire.ID]      `json:"assignee_id"`
	DueAt    nullable.Nullable[wire.Time]    `json:"due_at"`
	Tags     wire.Tags                       `json:"tags"`
	Safe     *wire.Flag                      `json:"safe_update"`
	Watchers nullable.Nullable[wire.IDs]     `json:"watcher_ids"`
	Fields   nullable.Nullable[[]fieldInput] `json:"fields"`
	Ratio    float64                         `json:"ratio"`
	Position int                             `json:"position"`
}

type fieldInput struct {
	ID    wire.ID `json:"id"`
	Value any     `json:"value"`
}

type body struct {
	Ticket  *ticket  `json:"ticket"`
	Tickets []ticket `json:"tickets"`
}

func TestDecodeNamesTheMember(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, field, message string }{
		{`{"ticket":{"subject":1}}`, "ticket.subject", "ticket.subject must be a string and is a number"},
		{`{"ticket":{"subject":{}}}`, "ticket.subject", "ticket.subject must be a string and is an object"},
		{`{"ticket":{"assignee_id":"Ana"}}`, "ticket.assignee_id", "ticket.assignee_id must be an id and is a string"},
		{`{"ticket":{"due_at":"soon"}}`, "ticket.due_at", "ticket.due_at must be an ISO 8601 time and is a string"},
		{`{"ticket":{"tags":{}}}`, "ticket.tags", "ticket.tags must be a list of tags and is an object"},
		{`{"ticket":{"safe_update":"maybe"}}`, "ticket.safe_update", "ticket.safe_update must be true or false and is a string"},
		{`{"tickets":[{},{"watcher_ids":[true]}]}`, "tickets.watcher_ids", "tickets.watcher_ids must be an id and is a boolean"},
		{`{"ticket":{"fields":[{"id":{}}]}}`, "ticket.fields.id", "ticket.fields.id must be an id and is an object"},
		{`{"ticket":{"ratio":"x"}}`, "ticket.ratio", "ticket.ratio must be a number and is a string"},
		{`{"ticket":{"position":1.5}}`, "ticket.position", "ticket.position must be a whole number and is number 1.5"},
		{`{"ticket":[]}`, "ticket", "ticket must be an object and is a list"},
		{`{"tickets":{}}`, "tickets", "tickets must be a list and is an object"},
		{`[]`, "", "the body must be an object and is a list"},
	} {
		var field *wire.FieldError
		err := wire.Decode([]byte(tc.in), new(body))
		if !errors.As(err, &field) || field.Field != tc.field || err.Error() != tc.message {
			t.Errorf("%s fails with %#v: %v; want %s", tc.in, err, err, tc.message)
		}
	}
}

func TestDecodeIgnoresUnknownMembers(t *testing.T) {
	t.Parallel()
	var b body
	if err := wire.Decode([]byte(`{"ticket":{"subject":"s","url":"x"},"audit":{"id":"z"}}`), &b); err != nil || *b.Ticket.Subject != "s" {
		t.Errorf("got %+v, %v", b, err)
	}
}

func TestDecodeRefusesWhatIsNotJSON(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`{`, `{"a":1`, `{"a":1}}`, `{"a" 1}`, `nul`, `{'a':1}`, "{\"a\":\"\n\"}"} {
		var syntax *wire.SyntaxError
		if err := wire.Decode([]byte(in), new(body)); !errors.As(err, &syntax) {
			t.Errorf("%s fails with %v; want a SyntaxError", in, err)
		}
	}
	for _, in := range []string{"", " \r\n\t"} {
		// The generated code takes io.EOF for the absence of an optional body.
		if err := wire.Decode([]byte(in), new(body)); !errors.Is(err, wire.ErrNoBody) || !errors.Is(err, io.EOF) {
			t.Errorf("%q fails with %v", in, err)
		}
	}
}

func TestDecodeIntoNothingIsOurMistake(t *testing.T) {
	t.Parallel()
	var field *wire.FieldError
	var syntax *wire.SyntaxError
	if err := wire.Decode([]byte(`{}`), body{}); err == nil || errors.As(err, &field) || errors.As(err, &syntax) {
		t.Errorf("fails with %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		`{}`, `{"a":"\\u0000"}`, `{"a":"\\\\u0000 \" [[[[["}`, `{"a":"😀 ü"}`, `[[[1]],[[2]]]`, `{"a":"\u0001"}`, `{"a":"\`, ``,
	} {
		if err := wire.Check([]byte(good), 3); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, reason := range map[string]string{
		`{"a":"x\u0000"}`:    "NUL",
		`{"a":"\\\u0000"}`:   "NUL",
		"{\"a\":\"\x00\"}":   "NUL",
		"{\"a\":\"\\\x00\"}": "NUL",
		"{\"a\":\"\xff\"}":   "UTF-8",
		"{\"a\":\"\\\xff\"}": "UTF-8",
		"{\"a\":\"\xc3\"}":   "UTF-8",
		`[[[[1]]]]`:          "deep",
		`[{"a":[{}]}]`:       "deep",
	} {
		var syntax *wire.SyntaxError
		if err := wire.Check([]byte(bad), 3); !errors.As(err, &syntax) || !strings.Contains(syntax.Reason, reason) {
			t.Errorf("%q: %v; want %s", bad, err, reason)
		}
	}
}

func TestCheckString(t *testing.T) {
	t.Parallel()
	if err := wire.CheckString("ü😀"); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"a\x00", "\xff"} {
		if !errors.Is(wire.CheckString(bad), wire.ErrText) {
			t.Errorf("%q passes", bad)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	body := []byte(`{"ticket":{"subject":"` + strings.Repeat("hello \\\" wörld ", 200) + `","tags":["a","b"]}}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if err := wire.Check(body, 64); err != nil {
			b.Fatal(err)
		}
	}
}
