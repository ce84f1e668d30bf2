package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// eventsReport is what the log of events costs an update of a ticket: its rows and
// the numbers that they get, which helpd gives beside. Beside it stands what places
// in exports cost: the triggers that note what was written, and the places.
type eventsReport struct {
	Machine  machine `json:"machine"`
	Tickets  int     `json:"tickets"`
	Rate     float64 `json:"updates_per_second"`  // by helpd
	With     float64 `json:"statements_with"`     // updates a second of the same statements in pgbench
	Unlogged float64 `json:"statements_unlogged"` // without those of the log
	Without  float64 `json:"statements_without"`  // without those of the log, while nothing is noted for exports
	Cost     float64 `json:"cost_percent"`        // of an update by helpd without events; median of the rounds
	Places   float64 `json:"places_percent"`      // of an update by helpd without both
}

// wantedCost is what was wanted of it, in percent.
const wantedCost = 10

// loggedBy is how the part of a save's statement begins that writes events.
var loggedBy = regexp.MustCompile(`\w+ AS \(INSERT INTO event_batches `)

// measureEvents has pgbench run an update's statements as they are, then without
// the log's part, and then while nothing is noted for exports either. What they
// take is the same but for that, and so is what helpd takes beside them.
func measureEvents(ctx context.Context, o options, h *helpd) (outcome, error) {
	pgbench, err := findPgbench()
	if err != nil {
		return nil, err
	}
	w, err := h.account(ctx, account, o.tickets)
	if err != nil {
		return nil, err
	}
	defer w.close()
	r := eventsReport{Machine: describe(ctx, w), Tickets: o.tickets}
	op := operations[slices.IndexFunc(operations, func(op operation) bool { return op.name == "update" })]
	list, err := capture(ctx, w, h, op)
	if err != nil {
		return nil, err
	}
	with, without, done, err := bothWays(w, op, list)
	if err != nil {
		return nil, err
	}
	defer done()
	// Also when it is cut off: records that are not noted are never exported.
	defer w.noting(context.WithoutCancel(ctx), true)
	var rates, withs, unlogged, bare, costs, places []float64
	for round := range o.rounds {
		say("Measuring: updates with and without events, round %d", round+1)
		ours, err := drive(ctx, o, w, h, op)
		if err != nil {
			return nil, err
		}
		// In turns, for whoever comes later finds more to be written to the disk.
		var a, b, c float64
		ways := []struct {
			scripts
			noting bool
			rate   *float64
		}{{with, true, &a}, {without, true, &b}, {without, false, &c}}
		for i := range ways {
			way := ways[(i+round)%len(ways)]
			if err := w.noting(ctx, way.noting); err != nil {
				return nil, err
			}
			if *way.rate, err = way.run(ctx, pgbench, w.dsn, o); err != nil {
				return nil, err
			}
		}
		if err := w.noting(ctx, true); err != nil {
			return nil, err
		}
		// Seconds of the machine, which all of them use fully.
		logging, noting := 1/a-1/b, 1/b-1/c
		rates, withs, unlogged, bare = append(rates, ours.rate), append(withs, a), append(unlogged, b), append(bare, c)
		costs = append(costs, 100*logging/(1/ours.rate-logging))
		places = append(places, 100*noting/(1/ours.rate-logging-noting))
	}
	r.Rate, r.With, r.Unlogged, r.Without, r.Cost, r.Places = median(rates), median(withs), median(unlogged), median(bare), median(costs), median(places)
	return r, nil
}

// bothWays are scripts of the statements as they are, and without the log's part.
func bothWays(w *world, op operation, list []captured) (with, without scripts, done func(), err error) {
	dir, err := os.MkdirTemp("", "helpd-pgbench-")
	if err != nil {
		return with, without, nil, err
	}
	done = func() { _ = os.RemoveAll(dir) }
	if with, err = writeScripts(dir, w, op, list); err == nil {
		bare := make([]captured, len(list))
		for i, c := range list {
			if bare[i], err = c.unlogged(); err != nil {
				break
			}
		}
		if err == nil {
			op.name += "-without-events"
			without, err = writeScripts(dir, w, op, bare)
		}
	}
	if err != nil {
		done()
	}
	return with, without, done, err
}

// unlogged are the statements without the part that writes events. It fails where
// there is none, for then nothing would be compared.
func (c captured) unlogged() (captured, error) {
	out := captured{bind: c.bind}
	found := false
	for _, s := range c.statements {
		for at := loggedBy.FindStringIndex(s.sql); at != nil; at = loggedBy.FindStringIndex(s.sql) {
			found = true
			before, rest := s.sql[:at[0]], s.sql[at[1]:]
			depth, end := 1, 0
			for end < len(rest) && depth > 0 {
				switch rest[end] {
				case '(':
					depth++
				case ')':
					depth--
				}
				end++
			}
			rest = rest[end:]
			if strings.HasSuffix(before, "WITH ") {
				rest = strings.TrimPrefix(rest, ", ")
			} else {
				before = strings.TrimSuffix(before, ", ")
			}
			s.sql = before + rest
		}
		out.statements = append(out.statements, s)
	}
	if !found {
		return out, fmt.Errorf("an update writes no events: %v", c.statements)
	}
	return out, nil
}

// noting has the triggers that note what is to be exported work or not. There is no
// such setting of helpd's.
func (w *world) noting(ctx context.Context, on bool) error {
	how := "DISABLE"
	if on {
		how = "ENABLE"
	}
	_, err := w.conn.Exec(ctx, `DO $$ DECLARE t record; BEGIN
		FOR t IN SELECT tgname, tgrelid::regclass AS of FROM pg_trigger WHERE tgfoid = 'touch'::regproc LOOP
			EXECUTE format('ALTER TABLE %s `+how+` TRIGGER %I', t.of, t.tgname);
		END LOOP;
	END $$`)
	return err
}

func (r eventsReport) print(out io.Writer) {
	r.Machine.print(out, fmt.Sprintf("Updates of %s tickets, and what events take of them", thousands(r.Tickets)))
	fmt.Fprintf(out, "helpd: %.0f a second. Its statements alone: %.0f a second, %.0f without those of events, and %.0f without places in exports, too.\n", r.Rate, r.With, r.Unlogged, r.Without)
	fmt.Fprintf(out, "Events cost an update %.1f%% (wanted ≤ %d%%) %s\n", r.Cost, wantedCost, missed(r.Cost > wantedCost))
	fmt.Fprintf(out, "Places in exports cost it another %.1f%%\n", r.Places)
}

func (r eventsReport) verdicts() []verdict {
	return []verdict{{"events cost an update", fmt.Sprintf("%.1f%%", r.Cost), fmt.Sprintf("≤ %d%%", wantedCost), r.Cost > wantedCost}}
}
