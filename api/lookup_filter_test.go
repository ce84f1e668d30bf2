package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// names are those of the records in the list under key.
func (r *result) names(key string) []string {
	r.t.Helper()
	list, _ := r.member(key).([]any)
	var names []string
	for i := range list {
		names = append(names, r.member(key, i, "name").(string))
	}
	return names
}

func TestAutocompleteHoldsTheFilterOfALookup(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.keyedField("user", `{"type":"checkbox","title":"VIP","key":"vip"}`)
	a.keyedField("user", `{"type":"integer","title":"Level","key":"level"}`)
	a.keyedField("user", `{"type":"date","title":"Since","key":"since"}`)
	a.keyedField("user", `{"type":"multiselect","title":"Skills","key":"skills","custom_field_options":[{"name":"Go","value":"go_x"},{"name":"SQL","value":"sql_x"}]}`)
	a.keyedField("user", `{"type":"dropdown","title":"Floor","key":"floor","custom_field_options":[{"name":"1","value":"first_x"}]}`)
	firm := a.organization("Acme")
	for name, more := range map[string]string{
		"Pat One":   `"role":"agent","tags":["gold","blue"],"user_fields":{"vip":true,"level":9,"since":"2024-01-01"}`,
		"Pat Two":   fmt.Sprintf(`"role":"admin","tags":["gold"],"user_fields":{"level":10,"skills":["go_x","sql_x"]},"organization_id":%d`, firm),
		"Pat Three": `"suspended":true,"alias":"Tri","user_fields":{"since":"2026-05-05","skills":["sql_x"],"floor":"first_x"}`,
	} {
		a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":%q,%s}}`, name, more)).want(201)
	}
	number := 0
	field := func(filter string) int64 {
		number++
		return a.keyedField("organization", `{"type":"lookup","title":"Who","key":"who%d","relationship_target_type":"zen:user","relationship_filter":%s}`, number, filter)
	}
	for _, tc := range []struct{ filter, want string }{
		{`{}`, "One Three Two"},
		{`{"all":[{"field":"role","operator":"is","value":"Agent"}]}`, "One"},
		{`{"all":[{"field":"role","operator":"is","value":"0"}]}`, "Three"},
		{`{"all":[{"field":"role","operator":"is_not","value":4}]}`, "Three Two"},
		{`{"all":[{"field":"tags","operator":"includes","value":"blue green"}]}`, "One"},
		{`{"all":[{"field":"tags","operator":"not_includes","value":["blue"]}]}`, "Three Two"},
		{`{"all":[{"field":"organization_id","operator":"not_present"}]}`, "One Three"},
		{`{"all":[{"field":"suspended","operator":"is","value":true}]}`, "Three"},
		{`{"all":[{"field":"suspended","operator":"is","value":"maybe"}]}`, ""},
		{`{"all":[{"field":"alias","operator":"is","value":"TRI"}]}`, "Three"},
		{`{"all":[{"field":"alias","operator":"is_not","value":"tri"}]}`, "One Two"},
		{`{"all":[{"field":"alias","operator":"present"}]}`, "Three"},
		{fmt.Sprintf(`{"all":[{"field":"organization_id","operator":"is","value":"%d"}]}`, firm), "Two"},
		{`{"all":[{"field":"custom_fields.vip","operator":"is","value":"true"}]}`, "One"},
		{`{"all":[{"field":"custom_fields.vip","operator":"is","value":false}]}`, "Three Two"},
		{`{"all":[{"field":"custom_fields.level","operator":"greater_than","value":9}]}`, "Two"},
		{`{"all":[{"field":"custom_fields.level","operator":"less_than_equal","value":"9"}]}`, "One"},
		{`{"all":[{"field":"custom_fields.level","operator":"is","value":"nine"}]}`, ""},
		{`{"all":[{"field":"custom_fields.level","operator":"not_present"}]}`, "Three"},
		{`{"all":[{"field":"custom_fields.since","operator":"less_than","value":"2025-01-01"}]}`, "One"},
		{`{"all":[{"field":"custom_fields.skills","operator":"includes","value":"sql_x"}]}`, "Three Two"},
		{`{"all":[{"field":"custom_fields.floor","operator":"is","value":"first_x"}]}`, "Three"},
		{`{"all":[{"field":"custom_fields.gone","operator":"is","value":"x"}]}`, ""},
		{`{"all":[{"field":"tags","operator":"includes","value":"gold"}],"any":[{"field":"role","operator":"is","value":"admin"},{"field":"role","operator":"is","value":"end-user"}]}`, "Two"},
		{`{"any":[{"field":"role","operator":"is","value":"admin"},{"field":"alias","operator":"is","value":"tri"}]}`, "Three Two"},
		{`{"all":[{"field":"name","operator":"is","value":"' OR true --"}]}`, ""},
	} {
		id := field(tc.filter)
		for _, r := range []*result{
			a.get(fmt.Sprintf("/api/v2/users/autocomplete?name=pat&field_id=%d&source=zen:organization", id)),
			a.post("/api/v2/users/autocomplete", fmt.Sprintf(`{"name":"pat","field_id":%d}`, id)),
		} {
			got := strings.ReplaceAll(strings.Join(r.want(200).names("users"), " "), "Pat ", "")
			if got != tc.want {
				t.Errorf("%s: %s, want %s", tc.filter, got, tc.want)
			}
		}
	}
	id := field(`{}`)
	for _, query := range []string{fmt.Sprintf("field_id=%d&source=zen:ticket", id), "field_id=404", fmt.Sprintf("field_id=%d", firm)} {
		r := a.get("/api/v2/users/autocomplete?name=pat&"+query).wantError(422, "RecordInvalid")
		if !strings.HasSuffix(r.member("details", "field_id", 0, "description").(string), "is not a lookup of zen:user") {
			t.Errorf("%s: %s", query, r.body)
		}
	}
	b := a.another()
	b.get(fmt.Sprintf("/api/v2/users/autocomplete?name=pat&field_id=%d", id)).wantError(422, "RecordInvalid")
}

func TestAutocompleteOfOrganizationsHoldsTheFilterOfALookup(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.keyedField("organization", `{"type":"decimal","title":"Seats","key":"seats"}`)
	a.post("/api/v2/organizations", `{"organization":{"name":"Firm A","tags":["gold"],"shared_tickets":true,"organization_fields":{"seats":"1.5"}}}`).want(201)
	a.post("/api/v2/organizations", `{"organization":{"name":"Firm B","domain_names":["b.example"]}}`).want(201)
	for filter, want := range map[string][]string{
		`{"all":[{"field":"tags","operator":"includes","value":"gold"}]}`:                                           {"Firm A"},
		`{"all":[{"field":"shared_tickets","operator":"is","value":false}]}`:                                        {"Firm B"},
		`{"all":[{"field":"domain_names","operator":"is","value":"b.example"}]}`:                                    {"Firm B"},
		`{"all":[{"field":"custom_fields.seats","operator":"greater_than_equal","value":1.5}]}`:                     {"Firm A"},
		`{"any":[{"field":"name","operator":"is","value":"firm a"},{"field":"group_id","operator":"not_present"}]}`: {"Firm A", "Firm B"},
	} {
		id := a.ticketField(`{"type":"lookup","title":"Firm","relationship_target_type":"zen:organization","relationship_filter":%s}`, filter)
		for _, r := range []*result{
			a.get(fmt.Sprintf("/api/v2/organizations/autocomplete?name=firm&field_id=%d&source=%s", id, url.QueryEscape("zen:ticket"))),
			a.post("/api/v2/organizations/autocomplete", fmt.Sprintf(`{"name":"firm","field_id":"%d","source":"zen:ticket"}`, id)),
		} {
			if got := r.want(200).names("organizations"); !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", filter, got, want)
			}
		}
	}
	person := a.ticketField(`{"type":"lookup","title":"Who","relationship_target_type":"zen:user"}`)
	a.get(fmt.Sprintf("/api/v2/organizations/autocomplete?name=firm&field_id=%d", person)).
		wantDetail("field_id", fmt.Sprintf("Field: %d is not a lookup of zen:organization", person))
}

func TestFiltersOfLookupsAreChecked(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	many := strings.TrimSuffix(strings.Repeat(`{"field":"name","operator":"present"},`, 101), ",")
	for _, tc := range []struct{ target, conditions, says string }{
		{"zen:user", `{"field":"shoe_size","operator":"is","value":1}`, "shoe_size is not one of alias, email, external_id, locale, name, organization_id, phone, role, suspended, tags, time_zone, verified"},
		{"zen:user", `{"field":"role","operator":"greater_than","value":1}`, "role has no operator greater_than"},
		{"zen:organization", `{"field":"role","operator":"is","value":1}`, "role is not one of domain_names, external_id, group_id, name, shared_comments, shared_tickets, tags"},
		{"zen:user", many, "has too many conditions (maximum is 100)"},
	} {
		a.post("/api/v2/ticket_fields", fmt.Sprintf(`{"ticket_field":{"type":"lookup","title":"T","relationship_target_type":%q,"relationship_filter":{"all":[%s]}}}`,
			tc.target, tc.conditions)).wantDetail("relationship_filter", "Relationship filter: "+tc.says)
	}
	// Who chooses among tickets is for the client, and so is what it makes of the filter.
	a.post("/api/v2/ticket_fields", `{"ticket_field":{"type":"lookup","title":"T","relationship_target_type":"zen:ticket","relationship_filter":{"all":[{"field":"status","operator":"less_than","value":"solved"}]}}}`).want(201)
}
