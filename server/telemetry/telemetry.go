// Package telemetry is what helpd tells the people who run it: logs, metrics
// and, when an endpoint is configured, traces.
package telemetry

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Options says how helpd reports. The zero value logs JSON at level info to
// standard error and traces only if the environment names an endpoint.
type Options struct {
	LogLevel  string    // debug, info, warn or error; empty is info
	LogFormat string    // json or text; empty is json
	LogOutput io.Writer // nil is standard error

	// OTLPEndpoint is the URL spans go to by OTLP over HTTP, path included
	// (http://127.0.0.1:4318/v1/traces). When it is empty the standard
	// variables OTEL_EXPORTER_OTLP_TRACES_ENDPOINT and
	// OTEL_EXPORTER_OTLP_ENDPOINT decide; without them nothing is traced.
	OTLPEndpoint string
	Version      string // of helpd, on every span
}

// Telemetry holds the logger, the metrics and the tracer of one process.
type Telemetry struct {
	log      *slog.Logger
	registry *prometheus.Registry
	tracer   trace.TracerProvider
	tracing  bool
	stop     func(context.Context) error
}

// New sets up reporting. It fails if a level, format or endpoint is none.
func New(ctx context.Context, o Options) (*Telemetry, error) {
	log, err := newLogger(o)
	if err != nil {
		return nil, err
	}
	t := &Telemetry{
		log:      log,
		registry: prometheus.NewRegistry(),
		tracer:   noop.NewTracerProvider(),
		stop:     func(context.Context) error { return nil },
	}
	if err := t.startTracing(ctx, o); err != nil {
		return nil, err
	}
	t.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return t, nil
}

// Log is the logger of the process. Lines written with a request's context
// carry its request id and trace id.
func (t *Telemetry) Log() *slog.Logger { return t.log }

// Registry is where the metrics of the process are registered.
func (t *Telemetry) Registry() *prometheus.Registry { return t.registry }

// TracerProvider makes spans; they go nowhere when nothing is traced.
func (t *Telemetry) TracerProvider() trace.TracerProvider { return t.tracer }

// Metrics answers with all metrics in the format Prometheus reads.
func (t *Telemetry) Metrics() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(t.log.Handler(), slog.LevelError),
	})
}

// ObserveDB adds the state of a connection pool to the metrics: connections
// open, in use and idle, and how often and how long callers waited for one.
// It fails if name is observed already.
func (t *Telemetry) ObserveDB(name string, db *sql.DB) error {
	if err := t.registry.Register(collectors.NewDBStatsCollector(db, name)); err != nil {
		return fmt.Errorf("observe database %s: %w", name, err)
	}
	return nil
}

// Shutdown sends what is still unsent, as long as ctx allows.
func (t *Telemetry) Shutdown(ctx context.Context) error { return t.stop(ctx) }

func newLogger(o Options) (*slog.Logger, error) {
	var level slog.Level
	switch o.LogLevel {
	case "", "info":
		level = slog.LevelInfo
	case "debug":
		level = slog.LevelDebug
	case "warn":
		level = slog.LevelWarn
	case "error":
		level = slog.LevelError
	default:
		return nil, fmt.Errorf("log level %q is none of debug, info, warn, error", o.LogLevel)
	}
	out := o.LogOutput
	if out == nil {
		out = os.Stderr
	}
	opts := &slog.HandlerOptions{Level: level}
	switch o.LogFormat {
	case "", "json":
		return slog.New(withIDs{slog.NewJSONHandler(out, opts)}), nil
	case "text":
		return slog.New(withIDs{slog.NewTextHandler(out, opts)}), nil
	}
	return nil, fmt.Errorf("log format %q is neither json nor text", o.LogFormat)
}

// withIDs adds the ids by which a line is found again to lines that were
// logged with the context of a request.
type withIDs struct{ slog.Handler }

func (h withIDs) Handle(ctx context.Context, r slog.Record) error {
	if id := RequestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	if id := TraceID(ctx); id != "" {
		r.AddAttrs(slog.String("trace_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h withIDs) WithAttrs(as []slog.Attr) slog.Handler { return withIDs{h.Handler.WithAttrs(as)} }
func (h withIDs) WithGroup(name string) slog.Handler    { return withIDs{h.Handler.WithGroup(name)} }

type requestIDKey struct{}

// WithRequestID returns a context that carries the id of a request.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the id of the request that ctx belongs to, empty outside one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}

// TraceID is the id of the trace that ctx belongs to, empty outside one.
func TraceID(ctx context.Context) string {
	sc := trace.SpanContextFromContext(ctx)
	if !sc.HasTraceID() {
		return ""
	}
	return sc.TraceID().String()
}
