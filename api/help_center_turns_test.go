package api_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

// waiting reports whether a statement waits for a lock. The database is the test's
// own.
func (a *anAPI) waiting() bool {
	return a.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0
}

// during has a request begin while a change is under way, which is committed once
// the request waits for it, or has ended.
func (h *aHelpCenter) during(change func(ctx context.Context, by auth.Actor) error, request func() *result) *result {
	h.t.Helper()
	tx := h.db.WithContext(h.ctx()).Begin()
	if err := change(postgres.WithTx(h.ctx(), tx), auth.System(h.account.ID)); err != nil {
		tx.Rollback()
		h.t.Fatal(err)
	}
	done := make(chan *result, 1)
	go func() { done <- request() }()
	var r *result
	h.until("the request waits or ends", func() bool {
		select {
		case r = <-done:
		default:
		}
		return r != nil || h.waiting()
	})
	if err := tx.Commit().Error; err != nil {
		h.t.Fatal(err)
	}
	if r == nil {
		r = <-done
	}
	return r
}

// Nothing is put into a section, under a label or on a comment that is going.
func TestChangesOfTheHelpCenterTakeTurns(t *testing.T) {
	t.Parallel()
	a, _ := newCountedAPI(t)
	h := newHelpCenterOf(a)
	category := h.get(h.category).want(200).id("category")
	section := func(members string) int64 {
		return h.post(h.category+"/sections", `{"section":{"locale":"en-us","name":"x"`+members+`}}`).want(201).id("section")
	}
	in := func(parent int64) string {
		return fmt.Sprintf(`{"section":{"locale":"en-us","name":"child","parent_section_id":%d}}`, parent)
	}
	orphans := func() int {
		return h.number("SELECT count(*) FROM sections s WHERE parent_section_id IS NOT NULL AND NOT EXISTS (SELECT FROM sections p WHERE p.account_id = s.account_id AND p.id = s.parent_section_id AND p.category_id = s.category_id)")
	}

	gone := section("")
	h.during(func(ctx context.Context, by auth.Actor) error { return h.helpCenter.DeleteSection(ctx, by, gone) },
		func() *result { return h.post(h.category+"/sections", in(gone)) }).wantField("parent_section_id", fmt.Sprintf("%d is not a section", gone))
	gone = section("")
	h.during(func(ctx context.Context, by auth.Actor) error {
		title := "child"
		_, err := h.helpCenter.CreateSection(ctx, by, "en-us", category, helpcenter.SectionChange{
			ParentSectionID: nullable.NewNullableWithValue(gone), Text: helpcenter.Text{Locale: "en-us", Title: &title},
		})
		return err
	}, func() *result { return h.delete(fmt.Sprintf("%s/sections/%d", help, gone)) }).want(204)
	// What is made below a section that moves goes along, or is not made.
	other := h.post(help+"/categories", `{"category":{"name":"Other","locale":"en-us"}}`).want(201).id("category")
	top := section("")
	below := section(fmt.Sprintf(`,"parent_section_id":%d`, top))
	h.during(func(ctx context.Context, by auth.Actor) error {
		_, err := h.helpCenter.UpdateSection(ctx, by, "", top, helpcenter.SectionChange{CategoryID: &other})
		return err
	}, func() *result { return h.post(h.category+"/sections", in(below)) }).wantField("parent_section_id", fmt.Sprintf("%d belongs to another category", below))
	if n := orphans(); n > 0 {
		t.Errorf("%d sections lie in none", n)
	}

	labelled := h.article(`"title":"a","label_names":["soon"]`)
	label := h.get(help + "/articles/labels").want(200).ids("labels")[0]
	second := h.article(`"title":"b"`)
	h.during(func(ctx context.Context, by auth.Actor) error {
		_, err := h.helpCenter.UpdateArticle(ctx, by, "", second, helpcenter.ArticleChange{LabelNames: []string{"Soon"}})
		return err
	}, func() *result { return h.delete(fmt.Sprintf("%s/articles/labels/%d", help, label)) }).want(204)
	for _, id := range []int64{labelled, second} {
		if got := h.get(fmt.Sprintf("%s/articles/%d", help, id)).want(200).member("article", "label_names"); len(got.([]any)) > 0 {
			t.Errorf("article %d has labels that are gone: %v", id, got)
		}
	}

	article := fmt.Sprintf("%s/en-us/articles/%d", help, labelled)
	comment := h.post(article+"/comments", `{"comment":{"body":"x","locale":"en-us"}}`).want(201).id("comment")
	h.during(func(ctx context.Context, by auth.Actor) error {
		return h.helpCenter.DeleteComment(ctx, by, "", labelled, comment)
	}, func() *result { return h.post(fmt.Sprintf("%s/comments/%d/up", article, comment), "") }).wantMissing()
	if n := h.number("SELECT count(*) FROM votes"); n > 0 {
		t.Errorf("%d votes on a comment that is gone", n)
	}
}

// Who changes the places of sections waits for their category before he locks any
// of them: so does who deletes the category.
func TestCategoriesAreLockedBeforeSections(t *testing.T) {
	t.Parallel()
	a, _ := newCountedAPI(t)
	h := newHelpCenterOf(a)
	category, id := h.get(h.category).want(200).id("category"), h.get(h.section).want(200).id("section")
	parent := h.post(h.category+"/sections", `{"section":{"name":"Parent","locale":"en-us"}}`).want(201).id("section")
	for _, step := range []struct {
		name    string
		request func() *result
	}{
		{"nest", func() *result { return h.put(h.section, fmt.Sprintf(`{"section":{"parent_section_id":%d}}`, parent)) }},
		{"delete", func() *result { return h.delete(fmt.Sprintf("%s/sections/%d", help, id)) }},
	} {
		hold := h.db.WithContext(h.ctx()).Begin()
		lock := func(table string, id int64) {
			if err := hold.Exec("SELECT FROM "+table+" WHERE account_id = ? AND id = ? FOR UPDATE NOWAIT", h.account.ID, id).Error; err != nil {
				t.Errorf("%s: %v", step.name, err)
			}
		}
		lock("categories", category)
		done := make(chan *result, 1)
		go func() { done <- step.request() }()
		h.until("it waits for the category", func() bool { return h.waiting() || len(done) > 0 })
		lock("sections", id)
		if err := hold.Rollback().Error; err != nil {
			t.Fatal(err)
		}
		if r := <-done; r.status >= 300 {
			t.Errorf("%s: %s", step.name, r.body)
		}
	}
}

// With a key, a search stands in a transaction that sees what others commit meanwhile: it
// waits for whoever is at the index, and does not search a part of it.
func TestSuggestionsWithAKeyWaitForTheIndex(t *testing.T) {
	t.Parallel()
	a, _ := newCountedAPI(t)
	h := newHelpCenterOf(a)
	lamp := h.article(`"title":"Returning a broken lamp"`)
	section := h.get(h.section).want(200).id("section")
	if got, _ := h.suggested(`"question":"a broken lamp"`); !slices.Equal(got, []int64{lamp}) { // and nothing is left to be indexed
		t.Errorf("found %v at first", got)
	}
	var other int64
	h.during(func(ctx context.Context, by auth.Actor) error {
		title, body := "A broken lamp of glass", "x"
		made, err := h.helpCenter.CreateArticle(ctx, by, "en-us", section, helpcenter.ArticleChange{Text: helpcenter.Text{Title: &title, Body: &body}})
		if err != nil {
			return err
		}
		other = made.Article.ID
		return search.NewIndex(h.db).CatchUp(ctx, h.account.ID, search.Article)
	}, func() *result {
		return h.with("Idempotency-Key", "lamp").post(suggestions, `{"suggestion":{"question":"a broken lamp"}}`)
	})
	got, _ := h.with("Idempotency-Key", "lamp").suggested(`"question":"a broken lamp"`) // the same answer again
	if slices.Sort(got); !slices.Equal(got, []int64{lamp, other}) {
		t.Errorf("found %v of %d and %d", got, lamp, other)
	}
}

// What cannot change is not read again.
func TestReadersCostFewStatements(t *testing.T) {
	t.Parallel()
	a, sent := newCountedAPI(t)
	h := newHelpCenterOf(a)
	id := h.article(`"title":"a","label_names":["x"]`)
	article := fmt.Sprintf("%s/en-us/articles/%d", help, id)
	comment := h.post(article+"/comments", `{"comment":{"body":"x","locale":"en-us"}}`).want(201).id("comment")
	times := func(part string, request func()) (n int) {
		for _, sql := range sent.during(request) {
			n += strings.Count(sql, part)
		}
		return n
	}
	const reading = "articles AS a JOIN translations"
	if n := times(reading, func() { h.post(fmt.Sprintf("%s/comments/%d/up", article, comment), "").want(200) }); n != 1 {
		t.Errorf("a vote on a comment reads the article %d times", n)
	}
	if n := times(reading, func() { h.post(article+"/subscriptions", `{"subscription":{}}`).want(201) }); n != 1 {
		t.Errorf("a subscription reads the article %d times", n)
	}
	if n := times(`FROM "users" WHERE`, func() {
		h.post(article+"/subscriptions", `{"subscription":{"user_id":404}}`).wantField("user_id", "404 is not a user")
	}); n != 1 {
		t.Errorf("a subscription of nobody looks for him %d times", n)
	}
	if n := times("labels AS l", func() { h.put(article, `{"article":{"promoted":true}}`).want(200) }); n > 0 {
		t.Error("labels are read that were not sent")
	}
	if got := h.get(article).want(200).member("article", "label_names"); fmt.Sprint(got) != "[x]" {
		t.Errorf("labels %v", got)
	}
}

// Verifications of articles that are archived cost nothing, and what is wrong in
// one account keeps no other.
func TestVerificationsThatAreDue(t *testing.T) {
	t.Parallel()
	a, sent := newCountedAPI(t)
	var all []*aHelpCenter
	for _, one := range []*anAPI{a, a.another(), a.another()} {
		h := newHelpCenterOf(one)
		all = append(all, h)
		id := h.article(`"title":"a"`)
		h.put(fmt.Sprintf("%s/articles/%d/verification", help, id), `{"verification":{"every_days":1,"due_at":"2026-01-01T00:00:00Z"}}`).want(200)
		gone := h.article(`"title":"b"`)
		h.put(fmt.Sprintf("%s/articles/%d/verification", help, gone), `{"verification":{"every_days":1,"due_at":"2026-01-01T00:00:00Z"}}`).want(200)
		h.delete(fmt.Sprintf("%s/articles/%d", help, gone)).want(204)
	}
	told := func() (n []int) {
		for _, h := range all {
			n = append(n, h.number("SELECT count(*) FROM events WHERE type LIKE '%article.verification_due' AND account_id = "+fmt.Sprint(h.account.ID)))
		}
		return n
	}
	refuse := fmt.Sprintf(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.account_id = %d THEN RAISE 'refused'; END IF; RETURN NEW; END $$;
		CREATE TRIGGER refuse BEFORE UPDATE ON article_verifications FOR EACH ROW EXECUTE FUNCTION refuse()`, all[1].account.ID)
	for _, sql := range strings.SplitAfter(refuse, "$$;") {
		if err := a.db.WithContext(a.ctx()).Exec(sql).Error; err != nil {
			t.Fatal(err)
		}
	}
	err := a.helpCenter.TellDue(context.Background())
	if err == nil || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), fmt.Sprint("account ", all[1].account.ID)) {
		t.Errorf("told: %v", err)
	}
	if got := told(); !slices.Equal(got, []int{1, 0, 1}) {
		t.Errorf("told %v", got)
	}
	if err := a.db.WithContext(a.ctx()).Exec("DROP TRIGGER refuse ON article_verifications").Error; err != nil {
		t.Fatal(err)
	}
	if err := a.helpCenter.TellDue(context.Background()); err != nil {
		t.Error(err)
	}
	if sql := sent.during(func() { err = a.helpCenter.TellDue(context.Background()) }); len(sql) != 1 || err != nil {
		t.Errorf("nothing is due, and it takes %q, %v", sql, err)
	}
	if got := told(); !slices.Equal(got, []int{1, 1, 1}) {
		t.Errorf("told %v", got)
	}
}
