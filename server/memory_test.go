package server

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
)

// It changes the whole process, so it is not parallel.
func TestMemoryLimitStaysAboveWhatIsLive(t *testing.T) {
	before := debug.SetMemoryLimit(leastMemory)
	defer debug.SetMemoryLimit(before)
	adjust := raiseLimit(leastMemory)

	const much = 100 << 20
	block := make([]byte, much)
	runtime.GC()
	adjust()
	if limit := debug.SetMemoryLimit(-1); limit < 2*much || limit > 4*much {
		t.Errorf("with %d bytes live the limit is %d", much, limit)
	}
	runtime.KeepAlive(block)
	block = nil
	runtime.GC()
	adjust()
	if limit := debug.SetMemoryLimit(-1); limit != leastMemory {
		t.Errorf("with little live the limit is %d", limit)
	}
}

func TestAfterGCIsCalledEachTime(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	called := make(chan struct{}, 10)
	afterGC(func() { called <- struct{}{} })
	for range 3 {
		runtime.GC()
		<-called
	}
}
