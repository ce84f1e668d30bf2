package webhooks

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

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// desk is an account whose webhooks deliver at a time that tests set.
type desk struct {
	*Service
	t       *testing.T
	db      *gorm.DB
	account int64
	clock   *atomic.Pointer[time.Time]
}

const thisProcess = "helpd-1"

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, db: testdb.DB(t), clock: new(atomic.Pointer[time.Time])}
	d.clock.Store(&theClock)
	d.Service = d.process(thisProcess)
	account, _, err := accounts.Create(context.Background(), d.db, theClock, accounts.New{Subdomain: "acme", Name: "Acme", AdminName: "A", AdminEmail: "a@acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	d.account = account.ID
	return d
}

// process is another process on the same database.
func (d *desk) process(id string) *Service {
	return New(d.db, func() time.Time { return *d.clock.Load() }, Options{Allow: local, Process: id, Living: "ARRAY['" + thisProcess + "']"})
}

func (d *desk) ctx() context.Context { return postgres.WithAccount(context.Background(), d.account) }

func (d *desk) by() auth.Actor { return auth.System(d.account) }

// later moves the clock.
func (d *desk) later(by time.Duration) { d.clock.Store(new(d.clock.Load().Add(by))); d.Wake() }

// runs the dispatcher to the end of the test, or to the call of stop.
func (d *desk) runs(s *Service) (stop func()) {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx, slog.New(slog.DiscardHandler))
	}()
	stop = func() { cancel(); <-done }
	d.t.Cleanup(stop)
	return stop
}

// hook makes a webhook that is told of tickets.
func (d *desk) hook(endpoint string, change ...func(*Change)) models.Webhook {
	d.t.Helper()
	c := Change{Name: new("Hook"), Status: new(models.WebhookActive), Endpoint: &endpoint, HTTPMethod: new("POST"), RequestFormat: new("json"),
		Subscriptions: []string{"zen:event-type:ticket.created"}}
	for _, f := range change {
		f(&c)
	}
	w, err := d.Create(d.ctx(), d.by(), c)
	if err != nil {
		d.t.Fatal(err)
	}
	return w
}

// happens has the webhooks told of events.
func (d *desk) happens(list ...events.Logged) {
	d.t.Helper()
	err := d.db.WithContext(d.ctx()).Transaction(func(tx *gorm.DB) error { return d.Follower().Take(tx, list) })
	if err != nil {
		d.t.Fatal(err)
	}
	d.Wake()
}

// created is that a ticket was created.
func (d *desk) created(id int64) events.Logged {
	return events.Logged{AccountID: d.account, ID: id, Seq: id, Type: "zen:event-type:ticket.created", Subject: events.Subject("ticket", id), SubjectID: id,
		ActorID: -1, Detail: json.RawMessage(fmt.Sprintf(`{"id":"%d"}`, id)), Change: json.RawMessage(`{}`), CreatedAt: theClock}
}

func (d *desk) until(what string, holds func() bool) {
	d.t.Helper()
	late := time.After(20 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-late:
			d.t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// only is the webhook's only delivery.
func (d *desk) only(w models.Webhook) (i models.WebhookInvocation) {
	d.t.Helper()
	if err := d.db.WithContext(d.ctx()).Take(&i, "webhook_id = ?", w.ID).Error; err != nil {
		d.t.Fatal(err)
	}
	return i
}

func (d *desk) count(table, where string, args ...any) (n int) {
	d.t.Helper()
	if err := d.db.WithContext(d.ctx()).Raw("SELECT count(*) FROM "+table+" WHERE "+where, args...).Row().Scan(&n); err != nil {
		d.t.Fatal(err)
	}
	return n
}

func TestEventsAreDelivered(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	got := make(chan string, 10)
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("X-Zendesk-Webhook-Id") + " " + r.Header.Get("Webhook-Id") + " " + string(b)
		w.Header().Set("X-Answer", "yes")
		_, _ = w.Write([]byte("thanks"))
	})
	w := d.hook(url)
	d.hook(url, func(c *Change) { c.Subscriptions = []string{"zen:event-type:ticket.merged"} })
	d.hook(url, func(c *Change) { c.Status = new(models.WebhookInactive) })
	d.hook(url, func(c *Change) { c.ExcludedSources = []string{"sync"} })
	d.runs(d.Service)
	e := d.created(35)
	e.SourceID = "sync"
	d.happens(e)
	d.until("the delivery is stored", func() bool { return d.count("webhook_invocations", "status = 'success'") == 1 })
	i := d.only(w)
	if want, one := w.ID+" "+i.ID+" "+i.Payload, <-got; one != want || i.Payload != string(e.Envelope()) {
		t.Errorf("delivered %s\nwant %s", one, want)
	}
	if n := d.count("webhook_invocations", "true"); n != 1 {
		t.Errorf("there are %d deliveries", n)
	}
	if i.Tries != 1 || i.NextAt != nil || i.ClaimedBy != nil || *i.StatusCode != 200 || !i.CompletedAt.Equal(theClock) || *i.EventType != e.Type {
		t.Errorf("%+v", i)
	}
	_, attempts, err := d.Attempts(d.ctx(), d.by(), w.ID, i.ID)
	if err != nil || len(attempts) != 1 {
		t.Fatalf("%v, %v", attempts, err)
	}
	a := attempts[0]
	if a.Status != StatusSuccess || a.ResponsePayload != "thanks" || !strings.Contains(string(a.ResponseHeaders), `{"key":"X-Answer","value":"yes"}`) ||
		!strings.Contains(string(a.RequestHeaders), `{"key":"X-Zendesk-Webhook-Id","value":"`+w.ID+`"}`) {
		t.Errorf("%+v", a)
	}
}

func TestPayloadsThatAreTooLargeAreNotSent(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.hook("https://hooks.invalid/")
	e := d.created(1)
	e.Detail = json.RawMessage(`{"description":"` + strings.Repeat("x", maxPayload) + `"}`)
	d.happens(e)
	i := d.only(w)
	if i.Status != StatusRejected || i.NextAt != nil {
		t.Errorf("%s, %v", i.Status, i.NextAt)
	}
	_, attempts, err := d.Attempts(d.ctx(), d.by(), w.ID, i.ID)
	if err != nil || len(attempts) != 1 || *attempts[0].Error != "the payload is larger than 262144 bytes" {
		t.Errorf("%v, %v", attempts, err)
	}
}

// What fails is sent nine times over 27 hours and more, and no more often.
func TestFailuresAreTriedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var asked atomic.Int32
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) { asked.Add(1); w.WriteHeader(500) })
	w := d.hook(url)
	d.runs(d.Service)
	d.happens(d.created(1))
	var total time.Duration
	for n, wait := range DefaultRetries {
		d.until(fmt.Sprintf("try %d", n+1), func() bool { return d.only(w).Tries == n+1 })
		i := d.only(w)
		between := i.NextAt.Sub(*d.clock.Load())
		if between < wait || between > wait*6/5+time.Millisecond || i.Status != StatusFailed {
			t.Fatalf("after try %d it waits for %s, want about %s", n+1, between, wait)
		}
		total += between
		d.later(between)
	}
	last := len(DefaultRetries) + 1
	d.until("the last try", func() bool { return d.only(w).Tries == last })
	if i := d.only(w); i.NextAt != nil || i.Status != StatusFailed {
		t.Errorf("after the last try: %+v", i)
	}
	if total < 27*time.Hour || last < 8 || int(asked.Load()) != last || d.count("webhook_attempts", "status_code = 500") != last {
		t.Errorf("%d tries over %s, of which %d arrived", last, total, asked.Load())
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	t.Parallel()
	s := sender()
	for header, want := range map[string]time.Duration{
		"":                              5 * time.Second,
		"1":                             5 * time.Second, // sooner than is due
		"90":                            90 * time.Second,
		"Wed, 04 Mar 2026 05:16:07 GMT": 10 * time.Minute,
		"Wed, 04 Mar 2020 05:16:07 GMT": 5 * time.Second,
		"99999999":                      maxRetryAfter,
		"soon":                          5 * time.Second,
		"-5":                            5 * time.Second,
	} {
		at := s.again(1, Outcome{Status: StatusThrottled, StatusCode: 429, After: header}, theClock)
		if wait := at.Sub(theClock); wait < want || wait > want+time.Second {
			t.Errorf("Retry-After %q: %s, want %s", header, wait, want)
		}
	}
}

func TestEndpointsThatAreGoneAreNotAskedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.hook(receiver(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(410) }))
	d.runs(d.Service)
	d.happens(d.created(1))
	d.until("the webhook is inactive", func() bool {
		now, err := d.Get(d.ctx(), d.by(), w.ID)
		return err == nil && now.Status == models.WebhookInactive && now.UpdatedBy == models.SystemUser
	})
	if i := d.only(w); i.NextAt != nil || i.Status != StatusTerminated {
		t.Errorf("%+v", i)
	}
}

// An endpoint that never answers holds up what goes to it and nothing else,
// however much that is.
func TestOneEndpointDelaysNoOther(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	release := make(chan struct{})
	var hanging, answered atomic.Int32
	hangs := d.hook(receiver(t, func(http.ResponseWriter, *http.Request) { hanging.Add(1); <-release }))
	t.Cleanup(func() { close(release) }) // before the receiver waits for its requests
	d.runs(d.Service)
	var list []events.Logged
	for n := range 300 {
		list = append(list, d.created(int64(n+1)))
	}
	d.happens(list...)
	d.until("the endpoint has all it may", func() bool { return hanging.Load() == perWebhook })
	d.hook(receiver(t, func(http.ResponseWriter, *http.Request) { answered.Add(1) }))
	if err := d.Update(d.ctx(), d.by(), hangs.ID, Change{Subscriptions: []string{"zen:event-type:ticket.merged"}}); err != nil {
		t.Fatal(err)
	}
	d.happens(list...)
	d.until("the other has all", func() bool { return answered.Load() == 300 })
	if n := hanging.Load(); n != perWebhook {
		t.Errorf("%d requests to the endpoint that hangs", n)
	}
}

// What a process had taken that has ended is sent by another, and what a living
// one has taken is not.
func TestDeliveriesOfEndedProcessesAreTakenOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var asked sync.Map
	w := d.hook(receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		asked.Store(r.Header.Get("X-Zendesk-Webhook-Invocation-Id"), true)
	}))
	d.happens(d.created(1))
	dead, err := d.process("helpd-99").claim(context.Background(), []busy{}, 1)
	if err != nil || len(dead) != 1 {
		t.Fatalf("%v, %v", dead, err)
	}
	d.happens(d.created(2))
	alive, err := d.process(thisProcess).claim(context.Background(), []busy{}, 1)
	if err != nil || len(alive) != 1 {
		t.Fatalf("%v, %v", alive, err)
	}
	d.later(3 * time.Second)
	d.runs(d.Service)
	d.until("the dead one's is sent", func() bool { _, ok := asked.Load(dead[0].id); return ok })
	if _, ok := asked.Load(alive[0].id); ok {
		t.Error("what a living process has taken is sent by another")
	}
	d.later(lease)
	d.until("its lease ends", func() bool { _, ok := asked.Load(alive[0].id); return ok })
	d.until("both are stored", func() bool { return d.count("webhook_invocations", "status = 'success' AND webhook_id = ?", w.ID) == 2 })
}

func TestDeliveriesOfInactiveWebhooksEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w, gone := d.hook("https://hooks.invalid/"), d.hook("https://hooks.invalid/")
	d.happens(d.created(1))
	if err := d.Update(d.ctx(), d.by(), w.ID, Change{Status: new(models.WebhookInactive)}); err != nil {
		t.Fatal(err)
	}
	if err := d.Delete(d.ctx(), d.by(), gone.ID); err != nil {
		t.Fatal(err)
	}
	d.runs(d.Service)
	d.until("both have ended", func() bool {
		return d.count("webhook_invocations", "next_at IS NULL AND status = 'inactive' AND tries = 0") == 2
	})
	if err := d.Prune(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := d.count("webhook_invocations", "webhook_id = ?", gone.ID); n != 0 || d.only(w).Status != StatusInactive {
		t.Errorf("%d deliveries of the webhook that is gone are kept", n)
	}
}

func TestOldDeliveriesAreRemoved(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.hook("https://hooks.invalid/")
	stop := d.runs(d.Service)
	d.happens(d.created(1), d.created(2))
	d.until("both are tried", func() bool { return d.count("webhook_attempts", "true") == 2 })
	d.later(retention - time.Hour)
	d.happens(d.created(3))
	d.until("the third is tried", func() bool { return d.count("webhook_attempts", "true") >= 3 })
	d.later(2 * time.Hour)
	stop()
	if err := d.Prune(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := d.count("webhook_invocations", "webhook_id = ?", w.ID); n != 1 {
		t.Errorf("%d deliveries are left", n)
	}
	if n := d.count("webhook_attempts a", "NOT EXISTS (SELECT FROM webhook_invocations i WHERE i.id = a.invocation_id)"); n != 0 {
		t.Errorf("%d attempts are left of what is gone", n)
	}
}

var pageOfAll = page.First(100)
