package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const scope = "github.com/helpd/helpd/server/telemetry"

// startTracing sends spans to the configured endpoint, in batches. Sampling,
// headers and the service's name follow the standard OTEL_ variables.
func (t *Telemetry) startTracing(ctx context.Context, o Options) error {
	var opts []otlptracehttp.Option
	switch {
	case o.OTLPEndpoint != "":
		u, err := url.Parse(o.OTLPEndpoint)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return fmt.Errorf("OTLP endpoint %q is no URL like http://127.0.0.1:4318/v1/traces", o.OTLPEndpoint)
		}
		opts = append(opts, otlptracehttp.WithEndpointURL(o.OTLPEndpoint))
	case os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "":
		return nil
	}
	exporter, err := otlptracehttp.New(ctx, opts...)
	if err != nil {
		return fmt.Errorf("start tracing: %w", err)
	}
	res, err := resource.New(ctx,
		resource.WithAttributes(
			attribute.String("service.name", "helpd"),
			attribute.String("service.version", o.Version)),
		resource.WithHost(),
		resource.WithFromEnv()) // last, so that OTEL_SERVICE_NAME wins
	if err != nil {
		return fmt.Errorf("start tracing: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(res))
	t.use(provider)
	t.stop = provider.Shutdown
	// A collector that is away is worth a line, not a crash.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { t.log.Warn("tracing", "err", err) }))
	return nil
}

func (t *Telemetry) use(p trace.TracerProvider) {
	t.tracer, t.tracing = p, true
}

// Trace makes one server span per request, as a child of the caller's span if
// the request names one (W3C traceparent). Spans carry the route's pattern and
// never the path or the query, which can hold tokens. Without tracing it costs
// nothing.
func (t *Telemetry) Trace() echo.MiddlewareFunc {
	if !t.tracing {
		return func(next echo.HandlerFunc) echo.HandlerFunc { return next }
	}
	tracer := t.tracer.Tracer(scope)
	var w3c propagation.TraceContext
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			ctx := w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
			ctx, span := tracer.Start(ctx, r.Method+" "+c.Path(),
				trace.WithSpanKind(trace.SpanKindServer),
				trace.WithAttributes(
					attribute.String("http.request.method", r.Method),
					attribute.String("http.route", c.Path())))
			defer span.End()
			c.SetRequest(r.WithContext(ctx))
			err := next(c)
			status := c.Response().Status
			if err != nil && !c.Response().Committed {
				status = http.StatusInternalServerError // nobody has made an answer of it yet
			}
			span.SetAttributes(attribute.Int("http.response.status_code", status))
			if status >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, http.StatusText(status))
			}
			return err
		}
	}
}
