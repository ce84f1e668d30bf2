package views

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/sheets"
	"github.com/helpd/helpd/server/tickets"
)

// Export writes the table of a view into a CSV file, all tickets of it that by may
// see, and returns the upload that has it: it is there as long as any upload. It
// fails with fault.NotFound.
func (s *Service) Export(ctx context.Context, by auth.Actor, id int64) (attachments.Upload, error) {
	v, err := s.open(ctx, by, id)
	if err != nil {
		return attachments.Upload{}, err
	}
	selection, err := s.selection(ctx, by, v)
	if err != nil {
		return attachments.Upload{}, err
	}
	ids, err := s.tickets.SelectAll(ctx, by, selection)
	if err != nil {
		return attachments.Upload{}, err
	}
	x := export{service: s, by: by, view: v, left: ids}
	return s.files.Upload(ctx, by, attachments.UploadInput{
		FileName: fmt.Sprintf("view_%d.csv", id), ContentType: "text/csv",
		Body: sheets.New(x.head(), func() ([][]string, error) { return x.part(ctx) }),
	})
}

// export is a table that is being written.
type export struct {
	service *Service
	by      auth.Actor
	view    view
	left    []int64 // tickets that are not yet written
}

// columns are those of the view, with what it is grouped by as the first, and the
// ticket's number.
func (x export) columns() []string {
	columns := []string{"nice_id"}
	if by := x.view.output.GroupBy; by != nil && *by != "nice_id" {
		columns = append(columns, *by)
	}
	for _, c := range x.view.output.Columns {
		if !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	return columns
}

func (x export) head() []string {
	var titles []string
	for _, column := range x.columns() {
		title := column
		if c, ok := rulebook.ColumnByID(column); ok {
			title = c.Title
		} else if f, ok := x.field(column); ok {
			title = f.Title
		}
		titles = append(titles, sheets.Cell(title))
	}
	return titles
}

func (x export) field(column string) (*fields.Field, bool) {
	id, err := strconv.ParseInt(column, 10, 64)
	if err != nil {
		return nil, false
	}
	return x.view.config.Field(id)
}

// part gives the next lines.
func (x *export) part(ctx context.Context) ([][]string, error) {
	n := min(len(x.left), tickets.MaxMany)
	list, err := x.service.tickets.ShowMany(ctx, x.by, x.left[:n])
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]models.Ticket, n)
	for _, t := range list {
		byID[t.ID] = t
	}
	f := facts{names: map[record]string{}}
	if f.metrics, err = x.service.tickets.Metrics(ctx, x.by, x.left[:n]); err != nil {
		return nil, err
	}
	if f.latest, err = x.service.tickets.LatestOf(ctx, x.by, x.left[:n]); err != nil {
		return nil, err
	}
	if err := x.service.name(ctx, x.by, list, f.names); err != nil {
		return nil, err
	}
	lines, columns := make([][]string, 0, n), x.columns()
	for _, id := range x.left[:n] {
		t, ok := byID[id]
		if !ok {
			continue // deleted since
		}
		line := make([]string, len(columns))
		for i, column := range columns {
			line[i] = sheets.Cell(x.cell(column, t, f))
		}
		lines = append(lines, line)
	}
	x.left = x.left[n:]
	if len(lines) == 0 && len(x.left) > 0 {
		return x.part(ctx)
	}
	return lines, nil
}

// facts are what cells show that a ticket does not have itself.
type facts struct {
	metrics map[int64]models.TicketMetric
	latest  map[int64]tickets.Latest
	names   map[record]string
}

// record is one that has a name, or a user by his locale.
type record struct {
	kind string // the table; or "locale"
	id   int64
}

// name reads the names of what tickets refer to, in one statement.
func (s *Service) name(ctx context.Context, by auth.Actor, list []models.Ticket, into map[record]string) error {
	users, groups, organizations := models.IDs{}, models.IDs{}, models.IDs{}
	for _, t := range list {
		users = append(users, t.RequesterID, t.SubmitterID, or(t.AssigneeID))
		groups, organizations = append(groups, or(t.GroupID)), append(organizations, or(t.OrganizationID))
	}
	return postgres.RowsIn(ctx, s.db, `SELECT 'users'::text, id, name FROM users WHERE account_id = ? AND id = ANY(?)
		UNION ALL SELECT 'locale', id, locale FROM users WHERE account_id = ? AND id = ANY(?)
		UNION ALL SELECT 'groups', id, name FROM groups WHERE account_id = ? AND id = ANY(?)
		UNION ALL SELECT 'organizations', id, name FROM organizations WHERE account_id = ? AND id = ANY(?)`,
		[]any{by.AccountID, users, by.AccountID, users, by.AccountID, groups, by.AccountID, organizations}, func(row postgres.Scanned) error {
			var n record
			var name string
			err := row.Scan(&n.kind, &n.id, &name)
			into[n] = name
			return err
		})
}

// or is the id, or 0.
func or(id *int64) int64 {
	if id == nil {
		return 0
	}
	return *id
}

// cell is what a table shows in a column of a ticket, for people.
func (x export) cell(column string, t models.Ticket, f facts) string {
	m := f.metrics[t.ID]
	switch column {
	case "nice_id":
		return strconv.FormatInt(t.ID, 10)
	case "description":
		return text(t.Subject)
	case "status":
		return Title(t.Status)
	case "priority":
		return Title(text(t.Priority))
	case "type":
		return Title(text(t.Type))
	case "satisfaction_score":
		return Title(gjson.GetBytes(t.Satisfaction, "score").Str)
	case "requester":
		return f.names[record{"users", t.RequesterID}]
	case "submitter":
		return f.names[record{"users", t.SubmitterID}]
	case "assignee":
		return f.names[record{"users", or(t.AssigneeID)}]
	case "group":
		return f.names[record{"groups", or(t.GroupID)}]
	case "organization":
		return f.names[record{"organizations", or(t.OrganizationID)}]
	case "locale_id":
		return f.names[record{"locale", t.RequesterID}]
	case "brand":
		brand, _ := x.view.config.Brand(t.BrandID)
		return brand.Name
	case "ticket_form":
		form, _ := x.view.config.Form(or(t.TicketFormID))
		return form.Name
	case "custom_status_id":
		status, _ := x.view.config.Status(t.CustomStatusID)
		return status.AgentLabel
	case "updated_by_type":
		return UpdatedBy(f.latest[t.ID])
	case "created":
		return at(&t.CreatedAt)
	case "updated":
		return at(&t.UpdatedAt)
	case "due_date":
		return at(t.DueAt)
	case "solved":
		return at(t.SolvedAt)
	case "assigned":
		return at(m.AssignedAt)
	case "updated_assignee":
		return at(m.AssigneeUpdatedAt)
	case "updated_requester":
		return at(m.RequesterUpdatedAt)
	}
	return x.value(column, t)
}

// value is that of a custom field.
func (x export) value(column string, t models.Ticket) string {
	f, ok := x.field(column)
	if !ok {
		return ""
	}
	all := x.view.config.AppendSome(nil, t.CustomFields, func(other *fields.Field) bool { return other.ID == f.ID })
	value := gjson.GetBytes(all, "0.value")
	if !value.IsArray() {
		return value.String()
	}
	var parts []string
	for _, item := range value.Array() {
		parts = append(parts, item.String())
	}
	return strings.Join(parts, ", ")
}

func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

func at(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// Title is the title of a value of the ticket's status, priority or type, or of
// its satisfaction score; - for none.
func Title(value string) string {
	switch value {
	case "", models.ScoreUnoffered:
		return "-"
	case models.StatusHold:
		return "On-hold"
	}
	return strings.ToUpper(value[:1]) + value[1:]
}

// UpdatedBy says what who changed a ticket last is.
func UpdatedBy(l tickets.Latest) string {
	if l.ByEndUser {
		return "End user"
	}
	return "Agent"
}
