package users

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

func TestUpdateChangesWhatIsPresent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.update(w.ann.ID, Change{
		Alias: str("A"), Details: str("d"), Notes: str("n"), Tags: []string{"x"}, ExternalID: str("e"), Suspended: new(true),
		TimeZone: new("Tokyo"), LocaleID: new(int64(67)),
	})
	if *u.Alias != "A" || !u.Suspended || u.Locale != "ja" || u.Name != "Ann" || u.TimeZone != "Tokyo" {
		t.Errorf("changed: %+v", u)
	}
	u = w.update(w.ann.ID, Change{Alias: nullable.NewNullNullable[string](), Notes: str(""), Tags: []string{}})
	if u.Alias != nil || u.Notes != nil || len(u.Tags) != 0 || *u.Details != "d" || !u.Suspended {
		t.Errorf("cleared: %+v", u)
	}
	want := "created identity_created alias_changed details_changed external_id_changed notes_changed suspended_changed time_zone_changed tags_changed " +
		"alias_changed notes_changed tags_changed"
	if got := w.happened(u.ID); got != want {
		t.Errorf("events: %s", got)
	}
}

func TestAnotherAddressIsAddedNotReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.update(w.ann.ID, Change{Email: str("ann@second.test")})
	ids, err := w.Identities(w.ctx, w.admin, u.ID)
	if err != nil || *u.Email != "ann@example.com" || len(ids) != 2 || ids[1].Primary {
		t.Errorf("after another address: %+v, %+v, %v", u, ids, err)
	}
	w.update(u.ID, Change{Email: str("ANN@second.test")}) // an echo
	_, err = w.Update(w.ctx, w.admin, u.ID, Change{Email: str("gus@acme.test")})
	w.refused(err, fault.Invalid, "Email: gus@acme.test is already being used by another user")
}

func TestFirstAddressBecomesPrimary(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	org := w.organization("Mapped", "mapped.test")
	u := w.create(Change{Name: new("No address")})
	u = w.update(u.ID, Change{Email: str("x@mapped.test")})
	if value(u.Email) != "x@mapped.test" || value(u.OrganizationID) != org {
		t.Errorf("user: %+v", u)
	}
}

func TestOrganizationIsSetAndLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.organization("One"), w.organization("Two")
	w.update(w.ann.ID, Change{OrganizationID: num(one)})
	u := w.update(w.ann.ID, Change{OrganizationID: num(two)})
	memberships := func() (ids, defaults []int64) {
		var all []models.OrganizationMembership
		if err := w.tx.WithContext(w.ctx).Order("id").Find(&all, "user_id = ?", u.ID).Error; err != nil {
			t.Fatal(err)
		}
		for _, m := range all {
			ids = append(ids, m.OrganizationID)
			if m.Default {
				defaults = append(defaults, m.OrganizationID)
			}
		}
		return ids, defaults
	}
	if ids, defaults := memberships(); !slices.Equal(ids, []int64{one, two}) || !slices.Equal(defaults, []int64{two}) || *u.OrganizationID != two {
		t.Errorf("member of %v, default %v, %d", ids, defaults, *u.OrganizationID)
	}
	w.update(w.ann.ID, Change{OrganizationID: num(one)}) // one again, without a second membership
	if ids, defaults := memberships(); len(ids) != 2 || !slices.Equal(defaults, []int64{one}) {
		t.Errorf("member of %v, default %v", ids, defaults)
	}
	u = w.update(w.ann.ID, Change{OrganizationID: nullable.NewNullNullable[int64]()})
	if ids, _ := memberships(); len(ids) != 0 || u.OrganizationID != nil {
		t.Errorf("still a member of %v", ids)
	}
	if got := strings.Count(w.happened(u.ID), "organization_membership_deleted"); got != 2 {
		t.Errorf("%d memberships were noted as ended", got)
	}
}

func TestPromotionAndDemotion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// A client echoes the end user's restriction along with the new role.
	u := w.update(w.ann.ID, Change{Role: new("agent"), TicketRestriction: str("requested")})
	if u.TicketRestriction != nil || value(u.DefaultGroupID) != w.group {
		t.Errorf("agent: %+v", u)
	}
	u = w.update(w.ann.ID, Change{TicketRestriction: str("groups"), OnlyPrivateComments: new(true)})
	if value(u.TicketRestriction) != "groups" || !u.OnlyPrivateComments {
		t.Errorf("restricted: %+v", u)
	}
	u = w.update(w.ann.ID, Change{Role: new("admin")})
	if u.TicketRestriction != nil || u.OnlyPrivateComments || value(u.RoleType) != 4 || !u.Moderator {
		t.Errorf("admin: %+v", u)
	}
	u = w.update(w.ann.ID, Change{Role: new("end-user")})
	var memberships int64
	err := w.tx.WithContext(w.ctx).Model(&models.GroupMembership{}).Where("user_id = ?", u.ID).Count(&memberships).Error
	if err != nil || memberships != 0 || u.DefaultGroupID != nil || u.RoleType != nil || u.Moderator || value(u.TicketRestriction) != "requested" {
		t.Errorf("end user again: %+v, %d memberships, %v", u, memberships, err)
	}
}

func TestDefaultGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	g := models.Group{Name: "Second", Stamps: models.Stamps{CreatedAt: noon, UpdatedAt: noon}}
	if err := w.tx.WithContext(w.ctx).Create(&g).Error; err != nil {
		t.Fatal(err)
	}
	u := w.update(w.agent.ID(), Change{DefaultGroupID: num(g.ID)})
	var all []models.GroupMembership
	if err := w.tx.WithContext(w.ctx).Order("id").Find(&all, "user_id = ?", u.ID).Error; err != nil {
		t.Fatal(err)
	}
	if *u.DefaultGroupID != g.ID || len(all) != 2 || all[0].Default || !all[1].Default {
		t.Errorf("user %+v, memberships %+v", u, all)
	}
}

func TestWhoMayUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	eve := w.create(Change{Name: new("Eve"), Role: new("agent")})
	self := w.agent.ID()
	for _, tc := range []struct {
		name    string
		by      auth.Actor
		id      int64
		change  Change
		allowed bool
	}{
		{"an agent, an end user", w.agent, w.ann.ID, Change{Name: new("A"), Suspended: new(true)}, true},
		{"an agent, an end user's role", w.agent, w.ann.ID, Change{Role: new("agent")}, false},
		{"an agent, an end user's password", w.agent, w.ann.ID, Change{Password: new("a long secret")}, false},
		{"an agent, another agent", w.agent, eve.ID, Change{Name: new("A")}, false},
		{"an agent, the own profile", w.agent, self, Change{Name: new("A"), Signature: str("S")}, true},
		{"an agent, the own role as it is", w.agent, self, Change{Role: new("agent"), DefaultGroupID: num(w.group)}, true},
		{"an agent, the own role", w.agent, self, Change{Role: new("admin")}, false},
		{"an agent, the own restriction", w.agent, self, Change{TicketRestriction: str("groups")}, false},
		{"an agent, the own suspension", w.agent, self, Change{Suspended: new(true)}, false},
		{"an admin, an agent", w.admin, eve.ID, Change{Role: new("admin"), Password: new("a long secret")}, true},
		{"an end user, the own profile", w.as(w.ann), w.ann.ID, Change{Name: new("Anna")}, true},
	} {
		_, err := w.Update(w.ctx, tc.by, tc.id, tc.change)
		if tc.allowed && err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if !tc.allowed && !fault.Is(err, fault.Forbidden) {
			t.Errorf("%s: allowed, or %v", tc.name, err)
		}
	}
	_, err := w.Update(w.ctx, w.as(w.ann), eve.ID, Change{Name: new("X")})
	w.refused(err, fault.NotFound, "")
	_, err = w.Update(w.ctx, w.admin, w.admin.ID(), Change{Role: new("agent")})
	w.refused(err, fault.Invalid, "Role: of your own cannot be changed")
	_, err = w.Update(w.ctx, w.admin, w.admin.ID(), Change{Suspended: new(true)})
	w.refused(err, fault.Invalid, "Suspended: must not be set on yourself")
}

func TestEndUsersChangeTheirOwnProfileOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, err := w.Update(w.ctx, w.as(w.ann), w.ann.ID, Change{
		Name: new("Anna"), Email: str("claim@x.test"), Phone: str("+15551234567"), Role: new("admin"), Notes: str("nice"), Tags: []string{"vip"}, ExternalID: str("1"), Verified: new(true),
		OrganizationID: num(w.organization("Acme")), Identities: []NewIdentity{{Value: "other@x.test", Verified: true}},
	})
	if err != nil || u.Name != "Anna" || u.Role != "end-user" || u.Notes != nil || len(u.Tags) != 0 || u.ExternalID != nil ||
		u.Verified || u.OrganizationID != nil || value(u.Phone) != "+15551234567" || !value(u.SharedPhoneNumber) {
		t.Errorf("after the own update: %+v, %v", u, err)
	}
	ids, _ := w.Identities(w.ctx, w.admin, u.ID)
	if len(ids) != 1 {
		t.Errorf("identities: %+v", ids)
	}
}

func TestRightsAreForgottenAfterTheCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, token, err := w.auth.NewAPIToken(w.ctx, w.admin.AccountID, "t", "")
	if err != nil {
		t.Fatal(err)
	}
	a, err := w.auth.APIToken(w.ctx, "gus@acme.test", token)
	if err != nil || a.User.Role != "agent" {
		t.Fatalf("%+v, %v", a, err)
	}
	w.update(w.agent.ID(), Change{Role: new("end-user")})
	if a, err = w.auth.APIToken(w.ctx, "gus@acme.test", token); err != nil || a.User.Role != "end-user" {
		t.Errorf("still signs in as %s, %v", a.User.Role, err)
	}
	w.update(w.agent.ID(), Change{Suspended: new(true)})
	if _, err = w.auth.APIToken(w.ctx, "gus@acme.test", token); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a suspended user signs in: %v", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update(w.ann.ID, Change{OrganizationID: num(w.organization("Acme"))})
	u, err := w.Delete(w.ctx, w.agent, w.ann.ID)
	if err != nil || u.Active || u.DeletedAt == nil || *u.Email != "ann@example.com" {
		t.Fatalf("deleted: %+v, %v", u, err)
	}
	for _, rows := range []any{&models.UserIdentity{}, &models.OrganizationMembership{}} {
		var n int64
		if err := w.tx.WithContext(w.ctx).Model(rows).Where("user_id = ?", u.ID).Count(&n).Error; err != nil || n != 0 {
			t.Errorf("%d %T are left, %v", n, rows, err)
		}
	}
	if got := w.happened(u.ID); !strings.HasSuffix(got, "active_changed deleted") {
		t.Errorf("events: %s", got)
	}
	if _, err := w.Get(w.ctx, w.admin, u.ID); err != nil {
		t.Errorf("a deleted user is not shown: %v", err)
	}
	_, err = w.Delete(w.ctx, w.admin, u.ID)
	w.refused(err, fault.NotFound, "")
	_, err = w.Delete(w.ctx, w.admin, 404)
	w.refused(err, fault.NotFound, "")
	_, err = w.Delete(w.ctx, w.admin, w.admin.ID())
	w.refused(err, fault.Invalid, "you cannot delete yourself")
	_, err = w.Delete(w.ctx, w.agent, w.admin.ID())
	w.refused(err, fault.Forbidden, "")
	_, err = w.Delete(w.ctx, w.as(w.ann), w.agent.ID())
	w.refused(err, fault.Forbidden, "")
	w.create(Change{Name: new("Ann"), Email: str("ann@example.com")}) // the address is free
}

func TestRequestersOfOpenTicketsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ticket(w.ann.ID, 0, "solved")
	w.ticket(w.ann.ID, 0, "closed")
	_, err := w.Delete(w.ctx, w.admin, w.ann.ID)
	w.refused(err, fault.Invalid, "User: is requester on 1 tickets that are not closed.")
	err = w.tx.WithContext(w.ctx).Exec("UPDATE tickets SET status = 'closed' WHERE account_id = ?", w.admin.AccountID).Error
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Delete(w.ctx, w.admin, w.ann.ID); err != nil {
		t.Errorf("with closed tickets only: %v", err)
	}
}

func TestTicketsAreFollowedUpByJobs(t *testing.T) {
	t.Parallel()
	dsn := testdb.DSN(t)
	w := newWorldOn(t, testdb.Open(t, dsn))
	queue, err := jobs.New(w.tx, dsn, w.auth, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	demoted := make(chan int64, 2)
	w.Register(queue)
	left := make(chan [2]int64, 1)
	w.Follow(queue, jobs.How{}, Following{
		Demoted: func(ctx context.Context, account, user int64) error {
			if account != w.admin.AccountID || postgres.Account(ctx) != account {
				t.Errorf("the job is of account %d", account)
			}
			demoted <- user
			return nil
		},
		Left: func(_ context.Context, _, organization, user int64) error {
			left <- [2]int64{organization, user}
			return nil
		},
	})
	if err := queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer queue.Stop(context.WithoutCancel(t.Context())) // the end of the test
	w.update(w.agent.ID(), Change{Role: new("end-user")})
	if got := <-demoted; got != w.agent.ID() {
		t.Errorf("user %d was demoted", got)
	}
	eve := w.create(Change{Name: new("Eve"), Role: new("agent")})
	if _, err := w.Delete(w.ctx, w.admin, eve.ID); err != nil {
		t.Fatal(err)
	}
	if got := <-demoted; got != eve.ID {
		t.Errorf("user %d was demoted", got)
	}
	org := w.organization("Acme")
	w.update(w.ann.ID, Change{OrganizationID: num(org)})
	w.update(w.ann.ID, Change{OrganizationID: nullable.NewNullNullable[int64]()})
	if got := <-left; got != [2]int64{org, w.ann.ID} {
		t.Errorf("organization and user are %v", got)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check := func(got []string, err error, want ...string) {
		t.Helper()
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("tags %v, %v, want %v", got, err, want)
		}
	}
	got, err := w.SetTags(w.ctx, w.agent, w.ann.ID, []string{"a", "b"})
	check(got, err, "a", "b")
	got, err = w.AddTags(w.ctx, w.agent, w.ann.ID, []string{"b", "c"})
	check(got, err, "a", "b", "c")
	got, err = w.RemoveTags(w.ctx, w.agent, w.ann.ID, []string{"a", "x"})
	check(got, err, "b", "c")
	got, err = w.SetTags(w.ctx, w.agent, w.ann.ID, nil)
	check(got, err)
	_, err = w.SetTags(w.ctx, w.agent, 404, nil)
	w.refused(err, fault.NotFound, "")
	_, err = w.SetTags(w.ctx, w.agent, w.admin.ID(), []string{"x"})
	w.refused(err, fault.Forbidden, "")
	_, err = w.SetTags(w.ctx, w.agent, w.ann.ID, []string{strings.Repeat("x", 256)})
	w.refused(err, fault.Invalid, "Tags: is too long")
}

func TestTagsAddedTogetherAreAllThere(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, testdb.DB(t))
	errs := make(chan error, 8)
	for i := range 8 {
		go func() {
			_, err := w.AddTags(w.ctx, w.admin, w.ann.ID, []string{string(rune('a' + i))})
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if u, err := w.Get(w.ctx, w.admin, w.ann.ID); err != nil || len(u.Tags) != 8 {
		t.Errorf("tags %v, %v", u.Tags, err)
	}
}

func TestAccountsAreApart(t *testing.T) {
	t.Parallel()
	tx := testdb.Tx(t)
	a, b := newWorldOn(t, tx), newWorldOn(t, tx)
	_, err := a.Get(a.ctx, a.admin, b.ann.ID)
	a.refused(err, fault.NotFound, "")
	_, err = a.Update(a.ctx, a.admin, b.ann.ID, Change{Name: new("X")})
	a.refused(err, fault.NotFound, "")
	_, err = a.Create(a.ctx, a.admin, Change{Name: new("X"), OrganizationID: num(b.organization("Theirs"))})
	a.refused(err, fault.Invalid, "is not an organization")
	if found, err := a.ByIDs(a.ctx, a.admin.AccountID, []int64{b.ann.ID, a.ann.ID}); err != nil || len(found) != 1 {
		t.Errorf("found %d, %v", len(found), err)
	}
	err = tx.WithContext(a.ctx).Transaction(func(tx *gorm.DB) error {
		u, created, err := a.FindOrCreateTx(tx, a.admin, Person{Email: "ann@example.com"})
		if created || u.ID != a.ann.ID {
			t.Errorf("found user %d", u.ID)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
