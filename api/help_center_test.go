package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const help = "/api/v2/help_center"

// aHelpCenter is an account whose help center has English, Japanese and Korean.
type aHelpCenter struct {
	*anAPI
	category, section string // paths
}

func newHelpCenter(t *testing.T) *aHelpCenter {
	t.Helper()
	return newHelpCenterOf(newAPI(t))
}

func newHelpCenterOf(a *anAPI) *aHelpCenter {
	a.t.Helper()
	h := &aHelpCenter{anAPI: a}
	h.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[1,67,69]}}}`).want(200)
	h.category = fmt.Sprintf("%s/categories/%d", help, h.post(help+"/en-us/categories", `{"category":{"name":"Orders"}}`).want(201).id("category"))
	h.section = fmt.Sprintf("%s/sections/%d", help, h.post(h.category+"/sections", `{"section":{"name":"Returns","locale":"en-us"}}`).want(201).id("section"))
	return h
}

// article makes one with these members and tells its id.
func (h *aHelpCenter) article(members string) int64 {
	h.t.Helper()
	return h.post(h.section+"/articles", `{"article":{"locale":"en-us",`+members+`}}`).want(201).id("article")
}

// wantField checks what is wrong with a field of a record of the help center.
func (r *result) wantField(field, text string) *result {
	r.t.Helper()
	r.want(400)
	if got := r.member("errors", field, 0); got != text {
		r.t.Errorf("%s %s: %s: %v, want %s", r.method, r.path, field, got, text)
	}
	return r
}

// canonicalOf is a decoded value as JSON.
func canonicalOf(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

// in is a path of the help center in a language.
func in(locale, path string) string { return strings.Replace(path, help+"/", help+"/"+locale+"/", 1) }

func TestCategories(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	id := h.get(h.category).want(200).id("category")
	const form = `{"category":{"id":%d,"url":"http://helpd.test/api/v2/help_center/en-us/categories/%d.json","html_url":"http://helpd.test/hc/en-us/categories/%d-Orders",
		"position":%d,"created_at":%q,"updated_at":%q,"name":"Orders","description":"","locale":"en-us","source_locale":"en-us","outdated":false}}`
	h.get(h.category+"-Orders.json").want(200).wantJSON(form, id, id, id, 0, clockText, clockText)
	// Texts are changed as translations.
	h.put(h.category, `{"category":{"name":"Other","description":"x","position":3}}`).want(200).wantJSON(form, id, id, id, 3, clockText, clockText)
	h.put(h.category, `{"category":{"position":-1}}`).wantField("position", "must be between 0 and 1000000000")

	created := h.post(help+"/categories", `{"category":{"locale":"ja","description":"<b onclick=x>B</b>","translations":[
		{"locale":"en-US","title":"Second","body":"A & B"},{"locale":"ja","title":"二番"}]}}`).want(201)
	second := created.id("category")
	if got := created.member("category", "name"); got != "二番" || created.member("category", "locale") != "ja" {
		t.Errorf("%s", created.body)
	}
	if got := h.get(fmt.Sprintf("%s/en-us/categories/%d", help, second)).want(200).member("category", "description"); got != "A & B" {
		t.Errorf("description %v", got)
	}
	if got := h.get(help + "/categories").want(200).ids("categories"); !slices.Equal(got, []int64{second, id}) {
		t.Errorf("by position: %v", got)
	}
	if got := h.get(help + "/categories?sort_by=position&sort_order=desc").want(200).ids("categories"); !slices.Equal(got, []int64{id, second}) {
		t.Errorf("by position, backwards: %v", got)
	}
	if got := h.anonymous().get(help + "/ja/categories").want(200).ids("categories"); !slices.Equal(got, []int64{second}) {
		t.Errorf("in Japanese: %v", got)
	}
	h.get(in("ja", h.category)).wantMissing()
	h.get(in("fr", h.category)).wantMissing()
	h.anonymous().get(h.category).wantField("locale", "is missing: /api/v2/help_center/en-us/...")
	h.get(help+"/categories?sort_by=name").wantField("sort_by", "name is none of position, created_at and updated_at")
	h.post(help+"/categories", `{"category":{"locale":"en-us"}}`).wantField("name", "cannot be blank")
	h.post(help+"/categories", `{"category":{"name":"x"}}`).wantField("locale", "cannot be blank")
	h.post(help+"/categories", `{"category":{"name":"x","locale":"fr"}}`).wantField("locale", "fr is not enabled")
	h.post(help+"/categories", `{"category":{"translations":[{"locale":"ja","title":"x"},{"locale":"JA","title":"y"}]}}`).wantField("locale", "ja is there twice")
	h.put(help+"/categories/404", `{"category":{"position":1}}`).wantMissing()
	h.user("Agent", h.email("agent"), "agent")
	h.as(h.email("agent")).post(help+"/categories", `{"category":{"name":"x","locale":"en-us"}}`).wantForbidden()
	h.as(h.email("agent")).delete(h.category).wantForbidden()

	article := h.article(`"title":"Return a lamp"`)
	h.delete(h.category).want(204)
	h.get(h.category).wantMissing()
	h.get(h.section).wantMissing()
	h.get(fmt.Sprintf("%s/articles/%d", help, article)).wantMissing()
	if n := h.number("SELECT count(*) FROM articles WHERE account_id = ? AND archived_at IS NOT NULL", h.account.ID); n != 1 {
		t.Errorf("%d archived", n)
	}
}

func TestSections(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	id := h.get(h.section).want(200).id("section")
	category := h.get(h.category).want(200).id("category")
	h.get(h.section+"?include=categories,translations").want(200).wantJSON(`{"section":{"id":%d,"url":"http://helpd.test/api/v2/help_center/en-us/sections/%d.json",
		"html_url":"http://helpd.test/hc/en-us/sections/%d-Returns","category_id":%d,"parent_section_id":null,"position":0,"sorting":"manual","created_at":%q,"updated_at":%q,
		"name":"Returns","description":"","locale":"en-us","source_locale":"en-us","outdated":false,"theme_template":"section_page","manageable_by":"managers","user_segment_id":null,
		"translations":[%s]},"categories":[%s]}`, id, id, id, category, clockText, clockText,
		canonicalOf(h.get(h.section+"/translations/en-us").want(200).member("translation")),
		canonicalOf(h.get(h.category+"?include=translations").want(200).member("category")))

	// Five levels, and no circles.
	parent, below := id, []int64{}
	for level := 2; level <= 5; level++ {
		parent = h.post(h.category+"/sections", fmt.Sprintf(`{"section":{"name":"Level %d","locale":"en-us","parent_section_id":%d}}`, level, parent)).want(201).id("section")
		below = append(below, parent)
	}
	const tooDeep = "sections cannot be nested more than 5 levels deep"
	h.post(h.category+"/sections", fmt.Sprintf(`{"section":{"name":"x","locale":"en-us","parent_section_id":%d}}`, parent)).wantField("parent_section_id", tooDeep)
	h.put(h.section, fmt.Sprintf(`{"section":{"parent_section_id":%d}}`, id)).wantField("parent_section_id", "is the section itself")
	h.put(h.section, fmt.Sprintf(`{"section":{"parent_section_id":%d}}`, parent)).wantField("parent_section_id", fmt.Sprintf("%d lies in the section itself", parent))
	h.put(h.section, `{"section":{"parent_section_id":404}}`).wantField("parent_section_id", "404 is not a section")
	top := h.post(h.category+"/sections", `{"section":{"name":"Top","locale":"en-us"}}`).want(201).id("section")
	h.put(h.section, fmt.Sprintf(`{"section":{"parent_section_id":%d}}`, top)).wantField("parent_section_id", tooDeep)

	other := h.post(help+"/categories", `{"category":{"name":"Other","locale":"en-us"}}`).want(201).id("category")
	h.post(fmt.Sprintf("%s/categories/%d/sections", help, other), fmt.Sprintf(`{"section":{"name":"x","locale":"en-us","parent_section_id":%d}}`, id)).
		wantField("parent_section_id", fmt.Sprintf("%d belongs to another category", id))
	article := h.article(`"title":"Return a lamp"`)
	moved := h.put(h.section, fmt.Sprintf(`{"section":{"name":" Sent back ","description":"D","category_id":%d,"sorting":"title","position":2}}`, other)).want(200)
	if fmt.Sprint(moved.member("section", "category_id"), moved.member("section", "name"), moved.member("section", "description")) != fmt.Sprint(other, "Sent back", "D") {
		t.Errorf("%s", moved.body)
	}
	if got := h.get(fmt.Sprintf("%s/categories/%d/sections?sort_by=created_at", help, other)).want(200).ids("sections"); !slices.Equal(got, append([]int64{id}, below...)) {
		t.Errorf("what lies in a section follows it: %v", got)
	}
	if got := h.get(fmt.Sprintf("%s/categories/%d/articles", help, other)).want(200).ids("articles"); !slices.Equal(got, []int64{article}) {
		t.Errorf("articles follow their section: %v", got)
	}
	h.put(h.section, `{"section":{"category_id":404}}`).wantField("category_id", "404 is not a category")
	h.put(h.section, `{"section":{"name":" "}}`).wantField("name", "cannot be blank")
	h.put(h.section, `{"section":{"sorting":"random"}}`).wantField("sorting", "random is none of manual, title, creation_desc and creation_asc")
	h.put(help+"/sections/404", `{"section":{"position":1}}`).wantMissing()
	h.post(help+"/categories/404/sections", `{"section":{"name":"x","locale":"en-us"}}`).wantMissing()
	h.get(help + "/categories/404/sections").wantMissing()

	h.delete(h.section).want(204)
	for _, gone := range append(below, id) {
		h.get(fmt.Sprintf("%s/sections/%d", help, gone)).wantMissing()
	}
	h.get(fmt.Sprintf("%s/sections/%d", help, top)).want(200)
	h.get(fmt.Sprintf("%s/articles/%d", help, article)).wantMissing()
}

func TestArticles(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	section := h.get(h.section).want(200).id("section")
	created := h.with("Idempotency-Key", "one").post(h.section+"/articles", `{"article":{"locale":"en-US","title":"Return a lamp!","body":"<p onclick=\"x()\">Send <b>it</b> &amp; wait<script>x()</script></p>",
		"label_names":["Lamps"," lamps ","returns"],"promoted":true,"position":4,"user_segment_id":null,"vote_sum":9},"notify_subscribers":false}`).want(201)
	id := created.id("article")
	path := fmt.Sprintf("%s/articles/%d", help, id)
	want := fmt.Sprintf(`{"id":%d,"url":"http://helpd.test/api/v2/help_center/en-us/articles/%d-Return-a-lamp.json","html_url":"http://helpd.test/hc/en-us/articles/%d-Return-a-lamp",
		"author_id":%d,"comments_disabled":false,"content_tag_ids":[],"label_names":["Lamps","returns"],"draft":false,"promoted":true,"position":4,"vote_sum":0,"vote_count":0,
		"section_id":%d,"created_at":%q,"updated_at":%q,"edited_at":%q,"name":"Return a lamp!","title":"Return a lamp!","body":"<p>Send <b>it</b> &amp; wait</p>",
		"source_locale":"en-us","locale":"en-us","outdated":false,"outdated_locales":[],"permission_group_id":%d,"user_segment_id":null,"user_segment_ids":[]}`,
		id, id, id, h.admin.ID, section, clockText, clockText, clockText, h.number("SELECT id FROM permission_groups WHERE account_id = ?", h.account.ID))
	created.wantJSON(`{"article":%s}`, want)
	if got := created.header.Get("Location"); got != fmt.Sprintf("http://helpd.test/api/v2/help_center/en-us/articles/%d-Return-a-lamp.json", id) {
		t.Errorf("location %s", got)
	}
	for _, p := range []string{path, path + ".json", path + "-Return-a-lamp.json", in("en-us", path), in("en-US", path) + "-caf%C3%A9/", h.here(created.member("article", "url").(string))} {
		h.get(p).want(200).wantJSON(`{"article":%s}`, want)
	}
	h.anonymous().get(in("en-us", path)).want(200)
	h.anonymous().get(path).want(400)
	h.get(in("ja", path)).wantMissing()
	h.get(path+"?include=users,sections,categories").want(200).wantJSON(`{"article":%s,"users":[{"id":%d,"name":"Ada Admin","photo":null,"agent":true,"organization_id":null}],
		"sections":[%s],"categories":[%s]}`, want, h.admin.ID, canonicalOf(h.get(h.section).member("section")), canonicalOf(h.get(h.category).member("category")))

	// Texts are changed as translations, everything else here.
	agent := h.user("Agent", h.email("agent"), "agent")
	customer := h.user("Customer", h.email("customer"), "end-user")
	changed := h.put(path, fmt.Sprintf(`{"article":{"title":"x","body":"x","draft":true,"author_id":%d,"label_names":["RETURNS"],"promoted":false,"comments_disabled":true}}`, agent)).want(200)
	if got := fmt.Sprint(changed.member("article", "title"), changed.member("article", "draft"), changed.member("article", "author_id"), changed.member("article", "label_names"),
		changed.member("article", "comments_disabled")); got != fmt.Sprintf("Return a lamp!false%d[returns] true", agent) {
		t.Errorf("%s", got)
	}
	if got := h.typesOfEvents("article"); !slices.Equal(got, []string{"article.published", "article.author_changed"}) {
		t.Errorf("events %v", got)
	}

	long := strings.Repeat("x", 1<<20+1)
	for _, tc := range []struct{ members, field, text string }{
		{`"title":" "`, "title", "cannot be blank"},
		{`"title":"` + strings.Repeat("x", 256) + `"`, "title", "is too long (maximum is 255 characters)"},
		{`"title":"x","body":"` + long + strings.Repeat(long, 4) + `"`, "body", "is too long (maximum is 1048576 bytes)"},
		{`"title":"x","body_markdown":"` + long + `"`, "body_markdown", "is too long (maximum is 1048576 bytes)"},
		{`"title":"x","locale":"fr"`, "locale", "fr is not enabled"},
		{`"title":"x","translations":[{"locale":"xx","title":"x"}]`, "locale", "xx is not enabled"},
		{`"title":"x","position":-1`, "position", "must be between 0 and 1000000000"},
		{fmt.Sprintf(`"title":"x","author_id":%d`, customer), "author_id", fmt.Sprintf("%d is not an agent", customer)},
		{`"title":"x","label_names":["a,b"]`, "label_names", "a,b is no label: up to 255 characters, and no comma"},
		{`"title":"x","user_segment_id":404`, "user_segment_id", "404 is not a user segment"},
		{`"title":"x","user_segment_ids":[404]`, "user_segment_ids", "404 is not a user segment"},
		{`"title":"x","permission_group_id":404`, "permission_group_id", "404 is not a permission group"},
		{`"title":"x","content_tag_ids":["01KJ"]`, "content_tag_ids", "01KJ is not a content tag"},
		{`"title":"x","created_at":"2040-01-01T00:00:00Z"`, "created_at", "is in the future"},
	} {
		h.post(h.section+"/articles", `{"article":{"locale":"en-us",`+tc.members+`}}`).wantField(tc.field, tc.text)
	}
	h.put(path, `{"article":{"section_id":404}}`).wantField("section_id", "404 is not a section")
	h.post(help+"/sections/404/articles", `{"article":{"title":"x","locale":"en-us"}}`).wantMissing()
	h.post(h.section+"/articles", `{"article":5}`).want(400)
	h.as(h.email("customer")).post(h.section+"/articles", `{"article":{"title":"x","locale":"en-us"}}`).wantForbidden()
	h.as(h.email("customer")).delete(path).wantForbidden()
	h.put(help+"/articles/404", `{"article":{}}`).wantMissing()

	h.delete(path).want(204)
	h.delete(path).wantMissing()
	h.get(path).wantMissing()
	h.put(path, `{"article":{"promoted":true}}`).wantMissing()
	if got := h.typesOfEvents("article"); got[len(got)-1] != "article.unpublished" {
		t.Errorf("events %v", got)
	}
}

// typesOfEvents are the types of the events of a kind, in their order.
func (a *anAPI) typesOfEvents(kind string) (types []string) {
	a.t.Helper()
	err := a.db.WithContext(a.ctx()).Raw("SELECT replace(type, 'zen:event-type:', '') FROM events WHERE account_id = ? AND subject LIKE ? ORDER BY id", a.account.ID, "zen:"+kind+":%").Scan(&types).Error
	if err != nil {
		a.t.Fatal(err)
	}
	return types
}
