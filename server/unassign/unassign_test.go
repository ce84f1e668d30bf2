package unassign

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/groups"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/sla"
	"github.com/helpd/helpd/server/testdb"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

var clock = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)

// desk is an account with the services of tickets.
type desk struct {
	worker
	t     *testing.T
	admin auth.Actor
	ctx   context.Context
}

var subdomains atomic.Int64

func newDesk(t *testing.T) *desk {
	t.Helper()
	db := testdb.Tx(t)
	now := func() time.Time { return clock }
	name := fmt.Sprintf("acme%d", subdomains.Add(1))
	account, admin, err := accounts.Create(t.Context(), db, clock, accounts.New{
		Subdomain: name, Name: "Acme", AdminName: "Ada", AdminEmail: "ada@" + name + ".example",
	})
	if err != nil {
		t.Fatal(err)
	}
	config := fields.New(db, now, nil)
	queue, err := jobs.New(db, "postgres://nowhere.invalid/", auth.New(db, now), now, slog.Default())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Stop(context.Background()) })
	people := users.New(db, auth.New(db, now), config, now)
	files := attachments.New(db, nil, now, attachments.Options{})
	d := &desk{t: t, admin: auth.Actor{AccountID: account.ID, User: admin}}
	d.worker = worker{db, config, organizations.New(db, auth.New(db, now), config, queue, now),
		tickets.New(db, config, people, files, rulebook.New(db, config, files, now), sla.New(db, config, now), now), slog.Default()}
	d.ctx = auth.With(context.Background(), d.admin)
	return d
}

func (d *desk) create(row any) {
	d.t.Helper()
	if err := d.db.WithContext(d.ctx).Create(row).Error; err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) user(role string) models.User {
	d.t.Helper()
	u := models.User{
		Name: role, Role: role, Active: true, TimeZone: "UTC", Locale: "en-US", UserFields: models.JSON("{}"),
		Stamps: models.Stamps{CreatedAt: clock, UpdatedAt: clock},
	}
	d.create(&u)
	return u
}

func (d *desk) group(members ...models.User) models.Group {
	d.t.Helper()
	g := models.Group{Name: "Tier 2", IsPublic: true, Stamps: models.Stamps{CreatedAt: clock, UpdatedAt: clock}}
	d.create(&g)
	for _, u := range members {
		d.join(u, g)
	}
	return g
}

func (d *desk) join(u models.User, g models.Group) {
	d.t.Helper()
	d.create(&models.GroupMembership{UserID: u.ID, GroupID: g.ID, Stamps: models.Stamps{CreatedAt: clock, UpdatedAt: clock}})
}

// leave ends a membership without what follows.
func (d *desk) leave(u models.User, g models.Group) {
	d.t.Helper()
	err := d.db.WithContext(d.ctx).Delete(&models.GroupMembership{}, "user_id = ? AND group_id = ?", u.ID, g.ID).Error
	if err != nil {
		d.t.Fatal(err)
	}
}

// ticket makes a ticket in a state.
func (d *desk) ticket(c tickets.Change, status string) int64 {
	d.t.Helper()
	c.Comment = &tickets.NewComment{Body: "It does not start"}
	saved, err := d.tickets.Create(d.ctx, d.admin, c)
	if err != nil {
		d.t.Fatal(err)
	}
	// The way there does not matter, and closing takes a job.
	err = d.db.WithContext(d.ctx).Model(&models.Ticket{}).Where("id = ?", saved.Ticket.ID).Update("status", status).Error
	if err != nil {
		d.t.Fatal(err)
	}
	return saved.Ticket.ID
}

func assigned(u models.User, g models.Group) tickets.Change {
	return tickets.Change{AssigneeID: nullable.NewNullableWithValue(u.ID), GroupID: nullable.NewNullableWithValue(g.ID)}
}

func (d *desk) wantTicket(id int64, group, assignee *int64) {
	d.t.Helper()
	var t models.Ticket
	if err := d.db.WithContext(d.ctx).Take(&t, "id = ?", id).Error; err != nil {
		d.t.Fatal(err)
	}
	if show(t.GroupID) != show(group) || show(t.AssigneeID) != show(assignee) {
		d.t.Errorf("ticket %d (%s): group %s and assignee %s, want %s and %s", id, t.Status, show(t.GroupID), show(t.AssigneeID), show(group), show(assignee))
	}
}

func show(id *int64) string {
	if id == nil {
		return "none"
	}
	return fmt.Sprint(*id)
}

func TestAgentWhoLeftKeepsNoTickets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	agent, heir := d.user(models.RoleAgent), d.user(models.RoleAgent)
	g := d.group(agent, heir)
	other := d.group(agent)
	open := d.ticket(assigned(agent, g), models.StatusOpen)
	solved := d.ticket(assigned(agent, g), models.StatusSolved)
	closed := d.ticket(assigned(agent, g), models.StatusClosed)
	elsewhere := d.ticket(assigned(agent, other), models.StatusOpen)
	heirs := d.ticket(assigned(heir, g), models.StatusOpen)
	d.leave(agent, g)

	if err := d.groupLeft(d.ctx, groups.Left{AccountID: d.admin.AccountID, GroupID: g.ID, UserID: agent.ID}); err != nil {
		t.Fatal(err)
	}
	d.wantTicket(open, &g.ID, nil)
	d.wantTicket(solved, &g.ID, &heir.ID)
	d.wantTicket(closed, &g.ID, &agent.ID)
	d.wantTicket(elsewhere, &other.ID, &agent.ID)
	d.wantTicket(heirs, &g.ID, &heir.ID)

	var events []string
	err := d.db.Raw("SELECT events FROM audits WHERE account_id = ? AND ticket_id = ? AND author_id = ?",
		d.admin.AccountID, open, models.SystemUser).Scan(&events).Error
	if err != nil || len(events) != 1 {
		t.Fatalf("audits %v, %v", events, err)
	}
	var list []map[string]any
	if err := json.Unmarshal([]byte(events[0]), &list); err != nil || len(list) != 1 || list[0]["field_name"] != "assignee_id" {
		t.Errorf("audited %s", events[0])
	}
}

func TestAgentWhoCameBackKeepsTickets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	agent := d.user(models.RoleAgent)
	g := d.group(agent)
	open := d.ticket(assigned(agent, g), models.StatusOpen)
	if err := d.groupLeft(d.ctx, groups.Left{AccountID: d.admin.AccountID, GroupID: g.ID, UserID: agent.ID}); err != nil {
		t.Fatal(err)
	}
	d.wantTicket(open, &g.ID, &agent.ID)
}

func TestDemotedAgentHasNoTickets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	agent := d.user(models.RoleAgent)
	g := d.group(agent)
	open, solved := d.ticket(assigned(agent, g), models.StatusOpen), d.ticket(assigned(agent, g), models.StatusSolved)
	if err := d.demoted(d.ctx, d.admin.AccountID, agent.ID); err != nil {
		t.Fatal(err)
	}
	d.wantTicket(open, &g.ID, &agent.ID) // an agent still, or again

	d.leave(agent, g)
	if err := d.db.WithContext(d.ctx).Model(&agent).Update("role", models.RoleEndUser).Error; err != nil {
		t.Fatal(err)
	}
	if err := d.demoted(d.ctx, d.admin.AccountID, agent.ID); err != nil {
		t.Fatal(err)
	}
	d.wantTicket(open, &g.ID, nil)
	d.wantTicket(solved, &g.ID, nil) // nobody is left in the group
}

func TestDeletedGroupHasNoTickets(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	agent := d.user(models.RoleAgent)
	g := d.group(agent)
	nobodys := d.ticket(tickets.Change{GroupID: nullable.NewNullableWithValue(g.ID)}, models.StatusOpen)
	closed := d.ticket(assigned(agent, g), models.StatusClosed)
	agents := d.ticket(assigned(agent, g), models.StatusOpen)
	d.leave(agent, g)
	other := d.group(agent)
	err := d.db.WithContext(d.ctx).Model(&g).Update("deleted", true).Error
	if err != nil {
		t.Fatal(err)
	}
	if err := d.groupLeft(d.ctx, groups.Left{AccountID: d.admin.AccountID, GroupID: g.ID}); err != nil {
		t.Fatal(err)
	}
	d.wantTicket(nobodys, nil, nil)
	d.wantTicket(closed, &g.ID, &agent.ID)
	d.wantTicket(agents, &other.ID, &agent.ID) // stays with the agent, in a group of his
}

func TestOrganizationIsTakenFromTicketsOfThoseWhoLeft(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	o := models.Organization{Name: "Globex", OrganizationFields: models.JSON("{}"), Stamps: models.Stamps{CreatedAt: clock, UpdatedAt: clock}}
	d.create(&o)
	left, stays := d.user(models.RoleEndUser), d.user(models.RoleEndUser)
	for _, u := range []models.User{left, stays} {
		d.create(&models.OrganizationMembership{UserID: u.ID, OrganizationID: o.ID, Default: true, Stamps: models.Stamps{CreatedAt: clock, UpdatedAt: clock}})
		if err := d.db.WithContext(d.ctx).Model(&u).Update("organization_id", o.ID).Error; err != nil {
			t.Fatal(err)
		}
	}
	of := func(u models.User) tickets.Change {
		return tickets.Change{RequesterID: nullable.NewNullableWithValue(u.ID), OrganizationID: nullable.NewNullableWithValue(o.ID)}
	}
	gone, solved, closed := d.ticket(of(left), models.StatusOpen), d.ticket(of(left), models.StatusSolved), d.ticket(of(left), models.StatusClosed)
	kept := d.ticket(of(stays), models.StatusOpen)
	if err := d.db.WithContext(d.ctx).Delete(&models.OrganizationMembership{}, "user_id = ?", left.ID).Error; err != nil {
		t.Fatal(err)
	}
	organization := func(id int64) string {
		t.Helper()
		var found models.Ticket
		if err := d.db.WithContext(d.ctx).Take(&found, "id = ?", id).Error; err != nil {
			t.Fatal(err)
		}
		return show(found.OrganizationID)
	}
	want := func(id int64, organizationID *int64) {
		t.Helper()
		if got := organization(id); got != show(organizationID) {
			t.Errorf("ticket %d: organization %s, want %s", id, got, show(organizationID))
		}
	}
	if err := d.organizationLeft(d.ctx, organizations.Left{AccountID: d.admin.AccountID, OrganizationID: o.ID, UserID: left.ID}); err != nil {
		t.Fatal(err)
	}
	want(gone, nil)
	want(solved, nil)
	want(closed, &o.ID)
	want(kept, &o.ID)

	if err := d.db.WithContext(d.ctx).Delete(&models.OrganizationMembership{}, "organization_id = ?", o.ID).Error; err != nil {
		t.Fatal(err)
	}
	if err := d.organizationLeft(d.ctx, organizations.Left{AccountID: d.admin.AccountID, OrganizationID: o.ID}); err != nil {
		t.Fatal(err)
	}
	want(kept, nil)
}
