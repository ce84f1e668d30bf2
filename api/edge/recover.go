package edge

import (
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"
)

// ErrPanicked is returned in the place of a panic, which has been logged.
var ErrPanicked = errors.New("the handler panicked")

// Recover logs a panic with its stack and returns ErrPanicked, which says
// nothing to the caller. http.ErrAbortHandler passes, since it asks the server
// to cut the connection.
func Recover(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) (err error) {
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if p == http.ErrAbortHandler {
					panic(p)
				}
				log.LogAttrs(unnamed, slog.LevelError, "panic",
					slog.Any("panic", p),
					slog.String("request_id", of(c).id),
					slog.String("method", c.Request().Method),
					slog.String("route", c.Path()),
					slog.String("stack", string(debug.Stack())))
				err = ErrPanicked
			}()
			return next(c)
		}
	}
}
