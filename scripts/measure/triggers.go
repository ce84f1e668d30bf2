package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// manyTriggers is how many an account may well have; each asks eight questions,
// of which the last, about words, alone is answered no: nothing spares the other
// seven.
const manyTriggers = 1_000

func aTrigger(n int) object {
	condition := func(field, operator string, value any) object {
		return object{"field": field, "operator": operator, "value": value}
	}
	return object{
		"title": fmt.Sprintf("bench %d", n),
		"all": []object{
			condition("update_type", "is", "Change"), condition("status", "less_than", "closed"), condition("assignee_id", "not_changed", nil),
			condition("group_id", "not_changed", nil), condition("brand_id", "not_changed", nil),
			condition("current_tags", "not_includes", fmt.Sprintf("bench_tag_%d", n)), condition("ticket_is_public", "is", "public"),
			condition("subject_includes_word", "includes", fmt.Sprintf("bench_word_%d", n)),
		},
		"actions": []object{{"field": "priority", "value": "urgent"}},
	}
}

// setTriggers has the account have these triggers and no others.
func (w *world) setTriggers(ctx context.Context, c *client, n int) error {
	if _, err := w.conn.Exec(ctx, "DELETE FROM rules WHERE account_id = $1 AND kind = 'trigger'", w.account); err != nil {
		return err
	}
	for i := range n {
		if err := c.do(w, writing("POST", "/api/v2/triggers", object{"trigger": aTrigger(i)}), http.StatusCreated, nil); err != nil {
			return err
		}
	}
	return nil
}

// measureTriggers changes tickets of the account in turns with many triggers and
// with one.
func measureTriggers(ctx context.Context, w *world, h *helpd) ([]figure, error) {
	c, err := dial(h.addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	const rounds, each = 4, 250
	r := rand.New(rand.NewPCG(rand.Uint64(), 9))
	var took [2][]float64
	for range rounds {
		for i, n := range []int{1, manyTriggers} {
			if err := w.setTriggers(ctx, c, n); err != nil {
				return nil, err
			}
			for k := range each + 20 { // the first warm up
				q := writing("PUT", "/api/v2/tickets/"+text(w.openTicket(r)), object{"ticket": object{"priority": []string{"low", "normal", "high"}[k%3]}})
				asked := time.Now()
				if err := c.do(w, q, http.StatusOK, nil); err != nil {
					return nil, err
				}
				if k >= 20 {
					took[i] = append(took[i], float64(time.Since(asked).Microseconds())/1000)
				}
			}
		}
	}
	one := figureOf("update of a ticket, one trigger", 0, took[0])
	many := figureOf(fmt.Sprintf("update of a ticket, %s triggers of 8 conditions", thousands(manyTriggers)), 0, took[1])
	many.Most = 1.5 * one.Median
	return []figure{one, many}, w.setTriggers(ctx, c, 0)
}

var acted = regexp.MustCompile(`acted on (\d+) tickets in (\S+)`)

// measureAutomations runs an automation that holds for 1,000 tickets of all.
func measureAutomations(ctx context.Context, w *world, h *helpd) ([]figure, error) {
	const matching = 1_000
	var took []float64
	for n := range 3 {
		tag := fmt.Sprintf("bench_due_%d_%d", time.Now().Unix(), n)
		if _, err := w.conn.Exec(ctx, `UPDATE tickets SET tags = array_append(tags, $2) WHERE account_id = $1 AND id IN (
			SELECT id FROM tickets WHERE account_id = $1 AND status IN ('open', 'pending') AND deleted_at IS NULL ORDER BY hashint8(id + $3) LIMIT $4)`,
			w.account, tag, n, matching); err != nil {
			return nil, err
		}
		c, err := dial(h.addr) // now: a connection that waits long is closed
		if err != nil {
			return nil, err
		}
		defer c.conn.Close()
		var made struct{ Automation struct{ ID int64 } }
		err = c.ask(w, writing("POST", "/api/v2/automations", object{"automation": object{
			"title": tag,
			"all": []object{
				{"field": "status", "operator": "less_than", "value": "solved"}, {"field": "current_tags", "operator": "includes", "value": tag},
				{"field": "NEW", "operator": "greater_than", "value": "1"},
			},
			"actions": []object{{"field": "current_tags", "value": "bench_done_" + tag}},
		}}), http.StatusCreated, &made)
		if err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, h.options.helpd, "automations", "run", "--data-dir", h.options.dataDir)
		cmd.Env = environment()
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, out)
		}
		m := acted.FindSubmatch(out)
		if m == nil {
			return nil, fmt.Errorf("helpd automations run: %s", out)
		}
		if n, _ := strconv.Atoi(string(m[1])); n < matching*9/10 { // some may be younger than an hour
			return nil, fmt.Errorf("acted on %d tickets instead of %d", n, matching)
		}
		d, err := time.ParseDuration(string(m[2]))
		if err != nil {
			return nil, err
		}
		took = append(took, float64(d.Milliseconds()))
		if _, err := w.conn.Exec(ctx, "DELETE FROM rules WHERE account_id = $1 AND id = $2", w.account, made.Automation.ID); err != nil {
			return nil, err
		}
	}
	return []figure{figureOf("run of automations, 1,000 tickets due", 5_000, took)}, nil
}
