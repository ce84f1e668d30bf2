package users

import (
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
)

func TestListByFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	org := w.organization("Acme")
	w.create(Change{Name: new("Bob"), ExternalID: str("B-1"), OrganizationID: num(org)})
	gone := w.create(Change{Name: new("Gone"), OrganizationID: num(org)})
	if _, err := w.Delete(w.ctx, w.admin, gone.ID); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		filter Filter
		want   string
	}{
		{Filter{}, "Ada Gus Ann Bob"},
		{Filter{Roles: []string{"end-user"}}, "Ann Bob"},
		{Filter{Roles: []string{"agent", "admin"}}, "Ada Gus"},
		{Filter{ExternalID: "b-1"}, "Bob"},
		{Filter{PermissionSet: 9}, ""},
		{Filter{GroupID: &w.group}, "Ada Gus"},
		{Filter{OrganizationID: &org}, "Bob"},
		{Filter{OrganizationID: &org, Roles: []string{"agent"}}, ""},
	} {
		r, err := w.List(w.ctx, w.agent, tc.filter, page.First(100))
		if err != nil || names(r.Items) != tc.want {
			t.Errorf("%+v: %q, %v, want %q", tc.filter, names(r.Items), err, tc.want)
		}
		n, at, err := w.Count(w.ctx, w.agent, tc.filter)
		if err != nil || n != len(strings.Fields(tc.want)) || at.IsZero() {
			t.Errorf("%+v: count %d, %v", tc.filter, n, err)
		}
	}
	_, err := w.List(w.ctx, w.agent, Filter{Roles: []string{"boss"}}, page.First(1))
	w.refused(err, fault.Invalid, "Role: boss is not a role")
	_, err = w.List(w.ctx, w.agent, Filter{GroupID: new(int64(404))}, page.First(1))
	w.refused(err, fault.NotFound, "")
	_, err = w.List(w.ctx, w.as(w.ann), Filter{}, page.First(1))
	w.refused(err, fault.Forbidden, "")
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	org := w.organization("Big Corp")
	w.create(Change{Name: new("Roger Wilco"), Email: str("roge@space.test"), Phone: str("+15551234567"), ExternalID: str("Ext-9"),
		OrganizationID: num(org), Tags: []string{"janitor"}})
	w.create(Change{Name: new("100% Real_Name"), Email: str("droge@space.test"), Phone: str("555 987")})
	w.create(Change{Name: new("田中 太郎"), Email: str("tanaka@example.jp")})
	gone := w.create(Change{Name: new("Wilco Gone")})
	if _, err := w.Delete(w.ctx, w.admin, gone.ID); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ query, want string }{
		{"wilco", "Roger Wilco"},
		{"WIL", "Roger Wilco"},
		{"wilco roger", "Roger Wilco"},
		{"wilco ann", ""},
		{`"roger wilco"`, "Roger Wilco"},
		{`"wilco roger"`, ""},
		{"space.test", "Roger Wilco 100% Real_Name"},
		{"5551234", "Roger Wilco"},
		{"555 987", "100% Real_Name"},
		{"100%", "100% Real_Name"},
		{"l_n", "100% Real_Name"},
		{"r%o", ""},
		{"ro", "Roger Wilco"},
		{"田中", "田中 太郎"},
		{"太", "田中 太郎"},
		{"email:roge@space.test", "Roger Wilco"},
		{"email:*@space.test", "Roger Wilco 100% Real_Name"},
		{"email:space", "Roger Wilco 100% Real_Name"},
		{`name:"roger wil"`, "Roger Wilco"},
		{"name:roger*", "Roger Wilco"},
		{"phone:1234567", "Roger Wilco"},
		{"external_id:ext-9", "Roger Wilco"},
		{"external_id:ext", ""},
		{"role:admin", "Ada"},
		{"role:admin role:agent", "Ada Gus"},
		{"role:staff", "Ada Gus"},
		{`organization:"big corp"`, "Roger Wilco"},
		{fmt.Sprint("organization:", org), "Roger Wilco"},
		{"organization:none role:admin", "Ada"},
		{"tags:janitor", "Roger Wilco"},
		{"type:user wilco", "Roger Wilco"},
		{"role:nonsense", ""},
		{"http://wilco", ""},
	} {
		r, err := w.Search(w.ctx, w.agent, tc.query, "", page.Request{Size: 100, Number: 1})
		if err != nil || names(r.Items) != tc.want {
			t.Errorf("%s: %q, %v, want %q", tc.query, names(r.Items), err, tc.want)
		}
	}
	r, err := w.Search(w.ctx, w.agent, "ignored", "EXT-9", page.First(10))
	if err != nil || names(r.Items) != "Roger Wilco" {
		t.Errorf("by external id: %q, %v", names(r.Items), err)
	}
	for _, query := range []string{"", "  ", "type:user", "email:", `email:""`, strings.Repeat("x", 1025), strings.Repeat("x ", 21)} {
		_, err := w.Search(w.ctx, w.agent, query, "", page.First(10))
		w.refused(err, fault.BadQuery, "Invalid search: ")
	}
	_, err = w.Search(w.ctx, w.as(w.ann), "ann", "", page.First(10))
	w.refused(err, fault.Forbidden, "")
}

func TestAutocomplete(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.create(Change{Name: new("Zoe Wilco"), Phone: str("+15551234567")})
	w.create(Change{Name: new("Will"), Email: str("will@x.test")})
	for _, tc := range []struct{ text, want string }{
		{"wil", "Will Zoe Wilco"},
		{" WIL ", "Will Zoe Wilco"},
		{"lco", ""},
		{"will@", "Will"},
		{"+1555", "Zoe Wilco"},
		{"w_", ""},
	} {
		r, err := w.Autocomplete(w.ctx, w.agent, tc.text, fields.Lookup{}, page.Request{Size: 100, Number: 1})
		if err != nil || names(r.Items) != tc.want {
			t.Errorf("%s: %q, %v, want %q", tc.text, names(r.Items), err, tc.want)
		}
	}
	_, err := w.Autocomplete(w.ctx, w.agent, "w", fields.Lookup{}, page.First(10))
	w.refused(err, fault.Invalid, "Name: is too short (minimum is 2 characters)")
	_, err = w.Autocomplete(w.ctx, w.as(w.ann), "wil", fields.Lookup{}, page.First(10))
	w.refused(err, fault.Forbidden, "")
}

func TestMany(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update(w.ann.ID, Change{ExternalID: str("A-1")})
	got, err := w.Many(w.ctx, w.agent, []int64{404, w.ann.ID, w.agent.ID()}, nil)
	if err != nil || names(got) != "Gus Ann" {
		t.Errorf("by ids: %q, %v", names(got), err)
	}
	got, err = w.Many(w.ctx, w.agent, nil, []string{"a-1", "x"})
	if err != nil || names(got) != "Ann" {
		t.Errorf("by external ids: %q, %v", names(got), err)
	}
	if got, err = w.Many(w.ctx, w.agent, nil, nil); err != nil || got == nil || len(got) != 0 {
		t.Errorf("of none: %v, %v", got, err)
	}
	_, err = w.Many(w.ctx, w.agent, make([]int64, 101), nil)
	w.refused(err, fault.TooMany, "more than 100")
	_, err = w.Many(w.ctx, w.as(w.ann), []int64{w.ann.ID}, nil)
	w.refused(err, fault.Forbidden, "")
}
