// Measure drives helpd and, in turns with it, pgbench running the statements
// that helpd runs, and prints both beside each other. Usually scripts/bench
// runs it.
//
// A ratio says how much of what the database can do on this machine reaches the
// caller. Rates alone say little: they are as different as machines, and change
// within minutes on a shared one. So the two are measured in short rounds, one
// after the other.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

type options struct {
	helpd       string
	tickets     int
	dataDir     string
	json        string
	connections int
	rounds      int
	seconds     int
	only        string
}

func main() {
	o := options{}
	flag.StringVar(&o.helpd, "helpd", ".bin/helpd", "the program to measure")
	flag.IntVar(&o.tickets, "tickets", 100_000, "how many tickets to measure on, with three comments each")
	flag.StringVar(&o.dataDir, "data-dir", "", "helpd's data directory, kept to be measured on again; empty: one that is gone afterwards")
	flag.StringVar(&o.json, "json", "", "file to write the figures to, too")
	flag.IntVar(&o.connections, "connections", 4*runtime.NumCPU(), "connections that ask at the same time, of HTTP and of pgbench")
	flag.IntVar(&o.rounds, "rounds", 3, "how often the two take turns")
	flag.IntVar(&o.seconds, "seconds", 4, "how long a round of one of them takes")
	flag.StringVar(&o.only, "only", "", "measure this operation alone: "+operationNames())
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "bench: unknown argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.dataDir == "" {
		dir, err := os.MkdirTemp("", "helpd-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.dataDir = dir
	}
	pgbench, err := findPgbench()
	if err != nil {
		return err
	}
	h, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer h.stop() //nolint:errcheck // measured already, or failed with another error
	w, err := openWorld(ctx, h)
	if err != nil {
		return err
	}
	defer w.close()
	if err := w.fill(ctx, h, o.tickets); err != nil {
		return fmt.Errorf("fill: %w", err)
	}
	r := report{Machine: describe(ctx, w), Tickets: o.tickets, Connections: o.connections}
	if err := w.ready(ctx, h); err != nil {
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
	if r.Pages, err = measurePages(ctx, w, h); err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	r.Memory = memory()
	w.close()
	if r.Starts, err = h.measureStarts(ctx); err != nil {
		return fmt.Errorf("cold start: %w", err)
	}
	r.print(os.Stdout)
	if o.json == "" {
		return nil
	}
	return r.write(o.json)
}

// say tells on standard error what is going on; results go to standard output.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
