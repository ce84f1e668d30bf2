package wire

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"strings"
	"unicode"
)

// Text is a string that also reads a JSON number or boolean, as its literal.
type Text string

// UnmarshalJSON reads a request's member; see Text.
func (t *Text) UnmarshalJSON(b []byte) error {
	if isNull(b) {
		return nil
	}
	text, ok := scalar(b)
	if !ok {
		return wrong(b, reflect.TypeFor[Text]())
	}
	*t = Text(text)
	return nil
}

// IDs is a list of record numbers. It reads a JSON list, a single id, and ids
// separated by commas in a string; empty places and nulls are left out. (In a
// query parameter the generated code splits at the commas and reads each ID, so
// that an empty place is 0 until Int64s.)
type IDs []ID

// UnmarshalJSON reads a request's member; see IDs.
func (ids *IDs) UnmarshalJSON(b []byte) error {
	if isNull(b) {
		return nil
	}
	if len(b) > 0 && b[0] == '[' {
		var list []*ID
		if err := json.Unmarshal(b, &list); err != nil {
			return err
		}
		out := make(IDs, 0, len(list))
		for _, id := range list {
			if id != nil && *id != 0 {
				out = append(out, *id)
			}
		}
		*ids = out
		return nil
	}
	text, ok := number(b)
	if !ok {
		return wrong(b, reflect.TypeFor[IDs]())
	}
	out := IDs{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := ParseID(part)
		if errors.Is(err, ErrRange) {
			return wrong(b, reflect.TypeFor[outOfRange]())
		}
		if err != nil {
			return wrong(b, reflect.TypeFor[IDs]())
		}
		out = append(out, n)
	}
	*ids = out
	return nil
}

// Int64s returns the ids as the domain takes them, without zeros; nil stays nil.
func (ids IDs) Int64s() []int64 {
	if ids == nil {
		return nil
	}
	out := make([]int64, 0, len(ids))
	for _, id := range ids {
		if id != 0 {
			out = append(out, int64(id))
		}
	}
	return out
}

// Strings is a list of strings. It reads a JSON list and a single string, which
// becomes a list of one (clients send one upload token so); numbers and
// booleans are read as Text reads them, nulls are left out.
type Strings []string

// UnmarshalJSON reads a request's member; see Strings.
func (s *Strings) UnmarshalJSON(b []byte) error {
	out, err := textList(b, reflect.TypeFor[Strings]())
	if out != nil {
		*s = out
	}
	return err
}

// Tags is a list of tags. It reads a JSON list and a single string, splits each
// at white space and commas, and keeps each tag once, in lower case, in the
// order given.
type Tags []string

// UnmarshalJSON reads a request's member; see Tags.
func (t *Tags) UnmarshalJSON(b []byte) error {
	list, err := textList(b, reflect.TypeFor[Tags]())
	if list != nil {
		*t = SplitTags(list...)
	}
	return err
}

// SplitTags returns the tags in the given texts as Tags does; never nil.
func SplitTags(texts ...string) Tags {
	out := Tags{}
	seen := make(map[string]bool)
	for _, text := range texts {
		tags := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
			return r == ',' || unicode.IsSpace(r)
		})
		for _, tag := range tags {
			if !seen[tag] {
				seen[tag] = true
				out = append(out, tag)
			}
		}
	}
	return out
}

// textList reads a list of scalars or a single one. It returns nil for null.
func textList(b []byte, want reflect.Type) ([]string, error) {
	if isNull(b) {
		return nil, nil
	}
	if len(b) == 0 || b[0] != '[' {
		text, ok := scalar(b)
		if !ok {
			return nil, wrong(b, want)
		}
		return []string{text}, nil
	}
	var list []*Text
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, err
	}
	out := make([]string, 0, len(list))
	for _, text := range list {
		if text != nil {
			out = append(out, string(*text))
		}
	}
	return out, nil
}

// FoldLists rewrites repeated parameters of the form ids[]=1&ids[]=2 to ids=1,2,
// the form in which the contract declares lists, and tells whether there were
// any. A parameter given in both forms is joined.
func FoldLists(q url.Values) bool {
	found := false
	for name, values := range q {
		plain, ok := strings.CutSuffix(name, "[]")
		if !ok || plain == "" {
			continue
		}
		found = true
		delete(q, name)
		q[plain] = []string{strings.Join(append(q[plain], values...), ",")}
	}
	return found
}
