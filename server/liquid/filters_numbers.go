package liquid

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/osteele/tuesday"
)

// number is a whole number, or not. Those of the library's filters are all
// floats: {{ 1000000001 | plus: 1 }} would read 1.000000002e+09.
type number struct {
	whole int
	float float64
	isInt bool
}

func whole(n int) number { return number{n, float64(n), true} }

func toNumber(v any) number {
	switch v := v.(type) {
	case int:
		return whole(v)
	case float64:
		return number{float: v}
	case nil, bool:
		return whole(0)
	}
	s := strings.TrimSpace(plain(v))
	if n, err := strconv.Atoi(s); err == nil {
		return whole(n)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return number{float: f}
	}
	return whole(0)
}

func (n number) int() int {
	if n.isInt {
		return n.whole
	}
	if n.float >= 1<<62 || n.float <= -1<<62 || math.IsNaN(n.float) {
		return 0
	}
	return int(n.float)
}

func (n number) value() any {
	if n.isInt {
		return n.whole
	}
	return n.float
}

func (n number) plus(m number) number {
	if n.isInt && m.isInt {
		return whole(n.whole + m.whole)
	}
	return number{float: n.float + m.float}
}

// pair is a filter of two numbers: of whole ones if both are.
func pair(ints func(a, b int) (int, bool), floats func(a, b float64) float64) filter {
	return func(_ *run, in any, given args) any {
		a, b := toNumber(in), toNumber(given.at(0))
		if !a.isInt || !b.isInt {
			return floats(a.float, b.float)
		}
		out, ok := ints(a.whole, b.whole)
		if !ok {
			return nil
		}
		return out
	}
}

func addNumberFilters(to map[string]filter) {
	to["plus"] = pair(func(a, b int) (int, bool) { return a + b, true }, func(a, b float64) float64 { return a + b })
	to["minus"] = pair(func(a, b int) (int, bool) { return a - b, true }, func(a, b float64) float64 { return a - b })
	to["times"] = pair(func(a, b int) (int, bool) { return a * b, true }, func(a, b float64) float64 { return a * b })
	to["divided_by"] = pair(func(a, b int) (int, bool) {
		if b == 0 {
			return 0, false
		}
		q := a / b
		if a%b != 0 && (a < 0) != (b < 0) {
			q-- // downwards
		}
		return q, true
	}, func(a, b float64) float64 { return a / b })
	to["modulo"] = pair(func(a, b int) (int, bool) {
		if b == 0 {
			return 0, false
		}
		m := a % b
		if m != 0 && (m < 0) != (b < 0) {
			m += b
		}
		return m, true
	}, math.Mod)
	to["at_least"] = pair(func(a, b int) (int, bool) { return max(a, b), true }, math.Max)
	to["at_most"] = pair(func(a, b int) (int, bool) { return min(a, b), true }, math.Min)
	to["abs"] = func(_ *run, in any, _ args) any {
		if n := toNumber(in); n.isInt {
			return max(n.whole, -n.whole)
		}
		return math.Abs(toNumber(in).float)
	}
	to["ceil"] = func(_ *run, in any, _ args) any { return number{float: math.Ceil(toNumber(in).float)}.int() }
	to["floor"] = func(_ *run, in any, _ args) any { return number{float: math.Floor(toNumber(in).float)}.int() }
	to["round"] = func(_ *run, in any, a args) any {
		n, places := toNumber(in), min(max(a.int(0, 0), 0), 15)
		if places == 0 {
			return number{float: math.Round(n.float)}.int()
		}
		scale := math.Pow10(places)
		return math.Round(n.float*scale) / scale
	}
}

// widths are such as "%1000000000d" would need more memory than there is.
var widths = regexp.MustCompile(`%[-_0^#]*\d{3,}`)

var layouts = []string{
	time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02", time.RFC1123Z, time.RFC1123, "January 2, 2006 15:04", "January 2, 2006", "Jan 2, 2006",
}

// date writes a time as strftime does, in the zone of the rendering.
func date(r *run, in any, a args) any {
	format := a.text(0, "")
	t, ok := r.time(in)
	if !ok || format == "" || len(format) > 256 || widths.MatchString(format) {
		return in
	}
	out, err := tuesday.Strftime(format, t)
	if err != nil {
		return in
	}
	return out
}

func (r *run) time(v any) (time.Time, bool) {
	zone := r.Zone
	if zone == nil {
		zone = time.UTC
	}
	switch v := v.(type) {
	case *Object:
		if !v.Time.IsZero() {
			return v.Time.In(zone), true
		}
	case int:
		return time.Unix(int64(v), 0).In(zone), true
	}
	s := strings.TrimSpace(plain(v))
	if s == "now" || s == "today" {
		return r.Now.In(zone), true
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t.In(zone), true
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Unix(n, 0).In(zone), true
	}
	return time.Time{}, false
}
