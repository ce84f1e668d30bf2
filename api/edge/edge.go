// Package edge is what every request passes before and after its handler:
// addresses, ids, limits, bodies, compression, logs. None of it knows a
// resource. Failures are returned as errors, mostly *fault.Error; echo's
// HTTPErrorHandler makes answers of them.
package edge

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// Defaults of Options.
const (
	// DefaultMaxBody leaves room for 100 tickets of 64 KB in one call.
	DefaultMaxBody int64 = 8 << 20
	// DefaultMaxUpload is the largest attachment clients know from Zendesk.
	DefaultMaxUpload int64 = 50 << 20
	// formRoom is what a form may take around a file of the largest size.
	formRoom = 64 << 10
	// DefaultMaxDepth is far beyond any body of the contract, which nests six
	// deep, and far below what would exhaust a stack.
	DefaultMaxDepth = 64
)

// Options says how Use guards an API. Log, Registry and Authenticate are
// required; the rest has defaults.
type Options struct {
	Log      *slog.Logger
	Registry prometheus.Registerer
	Trace    echo.MiddlewareFunc // makes spans; nil is none

	// Authenticate finds out who is calling and tells SetActor, or fails.
	Authenticate echo.MiddlewareFunc
	// Authorize refuses who may not call the operation, before the body is
	// read; nil refuses nobody.
	Authorize echo.MiddlewareFunc

	Trusted     []netip.Prefix // proxies whose X-Forwarded headers are believed, besides loopback
	Origins     []string       // browsers' origins that may call; nil is any
	Limits      Limits         // requests a minute
	MaxInFlight int            // requests worked on at the same time; 0 is no limit
	MaxBody     int64          // bytes of a JSON body; 0 is DefaultMaxBody
	MaxUpload   int64          // bytes of an uploaded file; 0 is DefaultMaxUpload
	MaxDepth    int            // levels of JSON nesting; 0 is DefaultMaxDepth
}

// Use installs the middleware of this package in e. The order matters:
// whatever counts, logs or compresses answers stands outside Errors and sees
// error answers too; whatever can refuse a request stands inside it. The body
// is read last, when the caller is known and within his limits.
func Use(e *echo.Echo, o Options) {
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.MaxUpload == 0 {
		o.MaxUpload = DefaultMaxUpload
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	for _, optional := range []*echo.MiddlewareFunc{&o.Trace, &o.Authorize} {
		if *optional == nil {
			*optional = func(next echo.HandlerFunc) echo.HandlerFunc { return next }
		}
	}
	limiter := NewLimiter(o.Limits)
	// Echo's own default believes X-Forwarded-For from anybody.
	e.IPExtractor = func(r *http.Request) string { return ClientIP(r.Context()).String() }
	e.Pre(Suffix)
	e.Use(
		RequestID,
		o.Trace,
		Log(o.Log),
		Metrics(o.Registry),
		Security,
		CORS(o.Origins),
		Compress,
		Errors,
		Recover(o.Log),
		Forwarded(o.Trusted),
		InFlight(o.MaxInFlight),
		limiter.Refused,
		o.Authenticate,
		limiter.Counted,
		o.Authorize,
		Body(o.MaxBody, o.MaxUpload+formRoom, o.MaxDepth),
	)
}

// Errors has the error of a handler answered here, so that the middleware
// outside of it sees the answer. An answer that was begun and is still held
// back is dropped for the error's. If a part of it went out already, the
// connection is cut: a reader of a stream must not take a part for the whole.
func Errors(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if err == nil {
			return nil
		}
		res := c.Response()
		if res.Committed {
			h, ok := res.Writer.(*held)
			if !ok || !h.drop() {
				c.Error(err)
				of(c).cut = true
				panic(http.ErrAbortHandler)
			}
			res.Committed, res.Status, res.Size = false, http.StatusOK, 0
		}
		c.Error(err)
		return nil
	}
}

// inAPI reports whether path belongs to the API proper, not to the pages and
// probes beside it.
func inAPI(path string) bool {
	return strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/oauth/")
}
