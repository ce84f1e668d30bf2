package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"hash"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/idempotency"
)

// lookupHeader tells a caller who sent a key whether the answer is an earlier
// one ("hit"). The Java client fails without it.
const lookupHeader = "X-Idempotency-Lookup"

// idempotent gives a write that comes again with the same Idempotency-Key its
// first answer.
type idempotent struct{ keys *idempotency.Service }

// reads are calls with a body that write nothing. A key says nothing with them, as
// with any other that reads: to send them again does no harm, and some read the
// database as it is at one moment, which they cannot in the transaction of a write.
var reads = map[string]bool{
	"POST /api/v2/organizations/autocomplete": true,
	"POST /api/v2/problems/autocomplete":      true,
	"POST /api/v2/rules/dry_run":              true,
	"POST /api/v2/rules/explain":              true,
	"POST /api/v2/users/autocomplete":         true,
	"POST /api/v2/views/preview":              true,
	"POST /api/v2/views/preview/count":        true,
}

// middleware stands inside of all that reads and refuses requests. The handler
// runs in the transaction that also keeps the answer, and the answer is sent
// when that is committed: what a caller has read is so for good.
func (i idempotent) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, res := c.Request(), c.Response()
		key := r.Header.Get("Idempotency-Key")
		if key == "" || r.Method == http.MethodGet || r.Method == http.MethodHead || !strings.HasPrefix(r.URL.Path, "/api/") || reads[r.Method+" "+r.URL.Path] {
			return next(c)
		}
		sum, done, err := requestHash(r)
		if err != nil {
			return err
		}
		defer done()
		var header http.Header
		write := func(ctx context.Context) (a idempotency.Answer, err error) {
			a, header, err = record(ctx, c, next)
			return a, err
		}
		a, hit, err := i.keys.Do(r.Context(), idempotency.Request{By: auth.From(r.Context()), Key: key, Hash: sum, Snapshot: conditional(r)}, write)
		if !fault.Is(err, fault.KeyReused) {
			res.Header().Set(lookupHeader, "miss")
		}
		if err != nil {
			return err
		}
		if hit {
			res.Header().Set(lookupHeader, "hit")
			header = http.Header{"Content-Type": {a.ContentType}}
			if a.Location != "" {
				header.Set("Location", a.Location)
			}
		}
		return send(res, header, a)
	}
}

// record runs a handler with the context ctx, which carries a transaction, and
// holds its answer back.
func record(ctx context.Context, c echo.Context, next echo.HandlerFunc) (idempotency.Answer, http.Header, error) {
	r, res := c.Request(), c.Response()
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	c.SetRequest(r.WithContext(ctx))
	c.SetResponse(echo.NewResponse(rec, c.Echo()))
	// Not to be used behind the end of the transaction.
	defer func() { c.SetRequest(r); c.SetResponse(res) }()
	if err := next(c); err != nil {
		return idempotency.Answer{}, nil, err
	}
	return idempotency.Answer{
		Status: rec.status, Location: rec.header.Get("Location"), ContentType: rec.header.Get("Content-Type"), Body: rec.body.Bytes(),
	}, rec.header, nil
}

func send(res *echo.Response, header http.Header, a idempotency.Answer) error {
	maps.Copy(res.Header(), header)
	if a.ContentType == "" {
		res.Header().Del("Content-Type")
	}
	res.WriteHeader(a.Status)
	if len(a.Body) == 0 {
		return nil
	}
	_, err := res.Write(a.Body)
	return err
}

// requestHash is the hash of all that makes r another request: method, path,
// parameters and body. An uploaded file is read to its end for it, into a
// temporary file from which the handler reads it again: neither memory nor a
// transaction waits for a slow sender. done removes the file.
func requestHash(r *http.Request) (sum [sha256.Size]byte, done func(), err error) {
	h := sha256.New()
	query := r.URL.Query()
	query.Del("access_token") // tells who calls, not what is asked
	_, _ = io.WriteString(h, r.Method+"\x00"+pathAsked(r)+"\x00"+query.Encode()+"\x00")
	done = func() {}
	if body := edge.BodyBytes(r.Context()); body != nil {
		h.Write(body)
	} else if r.Body != nil && r.Body != http.NoBody {
		_, _ = io.WriteString(h, r.Header.Get("Content-Type")+"\x00")
		if done, err = spool(r, h); err != nil {
			return sum, done, err
		}
	}
	return [sha256.Size]byte(h.Sum(nil)), done, nil
}

func spool(r *http.Request, h hash.Hash) (done func(), err error) {
	f, err := os.CreateTemp("", "helpd-upload-*")
	if err != nil {
		return func() {}, err
	}
	done = func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
	r.ContentLength, err = io.Copy(io.MultiWriter(f, h), r.Body)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		done()
		return func() {}, err
	}
	_ = r.Body.Close()
	r.Body = f
	return done, nil
}

// recorder holds an answer back.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
