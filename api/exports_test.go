package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/gen/client"
	"github.com/helpd/helpd/server/testdb"
)

const incremental = "/api/v2/incremental/"

// newDatedAPI is an API on a database of its own, in which what is committed is
// dated by its clock alone.
func newDatedAPI(t *testing.T) *anAPI {
	t.Helper()
	a, _ := buildAPI(t, testdb.Open(t, testdb.DSN(t)), "postgres://nowhere.invalid/")
	return a.dated()
}

func (a *anAPI) dated() *anAPI {
	a.t.Helper()
	if err := a.db.Exec("UPDATE event_clock SET at = ?", theClock.Add(-time.Hour)).Error; err != nil {
		a.t.Fatal(err)
	}
	a.numbered()
	return a
}

// secondOn lets a second go by after what has been written.
func (a *anAPI) secondOn() {
	a.t.Helper()
	a.numbered()
	a.tick(time.Second)
}

// here is the path and query of a URL of this server.
func (a *anAPI) here(u any) string {
	a.t.Helper()
	text, ok := u.(string)
	path, found := strings.CutPrefix(text, "http://helpd.test")
	if !ok || !found {
		a.t.Fatalf("%v is no URL of this server", u)
	}
	return path
}

// followed are the ids of an export by cursor from a page on, page by page.
func (a *anAPI) followed(path, key string) (pages [][]int64, after string) {
	a.t.Helper()
	for range 100 {
		r := a.get(path).want(200)
		path = a.here(r.member("after_url"))
		pages = append(pages, r.ids(key))
		if r.member("end_of_stream") == true {
			return pages, path
		}
	}
	a.t.Fatalf("no end: %v", pages)
	return nil, ""
}

func TestTicketsAreExportedByCursor(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	var ids []int64
	for i := range 3 {
		ids = append(ids, a.ticket(fmt.Sprintf(`{"subject":"S%d","comment":{"body":"B"}}`, i)))
		a.secondOn()
	}
	start := fmt.Sprintf("%d.0", theClock.Unix())
	first := a.get(incremental + "tickets/cursor.json?start_time=" + start + "&per_page=1&include=metric_sets&page%5Bsize%5D=100").want(200)
	if got := first.ids("tickets"); !slices.Equal(got, ids[:1]) || first.member("end_of_stream") != false {
		t.Errorf("first page: %s", first.body)
	}
	if at := fmt.Sprint(first.member("tickets", 0, "generated_timestamp")); at != fmt.Sprint(theClock.Unix()) {
		t.Errorf("generated_timestamp %s", at)
	}
	if !regexp.MustCompile(`"generated_timestamp":\d+\}\],"after_url"`).Match(first.body) || first.member("tickets", 0, "metric_set", "replies") == nil {
		t.Errorf("the timestamp is not the last member, or there is no metric set: %s", first.body)
	}
	cursor := first.member("after_cursor").(string)
	text, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil || !regexp.MustCompile(fmt.Sprintf(`^%d\.0\|\|\d+\|[0-9a-f]{8}$`, theClock.Unix())).Match(text) {
		t.Errorf("cursor %s, %v", text, err)
	}
	want := "http://helpd.test" + incremental + "tickets/cursor.json?cursor=" + url.QueryEscape(cursor) + "&include=metric_sets&per_page=1"
	if first.member("after_url") != want || first.member("before_url") != nil || first.member("before_cursor") != nil {
		t.Errorf("paging: %s, want %s", first.body, want)
	}
	rest, after := a.followed(a.here(first.member("after_url")), "tickets")
	if fmt.Sprint(rest) != fmt.Sprint([][]int64{{ids[1]}, {ids[2]}}) {
		t.Errorf("then %v of %v", rest, ids)
	}
	// The last cursor goes on with what changes later; a write is there at once.
	end := a.get(after).want(200)
	if len(end.ids("tickets")) != 0 || end.member("end_of_stream") != true || a.here(end.member("after_url")) != after {
		t.Errorf("at the end: %s", end.body)
	}
	a.put(a.path(ids[0]), `{"ticket":{"status":"open"}}`).want(200)
	if pages, _ := a.followed(after, "tickets"); fmt.Sprint(pages) != fmt.Sprint([][]int64{{ids[0]}}) {
		t.Errorf("after a change %v", pages)
	}
	// start_time says nothing beside a cursor.
	a.get(after + "&start_time=nonsense").want(200)
}

func TestExportsHaveWhatIsDeletedArchivedAndScrubbed(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	kept, deleted, scrubbed := a.ticket(`{"comment":{"body":"B"}}`), a.ticket(`{"subject":"Gone","comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`)
	a.delete(a.path(deleted)).want(204)
	a.delete(a.path(scrubbed)).want(204)
	if err := a.db.WithContext(a.ctx()).Exec("UPDATE tickets SET scrubbed = true, subject = 'SCRUBBED' WHERE account_id = ? AND id = ?", a.account.ID, scrubbed).Error; err != nil {
		t.Fatal(err)
	}
	if err := a.db.WithContext(a.ctx()).Exec("UPDATE tickets SET status = 'closed', archived = true WHERE account_id = ? AND id = ?", a.account.ID, kept).Error; err != nil {
		t.Fatal(err)
	}
	r := a.get(incremental + "tickets?start_time=0&include=users").want(200)
	told := map[string]string{}
	for i := range r.ids("tickets") {
		told[fmt.Sprint(r.member("tickets", i, "id"))] = fmt.Sprint(r.member("tickets", i, "status"), " ", r.member("tickets", i, "subject"))
	}
	want := map[string]string{fmt.Sprint(kept): "closed B", fmt.Sprint(deleted): "deleted Gone", fmt.Sprint(scrubbed): "deleted SCRUBBED"}
	if fmt.Sprint(told) != fmt.Sprint(want) || len(r.ids("users")) != 1 {
		t.Errorf("got %v, want %v", told, want)
	}
	for _, path := range []string{"tickets?start_time=0&exclude_deleted=true", "tickets/cursor?start_time=0&exclude_deleted=true&per_page=1"} {
		if r := a.get(incremental + path).want(200); !slices.Equal(r.ids("tickets"), []int64{kept}) || r.member("end_of_stream") != true {
			t.Errorf("%s: %s", path, r.body)
		}
	}
}

func TestExportsByTimeDivideNoSecond(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	start := theClock.Unix()
	var ids []int64
	for range 3 {
		ids = append(ids, a.ticket(`{"comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`))
		a.secondOn()
	}
	path := fmt.Sprintf("%stickets.json?start_time=%d&per_page=1", incremental, start)
	var got []int64
	for i := range 3 {
		r := a.get(path).want(200)
		got = append(got, r.ids("tickets")...)
		end := fmt.Sprint(start + int64(i) + 1)
		want := fmt.Sprintf("http://helpd.test%stickets.json?per_page=1&start_time=%s", incremental, end)
		if fmt.Sprint(r.member("count")) != "2" || r.member("end_of_stream") != (i == 2) || fmt.Sprint(r.member("end_time")) != end || r.member("next_page") != want {
			t.Errorf("page %d: %s", i, r.body)
		}
		path = a.here(r.member("next_page"))
	}
	if !slices.Equal(got, ids) {
		t.Errorf("got %v, want %v", got, ids)
	}
	a.get(path).want(200).wantJSON(`{"tickets":[],"count":0,"end_of_stream":true,"next_page":null,"end_time":null}`)

	// A second that is not over begins the next page, which has it all.
	now := a.now.Load().Unix()
	one := a.ticket(`{"comment":{"body":"B"}}`)
	r := a.get(path).want(200)
	if !slices.Equal(r.ids("tickets"), []int64{one}) || fmt.Sprint(r.member("end_time")) != fmt.Sprint(now) {
		t.Errorf("within the second %d: %s", now, r.body)
	}
	two := a.ticket(`{"comment":{"body":"B"}}`)
	a.secondOn()
	if r := a.get(a.here(r.member("next_page"))).want(200); !slices.Equal(r.ids("tickets"), []int64{one, two}) || fmt.Sprint(r.member("end_time")) != fmt.Sprint(now+1) {
		t.Errorf("after the second: %s", r.body)
	}
}

func TestUsersAndOrganizationsAreExported(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	bo, cy := a.user("Bo", a.email("bo"), "end-user"), a.user("Cy", a.email("cy"), "end-user")
	org := a.post("/api/v2/organizations", `{"organization":{"name":"Old"}}`).want(201).id("organization")
	kept := a.post("/api/v2/organizations", `{"organization":{"name":"Kept"}}`).want(201).id("organization")
	a.secondOn()
	a.delete(fmt.Sprintf("/api/v2/users/%d", bo)).want(200)
	a.delete(fmt.Sprintf("/api/v2/users/%d", cy)).want(200)
	a.delete(fmt.Sprintf("/api/v2/deleted_users/%d", cy)).want(200)
	a.delete(fmt.Sprintf("/api/v2/organizations/%d", org)).want(204)
	for _, path := range []string{"users.json?start_time=0", "users/cursor.json?start_time=0"} {
		r := a.get(incremental + path + "&include=identities,organizations").want(200)
		ids := r.ids("users")
		if want := []int64{a.admin.ID, bo, cy}; !slices.Equal(ids, want) {
			t.Fatalf("%s: %v, want %v", path, ids, want)
		}
		if r.member("users", 1, "active") != false || r.member("users", 2, "permanently_deleted") != true || r.member("identities") == nil {
			t.Errorf("%s: %s", path, r.body)
		}
		if strings.Count(string(r.body), "permanently_deleted") != 1 {
			t.Errorf("%s tells of others that they are deleted for good: %s", path, r.body)
		}
		if r := a.get(incremental + path + "&exclude_deleted=true").want(200); !slices.Equal(r.ids("users"), []int64{a.admin.ID}) {
			t.Errorf("%s without deleted ones: %s", path, r.body)
		}
	}
	for _, path := range []string{"organizations.json?start_time=", "organizations/cursor.json?start_time="} {
		r := a.get(incremental + path + "2026-03-04T05:06:07Z").want(200)
		if ids := r.ids("organizations"); !slices.Equal(ids, []int64{kept, org}) || r.member("organizations", 1, "deleted_at") != "2026-03-04T05:06:08Z" ||
			strings.Count(string(r.body), "deleted_at") != 1 {
			t.Errorf("%s: %s", path, r.body)
		}
		if r := a.get(incremental + path + "2026-03-04T05:06:08Z").want(200); !slices.Equal(r.ids("organizations"), []int64{org}) {
			t.Errorf("%s, a second later: %s", path, r.body)
		}
	}
}

func TestExportsRefuse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Al", a.email("al"), "agent")
	other := a.another()
	cursor := func(a *anAPI, of string) string {
		return a.get(incremental + of + "/cursor?start_time=0").want(200).member("after_cursor").(string)
	}
	mine := cursor(a, "tickets")
	a.get(incremental + "tickets/cursor?cursor=" + url.QueryEscape(mine)).want(200)
	forged, _ := base64.StdEncoding.DecodeString(mine)
	forged[len(forged)-12]++
	for _, bad := range []string{
		cursor(a, "users"), cursor(other, "tickets"), "x", "MTcwNzI3MTc0MS4wfHw0MDQ1fA==", base64.StdEncoding.EncodeToString(forged),
		base64.StdEncoding.EncodeToString([]byte("nan||1|")), "\x00",
	} {
		a.get(incremental + "tickets/cursor?cursor=" + url.QueryEscape(bad)).want(400).
			wantJSON(`{"errors":[{"code":"InvalidPaginationParameter","title":"cursor is not one of this export"}]}`)
	}
	for _, of := range []string{"tickets", "users", "organizations"} {
		for _, bad := range []string{"", "?start_time=", "?start_time=yesterday", "?start_time=1e99", "?start_time=0&per_page=0", "?start_time=0&per_page=x", "?start_time=0&exclude_deleted=perhaps"} {
			a.get(incremental + of + bad).want(400)
			a.get(incremental + of + "/cursor" + bad).want(400)
		}
		for _, good := range []string{"0", "2026-03-04T05:06:07Z", "2026-03-04", "1694303517.0", "4000000000", "-5", "0&per_page=5000"} {
			a.get(incremental + of + "?start_time=" + good).want(200)
			a.get(incremental + of + "/cursor?start_time=" + good).want(200)
		}
		for _, path := range []string{of, of + "/cursor", of + "/sample"} {
			a.as(a.email("al")).get(incremental + path + "?start_time=0").wantForbidden()
		}
	}
	a.get(incremental + "nothing/sample?start_time=0").wantMissing()
	a.get(incremental + "tickets/sample?start_time=never").want(400)
}

func TestSamplesAreShort(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	for i := range 55 {
		a.user("U", a.email("u"+strconv.Itoa(i)), "end-user")
	}
	r := a.get(incremental + "users/sample?start_time=0").want(200)
	if len(r.ids("users")) != 50 || r.member("end_of_stream") != false || fmt.Sprint(r.member("end_time")) != fmt.Sprint(theClock.Unix()) {
		t.Errorf("%d users, %.300s", len(r.ids("users")), r.body)
	}
	for _, of := range []string{"tickets", "organizations"} {
		a.get(incremental+of+"/sample?start_time=0").want(200).wantJSON(`{"%s":[],"count":0,"end_of_stream":true,"next_page":null,"end_time":null}`, of)
	}
}

// What the Singer tap asks for before it goes on (contract exports.md): anything
// but these answers ends it.
func TestDiscoveryOfTheSingerTap(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	now := a.now.Load()
	for _, path := range []string{
		"incremental/tickets/cursor.json?start_time=1694303517.0&per_page=1",
		"incremental/organizations.json?start_time=" + now.Format(time.RFC3339), "organization_fields.json",
		fmt.Sprintf("incremental/ticket_metric_events.json?start_time=%d", now.Unix()),
		"groups?per_page=1", "macros?per_page=1", "tags?per_page=1", "ticket_fields?per_page=1", "group_memberships?per_page=1",
		"satisfaction_ratings?per_page=1", "ticket_forms.json", "slas/policies.json", "user_fields.json",
		"incremental/users/cursor.json?start_time=1694303517.0",
		"incremental/tickets/cursor.json?start_time=" + strconv.FormatInt(now.Unix(), 10) + "&include=metric_sets",
	} {
		a.get("/api/v2/" + path).want(200)
	}
	a.get("/api/v2/tickets/1/audits.json?per_page=1").want(404)
	a.get("/api/v2/channels/voice/phone_numbers.json").want(200).wantJSON(`{"phone_numbers":[],"count":0,"next_page":null,"previous_page":null}`)
}

// The encoder of tickets, which is written by hand, says what the generated type
// does: nothing else, and nothing less.
func TestExportedTicketsAreOfTheGeneratedType(t *testing.T) {
	t.Parallel()
	a := newDatedAPI(t)
	r := rand.New(rand.NewPCG(7, 7))
	field := a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"text","title":"T"}}`).want(201).id("ticket_field")
	odd := []string{"plain", "\"quoted\" \\ <b> & \u2028", "日本語 \U0001F600", "tab\tline\nend"}
	for range 20 {
		in := map[string]any{"subject": odd[r.IntN(4)], "comment": map[string]any{"body": odd[r.IntN(4)], "public": r.IntN(2) == 0}}
		for name, values := range map[string][]any{
			"priority": {"low", "urgent"}, "type": {"task", "question"}, "external_id": {odd[0], odd[2]}, "tags": {[]string{"a", "b"}}, "assignee_id": {a.admin.ID},
			"due_at": {"2026-05-01T10:00:00Z"}, "custom_fields": {[]any{map[string]any{"id": field, "value": odd[1]}}}, "recipient": {"help@example.com"},
		} {
			if r.IntN(2) == 0 {
				in[name] = values[r.IntN(len(values))]
			}
		}
		id := a.post("/api/v2/tickets", text(t, map[string]any{"ticket": in})).want(201).id("ticket")
		if r.IntN(4) == 0 {
			a.delete(a.path(id)).want(204)
		}
	}
	var page struct{ Tickets []json.RawMessage }
	a.get(incremental + "tickets/cursor?start_time=0&include=metric_sets,dates,comment_count,incident_counts").want(200).json(&page)
	if len(page.Tickets) != 20 {
		t.Fatalf("%d tickets", len(page.Tickets))
	}
	for _, told := range page.Tickets {
		d := json.NewDecoder(bytes.NewReader(told))
		d.DisallowUnknownFields()
		var ticket client.ExportedTicket
		if err := d.Decode(&ticket); err != nil {
			t.Fatalf("%v: %s", err, told)
		}
		again, err := json.Marshal(ticket)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := canonical(t, told), canonical(t, again); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}
