package edge

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

var (
	anyOrigin  = []string{"*"}
	varyOrigin = []string{"Origin"}

	// Authorization must be named: in this list, * would not cover it.
	corsAllowed = []string{strings.Join([]string{
		"Accept", "Accept-Language", "Authorization", "Content-Type",
		"Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID", "X-Source-Id",
		"X-On-Behalf-Of", "X-Request-Id", "X-Requested-With", "traceparent", "tracestate",
	}, ", ")}
	corsMethods = []string{"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"}
	corsExposed = []string{strings.Join([]string{
		"ETag", "Link", "Location", "Retry-After",
		"X-Rate-Limit", "X-Rate-Limit-Remaining", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset",
		"X-Idempotency-Lookup", "X-Request-Id", "X-Zendesk-API-Warn",
	}, ", ")}
	corsMaxAge = []string{"7200"} // seconds; Chromium remembers no longer
)

// CORS lets pages of other origins call /api/v2, and send user images, from a browser, and answers
// the browser's question beforehand. Callers show a token and no cookie, so
// credentials are never allowed and any origin may be. origins are written as
// browsers send them (https://shop.example.com); nil or "*" is any.
func CORS(origins []string) echo.MiddlewareFunc {
	anybody := len(origins) == 0 || slices.Contains(origins, "*")
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			req := c.Request()
			if !strings.HasPrefix(req.URL.Path, "/api/v2/") && !strings.HasPrefix(req.URL.Path, UserImageUploads) {
				return next(c)
			}
			h := c.Response().Header()
			if anybody {
				h["Access-Control-Allow-Origin"] = anyOrigin
			} else {
				h["Vary"] = append(h["Vary"], varyOrigin...)
				origin := req.Header.Get("Origin")
				if !slices.Contains(origins, origin) {
					return next(c)
				}
				h["Access-Control-Allow-Origin"] = []string{origin}
			}
			if req.Method != http.MethodOptions || req.Header.Get("Access-Control-Request-Method") == "" {
				h["Access-Control-Expose-Headers"] = corsExposed
				return next(c)
			}
			h["Access-Control-Allow-Methods"] = corsMethods
			h["Access-Control-Allow-Headers"] = corsAllowed
			h["Access-Control-Max-Age"] = corsMaxAge
			return c.NoContent(http.StatusNoContent)
		}
	}
}
