package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/server/fault"
)

// hostsOf has a second brand, whose subdomain and hosts begin with the account's.
type hostsOf struct {
	*anAPI
	sub, path string // of the second brand
	id        int64
}

// newBrand makes a brand with more members than its name and subdomain, if any.
func newBrand(a *anAPI, name, more string) hostsOf {
	a.t.Helper()
	h := hostsOf{anAPI: a, sub: a.account.Subdomain + name}
	h.id = a.post("/api/v2/brands", fmt.Sprintf(`{"brand":{"name":%q,"subdomain":%q%s}}`, name, h.sub, more)).want(201).id("brand")
	h.path = fmt.Sprintf("/api/v2/brands/%d", h.id)
	return h
}

func TestBrandsAreMadeAndChanged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first := a.get("/api/v2/brands").want(200).ids("brands")[0]
	form := a.get("/api/v2/ticket_forms").ids("ticket_forms")[0]
	sub := a.account.Subdomain + "b"
	host := "help." + a.account.Subdomain + ".example"
	version := a.number("SELECT config_version FROM accounts WHERE id = ?", a.account.ID)
	made := a.post("/api/v2/brands", fmt.Sprintf(`{"brand":{"name":" Lamps ","subdomain":"%s","host_mapping":"%s.","brand_url":"https://lamps.example/x","signature_template":"Bye","id":5,"has_help_center":true}}`,
		"  "+sub, host)).want(201)
	id := made.id("brand")
	path := fmt.Sprintf("/api/v2/brands/%d", id)
	one := func(change string) string {
		return fmt.Sprintf(`{"brand":{"url":"http://helpd.test%s.json","id":%d,"name":"Lamps","subdomain":%q,"brand_url":"https://lamps.example/x","host_mapping":%q,
			"has_help_center":%s,"default":false,"logo":null,"ticket_form_ids":[%d],"signature_template":"Bye","default_locale":null,"locales":null,"created_at":%q,"updated_at":%q}}`,
			path, id, sub, host, change, form, clockText, clockText)
	}
	made.wantJSON("%s", one(`false,"help_center_state":"disabled","active":true,"is_deleted":false`))
	if got := made.header.Get("Location"); got != "http://helpd.test"+path+".json" {
		t.Errorf("Location %s", got)
	}
	if a.number("SELECT config_version FROM accounts WHERE id = ?", a.account.ID) == version {
		t.Error("nobody would know of the new brand")
	}
	if got := a.get("/api/v2/brands").want(200).ids("brands"); fmt.Sprint(got) != fmt.Sprint([]int64{first, id}) {
		t.Errorf("the brands by name are %v", got)
	}
	a.put(path, `{"brand":{"help_center_state":"restricted","active":"false"}}`).want(200).wantJSON("%s", one(`true,"help_center_state":"restricted","active":false,"is_deleted":false`))
	// What is shown and sent back as it is changes nothing.
	shown := a.get(path).want(200)
	a.put(path, string(shown.body)).want(200).wantJSON("%s", shown.body)
	if r := a.put(path, `{"brand":{"host_mapping":null,"brand_url":null,"signature_template":null}}`).want(200); r.member("brand", "host_mapping") != nil ||
		r.member("brand", "brand_url") != "http://"+sub+".helpd.test" || r.member("brand", "signature_template") != "{{agent.signature}}" {
		t.Errorf("cleared: %s", r.body)
	}
	shown = a.get(path).want(200)
	a.put(path, string(shown.body)).want(200).wantJSON("%s", shown.body)
	if a.number("SELECT count(*) FROM brands WHERE account_id = ? AND brand_url IS NOT NULL", a.account.ID) != 0 {
		t.Error("the usual URL is kept as if it were the brand's own")
	}

	// Another default: the one that was is none any more.
	a.put(path, `{"brand":{"default":true}}`).want(422).wantDetail("active", "Active: the default brand cannot be inactive")
	a.put(path, `{"brand":{"default":true,"active":true}}`).want(200)
	if r := a.get(fmt.Sprintf("/api/v2/brands/%d", first)); r.member("brand", "default") != false {
		t.Errorf("two defaults: %s", r.body)
	}
	if got := a.get("/api/v2/account/settings").want(200).member("settings", "brands", "default_brand_id"); fmt.Sprint(got) != fmt.Sprint(id) {
		t.Errorf("the account's default brand is %v, want %d", got, id)
	}
	a.put(path, `{"brand":{"default":false}}`).want(422).wantDetail("default", "Default: make another brand the default instead")
	a.put(path, `{"brand":{"active":false}}`).want(422).wantDetail("active", "Active: the default brand cannot be inactive")
	a.delete(path).want(422).wantDetail("base", "The default brand cannot be deleted")

	// Deleted brands are still shown.
	old := fmt.Sprintf("/api/v2/brands/%d", first)
	a.delete(old).want(204)
	if r := a.get(old).want(200); r.member("brand", "is_deleted") != true || r.member("brand", "active") != false {
		t.Errorf("deleted: %s", r.body)
	}
	if got := a.get("/api/v2/brands").want(200).ids("brands"); len(got) != 1 {
		t.Errorf("the brands are %v", got)
	}
	a.put(old, `{"brand":{"name":"x"}}`).wantMissing()
	a.delete(old).wantMissing()
	a.get(old + "/check_host_mapping").wantMissing()
	// Its subdomain is free again.
	a.post("/api/v2/brands", fmt.Sprintf(`{"brand":{"name":"Again","subdomain":%q}}`, a.account.Subdomain)).want(201)
}

func TestBrandsThatCannotBe(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	b := newBrand(a, "b", `,"host_mapping":"help.`+a.account.Subdomain+`.example"`)
	other := a.another()
	for _, w := range []struct{ members, field, says string }{
		{`"subdomain":"` + b.sub + `x"`, "name", "cannot be blank"},
		{`"name":"x"`, "subdomain", "cannot be blank"},
		{`"name":"x","subdomain":"a.b"`, "subdomain", "a.b must consist of letters, digits and hyphens"},
		{`"name":"x","subdomain":"-a"`, "subdomain", "-a must consist of letters, digits and hyphens"},
		{`"name":"x","subdomain":"` + b.sub + `"`, "subdomain", b.sub + " is already taken"},
		{`"name":"x","subdomain":"` + other.account.Subdomain + `"`, "subdomain", other.account.Subdomain + " is already taken"},
		{`"name":"x","subdomain":"y` + b.sub + `","host_mapping":"lamps"`, "host_mapping", "lamps is not the name of a host, as help.example.com"},
		{`"name":"x","subdomain":"y` + b.sub + `","host_mapping":"https://a.example"`, "host_mapping", "https://a.example is not the name of a host, as help.example.com"},
		{`"name":"x","subdomain":"y` + b.sub + `","host_mapping":"10.0.0.1"`, "host_mapping", "10.0.0.1 is not the name of a host, as help.example.com"},
		{`"name":"x","subdomain":"y` + b.sub + `","host_mapping":"HELP.` + a.account.Subdomain + `.example"`, "host_mapping", "help." + a.account.Subdomain + ".example is already taken"},
		{`"name":"x","subdomain":"y` + b.sub + `","host_mapping":"` + other.account.Subdomain + `.example.com"`, "host_mapping", other.account.Subdomain + ".example.com is already taken"},
		{`"name":"x","subdomain":"y` + b.sub + `","brand_url":"javascript:alert(1)"`, "brand_url", "javascript:alert(1) is not an http or https URL"},
		{`"name":"x","subdomain":"y` + b.sub + `","help_center_state":"open"`, "help_center_state", "open is none of enabled, restricted and disabled"},
	} {
		a.post("/api/v2/brands", `{"brand":{`+w.members+`}}`).want(422).wantDetail(w.field, fault.Title(w.field)+": "+w.says)
	}
	a.post("/api/v2/brands", `{}`).want(400)
	// A default that fails takes it from nobody.
	a.put(b.path, `{"brand":{"default":true,"name":""}}`).want(422)
	if a.number(`SELECT count(*) FROM brands WHERE account_id = ? AND "default" AND subdomain = ?`, a.account.ID, a.account.Subdomain) != 1 {
		t.Error("the default brand is another one")
	}
	if n := a.number("SELECT count(*) FROM brands WHERE account_id = ?", a.account.ID); n != 2 {
		t.Errorf("%d brands, want 2", n)
	}

	check := "/api/v2/brands/check_host_mapping"
	for _, role := range []string{"agent", "end-user"} {
		by := a.signedInAs(role)
		by.post("/api/v2/brands", `{"brand":{"name":"x","subdomain":"y`+b.sub+`"}}`).wantForbidden()
		by.put(b.path, `{"brand":{"name":"x"}}`).wantForbidden()
		by.delete(b.path).wantForbidden()
		by.get(check + "?host_mapping=a.example&subdomain=a").wantForbidden()
		by.get(b.path + "/check_host_mapping").wantForbidden()
	}
	a.put("/api/v2/brands/404", `{"brand":{"name":"x"}}`).wantMissing()
	a.delete("/api/v2/brands/404").wantMissing()
	a.get("/api/v2/brands/404/check_host_mapping").wantMissing()
	other.put(b.path, `{"brand":{"name":"x"}}`).wantMissing()
	other.delete(b.path).wantMissing()
}

func TestHostMappingsAreChecked(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	sub := a.account.Subdomain
	a.aliases["help."+sub+".example"] = sub + "b.example.com."
	a.aliases["mine."+sub+".example"] = "elsewhere.example.com."
	a.aliases["same."+sub+".example"] = "same." + sub + ".example."
	a.aliases["late."+sub+".example"] = ""
	b := newBrand(a, "b", "")
	here := a.atHost(sub + ".example.com:8080")
	check := func(host, sub string) *result {
		return here.get("/api/v2/brands/check_host_mapping?host_mapping=" + host + "&subdomain=" + sub).want(200)
	}
	expected := fmt.Sprintf(`"expected_cnames":["%sb.example.com"]`, sub)
	check("Help."+sub+".example", b.sub).wantJSON(`{"is_valid":true,"cname":"%sb.example.com"}`, sub)
	check("mine."+sub+".example", b.sub).wantJSON(`{"is_valid":false,"reason":"wrong_cname","cname":"elsewhere.example.com",%s}`, expected)
	check("same."+sub+".example", b.sub).wantJSON(`{"is_valid":false,"reason":"not_a_cname",%s}`, expected)
	check("none."+sub+".example", b.sub).wantJSON(`{"is_valid":false,"reason":"not_a_cname",%s}`, expected)
	check("late."+sub+".example", b.sub).wantJSON(`{"is_valid":false,"reason":"lookup_failed",%s}`, expected)
	check("help", b.sub).wantJSON(`{"is_valid":false,"reason":"not_a_host",%s}`, expected)
	here.get("/api/v2/brands/check_host_mapping?host_mapping=a.example").want(400)
	here.get("/api/v2/brands/check_host_mapping?host_mapping=a.example&subdomain=a.b").want(422).wantDetail("subdomain", "Subdomain: a.b must consist of letters, digits and hyphens")

	own := b.path + "/check_host_mapping"
	here.get(own).want(200).wantJSON(`{"is_valid":false,"reason":"not_a_cname",%s}`, expected)
	here.put(b.path, `{"brand":{"host_mapping":"help.`+sub+`.example"}}`).want(200)
	here.get(own).want(200).wantJSON(`{"is_valid":true,"cname":"%sb.example.com"}`, sub)
	check("help."+sub+".example", sub+"c").wantJSON(`{"is_valid":false,"reason":"already_taken","expected_cnames":["%sc.example.com"]}`, sub)
}

func TestLogos(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	b := newBrand(a, "b", "")
	picture := pictureOf(64, 48)
	r := a.putPictureOf("brand", b.path, "lamp.png", picture, "brand[name]", "Lamps").want(200)
	content := r.text("brand", "logo", "content_url")
	if r.text("brand", "name") != "Lamps" || r.text("brand", "logo", "file_name") != "lamp.png" || r.text("brand", "logo", "thumbnails", 0, "width") != "32" ||
		!strings.HasPrefix(content, "http://helpd.test/system/photos/") {
		t.Errorf("brand %s", r.body)
	}
	served := func(content string, status int) []byte {
		t.Helper()
		return a.anonymous().get(strings.TrimPrefix(content, "http://helpd.test")).want(status).body
	}
	if !bytes.Equal(served(content, 200), picture) {
		t.Error("another picture is served")
	}
	shown := a.get(b.path).want(200)
	a.put(b.path, string(shown.body)).want(200).wantJSON("%s", shown.body)

	// One that was uploaded before.
	uploaded := a.upload("filename=chair.png", "image/png", string(pictureOf(20, 20))).Upload.Attachment.ID
	r = a.put(b.path, fmt.Sprintf(`{"brand":{"logo":{"id":"%d"}}}`, uploaded)).want(200)
	if r.text("brand", "logo", "file_name") != "chair.png" || r.text("brand", "logo", "id") != fmt.Sprint(uploaded) {
		t.Errorf("brand %s", r.body)
	}
	served(content, 404)
	content = r.text("brand", "logo", "content_url")
	served(content, 200)
	a.number("DELETE FROM uploads WHERE account_id = ? RETURNING 1", a.account.ID)
	served(content, 200) // it is the brand's, whatever becomes of the upload
	other := newBrand(a, "c", "")
	text := a.upload("filename=a.txt", "text/plain", "a").Upload.Attachment.ID
	agents := a.signedInAs("agent").upload("filename=agent.png", "image/png", string(picture)).Upload.Attachment.ID
	for _, id := range []int64{uploaded, text, agents, 404} {
		other.put(other.path, fmt.Sprintf(`{"brand":{"logo":{"id":%d},"name":"Not this"}}`, id)).want(422).wantDetail("logo", fmt.Sprintf("Logo: %d is no picture that you have uploaded", id))
	}
	a.putPictureOf("brand", other.path, "a.png", []byte("no picture"), "brand[name]", "Not this").want(422)
	a.putPictureOf("brand", other.path, "a.png", picture, "brand[subdomain]", "not.a.label").want(422)
	if r := a.get(other.path).want(200); r.member("brand", "logo") != nil || r.text("brand", "name") != "c" {
		t.Errorf("half a change: %s", r.body)
	}
	a.putPictureOf("brand", other.path, "", nil).want(400)
	a.putPictureOf("brand", "/api/v2/brands/404", "a.png", picture).wantMissing()
	a.signedInAs("agent").putPictureOf("brand", other.path, "a.png", picture).wantForbidden()
	if r := a.put(b.path, `{"brand":{"logo":null}}`).want(200); r.member("brand", "logo") != nil {
		t.Errorf("brand %s", r.body)
	}
	served(content, 404)
}
