package tickets

import (
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// RequestSearch is what to search requests for. The zero value finds all.
type RequestSearch struct {
	Text         string   // words, and phrases in quotes, all of which must be in the subject or the description
	Organization int64    // 0: of any
	CCd          bool     // only with a copy to the caller
	Statuses     []string // nil: any
}

// Limits of a search.
const (
	maxQuery = 1024 // characters
	maxWords = 20
	maxFound = 1000 // results that pages reach
)

// SearchRequests is a page, by number, of the caller's own requests, those with a
// copy to the caller, and those of organizations that share them with the caller,
// the newest first unless r sorts otherwise. It fails with fault.BadQuery for a
// query that is too long, a status that there is not, and pages beyond maxFound.
func (s *Service) SearchRequests(ctx context.Context, by auth.Actor, q RequestSearch, r page.Request) (Listed, error) {
	if (r.Number-1)*r.Size >= maxFound {
		return Listed{}, fault.New(fault.BadQuery, "Invalid search: no more than %d results can be reached", maxFound)
	}
	for _, status := range q.Statuses {
		if !slices.Contains(statuses, status) {
			return Listed{}, fault.New(fault.BadQuery, "Invalid search: status has a value that is not one of %s", strings.Join(statuses, ", "))
		}
	}
	words, err := wordsOf(q.Text)
	if err != nil {
		return Listed{}, err
	}
	f := Filter{Requests: true, own: true, Organization: q.Organization, Statuses: q.Statuses, words: words}
	if q.CCd {
		f.CCd = by.ID()
	}
	if r.Sort == "" {
		r.Sort, r.Desc = "id", true
	}
	return s.List(ctx, by, f, r)
}

// wordsOf splits a query at white space outside of quotes.
func wordsOf(query string) ([]string, error) {
	if utf8.RuneCountInString(query) > maxQuery {
		return nil, fault.New(fault.BadQuery, "Invalid search: the query is longer than %d characters", maxQuery)
	}
	var words []string
	for i, part := range strings.Split(query, `"`) {
		list := []string{strings.TrimSpace(part)}
		if i%2 == 0 {
			list = strings.FieldsFunc(part, unicode.IsSpace)
		}
		words = append(words, slices.DeleteFunc(list, func(w string) bool { return w == "" })...)
	}
	if len(words) > maxWords {
		return nil, fault.New(fault.BadQuery, "Invalid search: the query has more than %d words", maxWords)
	}
	return words, nil
}

// withWord is the condition of the tickets that have a word where end users can
// read it: nobody finds a ticket by what is in a private comment.
func withWord(word string) (string, []any) {
	like := "%" + postgres.EscapeLike(strings.ToLower(word)) + "%"
	return "(lower(t.subject) LIKE ? OR lower(" + publicDescription + ") LIKE ?)", []any{like, like}
}
