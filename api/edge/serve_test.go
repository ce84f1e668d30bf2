package edge

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowBody is a body whose parts come when a test sends them.
type slowBody chan string

func (b slowBody) Read(p []byte) (int, error) {
	part, ok := <-b
	if !ok {
		return 0, io.EOF
	}
	return copy(p, part), nil
}

func newSlowRequest(b slowBody) *http.Request {
	return httptest.NewRequest("POST", "/api/v2/tickets", b)
}

func serve(h http.Handler, req *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec
}

// pipes is a listener whose connections are in memory, so that time in a
// synctest bubble passes at once.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipes() *pipes { return &pipes{make(chan net.Conn), make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

// run serves h in the test's bubble and returns its listener, and a function
// that stops it and returns what Serve would.
func run(t *testing.T, h http.HandlerFunc) (*pipes, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ln, ended := newPipes(), make(chan error, 1)
	s := Server{Handler: h, Log: slog.New(slog.DiscardHandler)}.withDefaults()
	go func() { ended <- s.serve(ctx, ln) }()
	return ln, func() error { cancel(); return <-ended }
}

func TestADrippingSenderIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan error, 1)
		ln, stop := run(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			got <- err
		})
		conn := ln.dial()
		start := time.Now()
		var client sync.WaitGroup
		client.Go(func() {
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
			for { // a byte a second, until the connection is closed
				if _, err := conn.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		client.Go(func() { _, _ = io.Copy(io.Discard, conn) })
		err := <-got
		if took := time.Since(start); !os.IsTimeout(err) || took < 14*time.Second || took > 16*time.Second {
			t.Errorf("cut after %s with %v", took, err)
		}
		client.Wait() // the server has closed the connection, at once
		if took := time.Since(start); took > 17*time.Second {
			t.Errorf("closed after %s", took)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestASteadySenderLivesAndItsRequestIsNotCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan int64, 1)
		ln, stop := run(t, func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute) // far beyond the last deadline for reading
			if err := r.Context().Err(); err != nil {
				t.Errorf("the request was cancelled: %v", err)
			}
			got <- n
		})
		conn := ln.dial()
		go func() {
			_, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
			for range 1000 { // 2,000 bytes a second, for a quarter of an hour
				time.Sleep(time.Second)
				_, _ = io.WriteString(conn, strings.Repeat("x", 2000))
			}
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || res.StatusCode != 200 || <-got != 2_000_000 {
			t.Errorf("%v %v", res, err)
		}
		_ = conn.Close()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAHandlersOwnPausesDoNotCountAgainstTheSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, stop := run(t, func(w http.ResponseWriter, r *http.Request) {
			buf := make([]byte, 1)
			for range 5 {
				if _, err := io.ReadFull(r.Body, buf); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Minute)
			}
		})
		conn := ln.dial()
		go func() { _, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12345") }()
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != 200 {
			t.Errorf("%v %v", res, err)
		}
		_ = conn.Close()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestAReaderWhoTakesNothingIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := make(chan error, 1)
		ln, stop := run(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := w.Write(make([]byte, 1<<20))
			got <- err
		})
		conn := ln.dial()
		start := time.Now()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		if err := <-got; !os.IsTimeout(err) || time.Since(start) > 16*time.Second {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		_ = conn.Close()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestASlowReaderGetsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, stop := run(t, func(w http.ResponseWriter, r *http.Request) {
			for range 4 { // and a connection is good for more than one
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					t.Error(err)
				}
			}
		})
		conn := ln.dial()
		for range 2 {
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			res, err := http.ReadResponse(bufio.NewReader(slowly{conn}), nil)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, res.Body); n != 4<<20 || err != nil {
				t.Errorf("%d bytes, %v", n, err)
			}
			time.Sleep(time.Minute) // past the deadline of the last answer
		}
		_ = conn.Close()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// slowly reads 4 KB or less a second.
type slowly struct{ net.Conn }

func (s slowly) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	return s.Conn.Read(p)
}

func TestHeadersThatDoNotComeAreNotAwaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, stop := run(t, func(http.ResponseWriter, *http.Request) { t.Error("was called") })
		conn := ln.dial()
		start := time.Now()
		go func() { _, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: ") }()
		if _, err := io.Copy(io.Discard, conn); err != nil || time.Since(start) != readHeader {
			t.Errorf("closed after %s, %v", time.Since(start), err)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownFinishesWhatIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln, stop := run(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(20 * time.Second)
			_, _ = io.WriteString(w, "done")
		})
		conn := ln.dial()
		answer := make(chan string)
		go func() {
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			b, _ := io.ReadAll(conn) // ends, for the server closes the connection
			answer <- string(b)
		}()
		synctest.Wait()
		ended := make(chan error, 1)
		go func() { ended <- stop() }()
		if got := <-answer; !strings.HasSuffix(got, "done") || !strings.Contains(got, "Connection: close") {
			t.Errorf("got %q", got)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestShutdownCutsWhatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gone := make(chan struct{})
		ln, stop := run(t, func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			close(gone)
		})
		conn := ln.dial()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		synctest.Wait()
		start := time.Now()
		if err := stop(); err == nil || time.Since(start) != 25*time.Second {
			t.Errorf("%v after %s", err, time.Since(start))
		}
		<-gone
		_ = conn.Close()
	})
}

func TestServeListensAndSaysWhere(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	addr, ended := make(chan net.Addr, 1), make(chan error, 1)
	var served atomic.Int64
	s := Server{
		Addr:     "127.0.0.1:0",
		Log:      slog.New(slog.DiscardHandler),
		Handler:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { served.Add(1); _, _ = io.Copy(w, r.Body) }),
		OnListen: func(a net.Addr) { addr <- a },
	}
	go func() { ended <- Serve(ctx, s) }()
	url := "http://" + (<-addr).String()
	for range 3 {
		res, err := http.Post(url, "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if string(b) != "hello" || err != nil {
			t.Errorf("%q %v", b, err)
		}
	}
	cancel()
	if err := <-ended; err != nil || served.Load() != 3 {
		t.Errorf("%v after %d", err, served.Load())
	}
	s.Addr = "127.0.0.1:99999"
	if err := Serve(t.Context(), s); err == nil {
		t.Error("listened on a port that is none")
	}
}
