package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/server/events"
)

// eventsAPI is an API on a database of its own, whose events are numbered all the
// time.
func eventsAPI(t *testing.T) *anAPI {
	t.Helper()
	a := newWorkingAPI(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		a.events.Run(ctx)
		close(done)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return a
}

type anEvent struct {
	ID, Type, Subject string
	SourceID          *string `json:"source_id"`
}

// eventsAt walks a listing of events to its end.
func (a *anAPI) eventsAt(path string) (list []anEvent) {
	a.t.Helper()
	for path != "" {
		var page struct {
			Events []anEvent
			Meta   struct {
				HasMore bool `json:"has_more"`
			}
			Links struct{ Next *string }
		}
		a.get(path).want(200).json(&page)
		list = append(list, page.Events...)
		if path = ""; page.Links.Next != nil {
			path = strings.TrimPrefix(*page.Links.Next, "http://helpd.test")
		}
		if page.Meta.HasMore != (path != "") {
			a.t.Fatalf("has_more %v, next %q", page.Meta.HasMore, path)
		}
	}
	return list
}

func types(list []anEvent) string {
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = strings.TrimPrefix(e.Type, events.TypePrefix)
	}
	return strings.Join(names, " ")
}

func TestEventsAreRead(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	from := a.get("/api/v2/events?page[size]=1000").want(200).member("meta", "after_cursor").(string)
	path := "/api/v2/events.json?page[after]=" + from
	id := a.post("/api/v2/tickets", `{"ticket":{"subject":"Fire","comment":{"body":"It burns"},"priority":"high"}}`).want(201).id("ticket")
	a.with("X-Source-Id", "jira").put(fmt.Sprint("/api/v2/tickets/", id), `{"ticket":{"status":"open","tags":["hot"]}}`).want(200)
	group := a.post("/api/v2/groups", `{"group":{"name":"Second line"}}`).want(201).id("group")
	a.put(fmt.Sprint("/api/v2/groups/", group), `{"group":{"name":"Third line"}}`).want(200)
	a.delete(fmt.Sprint("/api/v2/groups/", group)).want(204)

	admin := fmt.Sprint(a.admin.ID)
	all := a.eventsAt(path)
	if got, want := types(all), "ticket.created ticket.comment_added ticket.custom_status_changed ticket.status_changed ticket.tags_changed group.created group.name_changed group.deleted"; got != want {
		t.Errorf("events\n%s\nwant\n%s", got, want)
	}
	for i, e := range all {
		if (e.SourceID != nil) != (i >= 2 && i < len(all)-3) || e.SourceID != nil && *e.SourceID != "jira" {
			t.Errorf("%s has the source %v", e.Type, e.SourceID)
		}
	}
	// One by one, and by what is wanted.
	if got := a.eventsAt(path + "&page[size]=1"); !slices.EqualFunc(got, all, func(a, b anEvent) bool { return a.ID == b.ID }) {
		t.Errorf("one by one: %s", types(got))
	}
	for query, want := range map[string]string{
		"filter[type]=group.*": "group.created group.name_changed group.deleted",
		"filter[type]=zen:event-type:ticket.created,%20group.deleted":   "ticket.created group.deleted",
		fmt.Sprintf("filter[subject]=zen:group:%d&page[size]=2", group): "group.created group.name_changed group.deleted",
		"filter[subject]=zen:ticket:*&exclude_source=jira":              "ticket.created ticket.comment_added",
		"filter[type]=user.*": "",
	} {
		if got := types(a.eventsAt(path + "&" + query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	a.get(path+"&filter[type]=group.name_changed").want(200).wantJSON(`{"events":[{"account_id":%d,"id":%q,"subject":"zen:group:%d","time":%q,
		"type":"zen:event-type:group.name_changed","zendesk_event_version":"2022-11-06","event":{"current":"Third line","previous":"Second line"},
		"detail":{"created_at":%q,"description":"","id":"%d","is_public":true,"name":"Third line","updated_at":%q},"actor_id":%q,"source_id":null}],
		"meta":{"has_more":false,"after_cursor":%q},"links":{"next":null}}`,
		a.account.ID, all[len(all)-2].ID, group, clockText, clockText, group, clockText, admin,
		a.get(path).member("meta", "after_cursor"))

	for _, query := range []string{"page[after]=x", "page[after]=ZXZlbnRzfDF8Mg", "page[size]=0", "page[size]=x", "filter[type]=ticket", "filter[type]=a.b,*", "filter[subject]=35",
		"filter[subject]=zen:ticket:x", "exclude_source=a%20b", "filter[type]=" + strings.Repeat("a.b,", 101)} {
		a.get("/api/v2/events?" + query).want(400)
		if !strings.HasPrefix(query, "page") {
			a.get("/api/v2/events/stream?" + query).want(400)
		}
	}
	other := a.another()
	other.get(path).want(400).wantJSON(`{"errors":[{"code":"InvalidPaginationParameter","title":"page[after] is not valid"}]}`)
	other.with("Last-Event-ID", from).get("/api/v2/events/stream").want(400)
	if got := types(other.eventsAt("/api/v2/events")); strings.Contains(got, "ticket") {
		t.Errorf("another account reads %s", got)
	}
	a.user("Gus", a.email("gus"), "agent")
	a.as(a.email("gus")).get("/api/v2/events").wantForbidden()
	a.as(a.email("gus")).get("/api/v2/events/stream").wantForbidden()
	for _, source := range []string{"a b", strings.Repeat("a", 65), "ä"} {
		a.with("X-Source-Id", source).post("/api/v2/tickets", `{"ticket":{"comment":{"body":"x"}}}`).want(400)
	}
}

// What follows on a write, as a job too, has the write's source.
func TestSourceFollowsIntoJobs(t *testing.T) {
	t.Parallel()
	a := eventsAPI(t)
	id := a.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"x"}}}`).want(201).id("ticket")
	b := a.with("X-Source-Id", "crm:4")
	b.put(fmt.Sprintf("/api/v2/tickets/update_many?ids=%d", id), `{"ticket":{"priority":"low"}}`).want(200).jobDone(a)
	list := a.eventsAt("/api/v2/events?filter[type]=ticket.priority_changed")
	if len(list) != 1 || list[0].SourceID == nil || *list[0].SourceID != "crm:4" {
		t.Errorf("%+v", list)
	}
	if got := a.eventsAt("/api/v2/events?filter[type]=ticket.priority_changed&exclude_source=crm:4"); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

// listening is a client that listens to a stream.
type listening struct {
	t    *testing.T
	body *bufio.Reader
	end  func()
}

func (a *anAPI) listen(base, query, last string) *listening {
	a.t.Helper()
	ctx, cancel := context.WithCancel(context.Background()) // however long a busy machine takes
	r, err := http.NewRequestWithContext(ctx, "GET", base+"/api/v2/events/stream?"+query, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header = a.header.Clone()
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		a.t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	l := &listening{a.t, bufio.NewReader(res.Body), func() { cancel(); _ = res.Body.Close() }}
	a.t.Cleanup(l.end)
	return l
}

// next is the next event and its id.
func (l *listening) next() (e anEvent, id string) {
	l.t.Helper()
	for {
		line, err := l.body.ReadString('\n')
		if err != nil {
			l.t.Fatalf("the stream ended: %v", err)
		}
		if text, ok := strings.CutPrefix(line, "id: "); ok {
			id = strings.TrimSpace(text)
		}
		if text, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(text), &e); err != nil {
				l.t.Fatal(err)
			}
			return e, id
		}
	}
}

func TestStreamIsResumed(t *testing.T) {
	t.Parallel()
	a := eventsAPI(t)
	server := httptest.NewServer(a.handler)
	t.Cleanup(server.Close)
	create := func(n int) {
		a.with("X-Source-Id", fmt.Sprint("s", n%2)).post("/api/v2/organizations", fmt.Sprintf(`{"organization":{"name":"o%d"}}`, n)).want(201)
	}
	create(0)
	all, odd := a.listen(server.URL, "", ""), a.listen(server.URL, "filter[type]=organization.*&exclude_source=s0", "")
	var ids, texts []string
	for n := 1; n < 4; n++ {
		create(n)
		e, id := all.next()
		ids, texts = append(ids, id), append(texts, e.ID)
	}
	for _, want := range []string{texts[0], texts[2]} {
		if e, _ := odd.next(); e.ID != want {
			t.Errorf("heard %+v, and not %s", e, want)
		}
	}
	all.end()
	create(4)
	for from, last := range ids { // comes back, from any place
		again := a.listen(server.URL, "", last)
		for _, want := range texts[from+1:] {
			if e, _ := again.next(); e.ID != want {
				t.Errorf("after %d heard %+v, and not %s", from, e, want)
			}
		}
		if e, _ := again.next(); e.Type != "zen:event-type:organization.created" || *e.SourceID != "s0" {
			t.Errorf("after %d heard %+v", from, e)
		}
		again.end()
	}
	// The listing goes on from where a stream was, and a stream from where a listing was.
	if got := a.eventsAt("/api/v2/events?page[after]=" + ids[1]); len(got) != 2 || got[0].ID != texts[2] {
		t.Errorf("%+v", got)
	}
	cursor := a.get("/api/v2/events?page[size]=1000").member("meta", "after_cursor").(string)
	create(5)
	if e, _ := a.listen(server.URL, "after="+url.QueryEscape(cursor), "").next(); *e.SourceID != "s1" {
		t.Errorf("%+v", e)
	}
}
