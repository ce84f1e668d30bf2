package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// rulesReport is what rules, or searches, cost in an account with many tickets.
type rulesReport struct {
	What    string   `json:"what"`
	Machine machine  `json:"machine"`
	Tickets int      `json:"tickets"`
	Of      string   `json:"of,omitempty"` // what Tickets counts, if not tickets
	Figures []figure `json:"figures"`
}

// figure is how long something takes, in milliseconds.
type figure struct {
	What   string  `json:"what"`
	Count  int     `json:"count"` // how often it was done
	Median float64 `json:"median_ms"`
	P99    float64 `json:"p99_ms"`
	Wanted float64 `json:"wanted_p99_ms,omitempty"`
	Most   float64 `json:"wanted_median_ms,omitempty"` // in place of Wanted
}

// parts are what can be measured of rules, by the names that --only takes.
var parts = []struct {
	name    string
	measure func(ctx context.Context, w *world, h *helpd) ([]figure, error)
}{
	{"triggers", measureTriggers},
	{"automations", measureAutomations},
	{"views", measureViews},
}

func measureRules(ctx context.Context, o options, h *helpd) error {
	w, err := h.account(ctx, account, o.tickets)
	if err != nil {
		return err
	}
	defer w.close()
	r := rulesReport{What: "Rules", Machine: describe(ctx, w), Tickets: o.tickets}
	for _, p := range parts {
		if !strings.HasPrefix(p.name, o.only) {
			continue
		}
		figures, err := p.measure(ctx, w, h)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		r.Figures = append(r.Figures, figures...)
	}
	r.print(os.Stdout)
	return write(o.json, r)
}

// judged tells what was wanted, and whether it was missed.
func (f figure) judged() string {
	switch {
	case f.Most > 0:
		return fmt.Sprintf("median ≤ %.1f\t%s", f.Most, missed(f.Median > f.Most))
	case f.Wanted > 0:
		return fmt.Sprintf("p99 < %.0f\t%s", f.Wanted, missed(f.P99 >= f.Wanted))
	}
	return "\t"
}

// figureOf are the median and the 99th percentile of what was measured.
func figureOf(what string, wanted float64, took []float64) figure {
	slices.Sort(took)
	return figure{What: what, Count: len(took), Median: took[len(took)/2], P99: took[(len(took)*99-1)/100], Wanted: wanted}
}

func (r rulesReport) print(out io.Writer) {
	r.Machine.print(out, fmt.Sprintf("%s, one request after another, in an account of %s %s", r.What, thousands(r.Tickets), cmp.Or(r.Of, "tickets")))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "what\ttimes\tmedian: ms\tp99: ms\twanted\t\n")
	for _, f := range r.Figures {
		fmt.Fprintf(t, "%s\t%d\t%.1f\t%.1f\t%s\n", f.What, f.Count, f.Median, f.P99, f.judged())
	}
	_ = t.Flush()
}

func (r rulesReport) verdicts() (list []verdict) {
	for _, f := range r.Figures {
		if f.Wanted > 0 {
			list = append(list, lessThan(strings.ToLower(r.What)+": "+f.What+", p99", f.P99, f.Wanted, "%.1f ms"))
		}
	}
	return list
}
