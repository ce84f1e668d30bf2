package tickets

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

const auditColumns = "a.id, a.ticket_id, a.author_id, a.via, a.metadata, a.events, a.created_at"

func auditDest(a *models.Audit) []any {
	return []any{&a.ID, &a.TicketID, &a.AuthorID, &a.Via, &a.Metadata, &a.Events, &a.CreatedAt}
}

var auditsByAge = page.By("created_at,id", page.Column{Expr: "a.created_at", Kind: page.Time}, page.Column{Expr: "a.id", Kind: page.Int})

// Audits is a page of a ticket's audits, the oldest first unless the request
// turns it. It fails with fault.NotFound, and with fault.Forbidden for end users.
func (s *Service) Audits(ctx context.Context, by auth.Actor, ticket int64, r page.Request) (page.Result[AuditRecord], error) {
	if err := mayAudit(by); err != nil {
		return page.Result[AuditRecord]{}, err
	}
	if _, err := s.Get(ctx, by, ticket); err != nil {
		return page.Result[AuditRecord]{}, err
	}
	return s.audits(ctx, by, "a.account_id = ? AND a.ticket_id = ?", []any{by.AccountID, ticket}, r)
}

// mayAudit keeps audits, which show private comments, from end users.
func mayAudit(by auth.Actor) error {
	if PublicOnly(by) {
		return fault.Denied()
	}
	return nil
}

// AllAudits is a page of the audits of all tickets of the account that are not
// archived, for admins.
// It fails with fault.Forbidden.
func (s *Service) AllAudits(ctx context.Context, by auth.Actor, r page.Request) (page.Result[AuditRecord], error) {
	if !by.Admin() {
		return page.Result[AuditRecord]{}, fault.Denied()
	}
	return s.audits(ctx, by, "a.account_id = ? AND NOT a.archived", []any{by.AccountID}, r)
}

func (s *Service) audits(ctx context.Context, by auth.Actor, where string, args []any, r page.Request) (page.Result[AuditRecord], error) {
	q := page.Query{Select: auditColumns, From: "audits a", Where: where, Args: args, Order: auditsByAge}
	if r.Desc {
		q.Order = q.Order.Reversed()
	}
	list, err := page.List(ctx, s.db, q, r, func(rows *sql.Rows, order ...any) (AuditRecord, error) {
		a := AuditRecord{Audit: models.Audit{Tenant: models.Tenant{AccountID: by.AccountID}}}
		return a, rows.Scan(append(auditDest(&a.Audit), order...)...)
	})
	if err != nil {
		return list, err
	}
	return list, s.fillComments(ctx, by, list.Items)
}

// CountAudits is the number of a ticket's audits.
func (s *Service) CountAudits(ctx context.Context, by auth.Actor, ticket int64) (int, time.Time, error) {
	if err := mayAudit(by); err != nil {
		return 0, time.Time{}, err
	}
	if _, err := s.Get(ctx, by, ticket); err != nil {
		return 0, time.Time{}, err
	}
	return page.Count(ctx, s.db, "audits a", "a.account_id = ? AND a.ticket_id = ?", []any{by.AccountID, ticket})
}

// Audit is one audit of a ticket. It fails with fault.NotFound.
func (s *Service) Audit(ctx context.Context, by auth.Actor, ticket, id int64) (AuditRecord, error) {
	a := AuditRecord{Audit: models.Audit{Tenant: models.Tenant{AccountID: by.AccountID}}}
	if err := mayAudit(by); err != nil {
		return a, err
	}
	if _, err := s.Get(ctx, by, ticket); err != nil {
		return a, err
	}
	err := s.db.WithContext(ctx).Raw("SELECT "+auditColumns+" FROM audits a WHERE a.account_id = ? AND a.ticket_id = ? AND a.id = ?", by.AccountID, ticket, id).
		Row().Scan(auditDest(&a.Audit)...)
	if isNoRows(err) {
		return a, fault.Missing("audit", id)
	}
	if err != nil {
		return a, err
	}
	one := []AuditRecord{a}
	err = s.fillComments(ctx, by, one)
	return one[0], err
}

// LastAudits are the newest audits of tickets that by may see.
func (s *Service) LastAudits(ctx context.Context, by auth.Actor, tickets []int64) ([]AuditRecord, error) {
	if err := mayAudit(by); err != nil {
		return nil, err
	}
	rows, err := s.db.WithContext(ctx).Raw("SELECT "+auditColumns+` FROM unnest(?::bigint[]) AS wanted(ticket_id) CROSS JOIN LATERAL (
		SELECT * FROM audits a WHERE a.account_id = ? AND a.ticket_id = wanted.ticket_id ORDER BY a.created_at DESC, a.id DESC LIMIT 1) a`,
		models.IDs(tickets), by.AccountID).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []AuditRecord
	for rows.Next() {
		a := AuditRecord{Audit: models.Audit{Tenant: models.Tenant{AccountID: by.AccountID}}}
		if err := rows.Scan(auditDest(&a.Audit)...); err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return list, s.fillComments(ctx, by, list)
}

// fillComments reads the comments that audits' events stand for, with their
// files, in one statement each.
func (s *Service) fillComments(ctx context.Context, by auth.Actor, list []AuditRecord) error {
	audits := make(models.IDs, 0, len(list))
	at := make(map[int64]int, len(list))
	for i, a := range list {
		audits = append(audits, a.ID)
		at[a.ID] = i
		list[i].Comments = map[int64]CommentRecord{}
	}
	if len(audits) == 0 {
		return nil
	}
	rows, err := s.db.WithContext(ctx).Raw("SELECT "+commentColumns+" FROM comments c WHERE c.account_id = ? AND c.audit_id = ANY(?)", by.AccountID, audits).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	var comments []CommentRecord
	for rows.Next() {
		c := CommentRecord{Comment: models.Comment{AccountID: by.AccountID}}
		if err := rows.Scan(commentDest(&c.Comment)...); err != nil {
			return err
		}
		comments = append(comments, c)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if err := s.attach(ctx, comments); err != nil {
		return err
	}
	for _, c := range comments {
		list[at[c.AuditID]].Comments[c.ID] = c
	}
	return nil
}

// CommentEvents are the ids of the comments among an audit's events.
func (a AuditRecord) CommentEvents() []int64 {
	var events []struct {
		ID   int64  `json:"id"`
		Type string `json:"type"`
	}
	_ = json.Unmarshal(a.Events, &events) // written by ourselves
	var ids []int64
	for _, e := range events {
		if e.Type == "Comment" {
			ids = append(ids, e.ID)
		}
	}
	return ids
}
