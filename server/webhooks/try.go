package webhooks

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/ulid"
)

// maxTries is how many test requests an account may send in a minute.
const maxTries = 20

// Try is a test request: to a webhook that there is, but for what is set, or to
// what is none yet.
type Try struct {
	WebhookID      string // empty: none
	Endpoint       *string
	HTTPMethod     *string
	RequestFormat  *string
	Payload        string
	Authentication nullable.Nullable[Authentication]
	Custom         nullable.Nullable[map[string]string]
	Headers        []Header // beside those of the webhook
}

// Test sends a test request and returns what came of it. It is no delivery, and
// not kept. It fails with fault.NotFound for the webhook, with fault.Invalid that
// names what is wrong, or with fault.RateLimited.
func (s *Service) Test(ctx context.Context, by auth.Actor, t Try) (Outcome, error) {
	w := models.Webhook{AccountID: by.AccountID, ID: ulid.New(s.now()), Secret: TestSecret}
	if t.WebhookID != "" {
		saved, err := s.Get(ctx, by, t.WebhookID)
		if err != nil {
			return Outcome{}, err
		}
		w = saved
	} else {
		w.Name, w.Status = "test", models.WebhookActive
	}
	err := s.apply(&w, Change{Endpoint: t.Endpoint, HTTPMethod: t.HTTPMethod, RequestFormat: t.RequestFormat, Authentication: t.Authentication, Headers: t.Custom})
	if err != nil {
		return Outcome{}, err
	}
	o := s.request(&w)
	if len(t.Headers) > maxHeaders {
		return Outcome{}, invalid("headers", "are more than %d", maxHeaders)
	}
	for _, h := range t.Headers {
		if err := headerName(h.Key); err != nil {
			return Outcome{}, invalid("headers", "%v", err)
		}
		if err := headerValue(h.Key, h.Value); err != nil {
			return Outcome{}, invalid("headers", "%v", err)
		}
	}
	o.headers = append(o.headers, t.Headers...)
	o.invocation = ulid.New(s.now())
	o.message = o.invocation
	if o.payload = t.Payload; len(o.payload) > maxPayload {
		return Outcome{}, invalid("payload", "is larger than %d bytes", maxPayload)
	}
	if bodyless(o.method) && strings.TrimSpace(o.payload) != "" {
		params, err := pairs(json.RawMessage(o.payload))
		if err != nil {
			return Outcome{}, invalid("payload", "must be a list of names and values for %s, as [[\"name\",\"value\"]]", o.method)
		}
		o.endpoint = withQuery(o.endpoint, params)
	}
	if wait := s.tries.take(by.AccountID, s.now()); wait > 0 {
		return Outcome{}, &fault.Error{Kind: fault.RateLimited, RetryAfter: wait}
	}
	return s.send(ctx, o, s.now()), nil
}

// request is a request to a webhook, but for what differs between deliveries.
func (s *Service) request(w *models.Webhook) outgoing {
	o := outgoing{
		method: w.HTTPMethod, endpoint: w.Endpoint, format: w.RequestFormat, account: w.AccountID, webhook: w.ID, secrets: secrets(w, s.now()),
	}
	headers := HeadersOf(w)
	for _, name := range sortedNames(headers) {
		o.headers = append(o.headers, Header{name, headers[name]})
	}
	if w.AuthType != nil {
		o.auth, o.credentials = *w.AuthType, CredentialsOf(w)
	}
	return o
}

// pairs are parameters as rules have them: [["name","value"],...].
func pairs(raw json.RawMessage) ([][2]string, error) {
	var list [][]string
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	out := make([][2]string, len(list))
	for i, p := range list {
		if len(p) != 2 || p[0] == "" {
			return nil, fault.New(fault.BadRequest, "parameters are pairs of a name and a value")
		}
		out[i] = [2]string(p)
	}
	return out, nil
}

// encoded are parameters as a query or a form has them.
func encoded(params [][2]string) string {
	parts := make([]string, len(params))
	for i, p := range params {
		parts[i] = url.QueryEscape(p[0]) + "=" + url.QueryEscape(p[1])
	}
	return strings.Join(parts, "&")
}

// withQuery adds parameters to those of an address.
func withQuery(endpoint string, params [][2]string) string {
	if len(params) == 0 {
		return endpoint
	}
	endpoint, _, _ = strings.Cut(endpoint, "#")
	separator := "?"
	if strings.Contains(endpoint, "?") {
		separator = "&"
	}
	return endpoint + separator + encoded(params)
}

// perMinute counts what accounts do within a minute.
type perMinute struct {
	mu     sync.Mutex
	minute int64
	counts map[int64]int // by account
}

// take counts one. It returns how long to wait where there were too many.
func (p *perMinute) take(account int64, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if minute := now.Unix() / 60; minute != p.minute || p.counts == nil {
		p.minute, p.counts = minute, map[int64]int{}
	}
	if p.counts[account] >= maxTries {
		return now.Truncate(time.Minute).Add(time.Minute).Sub(now)
	}
	p.counts[account]++
	return 0
}
