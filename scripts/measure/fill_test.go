package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/testdb"
)

// filled is an account with tickets by the filler, and a helpd to do the same
// through the API, whose clock the test sets.
type filled struct {
	*testing.T
	w   *world
	f   *filler
	c   *client
	now *atomic.Pointer[time.Time]
}

func newFilled(t *testing.T, n int) *filled {
	t.Helper()
	ctx, dsn := context.Background(), testdb.DSN(t)
	a := &filled{T: t, now: new(atomic.Pointer[time.Time])}
	begun := time.Now()
	a.now.Store(&begun)
	now := func() time.Time { return *a.now.Load() }
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	services, err := server.NewServices(ctx, testdb.Open(t, dsn), dsn, server.ServiceOptions{Now: now, Log: log, BlobURL: "file://" + t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(api.New(services, api.Options{Log: log, Registry: prometheus.NewRegistry(), Now: now,
		Limits: edge.Limits{Account: 1 << 30, Anonymous: 1 << 30}}))
	t.Cleanup(s.Close)
	if err := makeAccount(ctx, dsn, account); err != nil {
		t.Fatal(err)
	}
	if a.w, err = openWorld(ctx, dsn, account); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.w.close)
	addr := strings.TrimPrefix(s.URL, "http://")
	if a.f, err = a.w.newFiller(ctx, addr, n); err != nil {
		t.Fatal(err)
	}
	if err := a.f.run(ctx); err != nil {
		t.Fatal(err)
	}
	if a.c, err = dial(addr); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.c.conn.Close() })
	return a
}

// save asks helpd to make or change a ticket, as a user, and returns its id.
func (a *filled) save(as string, at time.Time, method, path string, ticket object) int64 {
	a.Helper()
	a.now.Store(&at)
	q, status := ofTicket(method, path, ticket), http.StatusOK
	if method == "POST" {
		status = http.StatusCreated
	}
	q.as = as
	var answer struct{ Ticket struct{ ID int64 } }
	if err := a.c.ask(a.w, q, status, &answer); err != nil {
		a.Fatal(err)
	}
	return answer.Ticket.ID
}

// replay has helpd go through a story.
func (a *filled) replay(s story) int64 {
	a.Helper()
	var fields, ccs []object
	for id, value := range s.fields {
		n, _ := strconv.ParseInt(id, 10, 64)
		fields = append(fields, object{"id": n, "value": value})
	}
	for _, id := range s.copied {
		ccs = append(ccs, object{"user_id": id, "action": "put"})
	}
	id := a.save("", s.asked, "POST", "/api/v2/tickets", object{
		"subject": s.subject, "requester_id": s.requester, "submitter_id": s.requester, "priority": s.priority, "type": s.kind,
		"external_id": s.external, "due_at": s.due, "tags": s.tags, "custom_fields": fields, "email_ccs": ccs, "comment": object{"body": s.question},
	})
	agent, path := a.w.email(s.agent), "/api/v2/tickets/"+text(id)
	answer, last := object{"comment": object{"body": s.answer}}, object{"comment": object{"body": s.thirdOne, "public": s.publicly}}
	if s.assigned {
		answer["assignee_id"], answer["status"], last["status"] = s.agent, "open", s.status
	}
	a.save(agent, s.answered, "PUT", path, answer)
	a.save(agent, s.last, "PUT", path, last)
	if !s.closed.IsZero() {
		a.save(agent, s.closed, "PUT", path, object{"status": "closed"})
	}
	return id
}

// rows are those of tables that name a record, in the order of time, without
// what is another's by its nature.
func (a *filled) rows(table, column string, id int64, without ...string) []map[string]any {
	a.Helper()
	rows, err := a.w.conn.Query(context.Background(), "SELECT to_jsonb(t) FROM "+table+" t WHERE account_id = $1 AND "+column+" = $2 ORDER BY to_jsonb(t)->>'created_at', to_jsonb(t)->>'time'", a.w.account, id)
	if err != nil {
		a.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[map[string]any])
	if err != nil {
		a.Fatal(err)
	}
	for _, row := range list {
		maps.DeleteFunc(row, func(name string, _ any) bool { return contains(without, name) })
	}
	return list
}

// audits have the ids of their events as distances from their own.
func (a *filled) audits(ticket int64) []map[string]any {
	a.Helper()
	list := a.rows("audits", "ticket_id", ticket, "ticket_id")
	for _, row := range list {
		id := row["id"].(float64)
		for _, e := range row["events"].([]any) {
			e.(map[string]any)["id"] = e.(map[string]any)["id"].(float64) - id
		}
		delete(row, "id")
	}
	return list
}

// same compares rows by the filler with those by helpd.
func (a *filled) same(what string, ticket int64, got, want []map[string]any) {
	a.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	g, w := lines(got), lines(want)
	i := 0
	for i < min(len(g), len(w)) && g[i] == w[i] {
		i++
	}
	a.Errorf("%s of ticket %d differ from line %d on:\nfilled\n%s\nhelpd\n%s", what, ticket, i,
		strings.Join(g[max(0, i-3):min(len(g), i+5)], "\n"), strings.Join(w[max(0, i-3):min(len(w), i+5)], "\n"))
}

func lines(rows []map[string]any) []string {
	text, err := json.MarshalIndent(rows, "", " ")
	if err != nil {
		panic(err)
	}
	return strings.Split(string(text), "\n")
}

func TestTicketsAreAsHelpdMakesThem(t *testing.T) {
	t.Parallel()
	const n = 40
	a := newFilled(t, n)
	tags, sizes := a.tags(), a.sizes()
	a.f.r = sameEachTime()
	for id := int64(1); id <= n; id++ {
		s := a.f.story(id)
		made := a.replay(s)
		a.same("audits", id, a.audits(id), a.audits(made))
		a.same("ticket", id, a.rows("tickets", "id", id, "id"), a.rows("tickets", "id", made, "id"))
		for _, table := range []string{"comments", "ticket_metrics", "ticket_metric_events", "ticket_ccs"} {
			without := []string{"id", "ticket_id", "audit_id"}
			a.same(table, id, a.rows(table, "ticket_id", id, without...), a.rows(table, "ticket_id", made, without...))
		}
	}
	for name, count := range a.tags() {
		if count != 2*tags[name] {
			t.Errorf("the tag %s counts %d after helpd did the same again, %d before", name, count, tags[name])
		}
	}
	for table, size := range a.sizes() {
		if size > sizes[table] && sizes[table] == 0 && !contains([]string{"event_batches", "event_queue", "tag_changes", "search_fresh"}, table) {
			t.Errorf("helpd writes %s for tickets, the filler nothing", table)
		}
	}
}

// tags are how often each is in use, as helpd counts them.
func (a *filled) tags() map[string]int64 {
	a.Helper()
	rows, err := a.w.conn.Query(context.Background(), `SELECT name, sum(count)::bigint FROM (SELECT account_id, name, count FROM tag_counts
		UNION ALL SELECT account_id, name, delta FROM tag_changes) AS t WHERE account_id = $1 GROUP BY name`, a.w.account)
	if err != nil {
		a.Fatal(err)
	}
	counts, name, count := map[string]int64{}, "", int64(0)
	if _, err = pgx.ForEachRow(rows, []any{&name, &count}, func() error { counts[name] = count; return nil }); err != nil {
		a.Fatal(err)
	}
	return counts
}

func TestFillingLeavesTheIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	const all = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
	var want []string
	if err := testdb.Shared(t).Raw(all).Scan(&want).Error; err != nil {
		t.Fatal(err)
	}
	a := newFilled(t, 5)
	rows, err := a.w.conn.Query(ctx, all)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	if len(a.f.indexes) < 10 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d indexes were set aside; now there are\n%q\nbefore there were\n%q", len(a.f.indexes), got, want)
	}
}

// sizes are how many rows of the account each table has.
func (a *filled) sizes() map[string]int {
	a.Helper()
	ctx := context.Background()
	rows, err := a.w.conn.Query(ctx, `SELECT table_name::text FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
		WHERE table_schema = 'public' AND column_name = 'account_id' AND table_type = 'BASE TABLE'`)
	if err != nil {
		a.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) < 20 {
		a.Fatalf("tables %v: %v", names, err)
	}
	sizes := map[string]int{}
	for _, name := range names {
		var n int
		if err := a.w.conn.QueryRow(ctx, "SELECT count(*) FROM "+name+" WHERE account_id = $1", a.w.account).Scan(&n); err != nil {
			a.Fatal(err)
		}
		sizes[name] = n
	}
	return sizes
}
