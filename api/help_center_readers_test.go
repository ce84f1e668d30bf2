package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
)

// readers are the people of an account beside its admin, who wrote the article.
type readers struct {
	*aHelpCenter
	customer, other, agent *anAPI
	customerID, otherID    int64
	articleID              int64
	article                string // path
}

func newReaders(t *testing.T) *readers {
	t.Helper()
	r := &readers{aHelpCenter: newHelpCenter(t)}
	r.customerID, r.otherID = r.user("Customer", r.email("customer"), "end-user"), r.user("Other", r.email("other"), "end-user")
	r.user("Agent", r.email("agent"), "agent")
	r.customer, r.other, r.agent = r.as(r.email("customer")), r.as(r.email("other")), r.as(r.email("agent"))
	r.articleID = r.aHelpCenter.article(`"title":"Returns","body":"Send it back","translations":[{"locale":"ja","title":"返品","body":"返送"}]`)
	r.article = fmt.Sprintf("%s/en-us/articles/%d", help, r.articleID)
	return r
}

// happened are the types of events about the article, oldest first.
func (r *readers) happened() string {
	r.t.Helper()
	var types []string
	err := r.db.WithContext(r.ctx()).Raw("SELECT replace(type, 'zen:event-type:article.', '') FROM events WHERE account_id = ? AND subject = ? ORDER BY id",
		r.account.ID, fmt.Sprint("zen:article:", r.articleID)).Scan(&types).Error
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.Join(types, " ")
}

// told are the mails about articles, as "to: subject"; each is to one reader, who
// learns of no other.
func (r *readers) told() (out []string) {
	r.t.Helper()
	var rows []models.OutboxMail
	if err := r.db.WithContext(r.ctx()).Where("article_id IS NOT NULL").Order("id").Find(&rows).Error; err != nil {
		r.t.Fatal(err)
	}
	for _, m := range rows {
		if len(m.Recipients) != 1 || len(m.RecipientIDs) != 1 || len(m.CCs) > 0 {
			r.t.Errorf("one mail to %v (%v), copied to %v", m.Recipients, m.RecipientIDs, m.CCs)
		}
		out = append(out, strings.Join(m.Recipients, ",")+": "+m.Subject)
	}
	return out
}

func (r *readers) wantTold(mails ...string) {
	r.t.Helper()
	if got := r.told(); !slices.Equal(got, mails) {
		r.t.Errorf("told %q, want %q", got, mails)
	}
}

func (r *readers) votes() string {
	r.t.Helper()
	a := r.get(r.article).want(200)
	return fmt.Sprint(a.member("article", "vote_sum"), " of ", a.member("article", "vote_count"))
}

func TestArticleComments(t *testing.T) {
	t.Parallel()
	r := newReaders(t)
	comments := r.article + "/comments"
	made := r.customer.post(comments, `{"comment":{"body":"<b>Thanks</b><script>x()</script><img src=x onerror=y()>","id":7}}`).want(201)
	id := made.id("comment")
	at := fmt.Sprintf("%s/%d", comments, id)
	want := fmt.Sprintf(`{"comment":{"id":%d,"url":"http://helpd.test%s.json","html_url":"http://helpd.test/hc/en-us/articles/%d/comments/%d",
		"body":"<b>Thanks</b><img src=\"x\">","author_id":%d,"source_id":%d,"source_type":"Article","locale":"en-us","created_at":%q,"updated_at":%q,
		"vote_sum":0,"vote_count":0,"non_author_editor_id":null,"non_author_updated_at":null}}`, id, at, r.articleID, id, r.customerID, r.articleID, clockText, clockText)
	made.wantJSON("%s", want)
	if made.header.Get("Location") != "http://helpd.test"+at+".json" {
		t.Errorf("Location %s", made.header.Get("Location"))
	}
	if got := r.anonymous().get(at).want(200); got.id("comment") != id || got.member("comment", "body") != made.member("comment", "body") {
		t.Errorf("nobody sees %s", got.body)
	}
	r.other.get(fmt.Sprintf("%s/articles/%d/comments/%d", help, r.articleID, id)).want(200).wantJSON("%s", want) // without a language
	japanese := r.other.post(strings.Replace(comments, "en-us", "ja", 1), `{"comment":{"body":"どうも"}}`).want(201)
	r.other.post(comments, `{"comment":{"body":"x","locale":"ko"}}`).wantField("locale", "the article has no translation for ko")

	// In one language, or in all.
	for path, n := range map[string]int{comments: 1, strings.Replace(comments, "en-us", "ja", 1): 1, strings.Replace(comments, "en-us/", "", 1): 2} {
		if got := r.get(path + "?include=users,articles").want(200); len(got.ids("comments")) != n || len(got.ids("users")) != n || len(got.ids("articles")) != 1 {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	if got := r.get(strings.Replace(comments, "en-us/", "", 1) + "?sort_by=created_at&sort_order=desc").want(200).ids("comments"); got[0] != japanese.id("comment") {
		t.Errorf("newest first: %v", got)
	}
	r.get(comments + "?sort_by=votes").want(400)

	// Not what stands under a translation that is a draft again.
	r.put(strings.Replace(r.article, "en-us/", "", 1)+"/translations/ja", `{"translation":{"draft":true}}`).want(200)
	if got := r.customer.get(strings.Replace(comments, "en-us/", "", 1)).want(200).ids("comments"); !slices.Equal(got, []int64{id}) {
		t.Errorf("the customer sees the comments %v", got)
	}
	r.customer.get(fmt.Sprintf("%s/%d", strings.Replace(comments, "en-us/", "", 1), japanese.id("comment"))).wantMissing()

	// Whoever wrote it changes it, and those who moderate.
	r.other.put(at, `{"comment":{"body":"x"}}`).wantForbidden()
	r.agent.put(at, `{"comment":{"body":"x"}}`).wantForbidden()
	r.agent.delete(at).wantForbidden()
	r.customer.put(at, `{"comment":{"body":" "}}`).wantField("body", "cannot be blank")
	r.customer.put(at, `{"comment":{"body":"<script>x()</script>"}}`).wantField("body", "cannot be blank")
	r.customer.put(at, `{"comment":{"body":"Many thanks"}}`).want(200)
	edited := r.put(at, `{"comment":{"body":"Thanks a lot"}}`).want(200)
	if edited.member("comment", "body") != "Thanks a lot" || fmt.Sprint(edited.member("comment", "non_author_editor_id")) != fmt.Sprint(r.admin.ID) {
		t.Errorf("edited into %s", edited.body)
	}
	r.customer.post(comments, fmt.Sprintf(`{"comment":{"body":"x","author_id":%d}}`, r.otherID)).wantForbidden()
	past := r.post(comments, fmt.Sprintf(`{"comment":{"body":"Imported","author_id":%d,"created_at":"2020-01-01T00:00:00Z"},"notify_subscribers":false}`, r.customerID)).want(201)
	if past.member("comment", "created_at") != "2020-01-01T00:00:00Z" {
		t.Errorf("imported %s", past.body)
	}
	r.post(comments, `{"comment":{"body":"x","author_id":404}}`).wantField("author_id", "404 is not a user")
	r.post(comments, `{"comment":{"body":"x","created_at":"2099-01-01T00:00:00Z"}}`).wantField("created_at", "is in the future")
	r.customer.post(comments, fmt.Sprintf(`{"comment":{"body":%q}}`, strings.Repeat("x", 70_000))).want(400)
	r.anonymous().post(comments, `{"comment":{"body":"x"}}`).want(401)

	// Of a user.
	if got := r.customer.get(help + "/users/me/comments").want(200).ids("comments"); !slices.Equal(got, []int64{past.id("comment"), id}) {
		t.Errorf("the customer's are %v", got)
	}
	r.agent.get(fmt.Sprintf("%s/users/%d/comments", help, r.otherID)).want(200)
	r.customer.get(fmt.Sprintf("%s/users/%d/comments", help, r.otherID)).wantForbidden()
	r.get(help + "/users/404/comments").wantMissing()

	r.customer.delete(at).want(204)
	r.get(at).wantMissing()
	r.get(comments + "/404").wantMissing()
	if got := r.happened(); got != "published published comment_created comment_created unpublished comment_changed comment_changed comment_created comment_unpublished" {
		t.Errorf("happened: %s", got)
	}

	// Nothing is said where nothing is to be said, or seen.
	r.put(r.article, `{"article":{"comments_disabled":true}}`).want(200)
	r.customer.post(comments, `{"comment":{"body":"x"}}`).wantForbidden()
	r.delete(r.article).want(204)
	r.customer.get(comments).wantMissing()
	r.customer.post(r.article+"/up", "").wantMissing()
	if got := r.customer.get(help + "/users/me/comments").want(200).ids("comments"); len(got) != 0 {
		t.Errorf("comments on what is archived: %v", got)
	}
}

func TestArticleVotes(t *testing.T) {
	t.Parallel()
	r := newReaders(t)
	up := r.customer.post(r.article+"/up", "").want(200)
	id := up.id("vote")
	up.wantJSON(`{"vote":{"id":%d,"url":"http://helpd.test/api/v2/help_center/votes/%d.json","user_id":%d,"value":1,"item_id":%d,"item_type":"Article","created_at":%q,"updated_at":%q}}`,
		id, id, r.customerID, r.articleID, clockText, clockText)
	r.customer.post(r.article+"/up", `{}`).want(200) // once is enough
	r.other.post(r.article+"/down", "").want(200)
	if got := r.votes(); got != "0 of 2" {
		t.Errorf("votes are %s", got)
	}
	if got := r.customer.post(r.article+"/down", "").want(200); got.id("vote") != id || fmt.Sprint(got.member("vote", "value")) != "-1" {
		t.Errorf("changed its mind: %s", got.body)
	}
	if got := r.votes(); got != "-2 of 2" {
		t.Errorf("votes are %s", got)
	}
	r.post(r.article+"/up", fmt.Sprintf(`{"vote":{"user_id":%d,"created_at":"2020-01-01T00:00:00Z"}}`, r.otherID)).want(200)
	if got := r.votes(); got != "0 of 2" {
		t.Errorf("votes are %s", got)
	}
	r.customer.post(r.article+"/up", fmt.Sprintf(`{"vote":{"user_id":%d}}`, r.otherID)).wantForbidden()
	r.post(r.article+"/up", `{"vote":{"user_id":404}}`).wantField("user_id", "404 is not a user")
	r.anonymous().post(r.article+"/up", "").want(401)
	r.post(help+"/articles/404/up", "").wantMissing()

	comment := fmt.Sprintf("%s/comments/%d", r.article, r.customer.post(r.article+"/comments", `{"comment":{"body":"x"}}`).want(201).id("comment"))
	r.other.post(comment+"/up", "").want(200)
	if got := r.get(comment).want(200); fmt.Sprint(got.member("comment", "vote_sum"), got.member("comment", "vote_count")) != "11" {
		t.Errorf("the comment is %s", got.body)
	}
	listed := func(by *anAPI, path string, n int) *result {
		t.Helper()
		got := by.get(path).want(200)
		if len(got.ids("votes")) != n {
			t.Errorf("%s: %s, want %d", path, got.body, n)
		}
		return got
	}
	listed(r.agent, r.article+"/votes", 2)
	listed(r.customer, r.article+"/votes", 1)
	listed(r.customer, comment+"/votes", 0)
	listed(r.agent, help+"/votes", 3)
	listed(r.other, help+"/votes", 2)
	all := listed(r.anAPI, fmt.Sprintf("%s/users/%d/votes?include=users,articles,comments,translations", help, r.otherID), 2)
	if len(all.ids("users")) != 1 || len(all.ids("articles")) != 1 || len(all.ids("comments")) != 1 || len(all.ids("translations")) != 2 {
		t.Errorf("beside votes: %s", all.body)
	}
	r.customer.get(fmt.Sprintf("%s/users/%d/votes", help, r.otherID)).wantForbidden()

	at := fmt.Sprintf("%s/votes/%d", help, id)
	r.other.get(at).wantMissing()
	r.other.delete(at).wantMissing()
	r.agent.get(at).want(200)
	r.agent.delete(at).wantForbidden()
	r.customer.delete(at).want(204)
	r.customer.get(at).wantMissing()
	if got := r.votes(); got != "1 of 1" {
		t.Errorf("votes are %s", got)
	}
	if got := r.happened(); got != "published published vote_created vote_created vote_changed vote_changed comment_created vote_removed" {
		t.Errorf("happened: %s", got)
	}
}

func TestSubscriptionsToContent(t *testing.T) {
	t.Parallel()
	r := newReaders(t)
	subscriptions := r.article + "/subscriptions"
	made := r.customer.post(subscriptions, `{"subscription":{"source_locale":"en-us"}}`).want(201)
	id := made.id("subscription")
	at := fmt.Sprintf("%s/%d", subscriptions, id)
	want := fmt.Sprintf(`{"subscription":{"id":%d,"url":"http://helpd.test%s.json","user_id":%d,"content_id":%d,"content_type":"Article","locale":"en-us",
		"include_comments":true,"created_at":%q,"updated_at":%q}}`, id, at, r.customerID, r.articleID, clockText, clockText)
	made.wantJSON("%s", want)
	r.customer.post(subscriptions, `{"subscription":{"source_locale":"en-us"}}`).want(201).wantJSON("%s", want) // the same one
	r.agent.get(at).want(200).wantJSON("%s", want)
	r.other.get(at).wantMissing()
	r.post(subscriptions, fmt.Sprintf(`{"subscription":{"user_id":%d,"source_locale":"ja"}}`, r.otherID)).want(201)
	r.customer.post(subscriptions, fmt.Sprintf(`{"subscription":{"user_id":%d,"source_locale":"en-us"}}`, r.otherID)).wantForbidden()
	plain := fmt.Sprintf("%s/articles/%d/subscriptions", help, r.articleID)
	r.customer.post(plain, `{"subscription":{}}`).wantField("source_locale", "cannot be blank")
	r.customer.post(plain, `{"subscription":{"source_locale":"ko"}}`).wantField("source_locale", "there is no translation for ko")
	r.anonymous().post(plain, `{"subscription":{"source_locale":"en-us"}}`).want(401)
	if got := r.get(subscriptions + "?include=users").want(200); len(got.ids("subscriptions")) != 2 || len(got.ids("users")) != 2 {
		t.Errorf("listed %s", got.body)
	}
	if got := r.customer.get(subscriptions).want(200).ids("subscriptions"); !slices.Equal(got, []int64{id}) {
		t.Errorf("the customer sees %v", got)
	}

	section := strings.Replace(r.section, help, help+"/en-us", 1) + "/subscriptions"
	r.agent.post(section, `{"subscription":{"source_locale":"en-us","include_comments":true}}`).want(201)
	ofSection := r.customer.post(section, `{"subscription":{"source_locale":"en-us"}}`).want(201)
	if got := r.customer.get(help + "/users/me/subscriptions").want(200).ids("subscriptions"); len(got) != 2 {
		t.Errorf("the customer has %v", got)
	}
	r.customer.get(fmt.Sprintf("%s/users/%d/subscriptions", help, r.otherID)).wantForbidden()

	// Who reads in the language, and is not the author, is told; of what all may see.
	customer, agent, other := r.email("customer"), r.email("agent"), r.email("other")
	r.other.post(r.article+"/comments", `{"comment":{"body":"Hello"}}`).want(201)
	r.customer.post(r.article+"/comments", `{"comment":{"body":"Hello"}}`).want(201)
	r.post(strings.Replace(r.article, "en-us", "ja", 1)+"/comments", `{"comment":{"body":"x"}}`).want(201)
	r.post(r.article+"/comments", `{"comment":{"body":"x"},"notify_subscribers":false}`).want(201)
	first := []string{customer + ": New comment: Returns", agent + ": New comment: Returns", agent + ": New comment: Returns", other + ": New comment: 返品"}
	r.wantTold(first...)
	r.post(r.section+"/articles", `{"article":{"title":"Refunds","locale":"en-us","body":"x"}}`).want(201)
	r.post(r.section+"/articles", `{"article":{"title":"Silent","locale":"en-us","body":"x"},"notify_subscribers":false}`).want(201)
	r.post(r.section+"/articles", `{"article":{"title":"Draft","locale":"en-us","body":"x","draft":true}}`).want(201)
	r.wantTold(append(first, customer+": New article: Refunds", agent+": New article: Refunds")...)

	r.other.delete(at).wantMissing()
	r.agent.delete(at).wantForbidden()
	r.customer.delete(at).want(204)
	r.customer.get(at).wantMissing()
	r.customer.delete(fmt.Sprintf("%s/%d", section, ofSection.id("subscription"))).want(204)
	r.delete(fmt.Sprintf("/api/v2/users/%d", r.otherID)).want(200)
	if got := r.get(subscriptions).want(200).ids("subscriptions"); len(got) != 0 {
		t.Errorf("%v are left", got)
	}
	if got := r.happened(); !strings.HasPrefix(got, "published published subscription_created subscription_created comment_created") {
		t.Errorf("happened: %s", got)
	}
}

// Who is merged into another keeps one vote on each thing.
func TestVotesOfMergedReaders(t *testing.T) {
	t.Parallel()
	r := newReaders(t)
	r.customer.post(r.article+"/up", "").want(200)
	r.other.post(r.article+"/down", "").want(200)
	comment := fmt.Sprintf("%s/comments/%d", r.article, r.customer.post(r.article+"/comments", `{"comment":{"body":"x"}}`).want(201).id("comment"))
	r.customer.post(comment+"/up", "").want(200)
	r.put(fmt.Sprintf("/api/v2/users/%d/merge", r.customerID), fmt.Sprintf(`{"user":{"id":%d}}`, r.otherID)).want(200)
	if got := r.votes(); got != "-1 of 1" {
		t.Errorf("votes are %s", got)
	}
	c := r.get(comment).want(200)
	if fmt.Sprint(c.member("comment", "author_id")) != fmt.Sprint(r.otherID) || fmt.Sprint(c.member("comment", "vote_sum")) != "1" {
		t.Errorf("the comment is %s", c.body)
	}
	if got := r.get(fmt.Sprintf("%s/users/%d/votes", help, r.otherID)).want(200).ids("votes"); len(got) != 2 {
		t.Errorf("the winner has the votes %v", got)
	}
}
