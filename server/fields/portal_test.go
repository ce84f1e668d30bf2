package fields

import (
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

func titles(fields []models.Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Title)
	}
	return strings.Join(out, ", ")
}

// portalSample has a form of fields that end users see and write, but for the
// date, which they only read, and the integer, which they do not see.
func portalSample() *Config {
	c := sample()
	for _, id := range []int64{text, area, box, choice, retired} {
		c.fields[id].VisibleInPortal, c.fields[id].EditableInPortal = true, true
	}
	c.fields[day].VisibleInPortal = true
	c.Forms = []models.TicketForm{
		{Tenant: models.Tenant{ID: 1}, Active: true, EndUserVisible: true, TicketFieldIDs: models.IDs{choice, retired, whole, day, text, box},
			EndUserConditions: models.JSON(`[{"parent_field_id":10,"value":"camera","child_fields":[{"id":1,"is_required":true},{"id":3,"is_required":false}]}]`)},
		{Tenant: models.Tenant{ID: 2}, Active: true, Default: true, TicketFieldIDs: models.IDs{area}, EndUserConditions: models.JSON("[]")},
		{Tenant: models.Tenant{ID: 3}, EndUserVisible: true, EndUserConditions: models.JSON("[]")},
	}
	return c
}

func TestWhatEndUsersSeeOfAForm(t *testing.T) {
	t.Parallel()
	c := portalSample()
	for form, want := range map[int64]string{1: "Tagger, Date, Text, Checkbox", 2: "Textarea", 0: "Textarea", 404: "Textarea", 3: ""} {
		if got := titles(c.PortalFields(form)); got != want {
			t.Errorf("form %d: fields %q, want %q", form, got, want)
		}
	}
	for _, tc := range []struct {
		form, field int64
		may         bool
	}{{1, text, true}, {1, day, false}, {1, whole, false}, {1, area, false}, {0, area, true}, {1, 404, false}, {1, retired, false}} {
		if got := c.EditableInPortal(tc.form, tc.field); got != tc.may {
			t.Errorf("form %d, field %d: editable %v", tc.form, tc.field, got)
		}
	}
	for form, want := range map[int64]bool{1: true, 2: false, 3: false, 404: false} {
		if _, got := c.PortalForm(form); got != want {
			t.Errorf("form %d: for end users %v, want %v", form, got, want)
		}
	}
	c.Forms = nil
	if got := titles(c.PortalFields(0)); got != "Text, Textarea, Checkbox, Date, Tagger" {
		t.Errorf("without forms: fields %q", got)
	}
}

func TestMissingInPortal(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		form     int64
		required []int64
		values   string
		missing  string
	}{
		{"nothing is required", 1, nil, `{}`, ""},
		{"a required field", 1, []int64{choice}, `{}`, "Tagger"},
		{"a required field that is given", 1, []int64{choice}, `{"10":"r&d"}`, ""},
		{"an option that is none", 1, []int64{choice}, `{"10":"gone"}`, "Tagger"},
		{"a field that conditions hide", 1, []int64{text, box}, `{}`, ""},
		{"a field that a condition shows and requires", 1, nil, `{"10":"camera"}`, "Text"},
		{"a condition frees a required field", 1, []int64{box}, `{"10":"camera","1":"x"}`, ""},
		{"a field that end users only read", 1, []int64{day}, `{}`, ""},
		{"a field that they do not see", 1, []int64{whole}, `{}`, ""},
		{"an inactive field", 1, []int64{retired}, `{}`, ""},
		{"a field of another form", 1, []int64{area}, `{}`, ""},
		{"the default form", 0, []int64{area}, `{}`, "Textarea"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := portalSample()
			for _, id := range tc.required {
				c.fields[id].RequiredInPortal = true
			}
			if got := titles(c.MissingInPortal(tc.form, &models.Ticket{CustomFields: models.JSON(tc.values)})); got != tc.missing {
				t.Errorf("missing %q, want %q", got, tc.missing)
			}
		})
	}
}
