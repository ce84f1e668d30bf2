package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"
)

// client is one connection that is kept open. It reads no more of HTTP than
// helpd writes, since it works on the same cores as what it measures: net/http
// would take five times as long.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	out  []byte
}

func dial(addr string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: conn, r: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// request is what to ask: method, path and, of a write, its JSON.
type request struct {
	method, path string
	body         []byte
}

// do sends the request and reads the answer to its end; keep, if not nil, gets
// the body. It fails unless the status is want.
func (c *client) do(w *world, q request, want int, keep *bytes.Buffer) error {
	c.out = append(c.out[:0], q.method...)
	c.out = append(append(append(c.out, ' '), q.path...), " HTTP/1.1\r\nHost: bench\r\nUser-Agent: bench/1\r\nAuthorization: "...)
	c.out = append(c.out, w.authorization...)
	if q.body != nil {
		c.out = append(c.out, "\r\nContent-Type: application/json\r\nContent-Length: "...)
		c.out = strconv.AppendInt(c.out, int64(len(q.body)), 10)
	}
	c.out = append(append(c.out, "\r\n\r\n"...), q.body...)
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if len(line) < 12 {
		return fmt.Errorf("not HTTP: %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return err
	}
	if status != want && keep == nil {
		keep = &bytes.Buffer{}
	}
	if err := c.readBody(keep); err != nil {
		return err
	}
	if status != want {
		return fmt.Errorf("%s %s: %d, not %d: %.500s", q.method, q.path, status, want, keep.Bytes())
	}
	return nil
}

// readBody reads headers and body, whose end its length tells or chunks do.
func (c *client) readBody(keep *bytes.Buffer) error {
	length, chunked := int64(0), false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 10, 64); err != nil {
				return err
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = true
		}
	}
	if !chunked {
		return c.take(length, keep)
	}
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 64)
		if err != nil {
			return err
		}
		if err := c.take(size, keep); err != nil {
			return err
		}
		if _, err := c.r.Discard(2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

func (c *client) take(n int64, keep *bytes.Buffer) error {
	if keep != nil {
		_, err := io.CopyN(keep, c.r, n)
		return err
	}
	_, err := c.r.Discard(int(n))
	return err
}

// sample is what a round gave.
type sample struct {
	rate    float64         // a second
	asked   int             // with those of the warm-up
	latency []time.Duration // sorted; of helpd only
	cpu     time.Duration   // that helpd used for one
}

// drive asks helpd on several connections, each asking again as soon as it has
// an answer, for the given time after a warm-up of a quarter of it.
func drive(ctx context.Context, o options, w *world, h *helpd, op operation) (sample, error) {
	length := time.Duration(o.seconds) * time.Second
	warm := time.Now().Add(length / 4)
	end := warm.Add(length)
	parts := make([]sample, o.connections)
	errs := make([]error, o.connections)
	var all sync.WaitGroup
	used := h.cpu()
	for i := range o.connections {
		all.Go(func() {
			parts[i], errs[i] = driveOne(ctx, w, h, op, rand.New(rand.NewPCG(rand.Uint64(), uint64(i))), warm, end)
		})
	}
	all.Wait()
	var s sample
	for _, p := range parts {
		s.latency = append(s.latency, p.latency...)
		s.asked += p.asked
	}
	slices.Sort(s.latency)
	s.rate = float64(len(s.latency)) / length.Seconds()
	if done := s.asked; done > 0 {
		s.cpu = (h.cpu() - used) / time.Duration(done)
	}
	return s, errors.Join(errs...)
}

func driveOne(ctx context.Context, w *world, h *helpd, op operation, r *rand.Rand, warm, end time.Time) (sample, error) {
	var s sample
	c, err := dial(h.addr)
	if err != nil {
		return s, err
	}
	defer c.conn.Close()
	for ctx.Err() == nil {
		begun := time.Now()
		if begun.After(end) {
			return s, nil
		}
		if err := c.do(w, op.request(w, r), op.status, nil); err != nil {
			return s, err
		}
		s.asked++
		if begun.After(warm) {
			s.latency = append(s.latency, time.Since(begun))
		}
	}
	return s, ctx.Err()
}

// quantile of sorted durations, in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return float64(sorted[int(q*float64(len(sorted)-1))].Microseconds()) / 1000
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}
