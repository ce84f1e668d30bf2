package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
)

// pagesReport is what pages cost in an account with many tickets and in one with
// few, in milliseconds: medians of requests that took turns.
type pagesReport struct {
	Machine machine     `json:"machine"`
	Tickets int         `json:"tickets"`
	Small   int         `json:"small"`
	Wanted  float64     `json:"wanted"` // the ratio, at most
	Pages   []pageCosts `json:"pages"`
}

type pageCosts struct {
	Page     string  `json:"page"`
	Small    float64 `json:"small_ms"`
	Large    float64 `json:"large_ms"`
	Ratio    float64 `json:"ratio"`
	Requests int     `json:"requests"` // of each account
}

// measurePages has both accounts in one database, so that whatever else the
// machine does meets the pages of both.
func measurePages(ctx context.Context, o options, h *helpd) error {
	large, err := h.account(ctx, account, o.tickets)
	if err != nil {
		return err
	}
	defer large.close()
	small, err := h.account(ctx, smallAccount, o.small)
	if err != nil {
		return err
	}
	defer small.close()
	c, err := dial(h.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	for _, w := range []*world{small, large} {
		if err := w.furnish(ctx, c); err != nil {
			return err
		}
	}
	r := pagesReport{Machine: describe(ctx, large), Tickets: o.tickets, Small: o.small, Wanted: 1.5}
	for _, p := range listings {
		if !strings.HasPrefix(p.name, o.only) {
			continue
		}
		say("Measuring: %s", p.name)
		costs, err := p.measure(ctx, c, small, large, time.Duration(o.seconds)*time.Second)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		r.Pages = append(r.Pages, costs)
	}
	r.print(os.Stdout)
	return write(o.json, r)
}

// pageRequests are enough for a median that stays.
const pageRequests = 300

// measure asks both accounts in turns, for the given time at most.
func (p listing) measure(ctx context.Context, c *client, small, large *world, length time.Duration) (pageCosts, error) {
	costs := pageCosts{Page: p.name}
	r := rand.New(rand.NewPCG(rand.Uint64(), 5))
	var took [2][]float64
	begun := time.Now()
	for n := -10; n < pageRequests && (n < 10 || time.Since(begun) < length); n++ { // the first ten warm up
		for i, w := range []*world{small, large} {
			q, asked := p.request(w, r), time.Now()
			if err := c.do(w, q, http.StatusOK, nil); err != nil {
				return costs, err
			}
			if n >= 0 {
				took[i] = append(took[i], float64(time.Since(asked).Microseconds())/1000)
			}
		}
		if ctx.Err() != nil {
			return costs, ctx.Err()
		}
	}
	costs.Small, costs.Large, costs.Requests = median(took[0]), median(took[1]), len(took[0])
	costs.Ratio = costs.Large / costs.Small
	return costs, nil
}

func (r pagesReport) print(out io.Writer) {
	r.Machine.print(out, fmt.Sprintf("Pages of 100, or of all there are, one after another in two accounts of one database: %s and %s tickets",
		thousands(r.Small), thousands(r.Tickets)))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "page\t%s: ms\t%s: ms\tratio\twanted\t\n", thousands(r.Small), thousands(r.Tickets))
	for _, p := range r.Pages {
		fmt.Fprintf(t, "%s\t%.2f\t%.2f\t%.2f\t≤ %.1f\t%s\n", p.Page, p.Small, p.Large, p.Ratio, r.Wanted, missed(p.Ratio > r.Wanted))
	}
	_ = t.Flush()
}

// longTicket is the external id of a ticket with many comments.
const (
	longTicket   = "bench-long"
	longComments = 500
)

// furnish makes what the pages need and the filling does not: a ticket with many
// comments, restricted agents, and an organization that shares its tickets.
func (w *world) furnish(ctx context.Context, c *client) error {
	r := sameEachTime()
	w.byAssignment, w.byGroup = w.email(w.firstAgent+20), w.email(w.firstAgent+21)
	w.sharedOrganization, w.member = w.firstOrganization, w.email(w.firstUser)
	for _, change := range []struct {
		path, member, field string
		id                  int64
		value               any
	}{
		{"users", "user", "ticket_restriction", w.firstAgent + 20, "assigned"},
		{"users", "user", "ticket_restriction", w.firstAgent + 21, "groups"},
		{"organizations", "organization", "shared_tickets", w.sharedOrganization, true},
	} {
		q := writing("PUT", "/api/v2/"+change.path+"/"+text(change.id), object{change.member: object{change.field: change.value}})
		if err := c.do(w, q, http.StatusOK, nil); err != nil {
			return err
		}
	}
	drawn := make([]int64, 1000)
	for i := range drawn {
		drawn[i] = w.anyTicket(r)
	}
	rows, err := w.conn.Query(ctx, "SELECT external_id FROM tickets WHERE account_id = $1 AND id = ANY ($2) AND external_id IS NOT NULL", w.account, drawn)
	if err != nil {
		return err
	}
	if w.externalIDs, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	err = w.conn.QueryRow(ctx, "SELECT id FROM tickets WHERE account_id = $1 AND external_id = $2", w.account, longTicket).Scan(&w.long)
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	var comments []object
	for i := range longComments {
		comments = append(comments, object{"author_id": []int64{w.firstUser, w.firstAgent}[i%2], "value": paragraph(r)})
	}
	var made struct{ Ticket struct{ ID int64 } }
	err = c.ask(w, writing("POST", "/api/v2/imports/tickets", object{"ticket": object{
		"subject": sentence(r, 7), "requester_id": w.firstUser, "external_id": longTicket, "comments": comments,
	}}), http.StatusCreated, &made)
	w.long = made.Ticket.ID
	return err
}

// listing is a list whose pages are measured.
type listing struct {
	name    string
	request func(w *world, r *rand.Rand) request
}

const (
	first = "?page%5Bsize%5D=100"
	// few is for an agent's own tickets, of whom the small account has 67 each: the pages
	// are to have as many in both.
	few = "?page%5Bsize%5D=30"
)

// at is a page that is the same each time, for the admin.
func at(path string) func(*world, *rand.Rand) request {
	return func(*world, *rand.Rand) request { return request{method: "GET", path: "/api/v2/" + path} }
}

// of is a page of a record that is drawn, for the admin.
func of(path string, draw func(*world, *rand.Rand) int64, rest string) func(*world, *rand.Rand) request {
	return func(w *world, r *rand.Rand) request {
		return request{method: "GET", path: "/api/v2/" + path + "/" + text(draw(w, r)) + "/" + rest}
	}
}

// asWhom is a page for somebody else than the admin.
func asWhom(who func(*world) string, page func(*world, *rand.Rand) request) func(*world, *rand.Rand) request {
	return func(w *world, r *rand.Rand) request {
		q := page(w, r)
		q.as = who(w)
		return q
	}
}

func long(w *world, _ *rand.Rand) int64 { return w.long }

func byAssignment(w *world) string { return w.byAssignment }
func byGroup(w *world) string      { return w.byGroup }
func member(w *world) string       { return w.member }

// deepOf is a page anywhere in the list of tickets. Its cursor is made as helpd
// makes it: a walk to there would take longer than all else.
func deepOf(size string) func(*world, *rand.Rand) request {
	return func(w *world, r *rand.Rand) request {
		cursor, _ := json.Marshal(object{"o": "nice_id", "v": []int64{w.anyTicket(r)}})
		return request{method: "GET", path: "/api/v2/tickets" + size + "&page%5Bafter%5D=" + url.QueryEscape(base64.URLEncoding.EncodeToString(cursor))}
	}
}

func showMany(w *world, r *rand.Rand) request {
	var ids []string
	for range 100 {
		ids = append(ids, text(w.anyTicket(r)))
	}
	return request{method: "GET", path: "/api/v2/tickets/show_many?ids=" + strings.Join(ids, ",")}
}

func byExternalID(w *world, r *rand.Rand) request {
	return request{method: "GET", path: "/api/v2/tickets?external_id=" + pick(r, w.externalIDs)}
}

var listings = []listing{
	{"tickets", at("tickets" + first)},
	{"tickets, deep inside", deepOf(first)},
	{"tickets, page 1 by number", at("tickets?per_page=100")},
	{"tickets, page 35 by number", at("tickets?per_page=100&page=35")},
	{"tickets, the latest change first", at("tickets" + first + "&sort=-updated_at")},
	{"tickets by status", at("tickets" + first + "&sort=status")},
	{"tickets by external_id", byExternalID},
	{"tickets of an organization", of("organizations", (*world).anyOrganization, "tickets"+first)},
	{"tickets of an organization, by number", of("organizations", (*world).anyOrganization, "tickets")},
	{"tickets a user requested", of("users", (*world).anyUser, "tickets/requested")},
	{"tickets a user has a copy of", of("users", (*world).anyUser, "tickets/ccd")},
	{"tickets assigned to an agent", of("users", (*world).anyAgent, "tickets/assigned"+few)},
	{"tickets assigned to an agent, by number", of("users", (*world).anyAgent, "tickets/assigned?per_page=30")},
	{"tickets of an agent restricted to his", asWhom(byAssignment, at("tickets"+few))},
	{"tickets of an agent restricted to his, deep inside", asWhom(byAssignment, deepOf(few))},
	{"tickets of an agent restricted to his, by number", asWhom(byAssignment, at("tickets?per_page=30"))},
	{"tickets of an agent restricted to his groups", asWhom(byGroup, at("tickets"+first))},
	{"tickets of an agent restricted to his groups, deep inside", asWhom(byGroup, deepOf(first))},
	{"tickets of an agent restricted to his groups, by number", asWhom(byGroup, at("tickets"))},
	{"tickets, show_many of 100", showMany},
	{"problems", at("problems" + first)},
	{"requests of an end user", asWhom(member, at("requests"+first))},
	{"requests of an end user, by number", asWhom(member, at("requests"))},
	{"requests of an end user, open ones", asWhom(member, at("requests/open"+first))},
	{"requests of an organization, for an end user", asWhom(member, of("organizations", func(w *world, _ *rand.Rand) int64 { return w.sharedOrganization }, "requests"+first))},
	{"comments of a ticket with 500", of("tickets", long, "comments"+first)},
	{"comments of a ticket with 500, by number", of("tickets", long, "comments")},
	{"audits of a ticket with 500", of("tickets", long, "audits"+first)},
	{"users", at("users" + first)},
	{"users of an organization", of("organizations", (*world).anyOrganization, "users"+first)},
	{"organizations", at("organizations" + first)},
}
