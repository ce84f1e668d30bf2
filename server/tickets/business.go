package tickets

import (
	"time"

	"github.com/helpd/helpd/server/businesshours"
)

// Minutes are a span of time. Business is that within working hours; nil where
// there was no schedule for all or a part of it.
type Minutes struct {
	Calendar int64
	Business *int64
}

// MinutesOf is a span of time in whole minutes, with the seconds of working time
// in it.
func MinutesOf(span time.Duration, business *int64) Minutes {
	m := Minutes{Calendar: int64(span / time.Minute)}
	if business != nil {
		m.Business = new(*business / 60)
	}
	return m
}

// hours are the working hours of the ticket, as the save leaves it.
func (s *save) hours() *businesshours.Hours { return s.config.Hours(s.after.ScheduleID) }

// addBusiness adds the working time of a further span to that of those before
// it, in which spent seconds have passed. Working time is taken when a span ends
// and with the schedule that the ticket has at that time: what was measured does
// not change when a schedule does. Nil: there is no schedule now, or there was
// none for the spans before.
func addBusiness(before *int64, spent int64, hours *businesshours.Hours, from, to time.Time) *int64 {
	if hours == nil || before == nil && spent > 0 {
		return nil
	}
	sum := int64(hours.Between(from, to) / time.Second)
	if before != nil {
		sum += *before
	}
	return &sum
}

// businessUntil is the working time in seconds from the ticket's creation to the
// time to.
func (s *save) businessUntil(to time.Time) *int64 {
	return addBusiness(nil, 0, s.hours(), s.after.CreatedAt, to)
}
