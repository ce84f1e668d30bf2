package tickets

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
)

// walked are the ids of a listing, size at a time.
func (w *world) walked(t *testing.T, by auth.Actor, f Filter, r page.Request) []int64 {
	t.Helper()
	return walk(t, r, func(r page.Request) (Listed, error) { return w.List(w.ctx, by, f, r) })
}

// walk turns the pages of a list from r on, and returns the ids on them.
func walk(t *testing.T, r page.Request, turn func(page.Request) (Listed, error)) []int64 {
	t.Helper()
	var ids []int64
	for range 1000 {
		list, err := turn(r)
		if err != nil {
			t.Fatalf("%+v: %v", r, err)
		}
		for _, ticket := range list.Items {
			ids = append(ids, ticket.ID)
		}
		if len(list.Items) > 0 && list.Config == nil {
			t.Errorf("%+v: tickets without the set-up that they are shown with", r)
		}
		if !list.HasMore {
			return ids
		}
		r.After, r.Number = list.After, r.Number+1
	}
	t.Fatalf("%+v does not end", r)
	return nil
}

// Whoever sees a part of the tickets only pages through it as through a list of
// its own, in every order.
func TestPagesOfWhatIsSeen(t *testing.T) {
	t.Parallel()
	tn := newTown(t)
	for id := range tn.tickets {
		tn.tick(1e9)
		tn.change(tn.tickets[id], Change{Tags: []string{"changed"}})
	}
	for who, by := range map[string]auth.Actor{
		"groups": tn.gusWith(models.RestrictGroups), "assigned": tn.gusWith(models.RestrictAssigned),
		"organization": tn.gusWith(models.RestrictOrganization), "all": tn.gusWith(""), "end user": tn.ann,
	} {
		all := tn.walked(t, by, Filter{}, page.Request{Number: 1, Size: 100})
		if len(all) < 2 {
			t.Fatalf("%s sees %v", who, all)
		}
		for _, sort := range []string{"", "id", "updated_at", "created_at", "status", "subject", "requester", "assignee", "group", "requester.name", "assignee.name", "locale"} {
			for _, desc := range []bool{false, true} {
				want := tn.walked(t, by, Filter{}, page.Request{Number: 1, Size: 100, Sort: sort, Desc: desc})
				if !slices.Equal(slices.Sorted(slices.Values(want)), all) {
					t.Errorf("%s by %s: %v, want %v", who, sort, want, all)
				}
				if got := tn.walked(t, by, Filter{}, page.Request{Number: 1, Size: 1, Sort: sort, Desc: desc}); !slices.Equal(got, want) {
					t.Errorf("%s by %s, numbered: %v, want %v", who, sort, got, want)
				}
				_, cursor := orders[sort]
				if !cursor && sort != "" {
					continue
				}
				if got := tn.walked(t, by, Filter{}, page.Request{Cursor: true, Size: 1, Sort: sort, Desc: desc}); !slices.Equal(got, want) {
					t.Errorf("%s by %s, with cursors: %v, want %v", who, sort, got, want)
				}
				last, err := tn.List(tn.ctx, by, Filter{}, page.Request{Cursor: true, Size: 100, Sort: sort, Desc: desc})
				if err != nil {
					t.Fatal(err)
				}
				back, err := tn.List(tn.ctx, by, Filter{}, page.Request{Cursor: true, Size: 1, Sort: sort, Desc: desc, Before: last.After})
				if err != nil || len(back.Items) != 1 || back.Items[0].ID != want[len(want)-2] {
					t.Errorf("%s by %s, back: %+v, %v", who, sort, back.Items, err)
				}
			}
		}
		for name, f := range map[string]Filter{
			"of Ann": {Requester: tn.ann.ID()}, "of Gus": {Assignee: tn.gus.ID()}, "copied to Ann": {CCd: tn.ann.ID()},
			"of the organization": {Organization: *tn.gus.User.OrganizationID}, "new": {Statuses: []string{models.StatusNew}},
		} {
			var want []int64
			for _, id := range all {
				ticket, err := tn.Get(tn.ctx, by, id)
				if err != nil {
					t.Fatal(err)
				}
				if f.Requester != 0 && ticket.RequesterID == f.Requester || f.Assignee != 0 && ticket.AssigneeID != nil && *ticket.AssigneeID == f.Assignee ||
					slices.Contains(ticket.EmailCCIDs, f.CCd) || f.Organization != 0 && ticket.OrganizationID != nil && *ticket.OrganizationID == f.Organization ||
					slices.Contains(f.Statuses, ticket.Status) {
					want = append(want, id)
				}
			}
			for _, r := range []page.Request{{Number: 1, Size: 1}, {Cursor: true, Size: 1}} {
				if got := tn.walked(t, by, f, r); !slices.Equal(got, want) {
					t.Errorf("%s, %s: %v, want %v", who, name, got, want)
				}
			}
			if n, _, err := tn.Count(tn.ctx, by, f); n != len(want) || err != nil {
				t.Errorf("%s, %s: %d, want %d, %v", who, name, n, len(want), err)
			}
		}
	}
}

// Beyond what pages reach, lists by names are read in another way; the order is
// the same.
func TestOrderByNamesOfManyTickets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bo := w.user("bo", "end-user")
	second := w.user("Alf", "agent")
	id := w.ticket(Change{}).ID
	columns := strings.Split(ticketColumns, ",")
	for i, name := range columns {
		columns[i] = strings.TrimSpace(name)
	}
	values := slices.Clone(columns)
	values[slices.Index(columns, "id")] = "1000 + n"
	values[slices.Index(columns, "requester_id")] = fmt.Sprintf("(ARRAY[%d, %d, %d])[1 + n %% 3]", w.ann.ID(), bo.ID(), w.gus.ID())
	values[slices.Index(columns, "assignee_id")] = fmt.Sprintf("(ARRAY[%d, %d, NULL])[1 + n / 7 %% 3]", w.gus.ID(), second.ID())
	err := w.db.WithContext(w.ctx).Exec("INSERT INTO tickets ("+ticketColumns+") SELECT "+strings.Join(values, ",")+
		" FROM tickets, generate_series(1, ?) AS n WHERE account_id = ? AND id = ?", page.MaxOffset+50, w.admin.AccountID, id).Error
	if err != nil {
		t.Fatal(err)
	}
	for sort, by := range map[string]string{
		"requester.name": "lower(u.name) %[1]s, u.id %[1]s, t.id %[1]s", "assignee.name": "lower(a.name) %[1]s, a.id %[1]s, t.id %[1]s", "locale": "u.locale %[1]s, u.id %[1]s, t.id %[1]s",
	} {
		for _, desc := range []bool{false, true} {
			for _, number := range []int{1, 67, 100} {
				var want []int64
				direction := map[bool]string{false: "ASC", true: "DESC"}[desc]
				err := w.db.WithContext(w.ctx).Raw("SELECT t.id FROM tickets t JOIN users u ON u.account_id = t.account_id AND u.id = t.requester_id "+
					"LEFT JOIN users a ON a.account_id = t.account_id AND a.id = t.assignee_id WHERE t.account_id = ? ORDER BY "+fmt.Sprintf(by, direction)+" LIMIT 100 OFFSET ?",
					w.admin.AccountID, (number-1)*100).Scan(&want).Error
				if err != nil {
					t.Fatal(err)
				}
				list, err := w.List(w.ctx, w.admin, Filter{}, page.Request{Number: number, Size: 100, Sort: sort, Desc: desc})
				if err != nil {
					t.Fatal(err)
				}
				var got []int64
				for _, ticket := range list.Items {
					got = append(got, ticket.ID)
				}
				if !slices.Equal(got, want) || list.Count != page.MaxOffset+51 {
					t.Errorf("%s %s, page %d: %v of %d, want %v", sort, direction, number, got[:3], list.Count, want[:3])
				}
			}
		}
	}
}

// The index of copies follows whatever writes tickets.
func TestCopiesAreIndexed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	bo, cy := w.user("Bo", "end-user"), w.user("Cy", "end-user")
	id := w.ticket(Change{EmailCCIDs: []int64{bo.ID()}}).ID
	w.ticket(Change{})
	has := func(want ...int64) {
		t.Helper()
		var got []int64
		if err := w.db.WithContext(w.ctx).Raw("SELECT user_id FROM ticket_ccs WHERE account_id = ? ORDER BY user_id", w.admin.AccountID).Scan(&got).Error; err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("copied are %v, want %v", got, want)
		}
	}
	has(bo.ID())
	w.change(id, Change{EmailCCIDs: []int64{cy.ID(), bo.ID()}})
	has(bo.ID(), cy.ID())
	w.change(id, Change{EmailCCIDs: []int64{cy.ID()}, Subject: some("x")})
	has(cy.ID())
	w.change(id, Change{EmailCCIDs: []int64{}})
	has()
	w.change(id, Change{EmailCCIDs: []int64{bo.ID()}})
	if err := w.db.WithContext(w.ctx).Exec("DELETE FROM tickets WHERE account_id = ? AND id = ?", w.admin.AccountID, id).Error; err != nil {
		t.Fatal(err)
	}
	has()
}
