package api

import (
	"context"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/tickets"
)

type satisfactionHandlers struct {
	tickets *tickets.Service
}

func (h satisfactionHandlers) ListSatisfactionRatings(ctx context.Context, r gen.ListSatisfactionRatingsRequestObject) (gen.ListSatisfactionRatingsResponseObject, error) {
	l, err := h.list(ctx, r.Params.Score, r.Params.StartTime, r.Params.EndTime)
	return gen.ListSatisfactionRatings200JSONResponse{Listing: l}, err
}

func (h satisfactionHandlers) ListReceivedRatings(ctx context.Context, r gen.ListReceivedRatingsRequestObject) (gen.ListReceivedRatingsResponseObject, error) {
	l, err := h.list(ctx, new("received"), r.Params.StartTime, r.Params.EndTime)
	return gen.ListReceivedRatings200JSONResponse{Listing: l}, err
}

func (h satisfactionHandlers) list(ctx context.Context, score *string, from, to *int64) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	p.Desc = callOf(ctx).query.Get("sort_order") == "desc" // in both ways of paging
	f, err := ratingFilter(score, from, to)
	if err != nil {
		return wire.Listing{}, err
	}
	found, err := h.tickets.Ratings(ctx, auth.From(ctx), f, p)
	if err != nil {
		return wire.Listing{}, err
	}
	return listing(ctx, "satisfaction_ratings", mapped(ctx, found, ratingJSON)), nil
}

func (h satisfactionHandlers) CountSatisfactionRatings(ctx context.Context, r gen.CountSatisfactionRatingsRequestObject) (gen.CountSatisfactionRatingsResponseObject, error) {
	f, err := ratingFilter(r.Params.Score, r.Params.StartTime, r.Params.EndTime)
	if err != nil {
		return nil, err
	}
	n, at, err := h.tickets.CountRatings(ctx, auth.From(ctx), f)
	return gen.CountSatisfactionRatings200JSONResponse(countJSON(n, at)), err
}

func ratingFilter(score *string, from, to *int64) (f tickets.RatingFilter, err error) {
	f.Score = or(score, "")
	if f.From, err = unixTime("start_time", from); err != nil {
		return f, err
	}
	f.To, err = unixTime("end_time", to)
	return f, err
}

// lastUnixTime is the end of the year 9999, the last that times on the wire can
// have.
const lastUnixTime = 253402300799

// unixTime is a parameter of seconds since 1970; nil for none.
func unixTime(name string, seconds *int64) (*time.Time, error) {
	if seconds == nil {
		return nil, nil
	}
	if *seconds < 0 || *seconds > lastUnixTime {
		return nil, fault.InvalidField(name, "%d is not a Unix time in seconds", *seconds)
	}
	return new(time.Unix(*seconds, 0).UTC()), nil
}

func (h satisfactionHandlers) ShowSatisfactionRating(ctx context.Context, r gen.ShowSatisfactionRatingRequestObject) (gen.ShowSatisfactionRatingResponseObject, error) {
	found, err := h.tickets.Rating(ctx, auth.From(ctx), int64(r.SatisfactionRatingID))
	if err != nil {
		return nil, err
	}
	return gen.ShowSatisfactionRating200JSONResponse{SatisfactionRating: ratingJSON(ctx, found)}, nil
}

func (h satisfactionHandlers) CreateTicketSatisfactionRating(ctx context.Context, r gen.CreateTicketSatisfactionRatingRequestObject) (gen.CreateTicketSatisfactionRatingResponseObject, error) {
	in := r.Body.SatisfactionRating
	vote := tickets.Satisfaction{
		Score: string(or(in.Score, "")), Comment: nullableText(in.Comment),
		ReasonCode: convert(in.ReasonCode, func(code wire.ID) int64 { return int64(code) }),
	}
	var c tickets.Change
	fromRequest(ctx, &c)
	saved, err := h.tickets.Rate(ctx, auth.From(ctx), int64(r.TicketID), vote, c)
	if err != nil {
		return nil, err
	}
	return gen.CreateTicketSatisfactionRating200JSONResponse{SatisfactionRating: ratingJSON(ctx, saved)}, nil
}

func (h satisfactionHandlers) CreateSatisfactionSurvey(ctx context.Context, r gen.CreateSatisfactionSurveyRequestObject) (gen.CreateSatisfactionSurveyResponseObject, error) {
	var c tickets.Change
	fromRequest(ctx, &c)
	survey, err := h.tickets.OfferSurvey(ctx, auth.From(ctx), int64(r.TicketID), c)
	if err != nil {
		return nil, err
	}
	address := callOf(ctx).base + tickets.SurveyPath + survey.Token
	return gen.CreateSatisfactionSurvey200JSONResponse{SatisfactionSurvey: gen.SatisfactionSurvey{
		TicketID: survey.TicketID, URL: address, GoodURL: address + "?score=good", BadURL: address + "?score=bad",
		ExpiresAt: wire.Time(survey.ExpiresAt),
	}}, nil
}

func (h satisfactionHandlers) ListSatisfactionRatingReasons(ctx context.Context, _ gen.ListSatisfactionRatingReasonsRequestObject) (gen.ListSatisfactionRatingReasonsResponseObject, error) {
	found, err := h.tickets.Reasons(ctx)
	reasons := each(found, func(r models.SatisfactionReason) gen.SatisfactionReason { return reasonJSON(ctx, r) })
	return gen.ListSatisfactionRatingReasons200JSONResponse{Listing: whole("reasons", reasons)}, err
}

func (h satisfactionHandlers) ShowSatisfactionRatings(ctx context.Context, r gen.ShowSatisfactionRatingsRequestObject) (gen.ShowSatisfactionRatingsResponseObject, error) {
	found, err := h.tickets.Reason(ctx, int64(r.SatisfactionReasonID))
	if err != nil {
		return nil, err
	}
	return gen.ShowSatisfactionRatings200JSONResponse{Reason: reasonJSON(ctx, found)}, nil
}

func (h satisfactionHandlers) CreateSatisfactionReason(ctx context.Context, r gen.CreateSatisfactionReasonRequestObject) (gen.CreateSatisfactionReasonResponseObject, error) {
	added, err := h.tickets.AddReason(ctx, auth.From(ctx), string(or(r.Body.Reason.Value, "")))
	if err != nil {
		return nil, err
	}
	out := reasonJSON(ctx, added)
	return gen.CreateSatisfactionReason201JSONResponse{
		Headers: gen.CreateSatisfactionReason201ResponseHeaders{Location: out.URL},
		Body:    gen.SatisfactionReasonEnvelope{Reason: out},
	}, nil
}

func (h satisfactionHandlers) DeleteSatisfactionReason(ctx context.Context, r gen.DeleteSatisfactionReasonRequestObject) (gen.DeleteSatisfactionReasonResponseObject, error) {
	if err := h.tickets.DeleteReason(ctx, auth.From(ctx), int64(r.SatisfactionReasonID)); err != nil {
		return nil, err
	}
	return gen.DeleteSatisfactionReason204Response{}, nil
}

func ratingJSON(ctx context.Context, r tickets.RatingRecord) gen.SatisfactionRating {
	return gen.SatisfactionRating{
		URL: link(ctx, "satisfaction_ratings", r.ID), ID: r.ID, TicketID: r.TicketID, RequesterID: r.RequesterID, AssigneeID: r.AssigneeID,
		GroupID: r.GroupID, Score: gen.SatisfactionScore(r.Score), Comment: r.Comment, Reason: r.Reason, ReasonID: r.ReasonID,
		CreatedAt: wire.Time(r.CreatedAt), UpdatedAt: wire.Time(r.UpdatedAt),
	}
}

func reasonJSON(ctx context.Context, r models.SatisfactionReason) gen.SatisfactionReason {
	return gen.SatisfactionReason{
		URL: link(ctx, "satisfaction_reasons", r.ID), ID: r.ID, ReasonCode: int64(r.ReasonCode), Value: r.Value, RawValue: r.Value,
		CreatedAt: wire.Time(r.CreatedAt), UpdatedAt: wire.Time(r.UpdatedAt), DeletedAt: (*wire.Time)(r.DeletedAt),
	}
}
