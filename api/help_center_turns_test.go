package api_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/postgres"
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

// Nothing is put into a section that is going.
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
