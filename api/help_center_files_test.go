package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

func TestFilesOfArticles(t *testing.T) {
	t.Parallel()
	h := newHelpCenter(t)
	h.user("Customer", h.email("customer"), "end-user")
	h.user("Agent", h.email("agent"), "agent")
	customer, agent := h.as(h.email("customer")), h.as(h.email("agent"))
	open := h.article(`"title":"a","translations":[{"locale":"ja","title":"あ"}]`)
	closed := h.article(fmt.Sprintf(`"title":"b","user_segment_id":%d`, h.segment(models.SegmentStaff)))
	at := func(article int64) string { return fmt.Sprintf("%s/articles/%d/attachments", help, article) }
	send := func(by *anAPI, path string, fields [][2]string, content string) *result {
		body, kind := form(fields, "a lamp.txt", "text/plain", content)
		return by.with("Content-Type", kind).post(path, body)
	}
	made := send(h.anAPI, at(open), [][2]string{{"inline", "true"}, {"locale", "JA"}}, "two lamps").want(201)
	id := made.id("article_attachment")
	made.wantJSON(`{"article_attachment":{"id":%d,"url":"http://helpd.test/api/v2/help_center/articles/attachments/%d.json","article_id":%d,"file_name":"a lamp.txt","display_file_name":"a lamp.txt",
		"content_url":"http://helpd.test/hc/article_attachments/%d/a%%20lamp.txt","content_type":"text/plain","size":9,"inline":true,"locale":"ja","created_at":%q,"updated_at":%q}}`,
		id, id, open, id, clockText, clockText)
	own := fmt.Sprintf("%s/articles/attachments/%d", help, id)
	for _, p := range []string{own, fmt.Sprintf("%s/%d", at(open), id), in("ja", fmt.Sprintf("%s/%d", at(open), id))} {
		h.get(p).want(200).wantJSON("%s", made.body)
		h.anonymous().get(p).want(200)
	}
	h.get(fmt.Sprintf("%s/%d", at(closed), id)).wantMissing()
	content := fmt.Sprintf("/hc/article_attachments/%d/a%%20lamp.txt", id)
	served := h.anonymous().get(content).want(200)
	if string(served.body) != "two lamps" || served.header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(served.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("%s %v", served.body, served.header)
	}

	// Bytes and all else of a file are seen by those who see its article.
	block := send(h.anAPI, at(closed), nil, "secret").want(201).id("article_attachment")
	hidden := fmt.Sprintf("%s/articles/attachments/%d", help, block)
	for _, caller := range []*anAPI{h.anonymous(), customer} {
		caller.get(fmt.Sprintf("/hc/article_attachments/%d", block)).wantMissing()
		caller.get(hidden).wantMissing()
		caller.get(in("en-us", at(closed))).wantMissing()
	}
	if got := string(agent.get(fmt.Sprintf("/hc/article_attachments/%d/x", block)).want(200).body); got != "secret" {
		t.Errorf("%s", got)
	}
	h.another().get(fmt.Sprintf("/hc/article_attachments/%d/x", block)).wantMissing()
	h.get(fmt.Sprintf("/api/v2/attachments/%d", block)).wantMissing() // that is of tickets

	// Files that no article has yet are their uploaders'.
	loose := send(h.anAPI, help+"/articles/attachments", nil, "loose").want(201)
	looseID := loose.id("article_attachment")
	if loose.member("article_attachment", "article_id") != nil {
		t.Errorf("%s", loose.body)
	}
	waiting := fmt.Sprintf("%s/articles/attachments/%d", help, looseID)
	h.get(waiting).want(200)
	for _, caller := range []*anAPI{h.anonymous(), customer, agent} {
		caller.get(waiting).wantMissing()
		caller.get(fmt.Sprintf("/hc/article_attachments/%d", looseID)).wantMissing()
	}
	other := send(agent, help+"/articles/attachments", nil, "the agent's").want(201).id("article_attachment")
	give := fmt.Sprintf("%s/articles/%d/bulk_attachments", help, open)
	agent.post(give, fmt.Sprintf(`{"attachment_ids":[%d]}`, other)).wantForbidden()
	h.post(give, fmt.Sprintf(`{"attachment_ids":[%d,%d]}`, looseID, other)).want(200).wantJSON(`{}`)
	h.post(give, fmt.Sprintf(`{"attachment_ids":[%d]}`, looseID)).wantField("attachment_ids", fmt.Sprintf("%d is not a file that waits for an article", looseID))
	h.post(give, `{"attachment_ids":[]}`).wantField("attachment_ids", "cannot be blank")
	h.post(give, `{"attachment_ids":[`+strings.Repeat("1,", 20)+`1]}`).wantField("attachment_ids", "cannot be more than 20")
	h.post(help+"/articles/404/bulk_attachments", `{"attachment_ids":[1]}`).wantMissing()
	for path, want := range map[string][]int64{
		at(open): {id, looseID, other}, at(open) + "?page[size]=100": {id, looseID, other}, at(open) + "/inline": {id}, at(open) + "/block": {looseID, other},
		in("ja", at(open)): {id, looseID, other}, in("en-us", at(open)): {looseID, other}, in("en-us", at(open)) + "/inline": {},
	} {
		if got := h.anonymous().get(path).want(200).ids("article_attachments"); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}

	send(customer, at(open), nil, "x").wantForbidden()
	send(agent, at(open), nil, "x").wantForbidden()
	send(h.anAPI, help+"/articles/404/attachments", nil, "x").wantMissing()
	h.post(at(open), `{}`).want(400)
	send(h.anAPI, at(open), [][2]string{{"inline", "perhaps"}}, "x").want(400)
	send(h.anAPI, at(open), nil, "").want(400)
	send(h.anAPI, at(open), [][2]string{{"locale", "fr"}}, "x").wantField("locale", "fr is not enabled")
	if n := h.number("SELECT count(*) FROM attachments WHERE account_id = ? AND upload_id IS NOT NULL", h.account.ID); n != 0 {
		t.Errorf("%d refused files are kept", n)
	}
	customer.delete(own).wantForbidden()
	agent.delete(own).wantForbidden()
	h.delete(own).want(204)
	h.delete(own).wantMissing()
	h.anonymous().get(content).wantMissing()
	h.delete(fmt.Sprintf("%s/articles/attachments/%d", help, send(h.anAPI, help+"/articles/attachments", nil, "x").want(201).id("article_attachment"))).want(204)
	h.delete(fmt.Sprintf("%s/articles/%d", help, open)).want(204)
	h.get(fmt.Sprintf("%s/articles/attachments/%d", help, looseID)).wantMissing()
}
