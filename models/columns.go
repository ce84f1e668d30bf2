package models

import (
	"bytes"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// JSON is a jsonb (or json) column, passed on undecoded. Nil is SQL's null.
type JSON json.RawMessage

// MarshalJSON gives the stored document; null for nil.
func (j JSON) MarshalJSON() ([]byte, error) {
	if j == nil {
		return []byte("null"), nil
	}
	return j, nil
}

// UnmarshalJSON keeps a copy of b.
func (j *JSON) UnmarshalJSON(b []byte) error {
	*j = append((*j)[:0:0], b...)
	return nil
}

// Scan implements sql.Scanner.
func (j *JSON) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*j = nil
	case []byte:
		*j = append(JSON(nil), v...)
	case string:
		*j = JSON(v)
	default:
		return fmt.Errorf("scan %T into jsonb", src)
	}
	return nil
}

// Overwrite reads a column's text into the memory that j has.
func (j *JSON) Overwrite(text string, null bool) error {
	if null {
		*j = nil
		return nil
	}
	*j = append((*j)[:0], text...)
	return nil
}

// Value implements driver.Valuer.
func (j JSON) Value() (driver.Value, error) {
	if j == nil {
		return nil, nil
	}
	return string(j), nil
}

// ToJSON encodes v, which must be encodable: a value built by the program. The
// marks of HTML stay as they are, since it is for storage and for API answers.
func ToJSON(v any) JSON {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// IDs is a bigint[] column. Nil is written as an empty array.
type IDs []int64

// Scan implements sql.Scanner.
func (a *IDs) Scan(src any) error {
	s, err := arrayText(src)
	if err != nil {
		return err
	}
	*a = make(IDs, 0, strings.Count(s, ",")+1)
	return a.Overwrite(s, false)
}

// Overwrite reads a column's text into the memory that a has. NULL is an empty list.
func (a *IDs) Overwrite(s string, _ bool) error {
	if *a = (*a)[:0]; *a == nil {
		*a = IDs{}
	}
	if len(s) <= 2 {
		return nil
	}
	for part := range strings.SplitSeq(s[1:len(s)-1], ",") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return fmt.Errorf("scan bigint[]: %w", err)
		}
		*a = append(*a, n)
	}
	return nil
}

// Value implements driver.Valuer.
func (a IDs) Value() (driver.Value, error) {
	b := make([]byte, 1, 2+8*len(a))
	b[0] = '{'
	for i, n := range a {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, '}')), nil
}

// Strings is a text[] column. Nil is written as an empty array.
type Strings []string

// Scan implements sql.Scanner.
func (a *Strings) Scan(src any) error {
	s, err := arrayText(src)
	if err != nil {
		return err
	}
	*a = Strings{}
	return a.Overwrite(s, false)
}

// Overwrite reads a column's text into the memory that a has; the strings are
// parts of it. NULL is an empty list.
func (a *Strings) Overwrite(s string, _ bool) error {
	out := (*a)[:0]
	if out == nil {
		out = Strings{}
	}
	if *a = out; len(s) <= 2 {
		return nil
	}
	s = s[1 : len(s)-1]
	for i := 0; i < len(s); i++ { // each turn reads one element, the loop's i++ its comma
		if s[i] != '"' {
			end := strings.IndexByte(s[i:], ',')
			if end < 0 {
				end = len(s) - i
			}
			out = append(out, s[i:i+end])
			i += end
			continue
		}
		var b strings.Builder
		for i++; i < len(s) && s[i] != '"'; i++ {
			if s[i] == '\\' {
				i++
			}
			b.WriteByte(s[i])
		}
		out = append(out, b.String())
		i++
	}
	*a = out
	return nil
}

// Value implements driver.Valuer.
func (a Strings) Value() (driver.Value, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, s := range a {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		for j := range len(s) {
			if s[j] == '"' || s[j] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(s[j])
		}
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String(), nil
}

func arrayText(src any) (string, error) {
	switch v := src.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	}
	return "", fmt.Errorf("scan %T into an array", src)
}
