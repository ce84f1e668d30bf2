package edge

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server says what Serve serves. Addr, Handler and Log are required; the zero
// values of the rest are replaced by the defaults named.
type Server struct {
	Addr    string // host:port; port 0 takes a free one
	Handler http.Handler
	Log     *slog.Logger // of what clients do to connections

	// OnListen is told the bound address once connections are accepted.
	OnListen func(net.Addr)

	// Patience is how long a client may neither send nor take anything that
	// is awaited; 15 s. Beyond it, a sender has to keep up MinRate.
	Patience time.Duration
	MinRate  int           // bytes a second of a body on the average; 1024
	Idle     time.Duration // between two requests of a connection; 75 s
	Drain    time.Duration // for requests in flight at the end; 25 s
	// MaxHeader is the size of a request's header, in bytes; 64 KB.
	MaxHeader int
}

// readHeader is how long a client may take to send a request's header.
const readHeader = 5 * time.Second

func (s Server) withDefaults() Server {
	if s.Patience == 0 {
		s.Patience = 15 * time.Second
	}
	if s.MinRate == 0 {
		s.MinRate = 1 << 10
	}
	if s.Idle == 0 {
		s.Idle = 75 * time.Second
	}
	if s.Drain == 0 {
		s.Drain = 25 * time.Second
	}
	if s.MaxHeader == 0 {
		s.MaxHeader = 64 << 10
	}
	return s
}

// Serve answers requests until ctx is done. Then it accepts no more, lets
// those in flight finish within s.Drain, and returns nil, or an error if some
// had to be cut. It fails at once if s.Addr cannot be listened on.
func Serve(ctx context.Context, s Server) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return s.withDefaults().serve(ctx, ln)
}

func (s Server) serve(ctx context.Context, ln net.Listener) error {
	// There is no limit on a request as a whole, since exports and uploads
	// take long: pace sees to it that they move.
	ending, end := context.WithCancel(context.Background())
	srv := &http.Server{
		BaseContext: func(net.Listener) context.Context {
			return context.WithValue(context.Background(), endingKey{}, ending)
		},
		Handler:           pace(s.Handler, s.Patience, s.MinRate),
		ReadHeaderTimeout: readHeader,
		IdleTimeout:       s.Idle,
		MaxHeaderBytes:    s.MaxHeader,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
	srv.RegisterOnShutdown(end)
	defer end()
	if s.OnListen != nil {
		s.OnListen(ln.Addr())
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Drain)
	defer cancel()
	if err := srv.Shutdown(drain); err != nil {
		_ = srv.Close() // says no more than Shutdown did
		return fmt.Errorf("requests were still in flight after %s and have been cut: %w", s.Drain, err)
	}
	return nil
}

type endingKey struct{}

// Ending is done when the server that ctx's request came to is about to end:
// answers that would go on for ever end then.
func Ending(ctx context.Context) context.Context {
	if ending, ok := ctx.Value(endingKey{}).(context.Context); ok {
		return ending
	}
	return context.Background() // outside of Serve
}
