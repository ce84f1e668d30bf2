package placeholders

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/liquid"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// A Wednesday; in Berlin it is 13:05.
var noon = time.Date(2026, 3, 4, 12, 5, 0, 0, time.UTC)

// world is an account with one of everything that placeholders name.
type world struct {
	*testing.T
	db      *gorm.DB
	account models.Account
	admin   models.User
	stamps  models.Stamps
	Context

	ann, gus, cem models.User // the requester, her agent, who is copied
	fields        map[string]models.Field
	file          models.Attachment
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, stamps: models.Stamps{CreatedAt: noon, UpdatedAt: noon}, fields: map[string]models.Field{}}
	tx := testdb.Tx(t)
	var err error
	w.account, w.admin, err = accounts.Create(t.Context(), tx, noon, accounts.New{
		Subdomain: strings.ToLower(rand.Text()), Name: "Acme & Co", AdminName: "Ada", AdminEmail: "ada@acme.test",
	})
	if err != nil {
		t.Fatal(err)
	}
	w.db = tx.WithContext(postgres.WithAccount(t.Context(), w.account.ID))
	w.set("UPDATE accounts SET time_zone = 'Berlin' WHERE id = ?", w.account.ID)
	w.fill()
	if w.Config, err = fields.New(tx, func() time.Time { return noon }, nil).Current(w.db, w.account.ID); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) row(row any) {
	w.Helper()
	if err := w.db.Create(row).Error; err != nil {
		w.Fatal(err)
	}
}

func (w *world) set(query string, args ...any) {
	w.Helper()
	if err := w.db.Exec(query, args...).Error; err != nil {
		w.Fatal(err)
	}
}

func (w *world) field(kind, typ, title string, options ...string) models.Field {
	w.Helper()
	f := models.Field{Kind: kind, Type: typ, Title: title, Active: true, Removable: true, Stamps: w.stamps}
	if kind != models.FieldsOfTickets {
		f.Key = &title
	}
	w.row(&f)
	for i, value := range options {
		w.row(&models.FieldOption{Kind: kind, FieldID: f.ID, Name: "The " + value, Value: value, Position: i, Stamps: w.stamps})
	}
	w.fields[title] = f
	return f
}

func (w *world) user(name, role, email string, more func(*models.User)) models.User {
	w.Helper()
	u := models.User{Name: name, Role: role, Email: &email, Active: true, TimeZone: "Berlin", Locale: "en-US", UserFields: models.JSON("{}"), Stamps: w.stamps}
	if more != nil {
		more(&u)
	}
	w.row(&u)
	return u
}

func (w *world) fill() {
	plan := w.field(models.FieldsOfUsers, models.FieldDropdown, "plan", "gold", "silver")
	seats := w.field(models.FieldsOfOrganizations, models.FieldInteger, "seats")
	choice := w.field(models.FieldsOfTickets, models.FieldTagger, "choice", "car", "bike")
	many := w.field(models.FieldsOfTickets, models.FieldMultiselect, "many", "red", "blue", "green")
	tick := w.field(models.FieldsOfTickets, models.FieldCheckbox, "tick")
	text := w.field(models.FieldsOfTickets, models.FieldText, "text")
	org := models.Organization{Name: "Initech", SharedTickets: true, Details: new("makes software"), Notes: new("pays late"), ExternalID: new("org-1"),
		Tags: models.Strings{"b2b", "big"}, OrganizationFields: models.JSON(fmt.Sprintf(`{"%d":"12"}`, seats.ID)), Stamps: w.stamps}
	w.row(&org)
	w.ann = w.user("Ann Lee Smith", models.RoleEndUser, "ann@initech.test", func(u *models.User) {
		u.Phone, u.ExternalID, u.Details, u.Notes = new("+49301234"), new("ann-1"), new("likes <b>tea</b>"), new("be kind")
		u.Tags, u.OrganizationID, u.Locale = models.Strings{"vip", "eu"}, &org.ID, "de"
		u.UserFields = models.JSON(fmt.Sprintf(`{"%d":"gold"}`, plan.ID))
	})
	w.gus = w.user("Gus Agent", models.RoleAgent, "gus@acme.test", func(u *models.User) {
		u.Alias, u.RoleType = new("Support Team"), new(models.LightAgent)
		u.Signature = new("Best & regards,\n{{agent.first_name}} of {{ticket.account}}")
	})
	w.cem = w.user("Cem Copy", models.RoleEndUser, "cem@initech.test", nil)
	group := models.Group{Name: "Billing", Stamps: w.stamps}
	w.row(&group)
	var brand models.Brand
	if err := w.db.Take(&brand).Error; err != nil {
		w.Fatal(err)
	}
	form := models.TicketForm{Name: "Complaint", DisplayName: "Complain", Active: true, TicketFieldIDs: models.IDs{},
		AgentConditions: models.JSON("[]"), EndUserConditions: models.JSON("[]"), Stamps: w.stamps}
	w.row(&form)
	var status models.CustomStatus
	if err := w.db.Take(&status, `status_category = 'open' AND "default"`).Error; err != nil {
		w.Fatal(err)
	}
	due := noon.AddDate(0, 0, 3)
	w.Context = Context{Now: noon, Base: "https://acme.test", ActorID: w.gus.ID, SurveyURL: "https://acme.test/satisfaction/token"}
	w.Ticket = models.Ticket{
		AccountID: w.account.ID, ID: 35, Subject: new(`"Smoke" & <fire>`), Description: "It smokes.", Status: models.StatusOpen, CustomStatusID: status.ID,
		Type: new(models.TypeIncident), Priority: new("high"), RequesterID: w.ann.ID, SubmitterID: w.cem.ID, AssigneeID: &w.gus.ID, GroupID: &group.ID,
		OrganizationID: &org.ID, BrandID: brand.ID, TicketFormID: &form.ID, ExternalID: new("ext-35"), Via: models.JSON(`{"channel":"email"}`),
		Tags: models.Strings{"hot", "vip"}, FollowerIDs: models.IDs{w.admin.ID}, EmailCCIDs: models.IDs{w.cem.ID, w.gus.ID}, DueAt: &due, IsPublic: true,
		CustomFields: models.JSON(fmt.Sprintf(`{"%d":"car","%d":["red","green","gone"],"%d":true,"%d":"a < b"}`, choice.ID, many.ID, tick.ID, text.ID)),
		Satisfaction: models.JSON(`{"id":1,"score":"good","comment":"Thanks & bye","reason":null,"reason_id":null}`),
		FollowupIDs:  models.IDs{}, Stamps: w.stamps, GeneratedAt: noon,
	}
	w.row(&w.Ticket)
	for i, c := range []struct {
		author int64
		public bool
		text   string
	}{{w.ann.ID, true, "It smokes."}, {w.gus.ID, false, "She is\nright."}, {w.gus.ID, true, "Put it out & wait."}, {w.gus.ID, false, "Secret note."}} {
		w.row(&models.Comment{AccountID: w.account.ID, ID: int64(i + 1), TicketID: 35, AuthorID: c.author, Type: "Comment", Public: c.public,
			Body: c.text, PlainBody: c.text, HTMLBody: "<p>" + strings.NewReplacer("&", "&amp;", "\n", "<br>").Replace(c.text) + "</p>",
			Via: models.JSON("{}"), Metadata: models.JSON("{}"), HasAttachments: i == 2, CreatedAt: noon.Add(time.Duration(i) * time.Minute)})
	}
	w.file = models.Attachment{TicketID: new(int64(35)), CommentID: new(int64(3)), Token: rand.Text(), FileName: "plan b.pdf", ContentType: "application/pdf",
		Size: 12, MalwareScanResult: models.MalwareNotScanned, BlobKey: rand.Text(), CreatedAt: noon}
	w.row(&w.file)
	item := models.DynamicContentItem{Name: "Greeting", Key: "greeting", DefaultLocale: "en-US", Stamps: w.stamps}
	w.row(&item)
	for locale, content := range map[string]string{"en-US": "Hello {{ticket.requester.first_name}}", "de": "Hallo {{ticket.requester.first_name}}: {{ticket.description}}"} {
		w.row(&models.DynamicContentVariant{ItemID: item.ID, Locale: locale, Content: content, Active: true, Default: locale == "en-US", Stamps: w.stamps})
	}
	schedule := models.Schedule{Name: "Day", TimeZone: "Berlin", Intervals: models.IDs{4860, 5340}, Stamps: w.stamps} // Wednesday from 9 to 17
	w.row(&schedule)
	w.row(&models.Holiday{ScheduleID: schedule.ID, Name: "Easter", StartDate: noon.AddDate(0, 1, 0), EndDate: noon.AddDate(0, 1, 1)})
}

// render loads and renders.
func (w *world) render(text string, format liquid.Format, more ...func(*Context)) string {
	w.Helper()
	c := w.Context
	for _, f := range more {
		f(&c)
	}
	if err := c.Load(w.db, c.Needs(text)); err != nil {
		w.Fatal(err)
	}
	return Render(text, format, c)
}

// toEndUser is a reader who is the requester.
func toEndUser(c *Context) { c.Public, c.Locale = true, "de" }
