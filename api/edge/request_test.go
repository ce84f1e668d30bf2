package edge

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/server/telemetry"
)

func TestSuffixIsStrippedBeforeRouting(t *testing.T) {
	t.Parallel()
	e := newEcho()
	e.Pre(Suffix)
	for _, route := range []string{
		"/api/v2/tickets", "/api/v2/tickets/:id", "/api/v2/tickets/:id/comments", "/api/v2/views/count",
		"/oauth/tokens", "/openapi.json", "/docs/", "/api/v2/tags/:name/x",
	} {
		e.GET(route, func(c echo.Context) error { return c.String(200, c.Path()+" "+c.Param("id")+c.Param("name")) })
	}
	for _, tc := range []struct{ target, want string }{
		{"/api/v2/tickets", "/api/v2/tickets "},
		{"/api/v2/tickets.json", "/api/v2/tickets "},
		{"/api/v2/tickets/", "/api/v2/tickets "},
		{"/api/v2/tickets.json/", "/api/v2/tickets "},
		{"/api/v2/tickets.json?page[size]=2&x=a.json", "/api/v2/tickets "},
		{"/api/v2/tickets/1.json", "/api/v2/tickets/:id 1"},
		{"/api/v2/tickets/1/comments.json", "/api/v2/tickets/:id/comments 1"},
		{"/api/v2/views/count.json", "/api/v2/views/count "},
		{"/api/v2/tickets/a.json.json", "/api/v2/tickets/:id a.json"},
		{"/api/v2/tickets/.json", "/api/v2/tickets/:id .json"},
		{"/api/v2/tags/a%2Fb/x.json", "/api/v2/tags/:name/x a%2Fb"},
		{"/oauth/tokens.json", "/oauth/tokens "},
		{"/openapi.json", "/openapi.json "},
		{"/docs/", "/docs/ "},
	} {
		if rec := ask(e, "GET", tc.target, ""); rec.Body.String() != tc.want {
			t.Errorf("%s: %d %q, want %q", tc.target, rec.Code, rec.Body, tc.want)
		}
	}
}

func TestForwardedHeadersAreBelievedFromProxiesOnly(t *testing.T) {
	t.Parallel()
	e := newEcho(Forwarded([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}))
	e.GET("/", func(c echo.Context) error {
		ctx := c.Request().Context()
		return c.String(200, BaseURL(ctx)+" "+ClientIP(ctx).String())
	})
	for _, tc := range []struct {
		name, peer string
		headers    []string
		want       string
	}{
		{"plain", "203.0.113.9:5", nil, "http://example.com 203.0.113.9"},
		{"port", "203.0.113.9:5", []string{"Host", "localhost:8080"}, "http://localhost:8080 203.0.113.9"},
		{"v6", "[2001:db8::1]:5", []string{"Host", "[::1]:80"}, "http://[::1]:80 2001:db8::1"},
		{"stranger", "203.0.113.9:5", []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.test", "X-Forwarded-For", "1.1.1.1"}, "http://example.com 203.0.113.9"},
		{"loopback", "127.0.0.1:5", []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "help.test:444", "X-Forwarded-For", "198.51.100.4"}, "https://help.test:444 198.51.100.4"},
		{"mapped_loopback", "[::ffff:127.0.0.1]:5", []string{"X-Forwarded-Proto", "https"}, "https://example.com 127.0.0.1"},
		{"chain", "10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1, 198.51.100.4:77", "X-Forwarded-For", "10.9.9.9, 127.0.0.1"}, "http://example.com 198.51.100.4"},
		{"junk_hop", "10.0.0.1:5", []string{"X-Forwarded-For", "1.1.1.1, unknown, 10.0.0.2"}, "http://example.com 10.0.0.2"},
		{"appended", "10.0.0.1:5", []string{"X-Forwarded-Proto", "gopher,https", "X-Forwarded-Host", "evil.test, help.test"}, "https://help.test 10.0.0.1"},
		{"unknown_scheme", "10.0.0.1:5", []string{"X-Forwarded-Proto", "javascript"}, "http://example.com 10.0.0.1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			req := httptest.NewRequest("GET", "/", nil)
			req.RemoteAddr = tc.peer
			for i := 0; i < len(tc.headers); i += 2 {
				if tc.headers[i] == "Host" {
					req.Host = tc.headers[i+1]
				} else {
					req.Header.Add(tc.headers[i], tc.headers[i+1])
				}
			}
			rec := httptest.NewRecorder()
			e.ServeHTTP(rec, req)
			if rec.Body.String() != tc.want {
				t.Errorf("%q, want %q", rec.Body, tc.want)
			}
		})
	}
}

func TestHostsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	e := newEcho(Forwarded(nil))
	e.GET("/", ok)
	for _, host := range []string{
		`a"b`, "a/b", "a b", "user@host", "a<b>", "a:b", "a:0", "a:65536", "a:1:2", ":80", "[::1", "[::1]x", "[1.2.3.4]",
		"a#b", "a?b", "ä.test", "[fe80::1%25eth0]", strings.Repeat("a", 254),
	} {
		if rec := ask(e, "GET", "/", "", "Host", host); rec.Code != 400 {
			t.Errorf("%q: %d", host, rec.Code)
		}
		req := httptest.NewRequest("GET", "/", nil)
		req.RemoteAddr = "127.0.0.1:1"
		req.Header.Set("X-Forwarded-Host", host)
		rec := httptest.NewRecorder()
		if e.ServeHTTP(rec, req); rec.Code != 400 {
			t.Errorf("forwarded %q: %d", host, rec.Code)
		}
	}
}

func TestRequestIDsAreTakenOverIfSane(t *testing.T) {
	t.Parallel()
	e := newEcho(RequestID)
	e.GET("/", func(c echo.Context) error { return c.String(200, telemetry.RequestID(c.Request().Context())) })
	for _, tc := range []struct {
		id    string
		taken bool
	}{
		{"abc-123", true},
		{strings.Repeat("x", 128), true},
		{strings.Repeat("x", 129), false},
		{"a b", false},
		{"a\tb", false},
		{"ä", false},
		{"", false},
	} {
		rec := ask(e, "GET", "/", "", "X-Request-Id", tc.id)
		got := rec.Header().Get("X-Request-Id")
		if (got == tc.id) != tc.taken || got != rec.Body.String() || got == "" {
			t.Errorf("%q became %q, in the context %q", tc.id, got, rec.Body)
		}
	}
	if a, b := newRequestID(), newRequestID(); a == b || len(a) != 32 {
		t.Errorf("new ids %q and %q", a, b)
	}
}

func TestCORSAnswersBrowsers(t *testing.T) {
	t.Parallel()
	question := []string{"Origin", "https://shop.test", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"}
	e := newEcho(CORS(nil))
	e.GET("/api/v2/tickets", ok)
	e.GET("/docs", ok)

	rec := ask(e, "OPTIONS", "/api/v2/requests", "", question...)
	h := rec.Header()
	if rec.Code != http.StatusNoContent || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d %v", rec.Code, h)
	}
	for _, name := range []string{"Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-Id", "X-On-Behalf-Of"} {
		if !strings.Contains(h.Get("Access-Control-Allow-Headers"), name) {
			t.Errorf("%s is not allowed", name)
		}
	}
	rec = ask(e, "GET", "/api/v2/tickets", "", "Origin", "https://shop.test")
	for _, name := range []string{"Location", "ETag", "X-Rate-Limit-Remaining", "X-Request-Id", "X-Idempotency-Lookup"} {
		if !strings.Contains(rec.Header().Get("Access-Control-Expose-Headers"), name) {
			t.Errorf("%s is not exposed", name)
		}
	}
	if rec := ask(e, "OPTIONS", UserImageUploads+"1.x", "", question...); rec.Code != http.StatusNoContent || rec.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("user images: %d %v", rec.Code, rec.Header())
	}
	if rec := ask(e, "GET", "/docs", ""); rec.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("pages are open to other origins")
	}

	e = newEcho(CORS([]string{"https://shop.test"}))
	e.GET("/api/v2/tickets", ok)
	for origin, want := range map[string]string{"https://shop.test": "https://shop.test", "https://evil.test": "", "": ""} {
		rec := ask(e, "GET", "/api/v2/tickets", "", "Origin", origin)
		if got := rec.Header().Get("Access-Control-Allow-Origin"); got != want || rec.Header().Get("Vary") != "Origin" {
			t.Errorf("origin %q is allowed %q, Vary %q", origin, got, rec.Header().Get("Vary"))
		}
	}
}
