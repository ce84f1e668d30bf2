package webhooks

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
)

// Limits of requests.
const (
	// timeout is how long an endpoint may take, from the look-up of its name to
	// the end of its answer.
	timeout = 10 * time.Second
	// maxPayload is how large a payload may be, and maxResponse how much is kept
	// of an answer, both in bytes.
	maxPayload  = 256 << 10
	maxResponse = 25 << 10
	// drained is how much of an answer is read beyond, that its connection can be
	// used again.
	drained = 256 << 10
)

// Header is a header of a request or an answer.
type Header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Statuses of attempts and of invocations, whose status is that of the latest
// attempt (contract webhooks.md §3).
const (
	StatusSuccess    = "success"    // answered with 2xx
	StatusFailed     = "failed"     // not reached, or answered with what is none of the others
	StatusTimeout    = "timeout"    // not answered in time
	StatusTerminated = "terminated" // refused: answered with 4xx
	StatusThrottled  = "throttled"  // answered with 429
	StatusRejected   = "rejected"   // not sent: the address is refused, or the payload is none

	StatusPending  = "pending"        // not tried yet
	StatusBlocked  = "circuit broken" // not tried yet: the endpoint fails too often
	StatusInactive = "inactive"       // not sent: the webhook was not active when it was due
)

// outgoing is a request to an endpoint.
type outgoing struct {
	method, endpoint, format string
	payload                  string
	headers                  []Header // beside those of every request
	auth                     string   // a type of credentials; empty: none
	credentials              Credentials
	account                  int64
	webhook, invocation      string
	message                  string // what deliveries of one thing have in common
	secrets                  []string
}

// Outcome is what became of a request.
type Outcome struct {
	Status     string // StatusSuccess and the rest
	StatusCode int    // 0: there was no answer
	Error      string // why there was none; for people
	Sent       []Header
	Headers    []Header // of the answer
	Payload    string   // of the answer, to its first 25 KB
	After      string   // the header Retry-After
}

// contentTypes by the format of requests.
var contentTypes = map[string]string{
	"json": "application/json; charset=utf-8", "xml": "application/xml; charset=utf-8", "form_encoded": "application/x-www-form-urlencoded; charset=utf-8",
}

// bodyless are methods whose requests have parameters in place of a body.
func bodyless(method string) bool { return method == http.MethodGet || method == http.MethodDelete }

// newClient is a client that reaches what g allows and nothing else. It follows
// no redirects and heeds no proxy of the environment, which would be asked for
// private addresses.
func newClient(g guard) *http.Client {
	dialer := g.dialer()
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				host, _, _ := net.SplitHostPort(address)
				if strings.HasSuffix(host, ".invalid") { // by definition, whatever a resolver says (RFC 6761)
					return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
				}
				return dialer.DialContext(ctx, network, address)
			},
			ForceAttemptHTTP2: true, DisableCompression: true, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns: inProcess, MaxIdleConnsPerHost: perWebhook, IdleConnTimeout: 30 * time.Second,
		},
	}
}

// send sends a request at the moment now, and waits for the answer.
func (s *Service) send(ctx context.Context, o outgoing, now time.Time) Outcome {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var body io.Reader = http.NoBody
	if !bodyless(o.method) {
		body = strings.NewReader(o.payload)
	} else {
		o.payload = ""
	}
	r, err := http.NewRequestWithContext(ctx, o.method, o.endpoint, body)
	if err != nil {
		return Outcome{Status: StatusRejected, Error: "the endpoint is no URL"}
	}
	out := Outcome{Sent: o.write(r, now)}
	answer, err := s.client.Do(r)
	if err != nil {
		out.Status, out.Error = failed(err)
		return out
	}
	defer answer.Body.Close()
	out.StatusCode, out.Status, out.After = answer.StatusCode, statusOf(answer.StatusCode), answer.Header.Get("Retry-After")
	for _, name := range sortedNames(answer.Header) {
		for _, value := range answer.Header[name] {
			out.Headers = append(out.Headers, Header{plain(name), plain(value)})
		}
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxResponse))
	out.Payload = plain(string(text))
	if err == nil {
		_, err = io.CopyN(io.Discard, answer.Body, drained)
	}
	if err != nil && !errors.Is(err, io.EOF) && out.Status == StatusSuccess {
		out.Status, out.Error = failed(err)
	}
	return out
}

// write sets the headers of a request, and returns them as they are kept.
func (o outgoing) write(r *http.Request, now time.Time) (sent []Header) {
	set := func(name, value string) {
		r.Header[http.CanonicalHeaderKey(name)] = []string{value}
		if strings.EqualFold(name, "Authorization") {
			value = "[SCRUBBED]"
		}
		sent = append(sent, Header{name, value})
	}
	if !bodyless(o.method) {
		set("Content-Type", contentTypes[o.format])
	}
	set("User-Agent", "Zendesk Webhook")
	set("Accept", "*/*")
	for _, h := range o.headers {
		set(h.Key, h.Value)
	}
	c := o.credentials
	switch o.auth {
	case models.AuthBasic:
		set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(*c.Username+":"+*c.Password)))
	case models.AuthBearer:
		set("Authorization", "Bearer "+*c.Token)
	case models.AuthAPIKey:
		set(*c.Name, *c.Value)
		sent[len(sent)-1].Value = "[SCRUBBED]"
	}
	set("X-Zendesk-Account-Id", strconv.FormatInt(o.account, 10))
	set("X-Zendesk-Webhook-Id", o.webhook)
	set("X-Zendesk-Webhook-Invocation-Id", o.invocation)
	at := now.UTC().Format("2006-01-02T15:04:05Z")
	set("X-Zendesk-Webhook-Signature-Timestamp", at)
	set("X-Zendesk-Webhook-Signature", zendeskSignature(o.secrets[0], at, o.payload))
	seconds := strconv.FormatInt(now.Unix(), 10)
	set("webhook-id", o.message)
	set("webhook-timestamp", seconds)
	set("webhook-signature", standardSignature(o.secrets, o.message, seconds, o.payload))
	return sent
}

// statusOf is the status of an attempt that was answered.
func statusOf(code int) string {
	switch {
	case code >= 200 && code < 300:
		return StatusSuccess
	case code == http.StatusTooManyRequests:
		return StatusThrottled
	case code == http.StatusRequestTimeout, code == http.StatusConflict, code == http.StatusTooEarly:
		return StatusFailed // as they are now, and perhaps not later
	case code >= 400 && code < 500:
		return StatusTerminated
	}
	return StatusFailed
}

// failed tells why there is no answer. What it says is for those who set up the
// webhook: names and addresses of their own, and none of ours.
func failed(err error) (status, why string) {
	var dns *net.DNSError
	var timedOut net.Error
	switch {
	case isPrivate(err):
		return StatusRejected, "the address " + errPrivate.Error()
	case errors.As(err, &dns) && dns.IsNotFound:
		return StatusFailed, "there is no host " + dns.Name
	case errors.As(err, &dns) && !dns.IsTimeout:
		return StatusFailed, "the host " + dns.Name + " could not be looked up" // the rest tells of our resolver
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timedOut) && timedOut.Timeout():
		return StatusTimeout, fmt.Sprintf("no answer within %d seconds", timeout/time.Second)
	}
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return StatusFailed, plain(err.Error())
}

// plain is a text as the database can keep it.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
