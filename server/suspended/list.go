package suspended

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

const columns = `t.id, t.author_id, t.author_name, t.author_email, t.subject, t.content, t.cause_id, t.cause, t.error_messages, t.message_id,
	t.ticket_id, t.recipient, t.via, t.brand_id, t.created_at, t.updated_at`

func dest(t *models.SuspendedTicket) []any {
	return []any{&t.ID, &t.AuthorID, &t.AuthorName, &t.AuthorEmail, &t.Subject, &t.Content, &t.CauseID, &t.Cause, &t.ErrorMessages, &t.MessageID,
		&t.TicketID, &t.Recipient, &t.Via, &t.BrandID, &t.CreatedAt, &t.UpdatedAt}
}

var (
	byID = page.Column{Expr: "t.id", Kind: page.Int}
	// orders by the names that clients know.
	orders = map[string]page.Order{
		"created_at":   page.By("created_at,id", page.Column{Expr: "t.created_at", Kind: page.Time}, byID),
		"author_email": page.By("author_email,id", page.Column{Expr: "t.author_email", Kind: page.Text}, byID),
		"cause":        page.By("cause,id", page.Column{Expr: "t.cause", Kind: page.Text}, byID),
		"subject":      page.By("subject,id", page.Column{Expr: "t.subject", Kind: page.Text}, byID),
	}
)

// List is a page of the suspended tickets, the oldest first unless the request
// sorts otherwise (author_email, cause, created_at, subject). An unknown sort is
// the default one. It fails with fault.Forbidden.
func (s *Service) List(ctx context.Context, by auth.Actor, r page.Request) (page.Result[Record], error) {
	if err := mayManage(by); err != nil {
		return page.Result[Record]{}, err
	}
	order, ok := orders[r.Sort]
	if !ok {
		order = orders["created_at"]
	}
	order = order.Directed(r.Desc)
	list, err := page.List(ctx, s.db, page.Query{
		Select: columns, From: "suspended_tickets t", Where: "t.account_id = ? AND t.created_at > ?", Args: []any{by.AccountID, s.now().Add(-Keep)}, Order: order,
	}, r, func(rows *sql.Rows, order ...any) (Record, error) {
		t := Record{SuspendedTicket: models.SuspendedTicket{Tenant: models.Tenant{AccountID: by.AccountID}}}
		return t, rows.Scan(append(dest(&t.SuspendedTicket), order...)...)
	})
	if err != nil {
		return list, err
	}
	return list, s.attach(ctx, list.Items)
}

// attach adds their files to records, in one statement.
func (s *Service) attach(ctx context.Context, list []Record) error {
	ids := make([]int64, len(list))
	for i, t := range list {
		ids[i] = t.ID
	}
	files, err := s.attachments.OfSuspended(ctx, ids)
	for i := range list {
		list[i].Files = files[list[i].ID]
	}
	return err
}

// Show is a suspended ticket. It fails with fault.Forbidden and fault.NotFound.
func (s *Service) Show(ctx context.Context, by auth.Actor, id int64) (Record, error) {
	list, err := s.many(ctx, s.db.WithContext(ctx), by, []int64{id})
	if err != nil {
		return Record{}, err
	}
	return list[0], nil
}

// LockTx are suspended tickets by their ids, held to the end of tx: one that two
// agents recover becomes one ticket. It fails with fault.Forbidden, and with
// fault.NotFound where any of them is missing.
func (s *Service) LockTx(ctx context.Context, tx *gorm.DB, by auth.Actor, ids []int64) ([]Record, error) {
	if err := mayMany(by, ids); err != nil {
		return nil, err
	}
	return s.many(ctx, tx.Clauses(clause.Locking{Strength: "UPDATE"}), by, ids)
}

func (s *Service) many(ctx context.Context, db *gorm.DB, by auth.Actor, ids []int64) ([]Record, error) {
	if err := mayManage(by); err != nil {
		return nil, err
	}
	var rows []models.SuspendedTicket
	if err := db.Where("id IN ? AND created_at > ?", ids, s.now().Add(-Keep)).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]Record, len(rows))
	missing := map[int64]bool{}
	for _, id := range ids {
		missing[id] = true
	}
	for i, row := range rows {
		list[i].SuspendedTicket = row
		delete(missing, row.ID)
	}
	if len(missing) > 0 {
		return nil, fault.Missing("suspended ticket", slices.Min(slices.Collect(maps.Keys(missing))))
	}
	return list, s.attach(ctx, list)
}

// Fail notes why suspended tickets could not be recovered, by their ids.
func (s *Service) Fail(ctx context.Context, by auth.Actor, reasons map[int64][]string) error {
	type reason struct {
		ID       int64    `json:"id"`
		Messages []string `json:"messages"`
	}
	var rows []reason
	for id, messages := range reasons {
		rows = append(rows, reason{id, messages})
	}
	return s.db.WithContext(ctx).Exec(`UPDATE suspended_tickets t SET updated_at = ?,
			error_messages = ARRAY(SELECT m FROM json_array_elements_text(r.messages) WITH ORDINALITY AS e(m, n) ORDER BY n)
		FROM json_to_recordset(?::json) AS r(id bigint, messages json) WHERE t.account_id = ? AND t.id = r.id`,
		s.now(), models.ToJSON(rows), by.AccountID).Error
}

// CopyFiles puts copies of a suspended ticket's files under an upload token. It
// fails with fault.Forbidden and fault.NotFound.
func (s *Service) CopyFiles(ctx context.Context, by auth.Actor, id int64) (attachments.Upload, error) {
	if _, err := s.Show(ctx, by, id); err != nil {
		return attachments.Upload{}, err
	}
	return s.attachments.CopySuspended(ctx, by, id)
}
