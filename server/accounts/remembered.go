package accounts

import "sync"

// remembered is of how many accounts something is kept in memory.
const remembered = 1_000

// Remembered keeps in memory what was read of each account's set-up at its
// newest version (models.Account.ConfigVersion). The zero value is empty.
type Remembered[T any] struct {
	mu sync.Mutex
	by map[int64]atVersion[T]
}

type atVersion[T any] struct {
	version int64
	value   T
}

// Get is what was read at this version, if it was.
func (r *Remembered[T]) Get(account, version int64) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.by[account]
	if !ok || e.version != version {
		var none T
		return none, false
	}
	return e.value, true
}

// At is what was read at this version, or what read gives now. A reader that
// moved the version itself must not ask: what is rolled back would be remembered.
func (r *Remembered[T]) At(account, version int64, read func() (T, error)) (T, error) {
	if value, ok := r.Get(account, version); ok {
		return value, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == nil || len(r.by) >= remembered {
		r.by = map[int64]atVersion[T]{}
	}
	if old, ok := r.by[account]; !ok || old.version < version {
		r.by[account] = atVersion[T]{version, value}
	}
	return value, nil
}
