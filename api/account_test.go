package api_test

import (
	"fmt"
	"testing"
)

func TestAccountSettings(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.get("/api/v2/account/settings.json").want(200)
	for _, tc := range []struct {
		section, name string
		want          any
	}{
		{"tickets", "status_hold", true},
		{"tickets", "comments_public_by_default", true},
		{"tickets", "private_attachments", false},
		{"api", "api_token_access", "true"},
		{"api", "api_password_access", "true"},
		{"active_features", "voice", false},
		{"active_features", "on_hold_status", true},
		{"active_features", "business_hours", true},
		{"active_features", "csat_reason_code", true},
		{"active_features", "customer_satisfaction", true},
		{"active_features", "dynamic_contents", true},
		{"active_features", "light_agents", true},
		{"active_features", "user_org_fields", true},
		{"branding", "header_logo_url", nil},
		{"rule", "macro_order", "alphabetical"},
		{"agents", "agent_workspace", false},
	} {
		if got := r.member("settings", tc.section, tc.name); got != tc.want {
			t.Errorf("%s.%s is %v, want %v", tc.section, tc.name, got, tc.want)
		}
	}
	if got := fmt.Sprint(r.member("settings", "limits", "attachment_size"), r.member("settings", "localization", "locale_ids")); got != "52428800[1]" {
		t.Errorf("limits and locales %s", got)
	}
	brand := a.get("/api/v2/brands").ids("brands")[0]
	if got := fmt.Sprint(r.member("settings", "brands", "default_brand_id")); got != fmt.Sprint(brand) {
		t.Errorf("default brand %s", got)
	}
	if n := len(r.member("settings").(map[string]any)); n != 28 {
		t.Errorf("%d sections, want 28", n)
	}
	a.signedInAs("agent").get("/api/v2/account/settings").want(200)
	a.signedInAs("end-user").get("/api/v2/account/settings").wantForbidden()
	a.anonymous().get("/api/v2/account/settings").want(401)
}

func TestAccountSettingsAreChanged(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.put("/api/v2/account/settings", `{"settings":{"tickets":{"status_hold":"false","tagging":false,"private_attachments":1},"localization":{"locale_ids":[8,"1"]},
		"branding":{"header_color":"78A300"},"active_features":{"voice":true}}}`).want(200)
	for _, r := range []*result{r, a.get("/api/v2/account/settings").want(200)} {
		if r.member("settings", "tickets", "status_hold") != false || r.member("settings", "active_features", "on_hold_status") != false ||
			r.member("settings", "tickets", "tagging") != true || r.member("settings", "tickets", "private_attachments") != true || r.member("settings", "active_features", "voice") != false ||
			r.member("settings", "tickets", "agent_ticket_deletion") != true || fmt.Sprint(r.member("settings", "localization", "locale_ids")) != "[8 1]" {
			t.Errorf("settings %s", r.body)
		}
	}
	if l := a.get("/api/v2/locales").want(200); l.member("locales", 0, "locale") != "de" || l.member("locales", 0, "default") != true {
		t.Errorf("locales %s", l.body)
	}
	fieldsNow := a.get("/api/v2/ticket_fields").member("ticket_fields", 2, "system_field_options").([]any)
	if len(fieldsNow) != 3 {
		t.Errorf("statuses without hold: %v", fieldsNow)
	}
	a.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[404]}}}`).wantDetail("locale_ids", "Locale: 404 is not a locale")
	a.put("/api/v2/account/settings", `{"settings":{"localization":{"locale_ids":[]}}}`).wantDetail("locale_ids", "Locale: cannot be blank")
	a.put("/api/v2/account/settings", `{"settings":{"tickets":{"status_hold":"perhaps"}}}`).want(400)
	a.put("/api/v2/account/settings", `{"tickets":{}}`).want(400)
	a.signedInAs("agent").put("/api/v2/account/settings", `{"settings":{}}`).wantForbidden()
	b := a.another()
	if r := b.get("/api/v2/account/settings").want(200); r.member("settings", "tickets", "status_hold") != true {
		t.Error("another account's settings have changed")
	}
	a.put("/api/v2/account/settings", `{"settings":{"api":{"api_token_access":false}}}`).want(200)
	a.get("/api/v2/account/settings").want(401)
}
