package rulebook

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
)

// maxColumns is how many columns a view may have.
const maxColumns = 10

// Output is what a view shows of its tickets, and in which order. Columns are
// those of Columns by their ids, and custom fields by theirs.
type Output struct {
	Columns    []string `json:"columns"`
	GroupBy    *string  `json:"group_by"`
	GroupOrder string   `json:"group_order"` // asc or desc
	SortBy     *string  `json:"sort_by"`
	SortOrder  string   `json:"sort_order"` // asc or desc
}

// OutputChange is what a caller asks of an output; see Change.
type OutputChange struct {
	Columns    []string // nil leaves
	GroupBy    nullable.Nullable[string]
	GroupOrder nullable.Nullable[string]
	SortBy     nullable.Nullable[string]
	SortOrder  nullable.Nullable[string]
}

// Column is something of a ticket that a view shows.
type Column struct {
	ID         string
	Shown      string // the id in answers, where it differs: subject of description
	Title      string
	Filterable bool // its values are few
	Sortable   bool // tickets can be sorted and grouped by it
}

// Columns are what views can show beside custom fields.
var Columns = []Column{
	{ID: "assigned", Title: "Assigned", Sortable: true},
	{ID: "assignee", Title: "Assignee", Filterable: true, Sortable: true},
	{ID: "brand", Title: "Brand", Filterable: true, Sortable: true},
	{ID: "created", Title: "Requested", Sortable: true},
	{ID: "custom_status_id", Title: "Ticket status", Filterable: true},
	{ID: "description", Shown: "subject", Title: "Subject"},
	{ID: "due_date", Title: "Due date", Sortable: true},
	{ID: "group", Title: "Group", Filterable: true, Sortable: true},
	{ID: "locale_id", Shown: "locale", Title: "Requester language", Filterable: true, Sortable: true},
	{ID: "nice_id", Shown: "ticket_id", Title: "ID", Sortable: true},
	{ID: "organization", Title: "Organization", Filterable: true, Sortable: true},
	{ID: "priority", Title: "Priority", Filterable: true, Sortable: true},
	{ID: "requester", Title: "Requester", Filterable: true, Sortable: true},
	{ID: "satisfaction_score", Title: "Satisfaction", Filterable: true, Sortable: true},
	{ID: "solved", Title: "Solved", Sortable: true},
	{ID: "status", Title: "Status", Filterable: true, Sortable: true},
	{ID: "submitter", Title: "Submitter", Filterable: true},
	{ID: "ticket_form", Title: "Form", Filterable: true, Sortable: true},
	{ID: "type", Title: "Type", Filterable: true, Sortable: true},
	{ID: "updated", Title: "Updated", Sortable: true},
	{ID: "updated_assignee", Title: "Assignee updated", Sortable: true},
	{ID: "updated_by_type", Title: "Latest updater type (agent/end user)", Filterable: true, Sortable: true},
	{ID: "updated_requester", Title: "Requester updated", Sortable: true},
}

// InAnswers is the column's id as answers have it.
func (c Column) InAnswers() string {
	if c.Shown != "" {
		return c.Shown
	}
	return c.ID
}

// ColumnByID is the column that clients call so, by either id of it.
func ColumnByID(id string) (Column, bool) {
	at := slices.IndexFunc(Columns, func(c Column) bool { return c.ID == id || c.Shown == id })
	if at < 0 {
		return Column{}, false
	}
	return Columns[at], true
}

// usual is the output of a view that names none.
func usual() Output {
	return Output{
		Columns: []string{"description", "requester", "created", "updated", "group", "assignee"}, GroupOrder: "desc", SortBy: new("nice_id"), SortOrder: "desc",
	}
}

// OutputOf is the output of a view.
func OutputOf(r models.Rule) Output {
	o := usual()
	if len(r.Output) > 0 {
		_ = json.Unmarshal(r.Output, &o) // written by ourselves
	}
	return o
}

// applyOutput changes what a view shows.
func (c Change) applyOutput(r *models.Rule, config *fields.Config) error {
	o := OutputOf(*r)
	if c.Output == nil {
		r.Output = models.ToJSON(o)
		return nil
	}
	in := c.Output
	var errs []error
	if in.Columns != nil {
		o.Columns = nil
		for _, id := range in.Columns {
			name, err := columnID("columns", id, false, config)
			errs = append(errs, err)
			if !slices.Contains(o.Columns, name) {
				o.Columns = append(o.Columns, name)
			}
		}
		if len(o.Columns) == 0 || len(o.Columns) > maxColumns {
			errs = append(errs, fault.InvalidField("columns", "must be from 1 to %d", maxColumns))
		}
	}
	for _, by := range []struct {
		name string
		in   nullable.Nullable[string]
		to   **string
	}{{"group_by", in.GroupBy, &o.GroupBy}, {"sort_by", in.SortBy, &o.SortBy}} {
		if !by.in.IsSpecified() {
			continue
		}
		*by.to = nil
		if id, err := by.in.Get(); err == nil && id != "" {
			name, err := columnID(by.name, id, true, config)
			*by.to, errs = &name, append(errs, err)
		}
	}
	errs = append(errs, direction("group_order", in.GroupOrder, &o.GroupOrder), direction("sort_order", in.SortOrder, &o.SortOrder))
	r.Output = models.ToJSON(o)
	return fault.Join(errs...)
}

// columnID is the id by which a view keeps what a client calls id.
func columnID(member, id string, sortable bool, config *fields.Config) (string, error) {
	c, ok := ColumnByID(id)
	switch {
	case ok && sortable && !c.Sortable:
		return "", fault.InvalidField(member, "%s cannot be sorted by", id)
	case ok:
		return c.ID, nil
	}
	if n, err := strconv.ParseInt(id, 10, 64); err == nil {
		if f, ok := config.Field(n); ok && f.Custom() {
			return strconv.FormatInt(n, 10), nil
		}
	}
	return "", fault.InvalidField(member, "%s is not a column", id)
}

func direction(member string, in nullable.Nullable[string], to *string) error {
	text, err := in.Get()
	if err != nil || text == "" { // nothing, or null: as it was
		return nil
	}
	if text != "asc" && text != "desc" {
		return fault.InvalidField(member, "%s is neither asc nor desc", text)
	}
	*to = text
	return nil
}
