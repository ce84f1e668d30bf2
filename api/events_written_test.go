package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/server/events"
)

// changesOf are the types and payloads of the events of a record, in their order.
func (a *anAPI) changesOf(kind string, id int64) (list []string) {
	a.t.Helper()
	err := a.db.WithContext(a.ctx()).Raw("SELECT replace(type, ?, '') || ' ' || (change::jsonb - 'meta') FROM events WHERE account_id = ? AND subject = ? ORDER BY id",
		events.TypePrefix, a.account.ID, events.Subject(kind, id)).Scan(&list).Error
	if err != nil {
		a.t.Fatal(err)
	}
	return list
}

func (a *anAPI) wantChanges(kind string, id int64, want ...string) {
	a.t.Helper()
	got := a.changesOf(kind, id)
	for _, event := range want {
		if n := slices.Index(got, event); n < 0 || slices.Contains(got[n+1:], event) {
			a.t.Errorf("%s %d: not told once: %s, of:\n%s", kind, id, event, strings.Join(got, "\n"))
		}
	}
}

// Signing in is told once for each session, not with each request.
func TestLoginsAreTold(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id, ann := a.signedIn("ann", "end-user")
	ann.get("/api/v2/users/me").want(200)
	later := theClock.Add(9 * time.Hour)
	a.now.Store(&later)
	ann.get("/api/v2/users/me").want(200)
	ann.get("/api/v2/users/me").want(200)
	a.wantChanges("user", id,
		`user.last_login_changed {"current": "2026-03-04T05:06:07Z", "previous": ""}`,
		`user.last_login_changed {"current": "2026-03-04T14:06:07Z", "previous": "2026-03-04T05:06:07Z"}`)
	logins := slices.DeleteFunc(a.changesOf("user", id), func(e string) bool { return !strings.Contains(e, "last_login") })
	if len(logins) != 2 {
		t.Errorf("two sessions are told as %v", logins)
	}
}

// Who is merged into another is not the submitter of his tickets any more, also
// of those that he only wrote for others.
func TestChangesOfSubmittersAreTold(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	requester, loser, winner := a.user("R", a.email("r"), "end-user"), a.user("L", a.email("l"), "end-user"), a.user("W", a.email("w"), "end-user")
	own := a.ticket(fmt.Sprintf(`{"requester_id":%d,"submitter_id":%d,"comment":{"body":"Mine"}}`, loser, loser))
	forAnother := a.ticket(fmt.Sprintf(`{"requester_id":%d,"submitter_id":%d,"comment":{"body":"For another"}}`, requester, loser))
	a.put(fmt.Sprintf("/api/v2/users/%d/merge", loser), fmt.Sprintf(`{"user":{"id":%d}}`, winner)).want(200)
	event := fmt.Sprintf(`ticket.submitter_changed {"current": "%d", "previous": "%d"}`, winner, loser)
	a.wantChanges("ticket", own, event, strings.Replace(event, "submitter", "requester", 1))
	a.wantChanges("ticket", forAnother, event)
	for _, id := range []int64{own, forAnother} {
		if is := a.get(fmt.Sprintf("/api/v2/tickets/%d", id)).want(200).member("ticket", "submitter_id"); fmt.Sprint(is) != fmt.Sprint(winner) {
			t.Errorf("the submitter of %d is %v", id, is)
		}
	}
	audits := a.get(fmt.Sprintf("/api/v2/tickets/%d/audits", forAnother)).want(200)
	if n := audits.count("audits"); n != 1 {
		t.Errorf("a change that no audit has is in %d audits: %s", n, audits.body)
	}
}

// A redaction changes the description, and a subject that was made of it. No
// event tells what was there, however often it changed.
func TestRedactedDescriptionsAreTold(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"comment":{"body":"Card 4111 of Ann"}}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	a.put(path, `{"ticket":{"subject":"Money"}}`).want(200)
	a.put(path, `{"ticket":{"subject":"Card 4111 of Ann"}}`).want(200)
	comment := fmt.Sprintf("%s/comments/%d/redact", path, a.get(path + "/comments").want(200).ids("comments")[0])
	a.put(comment, `{"text":"4111"}`).want(200)
	a.wantChanges("ticket", id,
		`ticket.description_changed {"current": "Card ▇▇▇▇ of Ann", "previous": ""}`, `ticket.subject_changed {"current": "Card ▇▇▇▇ of Ann", "previous": ""}`,
		`ticket.subject_changed {"current": "Money", "previous": "Card ▇▇▇▇ of Ann"}`)
	a.put(comment, `{"text":"Ann"}`).want(200)
	a.wantChanges("ticket", id, `ticket.subject_changed {"current": "Money", "previous": "Card ▇▇▇▇ of ▇▇▇"}`)
	var all string
	err := a.db.WithContext(a.ctx()).Raw("SELECT string_agg(change::text || coalesce(detail::text, ''), ' ') FROM events WHERE account_id = ?", a.account.ID).Row().Scan(&all)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"4111", "of Ann"} {
		if strings.Contains(all, secret) {
			t.Errorf("the log still has %q: %s", secret, all)
		}
	}
}
