package rulebook_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// Triggers are what they were at each time, and each version of one is made ready
// once.
func TestTriggersAreWhatTheyWere(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	trigger := func(title string) int64 {
		r, err := b.Create(b.ctx, b.by, models.RuleTrigger, rulebook.Change{
			Title: &title, Conditions: &rules.Conditions{All: []rules.Condition{{Field: "status", Operator: "is", Value: []byte(`"open"`)}}},
			Actions: []rules.Action{{Field: "priority", Value: []byte(`"low"`)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return r.ID
	}
	change := func(id int64, c rulebook.Change) {
		if _, err := b.Update(b.ctx, b.by, models.RuleTrigger, id, c); err != nil {
			t.Fatal(err)
		}
	}
	one := trigger("one")
	b.now = noon.Add(time.Hour)
	two := trigger("two")
	b.now = noon.Add(2 * time.Hour)
	change(one, rulebook.Change{Title: new("one, renamed")})
	change(one, rulebook.Change{Title: new("one, at the same time")})
	b.now = noon.Add(3 * time.Hour)
	change(two, rulebook.Change{Active: new(false)})
	config, err := fields.New(b.tx, func() time.Time { return b.now }, nil).SetUp(b.ctx, b.by)
	if err != nil {
		t.Fatal(err)
	}
	var times []time.Time
	for _, minutes := range []int{200, 179, 121, 90, 61, 30, -1} {
		times = append(times, noon.Add(time.Duration(minutes)*time.Minute))
	}
	lists, err := rulebook.TriggersThen(b.tx, config, times)
	if err != nil {
		t.Fatal(err)
	}
	titles := make([][]string, len(lists))
	ready := map[*rules.Rule]bool{}
	for i, list := range lists {
		for _, r := range list {
			titles[i], ready[r] = append(titles[i], r.Title), true
		}
	}
	const want = "[[one, at the same time] [one, at the same time two] [one, at the same time two] [one two] [one two] [one] []]"
	if got := fmt.Sprint(titles); got != want {
		t.Errorf("were\n%s\nwant\n%s", got, want)
	}
	if len(ready) != 3 {
		t.Errorf("%d rules were made ready of 3", len(ready))
	}
	for _, only := range []time.Duration{30, 90, 200} { // what was before is not looked for in vain
		list, err := rulebook.TriggersThen(b.tx, config, []time.Time{noon.Add(only * time.Minute)})
		if err != nil || len(list[0]) != map[time.Duration]int{30: 1, 90: 2, 200: 1}[only] {
			t.Errorf("%d minutes past there are %d, %v", only, len(list[0]), err)
		}
	}
}
