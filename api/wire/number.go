package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/oapi-codegen/nullable"
)

// ID is the number of a record. It reads a JSON number, a number in a string
// and a float without a fraction (12.0); "" reads as 0, which is no record
// (zenpy sends id:"" for what it does not know). It is written as a number.
type ID int64

// ParseID reads s as ID.UnmarshalJSON does. It fails with ErrRange if s is an
// integer that does not fit in 64 bits, and otherwise says what it is not.
func ParseID(s string) (ID, error) {
	n, err := parseInteger(strings.TrimSpace(s))
	return ID(n), err
}

// UnmarshalText reads a path or query parameter. A number out of range becomes
// the nearest one in range, which is the id of no record either, so that it is
// answered as an unknown id is (a recorded 404 for 9223372036854775807): the
// generated binding would turn an error into a 400.
func (id *ID) UnmarshalText(b []byte) error {
	if len(bytes.TrimSpace(b)) == 0 {
		*id = 0
		return nil
	}
	n, err := ParseID(string(b))
	if err != nil && !errors.Is(err, ErrRange) {
		return err
	}
	*id = n
	return nil
}

// Bind reads a query parameter as UnmarshalText does: the generated binding
// looks for this method there, and would else parse the number itself.
func (id *ID) Bind(s string) error { return id.UnmarshalText([]byte(s)) }

// UnmarshalJSON reads a request's member; see ID.
func (id *ID) UnmarshalJSON(b []byte) error {
	return unmarshalInteger(b, (*int64)(id), reflect.TypeFor[ID](), true)
}

// NullableID turns a member of a request into what the domain takes: both null
// and "" (read as 0) clear.
func NullableID(n nullable.Nullable[ID]) nullable.Nullable[int64] {
	switch {
	case !n.IsSpecified():
		return nil
	case n.IsNull() || n.MustGet() == 0:
		return nullable.NewNullNullable[int64]()
	}
	return nullable.NewNullableWithValue(int64(n.MustGet()))
}

// Int is a whole number that is not an id: a position, a size, a count. It
// reads like ID, but "" is an error.
type Int int64

// UnmarshalText reads a query parameter; it fails on what is not a whole number
// or does not fit in 64 bits.
func (i *Int) UnmarshalText(b []byte) error {
	n, err := parseInteger(strings.TrimSpace(string(b)))
	if err != nil {
		return err
	}
	*i = Int(n)
	return nil
}

// Bind reads a query parameter as UnmarshalText does; see ID.Bind.
func (i *Int) Bind(s string) error { return i.UnmarshalText([]byte(s)) }

// UnmarshalJSON reads a request's member; see Int.
func (i *Int) UnmarshalJSON(b []byte) error {
	return unmarshalInteger(b, (*int64)(i), reflect.TypeFor[Int](), false)
}

func unmarshalInteger(b []byte, into *int64, want reflect.Type, emptyIsZero bool) error {
	if isNull(b) {
		return nil
	}
	text, ok := number(b)
	if ok && text == "" && emptyIsZero {
		*into = 0
		return nil
	}
	if !ok {
		return wrong(b, want)
	}
	n, err := parseInteger(text)
	if errors.Is(err, ErrRange) {
		return wrong(b, reflect.TypeFor[outOfRange]())
	}
	if err != nil {
		return wrong(b, want)
	}
	*into = n
	return nil
}

// outOfRange marks, as the wanted type of a json.UnmarshalTypeError, a number
// that is too large; Decode turns it into a FieldError that wraps ErrRange.
type outOfRange struct{}

// parseInteger reads a decimal integer, also if written as a float whose
// fraction is zero. With ErrRange it returns the nearest int64.
func parseInteger(s string) (int64, error) {
	whole := s
	if i := strings.IndexByte(s, '.'); i > 0 && i < len(s)-1 && strings.Trim(s[i+1:], "0") == "" {
		whole = s[:i]
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if errors.Is(err, strconv.ErrRange) {
		return n, fmt.Errorf("%w: %d digits", ErrRange, len(whole))
	}
	if err == nil {
		return n, nil
	}
	// JSON writers of other languages print large integers as 1.694303517e+09.
	f, ferr := strconv.ParseFloat(s, 64)
	switch {
	case strings.ContainsAny(s, "xXpP_iInN"): // hexadecimal, infinity: not JSON numbers
	case errors.Is(ferr, strconv.ErrRange), ferr == nil && (f >= math.MaxInt64 || f <= math.MinInt64):
		if f < 0 {
			return math.MinInt64, ErrRange
		}
		return math.MaxInt64, ErrRange
	case ferr == nil && f == math.Trunc(f):
		return int64(f), nil
	}
	return 0, errors.New("is not a whole number")
}

// Flag is a boolean that also reads "true", "false", "1", "0" (in any letter
// case: Python prints True), 1 and 0. It is written as a boolean.
type Flag bool

// UnmarshalText reads a query parameter; see Flag.
func (f *Flag) UnmarshalText(b []byte) error {
	switch strings.ToLower(strings.TrimSpace(string(b))) {
	case "true", "1":
		*f = true
	case "false", "0":
		*f = false
	default:
		return errors.New("is neither true nor false")
	}
	return nil
}

// Bind reads a query parameter as UnmarshalText does; see ID.Bind.
func (f *Flag) Bind(s string) error { return f.UnmarshalText([]byte(s)) }

// UnmarshalJSON reads a request's member; see Flag.
func (f *Flag) UnmarshalJSON(b []byte) error {
	if isNull(b) {
		return nil
	}
	text, ok := scalar(b)
	if !ok || f.UnmarshalText([]byte(text)) != nil {
		return wrong(b, reflect.TypeFor[Flag]())
	}
	return nil
}
