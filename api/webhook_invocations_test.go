package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/helpd/helpd/server/testdb"
)

// newDelivering is an API on a database of its own, whose webhooks deliver, also
// to servers of tests.
func newDelivering(t *testing.T) *anAPI {
	t.Helper()
	dsn := testdb.DSN(t)
	first, _ := buildAPI(t, testdb.Open(t, dsn), dsn)
	a := first.reachingLoopback()
	services := a.serve(dsn)
	if err := services.Jobs.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	parts.Go(func() { services.Events.Run(ctx) })
	parts.Go(func() { services.Events.Follow(ctx, services.Webhooks.Follower()) })
	parts.Go(func() { services.Webhooks.Run(ctx, slog.New(slog.DiscardHandler)) })
	t.Cleanup(func() { cancel(); parts.Wait() })
	// The first reader of the log begins at its end: wait until there is one.
	a.until("the log is read", func() bool {
		var n int
		return a.db.WithContext(a.ctx()).Raw("SELECT count(*) FROM event_readers WHERE name = 'webhooks'").Row().Scan(&n) == nil && n == 1
	})
	return a
}

// mailbox is an endpoint that keeps what it is sent.
type mailbox struct {
	url    string
	status atomic.Int32 // of its answers
	mu     sync.Mutex
	got    []letter
}

type letter struct {
	header http.Header
	url    string
	body   string
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	m := &mailbox{}
	m.status.Store(200)
	m.url = receiver(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		m.mu.Lock()
		m.got = append(m.got, letter{r.Header, r.URL.String(), string(b)})
		m.mu.Unlock()
		w.WriteHeader(int(m.status.Load()))
		_, _ = w.Write([]byte("thanks"))
	})
	return m
}

// letters waits for as many.
func (m *mailbox) letters(a *anAPI, n int) []letter {
	a.t.Helper()
	a.until(fmt.Sprintf("%d deliveries", n), func() bool { m.mu.Lock(); defer m.mu.Unlock(); return len(m.got) >= n })
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]letter{}, m.got...)
}

func TestEventsReachTheirWebhooks(t *testing.T) {
	t.Parallel()
	a := newDelivering(t)
	m := newMailbox(t)
	a.webhook(fmt.Sprintf(`"endpoint":%q,"subscriptions":["zen:event-type:organization.created"],"excluded_sources":["crm"]`, m.url))
	org := a.post("/api/v2/organizations", `{"organization":{"name":"One"}}`).want(201).id("organization")
	got := m.letters(a, 1)[0]
	var event struct {
		AccountID int64  `json:"account_id"`
		ID        string `json:"id"`
		Subject   string
		Type      string
		Version   string `json:"zendesk_event_version"`
		Event     map[string]any
		Detail    struct{ ID, Name string }
	}
	if err := json.Unmarshal([]byte(got.body), &event); err != nil {
		t.Fatal(err)
	}
	if event.AccountID != a.account.ID || event.Subject != fmt.Sprintf("zen:organization:%d", org) || event.Type != "zen:event-type:organization.created" ||
		event.Version != "2022-11-06" || len(event.Event) != 0 || event.Detail.ID != fmt.Sprint(org) || event.Detail.Name != "One" || len(event.ID) != 36 {
		t.Errorf("%s", got.body)
	}
	// What comes from an excluded source is not told, what comes after it is.
	a.with("X-Source-Id", "crm").post("/api/v2/organizations", `{"organization":{"name":"Echo"}}`).want(201)
	a.with("X-Source-Id", "other").post("/api/v2/organizations", `{"organization":{"name":"Two"}}`).want(201)
	if all := m.letters(a, 2); !strings.Contains(all[1].body, `"name":"Two"`) {
		t.Errorf("%s", all[1].body)
	}
}

func TestInvocationsAndAttemptsAreListed(t *testing.T) {
	t.Parallel()
	a := newDelivering(t)
	m := newMailbox(t)
	m.status.Store(403)
	id := a.webhook(fmt.Sprintf(`"endpoint":%q,"subscriptions":["zen:event-type:organization.created","zen:event-type:user.created"],"authentication":{"type":"bearer_token","data":{"token":"hush"}}`, m.url))
	path := "/api/v2/webhooks/" + id + "/invocations"
	a.get(path).want(200).wantJSON(`{"invocations":[],"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"prev":null,"next":null}}`)
	a.post("/api/v2/organizations", `{"organization":{"name":"One"}}`).want(201)
	var list *result
	a.until("the attempt is stored", func() bool {
		list = a.get(path + "?filter[status]=terminated").want(200)
		return len(list.member("invocations").([]any)) == 1
	})
	one := list.member("invocations", 0, "id").(string)
	for name, want := range map[string]string{
		"status": "terminated", "status_code": "403", "latest_completed_at": clockText, "created_at": clockText, "tries": "1", "message_id": one,
		"event_type": "zen:event-type:organization.created", "rule_id": "<nil>", "ticket_id": "<nil>",
	} {
		if got := fmt.Sprint(list.member("invocations", 0, name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	next, err := time.Parse(time.RFC3339, list.member("invocations", 0, "next_attempt_at").(string))
	if wait := next.Sub(theClock); err != nil || wait < 5*time.Second || wait > 6*time.Second {
		t.Errorf("it is sent again after %s", wait)
	}
	attempts := a.get(path + "/" + one + "/attempts").want(200)
	if n := len(attempts.member("attempts").([]any)); n != 1 {
		t.Fatalf("%d attempts", n)
	}
	for name, want := range map[string]string{"invocation_id": one, "status": "terminated", "status_code": "403", "error": "<nil>", "completed_at": clockText} {
		if got := fmt.Sprint(attempts.member("attempts", 0, name)); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if got := attempts.member("attempts", 0, "request", "payload"); got != m.letters(a, 1)[0].body {
		t.Errorf("the payload is %v", got)
	}
	if got := attempts.member("attempts", 0, "response", "payload"); got != "thanks" {
		t.Errorf("the answer is %v", got)
	}
	if body := string(attempts.body); !strings.Contains(body, `{"key":"Authorization","value":"[SCRUBBED]"}`) || strings.Contains(body, "hush") {
		t.Errorf("%s", body)
	}
	for query, want := range map[string]int{
		"filter[status]=success": 0, "filter[status]=success,terminated": 1, "filter[from_ts]=2026-03-04T05:06:07Z": 1, "filter[from_ts]=2026-03-04T05:06:08Z": 0,
		"filter[to_ts]=2026-03-04T05:06:07Z": 0, "filter[to_ts]=2026-03-04T05:06:08Z": 1, "filter[event_type]=zen:event-type:user.created": 0,
		"filter[event_type]=zen:event-type:organization.created": 1, "sort=id": 1, "page[size]=1": 1,
	} {
		if got := len(a.get(path + "?" + query).want(200).member("invocations").([]any)); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	a.get(path + "?filter[status]=fine").want(400)
	a.get(path + "?filter[from_ts]=yesterday").want(400)
	a.get(path + "?sort=payload").want(400)
	a.get("/api/v2/webhooks/" + one + "/invocations").wantMissing()
	a.get(path + "/" + id + "/attempts").wantMissing()
	a.get(path + "/x/attempts").wantMissing()
	a.another().get(path).wantMissing()
	a.user("Agent", a.email("agent"), "agent")
	a.as(a.email("agent")).get(path).wantForbidden()
}

func TestDeliveriesAreReplayed(t *testing.T) {
	t.Parallel()
	a := newDelivering(t)
	m := newMailbox(t)
	id := a.webhook(fmt.Sprintf(`"endpoint":%q,"subscriptions":["zen:event-type:organization.created"]`, m.url))
	path := "/api/v2/webhooks/" + id
	a.post("/api/v2/organizations", `{"organization":{"name":"One"}}`).want(201)
	first := m.letters(a, 1)[0]
	one := first.header.Get("X-Zendesk-Webhook-Invocation-Id")
	again := a.post(path+"/invocations/"+one+"/replay", "").want(201)
	second := m.letters(a, 2)[1]
	if again.member("invocation", "id") == one || again.member("invocation", "message_id") != one || again.member("invocation", "status") != "pending" {
		t.Errorf("%s", again.body)
	}
	if second.body != first.body || second.header.Get("Webhook-Id") != one || second.header.Get("X-Zendesk-Webhook-Invocation-Id") != again.member("invocation", "id") {
		t.Errorf("replayed as %v %s", second.header, second.body)
	}
	done := func(n int) {
		t.Helper()
		a.until("all are done", func() bool {
			return len(a.get(path+"/invocations?filter[status]=success").want(200).member("invocations").([]any)) == n
		})
	}
	done(2)
	replay := path + "/replay"
	a.post(replay, `{"replay":{"from":"2026-03-04T05:06:07Z","to":"2026-03-04T05:06:08Z","status":["success"],"event_types":["zen:event-type:organization.created"]}}`).
		want(200).wantJSON(`{"replay":{"count":2}}`)
	m.letters(a, 4)
	done(4)
	for _, none := range []string{`{"status":["failed"]}`, `{"from":"2026-03-04T05:06:08Z"}`, `{"to":"2026-03-04T05:06:07Z"}`, `{"event_types":["zen:event-type:user.created"]}`} {
		a.post(replay, `{"replay":`+none+`}`).want(200).wantJSON(`{"replay":{"count":0}}`)
	}
	a.post(replay, `{"replay":{"status":["fine"]}}`).want(400)
	a.post(replay, `{}`).want(400)
	a.post("/api/v2/webhooks/"+one+"/replay", `{"replay":{}}`).wantMissing()
	a.post(path+"/invocations/"+id+"/replay", "").wantMissing()
	a.another().post(replay, `{"replay":{}}`).wantMissing()
	a.another().post(path+"/invocations/"+one+"/replay", "").wantMissing()
	a.patch(path, `{"webhook":{"status":"inactive"}}`).want(204)
	a.post(replay, `{"replay":{}}`).wantListed("BadRequest", "The webhook is not active")
	a.post(path+"/invocations/"+one+"/replay", "").wantListed("BadRequest", "The webhook is not active")
}
