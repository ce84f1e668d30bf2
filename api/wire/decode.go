package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
)

// ErrNoBody says that a request has an empty body. It wraps io.EOF, by which
// the generated code knows that an optional body is absent.
var ErrNoBody = fmt.Errorf("the request has no body: %w", io.EOF)

// SyntaxError says that a body is not JSON as we take it. Reason completes the
// sentence "the body ...".
type SyntaxError struct {
	Offset int64 // bytes before the fault
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("the body %s (at byte %d)", e.Reason, e.Offset)
}

// FieldError says that a member of a body has a value of the wrong kind.
type FieldError struct {
	Field string // path of the member, joined by dots (ticket.assignee_id); "" is the whole body
	Want  string // what would do, with its article: "a list of ids"
	Got   string // the kind of what came: "a string"
	Err   error  // ErrRange, or nil
}

func (e *FieldError) Error() string {
	name := e.Field
	if name == "" {
		name = "the body"
	}
	return fmt.Sprintf("%s must be %s and is %s", name, e.Want, e.Got)
}

// Unwrap returns ErrRange for a number that is too large, otherwise nil.
func (e *FieldError) Unwrap() error { return e.Err }

// Decode reads a JSON body into the value that into points to; members unknown
// to it are ignored. It fails with ErrNoBody, a *SyntaxError or a *FieldError.
// It does not look for what Check refuses.
func Decode(body []byte, into any) error {
	if len(bytes.TrimLeft(body, " \t\r\n")) == 0 {
		return ErrNoBody
	}
	err := json.Unmarshal(body, into)
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &SyntaxError{Offset: e.Offset, Reason: "is not valid JSON: " + e.Error()}
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fieldError(e)
	}
	if _, ok := errors.AsType[*json.InvalidUnmarshalError](err); ok {
		return err // our mistake, not the caller's
	}
	return &SyntaxError{Reason: "cannot be read: " + err.Error()}
}

func fieldError(e *json.UnmarshalTypeError) *FieldError {
	out := &FieldError{Field: e.Field, Want: wanted(e.Type), Got: e.Value}
	switch e.Value {
	case "string", "number", "bool":
		out.Got = "a " + e.Value
	case "object":
		out.Got = "an object"
	case "array":
		out.Got = "a list"
	}
	if e.Type == reflect.TypeFor[outOfRange]() {
		out.Got, out.Err = "out of range", ErrRange
	}
	return out
}

var wants = map[reflect.Type]string{
	reflect.TypeFor[ID]():         "an id",
	reflect.TypeFor[outOfRange](): "a number of at most 64 bits",
	reflect.TypeFor[Flag]():       "true or false",
	reflect.TypeFor[Time]():       "an ISO 8601 time",
	reflect.TypeFor[Text]():       "a string",
	reflect.TypeFor[IDs]():        "a list of ids",
	reflect.TypeFor[Strings]():    "a list of strings",
	reflect.TypeFor[Tags]():       "a list of tags",
}

func wanted(t reflect.Type) string {
	if t == nil {
		return "something else"
	}
	if want, ok := wants[t]; ok {
		return want
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	}
	return "a whole number"
}
