package wire

import (
	"errors"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
)

// Time is an instant. It is written in UTC and whole seconds, exactly
// 2023-09-18T23:35:11Z, the only form that the Ruby client parses. It reads any
// ISO 8601 time with or without offset (then UTC), fraction and seconds, a date
// (midnight UTC), and seconds since 1970 as a number or in a string. Years are
// 1 to 9999. "" reads as the zero Time, which means unset.
type Time time.Time

// The layouts accepted, after normalize. Go accepts a fraction after the
// seconds of each without being told.
var timeLayouts = []string{
	"2006-01-02T15:04:05Z07:00",
	"2006-01-02T15:04:05Z0700",
	"2006-01-02T15:04:05Z07",
	"2006-01-02T15:04:05",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04Z0700",
	"2006-01-02T15:04",
	"2006-01-02",
}

const outLayout = "2006-01-02T15:04:05Z"

// The epoch seconds of the first and the last second that can be written.
const firstSecond, lastSecond = -62135596800, 253402300799

// ParseTime reads s as described at Time. It fails if s has none of the forms
// or its UTC year is not in 1 to 9999.
func ParseTime(s string) (Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return Time{}, nil
	}
	if t, ok := parseEpoch(s); ok {
		return t, nil
	}
	s = normalize(s)
	for _, layout := range timeLayouts {
		t, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if n := t.Unix(); n < firstSecond || n > lastSecond {
			break
		}
		return Time(t.UTC()), nil
	}
	return Time{}, errors.New("is not an ISO 8601 time")
}

// normalize brings the forms of other languages (2023-09-18 23:35:11 +0000,
// ... UTC, lower-case t and z) to those of timeLayouts.
func normalize(s string) string {
	s = strings.ToUpper(s)
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	if rest, ok := strings.CutSuffix(s, " UTC"); ok {
		return rest + "Z"
	}
	return strings.Replace(s, " ", "", 1)
}

func parseEpoch(s string) (Time, bool) {
	if strings.ContainsAny(s, "xXpP_iInN") {
		return Time{}, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f >= firstSecond && f < lastSecond+1) {
		return Time{}, false
	}
	whole := math.Floor(f)
	return Time(time.Unix(int64(whole), int64((f-whole)*1e9)).UTC()), true
}

// UnmarshalText reads a query parameter; see Time.
func (t *Time) UnmarshalText(b []byte) error {
	v, err := ParseTime(string(b))
	if err != nil {
		return err
	}
	*t = v
	return nil
}

// Bind reads a query parameter as UnmarshalText does; see ID.Bind.
func (t *Time) Bind(s string) error { return t.UnmarshalText([]byte(s)) }

// UnmarshalJSON reads a request's member; see Time.
func (t *Time) UnmarshalJSON(b []byte) error {
	if isNull(b) {
		return nil
	}
	text, ok := number(b)
	if !ok || t.UnmarshalText([]byte(text)) != nil {
		return wrong(b, reflect.TypeFor[Time]())
	}
	return nil
}

// String returns the form in which t is written.
func (t Time) String() string {
	return time.Time(t).UTC().Format(outLayout)
}

// MarshalText writes t as String does. It fails if the UTC year is not in 0 to
// 9999: clients could not parse it.
func (t Time) MarshalText() ([]byte, error) {
	if y := time.Time(t).UTC().Year(); y < 0 || y > 9999 {
		return nil, errors.New("year of a time is not in 0 to 9999")
	}
	return time.Time(t).UTC().AppendFormat(nil, outLayout), nil
}

// MarshalJSON writes t as MarshalText does, in quotes.
func (t Time) MarshalJSON() ([]byte, error) {
	text, err := t.MarshalText()
	if err != nil {
		return nil, err
	}
	return append(append([]byte{'"'}, text...), '"'), nil
}

// NullableTime turns a member of a request into what the domain takes: both
// null and "" (read as the zero Time) clear.
func NullableTime(n nullable.Nullable[Time]) nullable.Nullable[time.Time] {
	switch {
	case !n.IsSpecified():
		return nil
	case n.IsNull() || time.Time(n.MustGet()).IsZero():
		return nullable.NewNullNullable[time.Time]()
	}
	return nullable.NewNullableWithValue(time.Time(n.MustGet()))
}
