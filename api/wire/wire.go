// Package wire holds the JSON forms that a schema cannot express: scalars that
// are read leniently, because clients send ids and booleans as strings and echo
// whole objects back, and written strictly, because clients parse what we send.
//
// Each type reads JSON (request bodies) and text (path and query parameters).
// A JSON null leaves the value as it was; where null has a meaning of its own,
// the generated code wraps the type in nullable.Nullable.
package wire

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
)

// ErrRange says that a number is well formed but does not fit in 64 bits. No
// record has such an id, so a lookup by it answers "not found".
var ErrRange = errors.New("number out of range")

// wrong is what an UnmarshalJSON of this package returns for a value of another
// kind. It is encoding/json's own error because that is the only one to which
// the decoder adds the path of the member.
func wrong(value []byte, want reflect.Type) error {
	return &json.UnmarshalTypeError{Value: describe(value), Type: want}
}

// describe names a JSON value by its kind only: values may be long or secret,
// and error texts end up in logs.
func describe(value []byte) string {
	if len(value) == 0 {
		return "nothing"
	}
	switch value[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

func isNull(b []byte) bool { return string(b) == "null" }

// scalar returns the text of a JSON string, number or boolean, and whether b is
// one of them.
func scalar(b []byte) (text string, ok bool) {
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[':
		return "", false
	case b[0] != '"':
		return string(b), true
	}
	if err := json.Unmarshal(b, &text); err != nil {
		return "", false
	}
	return text, true
}

// number returns the text of a JSON number or of a string, for the number types.
func number(b []byte) (text string, ok bool) {
	if len(b) > 0 && (b[0] == 't' || b[0] == 'f') {
		return "", false
	}
	text, ok = scalar(b)
	return strings.TrimSpace(text), ok
}
