package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const itemsPath = "/api/v2/dynamic_content/items"

// dynamic makes an item in English and German.
func (a *anAPI) dynamic(name, english, german string) int64 {
	a.t.Helper()
	return a.post(itemsPath, fmt.Sprintf(`{"item":{"name":%q,"default_locale_id":1,"variants":[{"locale_id":1,"default":true,"content":%q},
		{"locale_id":8,"content":%q}]}}`, name, english, german)).want(201).id("item")
}

func TestDynamicContentIsCreatedAndShown(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post(itemsPath+".json", `{"item":{"id":5,"name":" Snowboard Problem ","default_locale_id":"16","variants":[
		{"locale_id":16,"default":true,"content":"Voici"},{"locale_id":1,"content":"This","active":false}]}}`).want(201)
	id := r.id("item")
	url := fmt.Sprintf("http://helpd.test%s/%d", itemsPath, id)
	if got := r.header.Get("Location"); got != url+".json" {
		t.Errorf("Location %q", got)
	}
	first, second := r.member("item", "variants", 0, "id"), r.member("item", "variants", 1, "id")
	variant := func(id any, locale int, content string, active, standard bool) string {
		return fmt.Sprintf(`{"url":"%s/variants/%v.json","id":%v,"content":%q,"locale_id":%d,"outdated":false,"active":%v,"default":%v,"created_at":%q,"updated_at":%q}`,
			url, id, id, content, locale, active, standard, clockText, clockText)
	}
	one := fmt.Sprintf(`{"url":"%s.json","id":%d,"name":"Snowboard Problem","placeholder":"{{dc.snowboard_problem}}","default_locale_id":16,"outdated":false,
		"created_at":%q,"updated_at":%q,"variants":[%s,%s]}`, url, id, clockText, clockText, variant(first, 16, "Voici", true, true), variant(second, 1, "This", false, false))
	r.wantJSON(`{"item":%s}`, one)
	path := fmt.Sprintf("%s/%d", itemsPath, id)
	a.get(path).want(200).wantJSON(`{"item":%s}`, one)
	other := a.post(itemsPath, `{"item":{"name":"Größe 1","content":"Size"}}`).want(201)
	if other.member("item", "placeholder") != "{{dc.größe_1}}" || other.member("item", "variants", 0, "default") != true {
		t.Errorf("item %s", other.body)
	}
	list := a.get(itemsPath).want(200)
	if got := list.ids("items"); !slices.Equal(got, []int64{id, other.id("item")}) || fmt.Sprint(list.member("count")) != "2" {
		t.Errorf("list %s", list.body)
	}
	if r := a.get(itemsPath + "?page[size]=1").want(200); !slices.Equal(r.ids("items"), []int64{id}) || r.member("meta", "has_more") != true ||
		len(r.member("items", 0, "variants").([]any)) != 2 {
		t.Errorf("page %s", r.body)
	}
	for _, identifiers := range []string{"snowboard_problem,none", "dc.Snowboard_Problem", "%7B%7Bdc.snowboard_problem%7D%7D"} {
		a.get(itemsPath+"/show_many?identifiers="+identifiers).want(200).wantJSON(`{"items":[%s],"count":1,"next_page":null,"previous_page":null}`, one)
	}
	r = a.put(path, `{"item":{"name":"Skis","default_locale_id":8}}`).want(200)
	if r.member("item", "name") != "Skis" || r.member("item", "placeholder") != "{{dc.snowboard_problem}}" || fmt.Sprint(r.member("item", "default_locale_id")) != "16" {
		t.Errorf("renamed %s", r.body)
	}
	a.delete(path).want(204)
	a.delete(path).wantMissing()
	a.get(path).wantMissing()
	a.put(path, `{"item":{"name":"x"}}`).wantMissing()
	a.get(path + "/variants").wantMissing()
}

func TestDynamicContentRefusesWrongInput(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	item := a.dynamic("Taken", "a", "b")
	for _, tc := range []struct{ body, field, says string }{
		{`{"content":"x"}`, "name", "Name: cannot be blank"},
		{`{"name":"!!","content":"x"}`, "name", "Name: needs a letter or digit"},
		{`{"name":"taken","content":"x"}`, "name", "Name: taken has already been taken"},
		{`{"name":"New","default_locale_id":404,"content":"x"}`, "default_locale_id", "Default locale: 404 is not a locale"},
		{`{"name":"New"}`, "variants", "Variants: need one of the default locale"},
		{`{"name":"New","default_locale_id":1,"variants":[{"locale_id":8,"content":"x"}]}`, "variants", "Variants: need one of the default locale"},
		{`{"name":"New","default_locale_id":1,"variants":[{"locale_id":1,"content":"x"},{"locale_id":8,"content":"x","default":true}]}`, "variants",
			"Variants: the default one must be that of default_locale_id"},
		{`{"name":"New","default_locale_id":1,"variants":[{"locale_id":1,"content":""}]}`, "content", "Content: cannot be blank"},
		{`{"name":"New","default_locale_id":1,"variants":[{"locale_id":1,"content":"x","active":false}]}`, "active", "Active: the default variant cannot be inactive"},
		{`{"name":"New","default_locale_id":1,"variants":[{"content":"x"}]}`, "locale_id", "Locale: cannot be blank"},
		{`{"name":"New","default_locale_id":1,"variants":[{"locale_id":1,"content":"x"},{"locale_id":1,"content":"y"}]}`, "locale_id", "Locale: there is a variant of en-US already"},
	} {
		a.post(itemsPath, `{"item":`+tc.body+`}`).wantDetail(tc.field, tc.says)
	}
	a.post(itemsPath, `{}`).want(400)
	if got := a.get(itemsPath).ids("items"); !slices.Equal(got, []int64{item}) {
		t.Errorf("items %v", got)
	}
	a.get(itemsPath+"/show_many?identifiers="+strings.Repeat("a,", 100)+"b").want(400).wantError(400, "TooManyValues")
}

func TestVariants(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	item := fmt.Sprintf("%s/%d", itemsPath, a.dynamic("Hi", "Hello", "Hallo"))
	path := item + "/variants"
	ids := a.get(path).want(200).ids("variants")
	later := theClock.Add(time.Minute)
	a.now.Store(&later)
	r := a.post(path, `{"variant":{"locale_id":16,"content":"Salut"}}`).want(201)
	french := r.id("variant")
	one := fmt.Sprintf("%s/%d", path, french)
	if r.header.Get("Location") != "http://helpd.test"+one+".json" || r.member("variant", "active") != true || r.member("variant", "default") != false {
		t.Errorf("added %s", r.body)
	}
	a.get(one).want(200).wantJSON("%s", r.body)
	// The original changes, and the translations are outdated until they do.
	later = later.Add(time.Minute)
	a.now.Store(&later)
	english := fmt.Sprintf("%s/%d", path, ids[0])
	a.put(english, `{"variant":{"content":"Good day"}}`).want(200)
	if r := a.get(item); r.member("item", "outdated") != true || r.member("item", "variants", 1, "outdated") != true || r.member("item", "variants", 0, "outdated") != false {
		t.Errorf("item %s", r.body)
	}
	r = a.put(path+"/update_many", fmt.Sprintf(`{"variants":[{"id":%d,"content":"Guten Tag"},{"id":"%d","content":"Bonjour"}]}`, ids[1], french)).want(200)
	if got := r.ids("variants"); !slices.Equal(got, []int64{ids[1], french}) || r.member("variants", 1, "content") != "Bonjour" || r.member("variants", 0, "outdated") != false {
		t.Errorf("changed %s", r.body)
	}
	// Two may swap their locales, and the default moves with its flag.
	a.put(path+"/update_many", fmt.Sprintf(`{"variants":[{"id":%d,"locale_id":16},{"id":%d,"locale_id":8,"default":true}]}`, ids[1], french)).want(200)
	r = a.get(item)
	if fmt.Sprint(r.member("item", "default_locale_id")) != "8" || r.member("item", "variants", 0, "default") != false || r.member("item", "variants", 2, "default") != true {
		t.Errorf("item %s", r.body)
	}
	a.put(one, `{"variant":{"default":false}}`).wantDetail("default", "Default: make another variant the default instead")
	a.put(one, `{"variant":{"active":false}}`).wantDetail("active", "Active: the default variant cannot be inactive")
	a.put(one, `{"variant":{"locale_id":1}}`).wantDetail("locale_id", "Locale: there is a variant of en-US already")
	a.put(path+"/update_many", fmt.Sprintf(`{"variants":[{"id":%d,"content":"changed"},{"id":404}]}`, ids[0])).wantMissing()
	if got := a.get(english).member("variant", "content"); got != "Good day" {
		t.Errorf("half a change: %v", got)
	}
	a.delete(one).wantDetail("base", "The default variant cannot be deleted")
	a.delete(english).want(204)
	a.delete(english).wantMissing()
	a.get(english).wantMissing()
	a.put(english, `{"variant":{"content":"x"}}`).wantMissing()
	many := a.post(path+"/create_many", `{"variants":[{"locale_id":1,"content":"Hi"},{"locale_id":2,"content":"Hola"}]}`).want(201)
	if len(many.ids("variants")) != 2 {
		t.Errorf("added %s", many.body)
	}
	a.post(path+"/create_many", `{"variants":[{"locale_id":67,"content":"x"},{"locale_id":1,"content":"x"}]}`).want(422)
	if n := len(a.get(path + "?page[size]=10").ids("variants")); n != 4 {
		t.Errorf("%d variants", n)
	}
	a.post(path+"/create_many", `{"variants":[`+strings.Repeat(`{},`, 100)+`{}]}`).wantError(400, "TooManyValues")
}

func TestWhoMayReachDynamicContent(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("%s/%d", itemsPath, a.dynamic("Hi", "Hello", "Hallo"))
	agent, user := a.signedInAs("agent"), a.signedInAs("end-user")
	agent.put(path, `{"item":{"name":"Hi there"}}`).want(200)
	agent.post(itemsPath, `{"item":{"name":"Agent's","content":"x"}}`).want(201)
	user.get(path).wantForbidden()
	user.post(itemsPath, `{"item":{"name":"x","content":"x"}}`).wantForbidden()
	a.anonymous().get(itemsPath).want(401)
	a.another().get(path).wantMissing()
	a.another().post(path+"/variants", `{"variant":{"locale_id":2,"content":"x"}}`).wantMissing()
}

// What accounts write names dynamic content, and each reader has it in his own
// language; raw members have the placeholder.
func TestTextsAreRenderedForTheReader(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.dynamic("Product", "Product", "Produkt")
	german := a.signedInAs("agent") // whose language is German
	const named = `"{{dc.product}} 1"`
	field := a.ticketField(`{"type":"tagger","title":%s,"visible_in_portal":true,"custom_field_options":[{"name":%s,"value":"p1"}]}`, named, named)
	user := a.keyedField("user", `{"type":"dropdown","key":"p","title":%s,"description":%s,"custom_field_options":[{"name":%s,"value":"p1"}]}`, named, named, named)
	form := a.post("/api/v2/ticket_forms", fmt.Sprintf(`{"ticket_form":{"name":%s,"end_user_visible":true}}`, named)).want(201).id("ticket_form")
	status := a.post("/api/v2/custom_statuses", fmt.Sprintf(`{"custom_status":{"status_category":"open","agent_label":%s,"description":%s}}`, named, named)).want(201).id("custom_status")
	ticket := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":%s,"comment":{"body":"x"}}}`, named)).want(201).id("ticket")
	for _, tc := range []struct {
		path   string
		member []any
		raw    []any
	}{
		{fmt.Sprintf("/api/v2/ticket_fields/%d", field), []any{"ticket_field", "title"}, []any{"ticket_field", "raw_title"}},
		{fmt.Sprintf("/api/v2/ticket_fields/%d", field), []any{"ticket_field", "description"}, []any{"ticket_field", "raw_description"}},
		{fmt.Sprintf("/api/v2/ticket_fields/%d", field), []any{"ticket_field", "title_in_portal"}, []any{"ticket_field", "raw_title_in_portal"}},
		{fmt.Sprintf("/api/v2/ticket_fields/%d", field), []any{"ticket_field", "custom_field_options", 0, "name"}, []any{"ticket_field", "custom_field_options", 0, "raw_name"}},
		{fmt.Sprintf("/api/v2/ticket_fields/%d/options", field), []any{"custom_field_options", 0, "name"}, []any{"custom_field_options", 0, "raw_name"}},
		{fmt.Sprintf("/api/v2/user_fields/%d", user), []any{"user_field", "title"}, []any{"user_field", "raw_title"}},
		{fmt.Sprintf("/api/v2/user_fields/%d", user), []any{"user_field", "description"}, []any{"user_field", "raw_description"}},
		{fmt.Sprintf("/api/v2/ticket_forms/%d", form), []any{"ticket_form", "name"}, []any{"ticket_form", "raw_name"}},
		{fmt.Sprintf("/api/v2/ticket_forms/%d", form), []any{"ticket_form", "display_name"}, []any{"ticket_form", "raw_display_name"}},
		{fmt.Sprintf("/api/v2/custom_statuses/%d", status), []any{"custom_status", "agent_label"}, []any{"custom_status", "raw_agent_label"}},
		{fmt.Sprintf("/api/v2/custom_statuses/%d", status), []any{"custom_status", "description"}, []any{"custom_status", "raw_description"}},
		{fmt.Sprintf("/api/v2/tickets/%d", ticket), []any{"ticket", "subject"}, []any{"ticket", "raw_subject"}},
	} {
		for want, r := range map[string]*result{"Product 1": a.get(tc.path).want(200), "Produkt 1": german.get(tc.path).want(200)} {
			if got := r.member(tc.member...); got != want {
				t.Errorf("%s: %v is %v, want %v", tc.path, tc.member, got, want)
			}
			if got := r.member(tc.raw...); got != "{{dc.product}} 1" {
				t.Errorf("%s: %v is %v", tc.path, tc.raw, got)
			}
		}
	}
	if got := a.get(fmt.Sprintf("/api/v2/ticket_fields/%d?locale=de", field)).member("ticket_field", "title"); got != "Produkt 1" {
		t.Errorf("asked for German: %v", got)
	}
	if got := a.anonymous().get("/api/v2/ticket_forms").member("ticket_forms", 1, "name"); got != "Product 1" {
		t.Errorf("nobody reads %v", got)
	}
	if got := a.get(fmt.Sprintf("/api/v2/requests/%d", ticket)).want(200).member("request", "subject"); got != "Product 1" {
		t.Errorf("the request is about %v", got)
	}
	// A record that is sent back as it was read keeps its placeholders; a new
	// text is taken.
	path := fmt.Sprintf("/api/v2/ticket_fields/%d", field)
	r := german.get(path)
	if r = a.put(path+"?locale=de", string(r.body)).want(200); r.member("ticket_field", "raw_title") != "{{dc.product}} 1" ||
		r.member("ticket_field", "raw_description") != "{{dc.product}} 1" || r.member("ticket_field", "custom_field_options", 0, "raw_name") != "{{dc.product}} 1" {
		t.Errorf("sent back: %s", r.body)
	}
	r = a.put(path, `{"ticket_field":{"title":"Goods","raw_title":"{{dc.product}} 1","description":null,"raw_description":"{{dc.product}} 1"}}`).want(200)
	if r.member("ticket_field", "raw_title") != "Goods" || r.member("ticket_field", "raw_description") != "Goods" {
		t.Errorf("changed: %s", r.body)
	}
	a.put(fmt.Sprintf("%s/%d", itemsPath, a.get(itemsPath).ids("items")[0]), `{"item":{"name":"Ware"}}`).want(200)
	a.delete(fmt.Sprintf("%s/%d", itemsPath, a.get(itemsPath).ids("items")[0])).want(204)
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d", ticket)).member("ticket", "subject"); got != "{{dc.product}} 1" {
		t.Errorf("without the item: %v", got)
	}
}

// What people write is not what an account has set up: their {{dc.x}} is a text.
func TestSubjectsOfEndUsersAreNotRendered(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.dynamic("Product", "Product", "Produkt")
	a.user("Ann", a.email("ann"), "end-user")
	ann := a.as(a.email("ann"))
	const subject = "{{dc.product}} 1"
	shown := func(id int64, want string) {
		t.Helper()
		for path, key := range map[string]string{a.path(id): "ticket", fmt.Sprintf("/api/v2/requests/%d", id): "request"} {
			if got := a.get(path).want(200).member(key, "subject"); got != want {
				t.Errorf("%s: %v, want %s", path, got, want)
			}
		}
		if got := a.get("/api/v2/tickets").want(200); !strings.Contains(string(got.body), fmt.Sprintf(`"subject":%q,"raw_subject":%q`, want, subject)) {
			t.Errorf("listed: %s", got.body)
		}
	}
	id := ann.request(subject)
	shown(id, subject)
	a.put(a.path(id), fmt.Sprintf(`{"ticket":{"subject":%q,"priority":"high"}}`, subject)).want(200) // sent back as it was read
	shown(id, subject)
	a.put(a.path(id), `{"ticket":{"subject":"Other"}}`).want(200)
	a.put(a.path(id), fmt.Sprintf(`{"ticket":{"subject":%q}}`, subject)).want(200)
	shown(id, "Product 1")
	shown(a.ticket(fmt.Sprintf(`{"subject":%q,"comment":{"body":"B"}}`, subject)), "Product 1")
	if got := a.get(a.path(a.ticket(fmt.Sprintf(`{"comment":{"body":%q}}`, subject)))).want(200).member("ticket", "subject"); got != subject {
		t.Errorf("a subject made of a comment: %v", got)
	}
	a.put(fmt.Sprintf("/api/v2/users/%d", ann.get("/api/v2/users/me").id("user")), `{"user":{"suspended":true}}`).want(200)
	held := a.heldBack(fmt.Sprintf(`{"requester_id":%d,"subject":%q,"comment":{"body":"B"}}`, a.get("/api/v2/users/search?query=ann").ids("users")[0], subject))
	recovered := a.put(fmt.Sprintf("/api/v2/suspended_tickets/%d/recover", held), "").want(200)
	number, _ := recovered.member("ticket", 0, "ticket_id").(json.Number).Int64()
	if got := a.get(a.path(number)).want(200).member("ticket", "subject"); got != subject {
		t.Errorf("a recovered subject: %v", got)
	}
}

// Errors name fields as their reader does.
func TestErrorsNameFieldsInTheReadersLanguage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.dynamic("Product", "Product", "Produkt")
	german, customer := a.signedInAs("agent"), a.signedInAs("end-user")
	const title = `"title":"{{dc.product}}"`
	a.ticketField(`{"type":"text","required":true,"title":"{{dc.product}}"}`)
	number := a.ticketField(`{"type":"integer",%s}`, title)
	a.ticketField(`{"type":"text","title":"{{dc.product}}","title_in_portal":"{{dc.product}}!","visible_in_portal":true,"editable_in_portal":true,"required_in_portal":true}`)
	a.keyedField("user", `{"type":"integer","key":"n",%s}`, title)
	a.keyedField("organization", `{"type":"date","key":"d",%s}`, title)
	id := a.ticket(fmt.Sprintf(`{"comment":{"body":"B"},"assignee_id":%d}`, a.admin.ID))
	organization := a.organization("Acme")
	for who, name := range map[*anAPI]string{a: "Product", german: "Produkt"} {
		who.put(a.path(id), `{"ticket":{"status":"solved"}}`).wantDetail("base", name+": is required when solving a ticket")
		who.put(a.path(id), fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":"{{dc.product}}"}]}}`, number)).wantDetail("base", name+": must be an integer")
		who.post("/api/v2/users", `{"user":{"name":"N","user_fields":{"n":"x"}}}`).wantDetail("base", name+": must be an integer")
	}
	a.put(fmt.Sprintf("/api/v2/organizations/%d", organization), `{"organization":{"organization_fields":{"d":"x"}}}`).wantDetail("base", "Product: is not a valid date")
	customer.post("/api/v2/requests", `{"request":{"subject":"S","comment":{"body":"B"}}}`).wantDetail("base", "Produkt!: cannot be blank")
}
