package api

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/finding"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/search"
)

type searchHandlers struct {
	finding *finding.Service
	of      ticketHandlers // of whose parts results are made
}

// searchAnswer is a page of results, encoded already.
type searchAnswer []byte

func (a searchAnswer) write(w http.ResponseWriter) error {
	return ticketAnswer{status: http.StatusOK, body: a}.write(w)
}

func (a searchAnswer) VisitListSearchResultsResponse(w http.ResponseWriter) error { return a.write(w) }
func (a searchAnswer) VisitExportSearchResultsResponse(w http.ResponseWriter) error {
	return a.write(w)
}

func (h searchHandlers) ListSearchResults(ctx context.Context, r gen.ListSearchResultsRequestObject) (gen.ListSearchResultsResponseObject, error) {
	query, err := queryOf(r.Params.Query)
	if err != nil {
		return nil, err
	}
	p, err := numberedPage(ctx, page.DefaultSize)
	if err != nil {
		return nil, err
	}
	found, err := h.finding.Search(ctx, auth.From(ctx), query, p)
	if err != nil {
		return nil, err
	}
	b, err := h.results(ctx, found.Hits)
	if err != nil {
		return nil, err
	}
	relation := gen.SearchCountRelationEq
	if found.More {
		relation = gen.SearchCountRelationGte
	}
	l := wire.Listing{Count: &found.Count, NextPage: nullable.NewNullNullable[string](), PreviousPage: nullable.NewNullNullable[string]()}
	c := callOf(ctx)
	if found.Next {
		l.NextPage.Set(c.numbered(p.Number+1, p.Size))
	}
	if p.Number > 1 {
		l.PreviousPage.Set(c.numbered(p.Number-1, p.Size))
	}
	buffer := bytes.NewBuffer(b)
	if err := l.AppendPaging(buffer); err != nil {
		return nil, err
	}
	buffer.WriteString(`,"count_relation":"` + string(relation) + `"}`)
	return searchAnswer(buffer.Bytes()), nil
}

// numberedPage is the page that the caller asks for by its number, of a size and in
// descending order unless told otherwise. Searches have no cursors.
func numberedPage(ctx context.Context, size int) (page.Request, error) {
	q := callOf(ctx).query
	r := page.Request{Sort: q.Get("sort_by"), Desc: !strings.EqualFold(q.Get("sort_order"), "asc")}
	var err error
	if r.Number, err = positive(q, "page", 1); err != nil {
		return r, err
	}
	n, err := positive(q, "per_page", size)
	r.Size = min(n, page.MaxSize)
	return r, err
}

// queryOf is what to search for.
func queryOf(query *string) (string, error) {
	if query == nil || strings.TrimSpace(*query) == "" {
		return "", &fault.Error{Kind: fault.BadAttribute, Field: "query", Message: "query must not be blank"}
	}
	return *query, nil
}

func (h searchHandlers) CountSearchResults(ctx context.Context, r gen.CountSearchResultsRequestObject) (gen.CountSearchResultsResponseObject, error) {
	query, err := queryOf(r.Params.Query)
	if err != nil {
		return nil, err
	}
	n, err := h.finding.Count(ctx, auth.From(ctx), query)
	return gen.CountSearchResults200JSONResponse{Count: int64(n)}, err
}

func (h searchHandlers) ExportSearchResults(ctx context.Context, r gen.ExportSearchResultsRequestObject) (gen.ExportSearchResultsResponseObject, error) {
	query, err := queryOf(r.Params.Query)
	if err != nil {
		return nil, err
	}
	q := callOf(ctx).query
	if q.Get("filter[type]") == "" {
		return nil, &fault.Error{Kind: fault.BadAttribute, Field: "filter[type]", Message: "filter[type] must not be blank"}
	}
	size, err := positive(q, "page[size]", page.DefaultSize)
	if err != nil {
		return nil, err
	}
	size = min(size, finding.MaxExported)
	found, err := h.finding.Export(ctx, auth.From(ctx), query, search.Kind(q.Get("filter[type]")), size, q.Get("page[after]"))
	if err != nil {
		return nil, err
	}
	b, err := h.results(ctx, found.Hits)
	if err != nil {
		return nil, err
	}
	l := wire.Listing{Meta: &wire.Meta{HasMore: found.More}, Links: &wire.Links{}}
	if found.After != "" {
		l.Meta.After = &found.After
	}
	if found.More {
		next := callOf(ctx).with("page[after]", found.After, "page[before]", size)
		l.Links.Next = &next
	}
	buffer := bytes.NewBuffer(b)
	if err := l.AppendPaging(buffer); err != nil {
		return nil, err
	}
	buffer.WriteByte('}')
	return searchAnswer(buffer.Bytes()), nil
}

// results are the records that were found and what is side-loaded with them, as the
// beginning of an answer. A record that has gone since is left out.
func (h searchHandlers) results(ctx context.Context, hits []finding.Hit) ([]byte, error) {
	ids := map[search.Kind][]int64{}
	for _, hit := range hits {
		ids[hit.Kind] = append(ids[hit.Kind], hit.ID)
	}
	loaded := map[finding.Hit][]byte{}
	sides, err := h.load(ctx, ids, func(kind search.Kind, id int64, record []byte) {
		loaded[finding.Hit{Kind: kind, ID: id}] = record
	})
	if err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, 512+ticketSize*len(hits)), `{"results":[`...)
	first := true
	for _, hit := range hits {
		record, ok := loaded[finding.Hit{Kind: hit.Kind, ID: hit.ID}]
		if !ok {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(append(b, record[:len(record)-1]...), `,"result_type":"`+string(hit.Kind)+`"}`...)
	}
	return append(append(b, `],"facets":null`...), sides...), nil
}

// load reads records, each kind in one statement, and gives each with its JSON; and
// it returns what is side-loaded with them.
func (h searchHandlers) load(ctx context.Context, ids map[search.Kind][]int64, each func(search.Kind, int64, []byte)) ([]byte, error) {
	by := auth.From(ctx)
	var sides []byte
	if list := ids[search.Ticket]; len(list) > 0 {
		found, err := h.of.tickets.ByIDs(ctx, by, list)
		if err != nil {
			return nil, err
		}
		ctx := withIncludes(ctx, "tickets")
		config, extras, err := h.of.context(ctx, found, nil)
		if err != nil {
			return nil, err
		}
		base := callOf(ctx).base
		for i := range found {
			each(search.Ticket, found[i].ID, appendTicket(ctx, nil, base, &found[i], config, extras))
		}
		if sides, err = h.of.appendSideLoads(ctx, sides, found, config); err != nil {
			return nil, err
		}
	}
	users, err := h.of.users.ByIDs(ctx, by.AccountID, ids[search.User])
	if err != nil {
		return nil, err
	}
	for _, u := range users {
		each(search.User, u.ID, models.ToJSON(userJSON(ctx, u)))
	}
	organizations, err := h.of.organizations.ByIDs(ctx, by, ids[search.Organization])
	if err != nil {
		return nil, err
	}
	for _, o := range organizations {
		each(search.Organization, o.ID, models.ToJSON(organizationJSON(ctx, o)))
	}
	groups, err := h.of.groups.ByIDs(ctx, by, ids[search.Group])
	for _, g := range groups {
		each(search.Group, g.ID, models.ToJSON(groupJSON(ctx, g)))
	}
	return sides, err
}

// withIncludes is a context in which is side-loaded what the caller wants with one
// kind of results: of include=tickets(users,groups) users and groups.
func withIncludes(ctx context.Context, kind string) context.Context {
	c := callOf(ctx)
	var names []string
	for _, include := range c.query["include"] {
		if _, inner, ok := strings.Cut(include, kind+"("); ok {
			inner, _, _ = strings.Cut(inner, ")")
			names = append(names, inner)
		} else if !strings.Contains(include, "(") {
			names = append(names, include)
		}
	}
	c.query = url.Values{"include": names}
	return context.WithValue(ctx, callKey{}, c)
}
