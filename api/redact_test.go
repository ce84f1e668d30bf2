package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// A text such as 1 or id stands in every payload of the event log, which must
// stay what it is but for the comment's own text.
func TestRedactionLeavesTheEventLogWhole(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"subject":"S","comment":{"body":"1 id of Ann's card"}}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	comment := a.get(path + "/comments").want(200).ids("comments")[0]
	logged := func() string {
		var all string
		err := a.db.WithContext(a.ctx()).Raw(`SELECT string_agg(change::text || detail::text, '' ORDER BY id) FROM events
			WHERE account_id = ? AND subject = ?`, a.account.ID, fmt.Sprintf("zen:ticket:%d", id)).Row().Scan(&all)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if !strings.Contains(logged(), "Ann's card") {
		t.Fatalf("the event log does not hold the text: %s", logged())
	}
	for _, text := range []string{"1", "id", "Ann's"} {
		a.put(fmt.Sprintf("%s/comments/%d/redact", path, comment), fmt.Sprintf(`{"text":%q}`, text)).want(200)
	}
	after := logged()
	if strings.Contains(after, "Ann's") || !strings.Contains(after, `"▇ ▇▇ of ▇▇▇▇▇ card"`) {
		t.Errorf("the event log still tells: %s", after)
	}
	if !strings.Contains(after, fmt.Sprintf(`"id": "%d"`, comment)) {
		t.Errorf("other parts of the event log changed: %s", after)
	}
}
