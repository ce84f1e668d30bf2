package tickets

import (
	"context"
	"database/sql"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// CommentRecord is a comment with its files.
type CommentRecord struct {
	models.Comment
	Files []attachments.File
}

const commentColumns = `c.id, c.ticket_id, c.audit_id, c.author_id, c.type, c.public, c.body, c.html_body, c.plain_body, c.via, c.metadata,
	c.has_attachments, c.created_at`

func commentDest(c *models.Comment) []any {
	return []any{&c.ID, &c.TicketID, &c.AuditID, &c.AuthorID, &c.Type, &c.Public, &c.Body, &c.HTMLBody, &c.PlainBody, &c.Via, &c.Metadata,
		&c.HasAttachments, &c.CreatedAt}
}

var byAge = page.By("created_at,id", page.Column{Expr: "c.created_at", Kind: page.Time}, page.Column{Expr: "c.id", Kind: page.Int})

// commentsOf is the condition of a ticket's comments that by may read, after it
// is known that he may see the ticket.
func commentsOf(by auth.Actor, ticket int64) (string, []any) {
	if PublicOnly(by) {
		return publicComments(by, ticket)
	}
	return "c.account_id = ? AND c.ticket_id = ?", []any{by.AccountID, ticket}
}

func publicComments(by auth.Actor, ticket int64) (string, []any) {
	return "c.account_id = ? AND c.ticket_id = ? AND c.public", []any{by.AccountID, ticket}
}

// Comments is a page of a ticket's comments, the oldest first unless the
// request turns it. It fails with fault.NotFound.
func (s *Service) Comments(ctx context.Context, by auth.Actor, ticket int64, r page.Request) (page.Result[CommentRecord], error) {
	if _, err := s.Get(ctx, by, ticket); err != nil {
		return page.Result[CommentRecord]{}, err
	}
	where, args := commentsOf(by, ticket)
	return s.listComments(ctx, by, where, args, r)
}

func (s *Service) listComments(ctx context.Context, by auth.Actor, where string, args []any, r page.Request) (page.Result[CommentRecord], error) {
	q := page.Query{Select: commentColumns, From: "comments c", Where: where, Args: args, Order: byAge}
	if r.Desc {
		q.Order = q.Order.Reversed()
	}
	list, err := page.List(ctx, s.db, q, r, func(rows *sql.Rows, order ...any) (CommentRecord, error) {
		c := CommentRecord{Comment: models.Comment{AccountID: by.AccountID}}
		return c, rows.Scan(append(commentDest(&c.Comment), order...)...)
	})
	if err != nil {
		return list, err
	}
	return list, s.attach(ctx, list.Items)
}

// attach reads the files of comments, in one statement for all that have some.
func (s *Service) attach(ctx context.Context, list []CommentRecord) error {
	var ids []int64
	for _, c := range list {
		if c.HasAttachments {
			ids = append(ids, c.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	files, err := s.attachments.OfComments(ctx, s.db, ids)
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Files = files[list[i].ID]
	}
	return nil
}

// CountComments is the number of a ticket's comments that by may read.
func (s *Service) CountComments(ctx context.Context, by auth.Actor, ticket int64) (int, time.Time, error) {
	if _, err := s.Get(ctx, by, ticket); err != nil {
		return 0, time.Time{}, err
	}
	where, args := commentsOf(by, ticket)
	return page.Count(ctx, s.db, "comments c", where, args)
}

// comment is one comment of a ticket that by may read.
func (s *Service) comment(ctx context.Context, by auth.Actor, ticket, id int64) (CommentRecord, error) {
	if _, err := s.Get(ctx, by, ticket); err != nil {
		return CommentRecord{}, err
	}
	where, args := commentsOf(by, ticket)
	return s.oneComment(ctx, by, id, where, args)
}

func (s *Service) oneComment(ctx context.Context, by auth.Actor, id int64, where string, args []any) (CommentRecord, error) {
	c := CommentRecord{Comment: models.Comment{AccountID: by.AccountID}}
	err := s.db.WithContext(ctx).Raw("SELECT "+commentColumns+" FROM comments c WHERE "+where+" AND c.id = ?", append(args, id)...).
		Row().Scan(commentDest(&c.Comment)...)
	if isNoRows(err) {
		return c, fault.Missing("comment", id)
	}
	if err != nil {
		return c, err
	}
	one := []CommentRecord{c}
	err = s.attach(ctx, one)
	return one[0], err
}

// Seen reports with fault.NotFound that by may not read a comment of a ticket,
// so neither its files.
func (s *Service) Seen(ctx context.Context, by auth.Actor, ticket, comment int64) error {
	_, err := s.comment(ctx, by, ticket, comment)
	return err
}
