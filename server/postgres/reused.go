package postgres

import (
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Reused scans many rows into the same variables, one after the other, and makes
// one allocation for each: its texts. What pointers point to, lists and documents
// is overwritten by the next row.
type Reused struct {
	dest  []any
	spare []any // of what is a pointer to a pointer: what it points to
	text  strings.Builder
	ends  []int // in the row's text, of each column that is text
}

// Overwriter is a type of ours that reads its column's text into the memory that
// it has from the row before. null is true of NULL.
type Overwriter interface {
	Overwrite(text string, null bool) error
}

// NewReused makes one for destinations as Scan takes.
func NewReused(dest []any) *Reused {
	r := &Reused{dest: dest, spare: make([]any, len(dest)), ends: make([]int, len(dest))}
	for i, d := range dest {
		switch d.(type) {
		case **int64:
			r.spare[i] = new(int64)
		case **string:
			r.spare[i] = new(string)
		case **time.Time:
			r.spare[i] = new(time.Time)
		}
	}
	return r
}

// Scan decodes a row, as Scanned.Scan does.
func (r *Reused) Scan(row Scanned) error {
	values, fields := row.rows.RawValues(), row.rows.FieldDescriptions()
	if len(values) != len(r.dest) {
		return row.rows.Scan(r.dest...) // which says how many it wants
	}
	size := 0
	for i, raw := range values {
		if fields[i].Format == pgx.TextFormatCode {
			size += len(raw)
		}
	}
	r.text.Reset()
	r.text.Grow(size)
	for i, raw := range values {
		if fields[i].Format == pgx.TextFormatCode {
			r.text.Write(raw)
			r.ends[i] = r.text.Len()
		}
	}
	all := r.text.String()
	for i, raw := range values {
		text := ""
		if fields[i].Format == pgx.TextFormatCode {
			text = all[r.ends[i]-len(raw) : r.ends[i]]
		}
		known, err := r.decode(i, fields[i].DataTypeOID, fields[i].Format, raw, text)
		if err != nil {
			return err
		}
		if !known {
			return row.rows.Scan(r.dest...)
		}
	}
	return nil
}

// decode is decode without allocations; text is what raw is in the row's text.
func (r *Reused) decode(i int, oid uint32, format int16, raw []byte, text string) (known bool, err error) {
	isText := format == pgx.TextFormatCode
	switch d := r.dest[i].(type) {
	case **int64:
		*d = nil
		if raw == nil {
			return true, nil
		}
		to := r.spare[i].(*int64)
		*to, known = integer(oid, format, raw)
		*d = to
	case *string:
		if known = isText && raw != nil; known {
			*d = text
		}
	case **string:
		*d = nil
		if raw == nil {
			return true, nil
		}
		to := r.spare[i].(*string)
		*to, known = text, isText
		*d = to
	case **time.Time:
		*d = nil
		if raw == nil {
			return true, nil
		}
		to := r.spare[i].(*time.Time)
		*to, known = instant(oid, format, raw)
		*d = to
	case Overwriter:
		if !isText {
			return false, nil
		}
		return true, d.Overwrite(text, raw == nil)
	default:
		return decode(d, oid, format, raw)
	}
	return known, nil
}
