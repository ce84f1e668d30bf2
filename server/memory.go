package server

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// rareGC lets the heap grow to five times what is live before it is
	// collected: a third more lists a second.
	rareGC = 400
	// leastMemory, in bytes, is what the process keeps to while it needs no
	// more: collections become more frequent near it.
	leastMemory = 80 << 20
)

// tuneMemory has the garbage collected as rarely as a small process allows,
// unless GOGC or GOMEMLIMIT in the environment say how.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(rareGC)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(leastMemory)
		afterGC(raiseLimit(leastMemory))
	}
}

// raiseLimit returns a function that keeps the limit at twice of what is live
// or more. A fixed limit would have a process that needs more collect all the time.
func raiseLimit(limit int64) func() {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	return func() {
		metrics.Read(sample)
		want := max(leastMemory, 2*int64(sample[0].Value.Uint64()))
		// A change stops the world, so small ones are not made.
		if want > limit || want < limit-limit/4 {
			limit = want
			debug.SetMemoryLimit(limit)
		}
	}
}

// afterGC has f called after each collection, by one goroutine at a time.
func afterGC(f func()) {
	type sentinel struct{ _ *byte } // with a pointer: a tiny block of its own is what dies
	var arm func()
	arm = func() {
		s := new(sentinel)
		runtime.SetFinalizer(s, func(*sentinel) {
			f()
			arm()
		})
	}
	arm()
}
