package edge

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/labstack/echo/v4"
)

const (
	// minGzip is the size under which an answer fits a packet anyway.
	minGzip = 1 << 10
	// maxHeld is the size past which an answer goes out as it is written, without
	// ETag: to hold back, sum up and copy a page of an export takes longer than to
	// make it.
	maxHeld = 512 << 10
	// maxKept bounds what a buffer keeps for its next use, so that a few large
	// answers do not fix their memory.
	maxKept = 1 << 20
)

var (
	jsonAnswer   = []string{"application/json; charset=utf-8"}
	gzipEncoding = []string{"gzip"}
)

// Compress holds JSON answers back until they are whole. Those that succeed
// then get a weak ETag, and a GET with that tag in If-None-Match is a 304;
// those over 1 KB are compressed for whoever accepts gzip, those over 512 KB as
// they are written and without a tag. Answers that are flushed or are no JSON pass
// as they are.
func Compress(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		res := c.Response()
		h := heldPool.Get().(*held)
		h.ResponseWriter, h.gzip = res.Writer, acceptsGzip(c.Request().Header["Accept-Encoding"])
		res.Writer = h
		// Not deferred: after a panic the connection is cut, and h is left
		// to the garbage collector.
		err := next(c)
		res.Writer = h.ResponseWriter
		switch {
		case h.mode == zipping:
			if zerr := h.endZip(err == nil); err == nil {
				err = zerr
			}
		case h.mode != holding:
		case err != nil: // whoever answers it begins anew
			h.drop()
			res.Committed, res.Status, res.Size = false, http.StatusOK, 0
		default:
			res.Status, res.Size = h.finish(c.Request())
		}
		h.free()
		return err
	}
}

var heldPool = sync.Pool{New: func() any { return new(held) }}

type mode int

const (
	undecided mode = iota // no header written yet
	holding
	zipping // as it is written
	passing
)

// held is a response writer that can keep the answer to itself.
type held struct {
	http.ResponseWriter
	mode   mode
	gzip   bool // the client accepts it
	status int
	body   bytes.Buffer
	zipped bytes.Buffer
	z      *gzip.Writer // while zipping
}

func (h *held) WriteHeader(status int) {
	switch {
	case h.mode == holding:
		return
	case h.mode == undecided && status >= 200:
		header := h.Header()
		// Bytes of a file, of which a client may want a range, pass as they are.
		isFile := header["Content-Disposition"] != nil && status < 400
		if isJSON(header) && !isFile && header["Content-Encoding"] == nil && status != http.StatusNoContent {
			header["Content-Type"] = jsonAnswer
			h.mode, h.status = holding, status
			return
		}
		h.mode = passing
	}
	h.ResponseWriter.WriteHeader(status)
}

func (h *held) Write(b []byte) (int, error) {
	if h.mode == undecided {
		h.WriteHeader(http.StatusOK)
	}
	if h.mode == holding && h.body.Len()+len(b) <= maxHeld {
		return h.body.Write(b)
	}
	if err := h.release(h.gzip); err != nil {
		return 0, err
	}
	if h.mode == zipping {
		return h.z.Write(b)
	}
	return h.ResponseWriter.Write(b)
}

// FlushError ends the holding back, since the handler streams.
func (h *held) FlushError() error {
	if h.mode == undecided {
		h.mode = passing
	}
	if err := h.release(false); err != nil {
		return err
	}
	if h.mode == zipping {
		if err := h.z.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(h.ResponseWriter).Flush()
}

// Flush is for http.Flusher, which some handlers ask for.
func (h *held) Flush() { _ = h.FlushError() } // a Flusher has no way to say it

// Unwrap is for http.ResponseController.
func (h *held) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// release sends what was held back, and has the rest go out as it is written.
func (h *held) release(zip bool) error {
	if h.mode != holding {
		return nil
	}
	header := h.Header()
	addVary(header, "Accept-Encoding")
	h.mode = passing
	var out io.Writer = h.ResponseWriter
	if zip {
		delete(header, "Content-Length")
		header["Content-Encoding"] = gzipEncoding
		h.mode, h.z = zipping, zipPool.Get().(*gzip.Writer)
		h.z.Reset(h.ResponseWriter)
		out = h.z
	}
	h.ResponseWriter.WriteHeader(h.status)
	if h.body.Len() == 0 {
		return nil
	}
	_, err := out.Write(h.body.Bytes())
	h.body.Reset()
	return err
}

// endZip ends what was compressed as it was written. An answer that was broken
// off is left without its end, by which the client knows.
func (h *held) endZip(whole bool) (err error) {
	if whole {
		err = h.z.Close()
	}
	h.z.Reset(nil) // the pool holds no connection
	zipPool.Put(h.z)
	h.z = nil
	return err
}

// drop forgets an answer of which nothing went out yet, and reports whether
// that is so.
func (h *held) drop() bool {
	if h.mode != holding {
		return false
	}
	header := h.Header()
	for _, k := range []string{"Content-Length", "Content-Type", "Etag", "Location"} {
		delete(header, k)
	}
	h.mode = undecided
	h.body.Reset()
	return true
}

// finish sends what was held back and returns the status and the bytes of body
// that went out. Write errors mean that the client is gone; nobody is left to
// be told.
func (h *held) finish(req *http.Request) (status int, size int64) {
	header, body := h.Header(), h.body.Bytes()
	addVary(header, "Accept-Encoding")
	if h.status < 300 && tagged(req.Method) {
		tag := header.Get("Etag")
		if tag == "" {
			tag = ETag(body)
			header["Etag"] = []string{tag}
		}
		if h.status == http.StatusOK && isRead(req.Method) && Matches(req.Header["If-None-Match"], tag) {
			delete(header, "Content-Type")
			delete(header, "Content-Length")
			h.ResponseWriter.WriteHeader(http.StatusNotModified)
			return http.StatusNotModified, 0
		}
	}
	if len(body) > minGzip && h.gzip {
		body = h.zip(body)
		header["Content-Encoding"] = gzipEncoding
	}
	header["Content-Length"] = []string{strconv.Itoa(len(body))}
	h.ResponseWriter.WriteHeader(h.status)
	n, _ := h.ResponseWriter.Write(body)
	return h.status, int64(n)
}

func (h *held) zip(body []byte) []byte {
	z := zipPool.Get().(*gzip.Writer)
	z.Reset(&h.zipped)
	_, _ = z.Write(body) // into memory, which does not fail
	_ = z.Close()
	zipPool.Put(z)
	return h.zipped.Bytes()
}

var zipPool = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return z
}}

func (h *held) free() {
	if h.body.Cap() > maxKept || h.zipped.Cap() > maxKept {
		return
	}
	h.body.Reset()
	h.zipped.Reset()
	h.ResponseWriter, h.mode, h.status = nil, undecided, 0
	heldPool.Put(h)
}

// ETag names a body by the first half of its SHA-256. It is weak because the
// same tag stands for the compressed form.
func ETag(body []byte) string {
	sum := sha256.Sum256(body)
	var tag [36]byte
	copy(tag[:], `W/"`)
	hex.Encode(tag[3:], sum[:16])
	tag[35] = '"'
	return string(tag[:])
}

// Matches reports whether an If-None-Match or If-Match header names tag, weakly
// compared: our tags are weak.
func Matches(lines []string, tag string) bool {
	opaque := strings.TrimPrefix(tag, "W/")
	for _, line := range lines {
		for line != "" {
			var one string
			one, line, _ = strings.Cut(line, ",")
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == opaque {
				return true
			}
		}
	}
	return false
}

// acceptsGzip reports whether an Accept-Encoding header names gzip, by name or
// by *, with a weight that is not zero.
func acceptsGzip(lines []string) bool {
	any := false
	for _, line := range lines {
		for line != "" {
			var one string
			one, line, _ = strings.Cut(line, ",")
			name, weight, _ := strings.Cut(one, ";")
			switch name = strings.TrimSpace(name); {
			case strings.EqualFold(name, "gzip"), strings.EqualFold(name, "x-gzip"):
				return !isZero(weight)
			case name == "*":
				any = !isZero(weight)
			}
		}
	}
	return any
}

func isZero(weight string) bool {
	q, ok := strings.CutPrefix(strings.TrimSpace(weight), "q=")
	return ok && strings.Trim(q, "0.") == ""
}

func isJSON(h http.Header) bool {
	t := h["Content-Type"]
	return len(t) > 0 && strings.HasPrefix(t[0], echo.MIMEApplicationJSON) &&
		(len(t[0]) == len(echo.MIMEApplicationJSON) || t[0][len(echo.MIMEApplicationJSON)] == ';')
}

func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }

func tagged(method string) bool {
	return isRead(method) || method == http.MethodPost || method == http.MethodPut
}

func addVary(h http.Header, name string) {
	h["Vary"] = append(h["Vary"], name)
}
