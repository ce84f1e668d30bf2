package exports

import (
	"time"

	"github.com/helpd/helpd/models"
)

// Type is what a column of a file holds.
type Type string

// Types of columns. What has members or is a list is in JSON.
const (
	Integer   Type = "integer"
	Text      Type = "string"
	Boolean   Type = "boolean"
	Timestamp Type = "timestamp" // in UTC, to the microsecond
	JSON      Type = "json"
)

// Column is one of a file's.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// cell is a value of a column. The zero value is null.
type cell struct {
	set    bool
	number int64 // integers; microseconds since 1970 of a time; 1 for true
	text   string
}

func integer(n int64) cell { return cell{set: true, number: n} }

func optionalInteger(n *int64) cell {
	if n == nil {
		return cell{}
	}
	return integer(*n)
}

func text(s string) cell { return cell{set: true, text: s} }

func optionalText(s *string) cell {
	if s == nil {
		return cell{}
	}
	return text(*s)
}

func boolean(b bool) cell {
	if b {
		return cell{set: true, number: 1}
	}
	return cell{set: true}
}

func optionalBoolean(b *bool) cell {
	if b == nil {
		return cell{}
	}
	return boolean(*b)
}

func timestamp(t time.Time) cell { return cell{set: true, number: t.UnixMicro()} }

func optionalTimestamp(t *time.Time) cell {
	if t == nil {
		return cell{}
	}
	return timestamp(*t)
}

func document(j []byte) cell {
	if j == nil {
		return cell{}
	}
	return text(string(j))
}

func texts(list models.Strings) cell {
	if len(list) == 0 {
		return text("[]")
	}
	return document(models.ToJSON([]string(list)))
}

func ids(list models.IDs) cell {
	if len(list) == 0 {
		return text("[]")
	}
	return document(models.ToJSON([]int64(list)))
}
