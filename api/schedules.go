package api

import (
	"context"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/businesshours"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/schedules"
)

type scheduleHandlers struct{ schedules *schedules.Service }

const schedulesPath = "business_hours/schedules"

func (h scheduleHandlers) ListSchedules(ctx context.Context, _ gen.ListSchedulesRequestObject) (gen.ListSchedulesResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.schedules.List(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListSchedules200JSONResponse{Listing: listingWithURL(ctx, "schedules", mapped(ctx, list, scheduleJSON))}, nil
}

// listingWithURL is a list that tells its own URL.
func listingWithURL[T any](ctx context.Context, key string, r page.Result[T]) wire.Listing {
	l := listing(ctx, key, r)
	c := callOf(ctx)
	l.Add("url", c.base+c.path+".json")
	return l
}

func (h scheduleHandlers) CreateSchedule(ctx context.Context, r gen.CreateScheduleRequestObject) (gen.CreateScheduleResponseObject, error) {
	s, err := h.schedules.Create(ctx, auth.From(ctx), scheduleChange(r.Body.Schedule))
	if err != nil {
		return nil, err
	}
	return gen.CreateSchedule201JSONResponse{
		Headers: gen.CreateSchedule201ResponseHeaders{Location: link(ctx, schedulesPath, s.ID)},
		Body:    gen.ScheduleEnvelope{Schedule: scheduleJSON(ctx, s)},
	}, nil
}

func (h scheduleHandlers) ShowSchedule(ctx context.Context, r gen.ShowScheduleRequestObject) (gen.ShowScheduleResponseObject, error) {
	s, err := h.schedules.Get(ctx, auth.From(ctx), int64(r.ScheduleID))
	return gen.ShowSchedule200JSONResponse{Schedule: scheduleJSON(ctx, s)}, err
}

func (h scheduleHandlers) UpdateSchedule(ctx context.Context, r gen.UpdateScheduleRequestObject) (gen.UpdateScheduleResponseObject, error) {
	in := r.Body.Schedule
	c := scheduleChange(gen.ScheduleInput{Name: in.Name, TimeZone: in.TimeZone})
	s, err := h.schedules.Update(ctx, auth.From(ctx), int64(r.ScheduleID), c)
	return gen.UpdateSchedule200JSONResponse{Schedule: scheduleJSON(ctx, s)}, err
}

func (h scheduleHandlers) DeleteSchedule(ctx context.Context, r gen.DeleteScheduleRequestObject) (gen.DeleteScheduleResponseObject, error) {
	return gen.DeleteSchedule204Response{}, h.schedules.Delete(ctx, auth.From(ctx), int64(r.ScheduleID))
}

func (h scheduleHandlers) UpdateIntervalsForSchedule(ctx context.Context, r gen.UpdateIntervalsForScheduleRequestObject) (gen.UpdateIntervalsForScheduleResponseObject, error) {
	c := schedules.Change{Intervals: each(r.Body.Workweek.Intervals, intervalChange)} // absent: none, which is refused
	s, err := h.schedules.Update(ctx, auth.From(ctx), int64(r.ScheduleID), c)
	return gen.UpdateIntervalsForSchedule200JSONResponse{Workweek: gen.Workweek{Intervals: scheduleJSON(ctx, s).Intervals}}, err
}

func intervalChange(in gen.ScheduleIntervalInput) schedules.IntervalChange {
	return schedules.IntervalChange{Start: (*int64)(in.StartTime), End: (*int64)(in.EndTime)}
}

func scheduleChange(in gen.ScheduleInput) schedules.Change {
	c := schedules.Change{Name: (*string)(in.Name), TimeZone: (*string)(in.TimeZone)}
	if in.Intervals != nil {
		c.Intervals = each(in.Intervals, intervalChange)
	}
	return c
}

func (h scheduleHandlers) ListHolidays(ctx context.Context, r gen.ListHolidaysRequestObject) (gen.ListHolidaysResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.schedules.Holidays(ctx, auth.From(ctx), int64(r.ScheduleID), r.Params.StartDate, r.Params.EndDate, p)
	if err != nil {
		return nil, err
	}
	return gen.ListHolidays200JSONResponse{Listing: listingWithURL(ctx, "holidays", page.Map(list, holidayJSON))}, nil
}

func (h scheduleHandlers) CreateHoliday(ctx context.Context, r gen.CreateHolidayRequestObject) (gen.CreateHolidayResponseObject, error) {
	d, err := h.schedules.AddHoliday(ctx, auth.From(ctx), int64(r.ScheduleID), holidayChange(r.Body.Holiday))
	if err != nil {
		return nil, err
	}
	return gen.CreateHoliday201JSONResponse{
		Headers: gen.CreateHoliday201ResponseHeaders{Location: linkBelow(ctx, schedulesPath, d.ScheduleID, "holidays", d.ID)},
		Body:    gen.HolidayEnvelope{Holiday: holidayJSON(d)},
	}, nil
}

func (h scheduleHandlers) ShowHoliday(ctx context.Context, r gen.ShowHolidayRequestObject) (gen.ShowHolidayResponseObject, error) {
	d, err := h.schedules.Holiday(ctx, auth.From(ctx), int64(r.ScheduleID), int64(r.HolidayID))
	return gen.ShowHoliday200JSONResponse{Holiday: holidayJSON(d)}, err
}

func (h scheduleHandlers) UpdateHoliday(ctx context.Context, r gen.UpdateHolidayRequestObject) (gen.UpdateHolidayResponseObject, error) {
	d, err := h.schedules.ChangeHoliday(ctx, auth.From(ctx), int64(r.ScheduleID), int64(r.HolidayID), holidayChange(r.Body.Holiday))
	return gen.UpdateHoliday200JSONResponse{Holiday: holidayJSON(d)}, err
}

func (h scheduleHandlers) DeleteHoliday(ctx context.Context, r gen.DeleteHolidayRequestObject) (gen.DeleteHolidayResponseObject, error) {
	return gen.DeleteHoliday204Response{}, h.schedules.DeleteHoliday(ctx, auth.From(ctx), int64(r.ScheduleID), int64(r.HolidayID))
}

func holidayChange(in gen.HolidayInput) schedules.HolidayChange {
	return schedules.HolidayChange{Name: (*string)(in.Name), Start: (*string)(in.StartDate), End: (*string)(in.EndDate)}
}

func scheduleJSON(ctx context.Context, s models.Schedule) gen.Schedule {
	return gen.Schedule{
		URL: link(ctx, schedulesPath, s.ID), ID: s.ID, Name: s.Name, TimeZone: s.TimeZone, CreatedAt: wire.Time(s.CreatedAt), UpdatedAt: wire.Time(s.UpdatedAt),
		Intervals: each(schedules.Intervals(s), func(i businesshours.Interval) gen.ScheduleInterval {
			return gen.ScheduleInterval{StartTime: int64(i.Start), EndTime: int64(i.End)}
		}),
	}
}

func holidayJSON(d models.Holiday) gen.Holiday {
	return gen.Holiday{ID: d.ID, Name: d.Name, StartDate: d.StartDate.Format(time.DateOnly), EndDate: d.EndDate.Format(time.DateOnly)}
}
