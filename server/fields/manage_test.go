package fields_test

import (
	"slices"
	"testing"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
)

func (w world) field(t *testing.T, c fields.Change) *fields.Field {
	t.Helper()
	f, err := w.Create(w.ctx, w.admin, models.FieldsOfTickets, c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func tagger(title string, values ...string) fields.Change {
	c := fields.Change{Type: new("tagger"), Title: &title}
	for _, v := range values {
		c.Options = append(c.Options, fields.OptionChange{Name: new("The " + v), Value: &v})
	}
	return c
}

func values(f *fields.Field) []string {
	var out []string
	for _, o := range f.Options {
		out = append(out, o.Value)
	}
	return out
}

func wantInvalid(t *testing.T, err error, field, says string) {
	t.Helper()
	e := fault.Of(err)
	if e == nil || e.Kind != fault.Invalid || len(e.Details[field]) == 0 || e.Details[field][0].Description != says {
		t.Errorf("error %v, want %s: %q", err, field, says)
	}
}

func TestCreateFillsInWhatIsNotSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.field(t, fields.Change{Title: new(" Age ")})
	if f.Type != "text" || f.Title != "Age" || f.Description != "Age" || f.TitleInPortal != "Age" || f.Position != 9999 ||
		!f.Active || !f.Removable || f.Required || f.VisibleInPortal || *f.CreatorUserID != w.admin.ID() {
		t.Errorf("field %+v", f.Field)
	}
	c := w.config(t)
	if got, ok := c.Field(f.ID); !ok || got.Title != "Age" {
		t.Errorf("config has %+v", got)
	}
	if form, _ := c.DefaultForm(); !slices.Contains(form.TicketFieldIDs, f.ID) {
		t.Errorf("the only form has fields %v", form.TicketFieldIDs)
	}
}

func TestCreateNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		c     fields.Change
		field string
		says  string
	}{
		{"no title", fields.Change{Title: new(" ")}, "title", "Title: cannot be blank"},
		{"system type", fields.Change{Type: new("priority"), Title: new("x")}, "type", "Type: priority is not a type of custom ticket fields"},
		{"no options", tagger("x"), "custom_field_options", "Custom field options: cannot be blank"},
		{"option without a name", fields.Change{Type: new("tagger"), Title: new("x"), Options: []fields.OptionChange{{Value: new("v")}}}, "name", "Name: cannot be blank"},
		{"same option twice", tagger("x", "one", "ONE"), "base", "The tag <strong>one</strong> is already used in a custom field drop-down, multi-select or checkbox."},
		{"regexp without a pattern", fields.Change{Type: new("regexp"), Title: new("x")}, "regexp_for_validation", "Regexp for validation: cannot be blank"},
		{"broken pattern", fields.Change{Type: new("regexp"), Title: new("x"), RegexpForValidation: nullable.NewNullableWithValue("(")},
			"regexp_for_validation", "Regexp for validation: is not a valid regular expression"},
		{"lookup of nothing", fields.Change{Type: new("lookup"), Title: new("x")}, "relationship_target_type", "Relationship target type: cannot be blank"},
		{"lookup of no record", fields.Change{Type: new("lookup"), Title: new("x"), RelationshipTargetType: new("zen:cat")},
			"relationship_target_type", "Relationship target type: zen:cat is not a type of record"},
		{"negative position", fields.Change{Title: new("x"), Position: new(int64(-1))}, "position", "Position: must be between 0 and 1000000000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := w.Create(w.ctx, w.admin, models.FieldsOfTickets, tc.c)
			wantInvalid(t, err, tc.field, tc.says)
			if got := w.config(t); len(got.Fields) != 8 || got.Version != 1 {
				t.Errorf("%d fields, version %d after a refusal", len(got.Fields), got.Version)
			}
		})
	}
}

func TestTagBelongsToOneField(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.field(t, tagger("Product", "camera"))
	w.field(t, fields.Change{Type: new("checkbox"), Title: new("VIP"), Tag: nullable.NewNullableWithValue("V I P")})
	says := func(tag string) string {
		return "The tag <strong>" + tag + "</strong> is already used in a custom field drop-down, multi-select or checkbox."
	}
	_, err := w.Create(w.ctx, w.admin, models.FieldsOfTickets, tagger("Other", "Camera"))
	wantInvalid(t, err, "base", says("camera"))
	_, err = w.Create(w.ctx, w.admin, models.FieldsOfTickets, tagger("Other", "v_i_p"))
	wantInvalid(t, err, "base", says("v_i_p"))
	_, err = w.Create(w.ctx, w.admin, models.FieldsOfTickets, fields.Change{Type: new("checkbox"), Title: new("x"), Tag: nullable.NewNullableWithValue("camera")})
	wantInvalid(t, err, "base", says("camera"))
	free := w.field(t, tagger("Free", "phone"))
	_, _, err = w.PutOption(w.ctx, w.admin, models.FieldsOfTickets, free.ID, fields.OptionChange{Name: new("x"), Value: new("camera")})
	wantInvalid(t, err, "base", says("camera"))
}

func TestOptionsAreReplacedAsAList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.field(t, tagger("Product", "a", "b", "c"))
	a, b := f.Options[0].ID, f.Options[1].ID
	f, err := w.Update(w.ctx, w.admin, models.FieldsOfTickets, f.ID, fields.Change{Options: []fields.OptionChange{
		{ID: b, Value: new("a")}, // swapped
		{ID: a, Value: new("b"), Name: new("Renamed")},
		{Name: new("New"), Value: new("d")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := w.Get(w.ctx, w.admin, models.FieldsOfTickets, f.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(values(got), []string{"a", "b", "d"}) || !slices.Equal(values(f), values(got)) {
		t.Errorf("options %v, answered %v", values(got), values(f))
	}
	if got.Options[0].ID != b || got.Options[1].ID != a || got.Options[1].Name != "Renamed" || got.Options[0].Name != "The b" {
		t.Errorf("options %+v", got.Options)
	}
	if f, err = w.Update(w.ctx, w.admin, models.FieldsOfTickets, f.ID, fields.Change{Options: []fields.OptionChange{{Value: new("A"), Name: new("By value")}}}); err != nil {
		t.Fatal(err)
	}
	if len(f.Options) != 1 || f.Options[0].ID != b {
		t.Errorf("an option found by value has become %+v", f.Options)
	}
	_, err = w.Update(w.ctx, w.admin, models.FieldsOfTickets, f.ID, fields.Change{Options: []fields.OptionChange{}})
	wantInvalid(t, err, "custom_field_options", "Custom field options: cannot be blank")
}

func TestUpdateChangesWhatIsPresent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.field(t, fields.Change{Type: new("integer"), Title: new("Age"), Description: nullable.NewNullableWithValue("In years"),
		AgentDescription: nullable.NewNullableWithValue("Ask")})
	f, err := w.Update(w.ctx, w.admin, models.FieldsOfTickets, f.ID, fields.Change{
		Type: new("text"), Title: new("Years"), Active: new(false), AgentDescription: nullable.NewNullNullable[string](),
	})
	if err != nil {
		t.Fatal(err)
	}
	if f.Type != "integer" || f.Title != "Years" || f.Description != "In years" || f.Active || f.AgentDescription != nil {
		t.Errorf("field %+v", f.Field)
	}
	_, err = w.Update(w.ctx, w.admin, models.FieldsOfTickets, 404, fields.Change{Title: new("x")})
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("update of no field: %v", err)
	}
}

func TestSystemFieldsStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	subject, _ := w.config(t).SystemField(models.FieldSubject)
	kind, _ := w.config(t).SystemField(models.FieldTicketType)
	wantInvalid(t, w.Delete(w.ctx, w.admin, models.FieldsOfTickets, subject.ID), "base", "Subject: is a system field and cannot be deleted")
	_, err := w.Update(w.ctx, w.admin, models.FieldsOfTickets, subject.ID, fields.Change{Active: new(false)})
	wantInvalid(t, err, "base", "Subject: is a system field and cannot be deactivated")
	if _, err := w.Update(w.ctx, w.admin, models.FieldsOfTickets, kind.ID, fields.Change{Active: new(false)}); err != nil {
		t.Errorf("deactivate the type: %v", err)
	}
	_, err = w.Update(w.ctx, w.admin, models.FieldsOfTickets, subject.ID, fields.Change{Title: new("Topic"), Required: new(true)})
	if err != nil {
		t.Errorf("rename the subject: %v", err)
	}
}

func TestDeletedFieldLeavesForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	parent, gone, kept := w.field(t, tagger("Product", "camera")), w.field(t, fields.Change{Title: new("Gone")}), w.field(t, fields.Change{Title: new("Kept")})
	form, _ := w.config(t).DefaultForm()
	conditions := models.ToJSON([]any{
		map[string]any{"parent_field_id": parent.ID, "value": "camera", "child_fields": []any{
			map[string]any{"id": gone.ID, "is_required": true}, map[string]any{"id": kept.ID, "is_required": true}}},
		map[string]any{"parent_field_id": gone.ID, "value": "x", "child_fields": []any{map[string]any{"id": kept.ID, "is_required": true}}},
	})
	if err := w.tx.Model(&form).Update("agent_conditions", conditions).Error; err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(w.ctx, w.admin, models.FieldsOfTickets, gone.ID); err != nil {
		t.Fatal(err)
	}
	form, _ = w.config(t).DefaultForm()
	want := string(models.ToJSON([]any{map[string]any{"parent_field_id": parent.ID, "value": "camera", "child_fields": []any{
		map[string]any{"id": kept.ID, "is_required": true}}}}))
	if slices.Contains(form.TicketFieldIDs, gone.ID) || !sameJSON(string(form.AgentConditions), want) {
		t.Errorf("form %v, conditions %s", form.TicketFieldIDs, form.AgentConditions)
	}
	if err := w.Delete(w.ctx, w.admin, models.FieldsOfTickets, gone.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("second delete: %v", err)
	}
	if err := w.Delete(w.ctx, w.admin, models.FieldsOfTickets, parent.ID); err != nil {
		t.Fatal(err)
	}
	w.field(t, tagger("Again", "camera")) // its tag is free
}

func TestReorderPutsTheNamedFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.config(t)
	first, second := c.Fields[5].ID, c.Fields[2].ID
	if err := w.Reorder(w.ctx, w.admin, models.FieldsOfTickets, []int64{first, second, first}); err != nil {
		t.Fatal(err)
	}
	got := w.config(t).Fields
	want := []int64{first, second, c.Fields[0].ID, c.Fields[1].ID, c.Fields[3].ID}
	for i, id := range want {
		if got[i].ID != id || got[i].Position != i+1 {
			t.Errorf("field %d is %d at %d, want %d", i, got[i].ID, got[i].Position, id)
		}
	}
	wantInvalid(t, w.Reorder(w.ctx, w.admin, models.FieldsOfTickets, []int64{404}), "ticket_field_ids", "Ticket field: 404 is not a ticket field")
}

func TestEndUsersSeeWhatThePortalShows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.field(t, fields.Change{Title: new("Seen"), VisibleInPortal: new(true)})
	w.field(t, fields.Change{Title: new("Hidden")})
	w.field(t, fields.Change{Title: new("Retired"), VisibleInPortal: new(true), Active: new(false)})
	user := auth.Actor{AccountID: w.admin.AccountID, User: models.User{Tenant: models.Tenant{ID: 5}, Role: models.RoleEndUser}}
	list, err := w.List(w.ctx, user, models.FieldsOfTickets)
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, f := range list {
		titles = append(titles, f.Title)
	}
	if want := []string{"Subject", "Description", "Seen"}; !slices.Equal(titles, want) {
		t.Errorf("an end user sees %v, want %v", titles, want)
	}
	first, err := w.Page(w.ctx, user, models.FieldsOfTickets, page.First(2))
	if err != nil || len(first.Items) != 2 || !first.HasMore {
		t.Fatalf("page %+v, %v", first, err)
	}
	rest, err := w.Page(w.ctx, user, models.FieldsOfTickets, page.Request{Cursor: true, Size: 2, After: first.After})
	if err != nil || len(rest.Items) != 1 || rest.Items[0].Title != "Seen" || rest.HasMore {
		t.Errorf("rest %+v, %v", rest, err)
	}
}

func TestSingleOptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := w.field(t, tagger("Product", "a", "b"))
	o, created, err := w.PutOption(w.ctx, w.admin, models.FieldsOfTickets, f.ID, fields.OptionChange{Name: new("C"), Value: new("c d"), Position: new(int64(0)), Default: new(true)})
	if err != nil || !created || o.Value != "c_d" || o.Position != 0 || !o.Default {
		t.Fatalf("option %+v, %t, %v", o, created, err)
	}
	if got, err := w.Get(w.ctx, w.admin, models.FieldsOfTickets, f.ID); err != nil || !slices.Equal(values(got), []string{"c_d", "a", "b"}) {
		t.Fatalf("options %+v, %v", got, err)
	}
	again, created, err := w.PutOption(w.ctx, w.admin, models.FieldsOfTickets, f.ID, fields.OptionChange{ID: f.Options[1].ID, Name: new("Bee"), Default: new(true)})
	if err != nil || created || again.Name != "Bee" || again.Value != "b" || !again.Default {
		t.Errorf("option %+v, %t, %v", again, created, err)
	}
	if got, err := w.Option(w.ctx, w.admin, models.FieldsOfTickets, f.ID, o.ID); err != nil || got.Default {
		t.Errorf("the former default is %+v, %v", got, err)
	}
	if err := w.DeleteOption(w.ctx, w.admin, models.FieldsOfTickets, f.ID, o.ID); err != nil {
		t.Fatal(err)
	}
	list, err := w.Options(w.ctx, w.admin, models.FieldsOfTickets, f.ID, page.Request{Size: 100, Number: 1})
	if err != nil || list.Count != 2 || list.Items[0].Value != "a" {
		t.Errorf("options %+v, %v", list, err)
	}
	for name, err := range map[string]error{
		"delete of a deleted option": w.DeleteOption(w.ctx, w.admin, models.FieldsOfTickets, f.ID, o.ID),
		"delete in no field":         w.DeleteOption(w.ctx, w.admin, models.FieldsOfTickets, 404, o.ID),
		"show of a deleted option":   second(w.Option(w.ctx, w.admin, models.FieldsOfTickets, f.ID, o.ID)),
		"options of a text field":    second(w.Options(w.ctx, w.admin, models.FieldsOfTickets, w.config(t).Fields[0].ID, page.First(1))),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := w.PutOption(w.ctx, w.admin, models.FieldsOfTickets, f.ID, fields.OptionChange{ID: 404, Name: new("x")}); !fault.Is(err, fault.NotFound) {
		t.Errorf("change of no option: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
