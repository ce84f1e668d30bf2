package wire

import (
	"bytes"

	"github.com/oapi-codegen/nullable"
)

// List is what the generator takes every …List schema for: the envelope of a
// list, whose key and paging members differ from answer to answer. It embeds
// Listing so that the types which the generator makes of it print alike.
type List struct{ Listing }

// Listing is the envelope of a list.
type Listing struct {
	// First are members in front of the items.
	First []Member
	Key   string // of the items: "tickets"
	Items any    // a slice, printed as [] when empty

	// Offset style.
	Count                  *int
	NextPage, PreviousPage nullable.Nullable[string]

	// Cursor style.
	Meta  *Meta
	Links *Links

	// Extra are further members, side-loads for the most part, in their order.
	Extra []Member
}

// Member is one member of an object.
type Member struct {
	Key   string
	Value any
}

// Meta is the position of a page in cursor style; its cursors are null on an
// empty page.
type Meta struct {
	HasMore bool    `json:"has_more"`
	After   *string `json:"after_cursor"`
	Before  *string `json:"before_cursor"`
}

// Links are the pages beside a page in cursor style.
type Links struct {
	Prev *string `json:"prev"`
	Next *string `json:"next"`
}

// Add puts a further member behind the others.
func (l *Listing) Add(key string, value any) { l.Extra = append(l.Extra, Member{key, value}) }

// MarshalJSON prints the items, the side-loads and the paging members.
func (l Listing) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for _, m := range l.First {
		if err := writeMember(&b, m.Key, m.Value); err != nil {
			return nil, err
		}
		b.WriteByte(',')
	}
	if err := writeMember(&b, l.Key, l.Items); err != nil {
		return nil, err
	}
	for _, m := range l.Extra {
		b.WriteByte(',')
		if err := writeMember(&b, m.Key, m.Value); err != nil {
			return nil, err
		}
	}
	if err := l.AppendPaging(&b); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// AppendPaging prints the members of paging, each with a comma before it.
func (l Listing) AppendPaging(b *bytes.Buffer) error {
	var members []Member
	if l.NextPage.IsSpecified() {
		members = append(members, Member{"next_page", orNull(l.NextPage)}, Member{"previous_page", orNull(l.PreviousPage)})
	}
	if l.Count != nil {
		members = append(members, Member{"count", *l.Count})
	}
	if l.Meta != nil {
		members = append(members, Member{"meta", l.Meta}, Member{"links", l.Links})
	}
	for _, m := range members {
		b.WriteByte(',')
		if err := writeMember(b, m.Key, m.Value); err != nil {
			return err
		}
	}
	return nil
}

// orNull is the value, or nil. A Nullable encodes its value by itself, and with
// the marks of HTML escaped.
func orNull(n nullable.Nullable[string]) any {
	if v, err := n.Get(); err == nil {
		return v
	}
	return nil
}

func writeMember(b *bytes.Buffer, key string, value any) error {
	name, err := encode(key)
	if err != nil {
		return err
	}
	text, err := encode(value)
	if err != nil {
		return err
	}
	b.Write(name)
	b.WriteByte(':')
	b.Write(text)
	return nil
}
