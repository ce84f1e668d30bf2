package main

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// setIndexesAside drops the indexes of the tables that tickets fill, but for
// those that hold constraints, and keeps how they are made again: many rows are
// written twice as fast without. Whoever asks for tickets meanwhile waits.
//
// Where there are more rows already than are to come, they stay.
func (f *filler) setIndexesAside(ctx context.Context) error {
	var there int
	if err := f.tx.QueryRow(ctx, "SELECT count(*) FROM tickets").Scan(&there); err != nil || there > f.count {
		return err
	}
	var names []string
	for _, t := range new(rows).tables() {
		names = append(names, t.name)
	}
	found, err := f.tx.Query(ctx, `SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
		WHERE i.indrelid = ANY (SELECT unnest($1::text[])::regclass)
		AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)`, names)
	if err != nil {
		return err
	}
	var drop []string
	var name, definition string
	_, err = pgx.ForEachRow(found, []any{&name, &definition}, func() error {
		drop, f.indexes = append(drop, "DROP INDEX "+name), append(f.indexes, definition)
		return nil
	})
	if err != nil {
		return err
	}
	return f.exec(ctx, drop)
}

// makeIndexes makes those again that were set aside.
func (f *filler) makeIndexes(ctx context.Context) error {
	if len(f.indexes) == 0 {
		return nil
	}
	say("Making %d indexes", len(f.indexes))
	return f.exec(ctx, append([]string{"SET LOCAL maintenance_work_mem = '256MB'"}, f.indexes...))
}

func (f *filler) exec(ctx context.Context, statements []string) error {
	for _, statement := range statements {
		if _, err := f.tx.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}
