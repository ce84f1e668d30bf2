package fields

import "github.com/helpd/helpd/models"

// SystemOption is one choice of a system field.
type SystemOption struct{ Name, Value string }

// SystemOptions are the choices of the system's fields status, type and
// priority as they are offered; nil for other fields. A ticket becomes new or
// closed by other means.
func (c *Config) SystemOptions(f *Field) []SystemOption {
	sub := f.SubTypeID != nil && *f.SubTypeID == 1
	switch f.Type {
	case models.FieldStatus:
		if sub && c.Settings.Tickets.StatusHold {
			return []SystemOption{{"Open", models.StatusOpen}, {"Pending", models.StatusPending}, {"On-hold", models.StatusHold}, {"Solved", models.StatusSolved}}
		}
		return []SystemOption{{"Open", models.StatusOpen}, {"Pending", models.StatusPending}, {"Solved", models.StatusSolved}}
	case models.FieldTicketType:
		return []SystemOption{{"Question", models.TypeQuestion}, {"Incident", models.TypeIncident}, {"Problem", models.TypeProblem}, {"Task", models.TypeTask}}
	case models.FieldPriority:
		if sub {
			return []SystemOption{{"Normal", "normal"}, {"High", "high"}}
		}
		return []SystemOption{{"Low", "low"}, {"Normal", "normal"}, {"High", "high"}, {"Urgent", "urgent"}}
	}
	return nil
}
