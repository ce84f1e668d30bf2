package edge

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/server/fault"
)

// Body reads bodies of up to max bytes and hands them on, whole, as JSON: of
// any method, whatever content type they claim, once wire.Check finds no fault
// with their text and their nesting of at most maxDepth levels. Files, which
// are the bodies of /api/v2/uploads and of multipart forms, stay streams, of up
// to uploadMax bytes. Outside the API, forms stay forms. A body over its limit
// fails with fault.TooLarge, one that does not arrive with fault.BadRequest.
//
// While a body is awaited, the request gives up its place among those in
// flight, so that slow senders keep nobody else waiting.
func Body(max, uploadMax int64, maxDepth int) echo.MiddlewareFunc {
	room := &room{limit: bodiesAtOnce * max}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			req := c.Request()
			if req.Body == nil || req.Body == http.NoBody || req.ContentLength == 0 {
				return next(c)
			}
			if isUpload(req.URL.Path) || mediaType(req) == echo.MIMEMultipartForm {
				if req.ContentLength > uploadMax {
					return tooLarge(uploadMax)
				}
				req.Body = &capped{ReadCloser: req.Body, left: uploadMax, max: uploadMax}
				return next(c)
			}
			space := lease{room: room}
			defer space.end()
			b, err := await(c, max, &space)
			if err != nil {
				return err
			}
			if err := accept(c, b, maxDepth); err != nil {
				return err
			}
			return next(c)
		}
	}
}

// await reads the whole body without holding a place meanwhile.
func await(c echo.Context, max int64, space *lease) ([]byte, error) {
	req, place := c.Request(), &of(c).place
	if req.ContentLength > max {
		return nil, tooLarge(max)
	}
	place.leave()
	b, err := read(req.Body, req.ContentLength, max, space)
	if err != nil {
		return nil, err
	}
	return b, place.take(req.Context())
}

// accept checks the body b and puts it where handlers will read it.
func accept(c echo.Context, b []byte, maxDepth int) error {
	req := c.Request()
	req.ContentLength = int64(len(b))
	trimmed := bytes.TrimLeft(b, " \t\r\n")
	if len(trimmed) == 0 {
		req.Body, req.ContentLength = http.NoBody, 0
		return nil
	}
	isObject := trimmed[0] == '{' || trimmed[0] == '['
	if isObject || strings.HasPrefix(req.URL.Path, "/api/") || mediaType(req) == echo.MIMEApplicationJSON {
		if enc := req.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
			return fault.New(fault.BadRequest, "Content-Encoding %q is not supported in requests", enc)
		}
		if err := wire.Check(b, maxDepth); err != nil {
			return err
		}
		req.Header["Content-Type"] = jsonRequest
	}
	of(c).body = b
	req.Body = io.NopCloser(bytes.NewReader(b))
	return nil
}

var jsonRequest = []string{echo.MIMEApplicationJSON}

func mediaType(req *http.Request) string {
	t, _, _ := strings.Cut(req.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

const (
	// firstRead is how much room a body is given before it has shown up, so
	// that announcing a large one costs us nothing. Bodies up to this size are
	// read even when large ones fill the room.
	firstRead = 64 << 10
	// bodiesAtOnce is how many bodies of full length are held at the same time.
	bodiesAtOnce = 32
)

// read reads up to max bytes of src, which announces length (-1: unknown). The
// buffer is the request's own and never used again: handlers keep parts of it.
func read(src io.Reader, length, max int64, space *lease) ([]byte, error) {
	size := length + 1 // one more, so that the end is seen without growing
	if length < 0 {
		size = 4 << 10
	}
	b := make([]byte, 0, min(size, firstRead, max+1))
	for {
		n, err := src.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > max:
			return nil, tooLarge(max)
		case err == io.EOF:
			return b, nil
		case err != nil:
			return nil, unread(err)
		case len(b) < cap(b):
			continue
		}
		size := min(2*int64(cap(b)), max+1)
		if size > firstRead && !space.grow(size) {
			return nil, overloaded()
		}
		bigger := make([]byte, len(b), size)
		copy(bigger, b)
		b = bigger
	}
}

// room counts the bytes of large bodies that are held at a time.
type room struct {
	limit int64
	used  atomic.Int64
}

// lease is what one body takes of a room.
type lease struct {
	room *room
	size int64
}

// grow makes the lease size bytes large, if there is room.
func (l *lease) grow(size int64) bool {
	more := size - l.size
	if l.room.used.Add(more) > l.room.limit {
		l.room.used.Add(-more)
		return false
	}
	l.size = size
	return true
}

func (l *lease) end() {
	if l.size > 0 {
		l.room.used.Add(-l.size)
	}
}

// capped is a stream that fails with fault.TooLarge past its limit.
type capped struct {
	io.ReadCloser
	left, max int64
}

func (s *capped) Read(p []byte) (int, error) {
	if s.left < 0 {
		return 0, tooLarge(s.max)
	}
	if int64(len(p)) > s.left+1 { // one more shows that there is more
		p = p[:s.left+1]
	}
	n, err := s.ReadCloser.Read(p)
	s.left -= int64(n)
	if s.left < 0 {
		return n - 1, tooLarge(s.max)
	}
	if err != nil && err != io.EOF {
		return n, unread(err)
	}
	return n, err
}

func tooLarge(max int64) error {
	return fault.New(fault.TooLarge, "The request body is larger than %d bytes", max)
}

// unread tells the client why its body was not read; what is wrong lies with
// its connection or its framing.
func unread(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault.New(fault.BadRequest, "The request body came too slowly")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.BadRequest, "The request body ended early")
	}
	return fault.New(fault.BadRequest, "The request body could not be read")
}
