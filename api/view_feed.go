package api

import (
	"bytes"
	"context"
	"encoding/xml"
	"net/http"
	"strings"
	"time"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/views"
)

// feed is a view for readers of feeds (RFC 4287).
type feed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID      string      `xml:"id"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Author  feedAuthor  `xml:"author"`
	Links   []feedLink  `xml:"link"`
	Entries []feedEntry `xml:"entry"`
}

type feedEntry struct {
	ID        string       `xml:"id"`
	Title     string       `xml:"title"`
	Published string       `xml:"published"`
	Updated   string       `xml:"updated"`
	Author    feedAuthor   `xml:"author"`
	Category  feedCategory `xml:"category"`
	Links     []feedLink   `xml:"link"`
	Content   feedContent  `xml:"content"`
}

type feedAuthor struct {
	Name string `xml:"name"`
}

type feedCategory struct {
	Term string `xml:"term,attr"`
}

type feedLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type feedContent struct {
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

func (a ticketAnswer) VisitViewFeedResponse(w http.ResponseWriter) error { return a.write(w) }

func (h viewHandlers) ViewFeed(ctx context.Context, r gen.ViewFeedRequestObject) (gen.ViewFeedResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	p.Sort = "" // it is in the view's order
	list, view, err := h.views.Tickets(ctx, auth.From(ctx), int64(r.ViewID), views.Order{}, p)
	if err != nil {
		return nil, err
	}
	if !strings.Contains(callOf(ctx).accept, "application/atom+xml") {
		return h.of.listed(ctx, list)
	}
	return h.atom(ctx, view, list)
}

func (h viewHandlers) atom(ctx context.Context, view models.Rule, list tickets.Listed) (gen.ViewFeedResponseObject, error) {
	people, err := h.of.users.ByIDs(ctx, auth.From(ctx).AccountID, idsOf(list.Items, func(t models.Ticket) []int64 { return []int64{t.RequesterID} }))
	if err != nil {
		return nil, err
	}
	names := map[int64]string{}
	for _, u := range people {
		names[u.ID] = u.Name
	}
	updated := view.UpdatedAt
	f := feed{ID: link(ctx, "views", view.ID), Title: rendered(ctx, view.Title), Author: feedAuthor{callOf(ctx).setUp.of(ctx).Account.Name},
		Links: []feedLink{{"self", callOf(ctx).base + callOf(ctx).path}, {"alternate", link(ctx, "views", view.ID)}}}
	for _, t := range list.Items {
		if t.UpdatedAt.After(updated) {
			updated = t.UpdatedAt
		}
		f.Entries = append(f.Entries, feedEntry{
			ID: link(ctx, "tickets", t.ID), Title: or(renderedSubject(ctx, &t), ""), Published: feedTime(t.CreatedAt), Updated: feedTime(t.UpdatedAt),
			Author: feedAuthor{names[t.RequesterID]}, Category: feedCategory{t.Status}, Links: []feedLink{{"alternate", link(ctx, "tickets", t.ID)}},
			Content: feedContent{"text", t.Description},
		})
	}
	f.Updated = feedTime(updated)
	body, err := xml.Marshal(f)
	return gen.ViewFeed200ApplicationAtomXMLResponse{Body: bytes.NewReader(append([]byte(xml.Header), body...))}, err
}

func feedTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }
