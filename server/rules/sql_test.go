package rules_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
	"github.com/helpd/helpd/server/schedules"
	"github.com/helpd/helpd/server/testdb"
)

// now is in the week after clocks were set back in Europe.
var now = time.Date(2026, 10, 28, 15, 30, 0, 0, time.UTC)

// desk is an account with random tickets, in the database and in memory.
type desk struct {
	*testing.T
	*rand.Rand
	db       *gorm.DB
	ctx      context.Context
	account  models.Account
	admin    models.User
	config   *fields.Config
	users    []models.User
	organs   []models.Organization
	groups   []int64
	subjects []*rules.Subject
}

func newDesk(t *testing.T, tickets int) *desk {
	d := &desk{T: t, Rand: rand.New(rand.NewPCG(1, 2)), db: testdb.DB(t)}
	var err error
	d.account, d.admin, err = accounts.Create(context.Background(), d.db, now, accounts.New{
		Subdomain: "acme", Name: "Acme", AdminName: "Admin", AdminEmail: "admin@example.com", TimeZone: "Europe/Berlin"})
	d.must(err)
	d.ctx = postgres.WithAccount(context.Background(), d.account.ID)
	d.setUp()
	for i := range tickets {
		d.ticket(int64(i + 1))
	}
	return d
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) tx() *gorm.DB { return d.db.WithContext(d.ctx) }

// setUp makes fields of every type, groups, people, organizations, schedules.
func (d *desk) setUp() {
	s := fields.New(d.db, func() time.Time { return now }, nil)
	by := auth.Actor{AccountID: d.account.ID, User: d.admin}
	for _, kind := range []string{models.FieldsOfTickets, models.FieldsOfUsers, models.FieldsOfOrganizations} {
		for _, t := range []string{"text", "textarea", "checkbox", "date", "integer", "decimal", "regexp", "multiselect", "tagger", "dropdown", "lookup"} {
			if t == "tagger" && kind != models.FieldsOfTickets || t == "dropdown" && kind == models.FieldsOfTickets {
				continue
			}
			title := kind + "_" + t
			c := fields.Change{Type: &t, Title: &title}
			if kind != models.FieldsOfTickets {
				c.Key = &title
			}
			switch t {
			case "regexp":
				c.RegexpForValidation.Set(".*")
			case "lookup":
				c.RelationshipTargetType = new("zen:user")
			case "multiselect", "tagger", "dropdown":
				for _, o := range options {
					v := title + o
					c.Options = append(c.Options, fields.OptionChange{Name: &v, Value: &v})
				}
			}
			_, err := s.Create(d.ctx, by, kind, c)
			d.must(err)
		}
	}
	clock := schedules.New(d.db, func() time.Time { return now })
	for i, zone := range []string{"Berlin", "Tokyo"} {
		sched, err := clock.Create(d.ctx, by, schedules.Change{Name: &zone, TimeZone: &zone, Intervals: []schedules.IntervalChange{
			{Start: new(int64(1980 + 60*i)), End: new(int64(2460))}, {Start: new(int64(3420)), End: new(int64(3900 + 30*i))}, {Start: new(int64(4860)), End: new(int64(5340))},
		}})
		d.must(err)
		_, err = clock.AddHoliday(d.ctx, by, sched.ID, schedules.HolidayChange{Name: new("x"), Start: new("2026-10-20"), End: new("2026-10-21")})
		d.must(err)
	}
	for i := range 3 {
		g := models.Group{Tenant: models.Tenant{AccountID: d.account.ID}, Name: fmt.Sprint("g", i), Stamps: stamps()}
		d.must(d.tx().Create(&g).Error)
		d.groups = append(d.groups, g.ID)
	}
	d.must(accounts.BumpTx(d.tx(), d.account.ID))
	var err error
	d.config, err = s.Current(d.tx(), d.account.ID)
	d.must(err)
	for i := range 5 {
		u := models.User{Tenant: models.Tenant{AccountID: d.account.ID}, Name: fmt.Sprint("u", i), Role: models.RoleAgent, Active: true, Locale: pick(d, "en-US", "de", "ko"),
			TimeZone: "Berlin", Tags: models.Strings{}, UserFields: d.values(&d.config.Users), Stamps: stamps()}
		d.must(d.tx().Create(&u).Error)
		d.users = append(d.users, u)
		o := models.Organization{Tenant: models.Tenant{AccountID: d.account.ID}, Name: fmt.Sprint("o", i), DomainNames: models.Strings{}, Tags: models.Strings{},
			OrganizationFields: d.values(&d.config.Organizations), Stamps: stamps()}
		d.must(d.tx().Create(&o).Error)
		d.organs = append(d.organs, o)
	}
}

var options = []string{"_platinum", "_gold", "_silver"}

func stamps() models.Stamps { return models.Stamps{CreatedAt: now, UpdatedAt: now} }

func pick[T any](d *desk, list ...T) T { return list[d.IntN(len(list))] }

func maybe[T any](d *desk, list ...T) *T {
	if d.IntN(3) == 0 {
		return nil
	}
	v := pick(d, list...)
	return &v
}

// texts that are like one another, in several scripts.
var phrases = []string{
	"error_547", "error_5471", "Error 547", "ERROR_547!", "the printer is on fire", "The  Printer\nis", "로그인이 안 됩니다", "로그인", "ログイン できない", "ﾛｸﾞｲﾝ",
	"密码错误547", "密码", "Straße", "STRASSE", "naïve", "naive", "приве́т", "Привет мир", "a.b*c", "c++", "50% off", "héllo_wörld", "ｆｕｌｌ　ｗｉｄｔｈ", "", "x",
}

func (d *desk) text() string {
	var parts []string
	for range d.IntN(4) {
		parts = append(parts, pick(d, phrases...))
	}
	return strings.Join(parts, pick(d, " ", "\n", ", ", "-"))
}

// values are random values of some of the fields.
func (d *desk) values(of *fields.Definitions) models.JSON {
	values := map[string]json.RawMessage{}
	for i := range of.Fields {
		if f := &of.Fields[i]; f.Custom() && d.IntN(3) > 0 {
			d.must(of.Set(values, f.ID, d.value(f)))
		}
	}
	return models.ToJSON(values)
}

func (d *desk) value(f *fields.Field) json.RawMessage {
	var v any
	switch f.Type {
	case models.FieldCheckbox:
		v = d.IntN(2) == 0
	case models.FieldDate:
		v = now.AddDate(0, 0, d.IntN(9)-4).Format(time.DateOnly)
	case models.FieldInteger:
		v = strconv.Itoa(d.IntN(7) - 3)
	case models.FieldDecimal:
		v = pick(d, "1.10", "1.1", "-2.5", "0", "3")
	case models.FieldMultiselect:
		v = []string{f.Options[d.IntN(3)].Value, f.Options[d.IntN(3)].Value}
	case models.FieldTagger, models.FieldDropdown:
		v = f.Options[d.IntN(3)].Value
	case models.FieldLookup:
		v = strconv.Itoa(d.IntN(3) + 1)
	default:
		v = d.text()
	}
	return json.RawMessage(models.ToJSON(v))
}

// ago is a time of which whole hours before now are likely.
func (d *desk) ago() time.Time {
	at := now.Add(-time.Duration(d.IntN(200)-20) * time.Hour)
	switch d.IntN(3) {
	case 0:
		at = at.Add(time.Duration(d.IntN(7200)-3600) * time.Second)
	case 1:
		at = at.Add(time.Duration(d.IntN(3)-1) * time.Microsecond)
	}
	return at
}

func (d *desk) ticket(id int64) {
	u := pick(d, d.users...)
	t := models.Ticket{
		AccountID: d.account.ID, ID: id, Subject: maybe(d, d.text()), Description: d.text(), Status: pick(d, "new", "open", "pending", "hold", "solved", "closed"),
		Type: maybe(d, "question", "incident", "problem", "task"), Priority: maybe(d, "low", "normal", "high", "urgent"),
		RequesterID: u.ID, SubmitterID: pick(d, d.users...).ID, AssigneeID: maybe(d, d.users[0].ID, u.ID, d.users[1].ID), GroupID: maybe(d, d.groups...),
		BrandID: d.config.DefaultBrand().ID, Recipient: maybe(d, "support@example.com", "Sales@example.com", "sales@example.org"),
		Via:  models.ToJSON(map[string]any{"channel": pick(d, "api", "web", "email", "web_widget")}),
		Tags: models.Strings{}, CustomFields: d.values(&d.config.Definitions), FollowerIDs: models.IDs{}, EmailCCIDs: models.IDs{}, FollowupIDs: models.IDs{},
		DueAt: maybe(d, d.ago(), now, now.Add(now.Sub(d.ago()))), IsPublic: d.IntN(2) == 0, Stamps: models.Stamps{CreatedAt: d.ago(), UpdatedAt: d.ago()}, GeneratedAt: now,
		ScheduleID: maybe(d, d.config.Schedules[0].ID, d.config.Schedules[1].ID, 5),
	}
	for _, tag := range []string{"a", "b", "c_d"} {
		if d.IntN(2) == 0 {
			t.Tags = append(t.Tags, tag)
		}
	}
	t.CustomStatusID = d.config.DefaultStatus(t.Status).ID
	form, _ := d.config.DefaultForm()
	t.TicketFormID = maybe(d, form.ID)
	s := &rules.Subject{Now: now, Requester: rules.User{ID: u.ID, Role: u.Role, Locale: u.Locale, Values: fields.Values(u.UserFields)}, By: rules.User{ID: d.users[1].ID}}
	if d.IntN(2) == 0 {
		o := pick(d, d.organs...)
		t.OrganizationID = &o.ID
		s.Organization.Values = fields.Values(o.OrganizationFields)
	}
	t.Satisfaction = pick(d, models.JSON(nil), models.JSON(`{"score":"offered"}`), models.JSON(`{"score":"good","comment":null}`), models.JSON(`{"score":"good","comment":"x"}`), models.JSON(`{"score":"bad","reason_id":null}`),
		models.JSON(fmt.Sprintf(`{"score":"bad","comment":null,"reason_id":%d}`, pick(d, d.config.Reasons...).ID)))
	m := models.TicketMetric{Tenant: models.Tenant{AccountID: d.account.ID}, TicketID: id, AssignedAt: maybe(d, d.ago()), StatusUpdatedAt: maybe(d, d.ago()),
		RequesterUpdatedAt: maybe(d, d.ago()), AssigneeUpdatedAt: maybe(d, d.ago()), NextBreachAt: maybe(d, d.ago(), now, now.Add(now.Sub(d.ago()))), Clocks: models.IDs{}, BusinessClocks: models.IDs{}, Stamps: stamps()}
	d.must(d.tx().Create(&t).Error)
	d.must(d.tx().Create(&m).Error)
	s.After, s.Metric = rules.State{Ticket: &t, Values: fields.Values(t.CustomFields)}, &m
	d.subjects = append(d.subjects, s)
}

// condition is a random one that the vocabulary takes.
func (d *desk) condition(use rules.Use, env rules.Env) rules.Condition {
	f := pick(d, rules.Fields(use, env)...)
	return d.conditionOn(f, pick(d, f.Operators...), use, env)
}

// conditionOn is a condition with the operator and a random value.
func (d *desk) conditionOn(f rules.FieldInfo, op string, use rules.Use, env rules.Env) rules.Condition {
	d.Helper()
	for range 10_000 {
		c := rules.Condition{Field: f.Name, Operator: op, Value: d.conditionValue(f, op)}
		if _, err := rules.Check(rules.Conditions{All: []rules.Condition{c}}, use, env); err == nil {
			return c
		}
	}
	d.Fatalf("no value was right for %s %s", f.Name, op)
	return rules.Condition{}
}

func (d *desk) conditionValue(f rules.FieldInfo, op string) json.RawMessage {
	if f.Custom != nil {
		if strings.HasPrefix(op, "within") {
			return json.RawMessage(strconv.Itoa(d.IntN(4)))
		}
		if d.IntN(8) == 0 {
			return json.RawMessage(`""`)
		}
		return d.value(f.Custom)
	}
	var v any
	switch {
	case f.List == "hours":
		v = strconv.Itoa(d.IntN(80))
	case f.List == "text":
		v = pick(d, phrases...) + pick(d, "", "", " "+pick(d, phrases...))
	case f.List == "reason":
		v = strconv.Itoa(pick(d, d.config.Reasons...).ReasonCode)
	case f.List == "tags":
		v = pick(d, "a", "a b", "c_d", "d")
	default:
		v = pick(d, "", "current_user", "requester_id", "assignee_id", "new", "open", "pending", "hold", "solved", "closed", "low", "normal", "high", "question", "task",
			"good", "bad", "false", "true", "public", "private", "support", "sales@example.org", "0", "1", "4", "5", "8", "48",
			strconv.FormatInt(d.users[0].ID, 10), strconv.FormatInt(d.users[2].ID, 10), strconv.FormatInt(d.organs[0].ID, 10), strconv.FormatInt(pick(d, d.groups...), 10),
			strconv.FormatInt(d.config.DefaultBrand().ID, 10), strconv.FormatInt(d.config.DefaultStatus("open").ID, 10))
	}
	return json.RawMessage(models.ToJSON(v))
}

// TestSQLFindsWhatClosuresMatch holds the two forms of conditions against each
// other: whatever a view or an automation asks, the database finds exactly the
// tickets of which it is true.
func TestSQLFindsWhatClosuresMatch(t *testing.T) {
	t.Parallel()
	d := newDesk(t, 300)
	env := rules.Env{Config: d.config}
	found := 0
	for _, f := range rules.Fields(rules.Views|rules.Automations, env) {
		for _, op := range f.Operators {
			for range 2 {
				found += d.same(rules.Conditions{All: []rules.Condition{d.conditionOn(f, op, rules.Automations, env)}}, rules.Automations, env)
			}
		}
	}
	for range 400 {
		use := pick(d, rules.Automations, rules.Views)
		var c rules.Conditions
		for range pick(d, 1, 2, 3) {
			c.All = append(c.All, d.condition(use, env))
		}
		for range pick(d, 0, 2) {
			if one := d.condition(use, env); rules.OneOf(one, use, env) {
				c.Any = append(c.Any, one)
			}
		}
		found += d.same(c, use, env)
	}
	if found < 300 {
		t.Errorf("only %d of the questions found anything", found)
	}
}

// same asks one question both ways; it returns 1 if there is a ticket of which
// it is true.
func (d *desk) same(c rules.Conditions, use rules.Use, env rules.Env) int {
	d.Helper()
	m := rules.Compile(c, use, env)
	if m.Dead() {
		d.Fatalf("%s does not compile", models.ToJSON(c))
	}
	var want []int64
	for _, s := range d.subjects {
		if m.Match(s) {
			want = append(want, s.After.Ticket.ID)
		}
	}
	where, args := m.Where(rules.Search{Env: env, Now: now, Viewer: d.users[1].ID})
	got := d.find(where, args, m.Measures())
	if slices.Equal(got, want) {
		return min(len(want), 1)
	}
	for _, s := range d.subjects {
		if id := s.After.Ticket.ID; slices.Contains(want, id) != slices.Contains(got, id) {
			d.Logf("%d differs: %s, metric %+v, requester %+v", id, models.ToJSON(s.After.Ticket), *s.Metric, s.Requester)
		}
	}
	d.Fatalf("%s\n%s %v\nclosures find %d, SQL %d", models.ToJSON(c), where, args, len(want), len(got))
	return 0
}

func (d *desk) find(where string, args []any, measured bool) (ids []int64) {
	d.Helper()
	from := "tickets t"
	if measured {
		from += " JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id"
	}
	err := postgres.Rows(d.tx(), "SELECT t.id FROM "+from+" WHERE t.account_id = ? AND "+where+" ORDER BY t.id", append([]any{d.account.ID}, args...), func(row postgres.Scanned) error {
		var id int64
		err := row.Scan(&id)
		ids = append(ids, id)
		return err
	})
	if err != nil {
		d.Fatalf("%v\n%s %v", err, where, args)
	}
	return ids
}
