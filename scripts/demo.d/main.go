// Demo loads a file of support tickets into a running helpd through its public
// API, and checks that they are all there. It may be stopped at any time and
// started again: what is there already stays as it is.
//
// The file is the "Customer Support Ticket Dataset" in CSV. See tickets.go for
// what becomes of its columns.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const usage = `usage: scripts/demo FILE.csv

FILE.csv is the "Customer Support Ticket Dataset" (Kaggle, suraj520): a line of
headings with "Ticket ID", "Customer Name", "Customer Email" and so on, and a
ticket on each line. helpd is looked for at $HELPD_URL, by default
http://127.0.0.1:8080, and called as $HELPD_ADMIN_EMAIL with $HELPD_ADMIN_TOKEN.
`

func main() {
	wait := flag.Duration("ready", -1, "only wait so long for helpd to be ready")
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	url := strings.TrimRight(env("HELPD_URL", "http://127.0.0.1:8080"), "/")
	var err error
	switch {
	case *wait >= 0:
		err = ready(ctx, url, *wait)
	case flag.NArg() != 1:
		flag.Usage()
		os.Exit(2)
	default:
		err = load(ctx, url, flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

func load(ctx context.Context, url, file string) error {
	start := time.Now()
	rows, err := readFile(file)
	if err != nil {
		return err
	}
	a := newCaller(url, env("HELPD_ADMIN_EMAIL", "admin@example.com"), os.Getenv("HELPD_ADMIN_TOKEN"))
	me, err := a.me(ctx)
	if err != nil {
		return err
	}
	// What an earlier run handed over is not among the tickets yet.
	if err := a.waitForImports(ctx); err != nil {
		return err
	}
	before, err := a.tickets(ctx)
	if err != nil {
		return err
	}
	missing := before.without(rows)
	fmt.Fprintf(os.Stderr, "%d tickets in the file, %d of them are in helpd already.\n", len(rows), len(rows)-len(missing))
	var failed error
	if len(missing) > 0 {
		failed = a.create(ctx, me, rows, missing)
	}
	if ctx.Err() != nil {
		return errors.New("interrupted; run it again to go on")
	}
	after, err := a.tickets(ctx)
	if err != nil {
		return err
	}
	count, err := a.count(ctx)
	if err != nil {
		return err
	}
	return errors.Join(failed, summary(rows, missing, after, count, time.Since(start)))
}

// create makes what the missing rows need, and then their tickets.
func (a *caller) create(ctx context.Context, me int64, rows, missing []row) error {
	m := mapping{me: me}
	var err error
	if m.fields, err = a.ensureFields(ctx, rows); err != nil {
		return err
	}
	if m.people, err = a.people(ctx, rows, missing); err != nil {
		return err
	}
	return a.importTickets(ctx, m, missing)
}

// summary tells what is there now, and fails unless it is what the file holds.
func summary(rows, missing []row, now inventory, count int64, took time.Duration) error {
	want, have := map[string]int{}, map[string]int{}
	var wrong []string
	for _, r := range rows {
		want[r.status()]++
		found := now.ours[r.externalID()]
		if len(found) != 1 {
			wrong = append(wrong, fmt.Sprintf("%s: %d tickets", r.externalID(), len(found)))
		}
		for _, status := range found {
			have[status]++
		}
	}
	fmt.Printf("\n%-10s %8s %8s\n", "Status", "File", "helpd")
	for _, status := range []string{"new", "open", "pending", "hold", "solved", "closed"} {
		if want[status] != 0 || have[status] != 0 {
			fmt.Printf("%-10s %8d %8d\n", status, want[status], have[status])
		}
		if want[status] != have[status] {
			wrong = append(wrong, fmt.Sprintf("%d tickets are %s and not %d", have[status], status, want[status]))
		}
	}
	fmt.Printf("%-10s %8d %8d\n", "all", len(rows), now.total-now.others)
	fmt.Printf("\n%d created in %s", len(missing), took.Round(100*time.Millisecond))
	if len(missing) > 0 {
		fmt.Printf(" (%.0f a second, requesters and checks included)", float64(len(missing))/took.Seconds())
	}
	fmt.Printf("; helpd counts %d tickets, %d of them not from the file.\n", count, now.others)
	if count != int64(len(rows)+now.others) {
		wrong = append(wrong, fmt.Sprintf("helpd counts %d tickets and not %d", count, len(rows)+now.others))
	}
	if len(wrong) > 0 {
		if len(wrong) > 10 {
			wrong = append(wrong[:10], fmt.Sprintf("and %d more", len(wrong)-10))
		}
		return fmt.Errorf("the counts differ:\n  %s", strings.Join(wrong, "\n  "))
	}
	fmt.Println("All counts are as they must be.")
	return nil
}
