package edge

import (
	"strings"

	"github.com/labstack/echo/v4"
)

// Suffix strips ".json" and a trailing slash from API paths before they are
// routed: every operation answers with and without them. It must be installed
// with echo's Pre. Other paths keep theirs: /openapi.json is a name.
func Suffix(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if !strings.HasPrefix(u.Path, "/api/v2/") && !strings.HasPrefix(u.Path, "/oauth/") {
			return next(c)
		}
		if u.RawPath == "" { // the usual case: nothing in the path was escaped
			u.Path = bare(u.Path)
			return next(c)
		}
		// Routing goes by RawPath where there is one. The two must stay two
		// forms of the same path, so an escaped suffix is left alone.
		path, raw := bare(u.Path), bare(u.RawPath)
		if len(u.Path)-len(path) == len(u.RawPath)-len(raw) {
			u.Path, u.RawPath = path, raw
		}
		return next(c)
	}
}

func bare(path string) string {
	path = strings.TrimSuffix(path, "/")
	short, ok := strings.CutSuffix(path, ".json")
	if !ok || strings.HasSuffix(short, "/") { // a segment that is ".json" alone is no suffix
		return path
	}
	return short
}
