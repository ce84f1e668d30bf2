package tickets

import (
	"slices"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/users"
)

// town is a world with tickets of every kind of owner, by name.
type town struct {
	*world
	tickets map[string]int64
	deleted map[string]int64
}

func newTown(t *testing.T) town {
	w := newWorld(t)
	tn := town{w, map[string]int64{}, map[string]int64{}}
	other := w.newGroup("Other")
	organization := w.organization("Org", w.gus)
	w.gus.User.OrganizationID = &organization
	bo := w.user("Bo", "end-user")
	w.row(&models.OrganizationMembership{OrganizationID: organization, UserID: bo.ID(), Stamps: models.Stamps{CreatedAt: noon, UpdatedAt: noon}})
	for name, c := range map[string]Change{
		"in Gus' group":        {GroupID: some(w.group)},
		"in another group":     {GroupID: some(other)},
		"assigned to Gus":      {AssigneeID: some(w.gus.ID()), GroupID: some(w.group)},
		"requested by Gus":     {RequesterID: some(w.gus.ID()), OrganizationID: none[int64](), GroupID: some(other)},
		"of Gus' organization": {RequesterID: some(bo.ID()), OrganizationID: some(organization), GroupID: some(other)},
		"Ann is copied":        {RequesterID: some(bo.ID()), OrganizationID: none[int64](), EmailCCIDs: []int64{w.ann.ID()}, GroupID: some(other)},
		"private":              {Comment: says("Among us", false), GroupID: some(other)},
	} {
		tn.tickets[name] = w.ticket(c).ID
		tn.deleted[name] = w.ticket(c).ID
		if err := w.Delete(w.ctx, w.admin, tn.deleted[name]); err != nil {
			t.Fatal(err)
		}
	}
	return tn
}

// gusWith is Gus with a restriction.
func (tn town) gusWith(restriction string) auth.Actor {
	a := tn.gus
	if restriction != "" {
		a.User.TicketRestriction = &restriction
	}
	return a
}

func TestWhoSeesWhichTickets(t *testing.T) {
	t.Parallel()
	tn := newTown(t)
	mine := []string{"assigned to Gus", "requested by Gus"}
	all := []string{"in Gus' group", "in another group", "assigned to Gus", "requested by Gus", "of Gus' organization", "Ann is copied", "private"}
	anns := []string{"in Gus' group", "in another group", "assigned to Gus", "Ann is copied"}
	stranger := tn.user("Stranger", "end-user")
	for _, tc := range []struct {
		who  string
		by   auth.Actor
		sees []string
	}{
		{"an admin, whatever his restriction", auth.Actor{AccountID: tn.admin.AccountID, User: admin(tn.admin.User, models.RestrictAssigned)}, all},
		{"an agent without restriction", tn.gusWith(""), all},
		{"an agent of his groups", tn.gusWith(models.RestrictGroups), append([]string{"in Gus' group"}, mine...)},
		{"an agent of his organization", tn.gusWith(models.RestrictOrganization), append([]string{"of Gus' organization"}, mine...)},
		{"an agent of what is assigned to him", tn.gusWith(models.RestrictAssigned), mine},
		{"an agent of what he requested", tn.gusWith(models.RestrictRequested), []string{"requested by Gus"}},
		{"an end user", tn.ann, anns},
		{"an end user without tickets", stranger, nil},
		{"nobody", auth.Actor{AccountID: tn.admin.AccountID}, nil},
		{"an admin of another account", auth.Actor{AccountID: tn.admin.AccountID + 1_000_000, User: tn.admin.User}, nil},
	} {
		t.Run(tc.who, func(t *testing.T) { tn.sees(t, tc.by, tc.sees) })
	}
}

func admin(u models.User, restriction string) models.User {
	u.TicketRestriction = &restriction
	return u
}

// sees checks every way to read tickets. One transaction: not in parallel.
func (tn town) sees(t *testing.T, by auth.Actor, names []string) {
	want, ids := []int64{}, []int64{}
	for name, id := range tn.tickets {
		ids = append(ids, id)
		seen := slices.Contains(names, name)
		if seen {
			want = append(want, id)
		}
		one, err := tn.Get(tn.ctx, by, id)
		if err == nil && by.Staff() && !Sees(by, &one) {
			t.Errorf("%s is seen, and not in memory", name)
		}
		if other, err := tn.Get(tn.ctx, tn.admin, id); err != nil || !seen && Sees(by, &other) {
			t.Errorf("%s is seen in memory alone (%v)", name, err)
		}
		_, listed := tn.Comments(tn.ctx, by, id, page.First(10))
		_, _, counted := tn.CountComments(tn.ctx, by, id)
		for how, err := range map[string]error{"get": err, "comments": listed, "count of comments": counted} {
			if seen != (err == nil) || err != nil && !fault.Is(err, fault.NotFound) {
				t.Errorf("%s, %s: %v", name, how, err)
			}
		}
		if by.Staff() {
			_, err := tn.Audits(tn.ctx, by, id, page.First(10))
			if seen != (err == nil) {
				t.Errorf("%s, audits: %v", name, err)
			}
			if _, err := tn.Update(tn.ctx, by, id, Change{}); seen != (err == nil) {
				t.Errorf("%s, update: %v", name, err)
			}
		}
		if _, err := tn.Get(tn.ctx, by, tn.deleted[name]); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s, deleted: %v", name, err)
		}
		tn.Visited(by, id)
	}
	slices.Sort(want)
	list, err := tn.List(tn.ctx, by, Filter{}, page.First(100))
	tn.wantIDs(t, "list", list.Items, err, want)
	many, err := tn.ShowMany(tn.ctx, by, ids)
	tn.wantIDs(t, "show many", many, err, want)
	numbered, err := tn.List(tn.ctx, by, Filter{}, page.Request{Number: 1, Size: 100})
	tn.wantIDs(t, "numbered list", numbered.Items, err, want)
	n, _, err := tn.Count(tn.ctx, by, Filter{})
	if n != len(want) || numbered.Count != len(want) || err != nil {
		t.Errorf("count %d, %d, want %d, %v", n, numbered.Count, len(want), err)
	}
	sets, err := tn.ListMetrics(tn.ctx, by, page.First(100))
	if len(sets.Items) != len(want) || err != nil {
		t.Errorf("%d metric sets, want %d, %v", len(sets.Items), len(want), err)
	}
	if !by.Staff() {
		return
	}
	recent, err := tn.Recent(tn.ctx, by)
	tn.wantIDs(t, "recent", recent, err, want)
	gone, err := tn.ListDeleted(tn.ctx, by, page.First(100))
	if len(gone.Items) != len(want) || err != nil {
		t.Errorf("%d deleted, want %d, %v", len(gone.Items), len(want), err)
	}
}

func (tn town) wantIDs(t *testing.T, what string, list []models.Ticket, err error, want []int64) {
	t.Helper()
	got := []int64{}
	for _, ticket := range list {
		got = append(got, ticket.ID)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || err != nil {
		t.Errorf("%s: %v, want %v, %v", what, got, want, err)
	}
}

func TestEndUserReadsNothingPrivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.ticket(Change{Comment: says("a secret", false)}).ID
	if _, err := w.Get(w.ctx, w.ann, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("a ticket without public comments: %v", err)
	}
	w.change(id, Change{Comment: says("Hello Ann")})
	w.change(id, Change{Comment: says("another secret", false)})
	seen, err := w.Get(w.ctx, w.ann, id)
	if shown, _, err := w.Show(w.ctx, w.ann, id); err != nil || shown.Description != seen.Description || shown.Subject != nil {
		t.Errorf("shown %+v, %v", shown, err)
	}
	if err != nil || seen.Description != "Hello Ann" {
		t.Errorf("description %q, %v", seen.Description, err)
	}
	list, err := w.List(w.ctx, w.ann, Filter{}, page.First(10))
	if err != nil || len(list.Items) != 1 || list.Items[0].Description != "Hello Ann" {
		t.Errorf("%+v, %v", list.Items, err)
	}
	comments, err := w.Comments(w.ctx, w.ann, id, page.First(10))
	if err != nil || len(comments.Items) != 1 || comments.Items[0].Body != "Hello Ann" {
		t.Errorf("%+v, %v", comments.Items, err)
	}
	if n, _, err := w.CountComments(w.ctx, w.ann, id); n != 1 || err != nil {
		t.Errorf("%d comments, %v", n, err)
	}
	all, err := w.Comments(w.ctx, w.gus, id, page.First(10))
	if err != nil || len(all.Items) != 3 {
		t.Fatalf("an agent reads %d comments, %v", len(all.Items), err)
	}
	secret, public := all.Items[0], all.Items[1]
	w.refused(w.Seen(w.ctx, w.ann, id, secret.ID), fault.NotFound, "comment")
	if err := w.Seen(w.ctx, w.ann, id, public.ID); err != nil {
		t.Error(err)
	}
	for what, call := range map[string]func() error{
		"audits":           func() error { _, err := w.Audits(w.ctx, w.ann, id, page.First(10)); return err },
		"an audit":         func() error { _, err := w.Audit(w.ctx, w.ann, id, secret.AuditID); return err },
		"count of audits":  func() error { _, _, err := w.CountAudits(w.ctx, w.ann, id); return err },
		"all audits":       func() error { _, err := w.AllAudits(w.ctx, w.ann, page.First(10)); return err },
		"last audits":      func() error { _, err := w.LastAudits(w.ctx, w.ann, []int64{id}); return err },
		"redact":           func() error { _, err := w.Redact(w.ctx, w.ann, id, public.ID, "Ann"); return err },
		"make private":     func() error { return w.MakePrivate(w.ctx, w.ann, id, public.ID) },
		"delete":           func() error { return w.Delete(w.ctx, w.ann, id) },
		"restore":          func() error { return w.Restore(w.ctx, w.ann, id) },
		"deleted tickets":  func() error { _, err := w.ListDeleted(w.ctx, w.ann, page.First(10)); return err },
		"an agent's audit": func() error { _, err := w.AllAudits(w.ctx, w.gus, page.First(10)); return err },
	} {
		if err := call(); !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := w.MakePrivate(w.ctx, w.gus, id, public.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get(w.ctx, w.ann, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("all is private now: %v", err)
	}
}

func TestSharedTicketsOfAnOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bo := w.user("Bo", "end-user")
	organization := w.organization("Org", w.ann, bo)
	id := w.ticket(Change{OrganizationID: some(organization)}).ID
	if _, err := w.Get(w.ctx, bo, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("a colleague's ticket: %v", err)
	}
	if err := w.db.Exec("UPDATE organizations SET shared_tickets = true WHERE account_id = ? AND id = ?", w.admin.AccountID, organization).Error; err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get(w.ctx, bo, id); err != nil {
		t.Errorf("a shared ticket: %v", err)
	}
}

func TestAgentOfPrivateCommentsWritesNoOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	yes := true
	light := w.user("Light", "agent", func(c *users.Change) { c.OnlyPrivateComments = &yes })
	id := w.ticket(Change{}).ID
	saved, err := w.Update(w.ctx, light, id, Change{Comment: says("x", true)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range saved.Audit.Comments {
		if c.Public {
			t.Error("the comment is public")
		}
	}
	if len(saved.Audit.Comments) != 1 {
		t.Errorf("%d comments", len(saved.Audit.Comments))
	}
}
