package edge

import (
	"context"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"
)

// request is what this package knows of a request. One per request travels in
// its context; only the goroutine that serves the request writes to it.
type request struct {
	start         time.Time
	id            string
	base          string     // scheme://host[:port]
	client        netip.Addr // invalid if unknown
	account, user int64
	counted       bool // against a rate limit
	cut           bool // in the middle of its answer
	place         place
	body          []byte
}

type requestKey struct{}

func from(ctx context.Context) *request {
	r, _ := ctx.Value(requestKey{}).(*request)
	return r
}

// of returns what is known of c's request, and begins to know it if no
// middleware before did.
func of(c echo.Context) *request {
	ctx := c.Request().Context()
	if r := from(ctx); r != nil {
		return r
	}
	r := &request{start: time.Now()}
	c.SetRequest(c.Request().WithContext(context.WithValue(ctx, requestKey{}, r)))
	return r
}

// SetActor says who is calling: for the log, and for the rate limit. user is 0
// for an anonymous caller.
func SetActor(c echo.Context, account, user int64) {
	r := of(c)
	r.account, r.user = account, user
}

// BaseURL is scheme://host[:port] of the request as its sender wrote it, for
// absolute URLs in answers. It is empty outside of a request.
func BaseURL(ctx context.Context) string {
	if r := from(ctx); r != nil {
		return r.base
	}
	return ""
}

// ClientIP is the address of whoever sent the request, behind the proxies that
// are trusted. It is invalid outside of a request.
func ClientIP(ctx context.Context) netip.Addr {
	if r := from(ctx); r != nil {
		return r.client
	}
	return netip.Addr{}
}

// BodyBytes is the body of the request as it came, nil if there was none or if
// it is a stream. It belongs to the request and must not be changed.
func BodyBytes(ctx context.Context) []byte {
	if r := from(ctx); r != nil {
		return r.body
	}
	return nil
}
