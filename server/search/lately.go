package search

import (
	"container/list"
	"sync"
)

// latelyBytes is about how much memory the sets of words take that are kept, and
// wordBytes how much those of one word do at most.
const (
	latelyBytes = 32 << 20
	wordBytes   = latelyBytes / 8
)

// lately are the sets of the words that were looked for last. A run never changes,
// and its number is never given again: what it says of a word once, it says for ever.
type lately struct {
	mu    sync.Mutex
	by    map[wordKey]*list.Element
	order list.List // of *wordSets, the last used in front
	bytes int
}

// wordKey is a range of the keys of an account's documents of a kind.
type wordKey struct {
	account int64
	kind    Kind
	span
}

// wordSets are the sets of a range of keys, by the number of the run. They do not
// change.
type wordSets struct {
	of    wordKey
	runs  map[int64][]keySet // empty for a run without such a key
	bytes int
}

// in are the keys of a run; false if nothing is known of it.
func (w *wordSets) in(run int64) (keys []keySet, ok bool) {
	if w != nil {
		keys, ok = w.runs[run]
	}
	return keys, ok
}

// keySet is a key of a run with the set of the documents that have it, as written.
type keySet struct {
	key string
	ids []byte
}

func newLately() *lately { return &lately{by: map[wordKey]*list.Element{}} }

// get is what is known of a range; of nothing nil.
func (l *lately) get(of wordKey) *wordSets {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.by[of]
	if at == nil {
		return nil
	}
	l.order.MoveToFront(at)
	return at.Value.(*wordSets)
}

// put keeps what is known of a range now, and forgets what was not used for long.
func (l *lately) put(w *wordSets) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.by[w.of]; at != nil {
		l.drop(at)
	}
	l.by[w.of] = l.order.PushFront(w)
	for l.bytes += w.bytes; l.bytes > latelyBytes; {
		l.drop(l.order.Back())
	}
}

func (l *lately) drop(at *list.Element) {
	w := l.order.Remove(at).(*wordSets)
	delete(l.by, w.of)
	l.bytes -= w.bytes
}

// add notes keys of a run; none if it has none of the range. Of too many nothing is
// kept.
func (w *wordSets) add(run int64, keys ...keySet) {
	if w.runs == nil {
		return
	}
	const each = 64 // bytes beside those of the key and the set
	w.runs[run] = append(w.runs[run], keys...)
	w.bytes += each
	for _, k := range keys {
		w.bytes += len(k.key) + len(k.ids) + each
	}
	if w.bytes > wordBytes {
		w.runs = nil
	}
}
