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
	Docs           = "search_docs"
	DocColumns     = "account_id, kind, record_id, tsv"
	Pending        = "search_pending"
	PendingColumns = "account_id, kind, record_id"
)

// Values are a document's, for DocColumns.
func (d *Document) Values() []any { return []any{d.Account, string(d.Kind), d.ID, d.Vector()} }

// Index keeps the documents. A new ticket's is written by the save that makes it.
// Whatever else changes a text leaves a note in the same transaction; what is noted
// is made anew right after, and in any case before the next search.
type Index struct{ db *gorm.DB }

// NewIndex makes the index on db.
func NewIndex(db *gorm.DB) *Index { return &Index{db} }

const (
	// pendingAtOnce is how many notes one transaction works off.
	pendingAtOnce = 200
	// patience is how long a search waits for documents to be made.
	patience = 5 * time.Second
	// idle is how long nobody looks for notes when there were none.
	idle = 250 * time.Millisecond
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
	var last int64
	found, err := postgres.Row(x.db.WithContext(ctx), "SELECT id FROM search_pending WHERE account_id = ? ORDER BY id DESC LIMIT 1", []any{account}, &last)
	for began := time.Now(); err == nil && found; {
		if time.Since(began) > patience {
			return &fault.Error{Kind: fault.Unavailable, RetryAfter: 10 * time.Second, Message: "The index is being built. Try again later."}
		}
		var next int64
		if next, err = x.work(ctx, account, true); err == nil {
			found = next != 0 && next <= last
		}
	}
	return err
}

// Run makes documents until ctx is done.
func (x *Index) Run(ctx context.Context, log *slog.Logger) {
	wait := time.NewTimer(0)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		pause := idle
		more, err := x.workAll(ctx)
		switch {
		case err != nil:
		case more:
			pause = 0
		default:
			err = x.tidy(ctx)
		}
		if err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "search index", "error", err)
			pause = 10 * idle
		}
		wait.Reset(pause)
	}
}

// tidy puts what was added to the index in its place. Otherwise each search would
// go through it, and whoever adds too much would have to do this himself.
func (x *Index) tidy(ctx context.Context) error {
	var pages int64
	// Whose table it is may do so.
	_, err := postgres.Row(x.db.WithContext(postgres.AcrossAccounts(ctx)), `SELECT gin_clean_pending_list(c.oid::regclass) FROM pg_class c
		WHERE c.oid = 'search_docs_words'::regclass AND pg_has_role(c.relowner, 'USAGE')`, nil, &pages)
	return err
}

// accountsOfNotes finds, one after the other, the accounts with notes.
const accountsOfNotes = `WITH RECURSIVE noted AS (
	(SELECT account_id FROM search_pending ORDER BY account_id LIMIT 1)
	UNION ALL SELECT (SELECT p.account_id FROM search_pending p WHERE p.account_id > noted.account_id ORDER BY p.account_id LIMIT 1)
	FROM noted WHERE noted.account_id IS NOT NULL)
	SELECT account_id FROM noted WHERE account_id IS NOT NULL`

// workAll works off some notes of each account and reports whether there are more.
func (x *Index) workAll(ctx context.Context) (more bool, err error) {
	ctx = postgres.AcrossAccounts(ctx)
	var accounts []int64
	err = postgres.Rows(x.db.WithContext(ctx), accountsOfNotes, nil, func(row postgres.Scanned) error {
		accounts = append(accounts, 0)
		return row.Scan(&accounts[len(accounts)-1])
	})
	for _, account := range accounts {
		next, workErr := x.work(ctx, account, false)
		if workErr != nil {
			return more, workErr
		}
		more = more || next != 0
	}
	return more, err
}

// lockClass tells the locks of the index from other advisory locks.
const lockClass int64 = 0x5EA2

// work works off the oldest notes of an account and returns the first that is
// left, 0 if there is none. One process at a time does so in an account, or an
// older text might be written over a newer one. If another does, it waits, or else
// returns at once.
func (x *Index) work(ctx context.Context, account int64, wait bool) (next int64, err error) {
	ctx = postgres.WithAccount(ctx, account)
	err = x.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		lock := "SELECT pg_try_advisory_xact_lock(?)"
		if wait {
			lock = "SELECT pg_advisory_xact_lock(?) IS NOT NULL"
		}
		var mine bool
		if _, err := postgres.Row(tx, lock, []any{lockClass<<48 | account}, &mine); err != nil || !mine {
			return err
		}
		return x.workTx(tx, account, &next)
	})
	return next, err
}

func (x *Index) workTx(tx *gorm.DB, account int64, next *int64) error {
	var notes models.IDs
	records := map[Kind]models.IDs{}
	err := postgres.Rows(tx, "SELECT id, kind, record_id FROM search_pending WHERE account_id = ? ORDER BY id LIMIT ?", []any{account, pendingAtOnce + 1}, func(row postgres.Scanned) error {
		var note, record int64
		var kind string
		if err := row.Scan(&note, &kind, &record); err != nil {
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
		return nil
	})
	if err != nil || len(notes) == 0 {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(records)) {
		if err := makeTx(tx, account, kind, records[kind]); err != nil {
			return fmt.Errorf("index %s: %w", kind, err)
		}
	}
	return postgres.Exec(tx, "DELETE FROM search_pending WHERE account_id = ? AND id = ANY(?::bigint[])", []any{account, notes})
}

// makeTx makes the documents of records anew. Records that are gone have none.
func makeTx(tx *gorm.DB, account int64, kind Kind, ids models.IDs) error {
	docs, err := read(tx, account, kind, ids)
	if err != nil {
		return err
	}
	var made, gone models.IDs
	var vectors models.Strings
	for _, id := range ids {
		d, ok := docs[id]
		if !ok {
			gone = append(gone, id)
			continue
		}
		made, vectors = append(made, id), append(vectors, d.Vector())
	}
	if len(gone) > 0 {
		if err := postgres.Exec(tx, "DELETE FROM search_docs WHERE account_id = ? AND kind = ? AND record_id = ANY(?::bigint[])", []any{account, string(kind), gone}); err != nil {
			return err
		}
	}
	if len(made) == 0 {
		return nil
	}
	return postgres.Exec(tx, `INSERT INTO search_docs AS d (account_id, kind, record_id, tsv)
		SELECT ?::bigint, ?::text, n.id, n.tsv::tsvector FROM unnest(?::bigint[], ?::text[]) AS n(id, tsv) ORDER BY n.id
		ON CONFLICT (account_id, kind, record_id) DO UPDATE SET tsv = EXCLUDED.tsv WHERE d.tsv <> EXCLUDED.tsv`,
		[]any{account, string(kind), made, vectors})
}

// DropTx removes a record's document at once. Its other writers remove it, or make
// it anew, when they come to it.
func DropTx(tx *gorm.DB, account int64, kind Kind, id int64) error {
	return postgres.Exec(tx, "DELETE FROM search_docs WHERE account_id = ? AND kind = ? AND record_id = ?", []any{account, string(kind), id})
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
