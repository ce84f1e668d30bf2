package users

import (
	"sync"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/testdb"
)

func TestCreateGivesAnEndUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(Change{Name: new(" Bob Lee "), Email: str("Bob@Example.com"), Tags: []string{"vip"}})
	stored, err := w.Get(w.ctx, w.admin, u.ID)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Name != "Bob Lee" || *stored.Email != "bob@example.com" || stored.Role != "end-user" || !stored.Active ||
		stored.Verified || stored.TimeZone != "Europe/Berlin" || stored.Locale != "en-US" || *stored.TicketRestriction != "requested" ||
		stored.RoleType != nil || stored.Tags[0] != "vip" {
		t.Errorf("stored: %+v", stored)
	}
	ids, err := w.Identities(w.ctx, w.admin, u.ID)
	if err != nil || len(ids) != 1 || !ids[0].Primary || ids[0].Value != "bob@example.com" || ids[0].Verified {
		t.Errorf("identities: %+v, %v", ids, err)
	}
	if got := w.happened(u.ID); got != "created identity_created" {
		t.Errorf("events: %s", got)
	}
}

func TestCreateRefuses(t *testing.T) {
	t.Parallel()
	long := string(make([]rune, 256))
	for _, tc := range []struct {
		name   string
		change Change
		says   string
	}{
		{"no name", Change{Email: str("x@y.test")}, "Name: is too short (minimum is 1 characters)"},
		{"blank name", Change{Name: new("  ")}, "Name: is too short"},
		{"long name", Change{Name: new(long)}, "Name: is too long (maximum is 255 characters)"},
		{"no address", Change{Name: new("B"), Email: str("b.example")}, "Email: b.example is not properly formatted"},
		{"address with a name", Change{Name: new("B"), Email: str("B <b@x.test>")}, "Email: b <b@x.test> is not properly formatted"},
		{"address of two", Change{Name: new("B"), Email: str("b@c@x.test")}, "is not properly formatted"},
		{"address without a top domain", Change{Name: new("B"), Email: str("b@localhost")}, "is not properly formatted"},
		{"somebody's address", Change{Name: new("B"), Email: str("ANN@example.com")}, "Email: ann@example.com is already being used by another user"},
		{"no such role", Change{Name: new("B"), Role: new("boss")}, "Role: boss is not a role"},
		{"no such zone", Change{Name: new("B"), TimeZone: new("Mars")}, "Time zone: Mars is not a time zone"},
		{"no such locale", Change{Name: new("B"), Locale: new("xx")}, "Locale: xx is not a locale"},
		{"no such locale id", Change{Name: new("B"), LocaleID: new(int64(-1))}, "Locale: -1 is not a locale"},
		{"no such organization", Change{Name: new("B"), OrganizationID: num(404)}, "Organization: 404 is not an organization"},
		{"no organization of the name", Change{Name: new("B"), OrganizationName: new("Nix")}, "Organization: Nix does not exist"},
		{"no such group", Change{Name: new("B"), Role: new("agent"), DefaultGroupID: num(404)}, "Default group: 404 is not a group"},
		{"an agent's view", Change{Name: new("B"), TicketRestriction: str("all")}, "Ticket restriction: all is not one of"},
		{"no custom role", Change{Name: new("B"), CustomRoleID: num(1)}, "Custom role: 1 is not a custom role"},
		{"short password", Change{Name: new("B"), Password: new("12345")}, "Password: is too short"},
		{"bad identity", Change{Name: new("B"), Identities: []NewIdentity{{Type: "fax", Value: "1"}}}, "Type: fax is not one of"},
		{"too many tags", Change{Name: new("B"), Tags: make([]string, 1001)}, "Tags: are more than 1000"},
		{"number insisted on", Change{Name: new("B"), Phone: str("12"), SharedPhoneNumber: flag(false)}, "Phone: 12 is not a phone number"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := w.Create(w.ctx, w.admin, tc.change)
			w.refused(err, fault.Invalid, tc.says)
		})
	}
}

func TestCreateTellsAllThatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.Create(w.ctx, w.admin, Change{Name: new(""), Email: str("nix"), Role: new("boss")})
	if e := fault.Of(err); e == nil || len(e.Details) != 3 {
		t.Errorf("the error is %v", err)
	}
	_, err = w.Create(w.ctx, w.admin, Change{Name: new("B"), OrganizationIDs: make([]int64, 101)})
	w.refused(err, fault.TooMany, "more than 100")
	_, err = w.Create(w.ctx, w.admin, Change{Name: new("B"), Identities: make([]NewIdentity, 101)})
	w.refused(err, fault.TooMany, "more than 100")
}

func TestExternalIDIsUniqueWhateverItsCase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.create(Change{Name: new("A"), ExternalID: str("Crm-1")})
	err := w.tx.WithContext(w.ctx).Transaction(func(*gorm.DB) error {
		_, err := w.Create(w.ctx, w.admin, Change{Name: new("B"), ExternalID: str("CRM-1")})
		return err
	})
	w.refused(err, fault.Invalid, "CRM-1 is already being used by another user")
	if _, err := w.Delete(w.ctx, w.admin, first.ID); err != nil {
		t.Fatal(err)
	}
	w.create(Change{Name: new("B"), ExternalID: str("CRM-1")}) // free again
}

func TestWhoMayCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.Create(w.ctx, w.agent, Change{Name: new("B")}); err != nil {
		t.Errorf("an agent makes an end user: %v", err)
	}
	_, err := w.Create(w.ctx, w.agent, Change{Name: new("B"), Role: new("agent")})
	w.refused(err, fault.Forbidden, "")
	_, err = w.Create(w.ctx, w.agent, Change{Name: new("B"), Password: new("a long secret")})
	w.refused(err, fault.Forbidden, "")
	_, err = w.Create(w.ctx, w.as(w.ann), Change{Name: new("B")})
	w.refused(err, fault.Forbidden, "")
	_, err = w.Create(w.ctx, auth.Actor{AccountID: w.admin.AccountID}, Change{Name: new("B")})
	w.refused(err, fault.Forbidden, "")
}

func TestAgentsJoinTheDefaultGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, err := w.Get(w.ctx, w.admin, w.agent.ID())
	if err != nil || *u.DefaultGroupID != w.group || u.TicketRestriction != nil {
		t.Errorf("agent: %+v, %v", u, err)
	}
	if got := w.happened(u.ID); got != "created identity_created group_membership_created" {
		t.Errorf("events: %s", got)
	}
	boss := w.create(Change{Name: new("Bo"), Role: new("admin")})
	if *boss.RoleType != 4 || !boss.Moderator {
		t.Errorf("admin: %+v", boss)
	}
}

func TestDomainMapping(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	domain := w.organization("Domain", "mapped.test")
	person := w.organization("Person", "ceo@mapped.test")
	other := w.organization("Other")
	for _, tc := range []struct {
		change Change
		want   *int64
	}{
		{Change{Name: new("A"), Email: str("a@Mapped.test")}, &domain},
		{Change{Name: new("B"), Email: str("ceo@mapped.test")}, &person},
		{Change{Name: new("C"), Email: str("c@sub.mapped.test")}, nil},
		{Change{Name: new("D"), Email: str("d@mapped.test"), OrganizationID: num(other)}, &other},
		{Change{Name: new("E"), Email: str("e@mapped.test"), OrganizationName: new("OTHER")}, &other},
		{Change{Name: new("F"), OrganizationIDs: []int64{other, domain}}, &other},
	} {
		u := w.create(tc.change)
		if value(u.OrganizationID) != value(tc.want) {
			t.Errorf("%s is in %d and should be in %d", u.Name, value(u.OrganizationID), value(tc.want))
		}
		var defaults int64
		err := w.tx.WithContext(w.ctx).Model(&models.OrganizationMembership{}).
			Where(`user_id = ? AND organization_id = ? AND "default"`, u.ID, value(tc.want)).Count(&defaults).Error
		if err != nil || tc.want != nil && defaults != 1 {
			t.Errorf("%s has %d default memberships of it, %v", u.Name, defaults, err)
		}
	}
}

func TestIdentitiesOfANewUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(Change{Name: new("A"), Verified: new(true), Identities: []NewIdentity{
		{Type: "email", Value: "one@x.test"}, {Type: "email", Value: "Two@x.test", Primary: true},
		{Type: "twitter", Value: "tweety"}, {Type: "phone_number", Value: "+1 (555) 123-4567"}, {Value: "one@x.test"},
	}})
	if *u.Email != "two@x.test" || !u.Verified {
		t.Errorf("user: %+v", u)
	}
	ids, err := w.Identities(w.ctx, w.admin, u.ID)
	if err != nil || len(ids) != 4 || ids[0].Primary || !ids[1].Primary || ids[3].Value != "+15551234567" {
		t.Errorf("identities: %+v, %v", ids, err)
	}
}

func TestPhoneNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := w.create(Change{Name: new("Own"), Phone: str("+49 30 123456")})
	if *own.SharedPhoneNumber || *own.Phone != "+49 30 123456" {
		t.Errorf("own: %+v", own)
	}
	for _, c := range []Change{
		{Name: new("Second"), Phone: str("+4930123456")},                              // taken
		{Name: new("Odd"), Phone: str("ext. 5")},                                      // no number
		{Name: new("Said"), Phone: str("+4930999999"), SharedPhoneNumber: flag(true)}, // asked for
	} {
		if u := w.create(c); !*u.SharedPhoneNumber {
			t.Errorf("%s has a number of its own", u.Name)
		}
	}
	_, err := w.Create(w.ctx, w.admin, Change{Name: new("B"), Phone: str("+4930123456"), SharedPhoneNumber: flag(false)})
	w.refused(err, fault.Invalid, "Phone: +4930123456 is already being used by another user")
	moved := w.update(own.ID, Change{Phone: str("+4930777777")})
	ids, err := w.Identities(w.ctx, w.admin, own.ID)
	if err != nil || len(ids) != 1 || ids[0].Value != "+4930777777" || *moved.SharedPhoneNumber {
		t.Errorf("identities: %+v, %v", ids, err)
	}
	gone := w.update(own.ID, Change{Phone: str("")})
	if ids, _ := w.Identities(w.ctx, w.admin, own.ID); len(ids) != 0 || gone.SharedPhoneNumber != nil || gone.Phone != nil {
		t.Errorf("after clearing: %+v, %+v", gone, ids)
	}
}

func TestCreateOrUpdate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, created, err := w.CreateOrUpdate(w.ctx, w.agent, Change{Name: new("Bob"), Email: str("bob@x.test"), ExternalID: str("b1")})
	if err != nil || !created {
		t.Fatal(created, err)
	}
	for _, tc := range []struct {
		name   string
		change Change
	}{
		{"by external id", Change{Name: new("B1"), ExternalID: str("B1")}},
		{"by address", Change{Name: new("B2"), Email: str("BOB@x.test")}},
		{"by id", Change{ID: u.ID, Name: new("B3")}},
	} {
		again, created, err := w.CreateOrUpdate(w.ctx, w.agent, tc.change)
		if err != nil || created || again.ID != u.ID || again.Name != *tc.change.Name {
			t.Errorf("%s: %+v, %t, %v", tc.name, again, created, err)
		}
	}
	if after, _ := w.Get(w.ctx, w.admin, u.ID); *after.ExternalID != "B1" {
		t.Errorf("the external id is still %s", *after.ExternalID)
	}
	_, _, err = w.CreateOrUpdate(w.ctx, w.agent, Change{ID: 404, Name: new("X")})
	w.refused(err, fault.NotFound, "")
	_, _, err = w.CreateOrUpdate(w.ctx, w.as(w.ann), Change{Name: new("X")})
	w.refused(err, fault.Forbidden, "")
}

func TestFindOrCreate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	org := w.organization("Acme", "acme.example")
	nobody := auth.Actor{AccountID: w.admin.AccountID}
	find := func(p Person) (models.User, bool, error) {
		return w.FindOrCreateTx(w.tx.WithContext(w.ctx), nobody, p)
	}
	u, created, err := find(Person{Email: "John.smith@acme.example"})
	if err != nil || !created || u.Name != "John Smith" || value(u.OrganizationID) != org {
		t.Errorf("new: %+v, %t, %v", u, created, err)
	}
	again, created, err := find(Person{Email: "JOHN.SMITH@acme.example", Name: "Other"})
	if err != nil || created || again.ID != u.ID || again.Name != "John Smith" {
		t.Errorf("again: %+v, %t, %v", again, created, err)
	}
	if got, created, err := find(Person{ID: w.ann.ID}); err != nil || created || got.ID != w.ann.ID {
		t.Errorf("by id: %+v, %t, %v", got, created, err)
	}
	ext, created, err := find(Person{ExternalID: "e1", Name: "Ext"})
	if err != nil || !created || *ext.ExternalID != "e1" {
		t.Errorf("by external id: %+v, %t, %v", ext, created, err)
	}
	_, _, err = find(Person{ID: 404})
	w.refused(err, fault.NotFound, "")
	_, _, err = find(Person{Email: "nonsense"})
	w.refused(err, fault.Invalid, "Email: nonsense is not properly formatted")
	_, _, err = find(Person{})
	w.refused(err, fault.Invalid, "Name: is too short")
}

func TestFindOrCreateTogether(t *testing.T) {
	t.Parallel()
	db := testdb.DB(t)
	w := newWorldOn(t, db)
	var made atomic.Int64
	ids := make([]int64, 20)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			err := db.WithContext(w.ctx).Transaction(func(tx *gorm.DB) error {
				u, created, err := w.FindOrCreateTx(tx, w.admin, Person{Email: "same@x.test", Name: "Same"})
				if created {
					made.Add(1)
				}
				ids[i] = u.ID
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("users %d and %d have the same address", id, ids[0])
		}
	}
	if made.Load() != 1 {
		t.Errorf("%d users were made", made.Load())
	}
}

func TestCreateOrUpdateTogether(t *testing.T) {
	t.Parallel()
	db := testdb.DB(t)
	w := newWorldOn(t, db)
	var made atomic.Int64
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			_, created, err := w.CreateOrUpdate(w.ctx, w.admin, Change{Name: new("Same"), ExternalID: str("x1")})
			if err != nil {
				t.Error(err)
			}
			if created {
				made.Add(1)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d users were made", made.Load())
	}
}
