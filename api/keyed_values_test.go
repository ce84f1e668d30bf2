package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/helpd/helpd/models"
)

// withKeyedFields is an API whose users and organizations have a field of each
// type, and the path of a user and of an organization.
func withKeyedFields(t *testing.T) (*anAPI, map[string]string) {
	t.Helper()
	a := newAPI(t)
	for _, k := range keyed {
		for _, body := range []string{
			`{"type":"text","key":"note","title":"Note"}`, `{"type":"checkbox","key":"vip","title":"VIP","tag":"is_vip"}`,
			`{"type":"date","key":"since","title":"Since"}`, `{"type":"integer","key":"seats","title":"Seats"}`, `{"type":"decimal","key":"rate","title":"Rate"}`,
			`{"type":"dropdown","key":"plan","title":"Plan","custom_field_options":[{"name":"Gold","value":"gold"},{"name":"Free","value":"free"}]}`,
			`{"type":"multiselect","key":"likes","title":"Likes","custom_field_options":[{"name":"Tea","value":"tea"},{"name":"Milk","value":"milk"}]}`,
			`{"type":"lookup","key":"boss","title":"Boss","relationship_target_type":"zen:user"}`, `{"type":"regexp","key":"code","title":"Code","regexp_for_validation":"^[A-Z]+$"}`,
			`{"type":"text","key":"old","title":"Old","active":false}`,
		} {
			a.post(k.path, `{"`+k.key+`":`+body+`}`).want(201)
		}
	}
	return a, map[string]string{
		"user":         fmt.Sprintf("/api/v2/users/%d", a.user("Ann", a.email("ann"), "end-user")),
		"organization": fmt.Sprintf("/api/v2/organizations/%d", a.post("/api/v2/organizations", `{"organization":{"name":"Globex"}}`).want(201).id("organization")),
	}
}

func (r *result) wantValues(kind, want string) *result {
	r.t.Helper()
	got, err := json.Marshal(r.member(kind, kind+"_fields"))
	if err != nil {
		r.t.Fatal(err)
	}
	if canonical(r.t, got) != canonical(r.t, []byte(want)) {
		r.t.Errorf("%s %s: fields %s, want %s", r.method, r.path, got, want)
	}
	return r
}

func (r *result) wantTags(kind string, want ...string) *result {
	r.t.Helper()
	var got []string
	for _, tag := range r.member(kind, "tags").([]any) {
		got = append(got, tag.(string))
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		r.t.Errorf("%s %s: tags %v, want %v", r.method, r.path, got, want)
	}
	return r
}

const unset = `{"note":null,"vip":false,"since":null,"seats":null,"rate":null,"plan":null,"likes":null,"boss":null,"code":null}`

func TestValuesOfKeyedFields(t *testing.T) {
	t.Parallel()
	a, paths := withKeyedFields(t)
	for _, k := range keyed {
		path := paths[k.kind]
		a.get(path).want(200).wantValues(k.kind, unset)
		full := `{"note":"Hello","vip":true,"since":"2026-02-01T00:00:00+00:00","seats":12,"rate":1.5,"plan":"gold","likes":["tea","milk"],"boss":` + fmt.Sprint(a.admin.ID) + `,"code":"ABC"}`
		put := func(values string) *result {
			t.Helper()
			return a.put(path, `{"`+k.kind+`":{"`+k.kind+`_fields":`+values+`}}`)
		}
		put(`{"note":"Hello","vip":"1","since":"2026-02-01","seats":"12","rate":"1.5","plan":"Gold","likes":["tea","milk"],"boss":"`+fmt.Sprint(a.admin.ID)+`","code":"ABC","old":"x","unknown":{}}`).
			want(200).wantValues(k.kind, full).wantTags(k.kind, "gold", "is_vip", "milk", "tea")
		// What was read may be sent back.
		put(full).want(200).wantValues(k.kind, full)
		a.get(path).want(200).wantValues(k.kind, full)
		put(`{"plan":"free","vip":false,"likes":null,"note":"","seats":null,"rate":null,"since":null,"boss":null,"code":null}`).want(200).
			wantValues(k.kind, `{"note":null,"vip":false,"since":null,"seats":null,"rate":null,"plan":"free","likes":null,"boss":null,"code":null}`).
			wantTags(k.kind, "free")
		// A tag that is set by hand chooses its option, and one that is gone gives it up.
		a.put(path, `{"`+k.kind+`":{"tags":["gold","is_vip","other"]}}`).want(200).wantTags(k.kind, "gold", "is_vip", "other").
			wantValues(k.kind, `{"note":null,"vip":true,"since":null,"seats":null,"rate":null,"plan":"gold","likes":null,"boss":null,"code":null}`)
		a.put(path, `{"`+k.kind+`":{"tags":["other"]}}`).want(200).wantValues(k.kind, unset)
		a.put(path+"/tags", `{"tags":["gold"]}`).want(200)
		if got := a.get(path).member(k.kind, k.kind+"_fields", "plan"); got != "gold" {
			t.Errorf("a tag added chose %v", got)
		}
		a.put(path, `{"`+k.kind+`":{"`+k.kind+`_fields":null}}`).want(200)
		if got := a.get(path).member(k.kind, k.kind+"_fields", "plan"); got != "gold" {
			t.Errorf("null for all values left %v", got)
		}
	}
}

func TestKeyedFieldsRefuseWrongValues(t *testing.T) {
	t.Parallel()
	a, paths := withKeyedFields(t)
	stranger := a.another().admin.ID
	for _, k := range keyed {
		before := a.get(paths[k.kind]).body
		for _, tc := range []struct{ values, says string }{
			{`{"plan":"silver","note":"x"}`, "Plan: silver is not one of the options"},
			{`{"likes":["tea","wine"]}`, "Likes: wine is not one of the options"},
			{`{"likes":{}}`, "Likes: must be a list of option values"},
			{`{"seats":"many"}`, "Seats: must be an integer"},
			{`{"rate":"1,5"}`, "Rate: must be a number"},
			{`{"since":"2026-02-30"}`, "Since: is not a valid date"},
			{`{"vip":"perhaps"}`, "VIP: must be true or false"},
			{`{"boss":"Ann"}`, "Boss: must be the id of a record"},
			{`{"boss":77,"note":"x"}`, "Boss: 77 is not a record of type zen:user"},
			{fmt.Sprintf(`{"boss":%d}`, stranger), fmt.Sprintf("Boss: %d is not a record of type zen:user", stranger)},
			{`{"code":"abc"}`, "Code: is invalid"},
			{`{"note":["x"]}`, "Note: is not valid"},
			{`{"note":"a\u0001\u0000"}`, ""},
		} {
			r := a.put(paths[k.kind], `{"`+k.kind+`":{"`+k.kind+`_fields":`+tc.values+`}}`)
			if tc.says == "" {
				if r.status != 400 && r.status != 422 {
					t.Errorf("%s: %d", tc.values, r.status)
				}
				continue
			}
			r.wantDetail("base", tc.says)
		}
		a.put(paths[k.kind], `{"`+k.kind+`":{"`+k.kind+`_fields":"x"}}`).want(400)
		a.post("/api/v2/"+k.record, `{"`+k.kind+`":{"name":"Other","`+k.kind+`_fields":{"plan":"silver"}}}`).wantDetail("base", "Plan: silver is not one of the options")
		if after := a.get(paths[k.kind]).body; string(after) != string(before) {
			t.Errorf("changed to %s", after)
		}
	}
}

// Values go with every way to make and change a record, and come with every
// way to read it.
func TestKeyedFieldsGoEverywhere(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	for _, k := range keyed {
		a.keyedField(k.kind, `{"type":"dropdown","key":"plan","title":"Plan","custom_field_options":[{"name":"Gold","value":"gold"},{"name":"Free","value":"free"}]}`)
		one := func(name, plan string) string {
			return `{"name":"` + name + `","external_id":"` + name + `","` + k.kind + `_fields":{"plan":"` + plan + `"}}`
		}
		a.post("/api/v2/"+k.record, `{"`+k.kind+`":`+one("r1", "gold")+`}`).want(201).wantValues(k.kind, `{"plan":"gold"}`).wantTags(k.kind, "gold")
		a.post("/api/v2/"+k.record+"/create_or_update", `{"`+k.kind+`":`+one("r1", "free")+`}`).want(200).wantValues(k.kind, `{"plan":"free"}`).wantTags(k.kind, "free")
		a.post("/api/v2/"+k.record+"/create_or_update", `{"`+k.kind+`":`+one("r2", "gold")+`}`).want(201).wantValues(k.kind, `{"plan":"gold"}`)
		job := a.post("/api/v2/"+k.record+"/create_many", `{"`+k.record+`":[`+one("r3", "gold")+`,`+one("r4", "silver")+`]}`).want(200).jobDone(a)
		if got := job.member("job_status", "results", 1, "error"); got != "RecordInvalid" {
			t.Errorf("results %s", job.body)
		}
		a.put("/api/v2/"+k.record+"/update_many?external_ids=r2,r3", `{"`+k.kind+`":{"`+k.kind+`_fields":{"plan":"free"}}}`).want(200).jobDone(a)
		r := a.get("/api/v2/" + k.record + "/show_many?external_ids=r1,r2,r3").want(200)
		for i := range 3 {
			if got := r.member(k.record, i, k.kind+"_fields", "plan"); got != "free" {
				t.Errorf("%s", r.body)
			}
		}
	}
	var list struct {
		Users []struct {
			Fields map[string]any `json:"user_fields"`
		}
	}
	a.get("/api/v2/users").want(200).json(&list)
	for _, u := range list.Users {
		if _, ok := u.Fields["plan"]; !ok {
			t.Errorf("user without the field: %+v", u)
		}
	}
}

// An end user does not read what agents keep about him, nor write it.
func TestEndUsersDoNotReachUserFields(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.keyedField("user", `{"key":"note","title":"Note"}`)
	id := a.user("Ann", a.email("ann"), "end-user")
	path := fmt.Sprintf("/api/v2/users/%d", id)
	a.put(path, `{"user":{"user_fields":{"note":"difficult"}}}`).want(200)
	ann := a.as(a.email("ann"))
	ann.get("/api/v2/users/me").want(200).wantValues("user", `{"note":null}`)
	ann.put(fmt.Sprintf("/api/v2/end_users/%d", id), `{"user":{"name":"Anna","user_fields":{"note":"nice"}}}`).want(200)
	a.get(path).want(200).wantValues("user", `{"note":"difficult"}`)
}

func TestChangesOfKeyedFieldsAreLogged(t *testing.T) {
	t.Parallel()
	a, paths := withKeyedFields(t)
	for _, k := range keyed {
		a.put(paths[k.kind], `{"`+k.kind+`":{"`+k.kind+`_fields":{"plan":"gold","seats":3}}}`).want(200)
		var events []struct{ Change models.JSON }
		err := a.db.WithContext(a.ctx()).Raw("SELECT change FROM events WHERE account_id = ? AND type = ? ORDER BY id",
			a.account.ID, "zen:event-type:"+k.kind+".custom_field_changed").Scan(&events).Error
		if err != nil || len(events) != 2 {
			t.Fatalf("%d events: %v", len(events), err)
		}
		var change struct {
			Current, Previous any
			Field             struct{ ID, Title, Type string }
		}
		if err := json.Unmarshal(events[1].Change, &change); err != nil {
			t.Fatal(err)
		}
		if change.Current != "gold" || change.Previous != nil || change.Field.Title != "Plan" || change.Field.Type != "dropdown" || change.Field.ID == "" {
			t.Errorf("event %+v", change)
		}
	}
}
