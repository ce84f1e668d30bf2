package fields

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// Limits of values, in characters.
const (
	MaxText    = 65_535
	maxDecimal = 64
)

// Set puts a value as a caller sends it into values, which holds the values of
// a record by field id in the form that tickets return: integers and decimals
// as strings, a checkbox as bool, a date as YYYY-MM-DD, a tagger as its
// option's value, a multiselect as a list of them, a credit card masked.
//
// Nil, null and "" take the value out. An id that is no active custom field is
// ignored, as is an option of a ticket's that does not exist: what it would
// replace is taken out. It fails with fault.Invalid for a value that the field cannot have.
func (d *Definitions) Set(values map[string]json.RawMessage, fieldID int64, raw json.RawMessage) error {
	f, ok := d.fields[fieldID]
	if !ok || !f.Active || !f.Custom() {
		return nil
	}
	v, err := f.normal(raw)
	if err != nil {
		return err
	}
	if v == nil {
		delete(values, f.key)
		return nil
	}
	values[f.key] = v
	return nil
}

// normal is the value as it is kept; nil for none.
func (f *Field) normal(raw json.RawMessage) (json.RawMessage, error) {
	if len(raw) == 0 {
		return nil, nil
	}
	var v any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, f.invalid("is not valid")
	}
	switch f.Type {
	case models.FieldCheckbox:
		return f.checkbox(v)
	case models.FieldMultiselect:
		return f.multiselect(v)
	}
	text, ok := plain(v)
	if !ok {
		return nil, f.invalid("is not valid")
	}
	if strings.ContainsRune(text, 0) {
		return nil, f.invalid("contains a character that cannot be stored")
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	text, err := f.text(text)
	if err != nil || text == "" {
		return nil, err
	}
	return json.Marshal(text)
}

// plain is a scalar as text; false for a list or an object.
func plain(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// text is the normal form of a value that is kept as a string; empty for none.
func (f *Field) text(s string) (string, error) {
	switch f.Type {
	case models.FieldInteger:
		return f.integer(strings.TrimSpace(s))
	case models.FieldDecimal:
		return f.decimal(strings.TrimSpace(s))
	case models.FieldDate:
		return f.date(strings.TrimSpace(s))
	case models.FieldCreditCard:
		return f.card(s)
	case models.FieldLookup:
		id, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
		if err != nil || id <= 0 {
			return "", f.invalid("must be the id of a record")
		}
		return strconv.FormatInt(id, 10), nil
	case models.FieldTagger, models.FieldDropdown:
		return f.option(s)
	}
	if utf8.RuneCountInString(s) > MaxText {
		return "", fault.Record(fault.Titled(f.Title, fault.CodeTooLong, "is too long (maximum is %d characters)", MaxText))
	}
	if f.pattern != nil && !f.pattern.MatchString(s) {
		return "", f.invalid("is invalid")
	}
	return s, nil
}

// option is the value of one of the field's options. Tickets ignore one that
// does not exist, with users and organizations it is an error.
func (f *Field) option(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if f.offers(s) {
		return s, nil
	}
	if f.keyed() {
		return "", f.invalid("%s is not one of the options", cut(s, maxTag))
	}
	return "", nil
}

// integer also takes 7.0 and 7e0, which is how some clients write whole numbers.
func (f *Field) integer(s string) (string, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return strconv.FormatInt(n, 10), nil
	}
	if whole, fraction, ok := strings.Cut(s, "."); ok && fraction != "" && strings.Trim(fraction, "0") == "" {
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
			return strconv.FormatInt(n, 10), nil
		}
	}
	return "", f.invalid("must be an integer")
}

var (
	decimalForm  = regexp.MustCompile(`^([+-]?)(\d*)(?:\.(\d*))?$`)
	exponentForm = regexp.MustCompile(`^[+-]?\d+(\.\d+)?[eE][+-]?\d{1,2}$`)
)

// decimal keeps the digits as they are written, so that 1.10 stays 1.10.
func (f *Field) decimal(s string) (string, error) {
	if exponentForm.MatchString(s) { // JSON encoders write small numbers so
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return "", f.invalid("must be a number")
		}
		s = strconv.FormatFloat(n, 'f', -1, 64)
	}
	m := decimalForm.FindStringSubmatch(s)
	if m == nil || m[2]+m[3] == "" || len(s) > maxDecimal {
		return "", f.invalid("must be a number")
	}
	whole := strings.TrimLeft(m[2], "0")
	if whole == "" {
		whole = "0"
	}
	out := whole
	if m[3] != "" {
		out += "." + m[3]
	}
	if m[1] == "-" && strings.Trim(out, "0.") != "" { // no minus zero
		out = "-" + out
	}
	return out, nil
}

// date is the day that a date or an instant names, in the instant's own zone.
func (f *Field) date(s string) (string, error) {
	day, rest := s, ""
	if len(s) > len(time.DateOnly) {
		day, rest = s[:len(time.DateOnly)], s[len(time.DateOnly):]
	}
	_, err := time.Parse(time.DateOnly, day)
	if err == nil && rest != "" {
		err = clock(rest)
	}
	if err != nil {
		return "", f.invalid("is not a valid date")
	}
	return day, nil
}

// clock checks what follows the day in ISO 8601.
func clock(rest string) error {
	var err error
	for _, layout := range []string{"T15:04:05Z07:00", "T15:04:05Z0700", "T15:04:05", "T15:04", " 15:04:05", " 15:04:05 Z0700"} {
		if _, err = time.Parse(layout, rest); err == nil {
			return nil
		}
	}
	return err
}

var masked = regexp.MustCompile(`^X{8,15}\d{4}$`)

// card keeps the last four digits. What we masked ourselves may come back.
func (f *Field) card(s string) (string, error) {
	s = strings.NewReplacer(" ", "", "-", "").Replace(s)
	if masked.MatchString(s) {
		return s, nil
	}
	if len(s) < 12 || len(s) > 19 || strings.Trim(s, "0123456789") != "" {
		return "", f.invalid("must be a credit card number of 12 to 19 digits")
	}
	return strings.Repeat("X", len(s)-4) + s[len(s)-4:], nil
}

func (f *Field) checkbox(v any) (json.RawMessage, error) {
	text, ok := plain(v)
	if !ok {
		return nil, f.invalid("must be true or false")
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1", "yes":
		return json.RawMessage("true"), nil
	case "false", "0", "no":
		return json.RawMessage("false"), nil
	case "":
		return nil, nil
	}
	return nil, f.invalid("must be true or false")
}

// multiselect takes a list of option values or a text with spaces in between.
func (f *Field) multiselect(v any) (json.RawMessage, error) {
	list, ok := v.([]any)
	if !ok {
		text, scalar := plain(v)
		if !scalar {
			return nil, f.invalid("must be a list of option values")
		}
		for _, word := range strings.Fields(text) {
			list = append(list, word)
		}
	}
	var chosen []string
	for _, item := range list {
		text, ok := plain(item)
		if !ok {
			return nil, f.invalid("must be a list of option values")
		}
		text, err := f.option(text)
		if err != nil {
			return nil, err
		}
		if text != "" && !slices.Contains(chosen, text) {
			chosen = append(chosen, text)
		}
	}
	if chosen == nil {
		return nil, nil
	}
	return json.Marshal(chosen)
}

func (f *Field) invalid(what string, args ...any) error {
	return fault.Record(fault.Titled(f.Title, fault.CodeInvalid, what, args...))
}

// compile reads a pattern as accounts write them: Ruby's \A and \z are Go's,
// and its \Z, which also matches before a last line break, becomes that. Go's
// patterns take linear time, so that no pattern of a customer can stall us.
func compile(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '\\' || i+1 == len(pattern) {
			b.WriteByte(pattern[i])
			continue
		}
		i++
		if pattern[i] == 'Z' {
			b.WriteString(`\n?\z`)
			continue
		}
		b.WriteString(pattern[i-1 : i+1])
	}
	return regexp.Compile(b.String())
}
