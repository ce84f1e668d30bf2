package tickets

import (
	"context"
	"database/sql"
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/outbox"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/sla"
)

// Delete puts a ticket among the deleted ones, from where it can be restored.
// The audit tells it as a change of the status to "deleted". It fails with
// fault.NotFound, or with fault.Forbidden where only admins may delete.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		sv, err := s.lockTx(tx, by, id)
		if err != nil {
			return err
		}
		return sv.delete()
	})
}

// mayDelete refuses whom the account does not let delete tickets.
func mayDelete(by auth.Actor, config *fields.Config) error {
	if !by.Staff() || !by.Admin() && !config.Settings.Tickets.AgentTicketDeletion {
		return fault.Denied()
	}
	return nil
}

func (s *save) delete() error {
	if err := mayDelete(s.by, s.config); err != nil {
		return err
	}
	deleter := s.authorID()
	s.after.DeletedAt, s.after.DeletedBy = &s.now, &deleter
	return s.tellDeletion(s.before.Status, "deleted", "soft_deleted")
}

// Restore brings a deleted ticket back. It fails with fault.NotFound where
// there is no deleted ticket with the id.
func (s *Service) Restore(ctx context.Context, by auth.Actor, id int64) error {
	if !by.Staff() {
		return fault.Denied()
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		where, args := owned(by)
		sv, err := s.lockWhereTx(tx, by, id, where+" AND t.deleted_at IS NOT NULL AND NOT t.scrubbed", args)
		if err != nil {
			return err
		}
		sv.after.DeletedAt, sv.after.DeletedBy = nil, nil
		return sv.tellDeletion("deleted", sv.before.Status, "undeleted")
	})
}

// tellDeletion writes a save whose only event is that of a deletion or its end.
func (s *save) tellDeletion(previous, now, logged string) error {
	var before, after any = previous, now
	if err := s.tell(auditEvent{Type: "Change", FieldName: "status", Value: &after, PreviousValue: &before}); err != nil {
		return err
	}
	s.touch()
	s.logEvent(logged, nil)
	state, err := sla.Read(s.metric.SLA)
	if err != nil {
		return err
	}
	s.noteBreaches(state)
	return s.write()
}

// Deleted is a ticket that was deleted.
type Deleted struct {
	Ticket models.Ticket
	Actor  string // name of who deleted it
}

// ListDeleted is a page of the deleted tickets of the last 30 days, the newest
// deletion last unless the request sorts otherwise (id, subject, deleted_at).
func (s *Service) ListDeleted(ctx context.Context, by auth.Actor, r page.Request) (page.Result[Deleted], error) {
	if !by.Staff() {
		return page.Result[Deleted]{}, fault.Denied()
	}
	where, args := owned(by)
	where += " AND t.deleted_at > ? AND NOT t.scrubbed"
	args = append(args, s.now().AddDate(0, 0, -keepDeleted))
	order := page.By("deleted_at,id", page.Column{Expr: "t.deleted_at", Kind: page.Time}, byID)
	switch {
	case r.Sort == "id":
		order = page.By("nice_id", byID)
	case r.Sort == "subject" && !r.Cursor:
		order = offsetOrders["subject"]
	}
	if r.Desc {
		order = order.Reversed()
	}
	return page.List(ctx, s.db, page.Query{
		Select: columns + ", coalesce(u.name, '')", From: "tickets t LEFT JOIN users u ON u.account_id = t.account_id AND u.id = t.deleted_by",
		Where: where, Args: args, Order: order, CountFrom: "tickets t",
	}, r, func(rows *sql.Rows, order ...any) (Deleted, error) {
		d := Deleted{Ticket: models.Ticket{AccountID: by.AccountID}}
		return d, rows.Scan(append(append(dest(&d.Ticket), &d.Actor), order...)...)
	})
}

// commentSave changes one comment of a ticket, in a save of its own. The
// comment is locked by its ticket.
func (s *Service) commentSave(ctx context.Context, by auth.Actor, ticket, id int64, change func(sv *save, c *models.Comment) error) (CommentRecord, error) {
	var record CommentRecord
	if !by.Staff() {
		return record, fault.Denied()
	}
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		sv, err := s.lockTx(tx, by, ticket)
		if err != nil {
			return err
		}
		var c models.Comment
		err = tx.Take(&c, "ticket_id = ? AND id = ?", ticket, id).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return fault.Missing("comment", id)
		}
		if err != nil {
			return err
		}
		if err := change(sv, &c); err != nil {
			return err
		}
		if len(sv.auditEvents) > 0 {
			sv.touch()
			if err := sv.write(); err != nil {
				return err
			}
		}
		record.Comment = c
		return nil
	})
	if err != nil {
		return record, err
	}
	one := []CommentRecord{record}
	err = s.attach(ctx, one)
	return one[0], err
}

// touch has the ticket changed now.
func (s *save) touch() {
	s.after.GeneratedAt, s.after.UpdatedAt, s.metric.UpdatedAt = s.now, s.now, s.now
}

// MakePrivate hides a public comment from end users; it cannot be undone. A
// private one stays as it is.
func (s *Service) MakePrivate(ctx context.Context, by auth.Actor, ticket, comment int64) error {
	_, err := s.commentSave(ctx, by, ticket, comment, func(sv *save, c *models.Comment) error {
		if !c.Public {
			return nil
		}
		if err := sv.tx.Model(c).Where("id = ?", c.ID).Update("public", false).Error; err != nil {
			return err
		}
		if err := outbox.WithdrawTx(sv.tx, sv.by.AccountID, ticket, c.ID); err != nil {
			return err
		}
		no := false
		if err := sv.tell(auditEvent{Type: "CommentPrivacyChange", CommentID: c.ID, Public: &no}); err != nil {
			return err
		}
		var public int
		if err := sv.tx.Raw("SELECT count(*) FROM comments WHERE account_id = ? AND ticket_id = ? AND public", sv.by.AccountID, ticket).Row().Scan(&public); err != nil {
			return err
		}
		sv.after.IsPublic = public > 0
		sv.logEvent("comment_made_private", map[string]any{"comment": map[string]any{"id": events.ID(c.ID)}})
		return nil
	})
	return err
}

// MakeAuditPrivate hides the comments of an audit.
func (s *Service) MakeAuditPrivate(ctx context.Context, by auth.Actor, ticket, audit int64) error {
	a, err := s.Audit(ctx, by, ticket, audit)
	if err != nil {
		return err
	}
	for _, id := range a.CommentEvents() {
		if err := s.MakePrivate(ctx, by, ticket, id); err != nil {
			return err
		}
	}
	return nil
}

// RestoreMany brings deleted tickets back, all of them or none. It fails with
// fault.BadRequest without any, with fault.TooMany, and as Restore does.
func (s *Service) RestoreMany(ctx context.Context, by auth.Actor, ids []int64) error {
	switch {
	case len(ids) == 0:
		return fault.New(fault.BadRequest, "Parameter ids is missing")
	case len(ids) > MaxMany:
		return fault.Exceeds(MaxMany)
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		inner := postgres.WithTx(ctx, tx)
		for _, id := range ids {
			if err := s.Restore(inner, by, id); err != nil {
				return err
			}
		}
		return nil
	})
}
