package api

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/views"
)

// viewHandlers run views. What views there are is told by ruleHandlers.
type viewHandlers struct {
	views *views.Service
	of    ticketHandlers
}

// exportView is the operation's name in the queue; it outlives a version.
const exportView = "views.export"

// viewExport is what the job needs to know of the call.
type viewExport struct {
	exportItem
	View int64 `json:"view_id"`
}

func (h viewHandlers) register() {
	h.of.jobs.Register(exportView, jobs.Operation{JobType: "Export View", Doing: "Exporting view", Action: "export", Run: h.export, Single: true})
}

func (h viewHandlers) ExportView(ctx context.Context, r gen.ExportViewRequestObject) (gen.ExportViewResponseObject, error) {
	by, id := auth.From(ctx), int64(r.ViewID)
	if _, err := h.views.Show(ctx, by, id); err != nil {
		return nil, err
	}
	job, err := h.of.jobs.StartBulk(ctx, by, exportView, rawItems([]viewExport{{exportItem{callOf(ctx).base}, id}}))
	return gen.ExportView200JSONResponse{Export: gen.ViewExport{ViewID: id, Status: "starting"}, JobStatus: jobStatusJSON(ctx, job)}, err
}

func (h viewHandlers) export(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
	var call viewExport
	if err := json.Unmarshal(item, &call); err != nil {
		return nil, err
	}
	up, err := h.views.Export(ctx, by, call.View)
	return exported(call.exportItem, up), err
}

// viewPage is the page that the caller asks for, and in which order.
func viewPage(ctx context.Context) (page.Request, views.Order, error) {
	p, err := pageOf(ctx)
	query := callOf(ctx).query
	o := views.Order{Sort: p.Sort}
	switch direction := strings.ToLower(query.Get("sort_order")); {
	case signed(ctx, p):
		o.Direction = map[bool]string{true: "desc", false: "asc"}[p.Desc]
	case direction == "asc", direction == "desc":
		o.Direction = direction
	}
	if o.Sort == "" {
		o.Sort = query.Get("sort_by")
	}
	return p, o, err
}

func (a ticketAnswer) VisitListTicketsFromViewResponse(w http.ResponseWriter) error {
	return a.write(w)
}

func (h viewHandlers) ListTicketsFromView(ctx context.Context, r gen.ListTicketsFromViewRequestObject) (gen.ListTicketsFromViewResponseObject, error) {
	p, o, err := viewPage(ctx)
	if err != nil {
		return nil, err
	}
	list, _, err := h.views.Tickets(ctx, auth.From(ctx), int64(r.ViewID), o, p)
	if err != nil {
		return nil, err
	}
	return h.of.listed(ctx, list)
}

func (h viewHandlers) ExecuteView(ctx context.Context, r gen.ExecuteViewRequestObject) (gen.ExecuteViewResponseObject, error) {
	p, o, err := viewPage(ctx)
	if err != nil {
		return nil, err
	}
	o.Group = or(r.Params.GroupBy, "")
	x, err := h.views.Execute(ctx, auth.From(ctx), int64(r.ViewID), o, p)
	if err != nil {
		return nil, err
	}
	l, err := h.table(ctx, x)
	return gen.ExecuteView200JSONResponse{Listing: l}, err
}

func (h viewHandlers) PreviewViews(ctx context.Context, r gen.PreviewViewsRequestObject) (gen.PreviewViewsResponseObject, error) {
	p, o, err := viewPage(ctx)
	if err != nil {
		return nil, err
	}
	c, err := viewChange(ctx, r.Body.View)
	if err != nil {
		return nil, err
	}
	x, err := h.views.Preview(ctx, auth.From(ctx), c, o, p)
	if err != nil {
		return nil, err
	}
	l, err := h.table(ctx, x)
	return gen.PreviewViews200JSONResponse{Listing: l}, err
}

// table is a page of a view's table with the records that its rows name.
func (h viewHandlers) table(ctx context.Context, x views.Executed) (wire.Listing, error) {
	users, err := h.of.users.ByIDs(ctx, auth.From(ctx).AccountID, idsOf(x.Items, peopleOf))
	if err != nil {
		return wire.Listing{}, err
	}
	w := newRowWriter(ctx, x, users)
	l := listing(ctx, "rows", page.Map(x.Result, w.row))
	execution := executionJSON(ctx, x.Output)
	l.Add("columns", execution.Columns)
	if x.View.ID != 0 {
		l.Add("view", gen.ViewReference{ID: x.View.ID, URL: link(ctx, "views", x.View.ID)})
	}
	return l, h.addRecords(ctx, &l, w, users)
}

// addRecords adds the records that the rows name, but for those that the caller
// does without.
func (h viewHandlers) addRecords(ctx context.Context, l *wire.Listing, w rowWriter, users []models.User) error {
	without := strings.Split(callOf(ctx).query.Get("exclude"), ",")
	if !slices.Contains(without, "users") {
		named := slices.DeleteFunc(users, func(u models.User) bool { return !slices.Contains(w.users, u.ID) })
		l.Add("users", each(named, func(u models.User) gen.User { return userJSON(ctx, u) }))
	}
	if !slices.Contains(without, "groups") {
		found, err := h.of.groups.ByIDs(ctx, auth.From(ctx), w.groups)
		if err != nil {
			return err
		}
		l.Add("groups", each(found, func(g models.Group) gen.Group { return groupJSON(ctx, g) }))
	}
	if !slices.Contains(without, "organizations") {
		found, err := h.of.organizations.ByIDs(ctx, auth.From(ctx), w.organizations)
		if err != nil {
			return err
		}
		l.Add("organizations", each(found, func(o models.Organization) gen.Organization { return organizationJSON(ctx, o) }))
	}
	return nil
}

func (h viewHandlers) PreviewCount(ctx context.Context, r gen.PreviewCountRequestObject) (gen.PreviewCountResponseObject, error) {
	c, err := viewChange(ctx, r.Body.View)
	if err != nil {
		return nil, err
	}
	n, err := h.views.CountPreview(ctx, auth.From(ctx), c)
	return gen.PreviewCount200JSONResponse{ViewCount: viewCountJSON(ctx, n)}, err
}

func (h viewHandlers) GetViewCount(ctx context.Context, r gen.GetViewCountRequestObject) (gen.GetViewCountResponseObject, error) {
	n, err := h.views.Count(ctx, auth.From(ctx), int64(r.ViewID))
	return gen.GetViewCount200JSONResponse{ViewCount: viewCountJSON(ctx, n)}, err
}

func (h viewHandlers) GetViewCounts(ctx context.Context, r gen.GetViewCountsRequestObject) (gen.GetViewCountsResponseObject, error) {
	list, err := h.views.CountMany(ctx, auth.From(ctx), int64s(r.Params.Ids))
	return gen.GetViewCounts200JSONResponse{ViewCounts: each(list, func(n views.Count) gen.ViewCount { return viewCountJSON(ctx, n) })}, err
}

func viewCountJSON(ctx context.Context, n views.Count) gen.ViewCount {
	out := gen.ViewCount{Value: n.Value, Pretty: pretty(n.Value), Fresh: n.Fresh, Active: n.Active}
	if n.View != 0 {
		out.ViewID, out.URL = &n.View, new(callOf(ctx).base+"/api/v2/views/"+strconv.FormatInt(n.View, 10)+"/count.json")
	}
	return out
}

// pretty is a number in round figures, as the original has it: "~700" of 719.
func pretty(n *int64) string {
	switch {
	case n == nil:
		return "..."
	case *n < 100:
		return strconv.FormatInt(*n, 10)
	case *n < 10_000:
		return "~" + strconv.FormatInt((*n+50)/100*100, 10)
	}
	return "~" + strconv.FormatInt((*n+500)/1000*1000, 10)
}
