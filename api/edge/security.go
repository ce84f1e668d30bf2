package edge

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// Values of headers that are the same on every answer, shared because a
// header's value is a slice.
var (
	nosniff      = []string{"nosniff"}
	sameOrigin   = []string{"SAMEORIGIN"}
	noReferrer   = []string{"no-referrer"}
	apiVersion   = []string{"v2"}
	cachePrivate = []string{"max-age=0, private, must-revalidate"}
)

// Security sets the headers that keep browsers from guessing types, framing
// pages and sending addresses on, and on API answers those that Zendesk's
// carry: version, time taken, and that caches must ask again. A handler may
// set others instead.
func Security(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, res := of(c), c.Response()
		h := res.Header()
		h["X-Content-Type-Options"] = nosniff
		h["X-Frame-Options"] = sameOrigin
		h["Referrer-Policy"] = noReferrer
		if !inAPI(c.Request().URL.Path) {
			return next(c)
		}
		h["X-Zendesk-Api-Version"] = apiVersion
		h["Cache-Control"] = cachePrivate
		res.Before(func() {
			h["X-Runtime"] = []string{strconv.FormatFloat(time.Since(r.start).Seconds(), 'f', 6, 64)}
		})
		return next(c)
	}
}
