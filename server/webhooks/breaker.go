package webhooks

import "time"

// An endpoint is left alone for a while when it fails for the most part: of the
// requests of the last five minutes 70% (but of so few that it says nothing), or
// more than a thousand (contract webhooks.md §4). What is due then waits, and
// keeps its tries. After a while one delivery at a time shows whether it is back.
const (
	window      = 5 * time.Minute
	slots       = 10 // of the window
	fewest      = 20
	mostErrors  = 1_000
	errorShare  = 70 // percent
	firstBlock  = 5 * time.Second
	longestPlus = 6 // doublings: 5 minutes and a bit
)

// breaker counts what became of the requests to one endpoint that this process
// has sent.
type breaker struct {
	counts [slots]count
}

type count struct {
	slot          int64 // in the order of time; others are of a window before
	tries, errors int
}

// add counts a request. It reports whether the endpoint is to be left alone, and
// then begins anew.
func (b *breaker) add(now time.Time, failed bool) bool {
	slot := now.UnixNano() / int64(window/slots)
	c := &b.counts[slot%slots]
	if c.slot != slot {
		*c = count{slot: slot}
	}
	c.tries++
	if !failed {
		return false
	}
	c.errors++
	tries, errors := 0, 0
	for _, c := range b.counts {
		if c.slot > slot-slots {
			tries, errors = tries+c.tries, errors+c.errors
		}
	}
	if errors <= mostErrors && (tries < fewest || errors*100 < tries*errorShare) {
		return false
	}
	b.counts = [slots]count{}
	return true
}

// blockFor is how long to leave an endpoint alone after it was blocked a number
// of times in a row.
func blockFor(blocks int) time.Duration { return firstBlock << min(blocks, longestPlus) }
