// Package recent keeps values that were asked for lately, and forgets the others.
package recent

import (
	"sync"
	"time"
)

// Map has values by their keys, up to a number. New makes one.
type Map[T any] struct {
	most int

	mu sync.Mutex
	by map[string]*entry[T]
}

type entry[T any] struct {
	value T
	used  time.Time
}

// New is a map of at most so many values.
func New[T any](most int) *Map[T] { return &Map[T]{most: most, by: map[string]*entry[T]{}} }

// Get is the value of a key. If there is none, first makes it, and if there are too
// many then, the one that was not asked for the longest goes.
func (m *Map[T]) Get(key string, first func() T) T {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.by[key]
	if e == nil {
		if len(m.by) >= m.most {
			m.drop()
		}
		e = &entry[T]{value: first()}
		m.by[key] = e
	}
	e.used = time.Now()
	return e.value
}

// All are the values that there are, in no order.
func (m *Map[T]) All() (list []T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.by {
		list = append(list, e.value)
	}
	return list
}

func (m *Map[T]) drop() {
	oldest := ""
	for key, e := range m.by {
		if oldest == "" || e.used.Before(m.by[oldest].used) {
			oldest = key
		}
	}
	delete(m.by, oldest)
}
