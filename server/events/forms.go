package events

import (
	"strconv"
	"time"
)

// Subject names a record in events: Subject("ticket", 35) is "zen:ticket:35".
func Subject(kind string, id int64) string { return "zen:" + kind + ":" + strconv.FormatInt(id, 10) }

// Changed is the payload of most changes.
type Changed struct {
	Current  any `json:"current"`
	Previous any `json:"previous"`
}

// Inside details and payloads every id is a string and what is missing is "0"
// or "", which consumers rely on.

// ID is an id within a payload.
func ID(id int64) string { return strconv.FormatInt(id, 10) }

// OptionalID is an id within a payload; "0" for none.
func OptionalID(id *int64) string {
	if id == nil {
		return "0"
	}
	return ID(*id)
}

// Text is an optional text within a payload; "" for none.
func Text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Time is a time within a payload.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
