package events_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

var quiet = slog.New(slog.DiscardHandler)

func clock() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// running is a log as a process of its own runs it, until the test ends.
func running(t *testing.T, dsn string) *events.Log {
	t.Helper()
	l := events.NewLog(testdb.Open(t, dsn), clock, quiet)
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { l.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
	return l
}

func by(account int64) events.By { return events.By{AccountID: account, ActorID: 1, At: clock()} }

// appendTx appends events about a ticket that say the numbers.
func appendTx(tx *gorm.DB, account, ticket int64, numbers ...int) error {
	var list []events.Event
	for _, n := range numbers {
		list = append(list, events.Event{Type: "ticket.noted", Change: map[string]int{"n": n}})
	}
	return events.AppendTx(tx, by(account), "ticket", ticket, list...)
}

// However transactions overlap, a reader that follows misses none of what is
// committed and sees nothing twice, and one record's events come in order.
func TestReadersMissNothing(t *testing.T) {
	t.Parallel()
	const writers, each = 16, 30
	dsn := testdb.DSN(t)
	first, second := running(t, dsn), running(t, dsn) // two processes
	db := testdb.Open(t, dsn)
	if err := db.Exec("CREATE TABLE copies (seq bigint PRIMARY KEY, subject text, n int)").Error; err != nil {
		t.Fatal(err)
	}
	// Followers of one name get each event once between them.
	ctx, cancel := context.WithCancel(t.Context())
	var followers sync.WaitGroup
	ready := make(chan struct{}, 2)
	for _, l := range []*events.Log{first, second} {
		followers.Go(func() {
			ready <- struct{}{}
			l.Follow(ctx, events.Follower{Name: "copy", Wants: "TRUE", Take: func(tx *gorm.DB, list []events.Logged) error {
				if rand.IntN(4) == 0 { // what was begun is not kept
					if err := copyTx(tx, list[:1]); err != nil {
						return err
					}
					return context.DeadlineExceeded
				}
				return copyTx(tx, list)
			}})
		})
	}
	var others atomic.Int64 // that one is given who wants those of one ticket
	followers.Go(func() {
		first.Follow(ctx, events.Follower{Name: "choosy", Wants: "e.subject = 'zen:ticket:1'", Take: func(_ *gorm.DB, list []events.Logged) error {
			for _, e := range list {
				if e.Subject != "zen:ticket:1" {
					t.Errorf("who wants those of one ticket was given %s", e.Subject)
				}
			}
			others.Add(int64(len(list)))
			return nil
		}})
	})
	defer func() {
		cancel()
		followers.Wait()
	}()
	<-ready
	<-ready
	until(t, "followers begin", func() bool { return number(t, db, "SELECT count(*) FROM event_readers") == 2 })

	var all sync.WaitGroup
	written := make([][]string, writers)
	for w := range writers {
		all.Go(func() {
			for i := range each {
				rollback := rand.IntN(8) == 0
				numbers := []int{3 * i, 3*i + 1, 3*i + 2}[:1+i%3]
				err := db.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error {
					if err := appendTx(tx, 1+int64(w%2), int64(w), numbers...); err != nil {
						return err
					}
					if err := tx.Exec("SELECT pg_sleep(?)", rand.Float64()/50).Error; err != nil {
						return err
					}
					if rollback {
						return context.Canceled
					}
					return nil
				})
				if (err != nil) != rollback {
					t.Errorf("writer %d: %v", w, err)
				}
				for _, n := range numbers {
					if !rollback {
						written[w] = append(written[w], fmt.Sprint("zen:ticket:", w, " ", n))
					}
				}
			}
		})
	}
	finished := make(chan struct{})
	go func() { all.Wait(); close(finished) }()

	// A reader of each account goes on from where it was, while they write.
	got := map[string]int{}
	order := map[string][]string{}
	after := map[int64]int64{}
	read := func() {
		for account := range int64(2) {
			account++
			list, next, _, err := first.Read(t.Context(), account, events.Filter{}, after[account], 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range list {
				if e.AccountID != account || e.Seq <= after[account] {
					t.Fatalf("account %d after %d got %+v", account, after[account], e)
				}
				after[account] = e.Seq
				key := fmt.Sprint(e.Subject, " ", n(t, e))
				got[key]++
				order[e.Subject] = append(order[e.Subject], key)
			}
			after[account] = next
		}
	}
	for open := true; open; {
		select {
		case <-finished:
			open = false
		default:
		}
		read()
	}
	if _, err := second.Number(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range writers * each {
		read()
	}
	want := 0
	for w := range writers {
		want += len(written[w])
		if key := fmt.Sprint("zen:ticket:", w); !slices.Equal(order[key], written[w]) {
			t.Errorf("of %s were read %v and written %v", key, order[key], written[w])
		}
	}
	for key, times := range got {
		if times != 1 {
			t.Errorf("%s was read %d times", key, times)
		}
	}
	if len(got) != want {
		t.Errorf("%d of %d were read", len(got), want)
	}
	until(t, "followers have all", func() bool { return number(t, db, "SELECT count(*) FROM copies") == want })
	until(t, "who wants some has them", func() bool { return int(others.Load()) == len(written[1]) })
	if n := number(t, db, "SELECT count(*) FROM copies c JOIN numbered_events e USING (seq) WHERE c.subject = e.subject AND (e.change->>'n')::int = c.n"); n != want {
		t.Errorf("%d of %d copies are right", n, want)
	}
	// Times never run backwards in the order of numbers.
	if n := number(t, db, "SELECT count(*) FROM (SELECT numbered_at < lag(numbered_at) OVER (ORDER BY seq) AS back FROM event_numbers) AS e WHERE back"); n != 0 {
		t.Errorf("%d times run backwards", n)
	}
}

// Who waits only so long still hears what there is, and is never told that reading it
// failed, though each time takes a new connection.
func TestListenersWaitOnlySoLong(t *testing.T) {
	t.Parallel()
	dsn := testdb.DSN(t)
	db := testdb.Open(t, dsn)
	postgres.Pool(db).SetMaxIdleConns(-1)
	l := events.NewLog(db, clock, quiet)
	if err := db.WithContext(t.Context()).Transaction(func(tx *gorm.DB) error { return appendTx(tx, 1, 1, 0) }); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Number(t.Context()); err != nil {
		t.Fatal(err)
	}
	next := func(until time.Time, after int64) []events.Heard {
		listener := l.Listen(1)
		defer listener.Close()
		list, err := listener.Next(t.Context(), until, after)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	list := next(time.Now().Add(-time.Second), 0)
	if len(list) != 1 {
		t.Fatalf("of what there is %v is heard", list)
	}
	for n := range 200 {
		if more := next(time.Now().Add(time.Duration(n)*10*time.Microsecond), list[0].Seq); len(more) > 0 {
			t.Fatalf("of nothing %v is heard", more)
		}
	}
}

// Listeners who come at any time hear all that is numbered after their place, once
// and in order, and nothing of other accounts.
func TestListenersHearAll(t *testing.T) {
	t.Parallel()
	const listeners, writers, each = 40, 4, 50
	dsn := testdb.DSN(t)
	l, other := running(t, dsn), running(t, dsn)
	db := testdb.Open(t, dsn)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if err := appendTx(db.WithContext(t.Context()), 1+int64(w%2), int64(w), i, i+each); err != nil {
					t.Error(err)
				}
			}
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	type heard struct {
		account, start int64
		seqs           []int64
	}
	got := make([]heard, listeners)
	var hearing sync.WaitGroup
	var mu sync.Mutex
	for i := range listeners {
		hearing.Go(func() {
			h := &got[i]
			h.account = 1 + int64(i%3) // in the third nothing happens
			if i%2 == 0 {
				var err error
				if h.start, err = l.End(ctx); err != nil {
					t.Error(err)
				}
			}
			listener := l.Listen(h.account)
			defer listener.Close()
			for after := h.start; ; {
				list, err := listener.Next(ctx, time.Time{}, after)
				if err != nil {
					t.Error(err)
				}
				if len(list) == 0 {
					return
				}
				mu.Lock()
				for _, e := range list {
					h.seqs, after = append(h.seqs, e.Seq), e.Seq
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if _, err := other.Number(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		h := &got[i]
		var want []int64
		if err := db.Raw("SELECT seq FROM numbered_events WHERE account_id = ? AND seq > ? ORDER BY seq", h.account, h.start).Scan(&want).Error; err != nil {
			t.Fatal(err)
		}
		until(t, fmt.Sprint("listener ", i), func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(h.seqs) >= len(want)
		})
		mu.Lock()
		if !slices.Equal(h.seqs, want) {
			t.Errorf("listener %d heard %v, and there were %v", i, h.seqs, want)
		}
		mu.Unlock()
	}
	stop()
	hearing.Wait()
}

// Who follows numbers sees what is committed, and writes only where something is.
func TestSettlingWritesOnlyWhatIsThere(t *testing.T) {
	t.Parallel()
	db := testdb.DB(t)
	l := events.NewLog(db, time.Now, quiet)
	state := func() (at time.Time, touched, placed int) {
		t.Helper()
		if err := l.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := db.Raw("SELECT at, (SELECT count(*) FROM touched), (SELECT count(*) FROM export_positions WHERE account_id = 7) FROM event_clock").Row().Scan(&at, &touched, &placed)
		if err != nil {
			t.Fatal(err)
		}
		return at, touched, placed
	}
	first, _, _ := state()
	if at, _, _ := state(); !at.Equal(first) {
		t.Errorf("the clock went from %v to %v, and nothing was written", first, at)
	}
	if err := db.Exec("INSERT INTO touched (account_id, kind, record_id) VALUES (7, 'ticket', 1)").Error; err != nil {
		t.Fatal(err)
	}
	if at, touched, placed := state(); !at.After(first) || touched != 0 || placed != 1 {
		t.Errorf("at %v after %v: %d are left, %d have places", at, first, touched, placed)
	}
}

// Many writes at once are spread over seconds, and what comes later is behind them.
func TestASecondHasNotTooManyPlaces(t *testing.T) {
	t.Parallel()
	db := testdb.DB(t)
	now := time.Date(2036, 1, 2, 3, 4, 5, 6000, time.UTC)
	l := events.NewLog(db, func() time.Time { return now }, quiet)
	write := func(from, to int) {
		t.Helper()
		err := db.Exec("INSERT INTO touched (account_id, kind, record_id) SELECT 7, 'ticket', n FROM generate_series(?::int, ?::int) AS n", from, to).Error
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Number(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	write(1, 100)
	write(101, 2*events.PlacedPerSecond+1000)
	write(2*events.PlacedPerSecond+1001, 2*events.PlacedPerSecond+1002)
	var seconds []string
	err := db.Raw(`SELECT concat_ws(' ', to_char(date_trunc('second', generated_at) AT TIME ZONE 'UTC', 'SS'), count(*)) FROM export_positions WHERE account_id = 7 GROUP BY date_trunc('second', generated_at) ORDER BY 1`).Scan(&seconds).Error
	if err != nil || !slices.Equal(seconds, []string{"05 10000", "06 10000", "07 1002"}) {
		t.Errorf("%v, %v", seconds, err)
	}
	var wrong int
	err = db.Raw("SELECT count(*) FROM (SELECT record_id, row_number() OVER (ORDER BY generated_at, seq) AS n FROM export_positions WHERE account_id = 7) AS p WHERE record_id <> n").Row().Scan(&wrong)
	if err != nil || wrong > 0 {
		t.Errorf("%d are not in the order of the writes, %v", wrong, err)
	}
	now = now.Add(time.Minute)
	write(1, 1)
	var at time.Time
	if err := db.Raw("SELECT generated_at FROM export_positions WHERE account_id = 7 AND record_id = 1").Row().Scan(&at); err != nil || !at.Equal(now) {
		t.Errorf("when the clock has caught up it is %v, %v", at, err)
	}
}

// What a page leaves out does not make it longer, and every page ends.
func TestFilteredReading(t *testing.T) {
	t.Parallel()
	db := testdb.DB(t)
	l := events.NewLog(db, clock, quiet)
	err := db.Exec(`INSERT INTO event_batches (account_id, types, subject, subject_id, actor_id, source_id, detail, changes, created_at)
		SELECT 7, ARRAY['zen:event-type:' || CASE WHEN n % 5999 = 0 THEN 'user.name_changed' ELSE 'ticket.a_b' END], 'zen:ticket:' || n, n, 1,
			CASE n % 2 WHEN 0 THEN 'even' END, '{}', '[{}]', now() FROM generate_series(1, 11999) n`).Error
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Number(t.Context()); err != nil {
		t.Fatal(err)
	}
	walk := func(f events.Filter, limit int) (ids []int64, pages int) {
		t.Helper()
		for after, more := int64(0), true; more; pages++ {
			var list []events.Logged
			was := after
			if list, after, more, err = l.Read(t.Context(), 7, f, after, limit); err != nil {
				t.Fatal(err)
			}
			if more && after <= was || len(list) > limit {
				t.Fatalf("page %d: %d of %d, from %d to %d", pages, len(list), limit, was, after)
			}
			for _, e := range list {
				if !f.Has(&e) {
					t.Errorf("%+v is not in %+v", e, f)
				}
				ids = append(ids, e.SubjectID)
			}
		}
		return ids, pages
	}
	for _, c := range []struct {
		f     events.Filter
		limit int
		want  []int64 // nil: as many as n
		n     int
		pages int
	}{
		{f: events.Filter{}, limit: 5000, n: 11999, pages: 3},
		{f: events.Filter{Types: []string{"zen:event-type:user.*"}}, limit: 10, want: []int64{5999, 11998}, pages: 6},
		{f: events.Filter{Types: []string{"zen:event-type:ticket.aab"}}, limit: 10, want: []int64{}, pages: 6}, // _ is itself
		{f: events.Filter{Subjects: []string{"zen:ticket:12", "zen:ticket:7000"}}, limit: 1, want: []int64{12, 7000}, pages: 6},
		{f: events.Filter{Subjects: []string{"zen:user:*"}}, limit: 1, want: []int64{}, pages: 6},
		{f: events.Filter{Except: []string{"even"}}, limit: 3000, n: 6000, pages: 6},
	} {
		ids, pages := walk(c.f, c.limit)
		if c.want != nil {
			c.n = len(c.want)
		}
		if len(ids) != c.n || c.want != nil && !slices.Equal(ids, c.want) || pages != c.pages || !slices.IsSorted(ids) {
			t.Errorf("%+v by %d: %d events %.5v on %d pages, want %d %v on %d", c.f, c.limit, len(ids), ids, pages, c.n, c.want, c.pages)
		}
	}
}

// What one save tells is read from wherever a page ends, each with its own state of
// the record.
func TestLongSavesAreReadByPages(t *testing.T) {
	t.Parallel()
	db := testdb.DB(t)
	l := events.NewLog(db, clock, quiet)
	var list []events.Event
	for n := range 150 {
		kind := "ticket.even"
		if n%2 == 1 {
			kind = "ticket.odd"
		}
		list = append(list, events.Event{Type: kind, Detail: map[string]int{"state": n / 100}, Change: map[string]int{"n": n}})
	}
	tx := db.WithContext(t.Context())
	if err := events.AppendTx(tx, by(7), "ticket", 1, list...); err != nil {
		t.Fatal(err)
	}
	var about []events.About
	for i, e := range list[:3] {
		about = append(about, events.About{ID: int64(2 + i/2), Event: e})
	}
	if err := events.AppendAllTx(tx, by(7), "ticket", about); err != nil {
		t.Fatal(err)
	}
	if err := events.AppendAllTx(tx, by(7), "ticket", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Number(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := number(t, db, "SELECT count(*) FROM event_batches"); n != 3+2 { // of 64, 36 and 50; the others
		t.Errorf("they are in %d rows", n)
	}
	all, _, _, err := l.Read(t.Context(), 7, events.Filter{}, 0, 1000)
	if err != nil || len(all) != 153 {
		t.Fatalf("%d, %v", len(all), err)
	}
	ids := map[int64]bool{}
	for i, e := range all {
		ids[e.ID] = true
		want := list[i%150]
		if e.Type != events.TypePrefix+want.Type || n(t, e) != i%150 || string(e.Detail) != fmt.Sprintf(`{"state":%d}`, i%150/100) || e.SubjectID != []int64{1, 2, 2, 3}[max(0, i-149)] {
			t.Errorf("event %d is %+v", i, e)
		}
		if i > 0 && e.Seq != all[i-1].Seq+1 {
			t.Errorf("%d comes after %d", e.Seq, all[i-1].Seq)
		}
	}
	if len(ids) != len(all) {
		t.Errorf("%d events have %d ids", len(all), len(ids))
	}
	odd := events.Filter{Types: []string{"zen:event-type:ticket.odd"}}
	for i, e := range all {
		rest, _, more, err := l.Read(t.Context(), 7, events.Filter{}, e.Seq, 7)
		if want := all[i+1:]; err != nil || len(rest) != min(7, len(want)) || more != (len(want) > 7) || len(rest) > 0 && rest[0].ID != want[0].ID {
			t.Errorf("after event %d come %d (%t), %v", i, len(rest), more, err)
		}
		if rest, _, _, err = l.Read(t.Context(), 7, odd, e.Seq, 1); err != nil || i < 149 && (len(rest) != 1 || rest[0].Seq != all[i+1+i%2].Seq) {
			t.Errorf("after event %d the next odd one is %+v, %v", i, rest, err)
		}
	}
}

// Redactions change what they name, and nothing beside it.
func TestRewriting(t *testing.T) {
	t.Parallel()
	db := testdb.DB(t)
	tx := db.WithContext(t.Context())
	for ticket := range int64(3) {
		if err := appendTx(tx, 7, ticket, 1, 2, 3, 2); err != nil {
			t.Fatal(err)
		}
	}
	if err := appendTx(tx, 8, 1, 2); err != nil {
		t.Fatal(err)
	}
	err := events.RewriteTx(tx, events.Rewriting{
		AccountID: 7, Kind: "ticket", IDs: []int64{0, 1}, Where: "type LIKE '%noted' AND change->>'n' = @n",
		To: "jsonb_set(change::jsonb, '{n}', to_jsonb(CAST(@now AS text)))::json", Args: map[string]any{"n": "2", "now": "none"},
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := db.Raw("SELECT account_id || ' ' || subject_id || ': ' || string_agg(change->>'n', ' ' ORDER BY id) FROM events GROUP BY account_id, subject_id ORDER BY 1").Scan(&got).Error; err != nil {
		t.Fatal(err)
	}
	if want := []string{"7 0: 1 none 3 none", "7 1: 1 none 3 none", "7 2: 1 2 3 2", "8 1: 2"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func copyTx(tx *gorm.DB, list []events.Logged) error {
	for _, e := range list {
		if err := tx.Exec("INSERT INTO copies VALUES (?, ?, (?::json->>'n')::int)", e.Seq, e.Subject, string(e.Change)).Error; err != nil {
			return err
		}
	}
	return nil
}

func n(t *testing.T, e events.Logged) (n int) {
	t.Helper()
	if _, err := fmt.Sscanf(string(e.Change), `{"n":%d}`, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func number(t *testing.T, db *gorm.DB, query string, args ...any) (n int) {
	t.Helper()
	if _, err := postgres.Row(db.WithContext(t.Context()), query, args, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// until waits for a condition on rows, for half a minute at most.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}
