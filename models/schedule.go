package models

import "time"

// Schedule is when people work.
type Schedule struct {
	Tenant
	Name      string
	TimeZone  string // as it was set: a name of Ruby on Rails, or of IANA
	Intervals IDs    // starts and ends by turns, in minutes since Sunday 00:00
	Stamps
}

// Holiday are days on which a schedule has no working hours.
type Holiday struct {
	Tenant
	ScheduleID int64
	Name       string
	StartDate  time.Time // only the date counts; UTC
	EndDate    time.Time // the last day
}
