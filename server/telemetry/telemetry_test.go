package telemetry

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/labstack/echo/v4"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func TestLogLinesCarryTheRequestID(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	tel, err := New(t.Context(), Options{LogOutput: &out})
	if err != nil {
		t.Fatal(err)
	}
	tel.Log().With("a", 1).InfoContext(WithRequestID(t.Context(), "r-1"), "hello")
	tel.Log().Debug("not at this level")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	if line["request_id"] != "r-1" || line["msg"] != "hello" || line["a"] != 1.0 {
		t.Errorf("got %v", line)
	}
}

func TestUnknownLevelsAndFormatsAreRefused(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{LogLevel: "loud"}, {LogFormat: "xml"}, {OTLPEndpoint: "localhost"}} {
		if _, err := New(t.Context(), o); err == nil {
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestMetricsShowProcessAndPool(t *testing.T) {
	t.Parallel()
	tel, err := New(t.Context(), Options{LogOutput: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("pgx", "postgres://127.0.0.1:1/none") // connects to nothing until it is asked to
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(7)
	if err := tel.ObserveDB("main", db); err != nil {
		t.Fatal(err)
	}
	if err := tel.ObserveDB("main", db); err == nil {
		t.Error("the same name was observed twice")
	}
	rec := httptest.NewRecorder()
	tel.Metrics().ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"go_goroutines ", "process_resident_memory_bytes ", `go_sql_max_open_connections{db_name="main"} 7`} {
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}

func TestTraceContinuesTheCallersTrace(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	tel, err := New(t.Context(), Options{LogOutput: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	tel.use(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	e := echo.New()
	e.Use(tel.Trace())
	e.GET("/api/v2/tickets/:ticket_id", func(c echo.Context) error {
		return c.String(http.StatusTeapot, TraceID(c.Request().Context()))
	})
	req := httptest.NewRequest("GET", "/api/v2/tickets/35?access_token=secret", nil)
	req.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	rec := httptest.NewRecorder()
	e.ServeHTTP(rec, req)
	if got := rec.Body.String(); got != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("the handler's trace is %q", got)
	}
	ended := spans.Ended()
	if len(ended) != 1 {
		t.Fatalf("%d spans", len(ended))
	}
	s := ended[0]
	if s.Name() != "GET /api/v2/tickets/:ticket_id" || s.Parent().SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("span %q with parent %s", s.Name(), s.Parent().SpanID())
	}
	got := map[string]string{}
	for _, a := range s.Attributes() {
		got[string(a.Key)] = a.Value.String()
		if strings.Contains(a.Value.String(), "secret") {
			t.Errorf("%s leaks the query", a.Key)
		}
	}
	if got["http.response.status_code"] != "418" || got["http.route"] != "/api/v2/tickets/:ticket_id" {
		t.Errorf("attributes %v", got)
	}
}

func TestSpansReachTheEndpointAtShutdown(t *testing.T) {
	t.Parallel()
	posted := make(chan string, 1)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		posted <- r.URL.Path
	}))
	defer collector.Close()
	tel, err := New(t.Context(), Options{LogOutput: io.Discard, OTLPEndpoint: collector.URL + "/v1/traces"})
	if err != nil {
		t.Fatal(err)
	}
	_, span := tel.TracerProvider().Tracer("test").Start(context.Background(), "work")
	span.End()
	if err := tel.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if path := <-posted; path != "/v1/traces" {
		t.Errorf("posted to %s", path)
	}
}
