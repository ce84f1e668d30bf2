// Package schedules keeps the working hours and the holidays of accounts. What
// is reckoned with them is in package businesshours.
package schedules

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/businesshours"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/timezone"
)

// Limits. All schedules of an account are kept in memory (fields.Config).
const (
	maxName      = 255 // characters
	MaxSchedules = 100
	MaxHolidays  = 1_000 // of one schedule
)

// Service keeps the schedules of all accounts.
type Service struct {
	db  *gorm.DB
	now func() time.Time
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time) *Service { return &Service{db: db, now: now} }

// Change is what a caller asks of a schedule. What is nil is left alone.
type Change struct {
	Name      *string
	TimeZone  *string
	Intervals []IntervalChange
}

// IntervalChange is an interval that a caller asks for, which needs both.
type IntervalChange struct{ Start, End *int64 }

// usual are the intervals of a schedule that is created without any, those of
// the documentation's example: Monday to Friday from 9 to 17.
var usual = models.IDs{1980, 2460, 3420, 3900, 4860, 5340, 6300, 6780, 7740, 8220}

var byID = page.By("id", page.Column{Expr: "id", Kind: page.Int})

// List is a page of the schedules by id, so that the default one is the first.
func (s *Service) List(ctx context.Context, by auth.Actor, p page.Request) (page.Result[models.Schedule], error) {
	return page.List(ctx, s.db, page.Query{
		Select: "id, name, time_zone, intervals, created_at, updated_at", From: "schedules",
		Where: "account_id = ?", Args: []any{by.AccountID}, Order: byID,
	}, p, func(rows *sql.Rows, order ...any) (models.Schedule, error) {
		r := models.Schedule{Tenant: models.Tenant{AccountID: by.AccountID}}
		return r, rows.Scan(append([]any{&r.ID, &r.Name, &r.TimeZone, &r.Intervals, &r.CreatedAt, &r.UpdatedAt}, order...)...)
	})
}

// Get is a schedule. It fails with fault.NotFound.
func (s *Service) Get(ctx context.Context, by auth.Actor, id int64) (models.Schedule, error) {
	return get(s.db.WithContext(ctx), id)
}

func get(tx *gorm.DB, id int64) (models.Schedule, error) {
	return postgres.One[models.Schedule](tx, "schedule", id)
}

// Create makes a schedule. Without a time zone it has the account's, without
// intervals the usual ones. It fails with fault.Invalid naming the field.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.Schedule, error) {
	r := models.Schedule{Intervals: usual, Stamps: models.Stamps{CreatedAt: s.now()}}
	if c.Name == nil {
		c.Name = new(string)
	}
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		if c.TimeZone == nil {
			var account models.Account
			if err := tx.Select("time_zone").Take(&account, "id = ?", by.AccountID).Error; err != nil {
				return err
			}
			c.TimeZone = &account.TimeZone
		}
		if err := s.apply(&r, c); err != nil {
			return err
		}
		if err := roomFor(tx.Model(&models.Schedule{}), "Schedule", MaxSchedules); err != nil {
			return err
		}
		return taken(tx.Create(&r).Error, r.Name)
	})
	return r, err
}

// Update changes a schedule. It fails with fault.NotFound, or with fault.Invalid
// naming the field.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (models.Schedule, error) {
	var r models.Schedule
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if r, err = get(tx, id); err != nil {
			return err
		}
		if err := s.apply(&r, c); err != nil {
			return err
		}
		return taken(tx.Select("name", "time_zone", "intervals", "updated_at").Updates(&r).Error, r.Name)
	})
	return r, err
}

func (s *Service) apply(r *models.Schedule, c Change) error {
	var errs []error
	if c.Name != nil {
		r.Name = strings.TrimSpace(*c.Name)
		errs = append(errs, checkName(r.Name))
	}
	if c.TimeZone != nil {
		r.TimeZone = *c.TimeZone
		if _, ok := timezone.IANA(r.TimeZone); !ok {
			errs = append(errs, fault.InvalidField("time_zone", "%s is not a time zone", r.TimeZone))
		}
	}
	if c.Intervals != nil {
		intervals, err := sorted(c.Intervals)
		r.Intervals, errs = intervals, append(errs, err)
	}
	r.UpdatedAt = s.now()
	return fault.Join(errs...)
}

func checkName(name string) error {
	switch {
	case name == "":
		return fault.Blank("name")
	case utf8.RuneCountInString(name) > maxName:
		return fault.TooLong("name", maxName)
	}
	return nil
}

// sorted are intervals as a row keeps them, if they are right. They may touch,
// and go on over midnight.
func sorted(list []IntervalChange) (models.IDs, error) {
	if len(list) == 0 {
		return nil, fault.Blank("intervals") // nothing would ever be due
	}
	if slices.ContainsFunc(list, func(i IntervalChange) bool { return i.Start == nil || i.End == nil }) {
		return nil, fault.InvalidField("intervals", "each needs a start_time and an end_time")
	}
	list = slices.SortedFunc(slices.Values(list), func(a, b IntervalChange) int { return cmp.Compare(*a.Start, *b.Start) })
	out := make(models.IDs, 0, 2*len(list))
	for n, i := range list {
		start, end := *i.Start, *i.End
		switch {
		case start < 0 || end > businesshours.Week:
			return nil, fault.InvalidField("intervals", "%d to %d is not within a week, which has minutes 0 to %d", start, end, businesshours.Week)
		case end <= start:
			return nil, fault.InvalidField("intervals", "%d to %d does not end after its start", start, end)
		case n > 0 && start < out[2*n-1]:
			return nil, fault.InvalidField("intervals", "%d to %d and %d to %d overlap", out[2*n-2], out[2*n-1], start, end)
		}
		out = append(out, start, end)
	}
	return out, nil
}

// taken says so if err is that of another schedule with the name.
func taken(err error, name string) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fault.Duplicate("name", "%s has already been taken", name)
	}
	return err
}

// roomFor checks that there are fewer rows than max.
func roomFor(rows *gorm.DB, what string, max int) error {
	var n int64
	if err := rows.Count(&n).Error; err != nil {
		return err
	}
	if n >= int64(max) {
		return fault.Base(fault.CodeInvalid, "%s: there are %d already", what, max)
	}
	return nil
}

// Delete removes a schedule with its holidays. If it was the default one, the
// oldest of the others is from now on. It fails with fault.NotFound.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		gone := tx.Delete(&models.Schedule{}, "id = ?", id) // its holidays with it
		if gone.Error == nil && gone.RowsAffected == 0 {
			return fault.Missing("schedule", id)
		}
		return gone.Error
	})
}
