package edge

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	// failedPerAddress is how many times the limit of one e-mail an address
	// may fail with all e-mails together: behind it may be an office.
	failedPerAddress = 10
	// pendingPerLimit bounds the attempts that are being checked at the same
	// time, so that guesses sent all at once are not all let through. It
	// leaves room for a client that opens many connections with the right
	// password.
	pendingPerLimit = 5
)

// Failures slows the guessing of passwords: it counts failed sign-ins per
// minute by address and e-mail, and by address.
type Failures struct {
	limit int
	now   func() time.Time

	failed  windows
	mu      sync.Mutex
	pending map[string]int
}

// NewFailures allows limit failed sign-ins a minute from an address for an
// e-mail. now is the clock; nil is time.Now.
func NewFailures(limit int, now func() time.Time) *Failures {
	if now == nil {
		now = time.Now
	}
	return &Failures{limit: limit, now: now, failed: newWindows(), pending: map[string]int{}}
}

// Begin says that a password is about to be checked. It fails with
// fault.RateLimited, and then the password must not be checked; otherwise End
// must follow.
func (f *Failures) Begin(from netip.Addr, email string) error {
	now, addr := f.now(), addressKey(from)
	key := signInKey(addr, email)
	if f.failed.get(key, now) >= f.limit || f.failed.get(addr, now) >= f.limit*failedPerAddress {
		return limited(now)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pending[key] >= f.limit*pendingPerLimit {
		return limited(now)
	}
	f.pending[key]++
	return nil
}

// End says how the check went. A right password clears what was held against
// its address and e-mail.
func (f *Failures) End(from netip.Addr, email string, right bool) {
	now, addr := f.now(), addressKey(from)
	key := signInKey(addr, email)
	if right {
		f.failed.forget(key, now)
	} else {
		f.failed.add(key, now)
		f.failed.add(addr, now)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pending[key]--; f.pending[key] <= 0 {
		delete(f.pending, key)
	}
}

func signInKey(addr, email string) string {
	return addr + " " + strings.ToLower(email)
}
