package segments_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/segments"
	"github.com/helpd/helpd/server/testdb"
)

var (
	clock  = time.Date(2026, 3, 1, 9, 30, 0, 0, time.UTC)
	stamps = models.Stamps{CreatedAt: clock, UpdatedAt: clock}
)

// world is one account with its admin.
type world struct {
	*segments.Service
	t     testing.TB
	db    *gorm.DB
	admin auth.Actor
}

var subdomains atomic.Int64

func newWorld(t testing.TB, db *gorm.DB) *world {
	t.Helper()
	name := fmt.Sprintf("acme%d", subdomains.Add(1))
	account, admin, err := accounts.Create(t.Context(), db, clock, accounts.New{Subdomain: name, Name: "Acme", AdminEmail: "ada@" + name + ".example"})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{segments.New(db, func() time.Time { return clock }), t, nil, auth.Actor{AccountID: account.ID, User: admin}}
	w.db = db.WithContext(w.ctx())
	return w
}

func (w *world) ctx() context.Context { return auth.With(context.Background(), w.admin) }

func (w *world) make(rows ...any) {
	w.t.Helper()
	for _, row := range rows {
		if err := w.db.Create(row).Error; err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) user(role string, tags ...string) auth.Actor {
	w.t.Helper()
	u := models.User{Name: role, Role: role, Active: true, TimeZone: "UTC", Locale: "en-US", Tags: tags, UserFields: models.JSON("{}"), Stamps: stamps}
	w.make(&u)
	return auth.Actor{AccountID: w.admin.AccountID, User: u}
}

func (w *world) organization(name string, tags ...string) int64 {
	w.t.Helper()
	o := models.Organization{Name: name, Tags: tags, OrganizationFields: models.JSON("{}"), Stamps: stamps}
	w.make(&o)
	return o.ID
}

func (w *world) joins(a auth.Actor, organization int64) {
	w.t.Helper()
	w.make(&models.OrganizationMembership{UserID: a.ID(), OrganizationID: organization, Stamps: stamps})
}

func (w *world) group(name string, members ...auth.Actor) int64 {
	w.t.Helper()
	g := models.Group{Name: name, Stamps: stamps}
	w.make(&g)
	for _, m := range members {
		w.make(&models.GroupMembership{UserID: m.ID(), GroupID: g.ID, Stamps: stamps})
	}
	return g.ID
}

func (w *world) segment(c segments.Change) models.UserSegment {
	w.t.Helper()
	if c.Name == nil {
		c.Name = ptr("Some")
	}
	if c.UserType == nil {
		c.UserType = ptr(models.SegmentSignedIn)
	}
	s, err := w.Create(w.ctx(), w.admin, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// sees reports whether the actor may see what is restricted to a segment, in all
// ways to ask.
func (w *world) sees(a auth.Actor, segment int64) bool {
	w.t.Helper()
	var one, several bool
	cond, args := segments.Visible(a, "x.one")
	more, moreArgs := segments.VisibleAny(a, "x.several")
	err := w.db.Raw("SELECT "+cond+", "+more+" FROM (SELECT ?::bigint AS one, ARRAY[?::bigint] AS several) AS x",
		slices.Concat(args, moreArgs, []any{segment, segment})...).Row().Scan(&one, &several)
	if err != nil {
		w.t.Fatal(err)
	}
	if one != several {
		w.t.Errorf("%s %d sees %d: %t alone, %t among several", a.User.Role, a.ID(), segment, one, several)
	}
	if a.Anonymous() {
		return one
	}
	var among bool
	err = w.db.Raw("SELECT EXISTS (SELECT FROM users u, (SELECT ARRAY[?::bigint] AS several) AS x WHERE u.account_id = ? AND u.id = ? AND "+
		segments.VisibleTo("x.several")+")", segment, a.AccountID, a.ID()).Row().Scan(&among)
	if err != nil || among != one {
		w.t.Errorf("%s %d sees %d: %t alone, %t as one of many: %v", a.User.Role, a.ID(), segment, one, among, err)
	}
	return one
}

func ptr[T any](v T) *T { return &v }

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// wrong fails the test unless err blames the field with the code.
func wrong(t *testing.T, err error, field, code string) {
	t.Helper()
	e := fault.Of(err)
	if e == nil || len(e.Details[field]) == 0 || e.Details[field][0].Code != code {
		t.Errorf("error %v, want %s of %s", err, code, field)
	}
}

func is(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("error %v, want a fault of kind %d", err, kind)
	}
}

func TestWhoBelongs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	acme, vip := w.organization("Acme"), w.organization("Vip", "gold")
	customer, member, tagged, both := w.user(models.RoleEndUser), w.user(models.RoleEndUser, "beta"), w.user(models.RoleEndUser, "gold", "beta"), w.user(models.RoleEndUser, "beta")
	agent, grouped, goldAgent := w.user(models.RoleAgent), w.user(models.RoleAgent), w.user(models.RoleAgent, "gold")
	w.joins(member, acme)
	w.joins(both, vip)
	tier := w.group("Tier 2", grouped)
	nobody := auth.Actor{AccountID: w.admin.AccountID}
	names := []string{"nobody", "customer", "member", "tagged", "both", "agent", "grouped", "goldAgent", "admin"}
	people := []auth.Actor{nobody, customer, member, tagged, both, agent, grouped, goldAgent, w.admin}
	staff, signedIn := ptr(models.SegmentStaff), ptr(models.SegmentSignedIn)
	for name, tc := range map[string]struct {
		c    segments.Change
		want string // beside the admin, who sees everything
	}{
		"signed in":                        {segments.Change{}, "customer member tagged both agent grouped goldAgent"},
		"staff":                            {segments.Change{UserType: staff}, "agent grouped goldAgent"},
		"an organization":                  {segments.Change{OrganizationIDs: []int64{acme}}, "member agent grouped goldAgent"},
		"one of two organizations":         {segments.Change{OrganizationIDs: []int64{acme, vip}}, "member both agent grouped goldAgent"},
		"all tags":                         {segments.Change{Tags: []string{"gold", "beta"}}, "tagged both"}, // of themselves or their organization
		"any tag":                          {segments.Change{OrTags: []string{"gold", "silver"}}, "tagged both goldAgent"},
		"all tags and any":                 {segments.Change{Tags: []string{"beta"}, OrTags: []string{"gold"}}, "tagged both"},
		"an organization and a tag":        {segments.Change{OrganizationIDs: []int64{acme}, Tags: []string{"beta"}}, "member"},
		"a group":                          {segments.Change{UserType: staff, GroupIDs: []int64{tier}}, "grouped"},
		"a group or an organization":       {segments.Change{UserType: signedIn, GroupIDs: []int64{tier}, OrganizationIDs: []int64{acme}}, "member grouped"},
		"staff of an organization":         {segments.Change{UserType: staff, OrganizationIDs: []int64{acme}}, ""},
		"a group and a tag":                {segments.Change{UserType: staff, GroupIDs: []int64{tier}, Tags: []string{"gold"}}, ""},
		"somebody beside a tag":            {segments.Change{Tags: []string{"none"}, AddedUserIDs: []int64{customer.ID()}}, "customer"},
		"an agent beside a group of staff": {segments.Change{UserType: staff, GroupIDs: []int64{tier}, AddedUserIDs: []int64{agent.ID()}}, "agent grouped"},
	} {
		s := w.segment(tc.c)
		var got []string
		for i, a := range people {
			if w.sees(a, s.ID) {
				got = append(got, names[i])
			}
		}
		if have, want := strings.Join(got, " "), strings.TrimSpace(tc.want+" admin"); have != want {
			t.Errorf("%s: %s, want %s", name, have, want)
		}
	}
	// An agent who becomes an end user reads nothing more of what is for staff.
	s := w.segment(segments.Change{UserType: staff, AddedUserIDs: []int64{agent.ID()}})
	w.db.Exec("UPDATE users SET role = 'end-user' WHERE account_id = ? AND id = ?", agent.AccountID, agent.ID())
	agent.User.Role = models.RoleEndUser
	same(t, w.sees(agent, s.ID), false)
}

func TestWhatIsOfNoSegmentIsEverybodys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	for _, a := range []auth.Actor{{AccountID: w.admin.AccountID}, w.user(models.RoleEndUser), w.user(models.RoleAgent), w.admin} {
		cond, args := segments.Visible(a, "x.one")
		more, moreArgs := segments.VisibleAny(a, "x.several")
		var one, several bool
		err := w.db.Raw("SELECT "+cond+", "+more+" FROM (SELECT NULL::bigint AS one, '{}'::bigint[] AS several) AS x", append(args, moreArgs...)...).Row().Scan(&one, &several)
		same(t, []any{one, several, err}, []any{true, true, nil})
	}
	if text, args := segments.Visible(auth.Actor{}, "a.id"); text != "a.id IS NULL" || args != nil {
		t.Errorf("of nobody something is looked up: %s", text)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	writer, chief, other, customer := w.user(models.RoleAgent, "writer"), w.user(models.RoleAgent, "chief"), w.user(models.RoleAgent), w.user(models.RoleEndUser, "chief")
	writers, chiefs := w.segment(segments.Change{Tags: []string{"writer"}}), w.segment(segments.Change{Tags: []string{"chief"}})
	g, err := w.CreatePermissionGroup(w.ctx(), w.admin, segments.PermissionChange{Name: ptr(" Docs "), Edit: []int64{writers.ID, writers.ID}, Publish: []int64{chiefs.ID}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, []any{g.Name, g.EditIDs, g.BuiltIn}, []any{"Docs", models.IDs{writers.ID}, false})
	builtIn, err := segments.AdministratorsTx(w.db)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		who                         auth.Actor
		edit, publish, administered bool
	}{
		{w.admin, true, true, true}, {writer, true, false, false}, {chief, true, true, false}, {other, false, false, false},
		{customer, false, false, false}, {auth.Actor{AccountID: w.admin.AccountID}, false, false, false},
	} {
		edit, err1 := segments.MayEdit(w.db, tc.who, g.ID)
		publish, err2 := segments.MayPublish(w.db, tc.who, g.ID)
		builtIn, err3 := segments.MayEdit(w.db, tc.who, builtIn)
		same(t, []any{edit, publish, builtIn, err1, err2, err3}, []any{tc.edit, tc.publish, tc.administered, nil, nil, nil})
	}
	_, err = w.CreatePermissionGroup(w.ctx(), w.admin, segments.PermissionChange{Name: ptr("DOCS")})
	wrong(t, err, "name", fault.CodeDuplicate)
	_, err = w.UpdatePermissionGroup(w.ctx(), w.admin, g.ID, segments.PermissionChange{Publish: []int64{404}})
	wrong(t, err, "publish", fault.CodeInvalid)
	_, err = w.UpdatePermissionGroup(w.ctx(), w.admin, builtIn, segments.PermissionChange{Name: ptr("x")})
	wrong(t, err, "base", fault.CodeInvalid)
	wrong(t, w.DeletePermissionGroup(w.ctx(), w.admin, builtIn), "base", fault.CodeInvalid)
	is(t, w.DeletePermissionGroup(w.ctx(), writer, g.ID), fault.Forbidden)
	wrong(t, w.Delete(w.ctx(), w.admin, writers.ID), "base", fault.CodeInvalid) // in use
	same(t, w.DeletePermissionGroup(w.ctx(), w.admin, g.ID), nil)
	same(t, w.Delete(w.ctx(), w.admin, writers.ID), nil)
}

func TestWrongSegments(t *testing.T) {
	t.Parallel()
	db := testdb.Tx(t)
	w, other := newWorld(t, db), newWorld(t, db)
	customer := w.user(models.RoleEndUser)
	for field, c := range map[string]segments.Change{
		"user_type":        {UserType: ptr("everybody")},
		"group_ids":        {GroupIDs: []int64{other.group("Theirs")}},
		"organization_ids": {OrganizationIDs: []int64{other.organization("Theirs")}},
		"added_user_ids":   {AddedUserIDs: []int64{customer.ID()}, UserType: ptr(models.SegmentStaff)},
		"tags":             {Tags: make([]string, 1001)},
	} {
		c.Name = ptr("x")
		if c.UserType == nil {
			c.UserType = ptr(models.SegmentSignedIn)
		}
		_, err := w.Create(w.ctx(), w.admin, c)
		wrong(t, err, field, fault.CodeInvalid)
	}
	_, err := w.Create(w.ctx(), w.admin, segments.Change{Name: ptr(" "), UserType: ptr(models.SegmentStaff)})
	wrong(t, err, "name", fault.CodeBlank)
	_, err = w.Create(w.ctx(), w.user(models.RoleAgent), segments.Change{})
	is(t, err, fault.Forbidden)
	theirs := other.segment(segments.Change{})
	_, err = w.Show(w.ctx(), w.admin, theirs.ID)
	is(t, err, fault.NotFound)
	_, err = w.Update(w.ctx(), w.admin, theirs.ID, segments.Change{Name: ptr("mine")})
	is(t, err, fault.NotFound)
	is(t, w.Delete(w.ctx(), w.admin, theirs.ID), fault.NotFound)
	wrong(t, segments.CheckTx(w.db, "user_segment_id", theirs.ID), "user_segment_id", fault.CodeInvalid)
	wrong(t, segments.CheckPermissionGroupTx(w.db, "permission_group_id", 404), "permission_group_id", fault.CodeInvalid)
}

func TestListsOfSegments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	agent, customer := w.user(models.RoleAgent), w.user(models.RoleEndUser, "beta")
	beta := w.segment(segments.Change{Name: ptr("Beta"), Tags: []string{"beta"}})
	list := func(by auth.Actor, f segments.Filter) []string {
		t.Helper()
		r, err := w.List(w.ctx(), by, f, page.Request{Cursor: true, Size: 10, Sort: "name"})
		if err != nil {
			t.Fatal(err)
		}
		out := []string{}
		for _, s := range r.Items {
			out = append(out, s.Name)
		}
		return out
	}
	same(t, list(w.admin, segments.Filter{}), []string{"Agents and admins", "Beta", "Signed-in users"})
	same(t, list(w.admin, segments.Filter{BuiltIn: ptr(false)}), []string{"Beta"})
	same(t, list(agent, segments.Filter{BuiltIn: ptr(true)}), []string{"Agents and admins", "Signed-in users"})
	same(t, list(agent, segments.Filter{Applicable: true}), []string{"Agents and admins", "Signed-in users"})
	same(t, list(w.admin, segments.Filter{Applicable: true}), []string{"Agents and admins", "Beta", "Signed-in users"})
	same(t, list(agent, segments.Filter{UserID: customer.ID()}), []string{"Beta", "Signed-in users"})
	_, err := w.List(w.ctx(), agent, segments.Filter{UserID: 404}, page.First(1))
	is(t, err, fault.NotFound)
	_, err = w.List(w.ctx(), customer, segments.Filter{}, page.First(1))
	is(t, err, fault.Forbidden)
	for _, s := range []string{"Agents and admins", "Signed-in users"} {
		var u models.UserSegment
		if err := w.db.Take(&u, "name = ?", s).Error; err != nil {
			t.Fatal(err)
		}
		_, err := w.Update(w.ctx(), w.admin, u.ID, segments.Change{Tags: []string{"x"}})
		wrong(t, err, "base", fault.CodeInvalid)
		wrong(t, w.Delete(w.ctx(), w.admin, u.ID), "base", fault.CodeInvalid)
	}
	got, err := w.Update(w.ctx(), w.admin, beta.ID, segments.Change{Tags: []string{}})
	same(t, []any{got.Tags, got.Name, err}, []any{models.Strings{}, "Beta", nil})
}

// Who is gone is named no more, and no segment grows by that.
func TestSegmentsForgetWhoIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t))
	customer, agent := w.user(models.RoleEndUser), w.user(models.RoleAgent)
	a, b, o, p := w.group("A"), w.group("B"), w.organization("O"), w.organization("P")
	s := w.segment(segments.Change{GroupIDs: []int64{a, b}, OrganizationIDs: []int64{o, p}, AddedUserIDs: []int64{customer.ID(), agent.ID()}})
	for _, statement := range []string{
		"UPDATE groups SET deleted = true WHERE account_id = ?",
		"UPDATE organizations SET deleted_at = now() WHERE account_id = ?",
		"UPDATE users SET active = false WHERE account_id = ? AND role = 'end-user'",
	} {
		if err := w.db.Exec(statement, s.AccountID).Error; err != nil {
			t.Fatal(err)
		}
	}
	got, err := w.Show(w.ctx(), w.admin, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	same(t, []int{len(got.GroupIDs), len(got.OrganizationIDs)}, []int{1, 1})
	same(t, got.AddedUserIDs, models.IDs{agent.ID()})
	same(t, w.sees(w.user(models.RoleAgent), s.ID), false)
	// Whoever sends back what was shown is not told that it is gone.
	_, err = w.Update(w.ctx(), w.admin, s.ID, segments.Change{GroupIDs: got.GroupIDs, OrganizationIDs: got.OrganizationIDs, Name: ptr("x")})
	same(t, err, nil)
}
