package api

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/exports"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/organizations"
)

// sampleSize is how many records a sample has (contract exports.md).
const sampleSize = 50

type exportHandlers struct {
	exports       *exports.Service
	tickets       ticketHandlers
	users         userHandlers
	organizations *organizations.Service
}

// export is that of one kind of record.
type export struct {
	kind string
	// members appends the page's records and what is side-loaded to an object
	// that has been begun.
	members func(ctx context.Context, b []byte, p exports.Page) ([]byte, error)
}

func (h exportHandlers) ticketExport() export { return export{exports.Tickets, h.appendTickets} }
func (h exportHandlers) userExport() export   { return export{exports.Users, h.appendUsers} }
func (h exportHandlers) organizationExport() export {
	return export{exports.Organizations, h.appendOrganizations}
}

func (h exportHandlers) IncrementalTicketExportTime(ctx context.Context, r gen.IncrementalTicketExportTimeRequestObject) (gen.IncrementalTicketExportTimeResponseObject, error) {
	return h.byTime(ctx, h.ticketExport(), r.Params.StartTime, r.Params.ExcludeDeleted)
}

func (h exportHandlers) IncrementalTicketExportCursor(ctx context.Context, r gen.IncrementalTicketExportCursorRequestObject) (gen.IncrementalTicketExportCursorResponseObject, error) {
	return h.byCursor(ctx, h.ticketExport(), r.Params.StartTime, r.Params.Cursor, r.Params.ExcludeDeleted)
}

func (h exportHandlers) IncrementalUserExportTime(ctx context.Context, r gen.IncrementalUserExportTimeRequestObject) (gen.IncrementalUserExportTimeResponseObject, error) {
	return h.byTime(ctx, h.userExport(), r.Params.StartTime, r.Params.ExcludeDeleted)
}

func (h exportHandlers) IncrementalUserExportCursor(ctx context.Context, r gen.IncrementalUserExportCursorRequestObject) (gen.IncrementalUserExportCursorResponseObject, error) {
	return h.byCursor(ctx, h.userExport(), r.Params.StartTime, r.Params.Cursor, r.Params.ExcludeDeleted)
}

func (h exportHandlers) IncrementalOrganizationExport(ctx context.Context, r gen.IncrementalOrganizationExportRequestObject) (gen.IncrementalOrganizationExportResponseObject, error) {
	return h.byTime(ctx, h.organizationExport(), r.Params.StartTime, r.Params.ExcludeDeleted)
}

func (h exportHandlers) IncrementalOrganizationExportCursor(ctx context.Context, r gen.IncrementalOrganizationExportCursorRequestObject) (gen.IncrementalOrganizationExportCursorResponseObject, error) {
	return h.byCursor(ctx, h.organizationExport(), r.Params.StartTime, r.Params.Cursor, r.Params.ExcludeDeleted)
}

func (h exportHandlers) IncrementalSampleExport(ctx context.Context, r gen.IncrementalSampleExportRequestObject) (gen.IncrementalSampleExportResponseObject, error) {
	f, ok := map[string]export{"tickets": h.ticketExport(), "users": h.userExport(), "organizations": h.organizationExport(), "ticket_events": h.eventExport()}[r.IncrementalResource]
	if !ok {
		return nil, fault.Missing("export", r.IncrementalResource)
	}
	since, err := startTime(r.Params.StartTime)
	if err != nil {
		return nil, err
	}
	p, err := h.exports.Sample(ctx, auth.From(ctx), f.which(r.Params.ExcludeDeleted), since, sampleSize)
	if err != nil {
		return nil, err
	}
	return h.spanned(ctx, f, p)
}

// exportAnswer is an answer of an export, encoded already, in a buffer that the
// next one gets if it is large.
type exportAnswer struct{ buffer *exportBuffer }

type exportBuffer struct{ b []byte }

var exportBuffers = sync.Pool{New: func() any { return new(exportBuffer) }}

// Buffers are kept for another use if they have at least and at most so many bytes:
// a small page is not to hold a large one while its reader takes its time.
const (
	minKeptExport = 100 * ticketSize
	maxKeptExport = 8 << 20
)

// exportBufferFor is an empty buffer for a page of so many records.
func exportBufferFor(records int) *exportBuffer {
	size := 512 + records*ticketSize
	if size < minKeptExport {
		return &exportBuffer{make([]byte, 0, size)}
	}
	buffer := exportBuffers.Get().(*exportBuffer)
	buffer.b = slices.Grow(buffer.b[:0], size)
	return buffer
}

// done gives the buffer to the next large page.
func (e *exportBuffer) done() {
	if size := cap(e.b); size >= minKeptExport && size <= maxKeptExport {
		exportBuffers.Put(e)
	}
}

func (a exportAnswer) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Length", strconv.Itoa(len(a.buffer.b))) // by which a page that was broken off is known
	defer a.buffer.done()
	return ticketAnswer{status: http.StatusOK, body: a.buffer.b}.write(w)
}

func (a exportAnswer) VisitIncrementalTicketExportTimeResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a exportAnswer) VisitIncrementalTicketExportCursorResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a exportAnswer) VisitIncrementalUserExportTimeResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a exportAnswer) VisitIncrementalUserExportCursorResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a exportAnswer) VisitIncrementalOrganizationExportResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a exportAnswer) VisitIncrementalOrganizationExportCursorResponse(w http.ResponseWriter) error {
	return a.write(w)
}
func (a exportAnswer) VisitIncrementalSampleExportResponse(w http.ResponseWriter) error {
	return a.write(w)
}

func (f export) which(present *wire.Flag) exports.Which {
	// What happened to a ticket that was scrubbed is not told, not even that it did.
	return exports.Which{Kind: f.kind, Present: bool(or(present, false)) || f.kind == exports.Audits}
}

// byTime answers with a page of an export by time.
func (h exportHandlers) byTime(ctx context.Context, f export, start string, present *wire.Flag) (exportAnswer, error) {
	since, err := startTime(start)
	if err != nil {
		return exportAnswer{}, err
	}
	size, err := exportSize(ctx)
	if err != nil {
		return exportAnswer{}, err
	}
	p, err := h.exports.Since(ctx, auth.From(ctx), f.which(present), since, size)
	if err != nil {
		return exportAnswer{}, err
	}
	return h.spanned(ctx, f, p)
}

// spanned is a page of an export by time.
func (h exportHandlers) spanned(ctx context.Context, f export, p exports.Page) (exportAnswer, error) {
	span := gen.ExportSpan{Count: int64(len(p.Entries)), EndOfStream: !p.More, EndTime: p.End}
	if p.End != nil {
		span.NextPage = new(callOf(ctx).startingAt(*p.End))
	}
	return f.answer(ctx, p, span)
}

// byCursor answers with a page of an export by cursor.
func (h exportHandlers) byCursor(ctx context.Context, f export, start, cursor *string, present *wire.Flag) (exportAnswer, error) {
	by := auth.From(ctx)
	size, err := exportSize(ctx)
	if err != nil {
		return exportAnswer{}, err
	}
	from, err := f.begins(by, start, cursor)
	if err != nil {
		return exportAnswer{}, err
	}
	p, err := h.exports.After(ctx, by, f.which(present), from, size)
	if err != nil {
		return exportAnswer{}, err
	}
	after := p.After.Cursor(by.AccountID, f.kind)
	return f.answer(ctx, p, gen.ExportStep{AfterURL: callOf(ctx).behind(after), AfterCursor: after, EndOfStream: !p.More})
}

// begins is the place behind which a page by cursor begins.
func (f export) begins(by auth.Actor, start, cursor *string) (exports.Place, error) {
	if c := or(cursor, ""); c != "" {
		return exports.ParseCursor(by.AccountID, f.kind, c)
	}
	if or(start, "") == "" {
		return exports.Place{}, fault.New(fault.BadRequest, "Parameter start_time is missing")
	}
	since, err := startTime(*start)
	return exports.Place{At: since}, err
}

// answer is the page with the members of paging, those of an object, behind it.
func (f export) answer(ctx context.Context, p exports.Page, paging any) (exportAnswer, error) {
	a := exportAnswer{exportBufferFor(len(p.Entries))}
	b, err := f.members(ctx, append(a.buffer.b, '{'), p)
	if err != nil {
		a.buffer.done()
		return exportAnswer{}, err
	}
	a.buffer.b = append(append(b, ','), models.ToJSON(paging)[1:]...)
	return a, nil
}

// exportSize is how many records the caller wants on a page.
func exportSize(ctx context.Context) (int, error) {
	n, err := positive(callOf(ctx).query, "per_page", exports.MaxPage)
	return min(n, exports.MaxPage), err
}

// startTime reads where an export starts: seconds since 1970, which clients also
// send with a fraction, or a time in ISO 8601.
func startTime(text string) (time.Time, error) {
	t, err := wire.ParseTime(text)
	if err != nil || time.Time(t).IsZero() {
		return time.Time{}, fault.New(fault.BadRequest, "Parameter start_time must be a Unix time or a time in ISO 8601")
	}
	return time.Time(t).Truncate(time.Second), nil
}

// startingAt is the URL of an export's next page; the caller's other parameters
// stay.
func (c call) startingAt(end int64) string {
	return c.exporting(func(q url.Values) { q.Set("start_time", strconv.FormatInt(end, 10)) })
}

// behind is the URL of an export's page behind a cursor.
func (c call) behind(cursor string) string {
	return c.exporting(func(q url.Values) {
		q.Del("start_time")
		q.Set("cursor", cursor)
	})
}

func (c call) exporting(change func(url.Values)) string {
	q := cloned(c.query)
	change(q)
	for name := range q {
		if strings.HasPrefix(name, "page[") { // says nothing here
			delete(q, name)
		}
	}
	return c.base + c.path + ".json?" + q.Encode()
}

// appendTickets appends the page's tickets, each with the time by which it is in
// its place, as they come from the database.
func (h exportHandlers) appendTickets(ctx context.Context, b []byte, p exports.Page) ([]byte, error) {
	by, base := auth.From(ctx), callOf(ctx).base
	config, extras, err := h.tickets.contextOf(ctx, p.IDs(), nil)
	if err != nil {
		return nil, err
	}
	b = append(b, `"tickets":[`...)
	at, first := p.Entries, true
	one := func(t *models.Ticket) error {
		if !first {
			b = append(b, ',')
		}
		first = false
		for at[0].ID != t.ID { // one that is not there
			at = at[1:]
		}
		o := wire.ReopenObject(appendTicket(ctx, b, base, t, config, extras))
		o.Int("generated_timestamp", at[0].At.Unix())
		b = o.End()
		return nil
	}
	if callOf(ctx).query.Get("include") == "" {
		err := h.tickets.tickets.EachStored(ctx, by, p.IDs(), one)
		return append(b, ']'), err
	}
	list, err := h.tickets.tickets.Stored(ctx, by, p.IDs())
	if err != nil {
		return nil, err
	}
	for i := range list {
		_ = one(&list[i]) // never fails
	}
	return h.tickets.appendSideLoads(ctx, append(b, ']'), list, config, "last_audits")
}

func (h exportHandlers) appendUsers(ctx context.Context, b []byte, p exports.Page) ([]byte, error) {
	found, err := h.users.users.ByIDs(ctx, auth.From(ctx).AccountID, p.IDs())
	if err != nil {
		return nil, err
	}
	us := inOrder(p, found, func(u models.User) int64 { return u.ID })
	l := wire.Listing{Key: "users", Items: each(us, func(u models.User) wire.Raw {
		b := models.ToJSON(userJSON(ctx, u))
		if u.PermanentlyDeleted {
			o := wire.ReopenObject(b)
			o.Bool("permanently_deleted", true)
			b = o.End()
		}
		return wire.Raw(b)
	})}
	if err := h.users.addSides(ctx, &l, us); err != nil {
		return nil, err
	}
	return appendListing(b, l)
}

func (h exportHandlers) appendOrganizations(ctx context.Context, b []byte, p exports.Page) ([]byte, error) {
	found, err := h.organizations.Stored(ctx, auth.From(ctx), p.IDs())
	if err != nil {
		return nil, err
	}
	list := inOrder(p, found, func(o models.Organization) int64 { return o.ID })
	l := wire.Listing{Key: "organizations", Items: each(list, func(o models.Organization) wire.Raw {
		b := models.ToJSON(organizationJSON(ctx, o))
		if o.DeletedAt != nil {
			object := wire.ReopenObject(b)
			object.Time("deleted_at", *o.DeletedAt)
			b = object.End()
		}
		return wire.Raw(b)
	})}
	if a := organizationAbilities(ctx, list); a != nil {
		l.Add("abilities", a)
	}
	return appendListing(b, l)
}

// appendListing appends the members of a listing to an object that has been begun.
func appendListing(b []byte, l wire.Listing) ([]byte, error) {
	text, err := l.MarshalJSON()
	if err != nil {
		return nil, err
	}
	return append(b, bytes.TrimSuffix(text, []byte("}"))[1:]...), nil
}

// inOrder are records in the order of the page.
func inOrder[T any](p exports.Page, found []T, id func(T) int64) []T {
	byID := make(map[int64]T, len(found))
	for _, item := range found {
		byID[id(item)] = item
	}
	list := make([]T, 0, len(found))
	for _, e := range p.Entries {
		if item, ok := byID[e.ID]; ok {
			list = append(list, item)
		}
	}
	return list
}
