package edge

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts requests by method, route and class of status ("2xx"), and
// observes how long they take, in seconds, and how many are in flight. Routes
// are patterns, and unusual methods are one, so that no caller can make series.
// It panics if reg has the metrics already.
func Metrics(reg prometheus.Registerer) echo.MiddlewareFunc {
	total := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "helpd_http_requests_total",
		Help: "Requests answered.",
	}, []string{"method", "route", "status"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "helpd_http_request_duration_seconds",
		Help:    "From the end of a request's header to the end of its answer.",
		Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
	}, []string{"method", "route"})
	inFlight := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "helpd_http_requests_in_flight",
		Help: "Requests being answered, those that wait for their turn too.",
	})
	reg.MustRegister(total, seconds, inFlight)
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := of(c)
			inFlight.Inc()
			defer func() {
				inFlight.Dec()
				method, route := methodLabel(c.Request().Method), c.Path()
				total.WithLabelValues(method, route, statusClass(c.Response().Status)).Inc()
				seconds.WithLabelValues(method, route).Observe(time.Since(r.start).Seconds())
			}()
			return next(c)
		}
	}
}

func methodLabel(m string) string {
	switch m {
	case http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodHead, http.MethodOptions:
		return m
	}
	return "other"
}

func statusClass(status int) string {
	switch status / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	}
	return "5xx"
}
