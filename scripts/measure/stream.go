package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// streamReport is what the live stream costs with many listeners, and how late
// they hear of tickets.
type streamReport struct {
	Machine   machine `json:"machine"`
	Listeners int     `json:"listeners"`
	Idle      float64 `json:"idle_mb"` // that listeners take while nothing happens
	Busy      float64 `json:"busy_mb"` // at most
	Heard     figure  `json:"heard"`   // after the answer to whoever made the ticket
}

const (
	listeners       = 1_000
	timedListeners  = 50 // listeners whose delays are taken; all count what they hear
	streamedTickets = 100
	streamedRate    = 10 // tickets a second: 10,000 events a second go out
)

// listener hears of new tickets.
type listener struct {
	conn  net.Conn
	count atomic.Int64
	at    map[int64]time.Time // by the ticket's number; nil: not timed
	ended chan error
}

func measureStream(ctx context.Context, o options, h *helpd) (outcome, error) {
	w, err := h.account(ctx, account, o.tickets)
	if err != nil {
		return nil, err
	}
	defer w.close()
	r := streamReport{Machine: describe(ctx, w), Listeners: listeners}
	pid := h.cmd.Process.Pid
	before := status(pid, "VmRSS")
	all := make([]*listener, listeners)
	for i := range all {
		if all[i], err = w.listen(h.addr, i < timedListeners); err != nil {
			return nil, err
		}
		defer all[i].conn.Close()
	}
	r.Idle = status(pid, "VmRSS") - before
	memory := h.watchMemory()
	say("Measuring: %d listeners, while %d tickets a second are made", listeners, streamedRate)
	answered, err := w.makeTickets(ctx, h)
	if err != nil {
		return nil, err
	}
	for i, l := range all {
		for begun := time.Now(); l.count.Load() < streamedTickets; time.Sleep(time.Millisecond) {
			if time.Since(begun) > 30*time.Second {
				return nil, fmt.Errorf("listener %d heard of %d tickets", i, l.count.Load())
			}
		}
	}
	r.Busy = memory().Resident - before
	var late []float64
	for _, l := range all {
		_ = l.conn.Close()
		<-l.ended
		if n := l.count.Load(); n != streamedTickets {
			return nil, fmt.Errorf("a listener heard of %d tickets, and %d were made", n, streamedTickets)
		}
		for id, at := range l.at {
			late = append(late, max(0, float64(at.Sub(answered[id]).Microseconds())/1000))
		}
	}
	r.Heard = figureOf("", 100, late)
	return r, nil
}

func (r streamReport) print(out io.Writer) {
	r.Machine.print(out, fmt.Sprintf("%s listeners to the live stream of an account", thousands(listeners)))
	fmt.Fprintf(out, "While nothing happens they take %.0f MB, and at most %.0f MB (wanted < 100 MB) %s\n", r.Idle, r.Busy, missed(r.Busy >= 100))
	fmt.Fprintf(out, "At %d tickets a second all hear of each once: half within %.1f ms of the answer to who made it, 99%% within %.1f ms (wanted < %.0f ms) %s\n",
		streamedRate, r.Heard.Median, r.Heard.P99, r.Heard.Wanted, missed(r.Heard.P99 >= r.Heard.Wanted))
}

func (r streamReport) verdicts() []verdict {
	return []verdict{
		lessThan(fmt.Sprintf("memory of %s listeners to the stream", thousands(r.Listeners)), r.Busy, 100, "%.0f MB"),
		lessThan("stream, after the answer to who made the ticket, p99", r.Heard.P99, r.Heard.Wanted, "%.1f ms"),
	}
}

// listen begins to listen for new tickets.
func (w *world) listen(addr string, timed bool) (*listener, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	l := &listener{conn: conn, ended: make(chan error, 1)}
	if timed {
		l.at = map[int64]time.Time{}
	}
	q := request{method: "GET", path: "/api/v2/events/stream?filter%5Btype%5D=ticket.created"}
	if _, err := conn.Write(q.append(nil, w)); err != nil {
		return nil, err
	}
	lines := bufio.NewReaderSize(conn, 8<<10)
	for { // the first comment says that what happens from now on is heard
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		if bytes.HasPrefix(line, []byte("HTTP/1.1 ")) && !bytes.HasPrefix(line[9:], []byte("200")) {
			return nil, fmt.Errorf("listen: %s", line)
		}
		if bytes.HasPrefix(line, []byte(": helpd")) {
			break
		}
	}
	go func() { l.ended <- l.hear(lines) }()
	return l, nil
}

var subject = []byte(`"subject":"zen:ticket:`)

// hear counts events until the connection ends.
func (l *listener) hear(lines *bufio.Reader) error {
	for {
		line, err := lines.ReadSlice('\n') // of a longer one, its beginning, and then its rest
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
		if !bytes.HasPrefix(line, []byte("data: ")) {
			continue
		}
		l.count.Add(1)
		if _, rest, ok := bytes.Cut(line, subject); ok && l.at != nil {
			number, _, _ := bytes.Cut(rest, []byte(`"`))
			id, _ := strconv.ParseInt(string(number), 10, 64)
			l.at[id] = time.Now()
		}
	}
}

// makeTickets makes tickets at a steady rate, and tells when each was answered.
func (w *world) makeTickets(ctx context.Context, h *helpd) (map[int64]time.Time, error) {
	c, err := dial(h.addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	r := rand.New(rand.NewPCG(rand.Uint64(), 6))
	answered := map[int64]time.Time{}
	tick := time.NewTicker(time.Second / streamedRate)
	defer tick.Stop()
	for range streamedTickets {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		var made struct{ Ticket struct{ ID int64 } }
		if err := c.ask(w, create(w, r), http.StatusCreated, &made); err != nil {
			return nil, err
		}
		answered[made.Ticket.ID] = time.Now()
	}
	return answered, nil
}
