package liquid

import (
	"encoding/json"
	"html"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/osteele/liquid/values"
)

// Raw is a text that is written in the format of the rendering already: HTML in
// HTML. It is not escaped again.
type Raw string

// Object is a value that has members.
type Object struct {
	Member func(name string) any // nil if there is none of the name
	Text   func() any            // what it writes: a string, or Raw; nil writes nothing
	Is     []string              // what it equals besides its text; with any, the case of letters does not count
	Time   time.Time             // that it stands for, for the filter date
	False  bool                  // in conditions
}

// List is several values, for loops and filters.
type List struct {
	Items []any
	Text  func() any // what it writes as a whole; nil: its items one after the other
}

// What is Raw travels between two characters that no text has, so that filters,
// which know of texts alone, keep it apart from what still has to be escaped.
const (
	rawBegins = "\uFDD0"
	rawEnds   = "\uFDD1"
)

var unmarked = strings.NewReplacer(rawBegins, "", rawEnds, "")

func marks(s string) bool { return strings.Contains(s, "\uFDD0") || strings.Contains(s, "\uFDD1") }

// value is a value from outside as expressions have it.
func (r *run) value(v any) any {
	switch v := v.(type) {
	case string:
		if marks(v) {
			return unmarked.Replace(v)
		}
		return v
	case Raw:
		s := string(v)
		if marks(s) {
			s = unmarked.Replace(s)
		}
		if s == "" || r.Format == Text {
			return s
		}
		return rawBegins + s + rawEnds
	case int64:
		return int(v)
	case []any:
		return &List{Items: v}
	case *Object:
		if v == nil {
			return nil
		}
		return bound{v, r}.object()
	}
	return v
}

// bound is an object whose values go through value.
type bound struct {
	*Object
	run *run
}

func (b bound) object() *Object {
	o := *b.Object
	if member := o.Member; member != nil {
		o.Member = func(name string) any { return b.run.value(member(name)) }
	}
	if text := o.Text; text != nil {
		o.Text = func() any { return b.run.value(text()) }
	}
	return &o
}

func (o *Object) text() string {
	if o.Text == nil {
		return ""
	}
	s, _ := o.Text().(string)
	return s
}

// Interface and the rest make an Object a value of the library.
func (o *Object) Interface() any { return o }

// Int is for ranges.
func (o *Object) Int() int { return toNumber(o).int() }

// Equal holds o against a text.
func (o *Object) Equal(other values.Value) bool {
	v := other.Interface()
	if same, ok := v.(*Object); ok {
		return same == o || o.Text != nil && same.Text != nil && o.text() == same.text()
	}
	if v == nil || o.Text == nil {
		return false
	}
	s := plain(v)
	for _, is := range o.Is {
		if strings.EqualFold(is, s) {
			return true
		}
	}
	return o.text() == s || len(o.Is) > 0 && strings.EqualFold(o.text(), s)
}

// Less compares times and texts.
func (o *Object) Less(other values.Value) bool {
	if o.Text == nil {
		return false
	}
	if same, ok := other.Interface().(*Object); ok && !same.Time.IsZero() && !o.Time.IsZero() {
		return o.Time.Before(same.Time)
	}
	return values.Less(o.text(), plain(other.Interface()))
}

// Contains looks into its text.
func (o *Object) Contains(other values.Value) bool {
	return o.Text != nil && strings.Contains(o.text(), plain(other.Interface()))
}

// IndexValue is PropertyValue.
func (o *Object) IndexValue(name values.Value) values.Value { return o.PropertyValue(name) }

// PropertyValue is a member.
func (o *Object) PropertyValue(name values.Value) values.Value {
	if s, ok := name.Interface().(string); ok && o.Member != nil {
		return values.ValueOf(o.Member(s))
	}
	return values.ValueOf(nil)
}

// Test is whether it counts as true.
func (o *Object) Test() bool { return !o.False }

// Interface and the rest make a List a value of the library.
func (l *List) Interface() any { return l }

// Int is for ranges.
func (l *List) Int() int { return 0 }

// Equal is identity.
func (l *List) Equal(other values.Value) bool { return other.Interface() == any(l) }

// Less is false: lists have no order.
func (l *List) Less(values.Value) bool { return false }

// Contains reports whether an item equals v.
func (l *List) Contains(v values.Value) bool {
	for _, item := range l.Items {
		if values.ValueOf(item).Equal(v) {
			return true
		}
	}
	return false
}

// IndexValue is an item by its place, from the end if that is negative.
func (l *List) IndexValue(at values.Value) values.Value {
	n, ok := at.Interface().(int)
	if !ok {
		return l.PropertyValue(at)
	}
	if n < 0 {
		n += len(l.Items)
	}
	if n < 0 || n >= len(l.Items) {
		return values.ValueOf(nil)
	}
	return values.ValueOf(l.Items[n])
}

// PropertyValue is the first or last item, or the size.
func (l *List) PropertyValue(name values.Value) values.Value {
	switch s, _ := name.Interface().(string); {
	case s == "size":
		return values.ValueOf(len(l.Items))
	case s == "first" && len(l.Items) > 0:
		return values.ValueOf(l.Items[0])
	case s == "last" && len(l.Items) > 0:
		return values.ValueOf(l.Items[len(l.Items)-1])
	}
	return values.ValueOf(nil)
}

// Test is true, as it is of empty lists in Liquid.
func (l *List) Test() bool { return true }

// blank is what blank and empty stand for, in comparisons.
type blank struct{}

func (b blank) Interface() any                        { return nil }
func (blank) Int() int                                { return 0 }
func (blank) Less(values.Value) bool                  { return false }
func (blank) Contains(values.Value) bool              { return false }
func (blank) IndexValue(values.Value) values.Value    { return values.ValueOf(nil) }
func (blank) PropertyValue(values.Value) values.Value { return values.ValueOf(nil) }
func (blank) Test() bool                              { return false }
func (blank) Equal(other values.Value) bool           { return isBlank(other.Interface()) }

func isBlank(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case *List:
		return len(v.Items) == 0
	case []any:
		return len(v) == 0
	case *Object:
		return v.Text != nil && strings.TrimSpace(v.text()) == ""
	}
	return strings.TrimSpace(plain(v)) == ""
}

// plain is what a value reads as, with the marks of what is Raw.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return decimal(v)
	case *Object:
		if v != nil {
			return v.text()
		}
	case *List:
		if v.Text != nil {
			s, _ := v.Text().(string)
			return s
		}
		return joined(v.Items, "", MaxOutput)
	case []any:
		return joined(v, "", MaxOutput)
	}
	return ""
}

func decimal(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return ""
	}
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// joined are the texts of values, until they are longer than limit.
func joined(list []any, separator string, limit int) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(plain(v))
		if b.Len() > limit {
			break
		}
	}
	return b.String()
}

// text is plain of a value within a rendering.
func (r *run) text(v any) string {
	if l, ok := v.(*List); ok && l.Text != nil {
		s, _ := r.value(l.Text()).(string)
		return s
	}
	return plain(v)
}

// escaped is a text as it is written: what is Raw as it is, the rest escaped.
func (r *run) escaped(s string) string {
	if r.Format == Text {
		return s // nothing is marked
	}
	if !marks(s) {
		return r.escape(s)
	}
	var b strings.Builder
	for depth := 0; s != ""; {
		at := strings.IndexAny(s, rawBegins+rawEnds)
		part := s
		if at >= 0 {
			part = s[:at]
		}
		if depth == 0 {
			part = r.escape(part)
		}
		b.WriteString(part)
		if at < 0 {
			break
		}
		if strings.HasPrefix(s[at:], rawBegins) {
			depth++
		} else {
			depth = max(0, depth-1)
		}
		s = s[at+len(rawBegins):]
	}
	return b.String()
}

func (r *run) escape(s string) string {
	switch {
	case s == "" || r.Format == Text:
		return s
	case r.Format == JSON:
		return jsonEscaped(s)
	case r.Format == URL:
		return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	if !strings.ContainsAny(s, "<>&\"'\n") {
		return s
	}
	if r.template.literals[s] { // {{ "<br>" }}: what else reads the same can do no more than that
		return s
	}
	s = html.EscapeString(s)
	if r.Format == HTML {
		s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "<br>\n")
	}
	return s
}

func jsonEscaped(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(s) != nil {
		return ""
	}
	return strings.TrimSuffix(b.String(), "\"\n")[1:]
}
