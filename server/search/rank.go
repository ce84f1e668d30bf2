package search

import (
	"cmp"
	"math"
	"slices"

	"gorm.io/gorm"
)

// Term is a word of a question, by the parts that it may be in. A part that weighs
// more tells more of what a document is about.
type Term []Weighted

// Weighted is a condition and what it weighs.
type Weighted struct {
	Match  *Match
	Weight float64
}

// match is the condition that a document has the term.
func (t Term) match() *Match {
	var any []*Match
	for _, w := range t {
		any = append(any, w.Match)
	}
	return Any(any...)
}

// Ranked is a document with how well it answers a question.
type Ranked struct {
	ID    int64
	Score float64 // of its terms, each as rare as it is and where it is
	Share float64 // of the question's terms, as rare as they are, that it has: 0 to 1
	// Strength is the score to what the terms weigh, each once and as rare as it is:
	// the share where all weights are 1, and more where they are.
	Strength float64
	Complete bool // it has all terms that tell
}

// Ranking are documents, the best first.
type Ranking []Ranked

// Divided are those that have all terms, and those that lack some.
func (r Ranking) Divided() (complete, partial []Ranked) {
	for _, one := range r {
		if one.Complete {
			complete = append(complete, one)
		} else {
			partial = append(partial, one)
		}
	}
	return complete, partial
}

// A word that more than this share of documents have tells nothing, if there are
// enough of them to tell.
const (
	common    = 0.4
	enoughFor = 20
	// unknown is how many terms that no document has count in a question with Most:
	// enough for nonsense to stay nonsense, and so few that names and numbers in a letter
	// do not hide what it asks.
	unknown = 4
)

// Question is what documents of a kind are to answer.
type Question struct {
	Kind   Kind
	Within *Match // which documents; nil: all
	Terms  []Term
	More   Term // adds to the score of documents for which it holds
	// Most is how many of the terms count, 0 for all: the rarest of those that some
	// document has, and behind them some that none has, but no more than unknown. A long
	// text has many words that say nothing of what it asks.
	Most int
	// Usual are, for each term, the share of texts at large that have it: 0 to 1. They
	// count as much as atLarge documents: a few documents do not tell how rare a term is.
	// nil: nothing is known of them.
	Usual []float64
}

// atLarge is how many documents what is usual stands for.
const atLarge = 20

// Rank finds the documents that answer a question, those that lack terms too, the best
// first, of equals the newest. A term that so many documents have that it tells nothing
// may be missing from one that is complete. tx must be one as for Look.
func Rank(tx *gorm.DB, account int64, q Question) (Ranking, error) {
	var all []*Match
	for _, t := range q.Terms {
		all = append(all, t.match())
	}
	some := Any(all...)
	if some == nil {
		return nil, nil
	}
	l, err := Look(tx, account, Wanted{Kind: q.Kind, Match: All(q.Within, Any(some, q.More.match()))})
	if err != nil {
		return nil, err
	}
	r := ranking{Question: q, have: make([]int, len(q.Terms))}
	for {
		now, err := l.advance()
		if err != nil || now == nil {
			return r.ranked(), err
		}
		for _, s := range now {
			r.add(l, s)
		}
	}
}

// ranking is what is known of documents by the terms that they have.
type ranking struct {
	Question
	total int   // documents
	have  []int // of each term, how many documents have it
	parts []rankedPart
}

// rankedPart are the documents of a section: those that may answer, and for which of
// them each term's conditions hold, and behind them those of More.
type rankedPart struct {
	section int64
	found   *set
	holds   [][]*set
}

func (r *ranking) add(l *Lookup, s *section) {
	total := &s.docs
	if r.Within != nil {
		total = l.holds(r.Within, s, false)
	}
	found := l.wanted(s, false)
	if total == nil || found == nil {
		return
	}
	r.total += total.len()
	p := rankedPart{section: s.number, found: found}
	for i, t := range append(slices.Clone(r.Terms), r.More) {
		held := make([]*set, len(t))
		var union set
		for n, w := range t {
			if held[n] = l.holds(w.Match, s, false); held[n] != nil {
				held[n].and(found)
				union.or(held[n])
			}
		}
		p.holds = append(p.holds, held)
		if i < len(r.Terms) {
			r.have[i] += union.len()
		}
	}
	r.parts = append(r.parts, p)
}

func (r *ranking) ranked() (out Ranking) {
	rare := make([]float64, len(r.Terms))
	telling := make([]bool, len(r.Terms))
	sum := 0.0
	for i, n := range r.have {
		have, total := float64(n), float64(r.total)
		if r.Usual != nil {
			have, total = have+atLarge*r.Usual[i], total+atLarge
		}
		rare[i] = math.Log(1 + (total-have+0.5)/(have+0.5))
		telling[i] = r.total < enoughFor || float64(n) < common*float64(r.total)
	}
	r.leaveOut(rare, telling)
	for _, weight := range rare {
		sum += weight
	}
	if !slices.Contains(telling, true) { // of common words only
		for i := range telling {
			telling[i] = true
		}
	}
	for _, p := range r.parts {
		for at := range p.found.all() {
			one, missing, tells := r.score(p, at, rare, telling)
			one.Share, one.Strength = one.Share/sum, one.Score/sum
			if one.Complete = !missing; tells {
				out = append(out, one)
			}
		}
	}
	slices.SortFunc(out, func(a, b Ranked) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.ID, a.ID))
	})
	return out
}

// leaveOut makes the terms beyond Most weigh and tell nothing.
func (r *ranking) leaveOut(rare []float64, telling []bool) {
	if r.Most == 0 {
		return
	}
	order := make([]int, len(rare))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if none := r.have[a] == 0; none != (r.have[b] == 0) {
			if none {
				return 1
			}
			return -1
		}
		return cmp.Compare(rare[b], rare[a])
	})
	none := 0
	for n, i := range order {
		if r.have[i] == 0 {
			none++
		}
		if n >= r.Most || none > unknown {
			rare[i], telling[i] = 0, false
		}
	}
}

// score is a document's. It is missing something if it lacks a term that tells, and
// tells something if it has one.
func (r *ranking) score(p rankedPart, at uint16, rare []float64, telling []bool) (one Ranked, missing, tells bool) {
	one.ID = int64(p.section)<<sectionBits | int64(at)
	for i, held := range p.holds {
		of := r.More
		if i < len(r.Terms) {
			of = r.Terms[i]
		}
		weight := 0.0
		for n, s := range held {
			if s != nil && s.has(at) {
				weight += of[n].Weight
			}
		}
		switch {
		case i == len(r.Terms):
			one.Score += weight
		case weight > 0:
			one.Score += rare[i] * weight
			one.Share += rare[i]
			tells = tells || telling[i]
		default:
			missing = missing || telling[i]
		}
	}
	return one, missing, tells
}
