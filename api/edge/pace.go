package edge

import (
	"io"
	"net/http"
	"time"
)

// pace cuts connections whose client does not move: one that sends its body
// slower than minRate bytes a second, and one that takes nothing of its answer
// for as long as patience. Sane clients may take all the time they need.
func pace(h http.Handler, patience time.Duration, minRate int) http.Handler {
	perByte := time.Second / time.Duration(minRate)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		out := &pacedWriter{ResponseWriter: w, rc: rc, patience: patience}
		// The deadline of the connection's previous answer may have passed.
		out.renew()
		if r.Body == nil || r.Body == http.NoBody {
			h.ServeHTTP(out, r)
			out.renew() // the server flushes after this
			return
		}
		in := &pacedBody{ReadCloser: r.Body, rc: rc, patience: patience, left: patience, perByte: perByte}
		r.Body = in
		h.ServeHTTP(out, r)
		out.renew()
		if !in.ended { // the server reads some of the rest, to keep the connection
			_ = rc.SetReadDeadline(time.Now().Add(in.left))
		}
	})
}

// pacedBody allows its sender a time to be waited for. Each byte earns a
// little of it back, never more than patience in all: whoever was fast may
// pause, but not for long. Time in which nobody reads costs him nothing.
type pacedBody struct {
	io.ReadCloser
	rc             *http.ResponseController
	patience, left time.Duration
	perByte        time.Duration
	ended          bool
}

// Read fails with os.ErrDeadlineExceeded when the time is used up. Deadlines
// that cannot be set (in tests, without a connection) are not missed.
func (b *pacedBody) Read(p []byte) (int, error) {
	start := time.Now()
	_ = b.rc.SetReadDeadline(start.Add(b.left))
	n, err := b.ReadCloser.Read(p)
	b.left = min(b.patience, b.left-time.Since(start)+time.Duration(n)*b.perByte)
	if err == io.EOF && !b.ended {
		b.ended = true
		// From now on the server watches for the client's going away, which
		// a deadline would look like.
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}

// pacedWriter gives each piece of an answer a deadline of its own.
type pacedWriter struct {
	http.ResponseWriter
	rc       *http.ResponseController
	patience time.Duration
	renewed  time.Time
}

// piece is small enough for the slowest sane client to take it within the
// patience of a server.
const piece = 64 << 10

func (w *pacedWriter) Write(b []byte) (int, error) {
	written := 0
	for {
		w.renew()
		n, err := w.ResponseWriter.Write(b[:min(len(b), piece)])
		written, b = written+n, b[n:]
		if err != nil || len(b) == 0 {
			return written, err
		}
	}
}

// FlushError is for http.ResponseController.
func (w *pacedWriter) FlushError() error {
	w.renew()
	return w.rc.Flush()
}

// Flush is for http.Flusher.
func (w *pacedWriter) Flush() { _ = w.FlushError() } // a Flusher has no way to say it

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// renew moves the deadline, unless that was done just now.
func (w *pacedWriter) renew() {
	now := time.Now()
	if now.Sub(w.renewed) < w.patience/16 {
		return
	}
	w.renewed = now
	_ = w.rc.SetWriteDeadline(now.Add(w.patience))
}
