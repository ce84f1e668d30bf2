package tickets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/testdb"
	"github.com/helpd/helpd/server/users"
)

// wish is a random new ticket; many of them are refused.
func (p *play) wish() Change {
	c := p.randomChange()
	if p.IntN(8) > 0 {
		c.Comment = says("Help", p.IntN(4) > 0)
	}
	who := func() string {
		return pick(p, "ann@acme.test", " BO@acme.test", "gus@acme.test", "new@acme.test", "newer@acme.test", "no address")
	}
	switch p.IntN(6) {
	case 0, 4:
		c.Requester = &users.Person{Email: who(), Name: pick(p, "", "Eve")}
	case 1:
		c.RequesterID = some(pick(p, p.spammer, p.spammer, 404404))
	case 2:
		c.AssigneeEmail = new(who())
		c.AssigneeID = nil
	case 3:
		c.EmailCCs = []Collaborator{{Email: who()}, {Email: who(), Remove: p.IntN(3) == 0}}
	}
	return c
}

// eachAlone calls f for each of n tickets, which makes it or leaves nothing of it.
func (p *play) eachAlone(ctx context.Context, n int, f func(ctx context.Context, i int) (Saved, error)) []Created {
	p.Helper()
	made := make([]Created, n)
	for i := range made {
		made[i].Err = p.inTx(ctx, func(tx *gorm.DB) (err error) {
			made[i].Saved, err = f(postgres.WithTx(ctx, tx), i)
			return err
		})
	}
	return made
}

// undone calls f in a transaction, returns what the account's tables hold then, and
// takes all of it back, the numbers given out too.
func (p *play) undone(f func(ctx context.Context)) (rows string) {
	p.Helper()
	var sequences []string
	p.db.Raw(`SELECT format('SELECT setval(%L, %s, %s)', schemaname || '.' || sequencename, coalesce(last_value, start_value), (last_value IS NOT NULL)::text)
		FROM pg_sequences`).Scan(&sequences)
	undo := errors.New("undo")
	err := p.inTx(p.ctx, func(tx *gorm.DB) error {
		ctx := postgres.WithTx(p.ctx, tx)
		f(ctx)
		rows = p.allRows(ctx)
		return undo
	})
	if !errors.Is(err, undo) {
		p.Fatal(err)
	}
	for _, statement := range sequences {
		if err := p.db.Exec(statement).Error; err != nil {
			p.Fatal(err)
		}
	}
	return rows
}

func (p *play) allRows(ctx context.Context) string {
	p.Helper()
	db := p.db.WithContext(ctx)
	var tables, rows []string
	err := db.Raw(`SELECT c.table_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.column_name = 'account_id' AND c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1`).Scan(&tables).Error
	if err != nil {
		p.Fatal(err)
	}
	for i, table := range tables {
		rows := table + " r"
		switch table {
		case "event_batches": // in order are those of one subject
			rows = "(SELECT row_number() OVER (PARTITION BY account_id, subject ORDER BY id), to_jsonb(e) - 'id' FROM events e) r"
		case "event_queue": // all are in it, together or not
			rows = "(SELECT account_id, sum(size) FROM event_queue GROUP BY account_id) r"
		case "touched": // each record once is enough
			rows = "(SELECT DISTINCT account_id, kind, record_id FROM touched) r"
		case "tag_changes": // whose sums count
			rows = "(SELECT account_id, name, sum(delta) FROM tag_changes GROUP BY account_id, name) r"
		}
		tables[i] = "SELECT '" + table + ": ' || r::text AS row FROM " + rows
	}
	if err := db.Raw(strings.Join(tables, " UNION ALL ") + " ORDER BY 1").Scan(&rows).Error; err != nil {
		p.Fatal(err)
	}
	return strings.Join(rows, "\n")
}

// outcomes are what came of each ticket.
func outcomes(made []Created) string {
	var lines []string
	for _, m := range made {
		suspended := int64(0)
		if m.Suspended != nil {
			suspended = m.Suspended.ID
		}
		lines = append(lines, fmt.Sprintf("%v, suspended %d, %s, %s", m.Err, suspended, models.ToJSON(m.Ticket), m.Audit.Events))
	}
	return strings.Join(lines, "\n")
}

func TestTicketsMadeTogetherAreAsThoseMadeAlone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("play ", seed), func(t *testing.T) {
			t.Parallel()
			p := newPlayOn(newWorldOn(t, testdb.DB(t)), seed)
			if seed%2 == 1 {
				p.assignOnlyChoice()
			}
			p.fromOutside()
			// What one ticket does to its requester, the next one's rules see.
			p.trigger(`{"all":[{"field":"locale_id","operator":"is","value":"8"}]}`, `[{"field":"current_tags","value":"german"}]`)
			p.trigger(`{"all":[{"field":"priority","operator":"is_not","value":"low"}]}`, `[{"field":"locale_id","value":"8"},{"field":"status","value":"open"}]`)
			for range 3 {
				p.tickets = append(p.tickets, p.ticket(Change{Type: some(models.TypeProblem)}).ID)
			}
			var made []Created
			for _, by := range p.agents {
				wishes := again(p, 50, p.wish)
				made = append(made, p.comparesWays(func(ctx context.Context) []Created {
					list := wishes()
					return p.eachAlone(ctx, len(list), func(ctx context.Context, i int) (Saved, error) { return p.Create(ctx, by, list[i]) })
				}, func(ctx context.Context) ([]Created, error) { return p.CreateMany(ctx, by, wishes()) })...)
			}
			p.some(made, "refused", func(m Created) bool { return m.Err != nil })
			p.some(made, "made", func(m Created) bool { return m.Ticket.ID != 0 })
			p.some(made, "suspended", func(m Created) bool { return m.Suspended != nil })
			for _, tag := range []string{"outside", "german"} {
				p.some(made, "tagged "+tag, func(m Created) bool { return slices.Contains(m.Ticket.Tags, tag) })
			}
		})
	}
}

// some checks that a play was worth something.
func (p *play) some(made []Created, what string, is func(Created) bool) {
	p.Helper()
	if !slices.ContainsFunc(made, is) {
		p.Errorf("of %d tickets none was %s", len(made), what)
	}
}

func TestTicketsImportedTogetherAreAsThoseImportedAlone(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("play ", seed), func(t *testing.T) {
			t.Parallel()
			p := newPlayOn(newWorldOn(t, testdb.DB(t)), seed)
			p.tickets = append(p.tickets, p.ticket(Change{Type: some(models.TypeProblem)}).ID)
			pasts := again(p, 50, p.past)
			made := p.comparesWays(func(ctx context.Context) []Created {
				list := pasts()
				return p.eachAlone(ctx, len(list), func(ctx context.Context, i int) (Saved, error) {
					t, err := p.Import(ctx, p.admin, list[i])
					return Saved{Ticket: t}, err
				})
			}, func(ctx context.Context) ([]Created, error) {
				made, err := p.ImportMany(ctx, p.admin, pasts())
				for i := range made { // of one alone only the ticket is told
					made[i].Saved = Saved{Ticket: made[i].Ticket}
				}
				return made, err
			})
			p.some(made, "refused", func(m Created) bool { return m.Err != nil })
			p.some(made, "archived", func(m Created) bool { return m.Ticket.Archived })
			p.some(made, "left in lists", func(m Created) bool { return m.Ticket.ID != 0 && !m.Ticket.Archived })
		})
	}
}

// past is a random ticket to import.
func (p *play) past() Import {
	in := Import{Change: p.wish(), Archive: p.IntN(2) == 0}
	if p.IntN(2) == 0 {
		in.Status = new(models.StatusClosed)
	}
	at := func() *time.Time { return new(noon.Add(time.Duration(p.IntN(60)-55) * time.Hour)) } // some in the future
	for range p.IntN(5) {
		c := says(fmt.Sprint("Comment ", p.IntN(1000)), p.IntN(4) > 0)
		if c.AuthorID = pick(p, append(p.people, 0)...); p.IntN(3) > 0 {
			c.At = at()
		}
		in.Comments = append(in.Comments, *c)
	}
	if p.IntN(3) == 0 {
		in.SolvedAt = at()
	}
	return in
}

// again gives n random values, the same each time but for what a save may write to.
func again[T any](p *play, n int, random func() T) func() []T {
	seed := p.Uint64()
	return func() []T {
		outer := p.Rand
		defer func() { p.Rand = outer }()
		p.Rand = rand.New(rand.NewPCG(seed, 1))
		list := make([]T, n)
		for i := range list {
			list[i] = random()
		}
		return list
	}
}

func (w *world) trigger(conditions, actions string) {
	w.Helper()
	c := rulebook.Change{Title: &actions}
	if err := errors.Join(json.Unmarshal([]byte(conditions), &c.Conditions), json.Unmarshal([]byte(actions), &c.Actions)); err != nil {
		w.Fatal(err)
	}
	if _, err := w.rulebook.Create(w.ctx, w.admin, models.RuleTrigger, c); err != nil {
		w.Fatal(err)
	}
}

// fromOutside tags what end users ask.
func (w *world) fromOutside() {
	w.Helper()
	w.trigger(`{"all":[{"field":"requester_role","operator":"is","value":"end-user"}]}`, `[{"field":"current_tags","value":"outside"}]`)
}

func (w *world) assignOnlyChoice() {
	w.Helper()
	w.exec(`UPDATE accounts SET settings = settings || '{"tickets":{"assign_only_choice":true}}', config_version = config_version + 1 WHERE id = ?`, w.admin.AccountID)
}

// comparesWays makes tickets one by one and, from the same start, together, and
// returns what came of them.
func (p *play) comparesWays(eachAlone func(context.Context) []Created, all func(context.Context) ([]Created, error)) []Created {
	p.Helper()
	var alone, together []Created
	want := p.undone(func(ctx context.Context) { alone = eachAlone(ctx) })
	got := p.undone(func(ctx context.Context) {
		var err error
		if together, err = all(ctx); err != nil {
			p.Fatal(err)
		}
	})
	differ(p.T, "results", outcomes(together), outcomes(alone))
	differ(p.T, "rows", got, want)
	return together
}

func differ(t *testing.T, what, got, want string) {
	t.Helper()
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	if len(a) != len(b) {
		t.Errorf("%s: %d together, %d alone", what, len(a), len(b))
	}
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("%s, line %d:\n together %s\n alone    %s", what, i, a[i], b[i])
			return
		}
	}
}

// counter counts the statements that a database is sent.
type counter struct{ n atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}
func (c *counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func TestTicketsMadeTogetherTakeNoMoreStatementsForBeingMore(t *testing.T) {
	t.Parallel()
	sent := &counter{}
	db, err := postgres.Open(testdb.DSN(t), postgres.Options{Tracer: sent})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = postgres.Close(db) })
	w := newWorldOn(t, db)
	const most = 30
	var changes [2 * most]Change
	for i := range changes {
		name := fmt.Sprint("user", i)
		u, g := w.user(name, "end-user"), w.newGroup(fmt.Sprint("G", i), w.gus)
		first, second := w.organization(fmt.Sprint("A", i), u), w.organization(fmt.Sprint("B", i), u)
		problem := w.ticket(Change{Type: some(models.TypeProblem)}).ID
		c := Change{
			Comment: says("Help"), OrganizationID: some([]int64{first, second}[i%2]), GroupID: some(g), ProblemID: some(problem), Tags: []string{name, "all"},
			EmailCCs: []Collaborator{{Email: name + "@acme.test"}, {UserID: w.ann.ID()}}, Followers: []Collaborator{{Email: "gus@acme.test"}},
		}
		if c.RequesterID = some(u.ID()); i%3 == 0 {
			c.RequesterID, c.Requester = nil, &users.Person{Email: name + "@acme.test", Name: "X"}
		}
		changes[i] = c
	}
	w.assignOnlyChoice()
	w.fromOutside()
	cost := func(changes []Change) int64 {
		before := sent.n.Load()
		made, err := w.CreateMany(w.ctx, w.admin, changes)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range made {
			if m.Err != nil || m.Ticket.AssigneeID == nil {
				t.Fatalf("ticket %d: %v, %s", i, m.Err, models.ToJSON(m.Ticket))
			}
		}
		return sent.n.Load() - before
	}
	cost(changes[:1]) // what is remembered from now on
	few, many := cost(changes[1:4]), cost(changes[most:])
	if few != many || many > 25 {
		t.Errorf("%d statements for 3 tickets, %d for %d", few, many, most)
	}
}

func TestTicketsMadeTogetherLeaveNothingBehindWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bad := Change{RequesterID: some(w.ann.ID()), Comment: says("nothing \x00 there")}
	good := Change{Requester: &users.Person{Email: "eve@acme.test", Name: "Eve"}, Comment: says("Help")}
	made, err := w.CreateMany(w.ctx, w.admin, []Change{good, bad})
	if err == nil || fault.Of(err) != nil {
		t.Fatalf("%v, %v", made, err)
	}
	if n := w.count("SELECT (SELECT count(*) FROM tickets WHERE account_id = ?) + (SELECT count(*) FROM users WHERE account_id = ? AND name = 'Eve')", w.admin.AccountID, w.admin.AccountID); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
