package search

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Tables and columns that writers of records add rows to.
const (
	Fresh          = "search_fresh"
	FreshColumns   = "account_id, kind, record_id, doc"
	Pending        = "search_pending"
	PendingColumns = "account_id, kind, record_id"
)

// Values are a new document's, for FreshColumns.
func (d *Document) Values() []any { return []any{d.Account, string(d.Kind), d.ID, d.pack()} }

// Index keeps the documents. A new ticket's is written by the save that makes it.
// Whatever else changes a text leaves a note in the same transaction; what is noted
// is made anew right after, and in any case before the next search. Documents are
// fresh at first, which a search goes through one by one; when there are many, or
// some seconds later, they become a run, in which words are looked up.
type Index struct {
	db    *gorm.DB
	turns [64]chan struct{} // by stock; several may share one

	lately *lately
}

// NewIndex makes the index on db.
func NewIndex(db *gorm.DB) *Index {
	x := &Index{db: db, lately: newLately()}
	for i := range x.turns {
		x.turns[i] = make(chan struct{}, 1)
	}
	return x
}

const (
	// pendingAtOnce is how many notes one transaction works off.
	pendingAtOnce = 500
	// patience is how long a search waits for documents to be made, and helps to
	// make them.
	patience = 20 * time.Second
	// idle is how long nobody looks for notes when there were none.
	idle = 250 * time.Millisecond
	// settled is how long documents are fresh when there are few.
	settled = 5 * time.Second
)

// stock is what there is of a kind in an account. Each is worked on by itself: what is
// looked for among tickets waits for no articles.
type stock struct {
	account int64
	kind    Kind
}

// CatchUp makes the documents of an account, of some kinds, whose notes are there when
// it is called. It fails with fault.Unavailable if these are too many to wait for, as
// right after an update of helpd that made the index.
func (x *Index) CatchUp(ctx context.Context, account int64, kinds ...Kind) error {
	return x.settle(ctx, account, kinds, patience)
}

// Settle is CatchUp however long it takes; for all kinds if none is named.
func (x *Index) Settle(ctx context.Context, account int64, kinds ...Kind) error {
	if len(kinds) == 0 {
		kinds = append(slices.Clone(Kinds), Article)
	}
	return x.settle(ctx, account, kinds, math.MaxInt64)
}

// due is what is left to do of a stock: its latest note, 0 for none, and how many of
// its documents are fresh, up to tooManyFresh.
type due struct {
	stock
	last  int64
	fresh int
}

func (x *Index) settle(ctx context.Context, account int64, kinds []Kind, patience time.Duration) error {
	began := time.Now()
	names := make(models.Strings, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	var behind []due
	err := postgres.Rows(x.db.WithContext(ctx), `SELECT k.kind, coalesce((SELECT p.id FROM search_pending p WHERE p.account_id = ? AND p.kind = k.kind ORDER BY p.id DESC LIMIT 1), 0),
		(SELECT count(*) FROM (SELECT FROM search_fresh f WHERE f.account_id = ? AND f.kind = k.kind LIMIT ?) f) FROM unnest(?::text[]) AS k(kind)`,
		[]any{account, account, tooManyFresh, names}, func(row postgres.Scanned) error {
			d := due{stock: stock{account: account}}
			err := row.Scan((*string)(&d.kind), &d.last, &d.fresh)
			behind = append(behind, d)
			return err
		})
	for _, d := range behind {
		for next := int64(1); err == nil && (next != 0 && next <= d.last || d.fresh >= tooManyFresh); {
			if time.Since(began) > patience {
				return &fault.Error{Kind: fault.Unavailable, RetryAfter: 10 * time.Second, Message: "The index is being built. Try again later."}
			}
			next, err = x.help(ctx, &d, next)
		}
	}
	return err
}

// help does a part of what is due, and returns the first note that is left as work
// does.
func (x *Index) help(ctx context.Context, d *due, next int64) (int64, error) {
	end, err := x.turn(ctx, d.stock)
	if err != nil {
		return next, err
	}
	defer end()
	if d.fresh >= tooManyFresh {
		d.fresh = 0
		return next, x.flush(ctx, d.stock)
	}
	next, made, err := x.work(ctx, d.stock, true)
	d.fresh += made
	return next, err
}

// turn waits until nobody else in this process works on a stock, or waits for another
// process that does: so many searches at a time take one connection and not all. Who
// stands in a transaction has one already, and perhaps the lock.
func (x *Index) turn(ctx context.Context, of stock) (end func(), err error) {
	if postgres.Pinned(ctx) {
		return func() {}, nil
	}
	turn := x.turns[uint64(of.key())%uint64(len(x.turns))]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Read runs f in a transaction that sees one state of an account's index of a kind: as
// OneState says, or, where ctx carries a transaction that sees what others commit
// meanwhile, so that they make no documents and runs until that ends.
func (x *Index) Read(ctx context.Context, account int64, kind Kind, f func(tx *gorm.DB) error) error {
	return x.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if postgres.Pinned(ctx) {
			if err := lock(tx, stock{account, kind}); err != nil {
				return err
			}
		}
		return f(tx)
	}, OneState)
}

// Run makes documents, and runs of these, until ctx is done.
func (x *Index) Run(ctx context.Context, log *slog.Logger) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	var last time.Time // that all were made runs
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		pause := idle
		more, err := x.workAll(ctx)
		if err == nil {
			many := manyFresh
			if time.Since(last) > settled {
				many, last = 1, time.Now()
			}
			err = x.flushAll(ctx, many)
		}
		switch {
		case err != nil && ctx.Err() == nil:
			log.WarnContext(ctx, "search index", "error", err)
			pause = 10 * idle
		case more:
			pause = 0
		}
		wait.Reset(pause)
	}
}

// stocksOf finds, one after the other, the stocks that have rows in a table.
func stocksOf(table string) string {
	return `WITH RECURSIVE stocks AS (
	(SELECT account_id, kind FROM ` + table + ` ORDER BY account_id, kind LIMIT 1)
	UNION ALL SELECT n.account_id, n.kind FROM stocks s CROSS JOIN LATERAL (
		SELECT t.account_id, t.kind FROM ` + table + ` t WHERE (t.account_id, t.kind) > (s.account_id, s.kind) ORDER BY t.account_id, t.kind LIMIT 1) n)
	SELECT account_id, kind FROM stocks`
}

// stocksOfFresh are those with so many documents in no run.
var stocksOfFresh = stocksOf("search_fresh") + ` WHERE (SELECT count(*) FROM (SELECT FROM search_fresh f WHERE f.account_id = stocks.account_id AND f.kind = stocks.kind LIMIT ?) f) >= ?`

// flushAll makes runs of the fresh documents of stocks that have so many.
func (x *Index) flushAll(ctx context.Context, many int) error {
	list, err := x.stocks(ctx, stocksOfFresh, many, many)
	for _, of := range list {
		if err == nil {
			err = x.flush(ctx, of)
		}
	}
	return err
}

func (x *Index) stocks(ctx context.Context, query string, args ...any) (list []stock, err error) {
	err = postgres.Rows(x.db.WithContext(postgres.AcrossAccounts(ctx)), query, args, func(row postgres.Scanned) error {
		list = append(list, stock{})
		of := &list[len(list)-1]
		return row.Scan(&of.account, (*string)(&of.kind))
	})
	return list, err
}

// workAll works off some notes of each stock and reports whether there are more.
func (x *Index) workAll(ctx context.Context) (more bool, err error) {
	list, err := x.stocks(ctx, stocksOf("search_pending"))
	for _, of := range list {
		next, _, workErr := x.work(ctx, of, false)
		if workErr != nil {
			return more, workErr
		}
		more = more || next != 0
	}
	return more, err
}

// lockClass tells the locks of the index from other advisory locks.
const lockClass int64 = 0x5EA2

// key is that of the stock's advisory lock. No two kinds begin with the same letter.
func (of stock) key() int64 { return lockClass<<48 | int64(of.kind[0])<<40 | of.account }

// lock has one process at a time work on a stock, or an older text might be written
// over a newer one. It waits for another.
func lock(tx *gorm.DB, of stock) error {
	var mine bool
	_, err := postgres.Row(tx, "SELECT pg_advisory_xact_lock(?) IS NOT NULL", []any{of.key()}, &mine)
	return err
}

// work works off the oldest notes of a stock. It returns the first note that is left,
// 0 if there is none, and how many documents it made. If another process is at work it
// waits, or else returns at once.
func (x *Index) work(ctx context.Context, of stock, wait bool) (next int64, made int, err error) {
	ctx = postgres.WithAccount(ctx, of.account)
	err = x.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if wait {
			if err := lock(tx, of); err != nil {
				return err
			}
		} else {
			var mine bool
			if _, err := postgres.Row(tx, "SELECT pg_try_advisory_xact_lock(?)", []any{of.key()}, &mine); err != nil || !mine {
				return err
			}
		}
		return x.workTx(tx, of, &next, &made)
	})
	return next, made, err
}

func (x *Index) workTx(tx *gorm.DB, of stock, next *int64, made *int) error {
	var notes, records, erased models.IDs
	err := postgres.Rows(tx, "SELECT id, record_id, erase FROM search_pending WHERE account_id = ? AND kind = ? ORDER BY id LIMIT ?", []any{of.account, string(of.kind), pendingAtOnce + 1}, func(row postgres.Scanned) error {
		var note, record int64
		var erase bool
		if err := row.Scan(&note, &record, &erase); err != nil {
			return err
		}
		if len(notes) == pendingAtOnce {
			*next = note
			return nil
		}
		notes = append(notes, note)
		if !slices.Contains(records, record) {
			records = append(records, record)
		}
		if erase {
			erased = append(erased, record)
		}
		return nil
	})
	if err != nil || len(notes) == 0 {
		return err
	}
	if err := makeTx(tx, of.account, of.kind, records, erased); err != nil {
		return fmt.Errorf("index %s: %w", of.kind, err)
	}
	*made = len(records)
	return postgres.Exec(tx, "DELETE FROM search_pending WHERE account_id = ? AND kind = ? AND id = ANY(?::bigint[])", []any{of.account, string(of.kind), notes})
}

// makeTx makes the documents of records anew. Records that are gone have none.
func makeTx(tx *gorm.DB, account int64, kind Kind, ids, erased models.IDs) error {
	docs, err := read(tx, account, kind, ids)
	if err != nil {
		return err
	}
	packed := make([][]byte, len(ids))
	erase := make([]bool, len(ids))
	for i, id := range ids {
		if d, ok := docs[id]; ok {
			packed[i] = d.pack()
		}
		erase[i] = slices.Contains(erased, id)
	}
	return postgres.Exec(tx, putFresh, []any{account, string(kind), ids, packed, erase})
}

const putFresh = `INSERT INTO search_fresh AS f (account_id, kind, record_id, doc, erase)
	SELECT ?::bigint, ?::text, n.id, n.doc, n.erase FROM unnest(?::bigint[], ?::bytea[], ?::boolean[]) AS n(id, doc, erase) ORDER BY n.id
	ON CONFLICT (account_id, kind, record_id) DO UPDATE SET doc = EXCLUDED.doc, erase = f.erase OR EXCLUDED.erase`

// DropTx removes a record's document at once, and soon its words from the runs. Its
// other writers remove it, or make it anew, when they come to it.
func DropTx(tx *gorm.DB, account int64, kind Kind, id int64) error {
	return postgres.Exec(tx, putFresh, []any{account, string(kind), models.IDs{id}, [][]byte{nil}, []bool{true}})
}

// values are those of custom fields that are words: no truth values.
func values(raw []byte) (out []string) {
	var fields map[string]any
	if json.Unmarshal(raw, &fields) != nil { // written by ourselves
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(fields)) {
		switch v := fields[key].(type) {
		case string:
			out = append(out, v)
		case []any:
			for _, one := range v {
				if text, ok := one.(string); ok {
					out = append(out, text)
				}
			}
		}
	}
	return out
}
