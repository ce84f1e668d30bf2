package outbox_test

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/outbox"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// world is an account with a ticket of Ann's, on which Cem and Gus are copied,
// assigned to Gus, in a group of Gus and Max.
type world struct {
	*testing.T
	db    *gorm.DB
	c     placeholders.Context
	f     outbox.Facts
	users map[string]models.User
	group models.Group
}

func newWorld(t *testing.T) *world {
	t.Helper()
	tx := testdb.Tx(t)
	account, admin, err := accounts.Create(t.Context(), tx, noon, accounts.New{
		Subdomain: strings.ToLower(rand.Text()), Name: "Acme", AdminName: "Ada", AdminEmail: "ada@acme.test",
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, db: tx.WithContext(postgres.WithAccount(t.Context(), account.ID)), users: map[string]models.User{"Ada": admin}}
	stamps := models.Stamps{CreatedAt: noon, UpdatedAt: noon}
	for name, set := range map[string]func(*models.User){
		"Ann": func(u *models.User) { u.Locale = "de" },
		"Cem": func(*models.User) {},
		"Gus": func(u *models.User) { u.Role, u.Signature = models.RoleAgent, new("Gus") },
		"Max": func(u *models.User) { u.Role, u.Locale = models.RoleAgent, "fr" },
		"Out": func(u *models.User) { u.Role, u.Suspended = models.RoleAgent, true },
		"Off": func(u *models.User) { u.Role, u.Active = models.RoleAgent, false },
		"Bob": func(u *models.User) { u.Email = nil },
	} {
		u := models.User{Name: name, Email: new(strings.ToLower(name) + "@acme.test"), Role: models.RoleEndUser, Active: true, TimeZone: "Berlin",
			Locale: "en-US", UserFields: models.JSON("{}"), Stamps: stamps}
		set(&u)
		w.row(&u)
		w.users[name] = u
	}
	w.group = models.Group{Name: "Second line", Stamps: stamps}
	w.row(&w.group)
	for _, name := range []string{"Gus", "Max", "Out", "Off"} {
		w.row(&models.GroupMembership{GroupID: w.group.ID, UserID: w.id(name), Stamps: stamps})
	}
	var status models.CustomStatus
	var brand models.Brand
	if err := w.db.Take(&status, `status_category = 'open'`).Error; err != nil {
		t.Fatal(err)
	}
	if err := w.db.Take(&brand).Error; err != nil {
		t.Fatal(err)
	}
	w.c = placeholders.Context{Now: noon, Base: "https://acme.example:8443", ActorID: w.id("Gus"), SurveyURL: "https://acme.example/satisfaction/t"}
	w.c.Ticket = models.Ticket{AccountID: account.ID, ID: 1, Subject: new("Help\n& more"), Status: models.StatusOpen, CustomStatusID: status.ID, RequesterID: w.id("Ann"),
		SubmitterID: w.id("Ann"), AssigneeID: new(w.id("Gus")), GroupID: &w.group.ID, BrandID: brand.ID, Via: models.JSON(`{"channel":"api"}`), Tags: models.Strings{},
		CustomFields: models.JSON("{}"), FollowerIDs: models.IDs{}, EmailCCIDs: models.IDs{w.id("Cem"), w.id("Gus"), w.id("Bob"), w.id("Out")}, FollowupIDs: models.IDs{},
		IsPublic: true, Stamps: stamps, GeneratedAt: noon}
	w.row(&w.c.Ticket)
	for i, public := range []bool{true, false} {
		w.row(&models.Comment{AccountID: account.ID, ID: int64(i + 1), TicketID: 1, AuditID: int64(10 * (i + 1)), AuthorID: w.id("Gus"), Type: "Comment", Public: public,
			Body: "x", PlainBody: []string{"Open words", "Hidden words"}[i], HTMLBody: []string{"<p>Open words</p>", "<p>Hidden words</p>"}[i],
			Via: models.JSON("{}"), Metadata: models.JSON("{}"), CreatedAt: noon.Add(time.Duration(i) * time.Minute)})
	}
	if w.c.Config, err = fields.New(tx, func() time.Time { return noon }, nil).Current(w.db, account.ID); err != nil {
		t.Fatal(err)
	}
	w.f = outbox.Facts{AuditID: 20, At: noon}
	return w
}

func (w *world) id(name string) int64 { return w.users[name].ID }

func (w *world) row(row any) {
	w.Helper()
	if err := w.db.Create(row).Error; err != nil {
		w.Fatal(err)
	}
}

func (w *world) mails(list ...outbox.Notification) []models.OutboxMail {
	w.Helper()
	c := w.c
	mails, err := outbox.Mails(w.db, &c, w.f, list)
	if err != nil {
		w.Fatal(err)
	}
	return mails
}

// to is who gets mail of a notification: "ann+cem,gus | max" are two mails, the
// first to Ann with copies to Cem and Gus.
func (w *world) to(n outbox.Notification) string {
	w.Helper()
	var all []string
	short := func(list models.Strings) string {
		return strings.Join(slices.Sorted(slices.Values(strings.Split(strings.ReplaceAll(strings.Join(list, ","), "@acme.test", ""), ","))), ",")
	}
	for _, m := range w.mails(n) {
		one := short(m.Recipients)
		if len(m.CCs) > 0 {
			one += "+" + short(m.CCs)
		}
		if len(m.RecipientIDs) != len(m.Recipients)+len(m.CCs) {
			w.Errorf("%d users have %v and %v", len(m.RecipientIDs), m.Recipients, m.CCs)
		}
		all = append(all, one)
	}
	slices.Sort(all)
	return strings.Join(all, " | ")
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	user := func(recipient string) outbox.Notification { return outbox.Notification{Recipient: recipient} }
	group := func(recipient string) outbox.Notification {
		return outbox.Notification{Recipient: recipient, Group: true}
	}
	id := func(name string) string { return string(models.ToJSON(w.id(name))) }
	for _, tc := range []struct {
		name string
		n    outbox.Notification
		set  func(*world)
		want string
	}{
		{"the requester", user("requester_id"), nil, "ann"},
		{"with copies, but to nobody who cannot have any", user("requester_and_ccs"), nil, "ann+cem,gus"},
		{"who wrote gets no copy", user("requester_and_ccs"), func(w *world) { w.f.Author = w.id("Cem") }, "ann+gus"},
		{"a private comment goes to no requester and CCs", user("requester_and_ccs"), func(w *world) { w.f.CommentPrivate = true }, ""},
		{"but the requester is still told of other things", user("requester_id"), func(w *world) { w.f.CommentPrivate = true }, "ann"},
		{"a ticket among agents goes to no end user", user("requester_id"), func(w *world) { w.c.Ticket.IsPublic = false }, ""},
		{"nor to those who are copied", user("requester_and_ccs"), func(w *world) { w.c.Ticket.IsPublic = false }, "gus"},
		{"a requester without address", user("requester_and_ccs"), func(w *world) { w.c.Ticket.RequesterID = w.id("Bob") }, "cem+gus"},
		{"the assignee", user("assignee_id"), nil, "gus"},
		{"no assignee", user("assignee_id"), func(w *world) { w.c.Ticket.AssigneeID = nil }, ""},
		{"who changes it", user("current_user"), func(w *world) { w.c.ActorID = w.id("Max") }, "max"},
		{"the system", user("current_user"), func(w *world) { w.c.ActorID = models.SystemUser }, ""},
		{"all agents, by language", user("all_agents"), nil, "ada,gus | max"},
		{"all agents who may see it", user("all_agents"), func(w *world) {
			w.f.Sees = func(u models.User, groups []int64) bool { return slices.Contains(groups, w.group.ID) }
		}, "gus | max"},
		{"an agent by id", user(id("Max")), nil, "max"},
		{"a suspended one", user(id("Out")), nil, ""},
		{"a deleted one", user(id("Off")), nil, ""},
		{"one without address", user(id("Bob")), nil, ""},
		{"no user", user("77"), nil, ""},
		{"no recipient", user("everybody"), nil, ""},
		{"the ticket's group", group("group_id"), nil, "gus | max"},
		{"no group", group("group_id"), func(w *world) { w.c.Ticket.GroupID = nil }, ""},
		{"a group by id", group(string(models.ToJSON(w.group.ID))), nil, "gus | max"},
		{"a group that is gone", group("77"), nil, ""},
	} {
		before := *w
		if tc.set != nil {
			tc.set(w)
		}
		if got := w.to(tc.n); got != tc.want {
			t.Errorf("%s: %q", tc.name, got)
		}
		*w = before
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const subject, body = "Re: {{ticket.title}}\r\nBcc: x@y.test", "{{ticket.title}}\n{{ticket.latest_comment_rich}}{{satisfaction.rating_url}}"
	mails := w.mails(
		outbox.Notification{RuleID: 5, EventID: 7, Recipient: "requester_id", Subject: subject, Body: body},
		outbox.Notification{RuleID: 6, EventID: 8, Recipient: "assignee_id", Subject: subject, Body: body},
		outbox.Notification{Recipient: "requester_id", Subject: "a", Body: "[{{ticket.latest_comment}}]", Suppress: true},
		outbox.Notification{Recipient: "assignee_id", Subject: "a", Body: "[{{ticket.latest_comment}}]", Suppress: true},
	)
	if len(mails) != 4 {
		t.Fatalf("%d mails", len(mails))
	}
	m := mails[0]
	if m.Subject != "Re: Help & more Bcc: x@y.test" {
		t.Errorf("the subject is %q", m.Subject)
	}
	if want := "Help<br>\n&amp; more<br>\n<p>Open words</p>https://acme.example/satisfaction/t"; m.HTMLBody != want {
		t.Errorf("the requester reads\n%s", m.HTMLBody)
	}
	if want := "Help\n& more\n\nOpen words\n\nhttps://acme.example/satisfaction/t"; m.TextBody != want {
		t.Errorf("as text the requester reads\n%q", m.TextBody)
	}
	if m.RuleID != 5 || m.EventID != 7 || m.AuditID != 20 || *m.TicketID != 1 || m.Channel != models.ChannelEmail || !m.CreatedAt.Equal(noon) || m.SentAt != nil {
		t.Errorf("it is %+v", m)
	}
	// The agent reads what is hidden, and gets no vote of the requester's.
	if got := mails[1].HTMLBody; !strings.Contains(got, "Hidden words") || strings.Contains(got, "satisfaction") {
		t.Errorf("the agent reads\n%s", got)
	}
	if mails[2].TextBody != "[]" || mails[3].TextBody != "[Hidden words]" {
		t.Errorf("suppressed are %q and %q", mails[2].TextBody, mails[3].TextBody)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	header := func(i int, name string, list ...outbox.Notification) string {
		t.Helper()
		var all map[string]string
		if err := json.Unmarshal(w.mails(list...)[i].Headers, &all); err != nil {
			t.Fatal(err)
		}
		return all[name]
	}
	n := outbox.Notification{Recipient: "requester_id"}
	code := placeholders.EncodedID(w.c.Ticket.AccountID, 1)
	for name, want := range map[string]string{
		"From": `"Acme" <support@acme.example>`, "Reply-To": `"Acme" <support+id` + code + `@acme.example>`, "Message-ID": "<" + code + "-20-0@acme.example>",
		"References": "<" + code + "@acme.example>", "In-Reply-To": "<" + code + "@acme.example>", "Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
	} {
		if got := header(0, name, n); got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
	if first, second := header(0, "Message-ID", n, n), header(1, "Message-ID", n, n); first == second {
		t.Errorf("two mails are %s", first)
	}
	w.c.Ticket.Recipient = new("Help Desk <help@initech.test>")
	if got := header(0, "From", n) + header(0, "Reply-To", n); got != `"Acme" <help@initech.test>"Acme" <help+id`+code+`@initech.test>` {
		t.Errorf("answers go to %s", got)
	}
	w.c.Base, w.c.Ticket.Recipient = "", new("no address")
	if got := header(0, "From", n); got != `"Acme" <support@`+w.c.Config.Account.Subdomain+`.localhost>` {
		t.Errorf("without an address of the account it comes from %s", got)
	}
}

func TestInsert(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mails := w.mails(
		outbox.Notification{RuleID: 5, EventID: 7, Recipient: "requester_and_ccs", Subject: `"a", {b}`, Body: "Ünïcödé \\ 😀 'quoted' {{'%00' | url_decode}}"},
		outbox.Notification{RuleID: 6, EventID: 8, Recipient: "assignee_id", Subject: "", Body: ""},
	)
	if err := w.insert(mails); err != nil {
		t.Fatal(err)
	}
	var stored []models.OutboxMail
	if err := w.db.Order("id").Find(&stored).Error; err != nil {
		t.Fatal(err)
	}
	if len(stored) != 2 {
		t.Fatalf("%d are stored", len(stored))
	}
	for i := range stored {
		mails[i].ID, mails[i].CreatedAt = stored[i].ID, stored[i].CreatedAt
		if mails[i].CCs == nil {
			mails[i].CCs = models.Strings{}
		}
		if got, want := string(models.ToJSON(stored[i])), string(models.ToJSON(mails[i])); got != want {
			t.Errorf("stored is\n%s\nof\n%s", got, want)
		}
	}
}

// TestMailsGoWithWhatTheyRepeat has a mail to Ann with copies, and one to Gus.
func TestMailsGoWithWhatTheyRepeat(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		do   func(w *world) error
		want string
	}{
		{"nothing", func(*world) error { return nil }, "{ann@acme.test} {cem@acme.test,gus@acme.test} S B | {gus@acme.test} {} S B"},
		{"Ann is deleted for good", func(w *world) error {
			return erase(w, "Ann")
		}, "{gus@acme.test} {} S B"},
		{"Cem is deleted for good", func(w *world) error {
			return erase(w, "Cem")
		}, "{ann@acme.test} {gus@acme.test} S B | {gus@acme.test} {} S B"},
		{"a comment before them is redacted", func(w *world) error {
			return outbox.RedactTx(w.db, w.c.Ticket.AccountID, 1, 1)
		}, ""},
		{"a comment before them is redacted after they were sent", func(w *world) error {
			w.db.Exec("UPDATE outbox SET sent_at = ? WHERE account_id = ?", noon, w.c.Ticket.AccountID)
			return outbox.RedactTx(w.db, w.c.Ticket.AccountID, 1, 2)
		}, "{ann@acme.test} {cem@acme.test,gus@acme.test}   | {gus@acme.test} {}  "},
		{"a comment after them is redacted", func(w *world) error {
			w.db.Exec("UPDATE outbox SET audit_id = 9 WHERE account_id = ?", w.c.Ticket.AccountID)
			return outbox.RedactTx(w.db, w.c.Ticket.AccountID, 1, 1)
		}, "{ann@acme.test} {cem@acme.test,gus@acme.test} S B | {gus@acme.test} {} S B"},
		{"a comment becomes private", func(w *world) error {
			return outbox.WithdrawTx(w.db, w.c.Ticket.AccountID, 1, 1)
		}, "{gus@acme.test} {} S B"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			err := w.insert(w.mails(outbox.Notification{Recipient: "requester_and_ccs", Subject: "S", Body: "B"},
				outbox.Notification{Recipient: "assignee_id", Subject: "S", Body: "B"}))
			if err != nil {
				t.Fatal(err)
			}
			if err := tc.do(w); err != nil {
				t.Fatal(err)
			}
			var got []string
			w.db.Raw("SELECT recipients::text || ' ' || ccs::text || ' ' || subject || ' ' || html_body FROM outbox WHERE account_id = ? ORDER BY id", w.c.Ticket.AccountID).Scan(&got)
			if all := strings.Join(got, " | "); all != tc.want {
				t.Errorf("left is %q", all)
			}
		})
	}
}

func erase(w *world, name string) error {
	_, err := outbox.EraseTx(w.db, w.c.Ticket.AccountID, []int64{w.id(name)}, []string{strings.ToUpper(*w.users[name].Email)})
	return err
}

func TestMergedUsersHaveOneMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.insert(w.mails(outbox.Notification{Recipient: "requester_and_ccs"}, outbox.Notification{Recipient: "requester_id"})); err != nil {
		t.Fatal(err)
	}
	if err := outbox.SucceedUserTx(w.db, w.c.Ticket.AccountID, w.id("Ann"), w.id("Cem")); err != nil {
		t.Fatal(err)
	}
	var stored []models.OutboxMail
	w.db.Order("id").Find(&stored)
	if got := stored[0].RecipientIDs; !slices.Equal(got, models.IDs{w.id("Cem"), w.id("Gus")}) {
		t.Errorf("the first is to %v", got)
	}
	if got := stored[1].RecipientIDs; !slices.Equal(got, models.IDs{w.id("Cem")}) {
		t.Errorf("the second is to %v", got)
	}
}

// insert stores mails.
func (w *world) insert(mails []models.OutboxMail) error {
	return w.db.Exec(outbox.Insert, outbox.Arguments(mails)...).Error
}
