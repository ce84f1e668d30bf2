package rulebook

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/server/rules"
)

// shown writes edits of parts in few words: "=status is open", "status is -open+new".
func shown(list []PartEdits) string {
	var out []string
	write := func(edits []Edit) string {
		var b strings.Builder
		for _, e := range edits {
			content, _ := json.Marshal(e.Content)
			fmt.Fprintf(&b, "%s%s", e.Change, strings.Trim(string(content), `"`))
		}
		return b.String()
	}
	for _, p := range list {
		out = append(out, strings.TrimSpace(write(p.Field)+" "+write(p.Operator))+" "+write(p.Value))
	}
	return strings.Join(out, ", ")
}

func TestDifferenceOfConditions(t *testing.T) {
	t.Parallel()
	conditions := func(list string) []rules.Condition {
		var out []rules.Condition
		for word := range strings.FieldsSeq(list) {
			p := strings.Split(word, ".")
			out = append(out, rules.Condition{Field: p[0], Operator: p[1], Value: json.RawMessage(`"` + p[2] + `"`)})
		}
		return out
	}
	for _, tc := range []struct{ was, is, want string }{
		{"", "", ""},
		{"a.is.1 b.is.2", "a.is.1 b.is.2", "=a =is =1, =b =is =2"},
		{"", "a.is.1", "+a +is +1"},
		{"a.is.1", "", "-a -is -1"},
		{"a.is.1", "a.not.1", "=a -is+not =1"},
		{"a.is.1 b.is.2 c.is.3", "a.is.1 b.is.4 c.is.3", "=a =is =1, =b =is -2+4, =c =is =3"},
		{"a.is.1 c.is.3", "a.is.1 b.is.2 c.is.3", "=a =is =1, +b +is +2, =c =is =3"},
		{"a.is.1 b.is.2 c.is.3", "a.is.1 c.is.3", "=a =is =1, -b -is -2, =c =is =3"},
		{"a.is.1", "b.is.1", "-a -is -1, +b +is +1"},
		{"a.is.1", "a.is.1 a.is.1", "=a =is =1, +a +is +1"},
	} {
		id := int64(1)
		d := difference(&id, Snapshot{Conditions: rules.Conditions{All: conditions(tc.was)}}, 2, Snapshot{Conditions: rules.Conditions{All: conditions(tc.is)}})
		if got := shown(d.Conditions.All); got != tc.want {
			t.Errorf("%s to %s: %s, want %s", tc.was, tc.is, got, tc.want)
		}
		if len(d.Conditions.Any) != 0 || len(d.Actions) != 0 || d.Title[0].Change != "=" {
			t.Errorf("%s to %s: %+v", tc.was, tc.is, d)
		}
	}
}
