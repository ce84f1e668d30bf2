package api

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/ulid"
	"github.com/helpd/helpd/server/webhooks"
)

func (h webhookHandlers) ListWebhookInvocations(ctx context.Context, r gen.ListWebhookInvocationsRequestObject) (gen.ListWebhookInvocationsResponseObject, error) {
	p, err := cursorPageOf(ctx)
	if err != nil {
		return nil, err
	}
	by := auth.From(ctx)
	if _, err := h.webhooks.Get(ctx, by, r.WebhookID); err != nil { // is said before what is wrong with the window
		return nil, asList(err)
	}
	v := webhooks.Window{Statuses: commas(r.Params.FilterStatus), EventTypes: commas(r.Params.FilterEventType)}
	if v.From, err = timeParam("filter[from_ts]", r.Params.FilterFromTS); err == nil {
		v.To, err = timeParam("filter[to_ts]", r.Params.FilterToTS)
	}
	if err != nil {
		return nil, asList(err)
	}
	found, err := h.webhooks.Invocations(ctx, by, r.WebhookID, v, p)
	return gen.ListWebhookInvocations200JSONResponse{Listing: listing(ctx, "invocations", page.Map(found, invocationJSON))}, asList(err)
}

// timeParam is the zero time for none.
func timeParam(name string, text *string) (time.Time, error) {
	if or(text, "") == "" {
		return time.Time{}, nil
	}
	t, err := wire.ParseTime(*text)
	if err != nil {
		return time.Time{}, fault.New(fault.BadRequest, "%s is not an ISO 8601 time", name)
	}
	return time.Time(t), nil
}

// commas are the parts of a parameter that has several, separated by commas.
func commas(text *string) (parts []string) {
	for part := range strings.SplitSeq(or(text, ""), ",") {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

func (h webhookHandlers) ListWebhookInvocationAttempts(ctx context.Context, r gen.ListWebhookInvocationAttemptsRequestObject) (gen.ListWebhookInvocationAttemptsResponseObject, error) {
	i, list, err := h.webhooks.Attempts(ctx, auth.From(ctx), r.WebhookID, r.InvocationID)
	if err != nil {
		return nil, asList(err)
	}
	return gen.ListWebhookInvocationAttempts200JSONResponse{Listing: wire.Listing{Key: "attempts", Items: each(list, func(a models.WebhookAttempt) gen.WebhookAttempt {
		return attemptJSON(i, a)
	})}}, nil
}

func (h webhookHandlers) ReplayWebhookInvocation(ctx context.Context, r gen.ReplayWebhookInvocationRequestObject) (gen.ReplayWebhookInvocationResponseObject, error) {
	i, err := h.webhooks.Replay(ctx, auth.From(ctx), r.WebhookID, r.InvocationID, h.tickets.CallAgain)
	if err != nil {
		return nil, asList(err)
	}
	return gen.ReplayWebhookInvocation201JSONResponse{Invocation: invocationJSON(i)}, nil
}

func (h webhookHandlers) ReplayWebhook(ctx context.Context, r gen.ReplayWebhookRequestObject) (gen.ReplayWebhookResponseObject, error) {
	in := r.Body.Replay
	n, err := h.webhooks.ReplayWindow(ctx, auth.From(ctx), r.WebhookID, webhooks.Window{
		From: time.Time(or(in.From, wire.Time{})), To: time.Time(or(in.To, wire.Time{})), Statuses: in.Status, EventTypes: in.EventTypes,
	})
	return gen.ReplayWebhook200JSONResponse{Replay: gen.WebhookReplay{Count: n}}, asList(err)
}

func invocationJSON(i models.WebhookInvocation) gen.WebhookInvocation {
	return gen.WebhookInvocation{
		ID: i.ID, Status: gen.WebhookInvocationStatus(i.Status), StatusCode: statusCode(or(i.StatusCode, 0)), LatestCompletedAt: orNull((*wire.Time)(i.CompletedAt)),
		CreatedAt: wire.Time(ulid.Time(i.ID)), Tries: int64(i.Tries), NextAttemptAt: orNull((*wire.Time)(i.NextAt)), MessageID: i.MessageID,
		EventType: orNull(i.EventType), RuleID: orNull(i.RuleID), TicketID: orNull(i.TicketID),
	}
}

func attemptJSON(i models.WebhookInvocation, a models.WebhookAttempt) gen.WebhookAttempt {
	return gen.WebhookAttempt{
		ID: a.ID, InvocationID: a.InvocationID, Status: gen.WebhookInvocationStatus(a.Status), StatusCode: statusCode(or(a.StatusCode, 0)), Error: orNull(a.Error),
		CompletedAt: wire.Time(a.CompletedAt), Request: gen.WebhookAttemptRequest{Headers: headerList(a.RequestHeaders), Payload: i.Payload},
		Response: gen.WebhookAttemptAnswer{Headers: headerList(a.ResponseHeaders), Payload: a.ResponsePayload},
	}
}

// headerList are headers as they are stored, which is as they are shown.
func headerList(raw models.JSON) []gen.WebhookHeader {
	out := []gen.WebhookHeader{}
	_ = json.Unmarshal(raw, &out) // the program's own
	return out
}
