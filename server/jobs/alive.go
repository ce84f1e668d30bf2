package jobs

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/rivertype"
)

// underWay are the states of a job that is still to be worked.
var underWay = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

const (
	// presenceClass is the first half of the advisory locks that processes hold.
	presenceClass = 0x68656c70 // "help"
	// checkEvery is how often a process makes sure of its own lock and looks
	// for those that others left.
	checkEvery = time.Second
)

// presence shows other processes that this one lives, so that they take over
// its jobs at once when it does not. The queue's own means is to wait until a
// job has run for an hour.
//
// It is an advisory lock, which ends with the connection however the process
// ends. A transaction that stays open holds it, and not the session, so that
// it works through a proxy that pools transactions; having no snapshot, the
// transaction keeps no vacuum back.
type presence struct {
	id  string // of the process, as the queue notes it on jobs: helpd-<key>
	key int32
	dsn string
	log *slog.Logger

	conn   *pgx.Conn // of the goroutine of watch, while that runs
	cancel context.CancelFunc
	done   chan struct{}
}

func newPresence(dsn string, log *slog.Logger) *presence {
	var b [4]byte
	_, _ = rand.Read(b[:])
	key := int32(binary.BigEndian.Uint32(b[:]) >> 1)
	return &presence{id: fmt.Sprintf("helpd-%d", key), key: key, dsn: dsn, log: log}
}

func (p *presence) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	config, err := pgx.ParseConfig(p.dsn)
	if err != nil {
		return err
	}
	config.RuntimeParams["application_name"] = "helpd presence"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	// A machine that vanishes is noticed within half a minute.
	_, err = conn.Exec(ctx, `BEGIN READ ONLY;
		SET LOCAL idle_in_transaction_session_timeout = 0;
		SET LOCAL tcp_keepalives_idle = 10;
		SET LOCAL tcp_keepalives_interval = 5;
		SET LOCAL tcp_keepalives_count = 4`)
	if err == nil {
		_, err = conn.Exec(ctx, "SELECT pg_advisory_xact_lock($1::int, $2::int)", presenceClass, p.key)
	}
	if err != nil {
		_ = conn.Close(ctx)
		return err
	}
	p.conn = conn
	return nil
}

// watch keeps the lock and takes over the jobs of processes without one, until
// stop.
func (p *presence) watch(pool *pgxpool.Pool) {
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel, p.done = cancel, make(chan struct{})
	go func() {
		defer close(p.done)
		tick := time.NewTicker(checkEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			err := p.hold(ctx)
			if err == nil {
				err = p.rescue(ctx, pool)
			}
			if err != nil && ctx.Err() == nil {
				p.log.WarnContext(ctx, "watch over the job queue's processes", "error", err)
			}
		}
	}()
}

// hold takes the lock again if the connection broke.
func (p *presence) hold(ctx context.Context) error {
	ping, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := p.conn.Exec(ping, "SELECT 1")
	if err == nil {
		return nil
	}
	_ = p.conn.Close(ping)
	return p.start(ctx)
}

func (p *presence) stop() {
	if p.cancel != nil {
		p.cancel()
		<-p.done
	}
	if p.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = p.conn.Close(ctx)
	}
}

// living are the ids of the processes that hold their lock in this database.
const living = `ARRAY(SELECT 'helpd-' || objid FROM pg_locks
	WHERE locktype = 'advisory' AND classid = $1::int::oid AND objsubid = 2 AND granted
	AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))`

// Living is SQL: an array of the ids of the processes that live, for those who
// take over the work of others. A process is among them a moment after Start.
func Living() string { return strings.ReplaceAll(living, "$1", strconv.Itoa(presenceClass)) }

// Process is the id of this process in Living.
func (s *Service) Process() string { return s.alive.id }

// rescue gives back the jobs that ended processes were at, and the leadership
// that one of them had. A job without attempts left, which may have been what
// ended them, is given up.
func (p *presence) rescue(ctx context.Context, pool *pgxpool.Pool) error {
	tag, err := pool.Exec(ctx, `
		UPDATE river_job SET
			state = CASE WHEN attempt < max_attempts THEN 'available' ELSE 'discarded' END::river_job_state,
			finalized_at = CASE WHEN attempt < max_attempts THEN NULL ELSE now() END,
			scheduled_at = now(),
			errors = array_append(errors, jsonb_build_object('at', now(), 'attempt', attempt,
				'error', 'the process at work ended', 'trace', ''))
		WHERE state = 'running' AND attempted_by[cardinality(attempted_by)] LIKE 'helpd-%'
			AND attempted_by[cardinality(attempted_by)] <> ALL (`+living+`)`, presenceClass)
	if err != nil {
		return err
	}
	if n := tag.RowsAffected(); n > 0 {
		p.log.InfoContext(ctx, "took over jobs of ended processes", "jobs", n)
	}
	_, err = pool.Exec(ctx, "DELETE FROM river_leader WHERE leader_id LIKE 'helpd-%' AND leader_id <> ALL ("+living+")", presenceClass)
	return err
}
