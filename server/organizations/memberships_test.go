package organizations_test

import (
	"fmt"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/testdb"
)

func (w *world) join(u models.User, o models.Organization) organizations.Membership {
	w.t.Helper()
	m, err := w.Join(w.ctx(), w.admin, 0, organizations.NewMembership{UserID: u.ID, OrganizationID: o.ID})
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// organizationOf is a user's own note of his default organization.
func (w *world) organizationOf(u models.User) *int64 {
	w.t.Helper()
	if err := w.db.WithContext(w.ctx()).Take(&u, "id = ?", u.ID).Error; err != nil {
		w.t.Fatal(err)
	}
	return u.OrganizationID
}

// defaults are the organizations of a user's default memberships.
func (w *world) defaults(u models.User) []int64 {
	w.t.Helper()
	var out []int64
	err := w.db.WithContext(w.ctx()).Model(&models.OrganizationMembership{}).
		Where(`user_id = ? AND "default"`, u.ID).Pluck("organization_id", &out).Error
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func of(list []organizations.Membership) []string {
	out := []string{}
	for _, m := range list {
		name := m.OrganizationName
		if m.Default {
			name += "*"
		}
		out = append(out, name)
	}
	return out
}

func TestTheFirstMembershipIsTheDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	b, a, c := w.organization("B"), w.organization("A"), w.organization("C")
	u := w.user(models.RoleEndUser)
	first := w.join(u, b)
	same(t, first.Default, true)
	same(t, first.OrganizationName, "B")
	same(t, w.join(u, a).Default, false)
	same(t, *w.organizationOf(u), b.ID)

	last, err := w.Join(w.ctx(), w.admin, 0, organizations.NewMembership{UserID: u.ID, OrganizationID: c.ID, Default: true, ViewTickets: true})
	if err != nil || !last.Default || !last.ViewTickets {
		t.Errorf("asked to be the default: %v %v", last, err)
	}
	same(t, w.defaults(u), []int64{c.ID})
	same(t, *w.organizationOf(u), c.ID)

	r, err := w.Memberships(w.ctx(), w.admin, organizations.Of{UserID: u.ID}, page.First(2))
	same(t, of(r.Items), []string{"C*", "A"})
	same(t, err, nil)
	r, err = w.Memberships(w.ctx(), w.admin, organizations.Of{UserID: u.ID}, page.Request{Cursor: true, Size: 2, After: r.After})
	same(t, of(r.Items), []string{"B"})
	same(t, err, nil)
	orgs, err := w.OfUser(w.ctx(), w.admin, u.ID, page.First(10))
	same(t, names(orgs.Items), []string{"B", "A", "C"})
	same(t, err, nil)
	same(t, w.events(fmt.Sprintf("zen:user:%d", u.ID))[0], "zen:event-type:user.organization_membership_created")
}

func TestLeavingTheDefaultPromotesTheOldest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	a, b, c := w.organization("A"), w.organization("B"), w.organization("C")
	u := w.user(models.RoleEndUser)
	first := w.join(u, a)
	w.join(u, c)
	last := w.join(u, b)

	is(t, w.Leave(w.ctx(), w.admin, w.admin.ID(), first.ID), fault.NotFound) // another user's
	is(t, w.Leave(w.ctx(), w.actor(u), u.ID, first.ID), fault.Forbidden)
	same(t, w.Leave(w.ctx(), w.admin, u.ID, first.ID), nil)
	is(t, w.Leave(w.ctx(), w.admin, 0, first.ID), fault.NotFound)
	same(t, w.defaults(u), []int64{c.ID})
	same(t, *w.organizationOf(u), c.ID)
	same(t, w.enqueued(), []organizations.Left{{AccountID: w.account, OrganizationID: a.ID, UserID: u.ID}})

	same(t, w.Leave(w.ctx(), w.admin, 0, last.ID), nil)
	same(t, w.defaults(u), []int64{c.ID})
	is(t, w.LeaveOrganization(w.ctx(), w.admin, u.ID, b.ID), fault.NotFound)
	same(t, w.LeaveOrganization(w.ctx(), w.admin, u.ID, c.ID), nil)
	same(t, w.organizationOf(u), nil)
}

func TestWhoSeesMemberships(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	o, other := w.organization("Globex"), w.organization("Initech")
	u, v := w.user(models.RoleEndUser), w.user(models.RoleEndUser)
	mine := w.join(u, o)
	theirs := w.join(v, o)
	w.join(v, other)
	ids := func(r page.Result[organizations.Membership], err error) []int64 {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		out := []int64{}
		for _, m := range r.Items {
			out = append(out, m.ID)
		}
		return out
	}
	by := w.actor(u)
	same(t, ids(w.Memberships(w.ctx(), by, organizations.Of{}, page.First(10))), []int64{mine.ID})
	same(t, ids(w.Memberships(w.ctx(), by, organizations.Of{UserID: u.ID}, page.First(10))), []int64{mine.ID})
	_, err := w.Memberships(w.ctx(), by, organizations.Of{UserID: v.ID}, page.First(10))
	is(t, err, fault.Forbidden)
	_, err = w.Memberships(w.ctx(), by, organizations.Of{OrganizationID: o.ID}, page.First(10))
	is(t, err, fault.Forbidden)
	_, err = w.Membership(w.ctx(), by, 0, theirs.ID)
	is(t, err, fault.NotFound)

	same(t, ids(w.Memberships(w.ctx(), w.admin, organizations.Of{OrganizationID: o.ID}, page.First(10))), []int64{mine.ID, theirs.ID})
	_, err = w.Memberships(w.ctx(), w.admin, organizations.Of{OrganizationID: 404}, page.First(10))
	is(t, err, fault.NotFound)
	_, err = w.Memberships(w.ctx(), w.admin, organizations.Of{UserID: 404}, page.First(10))
	is(t, err, fault.NotFound)
}

func TestWhoMayJoin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	o := w.organization("Globex")
	u, agent := w.user(models.RoleEndUser), w.user(models.RoleAgent)
	join := func(by, user models.User) error {
		_, err := w.Join(w.ctx(), w.actor(by), 0, organizations.NewMembership{UserID: user.ID, OrganizationID: o.ID})
		return err
	}
	is(t, join(u, u), fault.Forbidden)
	is(t, join(agent, agent), fault.Forbidden) // it would widen what he sees
	same(t, join(agent, u), nil)
	same(t, join(w.admin.User, agent), nil)
}
