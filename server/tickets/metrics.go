package tickets

import (
	"time"

	"github.com/helpd/helpd/models"
)

// countMetrics brings the ticket's metric set up to now (contract tickets.md §6):
//
//   - A stay in a status counts, once it has ended, as agent wait (pending),
//     requester wait (new, open and hold) and on hold (hold).
//   - Replies are the public comments of agents who are not the requester. The
//     reply time is from the creation to the first of them that came later.
//   - The first resolution is from the creation to the first time that the ticket
//     was solved, the full one to the last; a reopened ticket has no full one. A
//     merge closes a ticket and solves it so.
//   - Reopens are the ways back out of solved. A station is each group, and each
//     assignee, that the ticket came to, one as often as it came back.
//   - Each of these times is kept in calendar seconds and in those of working
//     time, which are taken when it ends (addBusiness).
func (s *save) countMetrics() {
	m, before, after, now := &s.metric, &s.before, &s.after, s.now
	if s.created {
		m.CreatedAt = after.CreatedAt
		none := s.businessUntil(after.CreatedAt) // 0, or nil without a schedule
		m.Business.AgentWait, m.Business.RequesterWait, m.Business.OnHold = none, none, none
		m.StatusUpdatedAt, m.CustomStatusUpdatedAt = &now, &now
	}
	m.UpdatedAt = now
	if after.Status != before.Status && !s.created {
		s.endStay()
		m.StatusUpdatedAt = &now
		if before.Status == models.StatusSolved && after.Status != models.StatusClosed {
			m.Reopens++
			m.SolvedAt, m.Business.FullResolution = nil, nil
		}
	}
	if after.CustomStatusID != before.CustomStatusID {
		m.CustomStatusUpdatedAt = &now
	}
	if !unsolved(after.Status) && (s.created || unsolved(before.Status)) { // a merge closes what was never solved
		m.SolvedAt, m.Business.FullResolution = &now, s.businessUntil(now)
		if m.FirstSolvedAt == nil {
			m.FirstSolvedAt, m.Business.FirstResolution = m.SolvedAt, m.Business.FullResolution
		}
	}
	after.SolvedAt = m.SolvedAt
	if after.GroupID != nil && !same(after.GroupID, before.GroupID) {
		m.GroupStations++
	}
	if after.AssigneeID != nil && !same(after.AssigneeID, before.AssigneeID) {
		m.AssigneeStations++
		m.AssignedAt = &now
		if m.InitiallyAssignedAt == nil {
			m.InitiallyAssignedAt = &now
		}
	}
	s.runClocks()
	if c := s.comment; c != nil {
		m.LatestCommentAddedAt = &c.CreatedAt
		if s.replies() {
			m.Replies++
			if m.FirstRepliedAt == nil && !s.created {
				m.FirstRepliedAt, m.Business.Reply = &c.CreatedAt, s.businessUntil(c.CreatedAt)
			}
		}
	}
	if s.authorID() == after.RequesterID {
		m.RequesterUpdatedAt = &now
	}
	if after.AssigneeID != nil && s.authorID() == *after.AssigneeID {
		m.AssigneeUpdatedAt = &now
	}
}

// replies reports whether the save brings a reply: a public comment by an agent
// who is not the requester.
func (s *save) replies() bool {
	c := s.comment
	return c != nil && c.Public && s.staff(c.AuthorID) && c.AuthorID != s.after.RequesterID
}

// endStay adds the time spent in the status that the ticket leaves.
func (s *save) endStay() {
	m := &s.metric
	since := s.before.CreatedAt
	if m.StatusUpdatedAt != nil {
		since = *m.StatusUpdatedAt
	}
	add := func(sum *int64, business **int64) {
		*business = addBusiness(*business, *sum, s.hours(), since, s.now)
		*sum += int64(s.now.Sub(since) / time.Second)
	}
	switch s.before.Status {
	case models.StatusPending:
		add(&m.AgentWaitSeconds, &m.Business.AgentWait)
	case models.StatusNew, models.StatusOpen:
		add(&m.RequesterWaitSeconds, &m.Business.RequesterWait)
	case models.StatusHold:
		add(&m.RequesterWaitSeconds, &m.Business.RequesterWait)
		add(&m.OnHoldSeconds, &m.Business.OnHold)
	}
}
