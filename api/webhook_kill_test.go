package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"github.com/helpd/helpd/server/testdb"
)

// How much TestDeliveriesSurviveKills delivers, and how often it kills. As asked
// for by whoever wants to see it in full: -deliveries 10000 -kills 10.
var (
	deliveries = flag.Int("deliveries", 500, "deliveries of TestDeliveriesSurviveKills")
	kills      = flag.Int("kills", 3, "kills of TestDeliveriesSurviveKills")
)

// unreliable is an endpoint that fails a third of the time. It has the ids of the
// events that it took, each with how often it did.
type unreliable struct {
	sync.Mutex
	asked int
	took  map[string]int
}

func (u *unreliable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	var event struct{ ID string }
	err := json.Unmarshal(b, &event)
	u.Lock()
	defer u.Unlock()
	if u.asked++; u.asked%3 == 0 || err != nil {
		w.WriteHeader(500)
		return
	}
	u.took[event.ID]++
}

func (u *unreliable) counts() (asked, took int) {
	u.Lock()
	defer u.Unlock()
	return u.asked, len(u.took)
}

// Whatever process is killed at whatever moment, and though the endpoint fails a
// third of the time: every event arrives, and nothing but what happened.
func TestDeliveriesSurviveKills(t *testing.T) {
	t.Parallel()
	dsn := testdb.DSN(t)
	first, _ := buildAPI(t, testdb.Open(t, dsn), dsn)
	a := first.reachingLoopback()
	if err := a.db.WithContext(a.ctx()).Exec("INSERT INTO event_readers (name, seq) VALUES ('webhooks', 0)").Error; err != nil {
		t.Fatal(err)
	}
	end := &unreliable{took: map[string]int{}}
	a.webhook(fmt.Sprintf(`"endpoint":%q,"subscriptions":["zen:event-type:organization.created"]`, receiver(t, end.ServeHTTP)))
	happened := make(chan struct{})
	go func() { // while deliveries are under way
		defer close(happened)
		for n := range *deliveries {
			a.post("/api/v2/organizations", fmt.Sprintf(`{"organization":{"name":"O%d"}}`, n)).want(201)
		}
	}()
	for n := range *kills {
		victim := a.deliverer(dsn)
		enough := *deliveries * (n + 1) / (*kills + 1)
		a.until("some are delivered", func() bool { asked, _ := end.counts(); return asked >= enough })
		if err := victim.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = victim.Wait() // it was killed
	}
	<-happened
	last := a.deliverer(dsn)
	defer func() { _, _ = last.Process.Kill(), last.Wait() }()
	for part := range 20 { // an endpoint with a thousand errors is left alone for a while
		a.until("all are delivered", func() bool { _, took := end.counts(); return took >= *deliveries*(part+1)/20 })
	}
	a.until("all are stored", func() bool {
		return a.number("SELECT count(*) FROM webhook_invocations WHERE status = 'success' AND next_at IS NULL") == *deliveries
	})
	end.Lock()
	defer end.Unlock()
	again := 0
	for _, n := range end.took {
		again += n - 1
	}
	t.Logf("%d requests, %d events, %d of them again", end.asked, len(end.took), again)
	if n := a.number("SELECT count(*) FROM events WHERE type = 'zen:event-type:organization.created' AND account_id = ?", a.account.ID); n != len(end.took) || n != *deliveries {
		t.Errorf("%d events happened and %d arrived", n, len(end.took))
	}
	var told []string
	if err := a.db.WithContext(a.ctx()).Raw("SELECT payload::json->>'id' FROM webhook_invocations").Scan(&told).Error; err != nil {
		t.Fatal(err)
	}
	if len(told) != *deliveries || slices.ContainsFunc(told, func(id string) bool { return end.took[id] == 0 }) {
		t.Errorf("%d deliveries, and not all of what they tell arrived", len(told))
	}
}

// deliverer is a process of its own that delivers until it is killed.
func (a *anAPI) deliverer(dsn string) *exec.Cmd {
	a.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), victimDSN+"="+dsn, victimFiles+"="+a.files, victimDelivers+"=yes"), os.Stderr
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	return cmd
}
