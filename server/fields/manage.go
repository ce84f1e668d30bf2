package fields

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/positions"
)

// LastPosition is where a field or form goes that names no position.
const LastPosition = 9999

// Orders of the pages of fields.
var (
	byID       = page.By("id", page.Column{Expr: "id", Kind: page.Int})
	byPosition = page.By("position,id", page.Column{Expr: "position", Kind: page.Int}, page.Column{Expr: "id", Kind: page.Int})
)

// List are the fields of a kind in position order: all of them for agents, the
// active ones that are visible in the portal for everybody else.
func (s *Service) List(ctx context.Context, by auth.Actor, kind string) ([]*Field, error) {
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	d := c.Of(kind)
	list := make([]*Field, 0, len(d.Fields))
	for i := range d.Fields {
		if f := &d.Fields[i]; by.Staff() || f.Active && f.VisibleInPortal {
			list = append(list, f)
		}
	}
	return list, nil
}

// Page is a page of what List gives: by id with a cursor, otherwise by position.
func (s *Service) Page(ctx context.Context, by auth.Actor, kind string, p page.Request) (page.Result[*Field], error) {
	where := "account_id = ? AND kind = ?"
	if !by.Staff() {
		where += " AND active AND visible_in_portal"
	}
	order := byPosition
	if p.Cursor {
		order = byID
	}
	ids, err := s.page(ctx, page.Query{Select: "id", From: "fields", Where: where, Args: []any{by.AccountID, kind}, Order: order}, p)
	if err != nil {
		return page.Result[*Field]{}, err
	}
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return page.Result[*Field]{}, err
	}
	return found(ids, c.Of(kind).Field), nil
}

// page is a page of ids, read before the set-up that has the records: so all
// are in it but for those deleted in between.
func (s *Service) page(ctx context.Context, q page.Query, p page.Request) (page.Result[int64], error) {
	return page.List(ctx, s.db, q, p, func(rows *sql.Rows, order ...any) (id int64, err error) {
		return id, rows.Scan(append([]any{&id}, order...)...)
	})
}

func found[T any](ids page.Result[int64], record func(int64) (T, bool)) page.Result[T] {
	r := page.Map(ids, func(id int64) T { t, _ := record(id); return t })
	r.Items = r.Items[:0]
	for _, id := range ids.Items {
		if t, ok := record(id); ok {
			r.Items = append(r.Items, t)
		}
	}
	return r
}

// Get is a field of a kind. It fails with fault.NotFound.
func (s *Service) Get(ctx context.Context, by auth.Actor, kind string, id int64) (*Field, error) {
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	f, ok := c.Of(kind).Field(id)
	if !ok {
		return nil, fault.Missing(kind+" field", id)
	}
	return f, nil
}

// Count is the number of ticket fields, and when it was taken.
func (s *Service) Count(ctx context.Context, by auth.Actor) (int, time.Time, error) {
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return 0, time.Time{}, err
	}
	return len(c.Fields), s.now(), nil
}

// Create makes a custom field. A ticket's, in an account with a single form,
// joins that form, as otherwise no ticket would show it. It fails with
// fault.Invalid.
func (s *Service) Create(ctx context.Context, by auth.Actor, kind string, change Change) (*Field, error) {
	now := s.now()
	f := &Field{Field: models.Field{
		Kind: kind, Type: models.FieldText, Position: LastPosition, Active: true, Removable: true,
		CreatorUserID: creator(by), Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}}
	set(&f.Type, change.Type)
	if !f.keyed() && !ticketTypes[f.Type] || f.keyed() && !keyedTypes[f.Type] {
		return nil, fault.InvalidField("type", "%s is not a type of custom %s fields", f.Type, kind)
	}
	if change.Options == nil {
		change.Options = []OptionChange{} // a choice needs some
	}
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		if err := change.apply(f); err != nil {
			return err
		}
		if err := freeTagTx(tx, f); err != nil {
			return err
		}
		err := tx.Create(&f.Field).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return fault.Duplicate("key", "%s has already been taken", *f.Key)
		}
		if err != nil {
			return err
		}
		if err := s.setOptionsTx(tx, f, change.Options); err != nil {
			return err
		}
		if f.keyed() {
			return s.arrangeTx(tx, by, kind, nil)
		}
		return joinOnlyFormTx(tx, f.ID, now)
	})
	return f, err
}

func creator(by auth.Actor) *int64 {
	if by.ID() <= 0 {
		return nil
	}
	return new(by.ID())
}

// Update changes a field; its type and key stay what they are, and of a user's
// or organization's that is the system's only the position and whether it is
// active can change. A list of options replaces the options: what is not in it
// is removed, and with it the values that records have. It fails with
// fault.NotFound or fault.Invalid.
func (s *Service) Update(ctx context.Context, by auth.Actor, kind string, id int64, change Change) (*Field, error) {
	var f *Field
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if f, err = fieldTx(tx, kind, id); err != nil {
			return err
		}
		if f.keyed() && !f.Removable {
			change = Change{Active: change.Active, Position: change.Position}
		}
		if err := change.apply(f); err != nil {
			return err
		}
		if err := freeTagTx(tx, f); err != nil {
			return err
		}
		f.UpdatedAt = s.now()
		// Select("*") because Updates would skip what was cleared.
		if err := tx.Select("*").Updates(&f.Field).Error; err != nil {
			return err
		}
		return s.setOptionsTx(tx, f, change.Options)
	})
	return f, err
}

// Delete removes a custom field, a ticket's from the forms too. Records keep
// the tags that its values gave them. It fails with fault.NotFound, or with
// fault.Invalid for a field of the system.
func (s *Service) Delete(ctx context.Context, by auth.Actor, kind string, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		f, err := fieldTx(tx, kind, id)
		if err != nil {
			return err
		}
		if !f.Removable {
			return fault.Base(fault.CodeInvalid, "%s: is a system field and cannot be deleted", f.Title)
		}
		if err := leaveFormsTx(tx, id, s.now()); err != nil {
			return err
		}
		return tx.Delete(&models.Field{}, "id = ?", id).Error // its options with it
	})
}

// Reorder puts the fields with these ids first, in this order; the others of
// the kind keep theirs behind them. It fails with fault.Invalid for an id of no
// such field.
func (s *Service) Reorder(ctx context.Context, by auth.Actor, kind string, ids []int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error { return s.arrangeTx(tx, by, kind, ids) })
}

// arrangeTx numbers the fields of a kind, those named first: a ticket's from 1,
// those of users and organizations from 0.
func (s *Service) arrangeTx(tx *gorm.DB, by auth.Actor, kind string, ids []int64) error {
	var order []int64
	if err := tx.Model(&models.Field{}).Where("kind = ?", kind).Order("position, id").Pluck("id", &order).Error; err != nil {
		return err
	}
	of := positions.Kind{Table: "fields", Name: kind + " field", Field: kind + "_field_ids"}
	if kind == models.FieldsOfTickets {
		of.From = 1
	}
	return of.ReorderTx(tx, by.AccountID, order, ids, s.now())
}

// fieldTx reads a field with its options. The lock of BumpTx holds it.
func fieldTx(tx *gorm.DB, kind string, id int64) (*Field, error) {
	f := &Field{}
	err := tx.Take(&f.Field, "id = ? AND kind = ?", id, kind).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, fault.Missing(kind+" field", id)
	}
	if err != nil {
		return nil, err
	}
	return f, tx.Order("position, id").Find(&f.Options, "field_id = ?", id).Error
}

// freeTagTx refuses a checkbox's tag that another field has already.
func freeTagTx(tx *gorm.DB, f *Field) error {
	if f.Tag == nil {
		return nil
	}
	return freeTx(tx, f, []string{*f.Tag})
}

// freeTx refuses tags that belong to another field of the kind.
func freeTx(tx *gorm.DB, f *Field, tags []string) error {
	var taken []string
	err := tx.Model(&models.FieldOption{}).Where("kind = ? AND value = ANY(?) AND field_id <> ?", f.Kind, models.Strings(tags), f.ID).
		Order("value").Pluck("value", &taken).Error
	if err != nil {
		return err
	}
	var boxes []string
	err = tx.Model(&models.Field{}).Where("kind = ? AND tag = ANY(?) AND id <> ?", f.Kind, models.Strings(tags), f.ID).
		Order("tag").Pluck("tag", &boxes).Error
	if err != nil {
		return err
	}
	return duplicates(append(taken, boxes...))
}

// duplicates says of each tag, in words that clients know, that it is taken.
func duplicates(tags []string) error {
	var errs []error
	for _, t := range tags {
		errs = append(errs, fault.Base(fault.CodeDuplicate,
			"The tag <strong>%s</strong> is already used in a custom field drop-down, multi-select or checkbox.", t))
	}
	return fault.Join(errs...)
}
