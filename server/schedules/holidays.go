package schedules

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/timezone"
)

// reach is how many years ago a holiday may begin, and in how many it may end.
const reach = 2

// HolidayChange is what a caller asks of a holiday. What is nil is left alone.
// Dates are as 2026-12-24.
type HolidayChange struct {
	Name  *string
	Start *string
	End   *string // the last day; of a new holiday Start unless told otherwise
}

var byDate = page.By("start_date", page.Column{Expr: "start_date", Kind: page.Date}, page.Column{Expr: "id", Kind: page.Int})

// Holidays is a page of a schedule's holidays by date: all of them, or those
// with a day from the date from on and until to. It fails with fault.NotFound, or
// with fault.Invalid naming the parameter, start_date or end_date.
func (s *Service) Holidays(ctx context.Context, by auth.Actor, schedule int64, from, to *string, p page.Request) (page.Result[models.Holiday], error) {
	if _, err := s.Get(ctx, by, schedule); err != nil {
		return page.Result[models.Holiday]{}, err
	}
	first, firstErr := dateOf("start_date", from)
	last, lastErr := dateOf("end_date", to)
	if err := fault.Join(firstErr, lastErr); err != nil {
		return page.Result[models.Holiday]{}, err
	}
	q := page.Query{
		Select: "id, name, start_date, end_date", From: "holidays",
		Where: "account_id = ? AND schedule_id = ?", Args: []any{by.AccountID, schedule}, Order: byDate,
	}
	if first != nil {
		q.Where, q.Args = q.Where+" AND end_date >= ?", append(q.Args, *first)
	}
	if last != nil {
		q.Where, q.Args = q.Where+" AND start_date <= ?", append(q.Args, *last)
	}
	return page.List(ctx, s.db, q, p, func(rows *sql.Rows, order ...any) (models.Holiday, error) {
		h := models.Holiday{Tenant: models.Tenant{AccountID: by.AccountID}, ScheduleID: schedule}
		return h, rows.Scan(append([]any{&h.ID, &h.Name, &h.StartDate, &h.EndDate}, order...)...)
	})
}

// dateOf reads a date; nil for none.
func dateOf(field string, text *string) (*time.Time, error) {
	if text == nil || *text == "" {
		return nil, nil
	}
	t, err := time.Parse(time.DateOnly, *text)
	if err != nil || t.Year() == 0 { // PostgreSQL's calendar has no year 0
		return nil, fault.Malformed(field, "%s is not a date such as 2026-12-24", *text)
	}
	return &t, nil
}

// Holiday is one holiday of a schedule. It fails with fault.NotFound.
func (s *Service) Holiday(ctx context.Context, by auth.Actor, schedule, id int64) (models.Holiday, error) {
	return getHoliday(s.db.WithContext(ctx), schedule, id)
}

func getHoliday(tx *gorm.DB, schedule, id int64) (models.Holiday, error) {
	return postgres.One[models.Holiday](tx.Where("schedule_id = ?", schedule), "holiday", id)
}

// AddHoliday makes a holiday of a schedule; holidays may overlap. It fails with
// fault.NotFound, or with fault.Invalid naming the field.
func (s *Service) AddHoliday(ctx context.Context, by auth.Actor, schedule int64, c HolidayChange) (models.Holiday, error) {
	h := models.Holiday{ScheduleID: schedule}
	if c.Name == nil {
		c.Name = new(string)
	}
	if c.End == nil {
		c.End = c.Start
	}
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		r, err := get(tx, schedule)
		if err != nil {
			return err
		}
		if err := s.applyHoliday(&h, r, c); err != nil {
			return err
		}
		if err := roomFor(tx.Model(&h).Where("schedule_id = ?", schedule), "Holiday", MaxHolidays); err != nil {
			return err
		}
		return tx.Create(&h).Error
	})
	return h, err
}

// ChangeHoliday changes a holiday of a schedule. It fails with fault.NotFound,
// or with fault.Invalid naming the field.
func (s *Service) ChangeHoliday(ctx context.Context, by auth.Actor, schedule, id int64, c HolidayChange) (models.Holiday, error) {
	var h models.Holiday
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		r, err := get(tx, schedule)
		if err != nil {
			return err
		}
		if h, err = getHoliday(tx, schedule, id); err != nil {
			return err
		}
		if err := s.applyHoliday(&h, r, c); err != nil {
			return err
		}
		return tx.Select("name", "start_date", "end_date").Updates(&h).Error
	})
	return h, err
}

// applyHoliday checks only what is new: a holiday that is sent back years later
// may stay where it is.
func (s *Service) applyHoliday(h *models.Holiday, r models.Schedule, c HolidayChange) error {
	var errs []error
	if c.Name != nil {
		h.Name = strings.TrimSpace(*c.Name)
		errs = append(errs, checkName(h.Name))
	}
	start, err := dateOf("start_date", c.Start)
	errs = append(errs, err)
	if err == nil && start == nil && (h.StartDate.IsZero() || c.Start != nil) {
		errs = append(errs, fault.Blank("start_date"))
	}
	end, err := dateOf("end_date", c.End)
	errs = append(errs, err)
	y, m, d := s.now().In(timezone.Load(r.TimeZone)).Date()
	today := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	if start != nil && !start.Equal(h.StartDate) {
		h.StartDate = *start
		if h.StartDate.Before(today.AddDate(-reach, 0, 0)) {
			errs = append(errs, fault.InvalidField("start_date", "cannot be more than %d years ago", reach))
		}
	}
	if end != nil && !end.Equal(h.EndDate) {
		h.EndDate = *end
		if h.EndDate.After(today.AddDate(reach, 0, 0)) {
			errs = append(errs, fault.InvalidField("end_date", "cannot be in more than %d years", reach))
		}
	}
	if fault.Join(errs...) == nil && h.EndDate.Before(h.StartDate) {
		errs = append(errs, fault.InvalidField("end_date", "cannot be before the start date"))
	}
	return fault.Join(errs...)
}

// DeleteHoliday removes a holiday of a schedule. It fails with fault.NotFound.
func (s *Service) DeleteHoliday(ctx context.Context, by auth.Actor, schedule, id int64) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		gone := tx.Delete(&models.Holiday{}, "schedule_id = ? AND id = ?", schedule, id)
		if gone.Error == nil && gone.RowsAffected == 0 {
			return fault.Missing("holiday", id)
		}
		return gone.Error
	})
}
