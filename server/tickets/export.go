package tickets

import (
	"context"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Stored are the tickets with these ids in the order of the ids, whatever has
// become of them: deleted, archived and scrubbed ones, too. Unknown ids are left
// out. It fails with fault.Forbidden unless by is an admin.
func (s *Service) Stored(ctx context.Context, by auth.Actor, ids []int64) ([]models.Ticket, error) {
	where, args := owned(by)
	return stored(ctx, s, by, lookUp{columns, "tickets t WHERE " + where + " AND t.id", args}, ids, func(t *models.Ticket) []any {
		t.AccountID = by.AccountID
		return dest(t)
	})
}

// EachStored calls f with each of the tickets that Stored has. The ticket is
// overwritten by the next, with all that it points to.
func (s *Service) EachStored(ctx context.Context, by auth.Actor, ids []int64, f func(*models.Ticket) error) error {
	if !by.Admin() {
		return fault.Denied()
	}
	where, args := owned(by)
	t := models.Ticket{AccountID: by.AccountID}
	into := postgres.NewReused(dest(&t))
	return postgres.Rows(s.db.WithContext(ctx), "SELECT "+columns+" FROM unnest(?::bigint[]) WITH ORDINALITY AS wanted (id, n) JOIN tickets t ON t.id = wanted.id WHERE "+where+" ORDER BY wanted.n",
		append([]any{models.IDs(ids)}, args...), func(row postgres.Scanned) error {
			if err := into.Scan(row); err != nil {
				return err
			}
			return f(&t)
		})
}

// StoredAudits are the audits with these ids, of all tickets, as Stored.
func (s *Service) StoredAudits(ctx context.Context, by auth.Actor, ids []int64) ([]AuditRecord, error) {
	list, err := stored(ctx, s, by, lookUp{auditColumns, "audits a WHERE a.account_id = ? AND a.id", []any{by.AccountID}}, ids, func(a *AuditRecord) []any {
		a.AccountID = by.AccountID
		return auditDest(&a.Audit)
	})
	if err != nil {
		return nil, err
	}
	return list, s.fillComments(ctx, by, list)
}

// StoredComments are the comments with these ids, public and private ones of all
// tickets, as Stored.
func (s *Service) StoredComments(ctx context.Context, by auth.Actor, ids []int64) ([]CommentRecord, error) {
	list, err := stored(ctx, s, by, lookUp{commentColumns, "comments c WHERE c.account_id = ? AND c.id", []any{by.AccountID}}, ids, func(c *CommentRecord) []any {
		c.AccountID = by.AccountID
		return commentDest(&c.Comment)
	})
	if err != nil {
		return nil, err
	}
	return list, s.attach(ctx, list)
}

// lookUp is how a record is found by its id: from is all up to that.
type lookUp struct {
	columns, from string
	args          []any
}

// stored reads records; dest begins with their id.
func stored[T any](ctx context.Context, s *Service, by auth.Actor, l lookUp, ids []int64, dest func(*T) []any) ([]T, error) {
	if !by.Admin() {
		return nil, fault.Denied()
	}
	at := make(map[int64]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	list, found := make([]T, len(ids)), make([]bool, len(ids))
	var item T
	into := dest(&item)
	err := postgres.Rows(s.db.WithContext(ctx), "SELECT "+l.columns+" FROM "+l.from+" = ANY(?)", append(l.args, models.IDs(ids)), func(row postgres.Scanned) error {
		err := row.Scan(into...)
		if i, ok := at[*into[0].(*int64)]; err == nil && ok {
			list[i], found[i] = item, true
		}
		return err
	})
	n := 0
	for i := range list {
		if found[i] {
			if n != i {
				list[n] = list[i]
			}
			n++
		}
	}
	return list[:n], err
}
