package api

import (
	"context"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/tickets"
)

// metricJSON is a metric set.
func metricJSON(ctx context.Context, m models.TicketMetric, t *models.Ticket) gen.TicketMetric {
	between := func(end *time.Time, business *int64) gen.Minutes {
		if end == nil {
			return gen.Minutes{}
		}
		return minutesJSON(end.Sub(t.CreatedAt), business)
	}
	spent := func(seconds int64, business *int64) gen.Minutes {
		return minutesJSON(time.Duration(seconds)*time.Second, business)
	}
	out := gen.TicketMetric{
		URL: link(ctx, "ticket_metrics", m.ID), ID: m.ID, TicketID: m.TicketID, CreatedAt: wire.Time(m.CreatedAt), UpdatedAt: wire.Time(m.UpdatedAt),
		GroupStations: int64(m.GroupStations), AssigneeStations: int64(m.AssigneeStations), Reopens: int64(m.Reopens), Replies: int64(m.Replies),
		AssigneeUpdatedAt: (*wire.Time)(m.AssigneeUpdatedAt), RequesterUpdatedAt: (*wire.Time)(m.RequesterUpdatedAt),
		StatusUpdatedAt: (*wire.Time)(m.StatusUpdatedAt), InitiallyAssignedAt: (*wire.Time)(m.InitiallyAssignedAt),
		AssignedAt: (*wire.Time)(m.AssignedAt), SolvedAt: (*wire.Time)(m.SolvedAt), LatestCommentAddedAt: (*wire.Time)(m.LatestCommentAddedAt),
		ReplyTimeInMinutes:           between(m.FirstRepliedAt, m.Business.Reply),
		FirstResolutionTimeInMinutes: between(m.FirstSolvedAt, m.Business.FirstResolution),
		FullResolutionTimeInMinutes:  between(m.SolvedAt, m.Business.FullResolution),
		AgentWaitTimeInMinutes:       spent(m.AgentWaitSeconds, m.Business.AgentWait),
		RequesterWaitTimeInMinutes:   spent(m.RequesterWaitSeconds, m.Business.RequesterWait),
		OnHoldTimeInMinutes:          spent(m.OnHoldSeconds, m.Business.OnHold),
		CustomStatusUpdatedAt:        (*wire.Time)(m.CustomStatusUpdatedAt),
	}
	if m.FirstRepliedAt != nil {
		seconds := int64(m.FirstRepliedAt.Sub(t.CreatedAt) / time.Second)
		out.ReplyTimeInSeconds.Calendar = &seconds
	}
	return out
}

func minutesJSON(span time.Duration, business *int64) gen.Minutes {
	m := tickets.MinutesOf(span, business)
	return gen.Minutes{Calendar: &m.Calendar, Business: m.Business}
}

type ticketDates struct {
	AssigneeUpdatedAt    *wire.Time `json:"assignee_updated_at"`
	RequesterUpdatedAt   *wire.Time `json:"requester_updated_at"`
	StatusUpdatedAt      *wire.Time `json:"status_updated_at"`
	InitiallyAssignedAt  *wire.Time `json:"initially_assigned_at"`
	AssignedAt           *wire.Time `json:"assigned_at"`
	SolvedAt             *wire.Time `json:"solved_at"`
	LatestCommentAddedAt *wire.Time `json:"latest_comment_added_at"`
}

func datesJSON(m models.TicketMetric) ticketDates {
	return ticketDates{
		(*wire.Time)(m.AssigneeUpdatedAt), (*wire.Time)(m.RequesterUpdatedAt), (*wire.Time)(m.StatusUpdatedAt), (*wire.Time)(m.InitiallyAssignedAt),
		(*wire.Time)(m.AssignedAt), (*wire.Time)(m.SolvedAt), (*wire.Time)(m.LatestCommentAddedAt),
	}
}
