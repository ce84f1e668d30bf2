package api_test

import (
	"fmt"
	"testing"

	"github.com/helpd/helpd/models"
)

func TestBrandsOverHTTP(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	list := a.get("/api/v2/brands.json").want(200)
	id := list.ids("brands")[0]
	form := a.get("/api/v2/ticket_forms").ids("ticket_forms")[0]
	one := fmt.Sprintf(`{"url":"http://helpd.test/api/v2/brands/%d.json","id":%d,"name":"Acme","subdomain":%q,"brand_url":"http://helpd.test",
		"host_mapping":null,"has_help_center":true,"help_center_state":"enabled","active":true,"default":true,"is_deleted":false,"logo":null,
		"ticket_form_ids":[%d],"signature_template":"{{agent.signature}}","default_locale":null,"locales":null,"created_at":%q,"updated_at":%q}`, id, id, a.account.Subdomain, form, clockText, clockText)
	list.wantJSON(`{"brands":[%s],"count":1,"next_page":null,"previous_page":null}`, one)
	path := fmt.Sprintf("/api/v2/brands/%d", id)
	a.get(path).want(200).wantJSON(`{"brand":%s}`, one)
	if r := a.get("/api/v2/brands?page[size]=1").want(200); r.member("meta", "has_more") != false || r.member("links", "next") != nil {
		t.Errorf("page %s", r.body)
	}
	err := a.db.WithContext(a.ctx()).Model(&models.Brand{}).Where("id = ?", id).Updates(map[string]any{"host_mapping": "help.acme.example", "brand_url": "https://acme.example"}).Error
	if err != nil {
		t.Fatal(err)
	}
	err = a.db.WithContext(a.ctx()).Exec("UPDATE accounts SET config_version = config_version + 1 WHERE id = ?", a.account.ID).Error
	if err != nil {
		t.Fatal(err)
	}
	if r := a.get(path).want(200); r.member("brand", "host_mapping") != "help.acme.example" || r.member("brand", "brand_url") != "https://acme.example" {
		t.Errorf("an admin sees %s", r.body)
	}
	if r := a.signedInAs("agent").get(path).want(200); r.member("brand", "host_mapping") != nil {
		t.Errorf("an agent sees %s", r.body)
	}
	a.signedInAs("end-user").get("/api/v2/brands").wantForbidden()
	a.signedInAs("end-user").get(path).wantForbidden()
	a.get("/api/v2/brands/404").wantMissing()
	a.another().get(path).wantMissing()
}

func TestLocalesOverHTTP(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	nobody := a.anonymous()
	locale := func(code string, id int, name, native, presentation string, rtl, own bool, r *result) string {
		return fmt.Sprintf(`{"url":"http://%s/api/v2/locales/%s.json","id":%d,"locale":%q,"name":%q,"native_name":%q,"presentation_name":%q,
			"rtl":%t,"default":%t,"created_at":%q,"updated_at":%q}`, r.header.Get("X-Host"), code, id, code, name, native, presentation, rtl, own, clockText, clockText)
	}
	r := a.get("/api/v2/locales.json").want(200)
	r.header.Set("X-Host", "helpd.test")
	english := locale("en-US", 1, "English", "English", "English - English", false, true, r)
	r.wantJSON(`{"locales":[%s],"count":1,"next_page":null,"previous_page":null}`, english)
	a.get("/api/v2/locales/1").want(200).wantJSON(`{"locale":%s}`, english)
	a.get("/api/v2/locales/EN-us.json").want(200).wantJSON(`{"locale":%s}`, english)
	a.get("/api/v2/locales/ar").want(200).wantJSON(`{"locale":%s}`, locale("ar", 66, "العربية (Arabic)", "العربية", "Arabic - العربية", true, false, r))
	a.get("/api/v2/locales/current").want(200).wantJSON(`{"locale":%s}`, english)
	for _, path := range []string{"/api/v2/locales/agent", "/api/v2/locales/public"} {
		if ids := nobody.get(path).want(200).ids("locales"); len(ids) < 40 || ids[0] != 1 {
			t.Errorf("%s: %v", path, ids)
		}
	}
	for _, tc := range []struct {
		caller     *anAPI
		path, want string
	}{
		{nobody, "/api/v2/locales", "en-US"},
		{nobody, "/api/v2/locales/current", "en-US"},
		{a.signedInAs("agent"), "/api/v2/locales/current", "de"},
		{nobody, "/api/v2/locales/detect_best_locale", "en-US"},
		{nobody.with("Accept-Language", "fr-CH, de;q=0.8"), "/api/v2/locales/detect_best_locale?available_locales[]=de&available_locales[]=fr", "fr"},
		{nobody.with("Accept-Language", "ja"), "/api/v2/locales/detect_best_locale?available_locales=xx,de,fr", "de"},
		{a.signedInAs("agent").with("Accept-Language", "fr"), "/api/v2/locales/detect_best_locale?available_locales[]=fr&available_locales[]=de", "de"},
		{nobody.with("Accept-Language", ";;;"), "/api/v2/locales/detect_best_locale?available_locales[]=xx", "en-US"},
	} {
		r := tc.caller.get(tc.path).want(200)
		var got any
		if tc.path == "/api/v2/locales" {
			got = r.member("locales", 0, "locale")
		} else {
			got = r.member("locale", "locale")
		}
		if got != tc.want {
			t.Errorf("%s: %v, want %s", tc.path, got, tc.want)
		}
	}
	a.get("/api/v2/locales/xx").wantMissing()
	a.get("/api/v2/locales/404").wantMissing()
}
