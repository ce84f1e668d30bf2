package liquid

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/osteele/liquid/values"
)

// filter makes a value of another one. in and args are values of expressions.
type filter func(r *run, in any, args args) any

type args []any

func (a args) at(i int) any {
	if i < len(a) {
		return a[i]
	}
	return nil
}

func (a args) text(i int, otherwise string) string {
	if i < len(a) && a[i] != nil {
		return plain(a[i])
	}
	return otherwise
}

func (a args) int(i, otherwise int) int {
	if i < len(a) && a[i] != nil {
		return toNumber(a[i]).int()
	}
	return otherwise
}

// filter applies a filter, which may not exist, within what the rendering may
// cost.
func (r *run) filter(name string, in any, given args) any {
	f := filters[name]
	if f == nil || r.stopped != nil {
		return in
	}
	cost := 1 + size(in)
	for _, a := range given {
		cost += size(a)
	}
	if !r.spend(cost) {
		return nil
	}
	if s, ok := in.(string); ok && marks(s) && r.Format != Text {
		given = r.guarded(name, given)
	}
	out := f(r, in, given)
	switch v := out.(type) {
	case string:
		if len(v) > MaxOutput {
			r.stop(ErrTooLong)
			return nil
		}
		out = closed(v)
	case []any:
		out = &List{Items: v}
	}
	if l, ok := out.(*List); ok && len(l.Items) > maxItems {
		r.stop(ErrTooMuch)
		return nil
	}
	if !r.spend(size(out)) {
		return nil
	}
	return out
}

// size is what handling a value costs.
func size(v any) int {
	switch v := v.(type) {
	case string:
		return len(v) / 32
	case *List:
		return len(v.Items) / 4
	case *Object:
		return 2
	}
	return 0
}

// guarded are the arguments of a filter of a text that has something raw in it:
// they may come to stand within that.
func (r *run) guarded(name string, given args) args {
	out := make(args, len(given))
	for i, a := range given {
		out[i] = a
		switch a.(type) {
		case string, *Object, *List:
		default:
			continue
		}
		s := plain(a)
		if !r.template.literals[s] {
			s = r.escaped(s)
		}
		if out[i] = rawBegins + s + rawEnds; i == 0 && searching[name] {
			out[i] = s
		}
	}
	return out
}

// searching are filters whose first argument is looked for.
var searching = map[string]bool{
	"replace": true, "replace_first": true, "replace_last": true, "remove": true, "remove_first": true, "remove_last": true, "split": true,
}

// closed is a text whose raw parts end.
func closed(s string) string {
	if !marks(s) {
		return s
	}
	depth := 0
	for _, c := range s {
		switch string(c) {
		case rawBegins:
			depth++
		case rawEnds:
			depth = max(0, depth-1)
		}
	}
	return s + strings.Repeat(rawEnds, depth)
}

// toList are the items of a value: a value that is no list is its own only one.
func toList(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case *List:
		return v.Items
	case []any:
		return v
	case string:
		if v == "" {
			return nil
		}
	case *Object:
		if v.Text == nil {
			return nil
		}
	case int, float64, bool:
	default:
		return nil
	}
	return []any{v}
}

// texts is a filter of a text alone.
func texts(f func(string) string) filter {
	return func(_ *run, in any, _ args) any { return f(plain(in)) }
}

var filters map[string]filter

func init() {
	filters = map[string]filter{
		"append":  func(_ *run, in any, a args) any { return plain(in) + a.text(0, "") },
		"prepend": func(_ *run, in any, a args) any { return a.text(0, "") + plain(in) },
		"capitalize": texts(func(s string) string {
			first, n := utf8.DecodeRuneInString(s)
			if n == 0 {
				return s
			}
			return string(unicode.ToUpper(first)) + strings.ToLower(s[n:])
		}),
		"downcase":       texts(strings.ToLower),
		"upcase":         texts(strings.ToUpper),
		"strip":          texts(strings.TrimSpace),
		"lstrip":         texts(func(s string) string { return strings.TrimLeftFunc(s, unicode.IsSpace) }),
		"rstrip":         texts(func(s string) string { return strings.TrimRightFunc(s, unicode.IsSpace) }),
		"strip_newlines": texts(strings.NewReplacer("\r\n", "", "\n", "").Replace),
		"strip_html":     texts(func(s string) string { return tags.ReplaceAllString(s, "") }),
		"remove":         func(_ *run, in any, a args) any { return strings.ReplaceAll(plain(in), a.text(0, ""), "") },
		"remove_first":   func(_ *run, in any, a args) any { return strings.Replace(plain(in), a.text(0, ""), "", 1) },
		"remove_last":    func(_ *run, in any, a args) any { return replaceLast(plain(in), a.text(0, ""), "") },
		"replace":        replaceAll,
		"replace_first":  func(_ *run, in any, a args) any { return strings.Replace(plain(in), a.text(0, ""), a.text(1, ""), 1) },
		"replace_last":   func(_ *run, in any, a args) any { return replaceLast(plain(in), a.text(0, ""), a.text(1, "")) },
		"slice":          slice,
		"split":          splitText,
		"truncate":       truncate,
		"truncatewords":  truncateWords,

		"escape":        func(r *run, in any, _ args) any { return r.written(plain(in), html.EscapeString) },
		"escape_once":   func(r *run, in any, _ args) any { return r.written(plain(in), escapeOnce) },
		"newline_to_br": newlineToBR,
		"json":          toJSON,
		"url_encode":    func(r *run, in any, _ args) any { return r.written(plain(in), url.QueryEscape) },
		"url_decode": texts(func(s string) string {
			decoded, err := url.QueryUnescape(s)
			if err != nil {
				return s
			}
			return unmarked.Replace(strings.ToValidUTF8(decoded, ""))
		}),
		"base64_encode":          texts(func(s string) string { return base64.StdEncoding.EncodeToString([]byte(unmarked.Replace(s))) }),
		"base64_decode":          texts(decoded(base64.StdEncoding)),
		"base64_url_safe_encode": texts(func(s string) string { return base64.URLEncoding.EncodeToString([]byte(unmarked.Replace(s))) }),
		"base64_url_safe_decode": texts(decoded(base64.URLEncoding)),

		"default": func(_ *run, in any, a args) any {
			if isBlank(in) {
				return a.at(0)
			}
			return in
		},
		"date": date,
		"size": func(_ *run, in any, _ args) any {
			switch v := in.(type) {
			case *List:
				return len(v.Items)
			case string, *Object:
				return utf8.RuneCountInString(unmarked.Replace(plain(v)))
			}
			return 0
		},
	}
	addListFilters(filters)
	addNumberFilters(filters)
}

var tags = regexp.MustCompile(`(?s)<script.*?</script>|<!--.*?-->|<style.*?</style>|<[^<>]*>`)

func decoded(encoding *base64.Encoding) func(string) string {
	return func(s string) string {
		b, err := encoding.DecodeString(s)
		if err != nil || !utf8.Valid(b) {
			return ""
		}
		return unmarked.Replace(string(b))
	}
}

// written is a text as a filter writes it in the format of the rendering: in HTML
// what escape makes is not escaped again, nor in an address what url_encode makes.
func (r *run) written(s string, f func(string) string) any {
	s = f(unmarked.Replace(s))
	if r.Format == HTML || r.Format == XML || r.Format == URL {
		return rawBegins + s + rawEnds
	}
	return s
}

func escapeOnce(s string) string { return html.EscapeString(html.UnescapeString(s)) }

func newlineToBR(r *run, in any, _ args) any {
	s := plain(in)
	if r.Format == HTML && !marks(s) {
		return s // as all texts
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "<br />\n")
}

func toJSON(r *run, in any, _ args) any {
	var v any = in
	switch given := in.(type) {
	case *List:
		all := make([]any, len(given.Items))
		for i, item := range given.Items {
			all[i] = item
			if _, isNumber := item.(int); !isNumber {
				all[i] = unmarked.Replace(plain(item))
			}
		}
		v = all
	case string, *Object:
		v = unmarked.Replace(plain(given))
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return nil
	}
	s := strings.TrimSuffix(b.String(), "\n")
	if r.Format == JSON {
		return rawBegins + s + rawEnds
	}
	return s
}

func replaceAll(r *run, in any, a args) any {
	s, old, now := plain(in), a.text(0, ""), a.text(1, "")
	if len(s)+strings.Count(s, old)*(len(now)-len(old)) > MaxOutput {
		r.stop(ErrTooLong)
		return nil
	}
	return strings.ReplaceAll(s, old, now)
}

func replaceLast(s, old, now string) string {
	at := strings.LastIndex(s, old)
	if at < 0 {
		return s
	}
	return s[:at] + now + s[at+len(old):]
}

func slice(_ *run, in any, a args) any {
	if l, ok := in.(*List); ok {
		from, to := within(len(l.Items), a)
		return l.Items[from:to]
	}
	runes := []rune(plain(in))
	from, to := within(len(runes), a)
	return string(runes[from:to])
}

// within is the part of n that starts at the first argument and is as long as
// the second.
func within(n int, a args) (from, to int) {
	from, length := a.int(0, 0), a.int(1, 1)
	if from < 0 {
		from += n
	}
	if from < 0 || from > n || length < 0 {
		return 0, 0
	}
	return from, from + min(length, n-from)
}

func splitText(r *run, in any, a args) any {
	s, by := plain(in), a.text(0, "")
	var parts []string
	if by == " " {
		parts = strings.Fields(s)
	} else {
		parts = strings.SplitN(s, by, maxItems+2)
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	out := make([]any, len(parts))
	for i, part := range parts {
		out[i] = closed(part)
	}
	return out
}

func truncate(_ *run, in any, a args) any {
	s, more := plain(in), a.text(1, "...")
	n := a.int(0, 50)
	if utf8.RuneCountInString(unmarked.Replace(s)) <= n {
		return s
	}
	n -= utf8.RuneCountInString(unmarked.Replace(more))
	for at, c := range s {
		if c == '\uFDD0' || c == '\uFDD1' {
			continue
		}
		if n--; n < 0 {
			return closed(s[:at]) + more
		}
	}
	return s
}

func truncateWords(_ *run, in any, a args) any {
	s, n := plain(in), max(1, a.int(0, 15))
	words := strings.Fields(s)
	if len(words) <= n {
		return s
	}
	return closed(strings.Join(words[:n], " ")) + a.text(1, "...")
}

// same reports whether two values are equal.
func same(a, b any) bool { return values.ValueOf(a).Equal(values.ValueOf(b)) }
