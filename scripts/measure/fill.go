package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/schollz/progressbar/v3"

	"github.com/helpd/helpd/models"
)

// How many people a help desk of n tickets has to do with.
func usersFor(n int) int         { return max(n/8, 20) }
func organizationsFor(n int) int { return max(n/200, 5) }

const (
	agentCount = 60
	groupCount = 12
	tagCount   = 400
	batch      = 2000 // tickets in one COPY
)

// filler writes an account's history: all that helpd would have written, had it
// been asked for each step at its time, but for the log of events, which has told
// everybody what it had to, and for what tickets are found by, which is made where
// searches are measured.
type filler struct {
	w     *world
	tx    pgx.Tx
	r     *rand.Rand
	now   time.Time
	count int

	admin, brand, form int64
	statuses           map[string]int64 // default custom status by category
	fields             customFields
	groups             []int64
	agents             []int64
	firstUser          int64
	firstOrganization  int64
	nextAudit          int64
	tags               map[string]int64
	indexes            []string // that were set aside
}

// fill makes n tickets unless they are there from an earlier run.
func (w *world) fill(ctx context.Context, addr string, n int) error {
	if err := w.conn.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM tickets WHERE account_id = $1 AND id <= $2", w.account, n).Scan(&w.tickets); err != nil {
		return err
	}
	switch {
	case w.tickets == int64(n):
		return nil
	case w.tickets > 0:
		return fmt.Errorf("there are %d tickets already, fewer than %d: name another data directory", w.tickets, n)
	}
	f, err := w.newFiller(ctx, addr, n)
	if err != nil {
		return err
	}
	if err := f.run(ctx); err != nil {
		return err
	}
	w.tickets = int64(n)
	for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := w.conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) newFiller(ctx context.Context, addr string, n int) (*filler, error) {
	fields, err := w.makeFields(ctx, addr)
	return &filler{
		w: w, r: sameEachTime(), now: time.Now().UTC().Truncate(time.Second), count: n,
		fields: fields, tags: map[string]int64{},
	}, err
}

func sameEachTime() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// run writes all in one transaction: an account is filled or not.
func (f *filler) run(ctx context.Context) (err error) {
	if f.tx, err = f.w.conn.Begin(ctx); err != nil {
		return err
	}
	defer f.tx.Rollback(context.WithoutCancel(ctx)) // committed below
	if err := f.all(ctx); err != nil {
		return err
	}
	return f.tx.Commit(ctx)
}

func (f *filler) all(ctx context.Context) error {
	for _, step := range []func(context.Context) error{f.setUp, f.people, f.setIndexesAside, f.history, f.finish, f.makeIndexes, f.place} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// setUp learns what a fresh account has, and adds custom fields.
func (f *filler) setUp(ctx context.Context) error {
	// Of each row PostgreSQL would note that it is to be exported; see place.
	if err := f.noting(ctx, "DISABLE"); err != nil {
		return err
	}
	err := f.tx.QueryRow(ctx, `SELECT (SELECT min(id) FROM users WHERE account_id = $1), (SELECT id FROM brands WHERE account_id = $1 AND "default"),
		(SELECT id FROM ticket_forms WHERE account_id = $1 AND "default")`, f.w.account).Scan(&f.admin, &f.brand, &f.form)
	if err != nil {
		return err
	}
	rows, err := f.tx.Query(ctx, `SELECT status_category, id FROM custom_statuses WHERE account_id = $1 AND "default"`, f.w.account)
	if err != nil {
		return err
	}
	f.statuses = map[string]int64{}
	var category string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&category, &id}, func() error {
		f.statuses[category] = id
		return nil
	})
	return err
}

// noting has the triggers that note what is to be exported, and to be found by other
// words, work or not.
func (f *filler) noting(ctx context.Context, enable string) error {
	_, err := f.tx.Exec(ctx, `DO $$ DECLARE t record; BEGIN
		FOR t IN SELECT tgname, tgrelid::regclass AS of FROM pg_trigger WHERE tgfoid = 'touch'::regproc OR tgname IN ('search_changed', 'search_rows') LOOP
			EXECUTE format('ALTER TABLE %s `+enable+` TRIGGER %I', t.of, t.tgname);
		END LOOP;
	END $$`)
	return err
}

// place gives all records their places in the exports, as helpd does one by one.
func (f *filler) place(ctx context.Context) error {
	if err := f.noting(ctx, "ENABLE"); err != nil {
		return err
	}
	_, err := f.tx.Exec(ctx, `WITH clock AS (SELECT seq, at FROM event_clock FOR UPDATE),
		records AS (
			SELECT 'ticket' AS kind, id, generated_at AS at FROM tickets WHERE account_id = $1
			UNION ALL SELECT 'comment', id, created_at FROM comments WHERE account_id = $1
			UNION ALL SELECT 'audit', id, created_at FROM audits WHERE account_id = $1
			UNION ALL SELECT 'user', id, updated_at FROM users WHERE account_id = $1
			UNION ALL SELECT 'organization', id, updated_at FROM organizations WHERE account_id = $1),
		placed AS (INSERT INTO export_positions (account_id, kind, record_id, seq, generated_at)
			SELECT $1, kind, id, clock.seq + row_number() OVER (ORDER BY records.at, id), records.at FROM records, clock
			ON CONFLICT (account_id, kind, record_id) DO NOTHING RETURNING seq)
		UPDATE event_clock SET seq = greatest(event_clock.seq, (SELECT max(seq) FROM placed))`, f.w.account)
	return err
}

// ids takes n ids of a table's sequence and returns the first.
func (f *filler) ids(ctx context.Context, table string, n int) (first int64, err error) {
	err = f.tx.QueryRow(ctx, `SELECT setval(pg_get_serial_sequence($1, 'id'), nextval(pg_get_serial_sequence($1, 'id')) + $2) - $2`, table, n).Scan(&first)
	return first, err
}

func (f *filler) copy(ctx context.Context, table string, columns []string, n int, row func(i int) []any) error {
	_, err := f.tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) { return row(i), nil }))
	if err != nil {
		return fmt.Errorf("%s: %w", table, err)
	}
	return nil
}

// people makes groups, organizations, agents and end users, each with what
// helpd keeps beside them.
func (f *filler) people(ctx context.Context) error {
	a, born := f.w.account, f.now.AddDate(-2, 0, 0)
	users, organizations := usersFor(f.count), organizationsFor(f.count)
	firstGroup, err := f.ids(ctx, "groups", groupCount)
	if err != nil {
		return err
	}
	if f.firstOrganization, err = f.ids(ctx, "organizations", organizations); err != nil {
		return err
	}
	firstAgent, err := f.ids(ctx, "users", agentCount+users)
	if err != nil {
		return err
	}
	f.firstUser = firstAgent + agentCount
	for i := range groupCount {
		f.groups = append(f.groups, firstGroup+int64(i))
	}
	for i := range agentCount {
		f.agents = append(f.agents, firstAgent+int64(i))
	}
	err = f.copy(ctx, "groups", []string{"account_id", "id", "name", "description", "is_public", "default", "deleted", "created_at", "updated_at"},
		groupCount, func(i int) []any {
			return []any{a, f.groups[i], fmt.Sprintf("Team %d", i+1), "", true, false, false, born, born}
		})
	if err != nil {
		return err
	}
	// A helpd that runs meanwhile keeps the groups in memory.
	if _, err := f.tx.Exec(ctx, "UPDATE accounts SET config_version = config_version + 1 WHERE id = $1", a); err != nil {
		return err
	}
	err = f.copy(ctx, "organizations", []string{"account_id", "id", "name", "shared_tickets", "shared_comments", "domain_names", "tags",
		"organization_fields", "created_at", "updated_at"}, organizations, func(i int) []any {
		return []any{a, f.firstOrganization + int64(i), fmt.Sprintf("Organization %d", i+1), false, false, []string{}, []string{}, object{}, born, born}
	})
	if err != nil {
		return err
	}
	err = f.copy(ctx, "users", []string{"account_id", "id", "name", "email", "role", "active", "suspended", "verified", "shared", "moderator",
		"only_private_comments", "permanently_deleted", "time_zone", "locale", "tags", "user_fields", "organization_id", "default_group_id", "created_at", "updated_at"},
		agentCount+users, func(i int) []any {
			id, name, role := firstAgent+int64(i), fmt.Sprintf("Agent %d", i+1), models.RoleAgent
			if i >= agentCount {
				name, role = fmt.Sprintf("User %d", i-agentCount+1), models.RoleEndUser
			}
			return []any{a, id, name, f.w.email(id), role, true, false, true, false, role == models.RoleAgent, false, false, "UTC", "en-US", []string{}, object{},
				f.organizationOf(id), f.groupOf(id), born, born}
		})
	if err != nil {
		return err
	}
	err = f.copy(ctx, "user_identities", []string{"account_id", "user_id", "type", "value", "verified", "primary", "undeliverable_count", "created_at", "updated_at"},
		agentCount+users, func(i int) []any {
			id := firstAgent + int64(i)
			return []any{a, id, models.IdentityEmail, f.w.email(id), true, true, 0, born, born}
		})
	if err != nil {
		return err
	}
	err = f.copy(ctx, "group_memberships", []string{"account_id", "user_id", "group_id", "default", "created_at", "updated_at"},
		agentCount, func(i int) []any { return []any{a, f.agents[i], *f.groupOf(f.agents[i]), true, born, born} })
	if err != nil {
		return err
	}
	return f.copy(ctx, "organization_memberships", []string{"account_id", "user_id", "organization_id", "default", "view_tickets", "created_at", "updated_at"},
		users, func(i int) []any {
			id := f.firstUser + int64(i)
			return []any{a, id, *f.organizationOf(id), true, false, born, born}
		})
}

// organizationOf is that of an end user; agents have none.
func (f *filler) organizationOf(user int64) *int64 {
	if user < f.firstUser {
		return nil
	}
	id := f.firstOrganization + (user-f.firstUser)*7919%int64(organizationsFor(f.count))
	return &id
}

// groupOf is the group of an agent; end users have none.
func (f *filler) groupOf(user int64) *int64 {
	if user >= f.firstUser {
		return nil
	}
	return &f.groups[(user-f.agents[0])%groupCount]
}

// history makes the tickets, the oldest first.
func (f *filler) history(ctx context.Context) error {
	n := f.count
	// A ticket has four audits at most.
	err := f.tx.QueryRow(ctx, "SELECT setval('audit_ids', nextval('audit_ids') + $1::bigint * 64) - $1::bigint * 64", 4*n).Scan(&f.nextAudit)
	if err != nil {
		return err
	}
	bar := progressbar.NewOptions(n, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription("Filling"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("tickets"), progressbar.OptionThrottle(200*time.Millisecond))
	for first := 1; first <= n; first += batch {
		var b rows
		for id := first; id < first+batch && id <= n; id++ {
			f.ticket(&b, int64(id))
		}
		for _, t := range b.tables() {
			if err := f.copy(ctx, t.name, t.columns, len(t.rows), func(i int) []any { return t.rows[i] }); err != nil {
				return err
			}
		}
		_ = bar.Add(len(b.tickets))
	}
	return bar.Close()
}

// finish makes the counters fit.
func (f *filler) finish(ctx context.Context) error {
	say("")
	names := make([]string, 0, len(f.tags))
	for name := range f.tags {
		names = append(names, name)
	}
	err := f.copy(ctx, "tag_counts", []string{"account_id", "name", "count"}, len(names), func(i int) []any {
		return []any{f.w.account, names[i], f.tags[names[i]]}
	})
	if err != nil {
		return err
	}
	_, err = f.tx.Exec(ctx, "SELECT setval($1::regclass, $2)", fmt.Sprintf("ticket_ids_%d", f.w.account), f.count)
	return err
}

// customFields are four fields of different types.
type customFields struct{ order, product, urgent, seats int64 }

// makeFields makes the custom fields through the API, unless they are there
// from an earlier run that was broken off.
func (w *world) makeFields(ctx context.Context, addr string) (customFields, error) {
	var made customFields
	c, err := dial(addr)
	if err != nil {
		return made, err
	}
	defer c.conn.Close()
	var options []object
	for _, p := range products {
		options = append(options, object{"name": p, "value": p})
	}
	for _, field := range []struct {
		id   *int64
		make object
	}{
		{&made.order, object{"type": "text", "title": "Order"}},
		{&made.product, object{"type": "tagger", "title": "Product", "custom_field_options": options}},
		{&made.urgent, object{"type": "checkbox", "title": "Called"}},
		{&made.seats, object{"type": "integer", "title": "Seats"}},
	} {
		err := w.conn.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM fields WHERE kind = 'ticket' AND account_id = $1 AND title = $2", w.account, field.make["title"]).Scan(field.id)
		if err != nil {
			return made, err
		}
		if *field.id != 0 {
			continue
		}
		var got struct {
			Field struct{ ID int64 } `json:"ticket_field"`
		}
		q := writing("POST", "/api/v2/ticket_fields", object{"ticket_field": field.make})
		if err := c.ask(w, q, http.StatusCreated, &got); err != nil {
			return made, err
		}
		*field.id = got.Field.ID
	}
	return made, nil
}
