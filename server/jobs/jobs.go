// Package jobs does work after the request that asked for it: a queue in
// PostgreSQL, enqueued in the caller's transaction, with retries, periodic work
// and bulk operations whose progress callers can follow. It does not know what
// the work is.
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/postgres"
)

const (
	// softStop is how long Stop lets a job run on before its context ends.
	softStop = 20 * time.Second
	// Jobs that were inserted within fetchCooldown of a fetch wait for the next:
	// 5 ms let 14,000 jobs a second through, the default of 100 ms 2,000.
	fetchCooldown = 5 * time.Millisecond
	// fetchPoll is how late a job may start whose notification got lost, as all
	// do that are inserted within fetchCooldown of another.
	fetchPoll = 200 * time.Millisecond
	// keepCompleted is how long completed jobs stay in the queue's table.
	keepCompleted = time.Hour
)

// bulkQueue is worked apart, so that bulk jobs never keep short ones waiting.
const bulkQueue = "bulk"

// ExportQueue is for work that takes minutes and reads whole accounts, of which a
// process does one at a time.
const ExportQueue = "exports"

// Service is the queue. Work is registered on it before Start.
type Service struct {
	db      *gorm.DB
	auth    *auth.Service
	now     func() time.Time
	log     *slog.Logger
	pool    *pgxpool.Pool
	client  *river.Client[pgx.Tx]
	workers *river.Workers
	alive   *presence

	operations map[string]Operation
	periodic   map[string]func(context.Context) error
	retryAfter func(attempt int) time.Duration // of a bulk job; tests do not wait

	stopping chan struct{} // closed when Stop begins
	stopOnce sync.Once
	started  bool
}

// New makes the queue of the database at dsn, which db is a handle of. Without
// Start it takes jobs in and works none.
func New(db *gorm.DB, dsn string, a *auth.Service, now func() time.Time, log *slog.Logger) (*Service, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("database address: %w", err)
	}
	// For fetching and completing jobs, not for the work itself.
	config.MaxConns = 4
	config.ConnConfig.RuntimeParams["application_name"] = "helpd jobs"
	pool, err := pgxpool.NewWithConfig(context.Background(), config) // connects at first use
	if err != nil {
		return nil, err
	}
	s := &Service{
		db: db, auth: a, now: now, log: log, pool: pool, workers: river.NewWorkers(),
		alive:      newPresence(dsn, log),
		operations: map[string]Operation{}, periodic: map[string]func(context.Context) error{},
		retryAfter: bulkRetry, stopping: make(chan struct{}),
	}
	cores := runtime.GOMAXPROCS(0)
	s.client, err = river.NewClient(riverpgxv5.New(pool), &river.Config{
		ID:                          s.alive.id,
		Logger:                      log,
		Workers:                     s.workers,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPoll,
		SoftStopTimeout:             softStop,
		CompletedJobRetentionPeriod: keepCompleted,
		// Half of the database connections are left to requests.
		Queues: map[string]river.QueueConfig{
			river.QueueDefault: {MaxWorkers: max(2, cores)},
			bulkQueue:          {MaxWorkers: max(2, cores)},
			ExportQueue:        {MaxWorkers: 1},
		},
	})
	if err != nil {
		pool.Close()
		return nil, err
	}
	river.AddWorker(s.workers, &bulkWorker{service: s})
	river.AddWorker(s.workers, &worker[periodicArgs]{run: s.runPeriodic, how: How{Timeout: 10 * time.Minute}})
	s.Every(10*time.Minute, "job statuses", s.prune)
	s.Every(time.Minute, "abandoned bulk jobs", s.failAbandoned)
	return s, nil
}

// How a kind of job is worked. The zero value is good for short work.
type How struct {
	// Timeout ends a job's context; 0 is one minute.
	Timeout time.Duration
	// Retry is how long to wait after the job failed for the attempt-th time;
	// nil is attempt⁴ seconds with jitter.
	Retry func(attempt int) time.Duration
}

// Handle registers run as the work of jobs whose arguments are a T. The context
// is of no account: run puts the account that args name into it. An error
// makes the queue try again until the job's attempts (25) are used up.
func Handle[T river.JobArgs](s *Service, how How, run func(ctx context.Context, args T) error) {
	river.AddWorker(s.workers, &worker[T]{run: run, how: how})
}

type worker[T river.JobArgs] struct {
	river.WorkerDefaults[T]
	run func(context.Context, T) error
	how How
}

func (w *worker[T]) Timeout(*river.Job[T]) time.Duration { return w.how.Timeout }

func (w *worker[T]) NextRetry(job *river.Job[T]) time.Time {
	if w.how.Retry == nil {
		return time.Time{} // the default
	}
	return time.Now().Add(w.how.Retry(job.Attempt))
}

func (w *worker[T]) Work(ctx context.Context, job *river.Job[T]) error {
	return w.run(sourced(ctx, job.Metadata), job.Args)
}

// EnqueueTx puts a job into the queue in the transaction tx: it is worked once
// tx is committed, and never if it is not. What it changes has the source that
// tx's context has. At most one opts is given.
func (s *Service) EnqueueTx(tx *gorm.DB, args river.JobArgs, opts ...river.InsertOpts) error {
	var o *river.InsertOpts
	if len(opts) > 0 {
		o = &opts[0]
	}
	if source := events.Source(tx.Statement.Context); source != "" {
		if o == nil {
			o = &river.InsertOpts{}
		}
		o.Metadata = models.ToJSON(metadata{source})
	}
	drivers, err := postgres.PgxTx(tx)
	if err == nil {
		_, err = s.client.InsertTx(tx.Statement.Context, drivers, args, o)
	}
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
	}
	return nil
}

// metadata is what a job has from whoever enqueued it.
type metadata struct {
	Source string `json:"source"` // see events.WithSource
}

// sourced is ctx with the source of the change that a job follows on.
func sourced(ctx context.Context, raw []byte) context.Context {
	var m metadata
	if json.Unmarshal(raw, &m) != nil || m.Source == "" { // the queue keeps members of its own there
		return ctx
	}
	return events.WithSource(ctx, m.Source)
}

type periodicArgs struct {
	Name string `json:"name"`
}

func (periodicArgs) Kind() string { return "periodic" }

// Every has one of all processes on the database run a function, at once when
// it becomes the leading one and then each interval, at least a second. A run
// is left out while the one before lasts; one that fails is not repeated.
func (s *Service) Every(interval time.Duration, name string, run func(ctx context.Context) error) {
	s.periodic[name] = run
	s.client.PeriodicJobs().Add(river.NewPeriodicJob(river.PeriodicInterval(interval), func() (river.JobArgs, *river.InsertOpts) {
		return periodicArgs{name}, &river.InsertOpts{MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: underWay}}
	}, &river.PeriodicJobOpts{RunOnStart: true}))
}

func (s *Service) runPeriodic(ctx context.Context, args periodicArgs) error {
	run, ok := s.periodic[args.Name]
	if !ok { // enqueued by another version of the program
		return river.JobCancel(fmt.Errorf("no periodic work %q", args.Name))
	}
	return run(ctx)
}

// Start works the queue until Stop. Jobs of processes that ended without Stop
// go on first. It fails when the database cannot be reached.
func (s *Service) Start(ctx context.Context) error {
	if err := s.alive.start(ctx); err != nil {
		return fmt.Errorf("start the job queue: %w", err)
	}
	if err := s.alive.rescue(ctx, s.pool); err != nil {
		s.alive.stop()
		return fmt.Errorf("take over jobs: %w", err)
	}
	// Not ctx itself: the end of it must not stop jobs before requests are done.
	if err := s.client.Start(context.WithoutCancel(ctx)); err != nil {
		s.alive.stop()
		return fmt.Errorf("start the job queue: %w", err)
	}
	s.started = true
	s.alive.watch(s.pool)
	return nil
}

// Stop takes no more jobs and waits for those that run, for at most 20 s or
// until ctx ends; what is cut off then is done again by another process or
// after the next start. A bulk job stops behind its current item. The service
// is not used afterwards.
func (s *Service) Stop(ctx context.Context) error {
	var err error
	s.stopOnce.Do(func() {
		close(s.stopping)
		if s.started {
			if err = s.client.Stop(ctx); err != nil {
				hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
				defer cancel()
				err = errors.Join(err, s.client.StopAndCancel(hard))
			}
		}
		s.alive.stop()
		s.pool.Close()
	})
	return err
}
