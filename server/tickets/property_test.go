package tickets

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tags"
)

// play is a random sequence of changes of a few tickets.
type play struct {
	*world
	*rand.Rand
	agents        []auth.Actor
	people        []int64
	groups        []int64
	organizations []int64
	fields        []playedField
	tickets       []int64
	spammer       int64 // suspended
}

type playedField struct {
	id     int64
	values []string // in JSON
}

func newPlay(t *testing.T, seed uint64) *play { return newPlayOn(newWorld(t), seed) }

func newPlayOn(w *world, seed uint64) *play {
	p := &play{world: w, Rand: rand.New(rand.NewPCG(seed, 7))}
	bo := w.user("Bo", "end-user")
	second := w.newGroup("Second", w.gus)
	p.groups = []int64{w.group, second}
	p.organizations = []int64{w.organization("One", w.ann, bo), w.organization("Two", w.ann)}
	p.agents = []auth.Actor{w.admin, w.gus}
	p.spammer = w.user("Spam", "end-user").ID()
	w.exec("UPDATE users SET suspended = true WHERE account_id = ? AND id = ?", w.admin.AccountID, p.spammer)
	p.people = []int64{w.admin.ID(), w.gus.ID(), w.ann.ID(), bo.ID()}
	p.fields = []playedField{
		{p.field(models.FieldText), []string{`"x"`, `"y"`, `null`}},
		{p.field(models.FieldCheckbox), []string{`true`, `false`}},
		{p.field(models.FieldTagger), []string{`"red"`, `"blue"`, `null`}},
		{p.field(models.FieldMultiselect), []string{`["sweet","sour"]`, `["sour"]`, `[]`}},
	}
	return p
}

func (p *play) field(kind string) int64 {
	p.Helper()
	c := fields.Change{Type: &kind, Title: &kind}
	var options []fields.OptionChange
	for _, value := range map[string][]string{models.FieldTagger: {"red", "blue"}, models.FieldMultiselect: {"sweet", "sour"}}[kind] {
		options = append(options, fields.OptionChange{Name: &value, Value: &value})
	}
	c.Options = options
	if kind == models.FieldCheckbox {
		c.Tag = some("checked")
	}
	f, err := p.Service.fields.Create(p.ctx, p.admin, models.FieldsOfTickets, c)
	if err != nil {
		p.Fatal(err)
	}
	return f.ID
}

func pick[T any](p *play, list ...T) T { return list[p.IntN(len(list))] }

// maybe sets a value, clears it or leaves it.
func maybe[T any](p *play, list ...T) (n nullable.Nullable[T]) {
	switch p.IntN(8) {
	case 0:
		return none[T]()
	case 1, 2:
		return some(pick(p, list...))
	}
	return nil
}

func (p *play) randomChange() Change {
	c := Change{
		Subject: maybe(p, "A", "B"), Type: maybe(p, "problem", "incident", "question", "task"), Priority: maybe(p, "low", "urgent"),
		AssigneeID: maybe(p, p.admin.ID(), p.gus.ID()), GroupID: maybe(p, p.groups...), ExternalID: maybe(p, "e1", "e2"),
		DueAt: maybe(p, noon.Add(time.Hour), noon.Add(2*time.Hour)), OrganizationID: maybe(p, p.organizations...),
	}
	if p.IntN(3) == 0 {
		c.Status = new(pick(p, "new", "open", "pending", "hold", "solved"))
	}
	if p.IntN(3) == 0 {
		c.RequesterID = some(pick(p, p.people...))
	}
	if p.IntN(4) == 0 && len(p.tickets) > 0 {
		c.ProblemID = maybe(p, p.tickets...)
	}
	switch names := []string{"a", "b", "red", "sour", "checked", "Two words"}; p.IntN(5) {
	case 0:
		c.Tags = names[:p.IntN(len(names))]
	case 1:
		c.AddTags = []string{pick(p, names...), pick(p, names...)}
	case 2:
		c.RemoveTags = []string{pick(p, names...), pick(p, names...)}
	}
	for _, f := range p.fields {
		if p.IntN(6) == 0 {
			c.CustomFields = append(c.CustomFields, FieldValue{f.id, json.RawMessage(pick(p, f.values...))})
		}
	}
	switch p.IntN(6) {
	case 0:
		c.EmailCCIDs = append([]int64{}, p.people[:p.IntN(len(p.people))]...)
	case 1:
		c.Followers = []Collaborator{{UserID: pick(p, p.agents...).ID(), Remove: p.IntN(2) == 0}}
	case 2:
		c.EmailCCs = []Collaborator{{UserID: pick(p, p.people...), Remove: p.IntN(2) == 0}}
	}
	if p.IntN(3) == 0 {
		c.Comment = says("Hello 987", p.IntN(3) > 0)
		c.Comment.AuthorID = pick(p, append(p.people, 0)...)
	}
	return c
}

// step does one random thing, in one transaction, and tells which ticket it was
// about.
func (p *play) step() (int64, error) {
	by := pick(p, p.agents...)
	if len(p.tickets) < 2 || p.IntN(12) == 0 {
		c := p.randomChange()
		c.Comment = says("Help", p.IntN(4) > 0)
		saved, err := p.Create(p.ctx, by, c)
		if err == nil {
			p.tickets = append(p.tickets, saved.Ticket.ID)
		}
		return saved.Ticket.ID, err
	}
	id := pick(p, p.tickets...)
	switch p.IntN(14) {
	case 0:
		return id, p.Delete(p.ctx, by, id)
	case 1, 2:
		return id, p.Restore(p.ctx, by, id)
	case 3:
		return id, p.MakePrivate(p.ctx, by, id, p.aComment(id))
	case 4:
		_, err := p.Redact(p.ctx, by, id, p.aComment(id), "8")
		return id, err
	}
	_, err := p.Update(p.ctx, by, id, p.randomChange())
	return id, err
}

func (p *play) aComment(ticket int64) int64 {
	var ids []int64
	p.db.Raw("SELECT id FROM comments WHERE account_id = ? AND ticket_id = ? ORDER BY id", p.admin.AccountID, ticket).Scan(&ids)
	return pick(p, ids...)
}

// kept is a ticket as it is stored, and the number of its audits.
func (p *play) kept(id int64) (t models.Ticket, audits int) {
	p.Helper()
	if err := p.db.WithContext(p.ctx).Limit(1).Find(&t, "id = ?", id).Error; err != nil {
		p.Fatal(err)
	}
	return t, p.count("SELECT count(*) FROM audits WHERE account_id = ? AND ticket_id = ?", p.admin.AccountID, id)
}

func TestAuditsTellAllThatHappens(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("play ", seed), func(t *testing.T) {
			t.Parallel()
			p := newPlay(t, seed)
			done, refused := 0, 0
			for range 60 {
				p.tick(time.Duration(1+p.IntN(3600)) * time.Second)
				before := map[int64]models.Ticket{}
				audits := map[int64]int{}
				for _, id := range p.tickets {
					before[id], audits[id] = p.kept(id)
				}
				about, err := p.step()
				if f := fault.Of(err); err != nil && f == nil {
					t.Fatal(err)
				}
				if err != nil {
					refused++
				} else {
					done++
				}
				for _, id := range p.tickets {
					p.movedRightly(id, id == about, err, before[id], audits[id])
				}
			}
			if done < 15 || refused == 0 {
				t.Errorf("%d changes were done and %d refused", done, refused)
			}
			for _, id := range p.tickets {
				p.replayed(id)
				p.metricsAreRight(id)
				p.eventsAreInOrder(id)
			}
			p.countsAreRight()
		})
	}
}

// movedRightly holds what became of a ticket's times and audits against what a
// step may do to it.
func (p *play) movedRightly(id int64, about bool, err error, before models.Ticket, audits int) {
	p.Helper()
	after, n := p.kept(id)
	more := n - audits
	switch {
	case before.ID == 0:
		if more != 1 || !after.UpdatedAt.Equal(p.now()) || !after.CreatedAt.Equal(p.now()) || !after.GeneratedAt.Equal(p.now()) {
			p.Errorf("ticket %d is new: %d audits, %s, %s", id, more, after.UpdatedAt, after.GeneratedAt)
		}
		return
	case !about || err != nil:
		if more != 0 {
			p.Errorf("ticket %d: %d audits of nothing (%v)", id, more, err)
		}
	case more > 1:
		p.Errorf("ticket %d: %d audits of one change", id, more)
	}
	if moved := !after.UpdatedAt.Equal(before.UpdatedAt); moved != (more == 1) || moved && !after.UpdatedAt.Equal(p.now()) {
		p.Errorf("ticket %d: %d audits, and updated_at goes from %s to %s", id, more, before.UpdatedAt, after.UpdatedAt)
	}
	was, is := before, after
	was.GeneratedAt, is.GeneratedAt = time.Time{}, time.Time{}
	if changed := !slices.Equal(models.ToJSON(was), models.ToJSON(is)); changed && !after.GeneratedAt.Equal(p.now()) {
		p.Errorf("ticket %d changed, and generated_at is %s", id, after.GeneratedAt)
	}
}

// metricsAreRight computes a ticket's metric set from its audits.
func (p *play) metricsAreRight(id int64) {
	p.Helper()
	m := p.metric(id)
	want := models.TicketMetric{
		GroupStations: p.stations(id, "group_id"), AssigneeStations: p.stations(id, "assignee_id"),
	}
	status, since := "", time.Time{}
	for _, a := range p.auditsOf(id) {
		for _, e := range eventsOf(a) {
			if e.FieldName != "status" || string(e.Value) == `"deleted"` || string(e.PreviousValue) == `"deleted"` {
				continue
			}
			seconds := int64(a.CreatedAt.Sub(since) / time.Second)
			switch status {
			case "pending":
				want.AgentWaitSeconds += seconds
			case "hold":
				want.OnHoldSeconds += seconds
				want.RequesterWaitSeconds += seconds
			case "new", "open":
				want.RequesterWaitSeconds += seconds
			case "solved":
				want.Reopens++
			}
			_ = json.Unmarshal(e.Value, &status)
			since = a.CreatedAt
			if status == "solved" {
				at := a.CreatedAt
				if want.SolvedAt = &at; want.FirstSolvedAt == nil {
					want.FirstSolvedAt = &at
				}
			} else {
				want.SolvedAt = nil
			}
		}
	}
	got := models.TicketMetric{
		GroupStations: m.GroupStations, AssigneeStations: m.AssigneeStations, Reopens: m.Reopens, AgentWaitSeconds: m.AgentWaitSeconds,
		OnHoldSeconds: m.OnHoldSeconds, RequesterWaitSeconds: m.RequesterWaitSeconds, SolvedAt: m.SolvedAt, FirstSolvedAt: m.FirstSolvedAt,
	}
	if a, b := utc(got), utc(want); a != b {
		p.Errorf("ticket %d: metrics\n %s, and by the audits\n %s", id, a, b)
	}
	if m.StatusUpdatedAt == nil || !m.StatusUpdatedAt.Equal(since) {
		p.Errorf("ticket %d: status_updated_at is %v, and by the audits %s", id, m.StatusUpdatedAt, since)
	}
}

func utc(m models.TicketMetric) string {
	for _, at := range []**time.Time{&m.SolvedAt, &m.FirstSolvedAt} {
		if *at != nil {
			u := (*at).UTC()
			*at = &u
		}
	}
	return string(models.ToJSON(m))
}

// eventsAreInOrder checks that a ticket's rows of the event log are numbered
// from 1 within each change, and the changes in their order.
func (p *play) eventsAreInOrder(id int64) {
	p.Helper()
	var rows []struct {
		Type      string
		Change    models.JSON
		CreatedAt time.Time
	}
	if err := p.db.WithContext(p.ctx).Raw("SELECT type, change, created_at FROM events WHERE account_id = ? AND subject = ? ORDER BY id", p.admin.AccountID, fmt.Sprint("zen:ticket:", id)).Scan(&rows).Error; err != nil {
		p.Fatal(err)
	}
	var last string
	position := 0
	var at time.Time
	for i, e := range rows {
		var change struct {
			Meta struct {
				Sequence struct {
					ID       string
					Position int
				}
			}
		}
		_ = json.Unmarshal(e.Change, &change)
		sequence := change.Meta.Sequence
		if sequence.ID != last {
			last, position = sequence.ID, 0
		}
		position++
		if sequence.Position != position || e.CreatedAt.Before(at) || sequence.ID == "" {
			p.Errorf("ticket %d, event %d: %s is number %d of change %s", id, i, e.Type, sequence.Position, sequence.ID)
		}
		at = e.CreatedAt
	}
	audits := p.count("SELECT count(*) FROM audits WHERE account_id = ? AND ticket_id = ?", p.admin.AccountID, id)
	changes := p.count("SELECT count(DISTINCT change->'meta'->'sequence'->>'id') FROM events WHERE account_id = ? AND subject = ?", p.admin.AccountID, fmt.Sprint("zen:ticket:", id))
	if len(rows) == 0 || rows[0].Type != "zen:event-type:ticket.created" || changes != audits {
		p.Errorf("ticket %d: %d events of %d changes, and %d audits", id, len(rows), changes, audits)
	}
}

// countsAreRight counts tags and incidents anew.
func (p *play) countsAreRight() {
	p.Helper()
	list, err := tags.New(p.db).List(p.ctx, p.admin, page.First(page.MaxSize))
	if err != nil {
		p.Fatal(err)
	}
	got := map[string]int64{}
	for _, c := range list.Items {
		got[c.Name] = c.Count
	}
	want := map[string]int64{}
	var rows []models.TagCount
	p.db.Raw("SELECT tag AS name, count(*) AS count FROM tickets, unnest(tags) AS tag WHERE account_id = ? AND deleted_at IS NULL GROUP BY tag", p.admin.AccountID).Scan(&rows)
	for _, r := range rows {
		want[r.Name] = r.Count
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		p.Errorf("tags %v, counted anew %v", got, want)
	}
	wrong := p.count(`SELECT count(*) FROM tickets t WHERE account_id = ? AND incident_count <> (
		SELECT count(*) FROM tickets i WHERE i.account_id = t.account_id AND i.problem_id = t.id AND i.deleted_at IS NULL)`, p.admin.AccountID)
	if wrong != 0 {
		p.Errorf("of %d tickets the incidents are miscounted", wrong)
	}
}
