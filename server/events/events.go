// Package events keeps the log of what happened in each account. Whoever
// changes a record appends to it in the same transaction; it does not know who
// reads it.
package events

import (
	"bytes"
	"cmp"
	"maps"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// TypePrefix stands before every type on the wire and in the table.
const TypePrefix = "zen:event-type:"

// Event is one thing that happened to one record. Its payload is fixed here and
// never built again: later changes of the record do not alter what was told.
type Event struct {
	Type   string // as in the catalogue, without the prefix: "ticket.status_changed"
	Detail any    // the record as saved, in the contract's form of the kind
	Change any    // what the contract calls event: {"current":…,"previous":…}
}

// By says who brought events about, and when.
type By struct {
	AccountID int64
	ActorID   int64  // models.SystemUser for rules and jobs
	SourceID  string // empty: Source of the context
	At        time.Time
}

// batchSize is how many events a row of the table has at most: the distance of the
// rows' ids, of which each event has one.
const batchSize = 64

// Batch is what one save tells of one state of a record: a row of Table.
type Batch struct {
	Types   models.Strings `json:"types"` // with TypePrefix
	Detail  models.JSON    `json:"detail"`
	Changes models.JSON    `json:"changes"` // an array, with one for each type
}

// Batches are events about one record, in their order.
func Batches(list []Event) (all []Batch) {
	for _, e := range list {
		detail := document(e.Detail)
		if n := len(all); n == 0 || len(all[n-1].Types) == batchSize || !bytes.Equal(all[n-1].Detail, detail) {
			all = append(all, Batch{Detail: detail})
		}
		all[len(all)-1].add(e)
	}
	return all
}

func (b *Batch) add(e Event) {
	if e.Change == nil {
		e.Change = struct{}{}
	}
	before := byte('[')
	if n := len(b.Changes); n > 0 {
		b.Changes, before = b.Changes[:n-1], ','
	}
	b.Types = append(b.Types, TypePrefix+e.Type)
	b.Changes = append(append(append(b.Changes, before), document(e.Change)...), ']')
}

// document does not encode what is encoded: encoding/json would read all of it
// again to see whether it is JSON.
func document(v any) models.JSON {
	if raw, ok := v.(models.JSON); ok && raw != nil {
		return raw
	}
	return models.ToJSON(v)
}

// Table is where the log is, in Columns that Values fill: for writers that put it
// into a larger statement.
const (
	Table   = "event_batches"
	Columns = "account_id, subject, subject_id, actor_id, source_id, types, detail, changes, created_at"
)

// Values are the batch's Columns. kind is "ticket", "user" and so on.
func (b Batch) Values(by By, kind string, id int64) []any {
	var source any
	if by.SourceID != "" {
		source = by.SourceID
	}
	return []any{by.AccountID, Subject(kind, id), id, by.ActorID, source, b.Types, b.Detail, b.Changes, by.At}
}

// AppendTx appends events about one record. The events of one record keep their
// order if whoever appends holds the record's lock.
func AppendTx(tx *gorm.DB, by By, kind string, id int64, list ...Event) error {
	if len(list) == 0 {
		return nil
	}
	by.SourceID = cmp.Or(by.SourceID, Source(tx.Statement.Context))
	batches := Batches(list)
	if len(batches) == 1 { // mostly; it takes one round trip less
		return tx.Exec("INSERT INTO "+Table+" ("+Columns+") VALUES (?,?,?,?,?,?,?,?,?)", batches[0].Values(by, kind, id)...).Error
	}
	rows := postgres.NewCopied(Table, Columns)
	for _, b := range batches {
		rows.Add(b.Values(by, kind, id)...)
	}
	return postgres.Copy(tx, rows)
}

// About is an event of one of several records.
type About struct {
	ID int64 // of the record
	Event
}

// AppendAllTx appends events of several records of one kind at once: what happens
// to all members of an organization.
func AppendAllTx(tx *gorm.DB, by By, kind string, list []About) error {
	if len(list) == 0 {
		return nil
	}
	by.SourceID = cmp.Or(by.SourceID, Source(tx.Statement.Context))
	rows := postgres.NewCopied(Table, Columns)
	for first := 0; first < len(list); {
		var of []Event // one record
		id := list[first].ID
		for ; first < len(list) && list[first].ID == id; first++ {
			of = append(of, list[first].Event)
		}
		for _, b := range Batches(of) {
			rows.Add(b.Values(by, kind, id)...)
		}
	}
	return postgres.Copy(tx, rows)
}

// Rewriting is a change of what the log has told: for redactions and erasures.
type Rewriting struct {
	AccountID int64
	Kind      string  // of the records whose events they are
	IDs       []int64 // of these records
	// Where is the condition, in SQL, of the events' type and change, and To the JSON
	// that comes in place of change. Both may name Args as @name.
	Where, To string
	Args      map[string]any
}

// RewriteTx changes what the log tells. What has been sent is not called back.
func RewriteTx(tx *gorm.DB, r Rewriting) error {
	args := map[string]any{"account": r.AccountID, "ids": models.IDs(r.IDs), "subjects": Subjects(r.Kind, r.IDs)}
	maps.Copy(args, r.Args)
	const told = "FROM unnest(b.types) WITH ORDINALITY AS e (type, n), LATERAL (SELECT b.changes -> (e.n - 1)::int AS change) AS c"
	return tx.Exec("UPDATE "+Table+" AS b SET changes = (SELECT json_agg(CASE WHEN "+r.Where+" THEN "+r.To+" ELSE change END ORDER BY n) "+told+`)
		WHERE account_id = @account AND subject_id = ANY(CAST(@ids AS bigint[])) AND subject = ANY(CAST(@subjects AS text[])) AND EXISTS (SELECT `+told+" WHERE "+r.Where+")", args).Error
}
