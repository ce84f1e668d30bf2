package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// outcome is what was measured, and held against what was wanted.
type outcome interface {
	print(out io.Writer)
	verdicts() []verdict
}

// verdict is one figure beside what was wanted of it.
type verdict struct {
	What     string `json:"what"`
	Measured string `json:"measured"`
	Wanted   string `json:"wanted"`
	Missed   bool   `json:"missed"`
}

// atLeast and lessThan are verdicts of figures that are to be as much, or less.
func atLeast(what string, measured, wanted float64, format string) verdict {
	return verdict{what, fmt.Sprintf(format, measured), "≥ " + fmt.Sprintf(format, wanted), measured < wanted}
}

func lessThan(what string, measured, wanted float64, format string) verdict {
	return verdict{what, fmt.Sprintf(format, measured), "< " + fmt.Sprintf(format, wanted), measured >= wanted}
}

type measuring func(context.Context, options, *helpd) (outcome, error)

// shown prints and writes what was measured.
func shown(measure measuring) func(context.Context, options, *helpd) error {
	return func(ctx context.Context, o options, h *helpd) error {
		r, err := measure(ctx, o, h)
		if err != nil || r == nil {
			return err
		}
		r.print(os.Stdout)
		return write(o.json, r)
	}
}

// leaving are the measures of all that leaves helpd. Searches are the last: they
// write other texts first.
var leaving = []leavingPart{
	{"exports", measureExports}, {"events", measureEvents}, {"webhooks", measureWebhooks}, {"stream", measureStream}, {"search", measureSearch},
}

type leavingPart struct {
	name    string
	measure measuring
}

// leavingReport is all of them in one.
type leavingReport struct {
	Parts    map[string]outcome `json:"parts"`
	Verdicts []verdict          `json:"verdicts"`
}

func measureLeaving(ctx context.Context, o options, h *helpd) error {
	r, failed := leavingOf(ctx, o, h, leaving)
	fmt.Printf("\nWhat leaves helpd, with %s tickets\n\n", thousands(o.tickets))
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\tmeasured\twanted\t")
	for _, v := range r.Verdicts {
		verdict := "as wanted"
		if v.Missed {
			verdict = missed(true)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", v.What, v.Measured, v.Wanted, verdict)
	}
	_ = t.Flush()
	return errors.Join(failed, write(o.json, r))
}

// leavingOf measures the parts. One that fails is told of and does not keep the
// others from being measured, which takes hours; the end of ctx does.
func leavingOf(ctx context.Context, o options, h *helpd, all []leavingPart) (r leavingReport, failed error) {
	r.Parts = map[string]outcome{}
	part := o
	part.only = ""
	for _, m := range all {
		if !strings.HasPrefix(m.name, o.only) {
			continue
		}
		got, err := m.measure(ctx, part, h)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", m.name, err))
			if ctx.Err() != nil {
				return r, failed
			}
			say("%s: %v", m.name, err)
			continue
		}
		got.print(os.Stdout)
		r.Parts[m.name], r.Verdicts = got, append(r.Verdicts, got.verdicts()...)
	}
	return r, failed
}
