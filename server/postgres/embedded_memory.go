package postgres

import (
	"os"
	"strconv"
	"strings"
)

const (
	// leastBuffers is what PostgreSQL keeps of its tables in memory, in MB, where it is
	// not known how much memory there is.
	leastBuffers = 192
	mostBuffers  = 4096
)

// sharedBuffers is a quarter of the memory, in MB, as PostgreSQL's manual has it.
// It is taken only as tables are read.
func sharedBuffers() int {
	return min(max(leastBuffers, int(memory()>>20/4)), mostBuffers)
}

// memory is how much there is on the machine, or in the container, in bytes; 0 if
// that is not known.
func memory() int64 {
	least := int64(0)
	for _, file := range []string{"/proc/meminfo", "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n := memoryIn(string(text)); n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}

// memoryIn reads "MemTotal: 16 kB", or a number of bytes.
func memoryIn(text string) int64 {
	unit := int64(1)
	if line, ok := strings.CutPrefix(text, "MemTotal:"); ok {
		text, _, _ = strings.Cut(line, "kB")
		unit = 1 << 10
	}
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0 // "max" is no limit
	}
	return n * unit
}
