package groups_test

import (
	"fmt"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/groups"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/testdb"
)

func TestTheFirstMembershipIsTheDefault(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	a, b, c := w.group("A"), w.group("B"), w.group("C")
	u := w.user(models.RoleAgent)
	same(t, w.join(u, b).Default, true)
	same(t, w.join(u, a).Default, false)
	m, err := w.Join(w.ctx(), w.admin, 0, groups.NewMembership{UserID: u.ID, GroupID: c.ID, Default: true})
	same(t, []any{m.Default, err}, []any{true, nil})
	memberships, own := w.defaults(u)
	same(t, memberships, []int64{c.ID})
	same(t, *own, c.ID)
	var types []string
	if err := w.db.Raw("SELECT type FROM events WHERE account_id = ? AND subject = ?", w.account.ID, fmt.Sprint("zen:user:", u.ID)).Scan(&types).Error; err != nil {
		t.Fatal(err)
	}
	created := "zen:event-type:user.group_membership_created"
	same(t, types, []string{created, created, created})
}

func TestJoinRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	u := w.user(models.RoleAgent)
	gone := w.group("Gone")
	same(t, w.Delete(w.ctx(), w.admin, gone.ID), nil)
	w.join(u, w.support)
	join := func(by auth.Actor, user, group int64) error {
		_, err := w.Join(w.ctx(), by, 0, groups.NewMembership{UserID: user, GroupID: group})
		return err
	}
	wrong(t, join(w.admin, u.ID, w.support.ID), "user_id", fault.CodeDuplicate)
	wrong(t, join(w.admin, u.ID, gone.ID), "group_id", fault.CodeInvalid)
	wrong(t, join(w.admin, 404, w.support.ID), "user_id", fault.CodeInvalid)
	wrong(t, join(w.admin, w.user(models.RoleEndUser).ID, w.support.ID), "user_id", fault.CodeInvalid)
	wrong(t, join(w.admin, w.user(models.RoleAgent, func(u *models.User) { u.Active = false }).ID, w.support.ID), "user_id", fault.CodeInvalid)
	is(t, join(w.actor(u), u.ID, w.group("Other").ID), fault.Forbidden)
}

func TestLeaving(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	u := w.user(models.RoleAgent)
	first := w.join(u, w.group("A"))
	c := w.group("C")
	middle := w.join(u, c)
	last := w.join(u, w.group("B"))

	is(t, w.Leave(w.ctx(), w.admin, w.admin.ID(), first.ID), fault.NotFound) // another user's
	is(t, w.Leave(w.ctx(), w.actor(u), u.ID, first.ID), fault.Forbidden)
	same(t, w.Leave(w.ctx(), w.admin, u.ID, first.ID), nil)
	is(t, w.Leave(w.ctx(), w.admin, 0, first.ID), fault.NotFound)
	memberships, own := w.defaults(u)
	same(t, memberships, []int64{c.ID})
	same(t, *own, c.ID)
	same(t, w.enqueued(), []groups.Left{{AccountID: w.account.ID, GroupID: first.GroupID, UserID: u.ID}})
	same(t, w.Leave(w.ctx(), w.admin, 0, last.ID), nil)
	memberships, _ = w.defaults(u)
	same(t, memberships, []int64{c.ID})
	wrong(t, w.Leave(w.ctx(), w.admin, 0, middle.ID), "base", fault.CodeInvalid)
	memberships, own = w.defaults(u)
	same(t, memberships, []int64{c.ID})
	same(t, *own, c.ID)
	if err := w.db.WithContext(w.ctx()).Model(&u).Update("role", models.RoleEndUser).Error; err != nil {
		t.Fatal(err)
	}
	same(t, w.Leave(w.ctx(), w.admin, 0, middle.ID), nil)
}

func TestMembershipLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	g := w.group("Tier 2")
	light := 1
	u := w.user(models.RoleAgent)
	commenter := w.user(models.RoleAgent, func(u *models.User) { u.RoleType = &light })
	suspended := w.user(models.RoleAgent, func(u *models.User) { u.Suspended = true })
	first := w.join(u, g)
	second, third := w.join(commenter, g), w.join(suspended, g)
	list := func(of groups.Of) []int64 {
		t.Helper()
		r, err := w.Memberships(w.ctx(), w.actor(u), of, page.First(10))
		if err != nil {
			t.Fatal(err)
		}
		ids := []int64{}
		for _, m := range r.Items {
			ids = append(ids, m.ID)
		}
		return ids
	}
	same(t, list(groups.Of{GroupID: g.ID}), []int64{first.ID, second.ID, third.ID})
	same(t, list(groups.Of{GroupID: g.ID, Assignable: true}), []int64{first.ID})
	same(t, list(groups.Of{UserID: commenter.ID}), []int64{second.ID})
	same(t, len(list(groups.Of{})), 4)
	same(t, len(list(groups.Of{Assignable: true})), 2)

	_, err := w.Memberships(w.ctx(), w.admin, groups.Of{GroupID: 404}, page.First(10))
	is(t, err, fault.NotFound)
	_, err = w.Memberships(w.ctx(), w.admin, groups.Of{UserID: 404}, page.First(10))
	is(t, err, fault.NotFound)
	_, err = w.Memberships(w.ctx(), w.actor(w.user(models.RoleEndUser)), groups.Of{}, page.First(10))
	is(t, err, fault.Forbidden)
	m, err := w.Membership(w.ctx(), w.actor(u), u.ID, first.ID)
	same(t, []any{m.GroupID, err}, []any{g.ID, nil})
	_, err = w.Membership(w.ctx(), w.actor(u), commenter.ID, first.ID)
	is(t, err, fault.NotFound)
}
