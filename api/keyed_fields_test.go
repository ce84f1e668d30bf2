package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

// keyed are the two kinds of fields that go by keys, and the resource that has
// them.
var keyed = []struct{ kind, key, path, record string }{
	{"user", "user_field", "/api/v2/user_fields", "users"},
	{"organization", "organization_field", "/api/v2/organization_fields", "organizations"},
}

// keyedField makes a field of a kind and returns its id.
func (a *anAPI) keyedField(kind, format string, args ...any) int64 {
	a.t.Helper()
	return a.post("/api/v2/"+kind+"_fields", `{"`+kind+`_field":`+fmt.Sprintf(format, args...)+`}`).want(201).id(kind + "_field")
}

func TestKeyedFieldIsCreatedChangedAndDeleted(t *testing.T) {
	t.Parallel()
	for _, k := range keyed {
		a := newAPI(t)
		r := a.post(k.path+".json", `{"`+k.key+`":{"id":1,"type":"dropdown","key":"Plan_1","title":" Plan ","description":"What is paid","tag":"x",
			"custom_field_options":[{"name":"Gold::Big","value":"Gold Big"},{"name":"Free","value":"free","default":true}]}}`).want(201)
		id := r.id(k.key)
		url := fmt.Sprintf("http://helpd.test%s/%d.json", k.path, id)
		if got := r.header.Get("Location"); got != url {
			t.Errorf("Location %q, want %q", got, url)
		}
		first, second := r.member(k.key, "custom_field_options", 0, "id"), r.member(k.key, "custom_field_options", 1, "id")
		want := func(position int) string {
			return fmt.Sprintf(`{%q:{"url":%q,"id":%d,"type":"dropdown","key":"Plan_1","title":"Plan","description":"What is paid","raw_title":"Plan",
				"raw_description":"What is paid","position":%d,"active":true,"system":false,"regexp_for_validation":null,"created_at":%q,"updated_at":%q,
				"custom_field_options":[{"id":%v,"name":"Gold::Big","raw_name":"Gold::Big","value":"gold_big","default":false},
					{"id":%v,"name":"Free","raw_name":"Free","value":"free","default":true}]}}`, k.key, url, id, position, clockText, clockText, first, second)
		}
		r.wantJSON("%s", want(9999))
		path := fmt.Sprintf("%s/%d", k.path, id)
		a.get(path).want(200).wantJSON("%s", want(0))
		r = a.put(path, fmt.Sprintf(`{%q:{"type":"text","key":"other","title":"Tariff","description":null,"active":"false","custom_field_options":[{"id":%v,"name":"Libre"}]}}`,
			k.key, second)).want(200)
		if r.member(k.key, "type") != "dropdown" || r.member(k.key, "key") != "Plan_1" || r.member(k.key, "title") != "Tariff" || r.member(k.key, "description") != "" ||
			r.member(k.key, "active") != false || len(r.member(k.key, "custom_field_options").([]any)) != 1 || r.member(k.key, "custom_field_options", 0, "name") != "Libre" {
			t.Errorf("changed to %s", r.body)
		}
		a.delete(path).want(204)
		a.get(path).wantMissing()
		a.delete(path).wantMissing()
		a.put(path, `{"`+k.key+`":{"title":"x"}}`).wantMissing()
	}
}

func TestKeyedFieldsOfEachType(t *testing.T) {
	t.Parallel()
	for _, k := range keyed {
		a := newAPI(t)
		for i, tc := range []struct{ body, member, want string }{
			{`{"title":"T","key":"%s"}`, "type", `"text"`},
			{`{"title":"T","key":"%s","description":null}`, "description", `""`},
			{`{"type":"checkbox","title":"T","key":"%s","tag":"V I P"}`, "tag", `"v_i_p"`},
			{`{"type":"checkbox","title":"T","key":"%s"}`, "tag", `null`},
			{`{"type":"regexp","title":"T","key":"%s","regexp_for_validation":"^a"}`, "regexp_for_validation", `"^a"`},
			{`{"type":"lookup","title":"T","key":"%s","relationship_target_type":"zen:organization"}`, "relationship_filter", `{"all":[],"any":[]}`},
			{`{"type":"multiselect","title":"T","key":"%s","custom_field_options":[{"name":"One","value":"one_x"}]}`, "type", `"multiselect"`},
			{`{"type":"date","raw_title":"R","key":"%s"}`, "title", `"R"`},
			{`{"type":"integer","title":"T","key":"%s","raw_description":"D"}`, "description", `"D"`},
			{`{"type":"decimal","title":"T","key":"%s","position":"3"}`, "position", `3`},
			{`{"type":"textarea","title":"T","key":"%s"}`, "system", `false`},
		} {
			r := a.post(k.path, `{"`+k.key+`":`+fmt.Sprintf(tc.body, fmt.Sprint("k", i))+`}`).want(201)
			got, err := json.Marshal(r.member(k.key, tc.member))
			if err != nil || canonical(t, got) != canonical(t, []byte(tc.want)) {
				t.Errorf("%s: %s is %s, want %s", tc.body, tc.member, got, tc.want)
			}
		}
	}
}

func TestKeyedFieldRefusesWrongInput(t *testing.T) {
	t.Parallel()
	for _, k := range keyed {
		a := newAPI(t)
		a.keyedField(k.kind, `{"type":"checkbox","title":"VIP","key":"vip","tag":"vip"}`)
		for _, tc := range []struct{ body, field, says string }{
			{`{"title":" ","key":"x"}`, "title", "Title: cannot be blank"},
			{`{"title":"x"}`, "key", "Key: cannot be blank"},
			{`{"title":"x","key":"VIP"}`, "key", "Key: VIP has already been taken"},
			{`{"title":"x","key":"123"}`, "key", "Key: may have letters, digits and underscores, and not digits alone"},
			{`{"title":"x","key":"a b"}`, "key", "Key: may have letters, digits and underscores, and not digits alone"},
			{`{"title":"x","key":"` + strings.Repeat("k", 256) + `"}`, "key", "Key: is too long (maximum is 255 characters)"},
			{`{"title":"x","key":"x","type":"tagger"}`, "type", "Type: tagger is not a type of custom " + k.kind + " fields"},
			{`{"title":"x","key":"x","type":"partialcreditcard"}`, "type", "Type: partialcreditcard is not a type of custom " + k.kind + " fields"},
			{`{"title":"x","key":"x","type":"dropdown"}`, "custom_field_options", "Custom field options: cannot be blank"},
			{`{"title":"x","key":"x","type":"multiselect","custom_field_options":[{"name":"VIP","value":"VIP"}]}`, "base",
				"The tag <strong>vip</strong> is already used in a custom field drop-down, multi-select or checkbox."},
			{`{"title":"x","key":"x","type":"regexp"}`, "regexp_for_validation", "Regexp for validation: cannot be blank"},
			{`{"title":"x","key":"x","type":"lookup","relationship_target_type":"zen:planet"}`, "relationship_target_type", "Relationship target type: zen:planet is not a type of record"},
		} {
			a.post(k.path, `{"`+k.key+`":`+tc.body+`}`).wantDetail(tc.field, tc.says)
		}
		for _, body := range []string{`{}`, `{"` + k.key + `":[]}`, `{"` + k.key + `":{"title":"x","key":{}}}`, `{"` + k.key + `":{"title":"x","key":"x","active":"perhaps"}}`} {
			a.post(k.path, body).want(400)
		}
		if got := len(a.get(k.path).ids(k.key + "s")); got != 1 {
			t.Errorf("%d fields are left", got)
		}
	}
}

// The three kinds have their own lists, positions, keys and tags.
func TestKindsOfFieldsAreApart(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const body = `{"type":"checkbox","title":"VIP","key":"vip","tag":"vip"}`
	user, organization := a.keyedField("user", body), a.keyedField("organization", body)
	ticket := a.ticketField(`{"type":"checkbox","title":"VIP","tag":"vip"}`)
	if got := a.get("/api/v2/user_fields").ids("user_fields"); !slices.Equal(got, []int64{user}) {
		t.Errorf("fields of users %v", got)
	}
	if got := a.get("/api/v2/ticket_fields").ids("ticket_fields"); !slices.Contains(got, ticket) || len(got) != 9 {
		t.Errorf("fields of tickets %v", got)
	}
	for _, path := range []string{fmt.Sprintf("/api/v2/user_fields/%d", organization), fmt.Sprintf("/api/v2/organization_fields/%d", ticket),
		fmt.Sprintf("/api/v2/ticket_fields/%d", user)} {
		a.get(path).wantMissing()
		a.delete(path).wantMissing()
		a.get(path + "/options").wantMissing()
	}
	if n := fmt.Sprint(a.get("/api/v2/ticket_fields/count").member("count", "value")); n != "9" {
		t.Errorf("%s fields of tickets", n)
	}
	a.put("/api/v2/user_fields/reorder", fmt.Sprintf(`{"user_field_ids":[%d]}`, organization)).
		wantDetail("user_field_ids", fmt.Sprintf("User field: %d is not a user field", organization))
}

func TestKeyedFieldsAreListedAndReordered(t *testing.T) {
	t.Parallel()
	for _, k := range keyed {
		a := newAPI(t)
		var ids []int64
		for i := range 5 {
			ids = append(ids, a.keyedField(k.kind, `{"title":"F","key":"f%d"}`, i))
		}
		early := a.keyedField(k.kind, `{"title":"F","key":"early","position":0}`)
		r := a.get(k.path + "?per_page=4").want(200)
		if got := r.ids(k.key + "s"); !slices.Equal(got, []int64{ids[0], early, ids[1], ids[2]}) || fmt.Sprint(r.member("count")) != "6" ||
			r.member("next_page") != "http://helpd.test"+k.path+".json?page=2&per_page=4" {
			t.Errorf("first page %s", r.body)
		}
		a.put(k.path+"/reorder", fmt.Sprintf(`{"%s_ids":[%d,"%d"]}`, k.key, ids[4], early)).want(200).wantJSON(`{}`)
		r = a.get(k.path).want(200)
		if got := r.ids(k.key + "s"); !slices.Equal(got, []int64{ids[4], early, ids[0], ids[1], ids[2], ids[3]}) || fmt.Sprint(r.member(k.key+"s", 1, "position")) != "1" {
			t.Errorf("reordered %s", r.body)
		}
		var walked []int64
		for path := k.path + ".json?page[size]=4"; path != ""; {
			r := a.get(path).want(200)
			walked = append(walked, r.ids(k.key+"s")...)
			next, _ := r.member("links", "next").(string)
			path = strings.TrimPrefix(next, "http://helpd.test")
		}
		if !slices.Equal(walked, append(slices.Clone(ids), early)) {
			t.Errorf("by id: %v", walked)
		}
		a.put(k.path+"/reorder", `{}`).want(400)
		a.get(k.path + "?page[after]=x").want(400)
	}
}

func TestWhoMaySeeAndChangeKeyedFields(t *testing.T) {
	t.Parallel()
	for _, k := range keyed {
		a := newAPI(t)
		id := a.keyedField(k.kind, `{"type":"dropdown","title":"F","key":"f","custom_field_options":[{"name":"A","value":"a"},{"name":"B","value":"b"}]}`)
		path := fmt.Sprintf("%s/%d", k.path, id)
		agent, user := a.signedInAs("agent"), a.signedInAs("end-user")
		for _, read := range []string{k.path, path, path + "/options"} {
			agent.get(read).want(200)
			user.get(read).wantForbidden()
			a.anonymous().get(read).want(401)
		}
		agent.post(k.path, `{"`+k.key+`":{"title":"x","key":"x"}}`).wantForbidden()
		agent.put(path, `{"`+k.key+`":{"title":"x"}}`).wantForbidden()
		agent.delete(path).wantForbidden()
		agent.post(path+"/options", `{"custom_field_option":{"name":"x","value":"x"}}`).wantForbidden()
		agent.put(k.path+"/reorder", `{"`+k.key+`_ids":[1]}`).wantForbidden()
		a.another().get(path).wantMissing()
		a.another().delete(path).wantMissing()
	}
}

func TestOptionsOfKeyedFields(t *testing.T) {
	t.Parallel()
	for _, k := range keyed {
		a := newAPI(t)
		field := a.keyedField(k.kind, `{"type":"multiselect","title":"Colours","key":"colours","custom_field_options":[{"name":"Red","value":"red"}]}`)
		path := fmt.Sprintf("%s/%d/options", k.path, field)
		r := a.post(path, `{"custom_field_option":{"name":"Blue","value":"blue","position":0}}`).want(201)
		id := r.id("custom_field_option")
		url := fmt.Sprintf("http://helpd.test%s/%d.json", path, id)
		want := fmt.Sprintf(`{"custom_field_option":{"url":%q,"id":%d,"name":"Blue","raw_name":"Blue","value":"blue","position":0,"default":false}}`, url, id)
		r.wantJSON("%s", want)
		if got := r.header.Get("Location"); got != url {
			t.Errorf("Location %q, want %q", got, url)
		}
		one := fmt.Sprintf("%s/%d", path, id)
		a.get(one).want(200).wantJSON("%s", want)
		if r := a.post(path, fmt.Sprintf(`{"custom_field_option":{"id":%d,"name":"Navy"}}`, id)).want(200); r.member("custom_field_option", "name") != "Navy" {
			t.Errorf("changed to %s", r.body)
		}
		if list := a.get(path).want(200); list.ids("custom_field_options")[0] != id || fmt.Sprint(list.member("count")) != "2" {
			t.Errorf("options %s", list.body)
		}
		a.post(path, `{"custom_field_option":{"name":"Red again","value":"red"}}`).want(422)
		a.post(path, `{"custom_field_option":{"id":404,"name":"x"}}`).wantMissing()
		a.delete(one).want(204)
		a.get(one).wantMissing()
		a.delete(one).wantMissing()
		a.get(fmt.Sprintf("%s/%d/options", k.path, a.keyedField(k.kind, `{"title":"T","key":"t"}`))).wantMissing()
	}
}

// Of a field of the system only the position and active change, and it stays.
func TestSystemFieldsOfUsersStay(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.keyedField("user", `{"title":"Given","key":"given"}`)
	if err := a.db.WithContext(a.ctx()).Model(&models.Field{}).Where("id = ?", id).Updates(map[string]any{"removable": false}).Error; err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/api/v2/user_fields/%d", id)
	r := a.put(path, `{"user_field":{"title":"Other","position":7,"active":false}}`).want(200)
	if r.member("user_field", "title") != "Given" || r.member("user_field", "active") != false || fmt.Sprint(r.member("user_field", "position")) != "7" ||
		r.member("user_field", "system") != true {
		t.Errorf("changed to %s", r.body)
	}
	a.delete(path).wantDetail("base", "Given: is a system field and cannot be deleted")
}
