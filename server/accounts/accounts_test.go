package accounts_test

import (
	"context"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func acme() accounts.New {
	return accounts.New{Subdomain: "Acme", Name: "Acme Ltd", AdminEmail: "root@acme.example", AdminPassword: "correct horse"}
}

func create(t *testing.T, n accounts.New) (*gorm.DB, models.Account, models.User) {
	t.Helper()
	tx := testdb.Tx(t)
	account, admin, err := accounts.Create(t.Context(), tx, now, n)
	if err != nil {
		t.Fatal(err)
	}
	return tx.WithContext(postgres.WithAccount(context.Background(), account.ID)), account, admin
}

func all[T any](t *testing.T, tx *gorm.DB) []T {
	t.Helper()
	var rows []T
	if err := tx.Order("id").Find(&rows).Error; err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestFreshAccountHasWhatClientsExpect(t *testing.T) {
	t.Parallel()
	tx, account, admin := create(t, acme())
	if account.Subdomain != "acme" || account.TimeZone != "UTC" || account.ConfigVersion != 1 || !account.CreatedAt.Equal(now) {
		t.Errorf("account %+v", account)
	}
	brands, groups := all[models.Brand](t, tx), all[models.Group](t, tx)
	if len(brands) != 1 || !brands[0].Default || !brands[0].Active || brands[0].Subdomain != "acme" {
		t.Errorf("brands %+v", brands)
	}
	if len(groups) != 1 || groups[0].Name != "Support" || !groups[0].Default {
		t.Errorf("groups %+v", groups)
	}
	identities, members := all[models.UserIdentity](t, tx), all[models.GroupMembership](t, tx)
	if len(identities) != 1 || identities[0].UserID != admin.ID || identities[0].Value != "root@acme.example" || !identities[0].Primary {
		t.Errorf("identities %+v", identities)
	}
	if len(members) != 1 || members[0].UserID != admin.ID || members[0].GroupID != groups[0].ID || !members[0].Default {
		t.Errorf("memberships %+v", members)
	}
	if admin.Role != models.RoleAdmin || admin.Name != "root" || *admin.DefaultGroupID != groups[0].ID || *admin.RoleType != 4 {
		t.Errorf("admin %+v", admin)
	}
	fields, forms := all[models.Field](t, tx), all[models.TicketForm](t, tx)
	want := []string{"subject", "description", "status", "tickettype", "priority", "group", "assignee", "custom_status"}
	if len(fields) != len(want) || len(forms) != 1 || len(forms[0].TicketFieldIDs) != len(want) || !forms[0].Default {
		t.Fatalf("%d fields, forms %+v", len(fields), forms)
	}
	for i, f := range fields {
		if f.Type != want[i] || f.Removable || !f.Active || f.Position != i+1 || forms[0].TicketFieldIDs[i] != f.ID {
			t.Errorf("field %+v", f)
		}
	}
	statuses := map[string]string{}
	for _, st := range all[models.CustomStatus](t, tx) {
		if !st.Default || !st.Active {
			t.Errorf("status %+v", st)
		}
		statuses[st.StatusCategory] = st.AgentLabel
	}
	for category, name := range map[string]string{"new": "New", "open": "Open", "pending": "Pending", "hold": "On-hold", "solved": "Solved"} {
		if statuses[category] != name {
			t.Errorf("status of %s is %q, want %q", category, statuses[category], name)
		}
	}
}

func TestTicketNumbersCountFromOneInEachAccount(t *testing.T) {
	t.Parallel()
	tx, account, _ := create(t, acme())
	n := acme()
	n.Subdomain = "other"
	second, _, err := accounts.Create(t.Context(), tx, now, n)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ account, want int64 }{{account.ID, 1}, {account.ID, 2}, {second.ID, 1}} {
		var got int64
		if err := tx.Raw("SELECT next_ticket_id(?)", c.account).Row().Scan(&got); err != nil || got != c.want {
			t.Errorf("next ticket of %d is %d (%v), want %d", c.account, got, err, c.want)
		}
	}
}

func TestAdminSignsIn(t *testing.T) {
	t.Parallel()
	tx, account, admin := create(t, acme())
	service := auth.New(tx, time.Now)
	a, err := service.Password(t.Context(), account.ID, "ROOT@acme.example", "correct horse")
	if err != nil || a.ID() != admin.ID || !a.Admin() {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := service.Password(t.Context(), account.ID, "root@acme.example", "wrong horse"); !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("wrong password: %v", err)
	}
}

func TestCreateNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		edit  func(*accounts.New)
		field string
	}{
		{"subdomain with a dot", func(n *accounts.New) { n.Subdomain = "a.b" }, "subdomain"},
		{"no subdomain", func(n *accounts.New) { n.Subdomain = " " }, "subdomain"},
		{"no name", func(n *accounts.New) { n.Name = "" }, "name"},
		{"no e-mail", func(n *accounts.New) { n.AdminEmail = "" }, "email"},
		{"e-mail with a name", func(n *accounts.New) { n.AdminEmail = "Root <root@acme.example>" }, "email"},
		{"short password", func(n *accounts.New) { n.AdminPassword = "1234567" }, "base"},
		{"no time zone of this world", func(n *accounts.New) { n.TimeZone = "Mars/Base" }, "time_zone"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			n := acme()
			tc.edit(&n)
			_, _, err := accounts.Create(t.Context(), testdb.Tx(t), now, n)
			if e := fault.Of(err); e == nil || e.Kind != fault.Invalid || len(e.Details[tc.field]) != 1 {
				t.Errorf("error %v, want one about %s", err, tc.field)
			}
		})
	}
}

func TestSubdomainIsUnique(t *testing.T) {
	t.Parallel()
	tx, _, _ := create(t, acme())
	_, _, err := accounts.Create(t.Context(), tx, now, acme())
	if e := fault.Of(err); e == nil || len(e.Details["subdomain"]) != 1 || e.Details["subdomain"][0].Code != fault.CodeDuplicate {
		t.Fatalf("error %v", err)
	}
	var n int64
	if err := tx.Model(&models.Account{}).Count(&n).Error; err != nil || n != 1 {
		t.Errorf("%d accounts (%v), want 1", n, err)
	}
}

func TestSettingsAreChanged(t *testing.T) {
	t.Parallel()
	tx, account, admin := create(t, acme())
	ctx, by := postgres.WithAccount(t.Context(), account.ID), auth.Actor{AccountID: account.ID, User: admin}
	err := accounts.UpdateSettings(ctx, tx, now, by, accounts.SettingsChange{
		PasswordAccess: new(false), StatusHold: new(false), MarkdownTicketComments: new(true), LocaleIDs: []int64{8, 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	var row models.Account
	if err := tx.Take(&row, "id = ?", account.ID).Error; err != nil {
		t.Fatal(err)
	}
	s, err := accounts.ReadSettings(row.Settings)
	if err != nil || s.API.PasswordAccess || !s.API.TokenAccess || s.Tickets.StatusHold || !s.Tickets.MarkdownTicketComments ||
		len(s.Localization.LocaleIDs) != 2 || row.ConfigVersion != 2 {
		t.Errorf("settings %+v, version %d, %v", s, row.ConfigVersion, err)
	}
	_, err = auth.New(tx, time.Now).Password(t.Context(), account.ID, "root@acme.example", "correct horse")
	if !fault.Is(err, fault.Unauthenticated) {
		t.Errorf("a password where none is accepted: %v", err)
	}
	for _, ids := range [][]int64{{}, {404}} {
		if err := accounts.UpdateSettings(ctx, tx, now, by, accounts.SettingsChange{LocaleIDs: ids}); !fault.Is(err, fault.Invalid) {
			t.Errorf("locales %v: %v", ids, err)
		}
	}
}

func TestSettingsThatAreNotStoredHaveDefaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		stored  string
		hold    bool
		locales int
	}{
		{"", true, 1},
		{"{}", true, 1},
		{`{"tickets":{"status_hold":false},"localization":{"locale_ids":[1,8]}}`, false, 2},
	} {
		s, err := accounts.ReadSettings(models.JSON(tc.stored))
		if err != nil || s.Tickets.StatusHold != tc.hold || len(s.Localization.LocaleIDs) != tc.locales || !s.Tickets.AgentTicketDeletion {
			t.Errorf("%s: %+v, %v", tc.stored, s, err)
		}
	}
}
