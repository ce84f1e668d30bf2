package edge

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/helpd/helpd/server/fault"
)

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func newClock() *clock { return &clock{time.Date(2024, 5, 1, 12, 0, 20, 0, time.UTC)} }

func TestRateLimitCountsDownAndStartsAnew(t *testing.T) {
	t.Parallel()
	clk := newClock()
	e := newEcho(asUser, RateLimit(Limits{Account: 2, Anonymous: 1, Now: clk.now}))
	e.GET("/api/v2/tickets", ok)
	e.GET("/healthz", ok)
	step := func(auth string, status int, limit, left, reset, retry string) {
		t.Helper()
		h := ask(e, "GET", "/api/v2/tickets", "", "Authorization", auth)
		got := []string{strconv.Itoa(h.Code), h.Header().Get("X-Rate-Limit"), h.Header().Get("X-Rate-Limit-Remaining"),
			h.Header().Get("ratelimit-limit"), h.Header().Get("ratelimit-remaining"), h.Header().Get("ratelimit-reset"), h.Header().Get("Retry-After")}
		want := []string{strconv.Itoa(status), limit, left, limit, left, reset, retry}
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	step("Bearer x", 200, "2", "1", "40", "")
	step("Bearer x", 200, "2", "0", "40", "")
	clk.at = clk.at.Add(39500 * time.Millisecond)
	step("Bearer x", 429, "2", "0", "1", "1")
	step("", 200, "1", "0", "1", "")
	step("", 429, "1", "0", "1", "1")
	clk.at = clk.at.Add(time.Second)
	step("Bearer x", 200, "2", "1", "60", "")
	if rec := ask(e, "GET", "/healthz", ""); rec.Code != 200 || rec.Header().Get("X-Rate-Limit") != "" {
		t.Errorf("a probe was counted: %d %v", rec.Code, rec.Header())
	}
}

func TestWhoDecidesWhatIsCounted(t *testing.T) {
	t.Parallel()
	e := newEcho(RateLimit(Limits{Who: func(c echo.Context) (string, int) {
		return c.QueryParam("k"), len(c.QueryParam("k"))
	}}))
	e.GET("/api/v2/tickets", ok)
	for _, tc := range []struct {
		key    string
		status int
	}{{"a", 200}, {"bb", 200}, {"a", 429}, {"bb", 200}, {"bb", 429}, {"", 200}, {"", 200}} {
		if rec := ask(e, "GET", "/api/v2/tickets?k="+tc.key, ""); rec.Code != tc.status {
			t.Errorf("%q: %d, want %d", tc.key, rec.Code, tc.status)
		}
	}
}

func TestRefusedCredentialsCountAgainstTheAddress(t *testing.T) {
	t.Parallel()
	l := NewLimiter(Limits{Account: 100, Anonymous: 2})
	e := newEcho(Forwarded(nil), l.Refused, asUser, l.Counted)
	e.GET("/api/v2/tickets", ok)
	for i, want := range []int{401, 401, 429} {
		if rec := ask(e, "GET", "/api/v2/tickets", "", "Authorization", "Bearer wrong"); rec.Code != want {
			t.Errorf("try %d: %d, want %d", i, rec.Code, want)
		}
	}
	if rec := ask(e, "GET", "/api/v2/tickets", "", "Authorization", "Bearer right"); rec.Code != 200 {
		t.Errorf("a right token from there: %d", rec.Code)
	}
}

func TestAddressesOfOneNetworkCountTogether(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8::1", "2001:db8::2:3", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"192.0.2.1", "192.0.2.2", false},
	} {
		if same := addressKey(netip.MustParseAddr(tc.a)) == addressKey(netip.MustParseAddr(tc.b)); same != tc.same {
			t.Errorf("%s and %s: %v", tc.a, tc.b, same)
		}
	}
}

func TestWindowsAreBounded(t *testing.T) {
	t.Parallel()
	clk, w := newClock(), newWindows()
	w.add("early", clk.at)
	for i := range maxKeys + 1000 {
		w.add(strconv.Itoa(i), clk.at)
	}
	if n := len(w.counts); n > maxKeys+sharedKeys {
		t.Errorf("%d keys are kept", n)
	}
	if n := w.get("early", clk.at); n != 1 {
		t.Errorf("an early key was counted %d times", n)
	}
	w.add("x", clk.at.Add(time.Minute))
	if n := len(w.counts); n != 1 {
		t.Errorf("%d keys of the last minute are kept", n-1)
	}
}

func TestGuessingPasswordsIsSlowedDown(t *testing.T) {
	t.Parallel()
	clk := newClock()
	f := NewFailures(3, clk.now)
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	guess := func(from netip.Addr, email string, right bool) error {
		if err := f.Begin(from, email); err != nil {
			return err
		}
		f.End(from, email, right)
		return nil
	}
	for range 3 {
		if err := guess(here, "Ana@example.com", false); err != nil {
			t.Fatal(err)
		}
	}
	err := guess(here, "ana@example.com", true)
	if !fault.Is(err, fault.RateLimited) || fault.Of(err).RetryAfter != 40*time.Second {
		t.Errorf("a fourth guess: %v", err)
	}
	if err := guess(there, "ana@example.com", false); err != nil {
		t.Errorf("from elsewhere: %v", err)
	}
	if err := guess(here, "bob@example.com", false); err != nil {
		t.Errorf("for another: %v", err)
	}
	clk.at = clk.at.Add(time.Minute)
	for _, right := range []bool{false, false, true, false, false, true} {
		if err := guess(here, "ana@example.com", right); err != nil {
			t.Errorf("a right password in between: %v", err)
		}
	}
}

func TestGuessingManyEmailsIsSlowedDownToo(t *testing.T) {
	t.Parallel()
	f := NewFailures(3, newClock().now)
	here := netip.MustParseAddr("192.0.2.1")
	for i := range 3 * failedPerAddress {
		email := fmt.Sprintf("u%d@example.com", i)
		if err := f.Begin(here, email); err != nil {
			t.Fatalf("try %d: %v", i, err)
		}
		f.End(here, email, false)
	}
	if err := f.Begin(here, "next@example.com"); !fault.Is(err, fault.RateLimited) {
		t.Errorf("one more: %v", err)
	}
}

func TestGuessesAllAtOnceAreNotAllChecked(t *testing.T) {
	t.Parallel()
	f := NewFailures(3, newClock().now)
	here := netip.MustParseAddr("192.0.2.1")
	begun := 0
	for range 100 {
		if f.Begin(here, "ana@example.com") == nil {
			begun++
		}
	}
	if begun != 3*pendingPerLimit {
		t.Errorf("%d are being checked", begun)
	}
	for range begun {
		f.End(here, "ana@example.com", true)
	}
	if err := f.Begin(here, "ana@example.com"); err != nil || len(f.pending) != 1 {
		t.Errorf("afterwards: %v, pending %v", err, f.pending)
	}
}

func TestInFlightWaitsShortlyThenRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		e := newEcho(InFlight(1))
		e.GET("/api/v2/tickets", func(c echo.Context) error { <-release; return ok(c) })
		e.POST("/api/v2/uploads", ok)
		e.GET("/healthz", ok)
		first, second := make(chan int), make(chan int)
		call := func(to chan int) { to <- ask(e, "GET", "/api/v2/tickets", "").Code }

		go call(first)
		synctest.Wait()
		start := time.Now()
		rec := ask(e, "GET", "/api/v2/tickets", "")
		if rec.Code != 503 || rec.Header().Get("Retry-After") != "1" || time.Since(start) != maxWait {
			t.Errorf("%d after %s, Retry-After %q", rec.Code, time.Since(start), rec.Header().Get("Retry-After"))
		}
		if ask(e, "GET", "/healthz", "").Code != 200 || ask(e, "POST", "/api/v2/uploads", "").Code != 200 {
			t.Error("a probe or an upload was refused")
		}
		go call(second)
		synctest.Wait()
		close(release) // frees the place, and the second gets it
		if a, b := <-first, <-second; a != 200 || b != 200 {
			t.Errorf("%d and %d", a, b)
		}
	})
}

func TestInFlightRefusesAtOnceWhatCannotGetATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lane{places: make(chan struct{}, 1)}
		ctx, cancel := context.WithCancel(t.Context())
		var holder place
		holder.lane = l
		if err := holder.take(ctx); err != nil {
			t.Fatal(err)
		}
		ends := make(chan error, waitingPerPlace)
		for range waitingPerPlace {
			go func() { ends <- (&place{lane: l}).take(ctx) }()
		}
		synctest.Wait()
		start := time.Now()
		if err := (&place{lane: l}).take(ctx); !fault.Is(err, fault.Overloaded) || time.Since(start) != 0 {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		cancel()
		for range waitingPerPlace {
			if err := <-ends; err != context.Canceled {
				t.Errorf("a caller who went away: %v", err)
			}
		}
		holder.leave()
		holder.leave() // twice is once
		if len(l.places) != 0 || l.waiting.Load() != 0 {
			t.Errorf("%d places held, %d waiting", len(l.places), l.waiting.Load())
		}
	})
}

func TestASlowSenderHoldsNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho(InFlight(1), Body(100, 100, 3))
		e.POST("/api/v2/tickets", echoBody)
		e.GET("/api/v2/tickets", ok)
		body, slow := make(slowBody), make(chan string)
		go func() {
			req := newSlowRequest(body)
			slow <- serve(e, req).Body.String()
		}()
		synctest.Wait() // it awaits its body now
		if rec := ask(e, "GET", "/api/v2/tickets", ""); rec.Code != 200 {
			t.Errorf("another request: %d", rec.Code)
		}
		body <- `{}`
		close(body)
		if got := <-slow; got != "application/json|{}" {
			t.Errorf("the slow one: %s", got)
		}
	})
}

func TestMetricsCountByRouteAndClass(t *testing.T) {
	t.Parallel()
	reg := prometheus.NewRegistry()
	metrics := func() string {
		return serve(promhttp.HandlerFor(reg, promhttp.HandlerOpts{}), httptest.NewRequest("GET", "/metrics", nil)).Body.String()
	}
	e := newEcho(Metrics(reg), Errors)
	e.GET("/api/v2/tickets/:ticket_id", func(c echo.Context) error {
		if !strings.Contains(metrics(), "helpd_http_requests_in_flight 1\n") {
			t.Error("the request is not in flight")
		}
		if c.Param("ticket_id") == "0" {
			return fault.New(fault.BadRequest, "no")
		}
		return ok(c)
	})
	for _, call := range []string{"GET /api/v2/tickets/1", "GET /api/v2/tickets/2", "GET /api/v2/tickets/0", "GET /wp-admin/x", "BREW /wp-admin/y"} {
		method, target, _ := strings.Cut(call, " ")
		ask(e, method, target, "")
	}
	var got []string
	for line := range strings.Lines(metrics()) {
		if strings.HasPrefix(line, "helpd_http_requests") || strings.HasPrefix(line, "helpd_http_request_duration_seconds_count") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := []string{
		`helpd_http_request_duration_seconds_count{method="GET",route=""} 1`,
		`helpd_http_request_duration_seconds_count{method="GET",route="/api/v2/tickets/:ticket_id"} 3`,
		`helpd_http_request_duration_seconds_count{method="other",route=""} 1`,
		`helpd_http_requests_in_flight 0`,
		`helpd_http_requests_total{method="GET",route="",status="4xx"} 1`,
		`helpd_http_requests_total{method="GET",route="/api/v2/tickets/:ticket_id",status="2xx"} 2`,
		`helpd_http_requests_total{method="GET",route="/api/v2/tickets/:ticket_id",status="4xx"} 1`,
		`helpd_http_requests_total{method="other",route="",status="4xx"} 1`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestLogLevels(t *testing.T) {
	t.Parallel()
	var log lines
	e := newEcho(Log(log.logger()), Errors)
	e.GET("/healthz", ok)
	e.GET("/fails", func(echo.Context) error { return fault.New(fault.Overloaded, "busy") })
	ask(e, "GET", "/healthz", "")
	ask(e, "GET", "/fails", "")
	all := log.all(t)
	if len(all) != 1 || all[0]["level"] != "ERROR" || all[0]["status"] != 503.0 {
		t.Errorf("logged %s", log.String())
	}
}
