package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/gen/client"
)

// caller calls helpd as an admin.
type caller struct{ *client.Client }

func newCaller(address, email, token string) *caller {
	sign := func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(email+"/token", token)
		return nil
	}
	c, _ := client.NewClient(address, client.WithHTTPClient(&patient{}), client.WithRequestEditorFn(sign)) // no option fails
	return &caller{c}
}

// patience is how long a request is tried: helpd may be starting again.
const patience = 2 * time.Minute

// patient asks again where a request did not come through or helpd was busy.
// Writes carry a key by which helpd knows one that it has done already.
type patient struct{ http http.Client }

// Do sends r until there is an answer that is not about the moment.
func (p *patient) Do(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodGet {
		r.Header.Set("Idempotency-Key", rand.Text())
	}
	pause, until := time.Second/2, time.Now().Add(patience)
	for {
		res, err := p.http.Do(r)
		if err == nil && !momentary(res.StatusCode) || r.Context().Err() != nil || time.Now().After(until) {
			return res, err
		}
		var why string
		var call *url.Error // whose text has the whole address in it
		if errors.As(err, &call) {
			why = call.Err.Error()
		}
		if err == nil {
			why = res.Status
			res.Body.Close()
			if after, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil {
				pause = time.Duration(after) * time.Second
			}
		}
		fmt.Fprintf(os.Stderr, "\n%s; trying again in %s\n", why, pause)
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
		if r.GetBody != nil {
			if r.Body, err = r.GetBody(); err != nil {
				return nil, err
			}
		}
	}
}

func momentary(status int) bool {
	switch status {
	case http.StatusConflict, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// answer reads the body of an answer with the status want; any other answer
// becomes an error with what helpd says in it.
func answer[T any](r *http.Response, err error, want int) (T, error) {
	var body T
	if err != nil {
		return body, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	switch {
	case err != nil:
		return body, err
	case r.StatusCode == http.StatusUnauthorized:
		return body, errors.New("helpd does not accept HELPD_ADMIN_EMAIL with HELPD_ADMIN_TOKEN; without that, with the token in demo-token of the data directory, which may be deleted")
	case r.StatusCode != want:
		return body, fmt.Errorf("%s: %s", r.Status, strings.TrimSpace(string(text)))
	}
	return body, json.Unmarshal(text, &body)
}

// ready waits until helpd says that it can serve.
func ready(ctx context.Context, address string, wait time.Duration) error {
	until := time.Now().Add(wait)
	c := http.Client{Timeout: 5 * time.Second}
	for {
		r, err := c.Get(address + "/healthz")
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(r.Status)
		}
		if !time.Now().Before(until) {
			return fmt.Errorf("no helpd at %s: %w", address, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// me is who calls, who must be an admin: nobody else may import.
func (a *caller) me(ctx context.Context) (int64, error) {
	r, err := a.ShowCurrentUser(ctx, nil)
	u, err := answer[client.CurrentUserEnvelope](r, err, http.StatusOK)
	switch {
	case err != nil:
		return 0, err
	case u.User.ID == nil || u.User.Role != "admin":
		return 0, errors.New("HELPD_ADMIN_EMAIL is no admin's, or HELPD_ADMIN_TOKEN is not set")
	}
	return *u.User.ID, nil
}

// inventory is which tickets there are.
type inventory struct {
	ours          map[string][]string // statuses of the tickets with this external id
	total, others int
}

// without are the rows that have no ticket.
func (i inventory) without(rows []row) []row {
	var missing []row
	for _, r := range rows {
		if len(i.ours[r.externalID()]) == 0 {
			missing = append(missing, r)
		}
	}
	return missing
}

// tickets walks through all tickets of the account, also those that are archived by
// now, which lists leave out. One that changes meanwhile comes twice.
func (a *caller) tickets(ctx context.Context) (inventory, error) {
	start, without := client.ExportStartParam("0"), client.ExportPresentParam(true)
	p := client.IncrementalTicketExportCursorParams{StartTime: &start, ExcludeDeleted: &without}
	byID := map[int64]client.ExportedTicket{}
	for {
		r, err := a.IncrementalTicketExportCursor(ctx, &p)
		page, err := answer[client.TicketExportList](r, err, http.StatusOK)
		if err != nil {
			return inventory{}, fmt.Errorf("export tickets: %w", err)
		}
		for _, t := range page.Tickets {
			byID[int64(t.ID)] = t
		}
		if page.EndOfStream {
			break
		}
		p.Cursor = &page.AfterCursor
	}
	found := inventory{ours: map[string][]string{}, total: len(byID)}
	for _, t := range byID {
		id, _ := t.ExternalID.Get()
		if !strings.HasPrefix(id, "demo-") {
			found.others++
			continue
		}
		found.ours[id] = append(found.ours[id], string(t.Status))
	}
	return found, nil
}

func (a *caller) count(ctx context.Context) (int64, error) {
	query := client.SearchQueryParam("type:ticket")
	r, err := a.CountSearchResults(ctx, &client.CountSearchResultsParams{Query: &query})
	c, err := answer[client.SearchCountEnvelope](r, err, http.StatusOK)
	return c.Count, err
}
