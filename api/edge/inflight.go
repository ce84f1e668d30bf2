package edge

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/server/fault"
)

const (
	// maxWait is how long a request waits for its turn. Bursts are shorter;
	// what waits longer is refused while its sender still listens.
	maxWait = 500 * time.Millisecond
	// waitingPerPlace bounds the requests that wait. More could not be served
	// within maxWait anyway.
	waitingPerPlace = 4
	// maxStreams is how many listeners one process has: about 40 KB each.
	maxStreams = 5_000
)

// InFlight lets max requests be worked on at the same time, and as many
// uploads, which take long without much work and must not use up the others'
// places; and besides maxStreams listeners to streams, who mostly wait. A request
// beyond that waits shortly and then fails with fault.Overloaded. Probes always
// pass. 0 is no limit.
func InFlight(max int) echo.MiddlewareFunc {
	if max <= 0 {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	calls := &lane{places: make(chan struct{}, max)}
	uploads := &lane{places: make(chan struct{}, max)}
	streams := &lane{places: make(chan struct{}, maxStreams)}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			path := c.Request().URL.Path
			if isProbe(path) {
				return next(c)
			}
			p := &of(c).place
			p.lane = calls
			switch {
			case isUpload(path):
				p.lane = uploads
			case isStream(path):
				p.lane = streams
			}
			if err := p.take(c.Request().Context()); err != nil {
				return err
			}
			defer p.leave()
			return next(c)
		}
	}
}

// lane is a number of places and those who wait for one.
type lane struct {
	places  chan struct{}
	waiting atomic.Int64
}

// place is a request's place in a lane. Without a lane there is always one.
type place struct {
	lane *lane
	held bool
}

func (p *place) take(ctx context.Context) error {
	if p.lane == nil || p.held {
		return nil
	}
	select {
	case p.lane.places <- struct{}{}:
		p.held = true
		return nil
	default:
	}
	return p.wait(ctx)
}

func (p *place) wait(ctx context.Context) error {
	l := p.lane
	defer l.waiting.Add(-1)
	if l.waiting.Add(1) > int64(waitingPerPlace*cap(l.places)) {
		return overloaded()
	}
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case l.places <- struct{}{}:
		p.held = true
		return nil
	case <-timer.C:
		return overloaded()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (p *place) leave() {
	if p.held {
		p.held = false
		<-p.lane.places
	}
}

func overloaded() error {
	e := fault.New(fault.Overloaded, "The server is busy. Please try again shortly.")
	e.RetryAfter = time.Second
	return e
}

// UserImageUploads is what paths begin with that take the bytes of images, also from
// pages of other origins.
const UserImageUploads = "/hc/user_images/uploads/"

// isUpload reports whether path takes the bytes of a file.
func isUpload(path string) bool {
	return path == "/api/v2/uploads" || strings.HasPrefix(path, "/api/v2/uploads/") || strings.HasPrefix(path, UserImageUploads)
}

// isStream reports whether the answer to path goes on for as long as the client
// listens.
func isStream(path string) bool { return path == "/api/v2/events/stream" }
