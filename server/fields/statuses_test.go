package fields_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
)

func sameJSON(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

func TestCustomStatuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	st, err := w.CreateStatus(w.ctx, w.admin, fields.StatusChange{Category: new("hold"), AgentLabel: new(" Waiting for parts ")})
	if err != nil || st.AgentLabel != "Waiting for parts" || st.EndUserLabel != "Waiting for parts" || !st.Active || st.Default {
		t.Fatalf("status %+v, %v", st, err)
	}
	st, err = w.UpdateStatus(w.ctx, w.admin, st.ID, fields.StatusChange{Category: new("open"), EndUserLabel: new("On its way")})
	if err != nil || st.StatusCategory != "hold" || st.EndUserLabel != "On its way" || st.AgentLabel != "Waiting for parts" {
		t.Fatalf("status %+v, %v", st, err)
	}
	old := w.config(t).DefaultStatus("hold")
	if err := w.SetDefaultStatuses(w.ctx, w.admin, []int64{st.ID}); err != nil {
		t.Fatal(err)
	}
	c := w.config(t)
	if c.DefaultStatus("hold").ID != st.ID || c.DefaultStatus("open").AgentLabel != "Open" {
		t.Errorf("defaults %+v", c.Statuses)
	}
	_, err = w.UpdateStatus(w.ctx, w.admin, st.ID, fields.StatusChange{Active: new(false)})
	wantInvalid(t, err, "active", "Active: the default status of a category cannot be deactivated")
	wantInvalid(t, w.SetDefaultStatuses(w.ctx, w.admin, []int64{st.ID, old.ID}), "ids", "Ids: only one status can be the default of hold")
	if _, err := w.UpdateStatus(w.ctx, w.admin, old.ID, fields.StatusChange{Active: new(false)}); err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, w.SetDefaultStatuses(w.ctx, w.admin, []int64{old.ID}), "ids", "Ids: "+string(models.ToJSON(old.ID))+" is not an active custom status")
	list, err := w.Statuses(w.ctx, w.admin, fields.StatusFilter{Categories: []string{"hold", "new"}, Active: new(true)})
	if err != nil || len(list) != 2 || list[0].StatusCategory != "new" || list[1].ID != st.ID {
		t.Errorf("list %+v, %v", list, err)
	}
	list, err = w.Statuses(w.ctx, w.admin, fields.StatusFilter{Default: new(false)})
	if err != nil || len(list) != 1 || list[0].ID != old.ID {
		t.Errorf("list %+v, %v", list, err)
	}
}

func TestCustomStatusNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, tc := range []struct {
		c     fields.StatusChange
		field string
		says  string
	}{
		{fields.StatusChange{Category: new("open")}, "agent_label", "Agent label: cannot be blank"},
		{fields.StatusChange{AgentLabel: new("x")}, "status_category", "Status category: cannot be blank"},
		{fields.StatusChange{Category: new("closed"), AgentLabel: new("x")}, "status_category", "Status category: closed is not one of new, open, pending, hold, solved"},
		{fields.StatusChange{Category: new("open"), AgentLabel: new(strings.Repeat("x", 49))}, "agent_label", "Agent label: is too long (maximum is 48 characters)"},
	} {
		_, err := w.CreateStatus(w.ctx, w.admin, tc.c)
		wantInvalid(t, err, tc.field, tc.says)
	}
	if _, err := w.UpdateStatus(w.ctx, w.admin, 404, fields.StatusChange{}); !fault.Is(err, fault.NotFound) {
		t.Errorf("update of no status: %v", err)
	}
	if _, err := w.GetStatus(w.ctx, w.admin, 404); !fault.Is(err, fault.NotFound) {
		t.Errorf("no status: %v", err)
	}
}

func TestFormsAreFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	brand := w.config(t).DefaultBrand()
	lamps := models.Brand{Name: "Lamps", Subdomain: brand.Subdomain + "lamps", Active: true, HelpCenterState: models.HelpCenterDisabled}
	if err := w.tx.Create(&lamps).Error; err != nil {
		t.Fatal(err)
	}
	at := w.admin
	at.Brand = auth.BrandOf(lamps)
	forms := []models.TicketForm{
		{Name: "Internal", Active: true, InAllBrands: true, Position: 2},
		{Name: "Old", EndUserVisible: true, InAllBrands: true, Position: 3},
		{Name: "Elsewhere", Active: true, EndUserVisible: true, RestrictedBrandIDs: models.IDs{404}, Position: 4},
		{Name: "Here", Active: true, EndUserVisible: true, RestrictedBrandIDs: models.IDs{brand.ID}, Position: 5},
		{Name: "Lamps", Active: true, EndUserVisible: true, RestrictedBrandIDs: models.IDs{lamps.ID}, Position: 6},
	}
	for i := range forms {
		forms[i].AgentConditions, forms[i].EndUserConditions = models.JSON("[]"), models.JSON("[]")
	}
	if err := w.tx.Create(&forms).Error; err != nil {
		t.Fatal(err)
	}
	if err := fields.BumpTx(w.tx, w.admin.AccountID); err != nil {
		t.Fatal(err)
	}
	user := auth.Actor{AccountID: w.admin.AccountID, User: models.User{Tenant: models.Tenant{ID: 5}, Role: models.RoleEndUser}}
	for _, tc := range []struct {
		name   string
		by     auth.Actor
		filter fields.FormFilter
		want   string
	}{
		{"agents see all", w.admin, fields.FormFilter{}, "Default Ticket Form, Internal, Old, Elsewhere, Here, Lamps"},
		{"active", w.admin, fields.FormFilter{Active: new(true)}, "Default Ticket Form, Internal, Elsewhere, Here, Lamps"},
		{"inactive", w.admin, fields.FormFilter{Active: new(false)}, "Old"},
		{"hidden", w.admin, fields.FormFilter{EndUserVisible: new(false)}, "Internal"},
		{"of the brand", w.admin, fields.FormFilter{OfBrand: true, Active: new(true)}, "Default Ticket Form, Internal, Here"},
		{"of the host's brand", at, fields.FormFilter{OfBrand: true, Active: new(true)}, "Default Ticket Form, Internal, Lamps"},
		{"end users", user, fields.FormFilter{}, "Default Ticket Form, Elsewhere, Here, Lamps"},
		{"nothing left", w.admin, fields.FormFilter{Active: new(false), EndUserVisible: new(false)}, ""},
		{"nothing left but the default", w.admin, fields.FormFilter{Active: new(false), EndUserVisible: new(false), FallbackToDefault: true}, "Default Ticket Form"},
	} {
		list, err := w.Forms(w.ctx, tc.by, tc.filter)
		var names []string
		for _, f := range list {
			names = append(names, f.Name)
		}
		if got := strings.Join(names, ", "); err != nil || got != tc.want {
			t.Errorf("%s: %s (%v), want %s", tc.name, got, err, tc.want)
		}
	}
	ids := []int64{forms[1].ID, 404, forms[3].ID}
	if list, err := w.FormsByID(w.ctx, user, ids); err != nil || len(list) != 1 || list[0].ID != forms[3].ID {
		t.Errorf("by id: %+v, %v", list, err)
	}
	if _, err := w.GetForm(w.ctx, user, forms[0].ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("a hidden form: %v", err)
	}
	if f, err := w.GetForm(w.ctx, w.admin, forms[0].ID); err != nil || f.Name != "Internal" {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestBrandsHaveTheirForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	form, _ := w.config(t).DefaultForm()
	deleted := models.Brand{Name: "Aaa", Subdomain: "aaa", HelpCenterState: "disabled", IsDeleted: true}
	if err := w.tx.Create(&deleted).Error; err != nil {
		t.Fatal(err)
	}
	list, err := w.Brands(w.ctx, w.admin, w.config(t), page.Request{Size: 100, Number: 1})
	if err != nil || list.Count != 1 || list.Items[0].Name != "Acme" || !slices.Equal(list.Items[0].TicketFormIDs, []int64{form.ID}) {
		t.Errorf("brands %+v, %v", list, err)
	}
	if b, err := w.GetBrand(w.ctx, w.admin, deleted.ID); err != nil || !b.IsDeleted {
		t.Errorf("a deleted brand: %+v, %v", b, err)
	}
	if _, err := w.GetBrand(w.ctx, w.admin, 404); !fault.Is(err, fault.NotFound) {
		t.Errorf("no brand: %v", err)
	}
}
