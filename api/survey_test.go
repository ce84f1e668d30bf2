package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// survey makes a link and returns its path.
func (a *anAPI) survey(ticket int64) string {
	a.t.Helper()
	r := a.post(fmt.Sprintf("/api/v2/tickets/%d/satisfaction_survey", ticket), "").want(200)
	address := r.member("satisfaction_survey", "url").(string)
	return strings.TrimPrefix(address, "http://helpd.test")
}

// reader is somebody with a browser and no credentials.
func (a *anAPI) reader() *anAPI {
	return a.anonymous().with("Content-Type", "application/x-www-form-urlencoded")
}

func (r *result) wantPage(texts ...string) *result {
	r.t.Helper()
	for _, text := range texts {
		if !strings.Contains(string(r.body), text) {
			r.t.Errorf("%s %s: the page has no %q:\n%s", r.method, r.path, text, r.body)
		}
	}
	if kind := r.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
		r.t.Errorf("%s %s: a page of type %s", r.method, r.path, kind)
	}
	if policy := r.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(string(r.body), "<script") {
		r.t.Errorf("%s %s: scripts: %s", r.method, r.path, policy)
	}
	return r
}

func TestSurveyIsAnsweredByLink(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user")
	id := a.solved(a.email("ann"))
	path := a.survey(id)
	reader := a.reader()
	score := func() any {
		return a.get(fmt.Sprintf("/api/v2/tickets/%d", id)).want(200).member("ticket", "satisfaction_rating", "score")
	}
	if got := score(); got != "offered" {
		t.Errorf("after the offer: %v", got)
	}
	before := a.rows()
	reader.get(path).want(200).wantPage("Printer", "Acme", `<html lang="en">`, "The issue was not resolved")
	reader.get(path + "?score=good").want(200).wantPage(`value="good" required checked`)
	reader.do("HEAD", path, "").want(200)
	if tables := changed(before, a.rows()); len(tables) > 0 {
		t.Fatalf("opening the link wrote to %v", tables)
	}
	r := reader.post(path, "score=bad&reason=6&comment="+url.QueryEscape("<b>Still</b> smokes")).want(303)
	reader.get(r.header.Get("Location")).want(200).wantPage("Your rating was saved", `value="bad" required checked`, "&lt;b&gt;Still&lt;/b&gt; smokes", `value="6" selected`)
	a.get("/api/v2/satisfaction_ratings?score=bad_with_comment").want(200)
	if got := score(); got != "bad" {
		t.Errorf("after the vote: %v", got)
	}
	audits := a.get(fmt.Sprintf("/api/v2/tickets/%d/audits", id)).want(200)
	if got := audits.member("audits", len(audits.ids("audits"))-1, "via", "channel"); got != "web" {
		t.Errorf("the vote came by %v", got)
	}
	a.survey(id) // asks again and takes no vote back
	if got := score(); got != "bad" {
		t.Errorf("after another offer: %v", got)
	}
	reader.post(path, "score=good&comment=").want(303)
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d", id)).member("ticket", "satisfaction_rating", "comment"); got != nil || score() != "good" {
		t.Errorf("after a changed vote: %v %v", score(), got)
	}
	if got := a.loggedAs("ticket.csat_requested"); len(got) != 1 {
		t.Errorf("offers in the event log: %v", got)
	}
}

func TestSurveyRefusesWhatIsNoVote(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user")
	path := a.survey(a.solved(a.email("ann")))
	before := a.rows()
	for body, text := range map[string]string{
		"":                      "Please choose a rating",
		"score=great":           "Please choose a rating",
		"score=bad&reason=77":   "Reason code: 77 is invalid",
		"score=bad&comment=%00": "cannot be saved",
		"score=bad&comment=" + strings.Repeat("a", 10_001): "is too long",
	} {
		a.reader().post(path, body).want(422).wantPage(text)
	}
	if tables := changed(before, a.rows()); len(tables) > 0 {
		t.Errorf("refused votes wrote to %v", tables)
	}
}

func TestSurveyLinksAreGoodForOneTicketAndTime(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.user("Ann", a.email("ann"), "end-user")
	bob := a.user("Bob", a.email("bob"), "end-user")
	id, other := a.solved(a.email("ann")), a.solved(a.email("ann"))
	path := a.survey(id)
	bad := func(path, why string) {
		t.Helper()
		before := a.rows()
		a.reader().get(path).want(404).wantPage("This link is not valid")
		a.reader().post(path, "score=good").want(404).wantPage("This link is not valid")
		if tables := changed(before, a.rows()); len(tables) > 0 {
			t.Errorf("%s: wrote to %v", why, tables)
		}
	}
	token := strings.TrimPrefix(path, "/satisfaction/")
	parts := strings.Split(token, ".")
	forged := func(at int, value any) string {
		p := slices.Clone(parts)
		p[at] = fmt.Sprint(value)
		return "/satisfaction/" + strings.Join(p, ".")
	}
	theirs := a.another()
	theirs.user("Ann", theirs.email("ann"), "end-user")
	theirs.survey(theirs.solved(theirs.email("ann")))
	bad(forged(0, theirs.account.ID), "another account")
	bad(forged(0, a.account.ID+1_000_000), "no account")
	bad(forged(1, other), "another ticket")
	bad(forged(2, bob), "another requester")
	bad(forged(3, "9999999999"), "a later end")
	bad(forged(4, strings.Repeat("A", 43)), "no signature")
	bad(forged(4, ""), "an empty signature")
	for _, text := range []string{"x", "....", "1.2.3.4", "-1.1.1.1.a", "%00", "1.2.3.4.5.6", strings.Repeat("9", 300)} {
		bad("/satisfaction/"+text, text)
	}
	a.reader().get(path).want(200)
	change := func(body string) { a.put(fmt.Sprintf("/api/v2/tickets/%d", id), `{"ticket":`+body+`}`).want(200) }
	change(fmt.Sprintf(`{"requester_id":%d}`, bob))
	bad(path, "given to another requester")
	change(fmt.Sprintf(`{"requester_id":%d}`, ann))
	a.put(fmt.Sprintf("/api/v2/users/%d", ann), `{"user":{"suspended":true}}`).want(200)
	bad(path, "a suspended requester")
	a.put(fmt.Sprintf("/api/v2/users/%d", ann), `{"user":{"suspended":false}}`).want(200)
	change(`{"status":"closed"}`)
	a.reader().get(path).want(200).wantPage("This request is closed")
	a.reader().post(path, "score=good").want(422).wantPage("This request is closed")
	path = a.survey(other)
	a.delete(fmt.Sprintf("/api/v2/tickets/%d", other)).want(204)
	bad(path, "a deleted ticket")
	path = a.survey(a.solved(a.email("ann")))
	a.later(28 * 24 * time.Hour)
	a.reader().get(path).want(200)
	a.later(time.Second)
	bad(path, "expired")
}

func TestSurveyIsOfferedByAgents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user")
	open := a.ticket(fmt.Sprintf(`{"comment":{"body":"New"},"requester":{"email":%q}}`, a.email("ann")))
	inside := a.ticket(fmt.Sprintf(`{"comment":{"body":"Note","public":false},"requester":{"email":%q}}`, a.email("ann")))
	path := fmt.Sprintf("/api/v2/tickets/%d/satisfaction_survey", open)
	a.as(a.email("ann")).post(path, "").wantForbidden()
	a.anonymous().post(path, "").want(401)
	a.post("/api/v2/tickets/99999/satisfaction_survey", "").wantMissing()
	a.post(fmt.Sprintf("/api/v2/tickets/%d/satisfaction_survey", inside), "").
		wantDetail("base", "Ticket: has no public comment, so its requester cannot see it")
	r := a.post(path, "").want(200)
	address := r.member("satisfaction_survey", "url").(string)
	r.wantJSON(`{"satisfaction_survey":{"ticket_id":%d,"url":%q,"good_url":"%s?score=good","bad_url":"%s?score=bad","expires_at":"2026-04-01T05:06:07Z"}}`,
		open, address, address, address)
	// Who was asked may answer, also before the ticket is solved.
	a.as(a.email("ann")).vote(open, `{"score":"good"}`).want(200)
	closed := a.solved(a.email("ann"))
	a.put(fmt.Sprintf("/api/v2/tickets/%d", closed), `{"ticket":{"status":"closed"}}`).want(200)
	a.post(fmt.Sprintf("/api/v2/tickets/%d/satisfaction_survey", closed), "").wantDetail("status", "Status: closed prevents ticket update")
}
