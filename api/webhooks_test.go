package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
)

// hook is the body of a webhook with these members beside, or in place of, what
// it must have.
func hook(members string) string {
	have := []string{`"name":"Hook"`, `"status":"active"`, `"endpoint":"https://example.com/hook"`, `"http_method":"POST"`, `"request_format":"json"`}
	var out []string
	for _, m := range have {
		name, _, _ := strings.Cut(m, ":")
		if !strings.Contains(members, name+":") {
			out = append(out, m)
		}
	}
	if members != "" {
		out = append(out, members)
	}
	return `{"webhook":{` + strings.Join(out, ",") + `}}`
}

// webhook makes one and returns its id.
func (a *anAPI) webhook(members string) string {
	a.t.Helper()
	return a.post("/api/v2/webhooks", hook(members)).want(201).member("webhook", "id").(string)
}

func (a *anAPI) patch(path, body string) *result { a.t.Helper(); return a.do("PATCH", path, body) }

// wantListed checks an error that is told as a list.
func (r *result) wantListed(code, title string) *result {
	r.t.Helper()
	return r.want(400).wantJSON(`{"errors":[{"code":%q,"title":%q}]}`, code, title)
}

func TestWebhookIsShownWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.now.Store(new(theClock.Add(123456 * time.Microsecond)))
	r := a.post("/api/v2/webhooks", hook(`"description":"D","endpoint":"https://Example.com:8443/a?b=c","subscriptions":["zen:event-type:ticket.created","zen:event-type:ticket.created"],
		"excluded_sources":["sync"],"authentication":{"type":"basic_auth","data":{"username":"ana","password":"hush-hush"},"add_position":"header"},
		"custom_headers":{"X-One":"1"},"id":"ignored","created_by":"5"`)).want(201)
	id := r.member("webhook", "id").(string)
	if !regexp.MustCompile(`^01[0-9A-HJKMNP-TV-Z]{24}$`).MatchString(id) {
		t.Errorf("id %s is no ULID of today", id)
	}
	want := func(fraction, more string) string {
		return fmt.Sprintf(`{"id":%q,"name":"Hook","description":"D","status":"active","endpoint":"https://Example.com:8443/a?b=c","http_method":"POST","request_format":"json",
			"subscriptions":["zen:event-type:ticket.created"],"excluded_sources":["sync"],"authentication":{"type":"basic_auth","data":{"username":"ana"},"add_position":"header"},
			"custom_headers":{"X-One":"1"},"external_source":null,"created_at":"2026-03-04T05:06:07%sZ","created_by":"%d","updated_at":"2026-03-04T05:06:07%[2]sZ","updated_by":"%[3]d"%s}`,
			id, fraction, a.admin.ID, more)
	}
	r.wantJSON(`{"webhook":%s}`, want(".123456", ""))
	path := "/api/v2/webhooks/" + id
	a.get(path).want(200).wantJSON(`{"webhook":%s}`, want("", ""))
	secret := a.get(path+"/signing_secret").want(200).member("signing_secret", "secret").(string)
	if b, err := base64.StdEncoding.DecodeString(secret); err != nil || len(b) != 32 {
		t.Errorf("the secret %q is not 32 bytes", secret)
	}
	shown := fmt.Sprintf(`,"signing_secret":{"algorithm":"SHA256","secret":%q}`, secret)
	a.get(path+"?include=signing_secret").want(200).wantJSON(`{"webhook":%s}`, want("", shown))
	if list := a.get("/api/v2/webhooks?include=signing_secret").want(200); canonical(t, []byte(want("", shown))) != canonical(t, models.ToJSON(list.member("webhooks", 0))) {
		t.Errorf("listed as %s", list.body)
	}
	a.get("/api/v2/webhooks/01KJVKTCH0NHE7NMJY8285NEZZ").wantMissing()
	a.get("/api/v2/webhooks/1/signing_secret").wantMissing()
	a.another().get(path).wantMissing()
	a.user("Agent", a.email("agent"), "agent")
	a.as(a.email("agent")).get(path).wantForbidden()
	a.as(a.email("agent")).post("/api/v2/webhooks", hook("")).wantForbidden()
}

func TestWebhookIsChangedAndReplaced(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.webhook(`"description":"D","subscriptions":["zen:event-type:user.created"],"authentication":{"type":"bearer_token","data":{"token":"t"}},"custom_headers":{"X-One":"1"}`)
	path := "/api/v2/webhooks/" + id
	member := func(name string) string {
		t.Helper()
		return string(models.ToJSON(a.get(path).want(200).member("webhook", name)))
	}
	want := func(members map[string]string) {
		t.Helper()
		for name, value := range members {
			if got := member(name); got != value {
				t.Errorf("%s is %s, want %s", name, got, value)
			}
		}
	}
	if r := a.patch(path, `{"webhook":{"name":"New","subscriptions":["zen:event-type:user.deleted"]}}`).want(204); len(r.body) > 0 {
		t.Errorf("answered %s", r.body)
	}
	want(map[string]string{"name": `"New"`, "description": `"D"`, "subscriptions": `["zen:event-type:user.deleted"]`, "custom_headers": `{"X-One":"1"}`,
		"authentication": `{"add_position":"header","data":{},"type":"bearer_token"}`})
	a.patch(path, `{"webhook":{"description":null,"custom_headers":null,"authentication":null}}`).want(204)
	want(map[string]string{"name": `"New"`, "description": `null`, "custom_headers": `{}`, "authentication": `null`})

	a.patch(path, `{"webhook":{"description":"D","custom_headers":{"A":"b"},"authentication":{"type":"api_key","data":{"name":"X-Key","value":"v"}}}}`).want(204)
	want(map[string]string{"authentication": `{"add_position":"header","data":{"name":"X-Key"},"type":"api_key"}`})
	// What clients read they send back whole; secrets are not in it.
	a.put(path, string(a.get(path).want(200).body)).want(204)
	want(map[string]string{"name": `"New"`, "description": `"D"`, "custom_headers": `{"A":"b"}`, "authentication": `{"add_position":"header","data":{"name":"X-Key"},"type":"api_key"}`})
	var kept string
	if err := a.db.WithContext(a.ctx()).Raw("SELECT auth_data->>'value' FROM webhooks WHERE account_id = ? AND id = ?", a.account.ID, id).Row().Scan(&kept); err != nil || kept != "v" {
		t.Errorf("the key is %q, %v", kept, err)
	}
	a.put(path, hook(`"name":"Third"`)).want(204)
	want(map[string]string{"name": `"Third"`, "description": `null`, "custom_headers": `{}`, "authentication": `null`, "subscriptions": `[]`})
	a.put(path, `{"webhook":{"name":"Fourth"}}`).want(400)
	want(map[string]string{"name": `"Third"`})
	a.put("/api/v2/webhooks/nothing", hook("")).wantMissing()
	a.delete(path).want(204)
	a.get(path).wantMissing()
	a.delete(path).wantMissing()
}

func TestWebhookIsCloned(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.webhook(`"authentication":{"type":"bearer_token","data":{"token":"tok"}},"custom_headers":{"X-One":"1"},"subscriptions":["conditional_ticket_events"]`)
	clone := a.post("/api/v2/webhooks?clone_webhook_id="+id, "").want(201)
	other := clone.member("webhook", "id").(string)
	if other == id || clone.member("webhook", "name") != "Hook" || fmt.Sprint(clone.member("webhook", "custom_headers")) != "map[X-One:1]" {
		t.Errorf("cloned as %s", clone.body)
	}
	var same, secrets int
	err := a.db.WithContext(a.ctx()).Raw("SELECT count(*) FILTER (WHERE auth_data->>'token' = 'tok'), count(DISTINCT secret) FROM webhooks WHERE account_id = ?", a.account.ID).Row().Scan(&same, &secrets)
	if err != nil || same != 2 || secrets != 2 {
		t.Errorf("%d have the credentials and there are %d secrets, %v", same, secrets, err)
	}
	if name := a.post("/api/v2/webhooks?clone_webhook_id="+id, `{"webhook":{"name":"Twin"}}`).want(201).member("webhook", "name"); name != "Twin" {
		t.Errorf("the clone is called %v", name)
	}
	a.post("/api/v2/webhooks?clone_webhook_id=01KJVKTCH0NHE7NMJY8285NEZZ", "").wantMissing()
	a.another().post("/api/v2/webhooks?clone_webhook_id="+id, "").wantMissing()
	a.post("/api/v2/webhooks", "").want(400)
}

func TestWebhookSecretIsRotated(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := "/api/v2/webhooks/" + a.webhook("") + "/signing_secret"
	old := a.get(path).want(200).member("signing_secret", "secret")
	rotated := a.post(path, "").want(201)
	if now := rotated.member("signing_secret", "secret"); now == old || rotated.member("signing_secret", "algorithm") != "SHA256" {
		t.Errorf("rotated from %v to %s", old, rotated.body)
	}
	a.get(path).want(200).wantJSON("%s", rotated.body)
	for range 9 {
		a.post(path, "").want(201)
	}
	if why := a.post(path, "").want(400).member("errors", 0, "title"); !strings.Contains(why.(string), "10 times within a day: wait until 2026-03-05T05:06:07Z") {
		t.Errorf("so many secrets: %v", why)
	}
	next := theClock.Add(24 * time.Hour)
	a.now.Store(&next)
	a.post(path, "").want(201)
	a.post("/api/v2/webhooks/nothing/signing_secret", "").wantMissing()
	a.another().post(path, "").wantMissing()
}

func TestWrongWebhooksAreRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	before := a.rows()
	for members, title := range map[string]string{
		`"name":" "`: "Name: cannot be blank",
		`"name":"` + strings.Repeat("é", 256) + `"`:          "Name: is longer than 255 characters",
		`"status":"paused"`:                                  `Status: cannot be "paused" (active, inactive)`,
		`"http_method":"HEAD"`:                               `Http method: cannot be "HEAD" (GET, POST, PUT, PATCH, DELETE)`,
		`"request_format":"yaml"`:                            `Request format: cannot be "yaml" (json, xml, form_encoded)`,
		`"subscriptions":["ticket.created"]`:                 `Subscriptions: "ticket.created" is no type of events`,
		`"subscriptions":["zen:event-type:ticket.exploded"]`: `Subscriptions: "zen:event-type:ticket.exploded" is no type of events`,
		`"subscriptions":["conditional_ticket_events","zen:event-type:ticket.created"]`:                  "Subscriptions: cannot have both conditional_ticket_events and types of events",
		`"subscriptions":["zen:event-type:ticket.created","conditional_ticket_events"]`:                  "Subscriptions: cannot have both conditional_ticket_events and types of events",
		`"subscriptions":["zen:event-type:ticket.created"],"http_method":"PUT"`:                          "Http method: must be POST for events",
		`"subscriptions":["zen:event-type:ticket.created"],"request_format":"xml"`:                       "Request format: must be json for events",
		`"subscriptions":["zen:event-type:ticket.created"],"endpoint":"https://x.example/{{ticket.id}}"`: "Endpoint: cannot have placeholders, which are for triggers and automations",
		`"endpoint":"https://x.example/{{ticket.id"`:                                                     "",
		`"authentication":{"type":"magic"}`:                                                              `Authentication: type cannot be "magic" (basic_auth, bearer_token, api_key)`,
		`"authentication":{"type":"basic_auth","data":{"username":"u"}}`:                                 "Authentication: basic_auth needs a username and a password",
		`"authentication":{"type":"basic_auth","data":{"username":"u:v","password":"p"}}`:                "Authentication: username cannot have a colon",
		`"authentication":{"type":"bearer_token","data":{}}`:                                             "Authentication: bearer_token needs a token",
		`"authentication":{"type":"bearer_token","data":{"token":"a\r\nB: c"}}`:                          "Authentication: token cannot have this value",
		`"authentication":{"type":"api_key","data":{"value":"v"}}`:                                       "Authentication: api_key needs a name and a value",
		`"name":"N","authentication":{"type":"api_key","data":{"name":"Host","value":"v"}}`:              "Authentication: Host is reserved",
		`"authentication":{"type":"bearer_token","data":{"token":"t"},"add_position":"url"}`:             `Authentication: add_position cannot be "url" (header)`,
		`"custom_headers":{"a":"1","b":"2","c":"3","d":"4","e":"5","f":"6"}`:                             "Custom headers: are more than 5",
		`"custom_headers":{"X-Zendesk-Webhook-Id":"1"}`:                                                  "Custom headers: X-Zendesk-Webhook-Id is reserved",
		`"custom_headers":{"Webhook-Signature":"1"}`:                                                     "Custom headers: Webhook-Signature is reserved",
		`"custom_headers":{"authorization":"x"}`:                                                         "Custom headers: authorization is reserved",
		`"custom_headers":{"a b":"x"}`:                                                                   `Custom headers: "a b" is no name of a header`,
		`"custom_headers":{"a":"x\ny"}`:                                                                  "Custom headers: a cannot have this value",
		`"custom_headers":{"a":"x","A":"y"}`:                                                             "Custom headers: a is there twice",
		`"excluded_sources":[""]`:                                                                        "Excluded sources: need 1 to 255 characters each",
	} {
		if r := a.post("/api/v2/webhooks", hook(members)); title == "" {
			r.want(400)
		} else {
			r.wantListed("InvalidWebhook", title)
		}
	}
	a.post("/api/v2/webhooks", `{"webhook":{}}`).want(400).wantJSON(`{"errors":[{"code":"InvalidWebhook","title":"Endpoint: must be an http or https URL, as https://example.com/hook"},
		{"code":"InvalidWebhook","title":"Http method: cannot be blank"},{"code":"InvalidWebhook","title":"Name: cannot be blank"},
		{"code":"InvalidWebhook","title":"Request format: cannot be blank"},{"code":"InvalidWebhook","title":"Status: cannot be blank"}]}`)
	a.post("/api/v2/webhooks", `{"webhook":{"subscriptions":{}}}`).want(400)
	if tables := changed(before, a.rows()); len(tables) > 0 {
		t.Errorf("changed in %v", tables)
	}
}

// What makes a webhook deliver is decided once.
func TestWebhookStaysOfItsKind(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	events := "/api/v2/webhooks/" + a.webhook(`"subscriptions":["zen:event-type:ticket.created"]`)
	rules := "/api/v2/webhooks/" + a.webhook(`"subscriptions":["conditional_ticket_events"]`)
	open := "/api/v2/webhooks/" + a.webhook("")
	const title = "Subscriptions: cannot change between conditional_ticket_events and types of events: create another webhook"
	a.patch(events, `{"webhook":{"subscriptions":["conditional_ticket_events"]}}`).wantListed("InvalidWebhook", title)
	a.patch(rules, `{"webhook":{"subscriptions":["zen:event-type:ticket.created"]}}`).wantListed("InvalidWebhook", title)
	a.put(rules, hook(`"subscriptions":["zen:event-type:ticket.created"]`)).wantListed("InvalidWebhook", title)
	a.patch(open, `{"webhook":{"subscriptions":["zen:event-type:ticket.created"]}}`).want(204)
	a.patch(events, `{"webhook":{"http_method":"PUT"}}`).wantListed("InvalidWebhook", "Http method: must be POST for events")
}

// Nobody reaches what stands beside helpd through a webhook.
func TestPrivateEndpointsAreRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := "/api/v2/webhooks/" + a.webhook("")
	for _, endpoint := range []string{
		"http://127.0.0.1/", "http://localhost/", "http://LOCALHOST:80/", "http://a.localhost/", "http://[::1]/", "http://10.1.2.3/", "http://172.16.0.1/",
		"http://192.168.1.1/", "http://169.254.169.254/latest", "http://100.64.0.1/", "http://0.0.0.0/", "http://224.0.0.1/", "http://255.255.255.255/",
		"http://[::]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[ff02::1]/", "http://[::ffff:127.0.0.1]/",
		"http://[::ffff:7f00:1]/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[::127.0.0.1]/", "http://2130706433/", "http://0x7f000001/",
		"http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://1/", "http://127.0.0.1./", "http://example.com./", "http://user@example.com/",
		"http://user:pass@example.com/", "http://１２７.0.0.1/", "http://①②⑦.⓪.⓪.①/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/",
		"javascript:alert(1)", "//example.com/", "example.com", "http:example.com", "http://", "http:///x", "http://example.com:0/", "http://example.com:99999/",
		"http://exa mple.com/", "http://example..com/", "http://{{ticket.id}}.example.com/", "http://example.com:{{ticket.id}}/", "http://example.com\\@10.0.0.1/",
		"http://127.0.0.1{{ticket.id}}/", "http://exam%70le.com%00/", "http://example.com/%zz", "http://[::1/", "http://" + strings.Repeat("a", 64) + ".com/",
		"https://example.com/" + strings.Repeat("a", 2_048), "unix:///tmp/x", "\thttp://127.0.0.1/", "http://[v1.x]/", "http://example.com#@127.0.0.1:99999",
	} {
		body := hook(fmt.Sprintf(`"endpoint":%q`, endpoint))
		if endpoint == "http://example.com#@127.0.0.1:99999" { // all behind # is for browsers
			a.post("/api/v2/webhooks", body).want(201)
			continue
		}
		for _, r := range []*result{a.post("/api/v2/webhooks", body), a.put(path, body), a.patch(path, fmt.Sprintf(`{"webhook":{"endpoint":%q}}`, endpoint))} {
			if r.status != 400 || !strings.HasPrefix(fmt.Sprint(r.member("errors", 0, "title")), "Endpoint: ") {
				t.Errorf("%s %q: %d %s", r.method, endpoint, r.status, r.body)
			}
		}
	}
	for _, endpoint := range []string{"http://example.com", "https://example.com:8443/a/b?c=d&e", "https://bücher.example/", "http://8.8.8.8/", "http://[2606:4700::1111]:8080/x",
		"https://my_host.example/", "https://example.com/{{ticket.id}}?q={{ ticket.title | url_encode }}", "http://100.128.0.1/", "http://172.32.0.1/"} {
		a.post("/api/v2/webhooks", hook(fmt.Sprintf(`"endpoint":%q`, endpoint))).want(201)
	}
}

func TestWebhooksAreListed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i, members := range []string{`"name":"beta"`, `"name":"Alpha","status":"inactive"`, `"name":"gamma_ray"`} {
		a.now.Store(new(theClock.Add(time.Duration(i) * time.Second)))
		a.webhook(members)
	}
	names := func(query string) (all []string) {
		t.Helper()
		for _, w := range a.get("/api/v2/webhooks" + query).want(200).member("webhooks").([]any) {
			all = append(all, w.(map[string]any)["name"].(string))
		}
		return all
	}
	for query, want := range map[string]string{
		"":                                  "[beta Alpha gamma_ray]",
		"?sort=name":                        "[Alpha beta gamma_ray]",
		"?sort=-name":                       "[gamma_ray beta Alpha]",
		"?sort=status":                      "[beta gamma_ray Alpha]",
		"?sort=-status&page[size]=1":        "[Alpha]",
		"?filter[name_contains]=A":          "[beta Alpha gamma_ray]",
		"?filter[name_contains]=_":          "[gamma_ray]",
		"?filter%5Bstatus%5D=inactive":      "[Alpha]",
		"?filter[name_contains]=%25":        "[]",
		"?filter[status]=active&sort=-name": "[gamma_ray beta]",
		"?page=2&per_page=1":                "[Alpha]",
	} {
		if got := fmt.Sprint(names(query)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	first := a.get("/api/v2/webhooks?page[size]=2&sort=name").want(200)
	if first.member("meta", "has_more") != true {
		t.Fatalf("%s", first.body)
	}
	next := strings.TrimPrefix(first.member("links", "next").(string), "http://helpd.test")
	second := a.get(next).want(200)
	if second.member("webhooks", 0, "name") != "gamma_ray" || second.member("meta", "has_more") != false {
		t.Errorf("the second page is %s", second.body)
	}
	a.get("/api/v2/webhooks?sort=endpoint").wantListed("BadRequest", "sort must be name or status")
	a.get("/api/v2/webhooks?filter[status]=odd").wantListed("BadRequest", "filter[status] must be active or inactive")
	a.get("/api/v2/webhooks?page[after]=nonsense").want(400)
	a.another().get("/api/v2/webhooks").want(200).wantJSON(`{"webhooks":[],"meta":{"has_more":false,"after_cursor":null,"before_cursor":null},"links":{"prev":null,"next":null}}`)
}

func TestWebhookIsTested(t *testing.T) {
	t.Parallel()
	a := newAPI(t).reachingLoopback()
	got := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		bodies <- string(b)
		got <- r
		w.Header().Set("X-Answer", "yes")
		w.Header()["Date"] = nil
		w.WriteHeader(202)
		_, _ = w.Write([]byte("thanks"))
	})
	const answer = `{"response":{"status":202,"status_code":202,"headers":[{"key":"Content-Length","value":"6"},{"key":"Content-Type","value":"text/plain; charset=utf-8"},{"key":"X-Answer","value":"yes"}],"payload":"thanks"}}`
	signed := func(r *http.Request, secret, body string) {
		t.Helper()
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(r.Header.Get("X-Zendesk-Webhook-Signature-Timestamp") + body))
		if have, want := r.Header.Get("X-Zendesk-Webhook-Signature"), base64.StdEncoding.EncodeToString(mac.Sum(nil)); have != want {
			t.Errorf("the signature is %s, want %s", have, want)
		}
	}
	a.post("/api/v2/webhooks/test", fmt.Sprintf(`{"request":{"endpoint":%q,"http_method":"POST","request_format":"json","payload":"{\"a\":1}","headers":[{"key":"X-More","value":"2"}]}}`, url)).
		want(200).wantJSON(answer)
	r, body := <-got, <-bodies
	if body != `{"a":1}` || r.Method != "POST" || r.Header.Get("X-More") != "2" || r.Header.Get("X-Zendesk-Account-Id") != fmt.Sprint(a.account.ID) {
		t.Errorf("%s %s %v", r.Method, body, r.Header)
	}
	signed(r, "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==", body)

	id := a.webhook(fmt.Sprintf(`"endpoint":"%s/saved","authentication":{"type":"bearer_token","data":{"token":"tok"}},"custom_headers":{"X-One":"1"}`, url))
	secret := a.get("/api/v2/webhooks/"+id+"/signing_secret").want(200).member("signing_secret", "secret").(string)
	a.post("/api/v2/webhooks/test?webhook_id="+id, `{"request":{"http_method":"GET","payload":"[[\"q\",\"a b\"]]"}}`).want(200).wantJSON(answer)
	r, body = <-got, <-bodies
	if body != "" || r.Method != "GET" || r.URL.String() != "/saved?q=a+b" || r.Header.Get("Authorization") != "Bearer tok" || r.Header.Get("X-One") != "1" || r.Header.Get("X-Zendesk-Webhook-Id") != id {
		t.Errorf("%s %s %s %v", r.Method, r.URL, body, r.Header)
	}
	signed(r, secret, "")
	if method := a.get("/api/v2/webhooks/"+id).want(200).member("webhook", "http_method"); method != "POST" {
		t.Errorf("the test made it %v", method)
	}
	a.post("/api/v2/webhooks/test", `{"request":{"endpoint":"https://hooks.invalid/","http_method":"POST","request_format":"json"}}`).want(200).
		wantJSON(`{"response":{"status":null,"status_code":null,"headers":[],"payload":"","error":"there is no host hooks.invalid"}}`)
}

func TestWrongTestRequestsAreRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	const path = "/api/v2/webhooks/test"
	request := func(members string) string {
		return `{"request":` + strings.TrimSuffix(strings.TrimPrefix(hook(members), `{"webhook":`), "}") + `}`
	}
	a.post(path, request(`"endpoint":"http://127.0.0.1:9/"`)).wantListed("InvalidWebhook", "Endpoint: is not an address of the public internet (HELPD_WEBHOOK_ALLOW can allow it)")
	a.post(path, request(`"endpoint":"http://0x7f.1/"`)).want(400)
	a.post(path, request(`"payload":"`+strings.Repeat("x", 256<<10+1)+`"`)).wantListed("InvalidWebhook", "Payload: is larger than 262144 bytes")
	a.post(path, request(`"http_method":"GET","payload":"{}"`)).wantListed("InvalidWebhook", `Payload: must be a list of names and values for GET, as [["name","value"]]`)
	a.post(path, request(`"headers":[{"key":"Host","value":"x"}]`)).wantListed("InvalidWebhook", "Headers: Host is reserved")
	a.post(path, `{"request":{}}`).want(400)
	a.post(path, `{}`).want(400)
	a.post(path+"?webhook_id=01KJVKTCH0NHE7NMJY8285NEZZ", request("")).wantMissing()
	a.another().post(path+"?webhook_id="+a.webhook(""), request("")).wantMissing()
	for range 20 {
		a.post(path, request(`"endpoint":"https://hooks.invalid/"`)).want(200)
	}
	refused := a.post(path, request(`"endpoint":"https://hooks.invalid/"`)).want(429)
	if refused.header.Get("Retry-After") != "53" { // to the end of the minute
		t.Errorf("%v", refused.header)
	}
	a.another().post(path, request(`"endpoint":"https://hooks.invalid/"`)).want(200)
}

// receiver is an endpoint. It returns its address.
func receiver(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}
