package rules

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/locales"
)

// Choice is a value that a condition may ask for, or an operator, with the name
// by which people know it.
type Choice struct{ Value, Title string }

// Records are names of records that the set-up does not hold.
type Records struct{ Groups, Agents, Schedules []Choice }

var (
	nobody      = Choice{"", "(empty)"}
	currentUser = Choice{"current_user", "(current user)"}
	requester   = Choice{"requester_id", "(requester)"}
	assignee    = Choice{"assignee_id", "(assignee)"}
)

// words are choices whose values are the same in every account.
var words = map[string][]Choice{
	"type":     {nobody, {"question", "Question"}, {"incident", "Incident"}, {"problem", "Problem"}, {"task", "Task"}},
	"type_id":  {{"0", "(empty)"}, {"1", "Question"}, {"2", "Incident"}, {"3", "Problem"}, {"4", "Task"}},
	"priority": {nobody, {"low", "Low"}, {"normal", "Normal"}, {"high", "High"}, {"urgent", "Urgent"}},
	"score": {
		{"true", "Unoffered"}, {"false", "Offered"}, {"bad", "Bad"}, {"bad_with_comment", "Bad with comment"}, {"good", "Good"}, {"good_with_comment", "Good with comment"},
	},
	"privacy":      {{"public", "Public"}, {"private", "Private"}},
	"update_type":  {{"Create", "Created"}, {"Change", "Updated"}},
	"comment":      {{"true", "Public"}, {"false", "Private"}, {"not_relevant", "Present"}, {"requester_can_see_comment", "Present, and requester can see it"}},
	"attachment":   {{"present", "Present"}, {"not_present", "Not present"}},
	"role":         {{"end_user", "(end user)"}, {"agent", "(agent)"}, {"admin", "(admin)"}},
	"bool":         {{"true", "Yes"}, {"false", "No"}},
	"user":         {currentUser, assignee},
	"organization": {nobody},
}

// Choices are the values that a condition on the field may ask for, nil where they
// are no list: numbers, texts, and records of which there are too many.
func (f FieldInfo) Choices(c *fields.Config, r Records) []Choice {
	if f.Custom != nil {
		return choicesOf(f.Custom)
	}
	switch f.List {
	case "status":
		return statusChoices(c)
	case "custom_status":
		return each(c.Statuses, func(s models.CustomStatus) (Choice, bool) { return named(s.ID, s.AgentLabel), s.Active })
	case "form":
		return each(c.Forms, func(f models.TicketForm) (Choice, bool) { return named(f.ID, f.Name), f.Active })
	case "brand":
		return each(c.Brands, func(b models.Brand) (Choice, bool) { return named(b.ID, b.Name), b.Active })
	case "group":
		return append([]Choice{nobody}, r.Groups...)
	case "agent":
		return append([]Choice{nobody, currentUser, requester}, r.Agents...)
	case "schedule":
		return r.Schedules
	case "locale":
		return each(locales.All(), func(l locales.Locale) (Choice, bool) {
			return named(l.ID, l.English), slices.Contains(c.Settings.Localization.LocaleIDs, l.ID)
		})
	case "reason":
		return each(c.Reasons, func(r models.SatisfactionReason) (Choice, bool) {
			return named(int64(r.ReasonCode), r.Value), r.DeletedAt == nil
		})
	case "via":
		return each(slices.Sorted(maps.Keys(vias)), func(id int) (Choice, bool) { return named(int64(id), capitalized(vias[id][0])), true })
	}
	return words[f.List]
}

func choicesOf(f *fields.Field) []Choice {
	switch f.Type {
	case models.FieldCheckbox:
		return words["bool"]
	case models.FieldTagger, models.FieldDropdown, models.FieldMultiselect:
		return each(f.Options, func(o models.FieldOption) (Choice, bool) { return Choice{o.Value, o.Name}, true })
	}
	return nil
}

func statusChoices(c *fields.Config) []Choice {
	return each(statusField.values, func(status string) (Choice, bool) {
		title := capitalized(status)
		if status == models.StatusHold {
			title = "On-hold"
		}
		return Choice{status, title}, status != models.StatusHold || c.HoldEnabled()
	})
}

func named(id int64, title string) Choice { return Choice{strconv.FormatInt(id, 10), title} }

func capitalized(word string) string {
	word = strings.ReplaceAll(word, "_", " ")
	return strings.ToUpper(word[:1]) + word[1:]
}

func each[T any](list []T, choice func(T) (Choice, bool)) []Choice {
	out := []Choice{}
	for _, item := range list {
		if c, ok := choice(item); ok {
			out = append(out, c)
		}
	}
	return out
}

// valueless are the operators to which a condition's value means nothing.
var valueless = []string{"changed", "not_changed", "present", "not_present"}

// NeedsValue reports whether a condition with the operator has a value.
func NeedsValue(op string) bool { return !slices.Contains(valueless, op) }

// operatorTitles are those that their names do not tell.
var operatorTitles = map[string]string{
	"includes": "Contains at least one of the following", "not_includes": "Contains none of the following",
	"includes_string": "Contains", "not_includes_string": "Does not contain", "value": "Changed to", "value_previous": "Changed from",
	"not_value": "Not changed to", "not_value_previous": "Not changed from", "within_previous_n_days": "Is within the previous days",
	"within_next_n_days": "Is within the next days",
}

// OperatorTitle is an operator as people know it.
func OperatorTitle(op string) string {
	if title, ok := operatorTitles[op]; ok {
		return title
	}
	plain, business := strings.CutSuffix(op, "_business_hours")
	title := capitalized(plain)
	if business {
		title += " (business hours)"
	}
	return title
}
