package edge

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/server/telemetry"
)

// maxRequestID is the longest id that is taken over from a caller, in bytes.
const maxRequestID = 128

// RequestID gives each request the id that its sender chose in X-Request-Id,
// if that is visible ASCII and not too long, or a new one. It is sent back and
// travels in the context, for every line logged on the way.
func RequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		req := c.Request()
		r := from(req.Context())
		if r == nil {
			r = &request{start: time.Now()}
		}
		if in := req.Header["X-Request-Id"]; len(in) == 1 && isRequestID(in[0]) {
			r.id = in[0]
		} else {
			r.id = newRequestID()
		}
		c.Response().Header()["X-Request-Id"] = []string{r.id}
		ctx := telemetry.WithRequestID(req.Context(), r.id)
		c.SetRequest(req.WithContext(context.WithValue(ctx, requestKey{}, r)))
		return next(c)
	}
}

func isRequestID(s string) bool {
	if s == "" || len(s) > maxRequestID {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

func newRequestID() string {
	var raw [16]byte
	rand.Read(raw[:]) // never fails, says crypto/rand
	var text [32]byte
	hex.Encode(text[:], raw[:])
	return string(text[:])
}
