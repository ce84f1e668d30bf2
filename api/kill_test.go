package api_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// victimDSN and victimFiles in the environment make the test binary a process
// that works the jobs of a database until it is killed.
const victimDSN, victimFiles = "HELPD_TEST_API_DSN", "HELPD_TEST_API_FILES"

// victimDelivers in the environment makes it one that delivers to webhooks.
const victimDelivers = "HELPD_TEST_API_DELIVERS"

func TestMain(m *testing.M) {
	if dsn := os.Getenv(victimDSN); dsn != "" {
		fmt.Fprintln(os.Stderr, victim(dsn, os.Getenv(victimFiles)))
		os.Exit(1)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // as helpd itself does
	}
	os.Exit(m.Run())
}

func victim(dsn, files string) error {
	db, err := postgres.Open(dsn, postgres.Options{})
	if err != nil {
		return err
	}
	now := func() time.Time { return theClock }
	delivers := os.Getenv(victimDelivers) != ""
	if delivers { // what fails comes again as time goes by
		now = server.Clock
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := server.NewServices(context.Background(), db, dsn, server.ServiceOptions{
		Now: now, Log: log, BlobURL: "file://" + files, WebhookAllow: loopback, WebhookRetries: slices.Repeat([]time.Duration{50 * time.Millisecond}, 50),
	})
	if err != nil {
		return err
	}
	if delivers {
		go s.Events.Run(context.Background())
		go s.Events.Follow(context.Background(), s.Webhooks.Follower())
		go s.Webhooks.Run(context.Background(), log)
	}
	api.New(s, api.Options{Log: log, Registry: prometheus.NewRegistry(), Now: now, Limits: edge.Limits{Account: 1, Anonymous: 1}})
	if err := s.Jobs.Start(context.Background()); err != nil {
		return err
	}
	select {} // the kill ends it
}

// killedAt has a process of its own work the jobs until it waits for ticket id,
// which is held, and kills it there. Then the account's own process goes on.
func (a *anAPI) killedAt(dsn string, services api.Services, id int64) {
	a.t.Helper()
	hold := a.db.WithContext(a.ctx()).Begin()
	if err := hold.Exec("SELECT 1 FROM tickets t JOIN ticket_metrics m USING (account_id) WHERE account_id = ? AND t.id = ? AND m.ticket_id = t.id FOR UPDATE", a.account.ID, id).Error; err != nil {
		a.t.Fatal(err)
	}
	var said strings.Builder
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), victimDSN+"="+dsn, victimFiles+"="+a.files), &said
	if err := cmd.Start(); err != nil {
		a.t.Fatal(err)
	}
	a.until("the victim waits for the ticket", func() bool {
		return a.number("SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT l.granted AND d.datname = current_database()")+
			a.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
	})
	if err := cmd.Process.Kill(); err != nil {
		a.t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		a.t.Fatalf("the victim: %v %s", err, said.String())
	}
	if err := hold.Rollback().Error; err != nil {
		a.t.Fatal(err)
	}
	if err := services.Jobs.Start(context.Background()); err != nil {
		a.t.Fatal(err)
	}
}

func idleAPI(t *testing.T) (*anAPI, api.Services, string) {
	t.Helper()
	dsn := testdb.DSN(t)
	a, services := buildAPI(t, testdb.Open(t, dsn), dsn)
	return a, services, dsn
}

func TestUpdateManyGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	a, services, dsn := idleAPI(t)
	var ids []string
	for range 12 {
		ids = append(ids, fmt.Sprint(a.ticket(`{"comment":{"body":"B"}}`)))
	}
	job := a.put("/api/v2/tickets/update_many?ids="+strings.Join(ids, ","), `{"ticket":{"comment":{"body":"To all"},"additional_tags":["all"]}}`).want(200)
	a.killedAt(dsn, services, 6)
	done := job.jobDone(a)
	if results := done.member("job_status", "results").([]any); len(results) != 12 {
		t.Errorf("%d results", len(results))
	}
	if n := a.number("SELECT count(*) FROM (SELECT FROM comments WHERE account_id = ? GROUP BY ticket_id HAVING count(*) = 2) AS t", a.account.ID); n != 12 {
		t.Errorf("%d of 12 tickets have the comment once", n)
	}
	if n := a.number("SELECT count(*) FROM audits WHERE account_id = ?", a.account.ID); n != 24 {
		t.Errorf("%d audits", n)
	}
	if n := a.number("SELECT coalesce(sum(delta), 0) FROM tag_changes WHERE account_id = ?", a.account.ID) +
		a.number("SELECT coalesce(sum(count), 0) FROM tag_counts WHERE account_id = ?", a.account.ID); n != 12 {
		t.Errorf("the tag counts %d", n)
	}
}

func TestMergeGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	a, services, dsn := idleAPI(t)
	var ids []string
	file := a.upload("filename=log.txt", "text/plain", "the log")
	target := a.ticket(`{"comment":{"body":"B"}}`)
	for range 5 {
		ids = append(ids, fmt.Sprint(a.ticket(`{"comment":{"body":"B","uploads":["`+file.Upload.Token+`"]}}`)))
	}
	job := a.post(a.path(target)+"/merge", `{"ids":[`+strings.Join(ids, ",")+`]}`).want(200)
	// Three sources are closed when the victim waits for the fourth.
	a.killedAt(dsn, services, target+4)
	if done := job.jobDone(a); done.member("job_status", "results", 0, "success") != true {
		t.Fatalf("%s", done.body)
	}
	if n := a.number("SELECT count(*) FROM (SELECT FROM comments WHERE account_id = ? GROUP BY ticket_id HAVING count(*) = 2) AS t", a.account.ID); n != 6 {
		t.Errorf("%d of 6 tickets have the comment once", n)
	}
	if n := a.number("SELECT count(*) FROM attachments WHERE account_id = ? AND ticket_id = ?", a.account.ID, target); n != 1 {
		t.Errorf("%d files at the target", n)
	}
}

func TestIncidentsAreSolvedOnceInSpiteOfAKill(t *testing.T) {
	t.Parallel()
	a, services, dsn := idleAPI(t)
	problem := a.ticket(fmt.Sprintf(`{"type":"problem","assignee_id":%d,"comment":{"body":"B"}}`, a.admin.ID))
	a.incidents(problem, 40)
	a.put(a.path(problem), `{"ticket":{"status":"solved","comment":{"body":"Done"}}}`).want(200)
	a.killedAt(dsn, services, problem+20)
	a.until("incidents solved", func() bool { return a.solvedIncidents(problem) == 40 })
	if n := a.number("SELECT count(*) FROM comments WHERE account_id = ? AND ticket_id <> ? AND body = 'Done'", a.account.ID, problem); n != 40 {
		t.Errorf("%d comments of 40 incidents", n)
	}
}
