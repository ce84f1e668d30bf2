package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// sample is what a round gave.
type sample struct {
	rate    float64         // a second
	latency []time.Duration // sorted; of helpd only
	cpu     time.Duration   // that helpd used for one
}

// caller is one connection of the load: it asks again as soon as it has an
// answer.
type caller struct {
	file  *os.File
	begun time.Time
	out   []byte
	head  []byte // of the answer, until it is complete
	left  int    // bytes of body still to come; -1: the head is not complete
	fault []byte // body of an answer that is not as wanted
}

// drive asks helpd on several connections for the given time, after a warm-up
// of a quarter of it. One thread waits for all of them, as in pgbench: a
// goroutine for each would cost as much as a third of what helpd does.
func drive(ctx context.Context, o options, w *world, h *helpd, op operation) (s sample, err error) {
	callers := make([]*caller, o.connections)
	polled := make([]unix.PollFd, o.connections)
	for i := range callers {
		if callers[i], err = newCaller(h.addr); err != nil {
			return s, err
		}
		defer callers[i].file.Close()
		polled[i] = unix.PollFd{Fd: int32(callers[i].file.Fd()), Events: unix.POLLIN}
		if err := unix.SetNonblock(int(polled[i].Fd), true); err != nil { // Fd made it blocking
			return s, err
		}
	}
	length := time.Duration(o.seconds) * time.Second
	used, asked, warm := h.cpu(), 0, time.Now().Add(length/4)
	end := warm.Add(length)
	r := rand.New(rand.NewPCG(rand.Uint64(), 1))
	scratch := make([]byte, 256<<10)
	for i, c := range callers {
		if err := c.ask(int(polled[i].Fd), w, op.request(w, r)); err != nil {
			return s, err
		}
	}
	for time.Now().Before(end) && ctx.Err() == nil {
		if _, err := unix.Poll(polled, 1000); err != nil && !errors.Is(err, unix.EINTR) {
			return s, err
		}
		for i, c := range callers {
			if polled[i].Revents == 0 {
				continue
			}
			done, err := c.read(int(polled[i].Fd), scratch, op.status)
			if err != nil {
				return s, err
			}
			if !done {
				continue
			}
			asked++
			if c.begun.After(warm) {
				s.latency = append(s.latency, time.Since(c.begun))
			}
			if err := c.ask(int(polled[i].Fd), w, op.request(w, r)); err != nil {
				return s, err
			}
		}
	}
	slices.Sort(s.latency)
	s.rate = float64(len(s.latency)) / length.Seconds()
	s.cpu = (h.cpu() - used) / time.Duration(max(asked, 1))
	return s, ctx.Err()
}

func newCaller(addr string) (*caller, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close() // the file is a duplicate
	file, err := conn.(*net.TCPConn).File()
	return &caller{file: file}, err
}

func (c *caller) ask(fd int, w *world, q request) error {
	c.out = q.append(c.out[:0], w)
	c.head, c.left, c.fault, c.begun = c.head[:0], -1, c.fault[:0], time.Now()
	n, err := unix.Write(fd, c.out)
	if err == nil && n < len(c.out) { // requests are smaller than the socket's buffer
		err = fmt.Errorf("%d of %d bytes sent", n, len(c.out))
	}
	return err
}

// read takes what has come of the answer, and reports whether that is all.
func (c *caller) read(fd int, scratch []byte, want int) (done bool, err error) {
	for {
		n, err := unix.Read(fd, scratch)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			return false, nil
		case err != nil:
			return false, err
		case n == 0:
			return false, errors.New("helpd closed a connection")
		}
		body := scratch[:n]
		if c.left < 0 {
			if body, err = c.readHead(body); err != nil {
				return false, err
			}
			if c.left < 0 {
				continue
			}
		}
		c.left -= len(body)
		status := string(c.head[9:12])
		if status != strconv.Itoa(want) {
			c.fault = append(c.fault, body...)
		}
		if c.left > 0 {
			continue
		}
		if len(c.fault) > 0 {
			line, _, _ := bytes.Cut(c.out, []byte("\r\n"))
			return false, fmt.Errorf("%s: %s, not %d: %.500s", line, status, want, c.fault)
		}
		return true, nil
	}
}

// readHead takes the head of the answer and returns what is behind it.
func (c *caller) readHead(b []byte) ([]byte, error) {
	c.head = append(c.head, b...)
	head, body, ok := bytes.Cut(c.head, []byte("\r\n\r\n"))
	if !ok {
		return nil, nil
	}
	if bytes.HasPrefix(head, []byte("HTTP/1.1 304")) { // without a body, which needs no length
		c.left = 0
		return body, nil
	}
	_, after, ok := bytes.Cut(head, []byte("\r\nContent-Length: "))
	if !ok || len(head) < 12 {
		return nil, fmt.Errorf("an answer without its length: %.500s", head)
	}
	length, _, _ := bytes.Cut(after, []byte("\r\n"))
	var err error
	c.left, err = strconv.Atoi(string(length))
	return body, err
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
