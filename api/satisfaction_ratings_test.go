package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// solved makes a ticket of the end user with this address, and solves it.
func (a *anAPI) solved(requester string) int64 {
	a.t.Helper()
	id := a.ticket(fmt.Sprintf(`{"subject":"Printer","comment":{"body":"It smokes."},"requester":{"email":%q,"name":"Ann"},"assignee_id":%d}`, requester, a.admin.ID))
	a.put(fmt.Sprintf("/api/v2/tickets/%d", id), `{"ticket":{"status":"solved"}}`).want(200)
	return id
}

func ratingPath(ticket int64) string {
	return fmt.Sprintf("/api/v2/tickets/%d/satisfaction_rating", ticket)
}

func (a *anAPI) vote(ticket int64, rating string) *result {
	a.t.Helper()
	return a.post(ratingPath(ticket), `{"satisfaction_rating":`+rating+`}`)
}

// later moves the clock, which stands still otherwise.
func (a *anAPI) later(by time.Duration) {
	now := a.now.Load().Add(by)
	a.now.Store(&now)
}

func TestRequesterRatesSolvedTicketAndChangesTheVote(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.user("Ann", a.email("ann"), "end-user")
	id := a.solved(a.email("ann"))
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	if got := a.get(path).want(200).member("ticket", "satisfaction_rating"); got != nil {
		t.Errorf("before any vote: %v", got)
	}
	r := a.as(a.email("ann")).vote(id, `{"score":"good","comment":"Thanks!"}`).want(200)
	rating := r.id("satisfaction_rating")
	group := a.get(path).member("ticket", "group_id")
	r.wantJSON(`{"satisfaction_rating":{"url":"http://helpd.test/api/v2/satisfaction_ratings/%d.json","id":%d,"ticket_id":%d,"requester_id":%d,
		"assignee_id":%d,"group_id":%v,"score":"good","comment":"Thanks!","reason":null,"reason_id":null,"created_at":%q,"updated_at":%q}}`,
		rating, rating, id, ann, a.admin.ID, group, clockText, clockText)
	a.later(time.Minute)
	r = a.as(a.email("ann")).vote(id, `{"score":"bad","reason_code":5}`).want(200)
	reason := r.member("satisfaction_rating", "reason_id")
	if again := r.id("satisfaction_rating"); again != rating || r.member("satisfaction_rating", "reason") != "The issue took too long to resolve" {
		t.Errorf("the changed vote: %s", r.body)
	}
	shown, _ := json.Marshal(a.get(path).want(200).member("ticket", "satisfaction_rating"))
	want := fmt.Sprintf(`{"comment":"Thanks!","id":%d,"reason":"The issue took too long to resolve","reason_id":%v,"score":"bad"}`, rating, reason)
	if string(shown) != want {
		t.Errorf("on the ticket:\n got %s\nwant %s", shown, want)
	}
	listed, _ := json.Marshal(a.get("/api/v2/tickets").want(200).member("tickets", 0, "satisfaction_rating"))
	if string(listed) != want {
		t.Errorf("in a list of tickets: %s", listed)
	}
	if got := a.get("/api/v2/satisfaction_ratings").want(200).ids("satisfaction_ratings"); !slices.Equal(got, []int64{rating}) {
		t.Errorf("ratings: %v", got)
	}
}

func TestRatingIsInAuditsAndEvents(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann := a.user("Ann", a.email("ann"), "end-user")
	id := a.solved(a.email("ann"))
	a.as(a.email("ann")).vote(id, `{"score":"good","comment":"Thanks!"}`).want(200)
	a.as(a.email("ann")).vote(id, `{"score":"good","comment":"Thanks!"}`).want(200) // says nothing new
	r := a.get(fmt.Sprintf("/api/v2/tickets/%d/audits", id)).want(200)
	if n := len(r.ids("audits")); n != 3 {
		t.Fatalf("%d audits, want the create, the solution and one vote: %s", n, r.body)
	}
	if by := r.member("audits", 2, "author_id"); fmt.Sprint(by) != fmt.Sprint(ann) {
		t.Errorf("the vote is by %v", by)
	}
	var events []map[string]any
	b, _ := json.Marshal(r.member("audits", 2, "events"))
	if err := json.Unmarshal(b, &events); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		delete(e, "id")
	}
	got, _ := json.Marshal(events)
	want := fmt.Sprintf(`[{"field_name":"satisfaction_score","previous_value":"unoffered","type":"Change","value":"good"},`+
		`{"field_name":"satisfaction_comment","previous_value":null,"type":"Change","value":"Thanks!"},`+
		`{"assignee_id":%d,"body":"Thanks!","score":"good","type":"SatisfactionRating"}]`, a.admin.ID)
	if string(got) != want {
		t.Errorf("events:\n got %s\nwant %s", got, want)
	}
	if got := a.loggedAs("ticket.csat_received"); len(got) != 1 || !strings.Contains(got[0], `"csat":{"comment":"Thanks!","reason":"","score":"good"}`) {
		t.Errorf("event log: %v", got)
	}
}

// loggedAs are the payloads of the events of a type, in order.
func (a *anAPI) loggedAs(kind string) (all []string) {
	a.t.Helper()
	err := a.db.WithContext(a.ctx()).Raw("SELECT change::text FROM events WHERE account_id = ? AND type = ? ORDER BY id", a.account.ID, "zen:event-type:"+kind).Scan(&all).Error
	if err != nil {
		a.t.Fatal(err)
	}
	return all
}

func TestWhoMayRate(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user")
	a.user("Bob", a.email("bob"), "end-user")
	a.user("Gus", a.email("gus"), "agent")
	id := a.solved(a.email("ann"))
	open := a.ticket(fmt.Sprintf(`{"comment":{"body":"New"},"requester":{"email":%q}}`, a.email("ann")))
	copied := a.ticket(fmt.Sprintf(`{"comment":{"body":"New"},"status":"open","requester":{"email":%q},"email_ccs":[{"user_email":%q}]}`, a.email("ann"), a.email("bob")))
	good := `{"score":"good"}`
	a.vote(id, good).wantForbidden()
	a.as(a.email("gus")).vote(id, good).wantForbidden()
	a.as(a.email("bob")).vote(id, good).wantMissing()
	a.as(a.email("bob")).vote(copied, good).wantForbidden()
	a.anonymous().vote(id, good).want(401)
	ann := a.as(a.email("ann"))
	ann.vote(id+100, good).wantMissing()
	ann.vote(open, good).wantDetail("base", "Ticket: must be solved before it is rated")
	ann.vote(id, `{"score":"offered"}`).wantDetail("score", "Score: offered is not one of good, bad")
	ann.vote(id, `{"comment":"Hm"}`).wantDetail("score", "Score:  is not one of good, bad")
	ann.vote(id, `{"score":"bad","reason_code":77}`).wantDetail("reason_code", "Reason code: 77 is invalid")
	ann.vote(id, `{"score":"bad","comment":"`+strings.Repeat("a", 10_001)+`"}`).wantDetail("comment", "Comment: is too long (maximum is 10000 characters)")
	a.put(fmt.Sprintf("/api/v2/tickets/%d", id), `{"ticket":{"status":"open"}}`).want(200)
	ann.vote(id, good).want(200) // reopened after it was solved
	a.put(fmt.Sprintf("/api/v2/tickets/%d", id), `{"ticket":{"status":"solved"}}`).want(200)
	a.put(fmt.Sprintf("/api/v2/tickets/%d", id), `{"ticket":{"status":"closed"}}`).want(200)
	ann.vote(id, `{"score":"bad"}`).wantDetail("status", "Status: closed prevents ticket update")
	if err := a.db.WithContext(a.ctx()).Exec("UPDATE users SET verified = false WHERE account_id = ? AND name = 'Ann'", a.account.ID).Error; err != nil {
		t.Fatal(err)
	}
	a.auth.Forget(a.ctx(), a.account.ID)
	ann.vote(open, good).wantForbidden()
}

func TestRatingsAreFilteredByScoreAndTime(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user")
	ann := a.as(a.email("ann"))
	var ids []int64
	for _, vote := range []string{`{"score":"good"}`, `{"score":"good","comment":"Yes"}`, `{"score":"bad"}`, `{"score":"bad","comment":"No"}`, ""} {
		a.later(time.Minute)
		ticket := a.solved(a.email("ann"))
		if vote != "" {
			ids = append(ids, ann.vote(ticket, vote).want(200).id("satisfaction_rating"))
			continue
		}
		a.post(fmt.Sprintf("/api/v2/tickets/%d/satisfaction_survey", ticket), "").want(200)
		all := a.get("/api/v2/satisfaction_ratings").want(200).ids("satisfaction_ratings")
		ids = append(ids, all[len(all)-1])
	}
	pick := func(at ...int) (out []int64) {
		for _, i := range at {
			out = append(out, ids[i])
		}
		return out
	}
	start := theClock.Unix()
	for query, want := range map[string][]int64{
		"": ids, "sort_order=desc": pick(4, 3, 2, 1, 0), "score=offered": pick(4), "score=unoffered": nil,
		"score=received": pick(0, 1, 2, 3), "score=received_with_comment": pick(1, 3), "score=received_without_comment": pick(0, 2),
		"score=good": pick(0, 1), "score=good_with_comment": pick(1), "score=good_without_comment": pick(0),
		"score=bad": pick(2, 3), "score=bad_with_comment": pick(3), "score=bad_without_comment": pick(2),
		fmt.Sprintf("start_time=%d", start+120):                                      pick(1, 2, 3, 4),
		fmt.Sprintf("end_time=%d", start+120):                                        pick(0, 1),
		fmt.Sprintf("score=received&start_time=%d&end_time=%d", start+61, start+240): pick(1, 2, 3),
	} {
		if got := a.get("/api/v2/satisfaction_ratings.json?" + query).want(200).ids("satisfaction_ratings"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
		if got := a.walkPages("/api/v2/satisfaction_ratings?page[size]=1&"+query, "satisfaction_ratings"); !slices.Equal(got, want) {
			t.Errorf("%s by cursor: %v, want %v", query, got, want)
		}
		if n := a.get("/api/v2/satisfaction_ratings/count?"+query).want(200).member("count", "value"); fmt.Sprint(n) != fmt.Sprint(len(want)) {
			t.Errorf("%s counts %v", query, n)
		}
	}
	if got := a.get("/api/v2/satisfaction_ratings/received").want(200).ids("satisfaction_ratings"); !slices.Equal(got, pick(0, 1, 2, 3)) {
		t.Errorf("received: %v", got)
	}
	a.get("/api/v2/satisfaction_ratings?score=great").wantError(422, "RecordInvalid")
	a.get("/api/v2/satisfaction_ratings?start_time=-1").wantDetail("start_time", "Start time: -1 is not a Unix time in seconds")
	a.get("/api/v2/satisfaction_ratings/count?end_time=99999999999999").wantError(422, "RecordInvalid")
	a.get("/api/v2/satisfaction_ratings?start_time=soon").want(400)
	ann.get("/api/v2/satisfaction_ratings").wantForbidden()
	ann.get("/api/v2/satisfaction_ratings/count").wantForbidden()
	ann.get(fmt.Sprintf("/api/v2/satisfaction_ratings/%d", ids[0])).wantForbidden()
	a.get(fmt.Sprintf("/api/v2/satisfaction_ratings/%d", ids[4])).want(200)
	a.get(fmt.Sprintf("/api/v2/satisfaction_ratings/%d", ids[4]+1)).wantMissing()
}

// walkPages follows links.next to the end.
func (a *anAPI) walkPages(path, key string) (ids []int64) {
	a.t.Helper()
	for path != "" {
		r := a.get(path).want(200)
		ids = append(ids, r.ids(key)...)
		next, _ := r.member("links", "next").(string)
		path = strings.TrimPrefix(next, "http://helpd.test")
	}
	return ids
}

func TestRestrictedAgentsSeeNoOtherRatings(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user")
	_, r := a.restricted("r", "assigned")
	rating := a.as(a.email("ann")).vote(a.solved(a.email("ann")), `{"score":"good"}`).want(200).id("satisfaction_rating")
	if got := r.get("/api/v2/satisfaction_ratings").want(200).ids("satisfaction_ratings"); len(got) > 0 {
		t.Errorf("a restricted agent sees %v", got)
	}
	if n := r.get("/api/v2/satisfaction_ratings/count").want(200).member("count", "value"); fmt.Sprint(n) != "0" {
		t.Errorf("a restricted agent counts %v", n)
	}
	r.get(fmt.Sprintf("/api/v2/satisfaction_ratings/%d", rating)).wantMissing()
}

func TestReasonsOfRatings(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Ann", a.email("ann"), "end-user")
	a.user("Gus", a.email("gus"), "agent")
	r := a.as(a.email("gus")).get("/api/v2/satisfaction_reasons").want(200)
	var list struct {
		Reasons []struct {
			Code  int `json:"reason_code"`
			Value string
		}
		Count int
	}
	r.json(&list)
	if got, want := fmt.Sprint(list), "{[{0 No reason provided} {5 The issue took too long to resolve} {6 The issue was not resolved} "+
		"{7 The agent's knowledge is unsatisfactory} {8 The agent's attitude is unsatisfactory} {100 Some other reason}] 6}"; got != want {
		t.Errorf("reasons: %s", got)
	}
	builtIn := r.ids("reasons")[0]
	id := a.post("/api/v2/satisfaction_reasons", `{"reason":{"value":" Too dear "}}`).want(201).id("reason")
	path := fmt.Sprintf("/api/v2/satisfaction_reasons/%d", id)
	a.as(a.email("gus")).get(path).want(200).wantJSON(`{"reason":{"url":"http://helpd.test%s.json","id":%d,"reason_code":1000,"value":"Too dear",
		"raw_value":"Too dear","created_at":%q,"updated_at":%q,"deleted_at":null}}`, path, id, clockText, clockText)
	ticket := a.solved(a.email("ann"))
	rating := a.as(a.email("ann")).vote(ticket, `{"score":"bad","reason_code":1000}`).want(200).id("satisfaction_rating")
	a.delete(path).want(204)
	a.delete(path).wantMissing()
	if a.get(path).want(200).member("reason", "deleted_at") != clockText {
		t.Error("a deleted reason has no deleted_at")
	}
	if got := a.get(fmt.Sprintf("/api/v2/satisfaction_ratings/%d", rating)).want(200).member("satisfaction_rating", "reason"); got != "Too dear" {
		t.Errorf("the rating lost its reason: %v", got)
	}
	a.as(a.email("ann")).vote(ticket, `{"score":"bad","reason_code":1000}`).wantError(422, "RecordInvalid")
	if code := a.post("/api/v2/satisfaction_reasons", `{"reason":{"value":"B"}}`).want(201).member("reason", "reason_code"); fmt.Sprint(code) != "1001" {
		t.Errorf("the code of a deleted reason was given again: %v", code)
	}
	a.delete(fmt.Sprintf("/api/v2/satisfaction_reasons/%d", builtIn)).wantDetail("base", "Reason: 0 is built in")
	a.post("/api/v2/satisfaction_reasons", `{"reason":{"value":" "}}`).wantDetail("value", "Value: cannot be blank")
	a.post("/api/v2/satisfaction_reasons", `{"reason":{"value":"`+strings.Repeat("a", 256)+`"}}`).wantDetail("value", "Value: is too long (maximum is 255 characters)")
	a.as(a.email("gus")).post("/api/v2/satisfaction_reasons", `{"reason":{"value":"C"}}`).wantForbidden()
	a.as(a.email("gus")).delete(path).wantForbidden()
	a.as(a.email("ann")).get("/api/v2/satisfaction_reasons").wantForbidden()
	a.get("/api/v2/satisfaction_reasons/1").wantMissing()
}
