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
type Index struct{ db *gorm.DB }

// NewIndex makes the index on db.
func NewIndex(db *gorm.DB) *Index { return &Index{db} }

const (
	// pendingAtOnce is how many notes one transaction works off.
	pendingAtOnce = 500
	// patience is how long a search waits for documents to be made.
	patience = 5 * time.Second
	// idle is how long nobody looks for notes when there were none.
	idle = 250 * time.Millisecond
	// settled is how long documents are fresh when there are few.
	settled = 5 * time.Second
)

// CatchUp makes the documents of an account whose notes are there when it is
// called. It fails with fault.Unavailable if these are too many to wait for, as
// right after an update of helpd that made the index.
func (x *Index) CatchUp(ctx context.Context, account int64) error {
	return x.settle(ctx, account, patience)
}

// Settle is CatchUp however long it takes.
func (x *Index) Settle(ctx context.Context, account int64) error {
	return x.settle(ctx, account, math.MaxInt64)
}

func (x *Index) settle(ctx context.Context, account int64, patience time.Duration) error {
	var last *int64
	var fresh int
	_, err := postgres.Row(x.db.WithContext(ctx), `SELECT (SELECT id FROM search_pending WHERE account_id = ? ORDER BY id DESC LIMIT 1),
		(SELECT count(*) FROM (SELECT FROM search_fresh WHERE account_id = ? LIMIT ?) f)`, []any{account, account, tooManyFresh}, &last, &fresh)
	next := int64(1)
	for began := time.Now(); err == nil && (last != nil && next != 0 && next <= *last || fresh >= tooManyFresh); {
		if time.Since(began) > patience {
			return &fault.Error{Kind: fault.Unavailable, RetryAfter: 10 * time.Second, Message: "The index is being built. Try again later."}
		}
		if fresh >= tooManyFresh {
			fresh, err = 0, x.flush(ctx, account)
			continue
		}
		var made int
		next, made, err = x.work(ctx, account, true)
		fresh += made
	}
	return err
}

// Read runs f in a transaction that sees one state of an account's index: as OneState
// says, or, where ctx carries a transaction that sees what others commit meanwhile, so
// that they make no documents and runs until that ends.
func (x *Index) Read(ctx context.Context, account int64, f func(tx *gorm.DB) error) error {
	return x.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if postgres.Pinned(ctx) {
			if err := lock(tx, account); err != nil {
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

// accountsOfFresh finds, one after the other, the accounts with documents in no run,
// and how many, up to a number.
const accountsOfFresh = `WITH RECURSIVE waiting AS (
	(SELECT account_id FROM search_fresh ORDER BY account_id LIMIT 1)
	UNION ALL SELECT (SELECT f.account_id FROM search_fresh f WHERE f.account_id > waiting.account_id ORDER BY f.account_id LIMIT 1)
	FROM waiting WHERE waiting.account_id IS NOT NULL)
	SELECT account_id FROM waiting WHERE account_id IS NOT NULL AND (SELECT count(*) FROM (SELECT FROM search_fresh f WHERE f.account_id = waiting.account_id LIMIT ?) f) >= ?`

// flushAll makes runs of the fresh documents of accounts that have so many.
func (x *Index) flushAll(ctx context.Context, many int) error {
	accounts, err := x.accounts(ctx, accountsOfFresh, many, many)
	for _, account := range accounts {
		if err == nil {
			err = x.flush(ctx, account)
		}
	}
	return err
}

func (x *Index) accounts(ctx context.Context, query string, args ...any) (list []int64, err error) {
	err = postgres.Rows(x.db.WithContext(postgres.AcrossAccounts(ctx)), query, args, func(row postgres.Scanned) error {
		list = append(list, 0)
		return row.Scan(&list[len(list)-1])
	})
	return list, err
}

// accountsOfNotes finds, one after the other, the accounts with notes.
const accountsOfNotes = `WITH RECURSIVE noted AS (
	(SELECT account_id FROM search_pending ORDER BY account_id LIMIT 1)
	UNION ALL SELECT (SELECT p.account_id FROM search_pending p WHERE p.account_id > noted.account_id ORDER BY p.account_id LIMIT 1)
	FROM noted WHERE noted.account_id IS NOT NULL)
	SELECT account_id FROM noted WHERE account_id IS NOT NULL`

// workAll works off some notes of each account and reports whether there are more.
func (x *Index) workAll(ctx context.Context) (more bool, err error) {
	accounts, err := x.accounts(ctx, accountsOfNotes)
	for _, account := range accounts {
		next, _, workErr := x.work(ctx, account, false)
		if workErr != nil {
			return more, workErr
		}
		more = more || next != 0
	}
	return more, err
}

// lockClass tells the locks of the index from other advisory locks.
const lockClass int64 = 0x5EA2

// lock has one process at a time work on an account's index, or an older text might
// be written over a newer one. It waits for another.
func lock(tx *gorm.DB, account int64) error {
	var mine bool
	_, err := postgres.Row(tx, "SELECT pg_advisory_xact_lock(?) IS NOT NULL", []any{lockClass<<48 | account}, &mine)
	return err
}

// work works off the oldest notes of an account. It returns the first note that is
// left, 0 if there is none, and how many documents it made. If another process is at
// work it waits, or else returns at once.
func (x *Index) work(ctx context.Context, account int64, wait bool) (next int64, made int, err error) {
	ctx = postgres.WithAccount(ctx, account)
	err = x.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if wait {
			if err := lock(tx, account); err != nil {
				return err
			}
		} else {
			var mine bool
			if _, err := postgres.Row(tx, "SELECT pg_try_advisory_xact_lock(?)", []any{lockClass<<48 | account}, &mine); err != nil || !mine {
				return err
			}
		}
		return x.workTx(tx, account, &next, &made)
	})
	return next, made, err
}

func (x *Index) workTx(tx *gorm.DB, account int64, next *int64, made *int) error {
	var notes models.IDs
	records := map[Kind]models.IDs{}
	erased := map[Kind]models.IDs{}
	err := postgres.Rows(tx, "SELECT id, kind, record_id, erase FROM search_pending WHERE account_id = ? ORDER BY id LIMIT ?", []any{account, pendingAtOnce + 1}, func(row postgres.Scanned) error {
		var note, record int64
		var kind string
		var erase bool
		if err := row.Scan(&note, &kind, &record, &erase); err != nil {
			return err
		}
		if len(notes) == pendingAtOnce {
			*next = note
			return nil
		}
		notes = append(notes, note)
		if !slices.Contains(records[Kind(kind)], record) {
			records[Kind(kind)] = append(records[Kind(kind)], record)
		}
		if erase {
			erased[Kind(kind)] = append(erased[Kind(kind)], record)
		}
		return nil
	})
	if err != nil || len(notes) == 0 {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(records)) {
		if err := makeTx(tx, account, kind, records[kind], erased[kind]); err != nil {
			return fmt.Errorf("index %s: %w", kind, err)
		}
		*made += len(records[kind])
	}
	return postgres.Exec(tx, "DELETE FROM search_pending WHERE account_id = ? AND id = ANY(?::bigint[])", []any{account, notes})
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
