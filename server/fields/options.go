package fields

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// MaxOptions is how many options a field may have.
const MaxOptions = 5_000

// OptionChange is what a caller asks of an option.
// Nil fields are left alone.
type OptionChange struct {
	ID       int64 // 0: found by its value, or new
	Name     *string
	Value    *string
	Position *int64 // heeded for a single option; in a list the place counts
	Default  *bool
}

// hasOptions reports whether the field offers a choice.
func (f *Field) hasOptions() bool {
	return f.one() || f.Type == models.FieldMultiselect
}

// setOptionsTx makes the list the options of f; nil leaves them. An option keeps
// its id when the list names it by id or by value.
func (s *Service) setOptionsTx(tx *gorm.DB, f *Field, list []OptionChange) error {
	if !f.hasOptions() || list == nil {
		return nil
	}
	if len(list) == 0 {
		return fault.Blank("custom_field_options")
	}
	if len(list) > MaxOptions {
		return fault.InvalidField("custom_field_options", "cannot be more than %d", MaxOptions)
	}
	options := make([]models.FieldOption, 0, len(list))
	taken := map[int64]bool{}
	for i, c := range list {
		o := s.optionOf(f, c, taken)
		taken[o.ID] = true
		o.Position = i
		if err := c.apply(&o); err != nil {
			return err
		}
		options = append(options, o)
	}
	return s.saveOptionsTx(tx, f, options)
}

// optionOf is the option that a change is about, or a new one. An id that the
// field does not have is one of another account, in a definition copied from it.
func (s *Service) optionOf(f *Field, c OptionChange, taken map[int64]bool) models.FieldOption {
	for _, o := range f.Options {
		if o.ID == c.ID && !taken[o.ID] {
			return o
		}
	}
	for _, o := range f.Options {
		if c.Value != nil && o.Value == tagForm(*c.Value) && !taken[o.ID] {
			return o
		}
	}
	now := s.now()
	return models.FieldOption{Kind: f.Kind, FieldID: f.ID, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
}

func (c OptionChange) apply(o *models.FieldOption) error {
	if c.Name != nil {
		o.Name = strings.TrimSpace(*c.Name)
	}
	if c.Value != nil {
		o.Value = tagForm(*c.Value)
	}
	set(&o.Default, c.Default)
	var errs []error
	if o.Name == "" {
		errs = append(errs, fault.Blank("name"))
	}
	if o.Value == "" {
		errs = append(errs, fault.Blank("value"))
	}
	errs = append(errs, within("name", o.Name, maxTitle), within("value", o.Value, maxTag))
	return fault.Join(errs...)
}

// saveOptionsTx writes options as those of f: others go, these come or change.
func (s *Service) saveOptionsTx(tx *gorm.DB, f *Field, options []models.FieldOption) error {
	if err := checkOptions(f, options); err != nil {
		return err
	}
	values, kept := make([]string, len(options)), make([]int64, 0, len(options))
	for i, o := range options {
		values[i] = o.Value
		if o.ID != 0 {
			kept = append(kept, o.ID)
		}
	}
	if err := freeTx(tx, f, values); err != nil {
		return err
	}
	err := tx.Where("field_id = ? AND NOT id = ANY(?)", f.ID, models.IDs(kept)).Delete(&models.FieldOption{}).Error
	if err != nil {
		return err
	}
	if err := s.noteGoneTx(tx, f, options); err != nil {
		return err
	}
	return s.writeOptionsTx(tx, f, options)
}

func (s *Service) writeOptionsTx(tx *gorm.DB, f *Field, options []models.FieldOption) error {
	before := make(map[int64]models.FieldOption, len(f.Options))
	for _, o := range f.Options {
		before[o.ID] = o
	}
	var fresh []*models.FieldOption
	var moved []int64
	for i := range options {
		o := &options[i]
		old, known := before[o.ID]
		if !known {
			fresh = append(fresh, o)
			continue
		}
		if *o == old {
			continue
		}
		if o.Value != old.Value {
			moved = append(moved, o.ID)
		}
		o.UpdatedAt = s.now()
	}
	if len(moved) > 0 {
		// Two options may swap their values, which the unique index would
		// refuse: all are freed first. No tag has a space in it.
		err := tx.Exec("UPDATE field_options SET value = 'option ' || id WHERE account_id = ? AND id = ANY(?)",
			f.AccountID, models.IDs(moved)).Error
		if err != nil {
			return err
		}
	}
	for i := range options {
		if o := &options[i]; o.ID != 0 && *o != before[o.ID] {
			if err := tx.Select("*").Updates(o).Error; err != nil {
				return err
			}
		}
	}
	if len(fresh) > 0 {
		if err := tx.CreateInBatches(fresh, 500).Error; err != nil {
			return err
		}
	}
	f.Options = options
	return nil
}

// checkOptions refuses a list that no field could have.
func checkOptions(f *Field, options []models.FieldOption) error {
	seen := map[string]bool{}
	var twice []string
	defaults := 0
	for _, o := range options {
		if seen[o.Value] && !slices.Contains(twice, o.Value) {
			twice = append(twice, o.Value)
		}
		seen[o.Value] = true
		if o.Default {
			defaults++
		}
	}
	if defaults > 1 && f.one() {
		return fault.InvalidField("custom_field_options", "only one of them can be the default")
	}
	return duplicates(twice)
}

// Options is a page of a field's options in position order. It fails with
// fault.NotFound, also for a field that has none by its type.
func (s *Service) Options(ctx context.Context, by auth.Actor, kind string, field int64, p page.Request) (page.Result[models.FieldOption], error) {
	var none page.Result[models.FieldOption]
	f, err := s.choice(ctx, by, kind, field)
	if err != nil {
		return none, err
	}
	return page.List(ctx, s.db, optionsQuery(by.AccountID, f.ID), p, scanOption(f))
}

func optionsQuery(account, field int64) page.Query {
	return page.Query{
		Select: `id, name, value, position, "default", created_at, updated_at`, From: "field_options",
		Where: "account_id = ? AND field_id = ?", Args: []any{account, field},
		Order: byPosition,
	}
}

func scanOption(f *Field) func(*sql.Rows, ...any) (models.FieldOption, error) {
	return func(rows *sql.Rows, order ...any) (models.FieldOption, error) {
		o := models.FieldOption{Tenant: models.Tenant{AccountID: f.AccountID}, Kind: f.Kind, FieldID: f.ID}
		dest := []any{&o.ID, &o.Name, &o.Value, &o.Position, &o.Default, &o.CreatedAt, &o.UpdatedAt}
		return o, rows.Scan(append(dest, order...)...)
	}
}

func (s *Service) choice(ctx context.Context, by auth.Actor, kind string, field int64) (*Field, error) {
	f, err := s.Get(ctx, by, kind, field)
	if err == nil && !f.hasOptions() {
		return nil, fault.Missing("options of field", field)
	}
	return f, err
}

// Option is one option of a field. It fails with fault.NotFound.
func (s *Service) Option(ctx context.Context, by auth.Actor, kind string, field, id int64) (models.FieldOption, error) {
	f, err := s.choice(ctx, by, kind, field)
	if err != nil {
		return models.FieldOption{}, err
	}
	for _, o := range f.Options {
		if o.ID == id {
			return o, nil
		}
	}
	return models.FieldOption{}, fault.Missing("option", id)
}

// PutOption changes the option that c names by id, or makes one; the bool tells
// which: true is made. It fails with fault.NotFound for a field or option that
// is not there, or with fault.Invalid.
func (s *Service) PutOption(ctx context.Context, by auth.Actor, kind string, field int64, c OptionChange) (models.FieldOption, bool, error) {
	var o models.FieldOption
	created := c.ID == 0
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		f, err := fieldTx(tx, kind, field)
		if err != nil {
			return err
		}
		if !f.hasOptions() {
			return fault.Missing("options of field", field)
		}
		if created && len(f.Options) >= MaxOptions {
			return fault.InvalidField("custom_field_options", "cannot be more than %d", MaxOptions)
		}
		options := slices.Clone(f.Options)
		at := len(options)
		if created {
			now := s.now()
			options = append(options, models.FieldOption{Kind: f.Kind, FieldID: f.ID, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}})
		} else if at = slices.IndexFunc(options, func(o models.FieldOption) bool { return o.ID == c.ID }); at < 0 {
			return fault.Missing("option", c.ID)
		}
		if err := c.apply(&options[at]); err != nil {
			return err
		}
		at = place(options, at, c)
		if err := s.saveOptionsTx(tx, f, options); err != nil {
			return err
		}
		o = options[at]
		return nil
	})
	return o, created, err
}

// place puts the option at index at where c wants it, makes it the only default
// of a choice of one if it is to be the default, and numbers all.
func place(options []models.FieldOption, at int, c OptionChange) int {
	if c.Default != nil && *c.Default {
		for i := range options {
			options[i].Default = i == at
		}
	}
	if c.Position != nil {
		to := int(min(max(*c.Position, 0), int64(len(options)-1)))
		o := options[at]
		options = slices.Insert(slices.Delete(options, at, at+1), to, o)
		at = to
	}
	for i := range options {
		options[i].Position = i
	}
	return at
}

// DeleteOption removes an option, and with it the values that tickets have. It
// fails with fault.NotFound.
func (s *Service) DeleteOption(ctx context.Context, by auth.Actor, kind string, field, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		f, err := fieldTx(tx, kind, field)
		if err != nil {
			return err
		}
		var o models.FieldOption
		err = tx.Take(&o, "id = ? AND field_id = ?", id, f.ID).Error
		if errors.Is(err, gorm.ErrRecordNotFound) {
			return fault.Missing("option", id)
		}
		if err != nil {
			return err
		}
		left := slices.DeleteFunc(slices.Clone(f.Options), func(other models.FieldOption) bool { return other.ID == o.ID })
		if err := s.noteGoneTx(tx, f, left); err != nil {
			return err
		}
		return tx.Delete(&o).Error
	})
}
