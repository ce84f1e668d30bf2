package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// aView is a view of five conditions, one of them or more about a custom field. In
// an account of a million tickets it has so many of them.
type aView struct {
	title      string
	tickets    int
	conditions []string // "field operator value"
	output     object
}

// views are of all sizes up to the 10,000 that pages by number reach. {product}
// and the rest stand for ids.
var views = []aView{
	{"few", 70, []string{
		"status less_than solved", "group_id is {group}", "priority is urgent", "type is incident", "custom_fields_{product} is camera",
	}, object{"sort_by": "nice_id", "sort_order": "desc"}},
	{"of a tag", 400, []string{
		"status less_than solved", "current_tags includes topic_5", "priority is normal", "type is question", "custom_fields_{called} is true",
	}, object{"sort_by": "updated", "sort_order": "asc", "group_by": "status"}},
	{"of a team", 1_000, []string{
		"status less_than solved", "group_id is {group}", "priority is normal", "type is_not problem", "custom_fields_{product} is camera",
	}, object{"sort_by": "created", "sort_order": "asc", "group_by": "assignee"}},
	{"of two fields", 4_000, []string{
		"status less_than solved", "custom_fields_{product} is camera", "custom_fields_{called} is true", "priority is_not low", "assignee_id is_not ",
	}, object{"sort_by": "requester", "sort_order": "asc"}},
	{"of open ones", 9_000, []string{
		"status is open", "custom_fields_{product} is camera", "priority is_not urgent", "type is_not task", "current_tags not_includes topic_0",
	}, object{"sort_by": "nice_id", "sort_order": "desc"}},
	{"of called ones", 9_000, []string{
		"status less_than solved", "custom_fields_{called} is true", "priority is normal", "type is question", "current_tags not_includes topic_5",
	}, object{"sort_by": "updated", "sort_order": "desc", "group_by": "group"}},
}

// wantedOfViews is the 99th percentile at most, in milliseconds.
const wantedOfViews = 50

func measureViews(ctx context.Context, w *world, h *helpd) ([]figure, error) {
	length := time.Duration(h.options.seconds) * time.Second
	c, err := dial(h.addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	r := rand.New(rand.NewPCG(rand.Uint64(), 7))
	if err := w.touch(c, r, 1000); err != nil {
		return nil, err
	}
	named, err := w.names(ctx, h.addr)
	if err != nil {
		return nil, err
	}
	var out []figure
	var ids []string
	for _, v := range views {
		id, err := w.view(ctx, c, v, named)
		if err != nil {
			return nil, err
		}
		ids = append(ids, text(id))
		var found struct{ Count int }
		if err := c.ask(w, request{method: "GET", path: "/api/v2/views/" + text(id) + "/tickets?per_page=1"}, http.StatusOK, &found); err != nil {
			return nil, err
		}
		say("Measuring: the view %s, which has %s tickets", v.title, thousands(found.Count))
		what := fmt.Sprintf("view %s (%s tickets)", v.title, thousands(found.Count))
		last := min((found.Count+99)/100, 100)
		path := "/api/v2/views/" + text(id)
		hours := 0
		for _, op := range []struct {
			name    string
			request func() request
		}{
			{"first page of tickets", func() request { return request{method: "GET", path: path + "/tickets?per_page=100"} }},
			{"last page of tickets", func() request {
				return request{method: "GET", path: path + "/tickets?per_page=100&page=" + strconv.Itoa(last)}
			}},
			{"page of tickets by cursor", func() request { return request{method: "GET", path: path + "/tickets" + first} }},
			{"execute", func() request { return request{method: "GET", path: path + "/execute?per_page=30"} }},
			{"count", func() request { return request{method: "GET", path: path + "/count"} }},
			// One that nobody asked for before, as it has another condition each time.
			{"count anew", func() request {
				hours++
				more := v
				more.conditions = append([]string{fmt.Sprintf("updated_at less_than %d", 100_000+hours)}, v.conditions...)
				return writing("POST", "/api/v2/views/preview/count", object{"view": more.body(named)})
			}},
		} {
			took, err := timed(ctx, w, c, length, op.request)
			if err != nil {
				return nil, err
			}
			out = append(out, figureOf(what+": "+op.name, wantedOfViews, took))
		}
	}
	took, err := timed(ctx, w, c, length, func() request {
		return request{method: "GET", path: "/api/v2/views/count_many?ids=" + strings.Join(ids, ",")}
	})
	return append(out, figureOf("all of these: count_many", wantedOfViews*float64(len(ids)), took)), err
}

// timed asks 300 times, or as often as the given time lasts for, but 100 times at
// least; and before that ten times for nothing: then the connection has its plans.
func timed(ctx context.Context, w *world, c *client, length time.Duration, ask func() request) (took []float64, err error) {
	start := time.Now()
	for n := -10; n < 300 && (n < 100 || time.Since(start) < length); n++ {
		q, begun := ask(), time.Now()
		if err := c.do(w, q, http.StatusOK, nil); err != nil {
			return nil, err
		}
		if n >= 0 {
			took = append(took, float64(time.Since(begun).Microseconds())/1000)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return took, nil
}

// touch changes open tickets, so that the indexes are as they are in a desk that
// works, and not as they were built.
func (w *world) touch(c *client, r *rand.Rand, n int) error {
	for range n {
		q := writing("PUT", "/api/v2/tickets/"+text(w.openTicket(r)), object{"ticket": object{"additional_tags": []string{"touched_" + strconv.Itoa(r.IntN(1000))}}})
		if err := c.do(w, q, http.StatusOK, nil); err != nil {
			return err
		}
	}
	return nil
}

// names are the ids that conditions name.
func (w *world) names(ctx context.Context, addr string) (*strings.Replacer, error) {
	f, err := w.makeFields(ctx, addr)
	return strings.NewReplacer("{product}", text(f.product), "{called}", text(f.urgent), "{group}", text(w.groups[3])), err
}

// view makes the view unless it is there from an earlier run.
func (w *world) view(ctx context.Context, c *client, v aView, named *strings.Replacer) (id int64, err error) {
	err = w.conn.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM rules WHERE account_id = $1 AND kind = 'view' AND title = $2", w.account, v.title).Scan(&id)
	if err != nil || id != 0 {
		return id, err
	}
	var made struct{ View struct{ ID int64 } }
	err = c.ask(w, writing("POST", "/api/v2/views", object{"view": v.body(named)}), http.StatusCreated, &made)
	return made.View.ID, err
}

func (v aView) body(named *strings.Replacer) object {
	var all []object
	for _, c := range v.conditions {
		part := strings.SplitN(named.Replace(c), " ", 3)
		all = append(all, object{"field": part[0], "operator": part[1], "value": part[2]})
	}
	return object{"title": v.title, "all": all, "output": v.output}
}
