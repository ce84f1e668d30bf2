package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// values are the custom fields of the ticket in an answer, by field id.
func (r *result) values() map[int64]string {
	r.t.Helper()
	var raw struct {
		Ticket map[string]json.RawMessage `json:"ticket"`
	}
	r.json(&raw)
	if string(raw.Ticket["custom_fields"]) != string(raw.Ticket["fields"]) {
		r.t.Errorf("custom_fields %s and fields %s differ", raw.Ticket["custom_fields"], raw.Ticket["fields"])
	}
	var list []struct {
		ID    int64
		Value json.RawMessage
	}
	if err := json.Unmarshal(raw.Ticket["custom_fields"], &list); err != nil {
		r.t.Fatal(err)
	}
	out := map[int64]string{}
	for _, v := range list {
		out[v.ID] = string(v.Value)
	}
	return out
}

func TestTicketsHaveValuesOfEachType(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	option := `"custom_field_options":[{"name":"One","value":"%s_one"},{"name":"Two","value":"%s_two"}]`
	var sent []string
	want := map[int64]string{}
	for _, tc := range []struct{ field, sent, want string }{
		{`{"type":"text","title":"Text"}`, `"日本 <b> \" é"`, `"日本 <b> \" é"`},
		{`{"type":"textarea","title":"Area"}`, `"a\nb"`, `"a\nb"`},
		{`{"type":"integer","title":"Integer"}`, `745`, `"745"`},
		{`{"type":"decimal","title":"Decimal"}`, `1.50`, `"1.50"`},
		{`{"type":"checkbox","title":"Box","tag":"boxed"}`, `"true"`, `true`},
		{`{"type":"date","title":"Date"}`, `"2021-04-16"`, `"2021-04-16"`},
		{`{"type":"regexp","title":"Code","regexp_for_validation":"\\A[A-Z]+\\z"}`, `"ABC"`, `"ABC"`},
		{`{"type":"partialcreditcard","title":"Card"}`, `"4242424242424242"`, `"XXXXXXXXXXXX4242"`},
		{`{"type":"tagger","title":"Choice",` + strings.ReplaceAll(option, "%s", "choice") + `}`, `"choice_two"`, `"choice_two"`},
		{`{"type":"multiselect","title":"Many",` + strings.ReplaceAll(option, "%s", "many") + `}`, `["many_two","many_one"]`, `["many_two","many_one"]`},
		{`{"type":"lookup","title":"Lookup","relationship_target_type":"zen:user"}`, fmt.Sprint(a.admin.ID), fmt.Sprintf(`"%d"`, a.admin.ID)},
		{`{"type":"text","title":"Unset"}`, ``, `null`},
	} {
		id := a.ticketField("%s", tc.field)
		want[id] = tc.want
		if tc.sent != "" {
			sent = append(sent, fmt.Sprintf(`{"id":%d,"value":%s}`, id, tc.sent))
		}
	}
	r := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"comment":{"body":"x"},"tags":["vip"],"custom_fields":[%s]}}`, strings.Join(sent, ","))).want(201)
	path := fmt.Sprintf("/api/v2/tickets/%d", r.id("ticket"))
	for _, r := range []*result{r, a.get(path).want(200)} {
		got := r.values()
		if len(got) != len(want) {
			t.Errorf("values %v", got)
		}
		for id, v := range want {
			if canonical(t, []byte(got[id])) != canonical(t, []byte(v)) {
				t.Errorf("field %d has %s, want %s", id, got[id], v)
			}
		}
		tags := fmt.Sprint(r.member("ticket", "tags"))
		for _, tag := range []string{"vip", "boxed", "choice_two", "many_one", "many_two"} {
			if !strings.Contains(tags, tag) {
				t.Errorf("tags %s lack %s", tags, tag)
			}
		}
	}
}

func TestLookupsPointAtRecordsOfTheirType(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	person := a.ticketField(`{"type":"lookup","title":"Person","relationship_target_type":"zen:user"}`)
	firm := a.ticketField(`{"type":"lookup","title":"Firm","relationship_target_type":"zen:organization"}`)
	other := a.ticketField(`{"type":"lookup","title":"Other","relationship_target_type":"zen:ticket"}`)
	globex := a.post("/api/v2/organizations", `{"organization":{"name":"Globex"}}`).want(201).id("organization")
	id := a.ticket(`{"comment":{"body":"B"}}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	body := func(user, organization, ticket int64) string {
		return fmt.Sprintf(`{"ticket":{"comment":{"body":"C"},"custom_fields":[{"id":%d,"value":%d},{"id":%d,"value":%d},{"id":%d,"value":%d}]}}`,
			person, user, firm, organization, other, ticket)
	}
	gone := a.user("Eve", a.email("eve"), "end-user")
	a.put(path, body(gone, globex, id)).want(200)
	// What is pointed at may go; the ticket is still changed.
	a.delete(fmt.Sprintf("/api/v2/users/%d", gone)).want(200)
	a.put(path, body(gone, globex, id)).want(200)
	a.put(path, body(a.another().admin.ID, globex, id)).want(422)
	a.put(path, body(gone, 404, 405)).wantDetail("base", "Firm: 404 is not a record of type zen:organization")
	a.put(path, body(gone, globex, 405)).wantDetail("base", "Other: 405 is not a record of type zen:ticket")
	a.post("/api/v2/tickets", body(gone, globex, id)).wantDetail("base", fmt.Sprintf("Person: %d is not a record of type zen:user", gone))
	if comments := a.get(path + "/comments").want(200).ids("comments"); len(comments) != 3 {
		t.Errorf("a refused change left %d comments", len(comments))
	}
}

// Nobody learns of a record that he may not see by pointing at it.
func TestLookupsPointAtRecordsThatAreSeen(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const editable = `"visible_in_portal":true,"editable_in_portal":true`
	person := a.ticketField(`{"type":"lookup","title":"Person","relationship_target_type":"zen:user",` + editable + `}`)
	firm := a.ticketField(`{"type":"lookup","title":"Firm","relationship_target_type":"zen:organization",` + editable + `}`)
	other := a.ticketField(`{"type":"lookup","title":"Other","relationship_target_type":"zen:ticket",` + editable + `}`)
	a.keyedField("user", `{"type":"lookup","title":"Case","key":"case","relationship_target_type":"zen:ticket"}`)
	a.keyedField("organization", `{"type":"lookup","title":"Case","key":"case","relationship_target_type":"zen:ticket"}`)
	globex, initech := a.organization("Globex"), a.organization("Initech")
	ann := a.user("Ann", a.email("ann"), "end-user")
	a.put(fmt.Sprintf("/api/v2/users/%d", ann), fmt.Sprintf(`{"user":{"organization_id":%d}}`, globex)).want(200)
	hidden := a.ticket(`{"comment":{"body":"B"},"type":"problem"}`)
	rae, r := a.restricted("rae", "assigned")
	seen := a.ticket(fmt.Sprintf(`{"comment":{"body":"B"},"type":"problem","assignee_id":%d}`, rae))
	mine := a.ticket(fmt.Sprintf(`{"comment":{"body":"B"},"assignee_id":%d,"requester_id":%d}`, rae, ann))

	set := func(who *anAPI, field, value int64) *result {
		return who.put(a.path(mine), fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":%d}]}}`, field, value))
	}
	set(r, other, seen).want(200)
	set(r, other, hidden).wantDetail("base", fmt.Sprintf("Other: %d is not a record of type zen:ticket", hidden))
	set(r, person, ann).want(200)
	set(r, firm, initech).want(200)
	set(a, other, hidden).want(200)
	r.put(a.path(mine), `{"ticket":{"subject":"What another has set stays"}}`).want(200)

	link := func(who *anAPI, problem int64) *result {
		return who.put(a.path(mine), fmt.Sprintf(`{"ticket":{"type":"incident","problem_id":%d}}`, problem))
	}
	link(r, seen).want(200)
	link(r, hidden).wantDetail("problem", fmt.Sprintf("Problem: %d is not a problem", hidden))
	link(a, hidden).want(200)

	for _, record := range []string{fmt.Sprintf(`users/%d","user","user_fields`, ann), fmt.Sprintf(`organizations/%d","organization","organization_fields`, globex)} {
		part := strings.Split(record, `","`)
		point := func(who *anAPI, at int64) *result {
			return who.put("/api/v2/"+part[0], fmt.Sprintf(`{%q:{%q:{"case":%d}}}`, part[1], part[2], at))
		}
		point(a, hidden).want(200)
		if part[1] == "user" { // agents may change no more of an organization than its notes
			point(r, seen).want(200)
			point(r, hidden).wantDetail("base", fmt.Sprintf("Case: %d is not a record of type zen:ticket", hidden))
		}
	}

	asked := func(field, value int64) *result {
		return a.as(a.email("ann")).post("/api/v2/requests",
			fmt.Sprintf(`{"request":{"subject":"S","comment":{"body":"B"},"custom_fields":[{"id":%d,"value":%d}]}}`, field, value))
	}
	for _, tc := range []struct {
		field, seen, hidden int64
		title, kind         string
	}{
		{person, ann, rae, "Person", "zen:user"}, {firm, globex, initech, "Firm", "zen:organization"}, {other, mine, hidden, "Other", "zen:ticket"},
	} {
		asked(tc.field, tc.seen).want(201)
		asked(tc.field, tc.hidden).wantDetail("base", fmt.Sprintf("%s: %d is not a record of type %s", tc.title, tc.hidden, tc.kind))
	} // A follow-up takes over what its source points at, whoever asks for it.
	closed := a.post("/api/v2/imports/tickets", fmt.Sprintf(`{"ticket":{"subject":"S","status":"closed","requester_id":%d,
		"comments":[{"body":"B","author_id":%d}],"custom_fields":[{"id":%d,"value":%d}]}}`, ann, ann, other, hidden)).want(201).id("ticket")
	next := a.as(a.email("ann")).post("/api/v2/requests",
		fmt.Sprintf(`{"request":{"subject":"S","comment":{"body":"B"},"via_followup_source_id":%d}}`, closed)).want(201).id("request")
	if got := a.get(a.path(next)).want(200).values()[other]; got != fmt.Sprintf("%q", fmt.Sprint(hidden)) {
		t.Errorf("the follow-up has %s", got)
	}
}

func TestTagsAndValuesOfATicketFollowEachOther(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	choice := a.ticketField(`{"type":"tagger","title":"Choice","custom_field_options":[{"name":"One","value":"one_x"},{"name":"Two","value":"two_x"}]}`)
	box := a.ticketField(`{"type":"checkbox","title":"Box","tag":"boxed"}`)
	id := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"comment":{"body":"x"},"custom_fields":[{"id":%d,"value":"one_x"}]}}`, choice)).want(201).id("ticket")
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	check := func(body, tags, value, ticked string) {
		t.Helper()
		r := a.put(path, `{"ticket":`+body+`}`).want(200)
		var envelope struct{ Ticket struct{ Tags []string } }
		r.json(&envelope)
		slices.Sort(envelope.Ticket.Tags)
		if got := r.values(); got[choice] != value || got[box] != ticked || fmt.Sprint(envelope.Ticket.Tags) != tags {
			t.Errorf("%s: tags %v, values %v", body, envelope.Ticket.Tags, got)
		}
	}
	check(fmt.Sprintf(`{"custom_fields":[{"id":%d,"value":"two_x"},{"id":%d,"value":true}]}`, choice, box), "[boxed two_x]", `"two_x"`, `true`)
	check(`{"tags":["one_x"]}`, "[one_x]", `"one_x"`, `false`)
	check(`{"tags":["vip"]}`, "[vip]", `null`, `false`)
	check(`{"additional_tags":["boxed","two_x"]}`, "[boxed two_x vip]", `"two_x"`, `true`)
	check(fmt.Sprintf(`{"custom_fields":{"%d":null}}`, choice), "[boxed vip]", `null`, `true`)
}

func TestValuesThatAFieldCannotHave(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	age := a.ticketField(`{"type":"integer","title":"Age"}`)
	a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"comment":{"body":"x"},"custom_fields":[{"id":%d,"value":"old"}]}}`, age)).
		wantDetail("base", "Age: must be an integer")
	r := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"comment":{"body":"x"},"custom_fields":[{"id":404,"value":"x"},{"id":%d,"value":5}]}}`, age)).want(201)
	path := fmt.Sprintf("/api/v2/tickets/%d", r.id("ticket"))
	a.put(fmt.Sprintf("/api/v2/ticket_fields/%d", age), `{"ticket_field":{"active":false}}`).want(200)
	if got := a.get(path).want(200).values(); len(got) != 0 {
		t.Errorf("an inactive field is shown: %v", got)
	}
}

func TestRequiredFieldHoldsUpSolving(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	product := a.ticketField(`{"type":"tagger","title":"Product","required":true,"custom_field_options":[{"name":"One","value":"one_x"}]}`)
	id := a.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"x"}}}`).want(201).id("ticket")
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	a.put(path, `{"ticket":{"status":"solved"}}`).wantDetail("base", "Product: is required when solving a ticket")
	a.put(path, fmt.Sprintf(`{"ticket":{"status":"solved","custom_fields":[{"id":%d,"value":"one_x"}]}}`, product)).want(200)
	// Without its option the value is gone, and the tag stays.
	option := a.get(fmt.Sprintf("/api/v2/ticket_fields/%d/options", product)).ids("custom_field_options")[0]
	a.delete(fmt.Sprintf("/api/v2/ticket_fields/%d/options/%d", product, option)).want(204)
	r := a.get(path).want(200)
	if got := r.values(); got[product] != "null" || fmt.Sprint(r.member("ticket", "tags")) != "[one_x]" {
		t.Errorf("values %v, tags %v", got, r.member("ticket", "tags"))
	}
}
