package api

import (
	"cmp"
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
)

// maxDeflectionQuery is how long the question of a widget may be, in characters.
const maxDeflectionQuery = 200

func (h helpCenterHandlers) ListDeflectionSuggestions(ctx context.Context, r gen.ListDeflectionSuggestionsRequestObject) (gen.ListDeflectionSuggestionsResponseObject, error) {
	query := or(r.Params.Query, "")
	if utf8.RuneCountInString(query) > maxDeflectionQuery {
		return nil, fault.TooLong("query", maxDeflectionQuery)
	}
	if strings.TrimSpace(query) == "" {
		return nil, fault.Blank("query")
	}
	found, err := h.help.Answers(ctx, auth.From(ctx), helpcenter.Ask{Question: query, Locale: cmp.Or(or(r.Params.Locale, ""), localeAsked(ctx))})
	return gen.ListDeflectionSuggestions200JSONResponse{Results: each(found, func(s helpcenter.Suggestion) gen.DeflectionSuggestion {
		return gen.DeflectionSuggestion{Name: s.Text.Title, HTMLURL: htmlURL(ctx, s.BrandID, s.Text.Locale, "articles", s.Article.ID, s.Text.Title)}
	})}, err
}

func (h helpCenterHandlers) CreateSuggestions(ctx context.Context, r gen.CreateSuggestionsRequestObject) (gen.CreateSuggestionsResponseObject, error) {
	in := r.Body.Suggestion
	by := auth.From(ctx)
	ask := helpcenter.Ask{Question: string(or(in.Question, "")), Locale: cmp.Or(string(or(in.Locale, "")), localeAsked(ctx))}
	if in.TicketID != nil {
		of, err := h.tickets.Question(ctx, by, int64(*in.TicketID))
		if fault.Is(err, fault.NotFound) {
			return nil, fault.InvalidField("ticket_id", "%d is no ticket that you see", *in.TicketID)
		}
		if err != nil {
			return nil, err
		}
		ask.Asker, ask.BrandID = &of.Requester, of.BrandID
		if of.Answerable {
			ask.TicketID = int64(*in.TicketID)
		}
		if strings.TrimSpace(ask.Question) == "" {
			ask.Question = helpcenter.Shortened(of.Text)
		}
	}
	found, err := h.help.Suggest(ctx, by, ask)
	return gen.CreateSuggestions200JSONResponse{Suggestions: each(found, func(s helpcenter.Suggestion) gen.Suggestion {
		return gen.Suggestion{
			ArticleID: s.Article.ID, Locale: s.Text.Locale, Title: s.Text.Title, HTMLURL: htmlURL(ctx, s.BrandID, s.Text.Locale, "articles", s.Article.ID, s.Text.Title),
			Snippet: s.Snippet, Score: s.Score, Token: s.Token,
		}
	})}, err
}

func (h helpCenterHandlers) SolveWithSuggestion(ctx context.Context, r gen.SolveWithSuggestionRequestObject) (gen.SolveWithSuggestionResponseObject, error) {
	return gen.SolveWithSuggestion204Response{}, h.decideSuggestion(ctx, string(r.Body.Token), models.DeflectionSolved, requestOf(ctx))
}

func (h helpCenterHandlers) RejectSuggestion(ctx context.Context, r gen.RejectSuggestionRequestObject) (gen.RejectSuggestionResponseObject, error) {
	return gen.RejectSuggestion204Response{}, h.decideSuggestion(ctx, string(r.Body.Token), models.DeflectionRejected, requestOf(ctx))
}

func (h helpCenterHandlers) decideSuggestion(ctx context.Context, token, outcome string, from tickets.Origin) error {
	return h.help.DecideSuggestion(ctx, token, outcome, h.tickets.SolveAsked(tickets.Change{Via: tickets.ViaChannel("web"), Origin: from}))
}

func (h helpCenterHandlers) ListSuggestionStats(ctx context.Context, r gen.ListSuggestionStatsRequestObject) (gen.ListSuggestionStatsResponseObject, error) {
	p, err := numberedPage(ctx, firstSize)
	if err != nil {
		return nil, err
	}
	p.Sort = "" // there is one order
	in := r.Params
	found, err := h.help.Deflections(ctx, auth.From(ctx), or(in.StartDate, ""), or(in.EndDate, ""), or(in.GroupBy, ""), p)
	if err != nil {
		return nil, err
	}
	return gen.ListSuggestionStats200JSONResponse{Listing: helpList(ctx, "stats", page.Map(found, func(d helpcenter.Deflected) gen.SuggestionStat {
		out := gen.SuggestionStat{Offered: d.Offered, Solved: d.Solved, Rejected: d.Rejected}
		if d.ArticleID != 0 {
			out.ArticleID = &d.ArticleID
		} else {
			out.Date = new(d.Day.Format(time.DateOnly))
		}
		return out
	}))}, nil
}
