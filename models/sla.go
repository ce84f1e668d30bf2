package models

// SLAPolicy is what an account promises for the tickets that match its filter.
type SLAPolicy struct {
	Tenant
	Title          string
	Description    *string
	Position       int  // of those that a ticket matches, the first counts
	Filter         JSON // rules.Conditions
	PolicyMetrics  JSON // []sla.Promise
	MetricSettings JSON // sla.Settings
	Stamps
}
