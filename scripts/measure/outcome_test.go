package main

import (
	"context"
	"errors"
	"io"
	"testing"
)

// figureless is an outcome of one verdict.
type figureless struct{}

func (figureless) print(io.Writer)     {}
func (figureless) verdicts() []verdict { return []verdict{{What: "all"}} }

func TestAPartThatFailsLeavesTheOthersMeasured(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	broken := errors.New("broken")
	good := func(context.Context, options, *helpd) (outcome, error) { return figureless{}, nil }
	bad := func(context.Context, options, *helpd) (outcome, error) { return nil, broken }
	ended := func(context.Context, options, *helpd) (outcome, error) { cancel(); return nil, ctx.Err() }
	r, err := leavingOf(ctx, options{}, nil, []leavingPart{{"a", good}, {"b", bad}, {"c", good}, {"d", ended}, {"e", good}})
	if len(r.Parts) != 2 || len(r.Verdicts) != 2 || !errors.Is(err, broken) || !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := leavingOf(t.Context(), options{only: "a"}, nil, []leavingPart{{"a", good}, {"b", bad}}); err != nil || len(r.Parts) != 1 {
		t.Errorf("the first alone: %+v, %v", r, err)
	}
}

func TestOptionsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		options
		refuse bool
	}{
		{options{}, false},
		{options{only: "show"}, false},
		{options{only: "create_many"}, false},
		{options{only: "sho"}, true}, // one operation, by its whole name
		{options{what: "pages", only: "tickets"}, false},
		{options{what: "pages", only: "foo"}, true},
		{options{what: "rules", only: "views"}, false},
		{options{what: "rules", only: "foo"}, true},
		{options{what: "exports", only: "exports"}, true},
		{options{what: "leaving", only: "ev"}, false},
		{options{what: "leaving", only: "foo", data: "d"}, true},
		{options{what: "leaving", only: "search"}, true}, // of which texts?
		{options{what: "leaving"}, true},
		{options{what: "leaving", data: "d"}, false},
		{options{what: "leaving", data: "d", check: true}, true},
		{options{check: true}, true},
		{options{what: "search", data: "d", check: true}, false},
		{options{what: "help-center", data: "d", check: true}, false},
		{options{what: "help-center"}, true},
		{options{what: "search", data: "d", only: "words"}, false},
		{options{what: "search", data: "d", only: "foo"}, true},
	} {
		if err := tc.options.refused(); (err != nil) != tc.refuse {
			t.Errorf("%+v: %v", tc.options, err)
		}
	}
}
