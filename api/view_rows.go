package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/views"
)

// rowWriter writes the rows of a view's table, and notes whom and what they name.
type rowWriter struct {
	ctx     context.Context
	table   views.Executed
	locales map[int64]string // of users
	fields  []int64          // custom fields that are columns

	users, groups, organizations []int64
}

func newRowWriter(ctx context.Context, x views.Executed, users []models.User) rowWriter {
	w := rowWriter{ctx: ctx, table: x, locales: map[int64]string{}}
	for _, u := range users {
		w.locales[u.ID] = u.Locale
	}
	for _, column := range x.Output.Columns {
		if id, err := strconv.ParseInt(column, 10, 64); err == nil {
			w.fields = append(w.fields, id)
		}
	}
	shown := slices.Clone(x.Output.Columns)
	if x.Output.GroupBy != nil {
		shown = append(shown, *x.Output.GroupBy)
	}
	note := func(column string, into *[]int64, of func(models.Ticket) []int64) {
		if slices.Contains(shown, column) {
			*into = append(*into, idsOf(x.Items, of)...)
		}
	}
	note("requester", &w.users, func(t models.Ticket) []int64 { return []int64{t.RequesterID} })
	note("submitter", &w.users, func(t models.Ticket) []int64 { return []int64{t.SubmitterID} })
	note("assignee", &w.users, func(t models.Ticket) []int64 { return present(t.AssigneeID) })
	note("group", &w.groups, func(t models.Ticket) []int64 { return present(t.GroupID) })
	note("organization", &w.organizations, func(t models.Ticket) []int64 { return present(t.OrganizationID) })
	return w
}

// row is a ticket with the view's columns.
func (w rowWriter) row(t models.Ticket) wire.Raw {
	o := wire.BeginObject(nil)
	o.Raw("score", nil) // helpd gives tickets none
	for _, column := range w.table.Output.Columns {
		if c, ok := viewColumns[column]; ok {
			c.put(w, &o, c.name, &t)
		}
	}
	if by := w.table.Output.GroupBy; by != nil {
		if c, ok := viewColumns[*by]; ok {
			c.put(w, &o, "group", &t)
		} else {
			o.Raw("group", w.value(*by, &t))
		}
	}
	shown := func(f *fields.Field) bool { return slices.Contains(w.fields, f.ID) }
	values := func(b []byte) []byte { return w.table.Config.AppendSome(b, t.CustomFields, shown) }
	o.Value("custom_fields", values)
	o.Value("fields", values)
	o.Raw("ticket", models.ToJSON(w.ticket(&t)))
	return o.End()
}

// value is that of a custom field as tickets show it; nil for none.
func (w rowWriter) value(field string, t *models.Ticket) []byte {
	all := w.table.Config.AppendSome(nil, t.CustomFields, func(f *fields.Field) bool { return strconv.FormatInt(f.ID, 10) == field })
	return []byte(gjson.GetBytes(all, "0.value").Raw)
}

func (w rowWriter) ticket(t *models.Ticket) gen.ViewTicket {
	out := gen.ViewTicket{
		ID: t.ID, URL: link(w.ctx, "tickets", t.ID), Subject: renderedSubject(w.ctx, t), Description: t.Description,
		Status: t.Status, Type: t.Type, Priority: t.Priority,
	}
	if c := w.table.Latest[t.ID].Comment; c != nil {
		out.LastComment = &gen.ViewComment{Body: c.Body, CreatedAt: wire.Time(c.CreatedAt), AuthorID: c.AuthorID, Public: c.Public}
	}
	return out
}

// viewColumn is how rows show a column that is not a custom field.
type viewColumn struct {
	name string // of the row's member
	put  func(w rowWriter, o *wire.Object, name string, t *models.Ticket)
}

// viewColumns are those of rulebook.Columns.
var viewColumns = map[string]viewColumn{
	"assigned": {"assigned", func(w rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.OptionalTime(name, w.table.Metrics[t.ID].AssignedAt)
	}},
	"assignee": {"assignee_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.ID(name, t.AssigneeID) }},
	"brand":    {"brand_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.Int(name, t.BrandID) }},
	"created":  {"created", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.Time(name, t.CreatedAt) }},
	"custom_status_id": {"custom_status_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.Int(name, t.CustomStatusID)
	}},
	"description": {"subject", func(w rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.Optional(name, renderedSubject(w.ctx, t))
	}},
	"due_date": {"due_date", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.OptionalTime(name, t.DueAt) }},
	"group":    {"group_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.ID(name, t.GroupID) }},
	"locale_id": {"locale", func(w rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.String(name, w.locales[t.RequesterID])
	}},
	"nice_id":      {"ticket_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.Int(name, t.ID) }},
	"organization": {"organization_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.ID(name, t.OrganizationID) }},
	"priority": {"priority", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.String(name, views.Title(or(t.Priority, "")))
	}},
	"requester": {"requester_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.Int(name, t.RequesterID) }},
	"satisfaction_score": {"satisfaction_score", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.String(name, views.Title(gjson.GetBytes(t.Satisfaction, "score").Str))
	}},
	"solved": {"solved", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.OptionalTime(name, t.SolvedAt) }},
	"status": {"status", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.String(name, views.Title(t.Status))
	}},
	"submitter":   {"submitter_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.Int(name, t.SubmitterID) }},
	"ticket_form": {"ticket_form_id", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.ID(name, t.TicketFormID) }},
	"type": {"type", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.String(name, views.Title(or(t.Type, "")))
	}},
	"updated": {"updated", func(_ rowWriter, o *wire.Object, name string, t *models.Ticket) { o.Time(name, t.UpdatedAt) }},
	"updated_assignee": {"updated_assignee", func(w rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.OptionalTime(name, w.table.Metrics[t.ID].AssigneeUpdatedAt)
	}},
	"updated_by_type": {"updated_by_type", func(w rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.String(name, views.UpdatedBy(w.table.Latest[t.ID]))
	}},
	"updated_requester": {"updated_requester", func(w rowWriter, o *wire.Object, name string, t *models.Ticket) {
		o.OptionalTime(name, w.table.Metrics[t.ID].RequesterUpdatedAt)
	}},
}
