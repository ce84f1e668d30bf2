package rulebook

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/rules"
)

// ActionsOf are the actions of a macro that would make other tickets like this
// one: its properties, tags and custom fields, and a comment if there is one.
// What macros may not set is left out.
func ActionsOf(t models.Ticket, config *fields.Config, comment string) []rules.Action {
	var list []rules.Action
	set := func(field string, value any) {
		list = append(list, rules.Action{Field: field, Value: json.RawMessage(models.ToJSON(value))})
	}
	setID := func(field string, id *int64) {
		if id != nil {
			set(field, strconv.FormatInt(*id, 10))
		}
	}
	setText := func(field string, text *string) {
		if text != nil {
			set(field, *text)
		}
	}
	if t.Status != models.StatusNew && t.Status != models.StatusClosed {
		set("status", t.Status)
	}
	setText("type", t.Type)
	setText("priority", t.Priority)
	setID("group_id", t.GroupID)
	setID("assignee_id", t.AssigneeID)
	setID("ticket_form_id", t.TicketFormID)
	if len(t.Tags) > 0 {
		set("current_tags", strings.Join(t.Tags, " "))
	}
	list = append(list, fieldActions(t, config)...)
	if comment != "" {
		set("comment_value", comment)
	}
	// A value that has gone since, such as an option, is nothing to begin with.
	env := rules.Env{Config: config}
	return slices.DeleteFunc(list, func(a rules.Action) bool {
		_, err := rules.CheckActions([]rules.Action{a}, rules.Macros, env)
		return err != nil
	})
}

// fieldActions set the custom fields that a ticket has values of, in the order
// of the fields.
func fieldActions(t models.Ticket, config *fields.Config) []rules.Action {
	var values map[string]json.RawMessage
	if len(t.CustomFields) == 0 || json.Unmarshal(t.CustomFields, &values) != nil { // written by ourselves
		return nil
	}
	var list []rules.Action
	for _, f := range config.Fields {
		id := strconv.FormatInt(f.ID, 10)
		value, ok := values[id]
		if !ok || bytes.Equal(value, []byte("null")) {
			continue
		}
		if value[0] != '"' && value[0] != '[' { // numbers and booleans are written as texts
			value = json.RawMessage(strconv.Quote(string(value)))
		}
		list = append(list, rules.Action{Field: "custom_fields_" + id, Value: value})
	}
	return list
}
