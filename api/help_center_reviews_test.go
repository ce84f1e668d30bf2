package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// writers are agents who may edit the articles of a permission group, and one who
// may publish them, too.
type writers struct {
	*readers
	writer, chief *anAPI
	chiefID       int64
	group         int64
}

func newWriters(t *testing.T) *writers {
	t.Helper()
	w := &writers{readers: newReaders(t)}
	for name, tag := range map[string]string{"writer": "writes", "chief": "publishes"} {
		id := w.user(name, w.email(name), "agent")
		w.put(fmt.Sprintf("/api/v2/users/%d", id), fmt.Sprintf(`{"user":{"tags":[%q]}}`, tag)).want(200)
		if name == "chief" {
			w.chiefID = id
		}
	}
	w.writer, w.chief = w.as(w.email("writer")), w.as(w.email("chief"))
	segment := func(tag string) int64 {
		return w.post(segmentsPath, fmt.Sprintf(`{"user_segment":{"name":%q,"user_type":"staff","tags":[%q]}}`, tag, tag)).want(201).id("user_segment")
	}
	w.group = w.post("/api/v2/guide/permission_groups", fmt.Sprintf(`{"permission_group":{"name":"Docs","edit":[%d],"publish":[%d]}}`,
		segment("writes"), segment("publishes"))).want(201).id("permission_group")
	return w
}

// draft is the path of a new article that waits to be published.
func (w *writers) draft() string {
	w.t.Helper()
	w.articleID = w.aHelpCenter.article(fmt.Sprintf(`"title":"Draft","body":"<p>One</p><p>Two</p>","draft":true,"permission_group_id":%d`, w.group))
	return fmt.Sprintf("%s/articles/%d", help, w.articleID)
}

func TestArticleReviews(t *testing.T) {
	t.Parallel()
	w := newWriters(t)
	draft := w.draft()
	w.customer.get(strings.Replace(draft, help, help+"/en-us", 1)).wantMissing()
	w.agent.post(draft+"/reviews", `{"review":{}}`).wantMissing() // who may not see the draft
	w.writer.put(draft+"/translations/en-us", `{"translation":{"draft":false}}`).want(400)
	made := w.writer.post(draft+"/reviews", fmt.Sprintf(`{"review":{"note":" Please look ","reviewer_id":%d}}`, w.chiefID)).want(201)
	id := made.id("review")
	at := fmt.Sprintf("%s/reviews/%d", help, id)
	submitter := made.member("review", "submitter_id")
	made.wantJSON(`{"review":{"id":%d,"url":"http://helpd.test%s.json","article_id":%d,"locale":"en-us","status":"in_review","submitter_id":%v,"reviewer_id":%d,
		"note":"Please look","decided_by_id":null,"decided_at":null,"decision_note":"","created_at":%q,"updated_at":%q}}`, id, at, w.articleID, submitter, w.chiefID, clockText, clockText)
	w.writer.post(draft+"/reviews", `{"review":{}}`).wantField("locale", "the translation for en-us is in review already")
	w.writer.post(draft+"/reviews", `{"review":{"locale":"ko"}}`).wantField("locale", "the article has no translation for ko")
	w.writer.post(draft+"/reviews", fmt.Sprintf(`{"review":{"reviewer_id":%v}}`, submitter)).wantField("reviewer_id", fmt.Sprintf("%v may not publish the article", submitter))
	w.post(w.article+"/reviews", `{"review":{}}`).wantField("locale", "the translation for en-us is published")
	w.customer.get(help + "/reviews").wantForbidden()
	w.anonymous().get(help + "/reviews").want(401)

	w.writer.post(at+"/approve", "").wantForbidden()
	w.agent.post(at+"/approve", "").wantMissing()
	if got := w.chief.get(help + "/reviews?status=in_review&include=users,articles").want(200); len(got.ids("reviews")) != 1 || len(got.ids("users")) != 2 || len(got.ids("articles")) != 1 {
		t.Errorf("to review: %s", got.body)
	}
	w.get(help + "/reviews?status=new").want(400)
	rejected := w.chief.post(at+"/reject", `{"review":{"note":"Too short"}}`).want(200)
	if rejected.member("review", "status") != "rejected" || rejected.member("review", "decision_note") != "Too short" {
		t.Errorf("rejected: %s", rejected.body)
	}
	w.chief.post(at+"/approve", "").wantField("base", "The review has ended: it is rejected")
	if got := w.get(draft+"/translations/en-us").want(200).member("translation", "draft"); got != true {
		t.Error("what was rejected is no draft any more")
	}

	second := fmt.Sprintf("%s/reviews/%d", help, w.writer.post(draft+"/reviews", `{"review":{}}`).want(201).id("review"))
	approved := w.chief.post(second+"/approve", "").want(200)
	if approved.member("review", "status") != "approved" || fmt.Sprint(approved.member("review", "decided_by_id")) != fmt.Sprint(w.chiefID) {
		t.Errorf("approved: %s", approved.body)
	}
	w.customer.get(strings.Replace(draft, help, help+"/en-us", 1)).want(200)
	if got := w.chief.get(draft + "/reviews").want(200).ids("reviews"); len(got) != 2 {
		t.Errorf("of the article are %v", got)
	}
	if got := w.happened(); got != "review_requested review_rejected review_requested published review_approved" {
		t.Errorf("happened: %s", got)
	}

	// Who publishes without waiting has approved; who submitted may withdraw.
	other := w.draft()
	third := fmt.Sprintf("%s/reviews/%d", help, w.writer.post(other+"/reviews", `{"review":{}}`).want(201).id("review"))
	w.chief.put(other+"/translations/en-us", `{"translation":{"draft":false}}`).want(200)
	if got := w.get(third).want(200); got.member("review", "status") != "approved" {
		t.Errorf("published meanwhile: %s", got.body)
	}
	fourth := fmt.Sprintf("%s/reviews/%d", help, w.writer.post(w.draft()+"/reviews", `{"review":{}}`).want(201).id("review"))
	w.chief.delete(fourth).wantForbidden()
	w.writer.delete(fourth).want(204)
	if got := w.get(fourth).want(200); got.member("review", "status") != "withdrawn" {
		t.Errorf("withdrawn: %s", got.body)
	}
	w.get(help + "/reviews/404").wantMissing()
}

func TestArticleVerification(t *testing.T) {
	t.Parallel()
	w := newWriters(t)
	due := func(t *testing.T) {
		t.Helper()
		if err := w.helpCenter.TellDue(w.ctx()); err != nil {
			t.Fatal(err)
		}
	}
	path := w.draft()
	w.get(path + "/verification").wantMissing()
	w.put(path+"/verification", `{"verification":{}}`).wantField("every_days", "cannot be blank")
	w.put(path+"/verification", `{"verification":{"every_days":0}}`).wantField("every_days", "must be between 1 and 3650")
	w.writer.put(path+"/verification", `{"verification":{"every_days":30}}`).want(200).wantJSON(
		`{"verification":{"article_id":%d,"every_days":30,"verified_at":null,"verified_by_id":null,"due_at":"2026-04-03T05:06:07Z"}}`, w.articleID)
	unverified := func(want ...int64) {
		t.Helper()
		r := w.get(help + "/articles/unverified?page[size]=5").want(200)
		if got := r.ids("articles"); !slices.Equal(got, want) || len(r.member("verifications").([]any)) != len(want) {
			t.Errorf("unverified are %s, want %v", r.body, want)
		}
	}
	unverified()
	due(t)
	later := theClock.AddDate(0, 0, 30)
	w.now.Store(&later)
	unverified(w.articleID)
	due(t)
	due(t) // is told once
	if got := w.happened(); got != "verification_due" {
		t.Errorf("happened: %s", got)
	}
	if got := w.agent.get(help + "/articles/unverified").want(200).ids("articles"); len(got) != 0 {
		t.Errorf("an agent who may not see the draft is shown %v", got)
	}
	w.agent.post(path+"/verify", "").wantMissing()
	at := later.Format(time.RFC3339)
	next := later.AddDate(0, 0, 30).Format(time.RFC3339)
	verified := w.chief.post(path+"/verify", "").want(200)
	verified.wantJSON(`{"verification":{"article_id":%d,"every_days":30,"verified_at":%q,"verified_by_id":%d,"due_at":%q}}`, w.articleID, at, w.chiefID, next)
	unverified()
	w.put(path+"/verification", `{"verification":{"due_at":"2026-01-01T00:00:00Z"}}`).want(200)
	unverified(w.articleID)
	due(t)
	if got := w.happened(); got != "verification_due verified verification_due" {
		t.Errorf("happened: %s", got)
	}
	w.customer.get(help + "/en-us/articles/unverified").wantForbidden()
	w.delete(path + "/verification").want(204)
	w.delete(path + "/verification").wantMissing()
	unverified()
}

func TestArticleRevisions(t *testing.T) {
	t.Parallel()
	w := newWriters(t)
	text := w.draft() + "/translations/en-us"
	w.writer.put(text, `{"translation":{"title":"Second","body":"<p>One</p><p>2</p><script>x()</script>"}}`).want(200)
	w.writer.put(text, `{"translation":{"draft":true}}`).want(200) // no other text
	list := w.writer.get(text + "/revisions?include=users").want(200)
	ids := list.ids("revisions")
	if len(ids) != 2 || list.member("revisions", 0, "title") != "Second" || fmt.Sprint(list.member("revisions", 1, "author_id")) != fmt.Sprint(w.admin.ID) || len(list.ids("users")) != 2 {
		t.Fatalf("revisions are %s", list.body)
	}
	at := func(i int) string { return fmt.Sprintf("%s/revisions/%d", text, ids[i]) }
	w.writer.get(at(1)).want(200).wantJSON(`{"revision":{"id":%d,"url":"http://helpd.test%s.json","locale":"en-us","title":"Draft","body":"<p>One</p><p>Two</p>","author_id":%d,"created_at":%q}}`,
		ids[1], at(1), w.admin.ID, clockText)
	w.writer.get(at(0)+"/diff").want(200).wantJSON(`{"diff":{"source_id":%d,"target_id":%d,"title":[{"change":"-","content":"Draft"},{"change":"+","content":"Second"}],
		"body":[{"change":"=","content":"<p>One</p>"},{"change":"-","content":"<p>Two</p>"},{"change":"+","content":"<p>2</p>"}]}}`, ids[1], ids[0])
	if got := w.writer.get(at(1) + "/diff").want(200); got.member("diff", "source_id") != nil {
		t.Errorf("the first is new: %s", got.body)
	}
	w.writer.get(fmt.Sprintf("%s/diff?source_id=%d", at(1), ids[0])).want(200)
	w.writer.get(at(1) + "/diff?source_id=404").wantMissing()
	if got := w.writer.post(at(1)+"/restore", "").want(200); got.member("translation", "title") != "Draft" || got.member("translation", "body") != "<p>One</p><p>Two</p>" {
		t.Errorf("restored %s", got.body)
	}
	if got := w.writer.get(text + "/revisions").want(200).ids("revisions"); len(got) != 3 {
		t.Errorf("revisions are %v", got)
	}
	w.agent.get(text + "/revisions").wantMissing()
	w.agent.get(fmt.Sprintf("%s/articles/%d/translations/ja/revisions", help, w.readers.articleID)).wantMissing()
	w.writer.get(text + "/revisions/404").wantMissing()
	w.customer.get(text + "/revisions").wantForbidden()
	// What is published is brought back by those who may publish it.
	w.chief.put(text, `{"translation":{"draft":false}}`).want(200)
	w.writer.post(at(0)+"/restore", "").wantField("draft", "must be true: you may edit the article and not publish it")
	w.chief.post(at(0)+"/restore", "").want(200)
	w.agent.get(text + "/revisions").wantForbidden() // who sees it now
}

func TestHelpCenterSession(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	one, two := a.get(help+"/sessions").want(200).member("current_session", "csrf_token"), a.get(help+"/sessions").want(200).member("current_session", "csrf_token")
	if one == two || len(one.(string)) < 20 {
		t.Errorf("tokens %v and %v", one, two)
	}
}
