package api

import (
	"net/http"
	"regexp"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
)

// sourceHeader names the program that a write comes from, in the events of the
// write too, so that who keeps two systems alike can leave its own changes out.
const sourceHeader = "X-Source-Id"

var sourceID = regexp.MustCompile(`^[A-Za-z0-9._:/@-]{1,64}$`)

func source(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		id := r.Header.Get(sourceHeader)
		if id == "" || r.Method == http.MethodGet || r.Method == http.MethodHead {
			return next(c)
		}
		if !sourceID.MatchString(id) {
			return fault.New(fault.BadRequest, "%s has up to 64 letters, digits and . _ : / @ -", sourceHeader)
		}
		c.SetRequest(r.WithContext(events.WithSource(r.Context(), id)))
		return next(c)
	}
}
