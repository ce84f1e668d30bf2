package wire

import (
	"strconv"
	"time"
)

// Object appends one JSON object to a buffer, member by member, without
// reflection. Keys are the program's own and need no escaping.
type Object struct {
	b    []byte
	some bool // members are there
}

// BeginObject begins an object behind b.
func BeginObject(b []byte) Object { return Object{b: append(b, '{')} }

// ReopenObject goes on with an object that ends b.
func ReopenObject(b []byte) Object {
	return Object{b: b[:len(b)-1], some: len(b) > 2}
}

// End closes the object and returns the buffer.
func (o *Object) End() []byte { return append(o.b, '}') }

func (o *Object) key(name string) {
	if o.some {
		o.b = append(o.b, ',')
	}
	o.some = true
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

// String adds a text.
func (o *Object) String(name, s string) { o.key(name); o.b = AppendString(o.b, s) }

// Optional adds a text, or null.
func (o *Object) Optional(name string, s *string) { o.key(name); o.b = AppendOptional(o.b, s) }

// Int adds a number.
func (o *Object) Int(name string, n int64) { o.key(name); o.b = strconv.AppendInt(o.b, n, 10) }

// ID adds an optional id, or null.
func (o *Object) ID(name string, id *int64) { o.key(name); o.b = AppendID(o.b, id) }

// IDs adds a list of ids.
func (o *Object) IDs(name string, ids []int64) { o.key(name); o.b = AppendIDs(o.b, ids) }

// Strings adds a list of texts.
func (o *Object) Strings(name string, list []string) { o.key(name); o.b = AppendStrings(o.b, list) }

// Bool adds a boolean.
func (o *Object) Bool(name string, v bool) { o.key(name); o.b = strconv.AppendBool(o.b, v) }

// Time adds a time.
func (o *Object) Time(name string, t time.Time) { o.key(name); o.b = AppendTime(o.b, t) }

// OptionalTime adds a time, or null.
func (o *Object) OptionalTime(name string, t *time.Time) {
	o.key(name)
	o.b = AppendOptionalTime(o.b, t)
}

// Raw adds JSON as it is; null for none.
func (o *Object) Raw(name string, raw []byte) { o.key(name); o.b = AppendRaw(o.b, raw) }

// Value adds what f appends, and returns where it is, for Again.
func (o *Object) Value(name string, f func(b []byte) []byte) Span {
	o.key(name)
	from := len(o.b)
	o.b = f(o.b)
	return Span{from, len(o.b)}
}

// Span is a part of an object's buffer.
type Span struct{ from, to int }

// Again adds a value that is there already.
func (o *Object) Again(name string, s Span) { o.key(name); o.b = append(o.b, o.b[s.from:s.to]...) }
