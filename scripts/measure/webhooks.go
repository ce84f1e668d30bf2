package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// webhooksReport is how fast deliveries go to one endpoint that answers at once,
// and how late others are while one hangs.
type webhooksReport struct {
	Machine   machine `json:"machine"`
	Count     int     `json:"deliveries"`
	Rate      float64 `json:"deliveries_per_second"`
	Alone     figure  `json:"alone"`            // from the answer to who made a ticket to the delivery
	Hanging   figure  `json:"beside_a_hanging"` // the same while another endpoint never answers
	Delayed   float64 `json:"delayed_p99_ms"`
	Under     int     `json:"under_way_to_the_hanging"`
	Backlog   int     `json:"backlog_of_the_hanging"`
	Delivered int     `json:"delivered_tickets"`
}

const (
	sentAtOnce  = 10_000
	hangingLate = 2_000 // deliveries that wait for the endpoint that hangs
	leastRate   = 1_000 // deliveries a second
	mostDelayed = 100   // ms
)

// toldOf has when each ticket was told of, by its number.
type toldOf struct {
	sync.Mutex
	at    map[int64]time.Time
	count atomic.Int64
}

func (t *toldOf) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	t.count.Add(1)
	if _, rest, ok := bytes.Cut(body, subject); ok {
		number, _, _ := bytes.Cut(rest, []byte(`"`))
		id, _ := strconv.ParseInt(string(number), 10, 64)
		t.Lock()
		t.at[id] = time.Now()
		t.Unlock()
	}
}

func measureWebhooks(ctx context.Context, o options, h *helpd) (outcome, error) {
	w, err := h.account(ctx, account, o.tickets)
	if err != nil {
		return nil, err
	}
	defer w.close()
	r := webhooksReport{Machine: describe(ctx, w), Count: sentAtOnce, Backlog: hangingLate}
	good := &toldOf{at: map[int64]time.Time{}}
	quick := httptest.NewServer(good)
	defer quick.Close()
	id, err := w.webhook(h, quick.URL)
	if err != nil {
		return nil, err
	}
	defer w.unhook(h, id)
	say("Measuring: %s deliveries to one endpoint", thousands(sentAtOnce))
	begun := time.Now()
	if err := w.queue(ctx, id, sentAtOnce); err != nil {
		return nil, err
	}
	for good.count.Load() < sentAtOnce {
		if time.Since(begun) > time.Minute {
			return nil, fmt.Errorf("%d of %d deliveries arrived in a minute", good.count.Load(), sentAtOnce)
		}
		time.Sleep(time.Millisecond)
	}
	r.Rate = sentAtOnce / time.Since(begun).Seconds()
	if r.Alone, err = w.lateness(ctx, h, good); err != nil {
		return nil, err
	}
	release := make(chan struct{})
	var under atomic.Int64
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		under.Add(1)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)
	stuck, err := w.webhook(h, hanging.URL)
	if err != nil {
		return nil, err
	}
	defer w.unhook(h, stuck)
	if err := w.queue(ctx, stuck, hangingLate); err != nil {
		return nil, err
	}
	for under.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	if r.Hanging, err = w.lateness(ctx, h, good); err != nil {
		return nil, err
	}
	r.Under, r.Delivered = int(under.Load()), len(good.at)
	r.Delayed = r.Hanging.P99 - r.Alone.P99
	return r, nil
}

func (r webhooksReport) print(out io.Writer) {
	r.Machine.print(out, "deliveries of webhooks")
	fmt.Fprintf(out, "%s deliveries to an endpoint that answers at once: %.0f a second (wanted %s) %s\n", thousands(sentAtOnce), r.Rate, thousands(leastRate), missed(r.Rate < leastRate))
	fmt.Fprintf(out, "At %d tickets a second, half are told of within %.1f ms of the answer to who made them, 99%% within %.1f ms\n", streamedRate, r.Alone.Median, r.Alone.P99)
	fmt.Fprintf(out, "While another endpoint hangs, for which %s wait: %.1f ms and %.1f ms, that is %.1f ms later (wanted < %d ms) %s\n",
		thousands(hangingLate), r.Hanging.Median, r.Hanging.P99, r.Delayed, mostDelayed, missed(r.Delayed >= mostDelayed))
}

func (r webhooksReport) verdicts() []verdict {
	return []verdict{
		atLeast("webhooks' deliveries a second", r.Rate, leastRate, "%.0f"),
		lessThan("delay of deliveries by an endpoint that hangs, p99", r.Delayed, mostDelayed, "%.1f ms"),
	}
}

// webhook makes one that is told of new tickets.
func (w *world) webhook(h *helpd, url string) (string, error) {
	c, err := dial(h.addr)
	if err != nil {
		return "", err
	}
	defer c.conn.Close()
	var made struct{ Webhook struct{ ID string } }
	err = c.ask(w, writing("POST", "/api/v2/webhooks", object{"webhook": object{
		"name": "bench", "status": "active", "endpoint": url, "http_method": "POST", "request_format": "json", "subscriptions": []string{"zen:event-type:ticket.created"},
	}}), http.StatusCreated, &made)
	return made.Webhook.ID, err
}

// unhook deletes a webhook, which would otherwise be told of later measures' tickets.
func (w *world) unhook(h *helpd, id string) {
	if c, err := dial(h.addr); err == nil {
		_ = c.do(w, request{method: "DELETE", path: "/api/v2/webhooks/" + id}, http.StatusNoContent, nil) // measured already
		_ = c.conn.Close()
	}
}

// queue puts deliveries into the queue of a webhook.
func (w *world) queue(ctx context.Context, webhook string, n int) error {
	_, err := w.conn.Exec(ctx, `INSERT INTO webhook_invocations (account_id, webhook_id, id, message_id, payload, status, tries, next_at)
		SELECT $1, $2, left($2, 10) || upper(left(md5($2 || g), 16)), 'bench', '{"bench":"' || repeat('x', 500) || '"}', 'pending', 0, now() FROM generate_series(1, $3::int) g`,
		w.account, webhook, n)
	return err
}

// lateness makes tickets, and tells how long after the answer each was told of.
func (w *world) lateness(ctx context.Context, h *helpd, t *toldOf) (figure, error) {
	answered, err := w.makeTickets(ctx, h)
	if err != nil {
		return figure{}, err
	}
	var late []float64
	for id, at := range answered {
		for begun := time.Now(); ; time.Sleep(time.Millisecond) {
			t.Lock()
			heard, ok := t.at[id]
			t.Unlock()
			if ok {
				late = append(late, max(0, float64(heard.Sub(at).Microseconds())/1000))
				break
			}
			if time.Since(begun) > 30*time.Second {
				return figure{}, fmt.Errorf("ticket %d was not told of", id)
			}
		}
	}
	return figureOf("", 0, late), nil
}
