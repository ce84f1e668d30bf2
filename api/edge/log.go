package edge

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/server/telemetry"
)

// unnamed is the context of log lines that name the request themselves, with
// any logger; telemetry's would name it twice.
var unnamed = context.Background()

// Log writes one line per request when it is answered. It names the route's
// pattern and not the path or the query, which can hold tokens, and no bodies.
// Failures of ours are errors, probes are debug lines, the rest is info.
func Log(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			of(c)
			// Deferred, for the line must also be written when the
			// connection is cut by a panic.
			defer logAnswer(log, c)
			return next(c)
		}
	}
}

func logAnswer(log *slog.Logger, c echo.Context) {
	req, res := c.Request(), c.Response()
	route := c.Path()
	level := slog.LevelInfo
	switch {
	case res.Status >= http.StatusInternalServerError:
		level = slog.LevelError
	case isProbe(route):
		level = slog.LevelDebug
	}
	if !log.Enabled(unnamed, level) {
		return
	}
	r := of(c)
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs,
		slog.String("method", req.Method),
		slog.String("route", route),
		slog.Int("status", res.Status),
		slog.Int64("bytes", res.Size),
		slog.Float64("ms", float64(time.Since(r.start).Microseconds())/1000),
		slog.String("request_id", r.id))
	if id := telemetry.TraceID(req.Context()); id != "" {
		attrs = append(attrs, slog.String("trace_id", id))
	}
	if r.account != 0 {
		attrs = append(attrs, slog.Int64("account_id", r.account), slog.Int64("actor_id", r.user))
	}
	if r.cut {
		attrs = append(attrs, slog.Bool("cut", true))
	}
	// Not by the logger, which would look up where in the code it was called.
	line := slog.NewRecord(time.Now(), level, "request", 0)
	line.AddAttrs(attrs...)
	_ = log.Handler().Handle(unnamed, line) // as the logger: nobody is left to be told
}

// isProbe reports whether machines ask for path, to see how we are. Such
// requests are answered whatever the load.
func isProbe(path string) bool {
	return path == "/healthz" || path == "/readyz" || path == "/metrics"
}
