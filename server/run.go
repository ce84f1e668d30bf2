package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/server/telemetry"
)

// Run serves until ctx is done, and then ends in order: requests in flight
// finish, background work stops, the database is closed, the embedded
// PostgreSQL ends. What a person who starts helpd wants to read goes to out;
// logs go to standard error. The first start makes an account.
func Run(ctx context.Context, c Config, out io.Writer) (err error) {
	tuneMemory()
	// Before anything is made, for an account's secrets are told only once.
	if err := mayListen(ctx, c.Addr); err != nil {
		return err
	}
	tel, err := telemetry.New(ctx, telemetry.Options{
		LogLevel: c.LogLevel, LogFormat: c.LogFormat, OTLPEndpoint: c.OTLPEndpoint, Version: Version().String(),
	})
	if err != nil {
		return err
	}
	defer func() {
		rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		err = errors.Join(err, tel.Shutdown(rest))
	}()
	db, err := OpenDatabase(ctx, c, tel.Log())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	p := &program{config: c, tel: tel, log: tel.Log(), db: db}
	if err := tel.ObserveDB("helpd", db.pool()); err != nil {
		return err
	}
	p.services, err = NewServices(ctx, db.DB, db.DSN, ServiceOptions{
		Now: Clock, Log: p.log, BlobURL: c.BlobURL, MaxUpload: c.MaxUpload, PublicURL: c.PublicURL, AutomationInterval: c.AutomationInterval,
		WebhookAllow: c.WebhookAllow, WebhookRetries: c.WebhookRetries,
	})
	if err != nil {
		return err
	}
	first, err := firstAccount(ctx, db.DB, c, time.Now())
	if err != nil {
		return err
	}
	return p.serve(ctx, func(base string) { welcome(out, base, c, first) })
}

// program is a helpd whose parts are made.
type program struct {
	config   Config
	tel      *telemetry.Telemetry
	log      *slog.Logger
	db       *Database
	services api.Services
	stopping atomic.Bool // requests are about to be refused
}

// errStopping is why a process that ends is not ready.
var errStopping = errors.New("shutting down")

// ready fails while requests should go to another process. The database has
// its schema, or nothing would be served yet.
func (p *program) ready(ctx context.Context) error {
	if p.stopping.Load() {
		return errStopping
	}
	if err := p.db.answers(ctx); err != nil {
		p.log.WarnContext(ctx, "not ready", "error", err)
		return errors.New("the database does not answer")
	}
	return nil
}

// serve answers requests until ctx is done, with the background parts beside.
// started is called with the URL of the API when connections are accepted.
func (p *program) serve(ctx context.Context, started func(base string)) error {
	c := p.config
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	// Parts outlive ctx: requests in flight may still need them.
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var parts errgroup.Group
	for _, run := range p.parts() {
		parts.Go(func() error {
			err := run(life)
			if err != nil {
				fail(err)
			}
			return err
		})
	}
	err := edge.Serve(p.untilNoticed(ctx), edge.Server{
		Addr: c.Addr, Handler: p.handler(), Log: p.log, Drain: c.ShutdownTimeout,
		OnListen: func(a net.Addr) {
			started(baseURL(a))
			// Starting hashes passwords, 19 MB each; that is not needed again.
			debug.FreeOSMemory()
		},
	})
	stop()
	return errors.Join(err, parts.Wait())
}

// Clock is the time as PostgreSQL keeps it, so that what was just saved and what
// is read back are equal.
func Clock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// parts are what runs beside requests, each until its context is done.
func (p *program) parts() []func(context.Context) error {
	parts := []func(context.Context) error{
		func(ctx context.Context) error {
			p.services.Auth.Run(ctx, p.log)
			return nil
		},
		func(ctx context.Context) error {
			p.services.Events.Run(ctx)
			return nil
		},
		func(ctx context.Context) error {
			p.services.Tickets.Run(ctx, p.log)
			return nil
		},
		func(ctx context.Context) error {
			p.services.Views.Run(ctx)
			return nil
		},
		func(ctx context.Context) error {
			p.services.Events.Follow(ctx, p.services.Webhooks.Follower())
			return nil
		},
		func(ctx context.Context) error {
			p.services.Webhooks.Run(ctx, p.log)
			return nil
		},
		func(ctx context.Context) error {
			p.services.Index.Run(ctx, p.log)
			return nil
		},
		func(ctx context.Context) error {
			p.services.Finding.Run(ctx, p.log)
			return nil
		},
		p.work,
	}
	if p.metricsApart() {
		parts = append(parts, p.serveMetrics)
	}
	return parts
}

// work works the job queue. A job that is cut off is done again after the next
// start, or by another process.
func (p *program) work(ctx context.Context) error {
	err := p.services.Jobs.Start(ctx)
	if err == nil {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		err = nil // of a start that was broken off
	}
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.config.ShutdownTimeout)
	defer cancel()
	return errors.Join(err, p.services.Jobs.Stop(rest))
}

// untilNoticed returns a context that ends when requests are to be refused:
// after ctx, by the time that load balancers are given to notice.
func (p *program) untilNoticed(ctx context.Context) context.Context {
	noticed, refuse := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		p.stopping.Store(true)
		p.log.Info("shutting down")
		time.AfterFunc(p.config.ShutdownDelay, refuse)
	})
	return noticed
}

func (p *program) handler() http.Handler {
	c := p.config
	pages := api.Pages{Ready: p.ready}
	if c.Metrics == MetricsOn {
		pages.Metrics = p.tel.Metrics()
	}
	return api.New(p.services, api.Options{
		Log: p.log, Registry: p.tel.Registry(), Trace: p.tel.Trace(), Now: Clock,
		Trusted: c.TrustedProxies, Origins: c.CORSOrigins,
		Limits:      edge.Limits{Account: c.RateLimit, Anonymous: c.RateLimitAnonymous},
		MaxInFlight: c.MaxInFlight, MaxUpload: c.MaxUpload, Pages: pages,
	})
}

func (p *program) metricsApart() bool {
	return p.config.Metrics != MetricsOn && p.config.Metrics != MetricsOff
}

// serveMetrics serves the metrics and probes where only those reach them who
// are to.
func (p *program) serveMetrics(ctx context.Context) error {
	handler := api.Probes(api.Pages{Ready: p.ready, Metrics: p.tel.Metrics()})
	err := edge.Serve(ctx, edge.Server{Addr: p.config.Metrics, Handler: handler, Log: p.log, Drain: time.Second})
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

// mayListen fails if addr is not free.
func mayListen(ctx context.Context, addr string) error {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("HELPD_ADDR: %w", err)
	}
	return ln.Close()
}

// baseURL is where somebody on this machine finds what listens on a.
func baseURL(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return "http://" + a.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, fmt.Sprint(tcp.Port))
}
