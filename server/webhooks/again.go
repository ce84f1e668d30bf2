package webhooks

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultRetries are how long to wait after the first failure, the second and so
// on: nine tries over more than 27 hours. Each is longer by up to a fifth, at
// random, so that what failed together does not come back together.
var DefaultRetries = []time.Duration{
	5 * time.Second, 30 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// maxRetryAfter is how long an endpoint can ask to be left alone.
const maxRetryAfter = 24 * time.Hour

// again is when to send something again that was tried a number of times and
// failed at last with o; nil: never.
func (s *Service) again(tries int, o Outcome, now time.Time) *time.Time {
	if o.Status == StatusSuccess || o.StatusCode == http.StatusGone || tries > len(s.retries) {
		return nil
	}
	wait := s.retries[tries-1]
	wait += time.Duration(rand.Int64N(int64(wait)/5 + 1))
	wait = max(wait, retryAfter(o.After, now))
	return new(now.Add(wait))
}

// retryAfter reads the header Retry-After: seconds, or a date.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	var wait time.Duration
	if n, err := strconv.ParseUint(header, 10, 31); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}
