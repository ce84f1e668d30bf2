package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// bulk compares creating tickets by create_many, 100 in one call, with creating
// them one by one. Rates are of tickets a second, on one connection that waits
// for each answer and, of create_many, until the job is completed.
type bulk struct {
	Single float64   `json:"single_rate"`
	Many   float64   `json:"many_rate"`
	Ratio  float64   `json:"ratio"`
	Ratios []float64 `json:"ratios"` // of the rounds
	Wanted float64   `json:"wanted"`
}

const bulkSize = 100

func measureBulk(ctx context.Context, o options, w *world, h *helpd) (*bulk, error) {
	say("Measuring: create_many of %d", bulkSize)
	c, err := dial(h.addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	r := rand.New(rand.NewPCG(rand.Uint64(), 3))
	one := func() error { return c.do(w, create(w, r), http.StatusCreated, nil) }
	many := func() error { return createMany(ctx, c, w, r) }
	b := &bulk{Wanted: 4}
	var single, together []float64
	for range o.rounds {
		length := time.Duration(o.seconds) * time.Second
		each, err := repeat(ctx, length, one)
		if err != nil {
			return nil, err
		}
		all, err := repeat(ctx, length, many)
		if err != nil {
			return nil, err
		}
		single, together = append(single, each), append(together, bulkSize*all)
		b.Ratios = append(b.Ratios, bulkSize*all/each)
	}
	b.Single, b.Many, b.Ratio = median(single), median(together), median(b.Ratios)
	return b, nil
}

// createMany creates tickets by one call and waits until they are there.
func createMany(ctx context.Context, c *client, w *world, r *rand.Rand) error {
	var list []object
	for range bulkSize {
		list = append(list, newTicket(w, r))
	}
	var job struct {
		Status struct {
			ID, Status string
			Results    []struct{ ID int64 }
		} `json:"job_status"`
	}
	err := c.ask(w, writing("POST", "/api/v2/tickets/create_many", object{"tickets": list}), http.StatusOK, &job)
	for err == nil && job.Status.Status != "completed" {
		if err = ctx.Err(); err == nil {
			time.Sleep(5 * time.Millisecond) // a client that asks without a pause would slow the job down
			err = c.ask(w, request{method: "GET", path: "/api/v2/job_statuses/" + job.Status.ID}, http.StatusOK, &job)
		}
	}
	if err != nil {
		return err
	}
	for _, result := range job.Status.Results {
		if result.ID == 0 {
			return fmt.Errorf("a ticket of job %s was not created", job.Status.ID)
		}
	}
	return nil
}

// repeat does something for the given time, and once more before that to warm
// up; it returns how often a second.
func repeat(ctx context.Context, length time.Duration, do func() error) (float64, error) {
	if err := do(); err != nil {
		return 0, err
	}
	n, begun := 0, time.Now()
	for ; time.Since(begun) < length; n++ {
		if err := do(); err != nil {
			return 0, err
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
	}
	return float64(n) / time.Since(begun).Seconds(), nil
}

func (b *bulk) print(out io.Writer) {
	fmt.Fprintf(out, "create_many of %d until its job is completed: %.0f tickets a second; one by one: %.0f; ratio %.1f (wanted ≥ %.0f) %s\n",
		bulkSize, b.Many, b.Single, b.Ratio, b.Wanted, missed(b.Ratio < b.Wanted))
}
