// Package fault says what went wrong in words a caller can act on.
//
// Domain functions return these; any other error is a bug or an outage. Which
// status code and which JSON a kind becomes is known to package api alone.
package fault

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"
)

// Kind tells failures apart by what the caller can do about them.
type Kind int

const (
	// Invalid: a value breaks a rule of the record. Details name the fields.
	Invalid Kind = iota + 1
	// NotFound: no such record, or none that the actor may see.
	NotFound
	// Forbidden: the actor's role does not allow the operation.
	Forbidden
	// Unauthenticated: no credentials, or wrong ones.
	Unauthenticated
	// NoAccount: nothing tells whose account is meant, neither credentials nor the host.
	NoAccount
	// BadToken: a bearer token that is expired, revoked or malformed.
	BadToken
	// MissingScope: an OAuth token without the scope that the operation needs.
	MissingScope
	// BadRequest: the request itself cannot be read.
	BadRequest
	// BadAttribute: a value of a type that the attribute cannot have.
	BadAttribute
	// BadPage: a page number or page size that cannot be answered.
	BadPage
	// BadCursor: a cursor that we did not give out for this listing.
	BadCursor
	// TooMany: more ids or records in one call than are allowed.
	TooMany
	// KeyReused: an idempotency key that came before with another request.
	KeyReused
	// Outdated: the record changed since the caller read it.
	Outdated
	// Busy: another write of the same record is under way; try again.
	Busy
	// TooLarge: a body, file or nesting over the limit.
	TooLarge
	// BadQuery: a search query that cannot be understood.
	BadQuery
	// RateLimited: the caller asks too often. RetryAfter says when to come back.
	RateLimited
	// TooManyJobs: as many bulk jobs as an account may have are under way.
	TooManyJobs
	// Overloaded: the server has no room for the request now. RetryAfter is set.
	Overloaded
	// BadLink: a signed link that has expired, or is not as it was given.
	BadLink
	// Unavailable: a part of the server cannot answer yet. RetryAfter is set.
	Unavailable
	// NoSuchOperation: no operation has this path and method.
	NoSuchOperation
)

// Codes of a Detail, as clients know them.
const (
	CodeBlank     = "BlankValue"
	CodeDuplicate = "DuplicateValue"
	CodeInvalid   = "InvalidValue"
	CodeFormat    = "InvalidFormat"
	CodeTooShort  = "TooShort"
	CodeTooLong   = "TooLong"
)

// Detail is one thing that is wrong with one field.
type Detail struct {
	Description string // "Email: x is not properly formatted"
	Code        string // one of the Code constants, or empty
	// Title is what an account has called the field, with which Description
	// begins; empty where it is called by its name. It may stand for another in
	// the reader's language, see fields.Config.Localised.
	Title string
}

// Titled says what is wrong with a field that has a title of the account's.
func Titled(title, code, format string, args ...any) Detail {
	return Detail{Description: title + ": " + fmt.Sprintf(format, args...), Code: code, Title: title}
}

// Record says what is wrong with the record as a whole; nil for nothing.
func Record(details ...Detail) error {
	if len(details) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Details: map[string][]Detail{"base": details}}
}

// Error is a failure that the caller can act on.
type Error struct {
	Kind       Kind
	Message    string              // a sentence for people; may be empty
	Field      string              // BadAttribute: the attribute
	Code       string              // BadRequest: by what clients know it; may be empty
	Details    map[string][]Detail // Invalid: by field; "base" for the record as a whole
	Max        int                 // TooMany: the limit
	RetryAfter time.Duration       // RateLimited, Overloaded, Unavailable: rounded up to seconds
}

func (e *Error) Error() string {
	if e.Kind != Invalid {
		return e.Message
	}
	fields := make([]string, 0, len(e.Details))
	for f := range e.Details {
		fields = append(fields, f)
	}
	sort.Strings(fields)
	var all []string
	for _, f := range fields {
		for _, d := range e.Details[f] {
			all = append(all, d.Description)
		}
	}
	return strings.Join(all, "; ")
}

// Of returns the Error within err, or nil.
func Of(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// Is reports whether err is a failure of kind k.
func Is(err error, k Kind) bool {
	e := Of(err)
	return e != nil && e.Kind == k
}

// New makes a failure of kind k with a sentence for people.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Missing says that there is no such record, or none the actor may see.
func Missing(what string, id any) *Error {
	return New(NotFound, "%s %v not found", what, id)
}

// Denied says that the actor's role does not allow the operation.
func Denied() *Error { return New(Forbidden, "not allowed") }

// InvalidField says what is wrong with one field. The description is prefixed
// with the field's name in the form clients show: "Email: cannot be blank".
func InvalidField(field, format string, args ...any) *Error {
	return fieldError(field, CodeInvalid, fmt.Sprintf(format, args...))
}

// Blank says that a required field is empty.
func Blank(field string) *Error { return fieldError(field, CodeBlank, "cannot be blank") }

// Duplicate says that another record has this value already.
func Duplicate(field, format string, args ...any) *Error {
	return fieldError(field, CodeDuplicate, fmt.Sprintf(format, args...))
}

// Malformed says that a value has not the form that its field needs.
func Malformed(field, format string, args ...any) *Error {
	return fieldError(field, CodeFormat, fmt.Sprintf(format, args...))
}

// TooLong says that a value is longer than its field can hold.
func TooLong(field string, max int) *Error {
	return fieldError(field, CodeTooLong, fmt.Sprintf("is too long (maximum is %d characters)", max))
}

// Base says what is wrong with the record as a whole.
func Base(code, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Details: map[string][]Detail{"base": {{Description: fmt.Sprintf(format, args...), Code: code}}}}
}

// Attribute says that an attribute has a value of a type it cannot have.
func Attribute(field, want string) *Error {
	return &Error{Kind: BadAttribute, Field: field, Message: fmt.Sprintf("%s must be %s", field, want)}
}

// Exceeds says that a call names more records than max.
func Exceeds(max int) *Error {
	e := New(TooMany, "Parameter  cannot specify more than %d values", max) // two spaces, as on the wire
	e.Max = max
	return e
}

// Join puts the details of several Invalid failures into one. Nil errors are
// left out; nil comes back when nothing is left. The first error of another
// kind is returned alone.
func Join(errs ...error) error {
	all := &Error{Kind: Invalid, Details: map[string][]Detail{}}
	for _, err := range errs {
		if err == nil {
			continue
		}
		e := Of(err)
		if e == nil || e.Kind != Invalid {
			return err
		}
		for f, ds := range e.Details {
			all.Details[f] = append(all.Details[f], ds...)
		}
	}
	if len(all.Details) == 0 {
		return nil
	}
	return all
}

func fieldError(field, code, text string) *Error {
	return &Error{Kind: Invalid, Details: map[string][]Detail{field: {{Description: Title(field) + ": " + text, Code: code}}}}
}

// Title is a field's name as error texts show it: "group_id" is "Group".
func Title(field string) string {
	f := strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(field, "_ids"), "_id"), "_", " ")
	if f == "" {
		return f
	}
	return strings.ToUpper(f[:1]) + f[1:]
}
