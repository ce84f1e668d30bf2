package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/exports"
	"github.com/helpd/helpd/server/tickets"
)

func (h exportHandlers) IncrementalTicketEvents(ctx context.Context, r gen.IncrementalTicketEventsRequestObject) (gen.IncrementalTicketEventsResponseObject, error) {
	return h.byTime(ctx, h.eventExport(), r.Params.StartTime, nil)
}

func (h exportHandlers) IncrementalCommentExportCursor(ctx context.Context, r gen.IncrementalCommentExportCursorRequestObject) (gen.IncrementalCommentExportCursorResponseObject, error) {
	return h.byCursor(ctx, export{exports.Comments, h.appendComments}, r.Params.StartTime, r.Params.Cursor, r.Params.ExcludeDeleted)
}

func (a exportAnswer) VisitIncrementalTicketEventsResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a exportAnswer) VisitIncrementalCommentExportCursorResponse(w http.ResponseWriter) error {
	return a.write(w)
}

func (h exportHandlers) eventExport() export { return export{exports.Audits, h.appendEvents} }

// appendComments appends the page's comments, and of those that are gone that
// they are.
func (h exportHandlers) appendComments(ctx context.Context, b []byte, p exports.Page) ([]byte, error) {
	by := auth.From(ctx)
	found, err := h.tickets.tickets.StoredComments(ctx, by, p.IDs())
	if err != nil {
		return nil, err
	}
	rest := found
	l := wire.Listing{Key: "comments", Items: each(p.Entries, func(e exports.Entry) wire.Raw {
		o := wire.BeginObject(nil)
		if len(rest) == 0 || rest[0].ID != e.ID {
			o.Int("id", e.ID)
			o.Bool("deleted", true)
			return wire.Raw(o.End())
		}
		c := rest[0]
		rest = rest[1:]
		o = wire.ReopenObject(models.ToJSON(commentJSON(ctx, c, true)))
		o.Int("ticket_id", c.TicketID)
		return wire.Raw(o.End())
	})}
	if includes(ctx, "users") {
		authors, err := h.users.users.ByIDs(ctx, by.AccountID, idsOf(found, func(c tickets.CommentRecord) []int64 { return []int64{c.AuthorID} }))
		if err != nil {
			return nil, err
		}
		l.Add("users", usersJSON(ctx, authors))
	}
	return appendListing(b, l)
}

// appendEvents appends the page's audits as events.
func (h exportHandlers) appendEvents(ctx context.Context, b []byte, p exports.Page) ([]byte, error) {
	list, err := h.tickets.tickets.StoredAudits(ctx, auth.From(ctx), p.IDs())
	if err != nil {
		return nil, err
	}
	comments := includes(ctx, "comment_events")
	return appendListing(b, wire.Listing{Key: "ticket_events", Items: each(list, func(a tickets.AuditRecord) gen.TicketEvent {
		return ticketEventJSON(ctx, a, comments)
	})})
}

func ticketEventJSON(ctx context.Context, a tickets.AuditRecord, comments bool) gen.TicketEvent {
	system := gjson.GetBytes(a.Metadata, "system").Raw
	if system == "" {
		system = "{}"
	}
	e := gen.TicketEvent{
		ID: a.ID, TicketID: a.TicketID, Timestamp: a.CreatedAt.Unix(), CreatedAt: wire.Time(a.CreatedAt), UpdaterID: a.AuthorID,
		Via: viaName(gjson.ParseBytes(a.Via)), System: json.RawMessage(system), Metadata: wire.Raw(a.Metadata), EventType: "Audit",
		ChildEvents: []gen.ChildEvent{},
	}
	gjson.ParseBytes(a.Events).ForEach(func(_, event gjson.Result) bool {
		e.ChildEvents = append(e.ChildEvents, childEvent(ctx, a, event, comments))
		return true
	})
	return e
}

// childEvent is an event of an audit in the form of exports (contract exports.md).
func childEvent(ctx context.Context, a tickets.AuditRecord, event gjson.Result, comments bool) gen.ChildEvent {
	o := wire.BeginObject(nil)
	if c, ok := a.Comments[event.Get("id").Int()]; ok && comments {
		o = wire.ReopenObject(models.ToJSON(commentOfAudit(ctx, c, "")))
	} else {
		o.Int("id", event.Get("id").Int())
	}
	via := event.Get("via")
	if !via.Exists() {
		via = gjson.ParseBytes(a.Via)
	}
	o.String("via", viaName(via))
	o.Raw("via_reference_id", []byte(via.Get("source.from.id").Raw))
	o.Time("created_at", a.CreatedAt)
	kind := event.Get("type").Str
	o.String("event_type", kind)
	if c, ok := a.Comments[event.Get("id").Int()]; ok {
		o.Bool("comment_present", true)
		o.Bool("comment_public", c.Public)
	}
	if name := event.Get("field_name").Str; name != "" && (kind == "Create" || kind == "Change") {
		appendChange(&o, name, event)
		return gen.ChildEvent(o.End())
	}
	event.ForEach(func(name, value gjson.Result) bool {
		if !slices.Contains([]string{"id", "type", "via"}, name.Str) {
			o.Raw(name.Str, []byte(value.Raw))
		}
		return true
	})
	return gen.ChildEvent(o.End())
}

// appendChange appends a field with its value, and what was before.
func appendChange(o *wire.Object, name string, event gjson.Result) {
	value, previous := event.Get("value"), event.Get("previous_value")
	if _, err := strconv.ParseInt(name, 10, 64); err == nil { // of a custom field, by its id
		o.Value("custom_ticket_fields", func(b []byte) []byte {
			fields := wire.BeginObject(b)
			fields.Raw(name, []byte(value.Raw))
			return fields.End()
		})
	} else {
		o.Raw(name, []byte(value.Raw))
	}
	if previous.Exists() {
		o.Raw("previous_value", []byte(previous.Raw))
	}
	if name == "tags" {
		o.Strings("added_tags", without(value, previous))
		o.Strings("removed_tags", without(previous, value))
	}
}

// without are the texts of a list that are not in another.
func without(list, other gjson.Result) []string {
	has := map[string]bool{}
	for _, t := range other.Array() {
		has[t.Str] = true
	}
	out := []string{}
	for _, t := range list.Array() {
		if !has[t.Str] {
			out = append(out, t.Str)
		}
	}
	return out
}

// viaNames are channels as exports call them (contract exports.md).
var viaNames = map[string]string{"api": "API", "sms": "SMS", "web": "Web form", "mobile_sdk": "Mobile SDK"}

// viaName is how something came, for people.
func viaName(via gjson.Result) string {
	channel := via.Get("channel").Str
	if name, ok := viaNames[channel]; ok || channel == "" {
		return name
	}
	words := strings.ReplaceAll(channel, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}
