package rulebook_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// change is what is asked of a new rule that tells by a tag which one it is.
func change(title string) rulebook.Change {
	return rulebook.Change{
		Title: &title, Actions: []rules.Action{{Field: "current_tags", Value: []byte(`"` + title + `"`)}},
		Conditions: &rules.Conditions{All: []rules.Condition{
			{Field: "status", Operator: "is", Value: []byte(`"solved"`)}, {Field: "current_tags", Operator: "includes", Value: []byte(`"` + title + `"`)},
		}},
	}
}

// fill makes n active rules of a kind.
func (b *book) fill(kind string, n int) {
	b.Helper()
	err := b.tx.Exec(`INSERT INTO rules (account_id, kind, title, active, "default", position, category_position, conditions, actions, group_ids, created_at, updated_at)
		SELECT ?, ?, 'r' || g, true, false, g, 0, json_build_object('all', json_build_array(g), 'any', '[]'::json), '[]', '{}', now(), now() FROM generate_series(1, ?) g`,
		b.by.AccountID, kind, n).Error
	if err != nil {
		b.Fatal(err)
	}
}

func TestActiveRulesAreLimited(t *testing.T) {
	t.Parallel()
	for kind, most := range map[string]int{models.RuleTrigger: rulebook.MaxTriggers, models.RuleAutomation: rulebook.MaxAutomations} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			b := newBook(t)
			b.fill(kind, most-1)
			c := change("x")
			if kind == models.RuleAutomation {
				c.Conditions.All = append(c.Conditions.All, rules.Condition{Field: "SOLVED", Operator: "is", Value: []byte(`"1"`)})
			}
			if _, err := b.Create(b.ctx, b.by, kind, c); err != nil {
				t.Fatal(err)
			}
			c.Actions[0].Value = []byte(`"y"`)
			refused := func(what string, err error) {
				t.Helper()
				if e := fault.Of(err); e == nil || e.Kind != fault.Invalid || !strings.Contains(e.Error(), fmt.Sprintf("no more than %d active", most)) {
					t.Errorf("%s: %v", what, err)
				}
			}
			_, err := b.Create(b.ctx, b.by, kind, c)
			refused("one more", err)
			c.Active = new(false)
			off, err := b.Create(b.ctx, b.by, kind, c)
			if err != nil {
				t.Fatal(err)
			}
			_, err = b.UpdateMany(b.ctx, b.by, kind, []rulebook.Place{{ID: off.ID, Active: new(true)}})
			refused("one more that was off", err)
			if _, err := b.Update(b.ctx, b.by, kind, off.ID, rulebook.Change{Title: new("z")}); err != nil {
				t.Errorf("changed, it is refused: %v", err)
			}
		})
	}
}

func TestTriggersAreRemembered(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	titles := func(version int64) string {
		list, err := b.Triggers(b.tx, b.by.AccountID, version)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, r := range list {
			out = append(out, r.Title)
		}
		return strings.Join(out, " ")
	}
	version := func() (n int64) {
		if err := b.tx.Raw("SELECT config_version FROM accounts WHERE id = ?", b.by.AccountID).Row().Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := version()
	if got := titles(before); got != "" {
		t.Errorf("triggers %s", got)
	}
	for _, title := range []string{"b", "a"} {
		if _, err := b.Create(b.ctx, b.by, models.RuleTrigger, change(title)); err != nil {
			t.Fatal(err)
		}
	}
	off := change("off")
	off.Active = new(false)
	if _, err := b.Create(b.ctx, b.by, models.RuleTrigger, off); err != nil {
		t.Fatal(err)
	}
	if got := titles(before); got != "" {
		t.Errorf("at the version before: %s", got)
	}
	if got := titles(version()); got != "b a" {
		t.Errorf("triggers %s", got)
	}
	// A macro is nothing that saves of tickets ask for.
	now := version()
	c := change("m")
	if _, err := b.Create(b.ctx, b.by, models.RuleMacro, c); err != nil {
		t.Fatal(err)
	}
	if version() != now {
		t.Error("a macro moved the version of the set-up")
	}
}
