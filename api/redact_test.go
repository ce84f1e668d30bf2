package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// A text such as 1 or id stands in every payload of the event log, which must
// stay what it is but for the comment's own text.
func TestRedactionLeavesTheEventLogWhole(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"subject":"S","comment":{"body":"1 id of Ann's card"}}`)
	path := fmt.Sprintf("/api/v2/tickets/%d", id)
	comment := a.get(path + "/comments").want(200).ids("comments")[0]
	logged := func() string {
		var all string
		err := a.db.WithContext(a.ctx()).Raw(`SELECT string_agg(change::text || coalesce(detail::text, ''), '' ORDER BY id) FROM events
			WHERE account_id = ? AND subject = ?`, a.account.ID, fmt.Sprintf("zen:ticket:%d", id)).Row().Scan(&all)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if !strings.Contains(logged(), "Ann's card") {
		t.Fatalf("the event log does not hold the text: %s", logged())
	}
	for _, text := range []string{"1", "id", "Ann's"} {
		a.put(fmt.Sprintf("%s/comments/%d/redact", path, comment), fmt.Sprintf(`{"text":%q}`, text)).want(200)
	}
	a.put(fmt.Sprintf("%s/comments/%d/redact", path, comment), `{}`).wantJSON(`{"error":"BadRequest","description":"Parameter text is missing"}`).want(400)
	after := logged()
	if strings.Contains(after, "Ann's") || !strings.Contains(after, `"▇ ▇▇ of ▇▇▇▇▇ card"`) {
		t.Errorf("the event log still tells: %s", after)
	}
	if !strings.Contains(after, fmt.Sprintf(`"id": "%d"`, comment)) {
		t.Errorf("other parts of the event log changed: %s", after)
	}
}

func TestWhatIsMarkedIsRedacted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	file := a.upload("filename=card.txt", "text/plain", "4111 1111")
	r := a.post("/api/v2/tickets", `{"ticket":{"comment":{"html_body":"<p>Card <b>41</b>11 of Ann</p><img src=\"https://x.example/ann.png\"><p>Ann pays</p>",
		"uploads":["`+file.Upload.Token+`"]}}}`).want(201)
	path := fmt.Sprintf("/api/v2/tickets/%d", r.id("ticket"))
	comment := a.get(path + "/comments").want(200).ids("comments")[0]
	a.put(path, fmt.Sprintf(`{"ticket":{"status":"solved","assignee_id":%d}}`, a.admin.ID)).want(200)
	a.put(path, `{"ticket":{"status":"closed"}}`).want(200)
	url := fmt.Sprintf("/api/v2/comment_redactions/%d.json", comment)
	body := func(html string) string {
		return fmt.Sprintf(`{"ticket_id":%d,"html_body":%q,"external_attachment_urls":[%q]}`, r.id("ticket"), html, file.Upload.Attachment.ContentURL)
	}
	a.put(url, body("<p>Something <redact>else</redact></p>")).wantDetail("html_body", "Html body: is not that of the comment")
	a.put(url, fmt.Sprintf(`{"ticket_id":%d}`, r.id("ticket"))).wantDetail("html_body", "Html body: cannot be blank")
	a.put(url, `{"html_body":"x"}`).wantMissing()
	got := a.put(url, body(`<div class="zd-comment"><p>Card <redact><b>41</b>11</redact> of Ann</p><img redact src="https://x.example/ann.png"><p><redact>Ann</redact> pays</p></div>`)).want(200)
	html := got.member("comment", "html_body").(string)
	if !strings.Contains(html, "<p>Card <b>▇▇</b>▇▇ of Ann</p><p>▇▇▇ pays</p>") {
		t.Errorf("html_body %s", html)
	}
	if plain := got.member("comment", "body"); plain != "Card ▇▇▇▇ of Ann\n\n▇▇▇ pays" {
		t.Errorf("body %q", plain)
	}
	if name := got.member("comment", "attachments", 0, "file_name"); name != "redacted.txt" {
		t.Errorf("the file is %v", name)
	}
	shown := string(a.get(path).want(200).body) + string(a.get(path+"/audits").want(200).body)
	for _, secret := range []string{"4111", "ann.png", "card.txt", "Ann pays"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%s is still told: %s", secret, shown)
		}
	}
	a.user("Bo", a.email("bo"), "end-user")
	a.as(a.email("bo")).put(url, body("x")).wantForbidden()
}
