// Package events keeps the log of what happened in each account. Whoever
// changes a record appends to it in the same transaction; it does not know who
// reads it.
package events

import (
	"bytes"
	"cmp"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
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

type row struct {
	Type   string `json:"type"`
	Detail any    `json:"detail"`
	Change any    `json:"change"`
}

// Rows are events as Insert takes them.
func Rows(list []Event) models.JSON { return rows(list, nil) }

// rows leaves out details that are the shared one.
func rows(list []Event, shared models.JSON) models.JSON {
	b := []byte{'['}
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if e.Change == nil {
			e.Change = struct{}{}
		}
		b = append(append(append(b, `{"type":"`...), TypePrefix+e.Type...), '"') // types hold nothing to escape
		if detail := document(e.Detail); shared == nil || !bytes.Equal(detail, shared) {
			b = append(append(b, `,"detail":`...), detail...)
		}
		b = append(append(b, `,"change":`...), document(e.Change)...)
		b = append(b, '}')
	}
	return append(b, ']')
}

// document does not encode what is encoded: encoding/json would read all of it
// again to see whether it is JSON.
func document(v any) models.JSON {
	if raw, ok := v.(models.JSON); ok && raw != nil {
		return raw
	}
	return models.ToJSON(v)
}

// Columns of the table of events that writers by the row fill, with Values.
const Columns = "account_id, type, subject, subject_id, actor_id, source_id, detail, change, created_at"

// Values are an event's Columns. kind is "ticket", "user" and so on.
func Values(by By, kind string, id int64, e Event) []any {
	var source any
	if by.SourceID != "" {
		source = by.SourceID
	}
	return []any{by.AccountID, TypePrefix + e.Type, Subject(kind, id), id, by.ActorID, source, document(e.Detail), document(e.Change), by.At}
}

// Insert is the statement that appends Rows about one subject; it takes
// Arguments. It is there for writers that put it into a larger statement.
const Insert = `INSERT INTO events (id, detail, detail_of, account_id, type, subject, subject_id, actor_id, source_id, change, created_at)
	WITH first AS MATERIALIZED (SELECT nextval('events_id_seq') AS id)
	SELECT CASE e.n WHEN 1 THEN first.id ELSE nextval('events_id_seq') END,
		CASE e.n WHEN 1 THEN ?::json ELSE e.detail END, CASE WHEN e.n > 1 AND e.detail IS NULL THEN first.id END,
		?::bigint, e.type, ?::text, ?::bigint, ?::bigint, nullif(?::text, ''), e.change, ?::timestamptz
	FROM first, ROWS FROM (json_to_recordset(?::json) AS (type text, detail json, change json)) WITH ORDINALITY AS e (type, detail, change, n)`

// Arguments of Insert. kind is "ticket", "user" and so on. The detail of the first
// event, which is mostly that of all, is stored once.
func Arguments(by By, kind string, id int64, list []Event) []any {
	var shared models.JSON
	if len(list) > 0 {
		shared = document(list[0].Detail)
	}
	return []any{shared, by.AccountID, Subject(kind, id), id, by.ActorID, by.SourceID, by.At, rows(list, shared)}
}

// AppendTx appends events about one record. The events of one record keep their
// order if whoever appends holds the record's lock.
func AppendTx(tx *gorm.DB, by By, kind string, id int64, list ...Event) error {
	if len(list) == 0 {
		return nil
	}
	by.SourceID = cmp.Or(by.SourceID, Source(tx.Statement.Context))
	return tx.Exec(Insert, Arguments(by, kind, id, list)...).Error
}

// About is an event of one of several records.
type About struct {
	ID int64 // of the record
	Event
}

// AppendAllTx appends events of several records of one kind in few statements:
// what happens to all members of an organization at once.
func AppendAllTx(tx *gorm.DB, by By, kind string, list []About) error {
	by.SourceID = cmp.Or(by.SourceID, Source(tx.Statement.Context))
	for part := range slices.Chunk(list, 1_000) {
		type aboutRow struct {
			row
			ID int64 `json:"id"`
		}
		rows := make([]aboutRow, len(part))
		for i, a := range part {
			rows[i] = aboutRow{row{TypePrefix + a.Type, a.Detail, a.Change}, a.ID}
		}
		err := tx.Exec("INSERT INTO events ("+Columns+`)
			SELECT ?, e.type, ? || e.id, e.id, ?, nullif(?, ''), e.detail, e.change, ?
			FROM jsonb_to_recordset(?::jsonb) AS e(id bigint, type text, detail jsonb, change jsonb)`,
			by.AccountID, "zen:"+kind+":", by.ActorID, by.SourceID, by.At, models.ToJSON(rows)).Error
		if err != nil {
			return err
		}
	}
	return nil
}
