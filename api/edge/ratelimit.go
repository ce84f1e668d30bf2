package edge

import (
	"hash/maphash"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/server/fault"
)

// Limits says how many requests are allowed a minute. 0 is no limit.
type Limits struct {
	Account   int // of all known callers of an account together
	Anonymous int // of one address, or of one /64 of IPv6

	// Who overrides both: it says what a request counts against and how many
	// may count against that.
	Who func(c echo.Context) (key string, limit int)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Limiter counts requests in windows of one minute, in this process. The
// windows are the clock's minutes.
type Limiter struct {
	who     func(c echo.Context) (string, int)
	refused int
	now     func() time.Time
	windows windows
}

// NewLimiter makes a limiter that has counted nothing.
func NewLimiter(l Limits) *Limiter {
	r := &Limiter{who: l.Who, refused: l.Anonymous, now: l.Now, windows: newWindows()}
	if r.now == nil {
		r.now = time.Now
	}
	if r.who == nil {
		r.who = func(c echo.Context) (string, int) {
			if q := of(c); q.account != 0 && q.user != 0 {
				return "account:" + strconv.FormatInt(q.account, 10), l.Account
			}
			return AddressKey(c), l.Anonymous
		}
	}
	return r
}

// RateLimit is the limiter's middleware alone, for after authentication.
func RateLimit(l Limits) echo.MiddlewareFunc { return NewLimiter(l).Counted }

// Counted counts each API request and says in headers how many are left.
// Beyond the limit it fails with fault.RateLimited. Only then RetryAfter is
// set: clients take the header on a success for an error.
func (l *Limiter) Counted(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !inAPI(c.Request().URL.Path) {
			return next(c)
		}
		key, limit := l.who(c)
		if err := l.count(c, key, limit); err != nil {
			return err
		}
		return next(c)
	}
}

// Refused stands around authentication and counts, against their address, the
// requests that never came through it.
func (l *Limiter) Refused(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if err == nil || of(c).counted || !inAPI(c.Request().URL.Path) ||
			!fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.NoAccount) && !fault.Is(err, fault.BadToken) {
			return err
		}
		if over := l.count(c, AddressKey(c), l.refused); over != nil {
			return over
		}
		return err
	}
}

func (l *Limiter) count(c echo.Context, key string, limit int) error {
	if limit <= 0 {
		return nil
	}
	of(c).counted = true
	now := l.now()
	n := l.windows.add(key, now)
	reset := 60 - now.Unix()%60
	values := [...]string{strconv.Itoa(limit), strconv.Itoa(max(limit-n, 0)), strconv.FormatInt(reset, 10)}
	h := c.Response().Header()
	h["X-Rate-Limit"], h["Ratelimit-Limit"] = values[0:1:1], values[0:1:1]
	h["X-Rate-Limit-Remaining"], h["Ratelimit-Remaining"] = values[1:2:2], values[1:2:2]
	h["Ratelimit-Reset"] = values[2:3:3]
	if n <= limit {
		return nil
	}
	return limited(now)
}

// limited is the error for having used up the minute of now.
func limited(now time.Time) error {
	e := fault.New(fault.RateLimited, "Number of allowed API requests per minute exceeded")
	e.RetryAfter = time.Duration(60-now.Unix()%60) * time.Second
	return e
}

// AddressKey is what an anonymous request counts against. An IPv6 address is
// one of 2^64 that its owner may choose from, so the whole /64 counts as one.
func AddressKey(c echo.Context) string {
	return addressKey(ClientIP(c.Request().Context()))
}

func addressKey(a netip.Addr) string {
	if a.Is6() {
		p, err := a.Prefix(64)
		if err == nil {
			return "ip:" + p.Addr().String()
		}
	}
	return "ip:" + a.String()
}

// windows counts by key within the current minute. Keys are kept as hashes,
// which bounds their size, and the last minute's are dropped.
type windows struct {
	seed maphash.Seed

	mu     sync.Mutex
	minute int64
	counts map[uint64]int
}

const (
	// maxKeys bounds the keys of a minute, at some 40 MB.
	maxKeys = 1 << 20
	// sharedKeys is how many counters the keys beyond maxKeys share: then
	// newcomers get less than their limit, rather than none at all.
	sharedKeys = 1 << 12
)

func newWindows() windows {
	return windows{seed: maphash.MakeSeed(), counts: map[uint64]int{}}
}

// add counts one for key and returns the count, this one included.
func (w *windows) add(key string, now time.Time) int {
	h := maphash.String(w.seed, key)
	w.mu.Lock()
	defer w.mu.Unlock()
	h = w.slot(h, now)
	w.counts[h]++
	return w.counts[h]
}

// get returns the count of key.
func (w *windows) get(key string, now time.Time) int {
	h := maphash.String(w.seed, key)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[w.slot(h, now)]
}

// forget starts key's count anew, unless others share the counter.
func (w *windows) forget(key string, now time.Time) {
	h := maphash.String(w.seed, key)
	w.mu.Lock()
	defer w.mu.Unlock()
	if h = w.slot(h, now); h >= sharedKeys {
		delete(w.counts, h)
	}
}

// slot turns to the minute of now and returns where h is counted in it.
func (w *windows) slot(h uint64, now time.Time) uint64 {
	// Clocks of requests can be out of step at the turn of a minute; the
	// window never goes back.
	if m := now.Unix() / 60; m > w.minute {
		w.minute, w.counts = m, make(map[uint64]int)
	}
	if _, ok := w.counts[h]; !ok && len(w.counts) >= maxKeys {
		h %= sharedKeys
	}
	return h
}
