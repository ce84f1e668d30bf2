package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/helpd/helpd/models"
)

// membershipKind is what users are members of. Both kinds follow the same rules.
type membershipKind struct {
	name, place string // of a membership, and of what it is of
	role        string // of who is a member here
	below       string // path of a place's memberships
	more        string // members of a membership of a place called Here, beside those that both kinds have
	refused     string // what is wrong with a user who is none, or no agent
	atLeastOne  bool   // a member stays in one place
}

var membershipKinds = []membershipKind{
	{name: "organization_membership", place: "organization", role: models.RoleEndUser, below: "organization_memberships",
		more: `,"organization_name":"Here","view_tickets":false`, refused: "User: 404 is not a user"},
	{name: "group_membership", place: "group", role: models.RoleAgent, below: "memberships", refused: "User: 404 is not an agent", atLeastOne: true},
}

// each runs a test for both kinds.
func eachMembershipKind(t *testing.T, test func(t *testing.T, m memberships)) {
	t.Helper()
	t.Parallel()
	for _, k := range membershipKinds {
		t.Run(k.place, func(t *testing.T) {
			t.Parallel()
			test(t, memberships{newAPI(t), k})
		})
	}
}

type memberships struct {
	*anAPI
	membershipKind
}

func (m memberships) list() string        { return m.name + "s" }
func (m memberships) path() string        { return "/api/v2/" + m.list() }
func (m memberships) one(id int64) string { return fmt.Sprintf("%s/%d", m.path(), id) }

func (m memberships) ofUser(user int64, more string) string {
	return fmt.Sprintf("/api/v2/users/%d/%s%s", user, m.list(), more)
}

func (m memberships) newPlace(name string) int64 {
	m.t.Helper()
	return m.post("/api/v2/"+m.place+"s", fmt.Sprintf(`{%q:{"name":%q}}`, m.place, name)).want(201).id(m.place)
}

func (m memberships) body(user, place int64, more string) string {
	return fmt.Sprintf(`{%q:{"user_id":"%d","%s_id":%d%s}}`, m.name, user, m.place, place, more)
}

func (m memberships) join(user, place int64, more string) int64 {
	m.t.Helper()
	return m.post(m.path(), m.body(user, place, more)).want(201).id(m.name)
}

// wantDefault checks that of all memberships of a user this one is the default,
// and that the user's own record tells so.
func (m memberships) wantDefault(user, id, place int64) {
	m.t.Helper()
	r := m.get(m.ofUser(user, "")).want(200)
	for i, other := range r.ids(m.list()) {
		if got := r.member(m.list(), i, "default"); got != (other == id) {
			m.t.Errorf("membership %d: default %v, want %v: %s", other, got, other == id, r.body)
		}
	}
	own := map[string]string{"organization": "organization_id", "group": "default_group_id"}[m.place]
	if got := m.get(fmt.Sprintf("/api/v2/users/%d", user)).want(200).member("user", own); got != json.Number(fmt.Sprint(place)) {
		m.t.Errorf("the user's %s is %v, want %d", own, got, place)
	}
}

func TestMembershipOnTheWire(t *testing.T) {
	eachMembershipKind(t, func(t *testing.T, m memberships) {
		place := m.newPlace("Here")
		user, _ := m.person(m.role)
		r := m.post(m.path()+".json", m.body(user, place, `,"default":"false"`)).want(201)
		id := r.id(m.name)
		url := "http://helpd.test" + m.one(id) + ".json"
		if got := r.header.Get("Location"); got != url {
			t.Errorf("Location %q, want %q", got, url)
		}
		one := fmt.Sprintf(`{"url":%q,"id":%d,"user_id":%d,"%s_id":%d,"default":true,"created_at":%q,"updated_at":%q%s}`,
			url, id, user, m.place, place, clockText, clockText, m.more)
		r.wantJSON(`{%q:%s}`, m.name, one)
		m.get(m.one(id)).want(200).wantJSON(`{%q:%s}`, m.name, one)
		m.get(m.ofUser(user, fmt.Sprintf("/%d.json", id))).want(200).wantJSON(`{%q:%s}`, m.name, one)
		for _, path := range []string{m.ofUser(user, ""), fmt.Sprintf("/api/v2/%ss/%d/%s", m.place, place, m.below)} {
			m.get(path).want(200).wantJSON(`{%q:[%s],"next_page":null,"previous_page":null,"count":1}`, m.list(), one)
		}
		for _, path := range []string{m.ofUser(user, ""), m.one(id)} {
			beside := m.get(path + "?include=users," + m.place + "s").want(200)
			if !slices.Equal(beside.ids("users"), []int64{user}) || !slices.Equal(beside.ids(m.place+"s"), []int64{place}) {
				t.Errorf("beside it: %s", beside.body)
			}
		}
		if got := m.get(m.path() + "?page[size]=10").want(200).ids(m.list()); !slices.Contains(got, id) {
			t.Errorf("all of the account: %v", got)
		}
		of := fmt.Sprintf("/api/v2/users/%d/%ss", user, m.place)
		if got := m.get(of).want(200).ids(m.place + "s"); !slices.Equal(got, []int64{place}) {
			t.Errorf("%ss of the user: %v", m.place, got)
		}
		if got := m.get(of+"/count").want(200).member("count", "value"); got != json.Number("1") {
			t.Errorf("counted %v", got)
		}
	})
}

func TestMembershipRefused(t *testing.T) {
	eachMembershipKind(t, func(t *testing.T, m memberships) {
		place := m.newPlace("Here")
		user, email := m.person(m.role)
		id := m.join(user, place, "")
		before := m.rows()
		m.post(m.path(), m.body(user, place, "")).wantDetail("user_id", "User: is already a member of this "+m.place)
		m.post(m.path(), m.body(404, place, "")).wantDetail("user_id", m.refused)
		m.post(m.path(), `{"`+m.name+`":{}}`).want(422)
		m.post(m.path(), `{"`+m.name+`":[]}`).want(400)
		m.post(m.path(), `{}`).want(400)
		m.post("/api/v2/users/404/"+m.list(), m.body(0, place, "")).wantMissing()
		m.as(email).post(m.path(), m.body(user, place, "")).wantForbidden()
		m.as(email).delete(m.one(id)).wantForbidden()
		for _, path := range []string{m.one(404), m.ofUser(404, ""), fmt.Sprintf("/api/v2/%ss/404/%s", m.place, m.below), fmt.Sprintf("/api/v2/users/404/%ss", m.place)} {
			m.get(path).wantMissing()
		}
		m.delete(m.one(404)).wantMissing()
		other := m.another()
		other.get(m.one(id)).wantMissing()
		other.delete(m.one(id)).wantMissing()
		other.get(m.ofUser(user, "")).wantMissing()
		other.post(m.path(), m.body(other.admin.ID, place, "")).want(422)
		if tables := changed(before, m.rows()); len(tables) > 0 {
			t.Errorf("refused calls changed %v", tables)
		}
		if got := m.post(m.path(), m.body(user, 404, "")).want(422).member("details", m.place+"_id", 0, "error"); got != "InvalidValue" {
			t.Errorf("no such %s: %v", m.place, got)
		}
	})
}

// The first membership is the default, the last that asks for it, or that is made
// it; when that ends, the oldest of the others.
func TestDefaultMembership(t *testing.T) {
	eachMembershipKind(t, func(t *testing.T, m memberships) {
		user, email := m.person(m.role)
		b, a, c := m.newPlace("B"), m.newPlace("A"), m.newPlace("C")
		first := m.join(user, b, "")
		m.wantDefault(user, first, b)
		second := m.join(user, a, "")
		m.wantDefault(user, first, b)
		third := m.join(user, c, `,"default":true`)
		m.wantDefault(user, third, c)

		makeDefault := func(who *anAPI, user, id int64) *result {
			return who.put(m.ofUser(user, fmt.Sprintf("/%d/make_default.json", id)), `{}`)
		}
		if got := makeDefault(m.as(email), user, second).want(200).ids(m.list()); len(got) != 3 {
			t.Errorf("make_default answers %v", got)
		}
		m.wantDefault(user, second, a)
		stranger, theirs := m.person(m.role)
		makeDefault(m.as(theirs), user, first).want(403)
		makeDefault(m.anAPI, stranger, first).wantMissing()
		m.delete(m.ofUser(stranger, fmt.Sprintf("/%d", first))).wantMissing()
		m.wantDefault(user, second, a)

		m.delete(m.ofUser(user, fmt.Sprintf("/%d", second))).want(204)
		m.wantDefault(user, first, b)
		m.delete(m.one(second)).wantMissing()
		m.delete(m.one(third)).want(204)
		m.wantDefault(user, first, b)
		if m.atLeastOne {
			m.delete(m.one(first)).wantDetail("base", "Agents must belong to at least one group")
			m.wantDefault(user, first, b)
			return
		}
		m.delete(m.one(first)).want(204)
		if got := m.get(m.ofUser(user, "")).want(200).ids(m.list()); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
	})
}

func TestBulkMemberships(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	for _, k := range membershipKinds {
		m := memberships{a, k}
		place, other := m.newPlace("Here"), m.newPlace("There")
		user, _ := m.person(m.role)
		kept := m.join(user, other, "")
		item := fmt.Sprintf(`{"user_id":%d,"%s_id":%d}`, user, m.place, place)
		done := m.post(m.path()+"/create_many", fmt.Sprintf(`{%q:[%s,%s]}`, m.list(), item, item)).want(200).jobDone(a)
		if done.member("job_status", "results", 0, "status") != "Created" || done.member("job_status", "results", 1, "status") != "Failed" {
			t.Errorf("%s", done.body)
		}
		id, _ := done.member("job_status", "results", 0, "id").(json.Number).Int64()
		done = m.delete(fmt.Sprintf("%s/destroy_many?ids=%d,%d", m.path(), id, id)).want(200).jobDone(a)
		if got, want := fmt.Sprint(done.member("job_status", "results", 0)), fmt.Sprintf("map[action:delete id:%d status:Deleted success:true]", id); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		done = m.delete(fmt.Sprintf("%s/destroy_many?ids=%d", m.path(), id)).want(200).jobDone(a)
		if got := done.member("job_status", "results", 0, "error"); got != "RecordNotFound" {
			t.Errorf("the second time: %v", got)
		}
		if got := m.get(m.ofUser(user, "")).want(200).ids(m.list()); !slices.Equal(got, []int64{kept}) {
			t.Errorf("left %v", got)
		}
		m.delete(m.path() + "/destroy_many").want(400)
		m.delete(m.path() + "/destroy_many?ids=").want(400)
	}
}

// However many join, choose and leave at once, a user with memberships has one
// default, and it is the one that the user's record has.
func TestConcurrentWritersKeepOneDefaultMembership(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	for _, k := range membershipKinds {
		m := memberships{a, k}
		user, _ := m.person(m.role)
		m.join(user, m.newPlace("Stays"), "")
		var wg sync.WaitGroup
		for i := range 8 {
			place := m.newPlace(fmt.Sprint("P", i))
			wg.Go(func() {
				r := m.post(m.path(), m.body(user, place, fmt.Sprintf(`,"default":%t`, i%2 == 0)))
				if r.status != 201 {
					t.Errorf("join: %d %s", r.status, r.body)
					return
				}
				switch id := r.id(m.name); i % 4 {
				case 0:
					r = m.delete(fmt.Sprintf("/api/v2/%ss/%d", m.place, place))
				case 1:
					r = m.delete(m.one(id))
				case 2:
					r = m.put(m.ofUser(user, fmt.Sprintf("/%d/make_default", id)), "")
				}
				if r.status >= 300 {
					t.Errorf("%s %s: %d %s", r.method, r.path, r.status, r.body)
				}
			})
		}
		wg.Wait()
		m.until("those of deleted places have ended", func() bool { return len(m.get(m.ofUser(user, "")).want(200).ids(m.list())) == 5 })
		r := m.get(m.ofUser(user, "")).want(200)
		for i, id := range r.ids(m.list()) {
			if r.member(m.list(), i, "default") == true {
				place, _ := r.member(m.list(), i, m.place+"_id").(json.Number).Int64()
				m.wantDefault(user, id, place) // and no other
			}
		}
	}
}
