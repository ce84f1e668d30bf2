package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/idempotency"
)

// ifMatch lets a write through only while what a GET of the same URL answers
// has one of the tags that the caller names in If-Match: nobody's change is
// lost that the caller has not seen. It works alike for whatever can be read
// and written at one URL.
type ifMatch struct{ snapshots *idempotency.Service }

// conditional reports whether a request is a write with If-Match.
func conditional(r *http.Request) bool {
	switch r.Method {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		return len(r.Header["If-Match"]) > 0 && strings.HasPrefix(r.URL.Path, "/api/")
	}
	return false
}

// middleware stands inside of idempotent, so that a write that is sent again
// has its first answer, though the record has changed by that very write. One
// transaction reads the record and changes it: a change by somebody else in
// between makes ours fail, with a 409 too.
func (m ifMatch) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !conditional(r) {
			return next(c)
		}
		checked := func(c echo.Context) error {
			if err := current(c, r.Header["If-Match"]); err != nil {
				return err
			}
			return next(c)
		}
		if r.Header.Get("Idempotency-Key") != "" { // in its transaction already
			return checked(c)
		}
		var header http.Header
		write := func(ctx context.Context) (a idempotency.Answer, err error) {
			a, header, err = record(ctx, c, checked)
			return a, err
		}
		a, err := m.snapshots.Snapshot(r.Context(), auth.From(r.Context()).AccountID, write)
		if err != nil {
			return err
		}
		return send(c.Response(), header, a)
	}
}

// current fails with fault.Outdated unless what is read at the URL of c has one
// of the tags, and with fault.NotFound where there is nothing.
func current(c echo.Context, tags []string) error {
	e, write := c.Echo(), c.Request()
	read := write.Clone(write.Context())
	read.Method, read.Body, read.ContentLength = http.MethodGet, http.NoBody, 0
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	// The handler alone: the caller is known and counted, and the answer goes
	// nowhere.
	inner := e.NewContext(read, rec)
	e.Router().Find(http.MethodGet, pathOf(read.URL), inner)
	err := inner.Handler()(inner)
	if noRoute, ok := errors.AsType[*echo.HTTPError](err); ok && (noRoute.Code == http.StatusNotFound || noRoute.Code == http.StatusMethodNotAllowed) {
		return fault.New(fault.BadRequest, "If-Match needs a URL that can be read, and this one cannot")
	}
	if err != nil {
		return err
	}
	tag := rec.header.Get("Etag")
	if tag == "" {
		tag = edge.ETag(rec.body.Bytes())
	}
	if !edge.Matches(tags, tag) {
		return fault.New(fault.Outdated, "the record is not what If-Match names")
	}
	return nil
}

// pathOf is the path by which echo routes.
func pathOf(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.Path
}
