package fields

import (
	"slices"

	"github.com/helpd/helpd/models"
)

// SystemOption is one choice of a system field.
type SystemOption struct{ Name, Value string }

// HoldEnabled reports whether tickets may be on hold: the account's setting and
// the sub_type_id of the system's field status both say so.
func (c *Config) HoldEnabled() bool {
	i := slices.IndexFunc(c.Fields, func(f Field) bool { return f.Type == models.FieldStatus })
	return c.Settings.Tickets.StatusHold && i >= 0 && c.Fields[i].second()
}

// second reports whether a system field has its other list of choices.
func (f *Field) second() bool { return f.SubTypeID != nil && *f.SubTypeID == 1 }

// SystemOptions are the choices of the system's fields status, type and
// priority as they are offered; nil for other fields. A ticket becomes new or
// closed by other means.
func (c *Config) SystemOptions(f *Field) []SystemOption {
	switch f.Type {
	case models.FieldStatus:
		if c.HoldEnabled() {
			return []SystemOption{{"Open", models.StatusOpen}, {"Pending", models.StatusPending}, {"On-hold", models.StatusHold}, {"Solved", models.StatusSolved}}
		}
		return []SystemOption{{"Open", models.StatusOpen}, {"Pending", models.StatusPending}, {"Solved", models.StatusSolved}}
	case models.FieldTicketType:
		return []SystemOption{{"Question", models.TypeQuestion}, {"Incident", models.TypeIncident}, {"Problem", models.TypeProblem}, {"Task", models.TypeTask}}
	case models.FieldPriority:
		if f.second() {
			return []SystemOption{{"Normal", "normal"}, {"High", "high"}}
		}
		return []SystemOption{{"Low", "low"}, {"Normal", "normal"}, {"High", "high"}, {"Urgent", "urgent"}}
	}
	return nil
}
