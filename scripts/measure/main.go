// Measure drives helpd and, in turns with it, pgbench running the statements
// that helpd runs, and prints both beside each other. Usually scripts/bench
// runs it.
//
// A ratio says how much of what the database can do on this machine reaches the
// caller. Rates alone say little: they are as different as machines, and change
// within minutes on a shared one. So the two are measured in short rounds, one
// after the other.
//
// "measure pages" compares pages of lists in an account with many tickets with the
// same pages in one with few. "measure rules" measures what rules cost with many
// tickets, part by part, and "measure search" what searches cost.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
)

type options struct {
	helpd       string
	what        string // of measures
	tickets     int
	small       int
	dataDir     string
	json        string
	connections int
	rounds      int
	seconds     int
	only        string
	data        string
	check       bool
}

func main() {
	o, args := options{}, os.Args[1:]
	if len(args) > 0 && args[0] != "" && measures[args[0]] != nil {
		o.what, args = args[0], args[1:]
	}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage); flags.PrintDefaults() }
	flags.StringVar(&o.helpd, "helpd", ".bin/helpd", "the program to measure")
	flags.IntVar(&o.tickets, "tickets", 0, "how many tickets to measure on, with three comments each (100,000; for pages, rules and leaving 1,000,000)")
	flags.IntVar(&o.small, "small", 10_000, "pages: how many tickets the other account has")
	flags.StringVar(&o.dataDir, "data-dir", "", "helpd's data directory, kept to be measured on again; empty: one that is gone afterwards")
	flags.StringVar(&o.json, "json", "", "file to write the figures to, too")
	flags.IntVar(&o.connections, "connections", 8*runtime.NumCPU(), "connections that ask at the same time, of HTTP and of pgbench")
	flags.IntVar(&o.rounds, "rounds", 3, "how often the two take turns")
	flags.IntVar(&o.seconds, "seconds", 4, "how long a round of one of them takes, or a page at most")
	flags.StringVar(&o.only, "only", "", "measure this operation alone: "+strings.Join(operationNames(), ", ")+"; or the pages, searches, or parts of rules or leaving, whose names begin so")
	flags.StringVar(&o.data, "data", "", "search: directory with support_tickets.csv and articles, whose texts tickets get")
	flags.BoolVar(&o.check, "check", false, "search, help-center: hold searches against the texts instead")
	_ = flags.Parse(args) // ends the program when it fails
	if flags.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "bench: unknown argument %q\n", flags.Arg(0))
		os.Exit(2)
	}
	if o.tickets == 0 {
		o.tickets = 100_000
		if o.what == "pages" || o.what == "rules" || o.what == "leaving" {
			o.tickets = 1_000_000
		}
		if o.what == "help-center" {
			o.tickets = 50_000
		}
		if o.what == "stream" || o.what == "webhooks" {
			o.tickets = 1_000
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

const usage = `bench measures helpd beside pgbench, which runs the same statements.
bench pages measures what pages of lists cost in an account of many tickets,
in turns with the same pages of an account of few. bench rules measures triggers, automations and views
in an account of many tickets. bench search measures searches in one whose tickets
say what the files of --data say. bench stream measures 1,000 listeners to the live stream,
bench webhooks deliveries, also beside an endpoint that hangs.
bench exports reads all tickets by cursor and as a file, in turns with COPY.
bench events has pgbench run an update's statements with and without those of events and of
places in exports.
bench help-center reads and searches articles in three languages.
bench leaving is all of the five before, with one report at the end.

  bench [flags]
  bench pages [flags]
  bench rules [flags]
  bench search --data DIR [--check] [flags]
  bench stream [flags]
  bench webhooks [flags]
  bench exports [flags]
  bench events [flags]
  bench help-center --data DIR [--check] [flags]
  bench leaving --data DIR [--only exports|events|webhooks|stream|search] [flags]

`

// measures are what can be measured, by its name; that of operations is empty.
var measures = map[string]func(context.Context, options, *helpd) error{
	"": measureOperations, "pages": measurePages, "rules": measureRules, "leaving": measureLeaving, "exports": shown(measureExports),
	"events": shown(measureEvents), "webhooks": shown(measureWebhooks), "stream": shown(measureStream), "search": shown(measureSearch),
	"help-center": shown(measureHelpCenter),
}

// choices are what --only chooses from: all whose names begin as it says, but for
// operations, of which it names one.
func (o options) choices() (names []string) {
	switch o.what {
	case "":
		return operationNames()
	case "pages":
		for _, p := range listings {
			names = append(names, p.name)
		}
	case "rules":
		for _, p := range parts {
			names = append(names, p.name)
		}
	case "search":
		for _, s := range searched {
			names = append(names, s.name)
		}
	case "leaving":
		for _, m := range leaving {
			names = append(names, m.name)
		}
	}
	return names
}

// refused says what of the options cannot be, before anything is filled.
func (o options) refused() error {
	if o.check && o.what != "search" && o.what != "help-center" {
		return errors.New("--check is for search and help-center")
	}
	if names := o.choices(); o.only != "" && !slices.ContainsFunc(names, func(name string) bool {
		return name == o.only || o.what != "" && strings.HasPrefix(name, o.only)
	}) {
		if names == nil {
			return fmt.Errorf("--only: %s has no parts", o.what)
		}
		return fmt.Errorf("--only: there is no %q; there are: %s", o.only, strings.Join(names, ", "))
	}
	texts := o.what == "search" || o.what == "help-center" || o.what == "leaving" && strings.HasPrefix("search", o.only)
	if texts && o.data == "" {
		return fmt.Errorf("%s: --data DIR names the texts: support_tickets.csv and articles/*/*.md", o.what)
	}
	return nil
}

func run(ctx context.Context, o options) (err error) {
	if err := o.refused(); err != nil {
		return err
	}
	if o.dataDir == "" {
		dir, err := os.MkdirTemp("", "helpd-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dataDir = dir
	}
	h, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer h.stop() // measured already, or failed with another error
	ctx, cancel := h.whileItRuns(ctx)
	defer cancel()
	err = measures[o.what](ctx, o, h)
	if err == nil || errors.Is(context.Cause(ctx), context.Canceled) {
		return err // as it is, also when a signal ended us
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("%w%s", err, h.lastWords())
}

func measureOperations(ctx context.Context, o options, h *helpd) error {
	pgbench, err := findPgbench()
	if err != nil {
		return err
	}
	w, err := h.account(ctx, account, o.tickets)
	if err != nil {
		return err
	}
	defer w.close()
	r := report{Machine: describe(ctx, w), Tickets: o.tickets, Connections: o.connections}
	if err := w.walk(ctx, h.addr); err != nil {
		return err
	}
	memory := h.watchMemory()
	for _, op := range operations {
		if o.only != "" && o.only != op.name {
			continue
		}
		m, err := measure(ctx, o, w, h, pgbench, op)
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		r.Operations = append(r.Operations, m)
	}
	if o.only == "" {
		if r.Depth, err = measureDepth(ctx, w, h.addr); err != nil {
			return fmt.Errorf("deep page: %w", err)
		}
	}
	if o.only == "" || o.only == "create_many" {
		if r.Bulk, err = measureBulk(ctx, o, w, h); err != nil {
			return fmt.Errorf("create_many: %w", err)
		}
	}
	r.Memory = memory()
	w.close()
	if r.Starts, err = h.measureStarts(ctx); err != nil {
		return fmt.Errorf("cold start: %w", err)
	}
	r.print(os.Stdout)
	return write(o.json, r)
}

// say tells on standard error what is going on; results go to standard output.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
