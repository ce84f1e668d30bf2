package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/server/fault"
)

// newEcho is an echo whose errors become the kind's status and a JSON message.
func newEcho(m ...echo.MiddlewareFunc) *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = answerError
	e.Use(m...)
	return e
}

var statuses = map[fault.Kind]int{
	fault.BadRequest: 400, fault.Unauthenticated: 401, fault.BadToken: 401, fault.TooLarge: 413,
	fault.RateLimited: 429, fault.Overloaded: 503, fault.Invalid: 422,
}

func answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, message := 500, "internal error"
	var syntax *wire.SyntaxError
	if he := new(echo.HTTPError); errors.As(err, &he) {
		status, message = he.Code, http.StatusText(he.Code)
	} else if f := fault.Of(err); f != nil {
		status, message = statuses[f.Kind], f.Message
		if f.RetryAfter > 0 {
			c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
		}
	} else if errors.As(err, &syntax) {
		status, message = 400, syntax.Error()
	}
	_ = c.JSON(status, map[string]string{"error": message})
}

// ask sends one request through e. headers are name, value, name, value.
func ask(e http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req := httptest.NewRequest(method, target, r)
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Add(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, req)
	return rec
}

func ok(c echo.Context) error { return c.JSON(200, map[string]bool{"ok": true}) }

// lines is a log that tests can read.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// all returns the lines as decoded JSON.
func (l *lines) all(t *testing.T) []map[string]any {
	t.Helper()
	var out []map[string]any
	for line := range strings.Lines(l.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		out = append(out, m)
	}
	return out
}

func (l *lines) logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }

// asUser authenticates everybody as user 7 of account 3, except by the wrong token.
func asUser(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		switch c.Request().Header.Get("Authorization") {
		case "":
		case "Bearer wrong":
			return fault.New(fault.BadToken, "wrong token")
		default:
			SetActor(c, 3, 7)
		}
		return next(c)
	}
}

func newAPI(t testing.TB, log io.Writer, o Options) *echo.Echo {
	t.Helper()
	e := newEcho()
	o.Log = slog.New(slog.NewJSONHandler(log, nil))
	o.Registry = prometheus.NewRegistry()
	o.Authenticate = asUser
	Use(e, o)
	return e
}

func TestAnAnswerPassesTheWholeChain(t *testing.T) {
	t.Parallel()
	var log lines
	e := newAPI(t, &log, Options{Limits: Limits{Account: 700, Anonymous: 600}, MaxInFlight: 4})
	e.GET("/api/v2/tickets/:ticket_id", func(c echo.Context) error {
		return c.JSON(200, map[string]string{"url": BaseURL(c.Request().Context()) + "/api/v2/tickets/" + c.Param("ticket_id") + ".json"})
	})
	rec := ask(e, "GET", "/api/v2/tickets/35.json?access_token=secret", "", "Authorization", "Bearer right", "X-Request-Id", "r-1")
	if rec.Code != 200 || strings.TrimSpace(rec.Body.String()) != `{"url":"http://example.com/api/v2/tickets/35.json"}` {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	for name, want := range map[string]string{
		"Content-Type":                "application/json; charset=utf-8",
		"Cache-Control":               "max-age=0, private, must-revalidate",
		"X-Request-Id":                "r-1",
		"X-Zendesk-API-Version":       "v2",
		"X-Content-Type-Options":      "nosniff",
		"X-Frame-Options":             "SAMEORIGIN",
		"Referrer-Policy":             "no-referrer",
		"Access-Control-Allow-Origin": "*",
		"Vary":                        "Accept-Encoding",
		"X-Rate-Limit":                "700",
		"X-Rate-Limit-Remaining":      "699",
		"ratelimit-limit":             "700",
		"ratelimit-remaining":         "699",
		"Retry-After":                 "",
	} {
		if got := rec.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if s, err := strconv.ParseFloat(rec.Header().Get("X-Runtime"), 64); err != nil || s < 0 {
		t.Errorf("X-Runtime is %q", rec.Header().Get("X-Runtime"))
	}
	all := log.all(t)
	if len(all) != 1 {
		t.Fatalf("%d log lines", len(all))
	}
	for key, want := range map[string]any{
		"method": "GET", "route": "/api/v2/tickets/:ticket_id", "status": 200.0, "request_id": "r-1",
		"account_id": 3.0, "actor_id": 7.0, "bytes": float64(rec.Body.Len()), "level": "INFO",
	} {
		if all[0][key] != want {
			t.Errorf("logged %s is %v, want %v", key, all[0][key], want)
		}
	}
	if strings.Contains(log.String(), "secret") {
		t.Error("the log shows the token")
	}
}

func TestErrorsPassTheWholeChainToo(t *testing.T) {
	t.Parallel()
	var log lines
	e := newAPI(t, &log, Options{Limits: Limits{Account: 700, Anonymous: 600}})
	e.GET("/api/v2/panics", func(echo.Context) error { panic("secret state") })
	for _, tc := range []struct {
		target, token string
		status        int
		left          string
	}{
		{"/api/v2/nowhere", "right", 404, "699"},
		{"/api/v2/panics", "right", 500, "698"},
		{"/api/v2/panics", "wrong", 401, "599"},
	} {
		rec := ask(e, "GET", tc.target, "", "Authorization", "Bearer "+tc.token)
		if rec.Code != tc.status || !json.Valid(rec.Body.Bytes()) {
			t.Errorf("%s as %s: %d %s", tc.target, tc.token, rec.Code, rec.Body)
		}
		if strings.Contains(rec.Body.String(), "secret") {
			t.Errorf("%s leaks %s", tc.target, rec.Body)
		}
		h := rec.Header()
		if h.Get("X-Rate-Limit-Remaining") != tc.left || h.Get("X-Request-Id") == "" || h.Get("ETag") != "" ||
			h.Get("Content-Type") != "application/json; charset=utf-8" || h.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s as %s: headers %v", tc.target, tc.token, h)
		}
	}
	all := log.all(t)
	if len(all) != 4 { // three requests and one panic
		t.Fatalf("%d log lines: %s", len(all), log.String())
	}
	if p := all[1]; p["panic"] != "secret state" || p["request_id"] == "" || !strings.Contains(p["stack"].(string), "edge_test.go") {
		t.Errorf("the panic was logged as %v", p)
	}
}

func TestAnErrorReplacesAnAnswerThatWasBegun(t *testing.T) {
	t.Parallel()
	e := newAPI(t, io.Discard, Options{})
	e.POST("/api/v2/tickets", func(c echo.Context) error {
		c.Response().Header().Set("Location", "/api/v2/tickets/1.json")
		if err := c.JSONBlob(201, []byte(`{"ticket":`)); err != nil {
			return err
		}
		return errors.New("cannot encode the rest")
	})
	rec := ask(e, "POST", "/api/v2/tickets", "{}")
	if rec.Code != 500 || strings.TrimSpace(rec.Body.String()) != `{"error":"internal error"}` || rec.Header().Get("Location") != "" {
		t.Errorf("%d %s %v", rec.Code, rec.Body, rec.Header())
	}
}

func TestAnErrorCutsAStream(t *testing.T) {
	t.Parallel()
	var log lines
	e := newAPI(t, &log, Options{})
	e.GET("/api/v2/export", func(c echo.Context) error {
		if err := c.JSONBlob(200, []byte(`{"tickets":[`)); err != nil {
			return err
		}
		c.Response().Flush()
		return errors.New("the database went away")
	})
	srv := httptest.NewServer(e)
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL + "/api/v2/export")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("the client took %q for the whole", b)
	}
	srv.Close() // waits for the request's end, and so for its line
	if all := log.all(t); len(all) != 1 || all[0]["cut"] != true {
		t.Errorf("logged %s", log.String())
	}
}

func TestPanicsOfTheServerPass(t *testing.T) {
	t.Parallel()
	e := newEcho(Errors, Recover(slog.New(slog.DiscardHandler)))
	e.GET("/", func(echo.Context) error { panic(http.ErrAbortHandler) })
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("recovered %v", p)
		}
	}()
	ask(e, "GET", "/", "")
}

// BenchmarkChain is a GET through the whole chain, beside one through echo
// alone. The difference is what this package costs a request.
func BenchmarkChain(b *testing.B) {
	answer := []byte(`{"ticket":{"id":35,"subject":"` + strings.Repeat("x", 600) + `"}}`)
	serve := func(c echo.Context) error { return c.JSONBlob(200, answer) }
	run := func(b *testing.B, e *echo.Echo) {
		e.GET("/api/v2/tickets/:ticket_id", serve)
		w := &nowhere{header: http.Header{}}
		req := httptest.NewRequest("GET", "/api/v2/tickets/35", nil)
		req.Header.Set("Authorization", "Bearer right")
		req.Header.Set("Accept-Encoding", "gzip")
		b.ReportAllocs()
		for b.Loop() {
			clear(w.header)
			req.URL.Path = "/api/v2/tickets/35.json"
			e.ServeHTTP(w, req)
		}
	}
	b.Run("echo", func(b *testing.B) {
		e := newEcho()
		e.GET("/api/v2/tickets/:ticket_id", serve)
		run(b, e)
	})
	b.Run("edge", func(b *testing.B) {
		run(b, newAPI(b, io.Discard, Options{Limits: Limits{Account: math.MaxInt, Anonymous: 600}, MaxInFlight: 64}))
	})
}

// nowhere is a response writer without a recorder's own cost.
type nowhere struct{ header http.Header }

func (w *nowhere) Header() http.Header         { return w.header }
func (w *nowhere) WriteHeader(int)             {}
func (w *nowhere) Write(b []byte) (int, error) { return len(b), nil }
