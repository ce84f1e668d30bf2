package postgres

import (
	"bytes"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// Copied are new rows of a table on their way in by COPY, which takes the
// database little more than half of what statements with the same rows do.
type Copied struct {
	into string // table and columns
	text []byte // in COPY's text format
	err  error
}

// NewCopied has no rows yet; columns are separated by commas.
func NewCopied(table, columns string) *Copied {
	return &Copied{into: table + " (" + columns + ")", text: *texts.Get().(*[]byte)}
}

// texts are those of rows that have been copied, for others to write over: growing
// from nothing to the text of hundreds of rows takes longer than writing it.
var texts = sync.Pool{New: func() any { return new([]byte) }}

// largestText is the size in bytes of a text that is kept for others.
const largestText = 1 << 20

// Add adds a row. Its values are Go's own types, pointers to these for what may
// be NULL, or types of ours. Copy tells of one that is none of them.
func (c *Copied) Add(values ...any) {
	for i, v := range values {
		if i > 0 {
			c.text = append(c.text, '\t')
		}
		c.value(v)
	}
	c.text = append(c.text, '\n')
}

func (c *Copied) value(v any) {
	switch v := v.(type) {
	case nil:
		c.text = append(c.text, `\N`...)
	case string:
		c.string(v)
	case *string:
		pointed(c, v, c.string)
	case int64:
		c.integer(v)
	case *int64:
		pointed(c, v, c.integer)
	case int:
		c.integer(int64(v))
	case []byte:
		if v == nil {
			c.value(nil)
			return
		}
		c.text = hex.AppendEncode(append(c.text, `\\x`...), v)
	case bool:
		c.text = strconv.AppendBool(c.text, v)
	case time.Time:
		c.instant(v)
	case *time.Time:
		pointed(c, v, c.instant)
	case driver.Valuer:
		plain, err := v.Value()
		if err != nil {
			c.err = err
			return
		}
		c.value(plain)
	default:
		c.err = fmt.Errorf("copy a %T into %s", v, c.into)
	}
}

func pointed[T any](c *Copied, v *T, write func(T)) {
	if v == nil {
		c.value(nil)
		return
	}
	write(*v)
}

func (c *Copied) integer(n int64) { c.text = strconv.AppendInt(c.text, n, 10) }

func (c *Copied) instant(t time.Time) {
	c.text = t.UTC().AppendFormat(c.text, "2006-01-02 15:04:05.999999Z07:00")
}

// string escapes what stands for something else in COPY's text.
func (c *Copied) string(s string) {
	written := 0
	for i := range len(s) {
		var escaped byte
		switch s[i] {
		case '\\':
			escaped = '\\'
		case '\n':
			escaped = 'n'
		case '\r':
			escaped = 'r'
		case '\t':
			escaped = 't'
		default:
			continue
		}
		c.text = append(append(c.text, s[written:i]...), '\\', escaped)
		written = i + 1
	}
	c.text = append(c.text, s[written:]...)
}

// Copy writes the rows where db's statements run, in a transaction if there is
// one. They are gone afterwards.
func Copy(db *gorm.DB, c *Copied) error {
	if c.err != nil {
		return c.err
	}
	ctx, statement := db.Statement.Context, "COPY "+c.into+" FROM STDIN"
	return onConn(ctx, db, func(conn *pgx.Conn) error {
		// The driver traces its own form alone, which asks for the columns' types first.
		if tracer := conn.Config().Tracer; tracer != nil {
			ctx = tracer.TraceQueryStart(ctx, conn, pgx.TraceQueryStartData{SQL: statement})
			defer tracer.TraceQueryEnd(ctx, conn, pgx.TraceQueryEndData{})
		}
		_, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(c.text), statement)
		if err == nil && cap(c.text) <= largestText { // else the driver may still be reading it
			text := c.text[:0]
			texts.Put(&text)
		}
		c.text = nil
		return err
	})
}
