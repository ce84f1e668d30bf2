package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

const outdatedBody = `{"error":"UpdateConflict","description":"Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again."}`

// records are one of each kind that clients change with If-Match: its path, and
// a body that sets one member to %q.
func (a *anAPI) records() map[string][2]string {
	a.t.Helper()
	org := a.post("/api/v2/organizations", `{"organization":{"name":"Acme"}}`).want(201).id("organization")
	ticket := a.post("/api/v2/tickets", `{"ticket":{"subject":"Fire","comment":{"body":"Help"}}}`).want(201).id("ticket")
	return map[string][2]string{
		"ticket":       {fmt.Sprintf("/api/v2/tickets/%d", ticket), `{"ticket":{"subject":%q}}`},
		"user":         {fmt.Sprintf("/api/v2/users/%d", a.user("Lee", a.email("lee"), "end-user")), `{"user":{"name":%q}}`},
		"organization": {fmt.Sprintf("/api/v2/organizations/%d", org), `{"organization":{"notes":%q}}`},
	}
}

func TestIfMatchLetsThroughWhatIsFresh(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for kind, record := range a.records() {
		path := record[0]
		body := func(value string) string { return fmt.Sprintf(record[1], value) }
		tag := a.get(path + ".json").want(200).header.Get("Etag")
		if !strings.HasPrefix(tag, `W/"`) {
			t.Fatalf("%s: ETag %q", kind, tag)
		}
		a.with("If-Match", tag).put(path, body("one")).want(200)
		a.with("If-Match", tag).put(path, body("two")).want(409).wantJSON(outdatedBody)
		a.with("If-Match", `"0", `+a.get(path).header.Get("Etag")).put(path, body("three")).want(200)
		strong := strings.TrimPrefix(a.get(path).header.Get("Etag"), "W/")
		a.with("If-Match", strong).put(path+".json", body("four")).want(200)
		a.with("If-Match", "*").put(path, body("five")).want(200)
		a.with("If-Match", `"garbage"`).put(path, body("six")).want(409)
		a.with("If-Match", tag).delete(path).want(409)
		if got := string(a.get(path).body); !strings.Contains(got, `"five"`) {
			t.Errorf("%s: a refused write was done: %s", kind, got)
		}
		a.with("If-Match", "*").put("/api/v2/"+kind+"s/404404", body("seven")).wantMissing()
	}
	a.with("If-Match", "*").put("/api/v2/ticket_fields/reorder", `{"ticket_field_ids":[]}`).want(400)
	a.as(a.email("lee")).with("If-Match", "*").put("/api/v2/tickets/1", `{"ticket":{}}`).wantForbidden()
}

func TestIfMatchHasOneWinner(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for kind, record := range a.records() {
		path := record[0]
		tag := a.get(path).want(200).header.Get("Etag")
		const writers = 6
		answers := make([]*result, writers)
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				answers[i] = a.with("If-Match", tag).put(path, fmt.Sprintf(record[1], fmt.Sprint("writer ", i)))
			})
		}
		all.Wait()
		won := 0
		for i, r := range answers {
			switch r.status {
			case 200:
				won++
				if got := string(a.get(path).body); !strings.Contains(got, fmt.Sprintf(`"writer %d"`, i)) {
					t.Errorf("%s: writer %d won, and the record is %s", kind, i, got)
				}
			case 409:
			default:
				t.Errorf("%s: %d %s", kind, r.status, r.body)
			}
		}
		if won != 1 {
			t.Errorf("%s: %d writers won", kind, won)
		}
	}
}

// A write that is sent again has its first answer, although the record is no
// longer what If-Match names: the write itself has changed it.
func TestIfMatchWithIdempotencyKey(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for kind, record := range a.records() {
		path, body := record[0], fmt.Sprintf(record[1], "one")
		tag := a.get(path).want(200).header.Get("Etag")
		write := a.with("If-Match", tag).with("Idempotency-Key", "key of a "+kind)
		first := write.put(path, body).want(200)
		again := write.put(path, body).want(200)
		if string(first.body) != string(again.body) || again.header.Get("X-Idempotency-Lookup") != "hit" {
			t.Errorf("%s: the second answer is another: %s", kind, again.body)
		}
		a.with("If-Match", tag).with("Idempotency-Key", "another key of a "+kind).put(path, body).want(409)
	}
}
