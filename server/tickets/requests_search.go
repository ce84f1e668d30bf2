package tickets

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/search"
)

// RequestSearch is what to search requests for. The zero value finds all.
type RequestSearch struct {
	Text         string   // words, and phrases in quotes, all of which must be in the subject or a public comment
	Organization int64    // 0: of any
	CCd          bool     // only with a copy to the caller
	Statuses     []string // nil: any
}

// Limits of a search.
const (
	maxQuery = 1024 // characters
	maxWords = 64   // also in quotes
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
	f := Filter{Requests: true, own: true, Organization: q.Organization, Statuses: q.Statuses}
	if err := s.findRequests(ctx, by, q.Text, &f); err != nil {
		return Listed{}, err
	}
	if q.CCd {
		f.CCd = by.ID()
	}
	if r.Sort == "" {
		r.Sort, r.Desc = "id", true
	}
	return s.List(ctx, by, f, r)
}

// readable are the parts of a ticket that end users may read: nobody finds a request
// by what is in a private comment.
var readable = []search.Part{search.Title, search.Body}

// findRequests makes f a filter of the tickets that have the words of a query, if it
// has any.
func (s *Service) findRequests(ctx context.Context, by auth.Actor, query string, f *Filter) error {
	if utf8.RuneCountInString(query) > maxQuery {
		return fault.New(fault.BadQuery, "Invalid search: the query is longer than %d characters", maxQuery)
	}
	look := search.Words{Kind: search.Ticket, Parts: readable, Locale: by.User.Locale, Begin: true}
	var all []*search.Match
	count := 0
	for i, part := range strings.Split(query, `"`) {
		words := strings.Fields(part)
		if count += len(words); i%2 == 1 {
			all = append(all, look.Phrase(part))
			continue
		}
		for _, word := range words {
			all = append(all, look.Word(word))
		}
	}
	switch {
	case count == 0: // white space and quotes
		return nil
	case count > maxWords:
		return fault.New(fault.BadQuery, "Invalid search: the query has more than %d words", maxWords)
	}
	f.found = &search.Records{}
	match := search.All(all...)
	if match == nil { // marks only
		return nil
	}
	found, err := s.index.Find(ctx, by.AccountID, search.Wanted{Kind: search.Ticket, Match: match})
	f.found = &found
	return err
}
