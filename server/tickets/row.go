package tickets

import (
	"database/sql"

	"github.com/helpd/helpd/models"
)

// columns of a ticket's row in the order in which dest takes them.
const columns = `t.id, t.subject, t.description, t.status, t.custom_status_id, t.type, t.priority, t.requester_id, t.submitter_id,
	t.assignee_id, t.group_id, t.organization_id, t.brand_id, t.ticket_form_id, t.problem_id, t.external_id, t.recipient, t.via,
	t.tags, t.custom_fields, t.follower_ids, t.email_cc_ids, t.due_at, t.is_public, t.comment_count, t.incident_count,
	t.followup_source_id, t.followup_ids, t.satisfaction, t.created_at, t.updated_at, t.generated_at, t.solved_at, t.deleted_at, t.deleted_by,
	t.archived, t.schedule_id, t.subject_literal`

func dest(t *models.Ticket) []any {
	return []any{&t.ID, &t.Subject, &t.Description, &t.Status, &t.CustomStatusID, &t.Type, &t.Priority, &t.RequesterID, &t.SubmitterID,
		&t.AssigneeID, &t.GroupID, &t.OrganizationID, &t.BrandID, &t.TicketFormID, &t.ProblemID, &t.ExternalID, &t.Recipient, &t.Via,
		&t.Tags, &t.CustomFields, &t.FollowerIDs, &t.EmailCCIDs, &t.DueAt, &t.IsPublic, &t.CommentCount, &t.IncidentCount,
		&t.FollowupSourceID, &t.FollowupIDs, &t.Satisfaction, &t.CreatedAt, &t.UpdatedAt, &t.GeneratedAt, &t.SolvedAt, &t.DeletedAt, &t.DeletedBy,
		&t.Archived, &t.ScheduleID, &t.SubjectLiteral}
}

const metricColumns = `m.id, m.group_stations, m.assignee_stations, m.reopens, m.replies, m.assignee_updated_at, m.requester_updated_at,
	m.status_updated_at, m.initially_assigned_at, m.assigned_at, m.solved_at, m.first_solved_at, m.first_replied_at,
	m.latest_comment_added_at, m.custom_status_updated_at, m.agent_wait_seconds, m.requester_wait_seconds, m.on_hold_seconds,
	m.reply_business_seconds, m.first_resolution_business_seconds, m.full_resolution_business_seconds, m.agent_wait_business_seconds,
	m.requester_wait_business_seconds, m.on_hold_business_seconds, m.created_at, m.updated_at, m.next_breach_at`

func metricDest(m *models.TicketMetric) []any {
	return []any{&m.ID, &m.GroupStations, &m.AssigneeStations, &m.Reopens, &m.Replies, &m.AssigneeUpdatedAt, &m.RequesterUpdatedAt,
		&m.StatusUpdatedAt, &m.InitiallyAssignedAt, &m.AssignedAt, &m.SolvedAt, &m.FirstSolvedAt, &m.FirstRepliedAt,
		&m.LatestCommentAddedAt, &m.CustomStatusUpdatedAt, &m.AgentWaitSeconds, &m.RequesterWaitSeconds, &m.OnHoldSeconds,
		&m.Business.Reply, &m.Business.FirstResolution, &m.Business.FullResolution, &m.Business.AgentWait,
		&m.Business.RequesterWait, &m.Business.OnHold, &m.CreatedAt, &m.UpdatedAt, &m.NextBreachAt}
}

// scanTicket reads a row of columns and whatever order wants behind them.
func scanTicket(account int64) func(*sql.Rows, ...any) (models.Ticket, error) {
	return func(rows *sql.Rows, order ...any) (models.Ticket, error) {
		t := models.Ticket{AccountID: account}
		return t, rows.Scan(append(dest(&t), order...)...)
	}
}
