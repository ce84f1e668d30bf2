package fields

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// Ids of the fields that sample has, by type.
const (
	text = iota + 1
	area
	box
	day
	whole
	number
	code
	card
	many
	choice
	lookup
	plainBox
	retired
	system
)

// sample is an account with a field of each type.
func sample() *Config {
	field := func(id int64, kind string) models.Field {
		return models.Field{Tenant: models.Tenant{ID: id}, Kind: models.FieldsOfTickets, Type: kind, Title: strings.ToUpper(kind[:1]) + kind[1:],
			Position: int(id), Active: true, Removable: true}
	}
	fields := []models.Field{
		field(text, models.FieldText), field(area, models.FieldTextarea), field(box, models.FieldCheckbox), field(day, models.FieldDate),
		field(whole, models.FieldInteger), field(number, models.FieldDecimal), field(code, models.FieldRegexp),
		field(card, models.FieldCreditCard), field(many, models.FieldMultiselect), field(choice, models.FieldTagger),
		field(lookup, models.FieldLookup), field(plainBox, models.FieldCheckbox), field(retired, models.FieldText),
		field(system, models.FieldPriority),
	}
	fields[box-1].Tag = new("urgent_box")
	fields[code-1].RegexpForValidation = new(`\A[A-Z]{2}-\d+\Z`)
	fields[retired-1].Active = false
	fields[system-1].Removable = false
	option := func(id, field int64, value string) models.FieldOption {
		return models.FieldOption{Tenant: models.Tenant{ID: id}, FieldID: field, Name: value, Value: value}
	}
	c := &Config{}
	c.build(fields, []models.FieldOption{
		option(1, many, "red"), option(2, many, "green"), option(3, many, "blue"),
		option(4, choice, "camera"), option(5, choice, "r&d"),
	})
	return c
}

func TestSetKeepsValuesAsTicketsReturnThem(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		field int64
		sent  string
		kept  string // "" is no value
	}{
		{"text stays as it is", text, `" Hé llo "`, `" Hé llo "`},
		{"text takes a number", text, `4.50`, `"4.50"`},
		{"text takes a boolean", text, `true`, `"true"`},
		{"text is cleared by null", text, `null`, ``},
		{"text is cleared by an empty string", text, `""`, ``},
		{"text is cleared by blanks", text, `"  "`, ``},
		{"textarea keeps its lines", area, `"a\nb"`, `"a\nb"`},
		{"integer becomes a string", whole, `745`, `"745"`},
		{"integer takes a string", whole, `" 745 "`, `"745"`},
		{"integer loses plus and zeros", whole, `"+0745"`, `"745"`},
		{"integer keeps minus", whole, `-3`, `"-3"`},
		{"integer takes a whole decimal", whole, `7.0`, `"7"`},
		{"decimal keeps its digits", number, `1.10`, `"1.10"`},
		{"decimal takes a string", number, `"-0.5"`, `"-0.5"`},
		{"decimal takes an exponent", number, `1.5e3`, `"1500"`},
		{"decimal completes a bare fraction", number, `".5"`, `"0.5"`},
		{"decimal has no minus zero", number, `"-0.0"`, `"0.0"`},
		{"checkbox takes true", box, `true`, `true`},
		{"checkbox takes text", box, `"False"`, `false`},
		{"checkbox takes one", box, `1`, `true`},
		{"checkbox takes yes", box, `"yes"`, `true`},
		{"checkbox is cleared by null", box, `null`, ``},
		{"date is a day", day, `"2024-02-29"`, `"2024-02-29"`},
		{"date takes an instant", day, `"2024-02-29T23:00:00+09:00"`, `"2024-02-29"`},
		{"date takes an instant in UTC", day, `"2024-02-29T23:00:00Z"`, `"2024-02-29"`},
		{"regexp takes what matches", code, `"AB-12"`, `"AB-12"`},
		{"card is masked", card, `"4242 4242 4242 4242"`, `"XXXXXXXXXXXX4242"`},
		{"masked card comes back", card, `"XXXXXXXXXXXX4242"`, `"XXXXXXXXXXXX4242"`},
		{"tagger takes an option's value", choice, `"camera"`, `"camera"`},
		{"tagger takes it in any case", choice, `" Camera "`, `"camera"`},
		{"tagger is cleared by an unknown option", choice, `"phone"`, ``},
		{"tagger is cleared by null", choice, `null`, ``},
		{"multiselect takes a list", many, `["green","red"]`, `["green","red"]`},
		{"multiselect takes words", many, `"red blue"`, `["red","blue"]`},
		{"multiselect drops unknown and repeated options", many, `["red","pink","red"]`, `["red"]`},
		{"multiselect is cleared by an empty list", many, `[]`, ``},
		{"lookup becomes a string", lookup, `35`, `"35"`},
		{"lookup takes a string", lookup, `"35"`, `"35"`},
		{"an inactive field is ignored", retired, `"x"`, `"old"`},
		{"a system field is ignored", system, `"high"`, `"old"`},
		{"an unknown field is ignored", 404, `"x"`, `"old"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := sample()
			key := string(models.ToJSON(tc.field))
			values := map[string]json.RawMessage{key: json.RawMessage(`"old"`)}
			if err := c.Set(values, tc.field, json.RawMessage(tc.sent)); err != nil {
				t.Fatal(err)
			}
			if got := string(values[key]); got != tc.kept {
				t.Errorf("%s is kept as %s, want %s", tc.sent, got, tc.kept)
			}
		})
	}
}

func TestSetNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		field int64
		sent  string
		says  string
	}{
		{"text that is an object", text, `{}`, "Text: is not valid"},
		{"text with a NUL", text, `"a\u0000b"`, "Text: contains a character that cannot be stored"},
		{"text that is too long", text, `"` + strings.Repeat("ä", MaxText+1) + `"`, "Text: is too long (maximum is 65535 characters)"},
		{"integer that is a word", whole, `"many"`, "Integer: must be an integer"},
		{"integer with a fraction", whole, `7.5`, "Integer: must be an integer"},
		{"integer beyond 64 bits", whole, `99999999999999999999`, "Integer: must be an integer"},
		{"integer that is a boolean", whole, `true`, "Integer: must be an integer"},
		{"decimal that is a word", number, `"1,5"`, "Decimal: must be a number"},
		{"decimal without digits", number, `"."`, "Decimal: must be a number"},
		{"decimal of great length", number, `"` + strings.Repeat("1", 65) + `"`, "Decimal: must be a number"},
		{"checkbox that is a word", box, `"maybe"`, "Checkbox: must be true or false"},
		{"checkbox that is a list", box, `[true]`, "Checkbox: must be true or false"},
		{"date that is none", day, `"2023-02-29"`, "Date: is not a valid date"},
		{"date in words", day, `"tomorrow"`, "Date: is not a valid date"},
		{"date with a broken time", day, `"2024-02-29T25:00:00Z"`, "Date: is not a valid date"},
		{"regexp mismatch", code, `"AB-12x"`, "Regexp: is invalid"},
		{"regexp matches from the start", code, `"xAB-12"`, "Regexp: is invalid"},
		{"card with letters", card, `"4242x4242y4242z4242"`, "Partialcreditcard: must be a credit card number of 12 to 19 digits"},
		{"card of few digits", card, `"4242"`, "Partialcreditcard: must be a credit card number of 12 to 19 digits"},
		{"tagger that is a list", choice, `["camera"]`, "Tagger: is not valid"},
		{"multiselect that is an object", many, `{"a":1}`, "Multiselect: must be a list of option values"},
		{"multiselect of lists", many, `[["red"]]`, "Multiselect: must be a list of option values"},
		{"lookup of a name", lookup, `"bob"`, "Lookup: must be the id of a record"},
		{"lookup of zero", lookup, `0`, "Lookup: must be the id of a record"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			values := map[string]json.RawMessage{}
			err := sample().Set(values, tc.field, json.RawMessage(tc.sent))
			e := fault.Of(err)
			if e == nil || e.Kind != fault.Invalid || len(e.Details["base"]) != 1 || e.Details["base"][0].Description != tc.says {
				t.Errorf("error %v, want %q", err, tc.says)
			}
			if len(values) > 0 {
				t.Errorf("kept %s", values)
			}
		})
	}
}

func TestTagsFollowValues(t *testing.T) {
	t.Parallel()
	c := sample()
	values := map[string]json.RawMessage{
		"3": json.RawMessage(`true`), "9": json.RawMessage(`["blue","gone","red"]`), "10": json.RawMessage(`"r&d"`), "12": json.RawMessage(`true`),
	}
	if got := c.TagsOf(values); !slices.Equal(got, []string{"urgent_box", "blue", "red", "r&d"}) {
		t.Errorf("tags %v", got)
	}
	before := map[string]json.RawMessage{"10": json.RawMessage(`"camera"`), "9": json.RawMessage(`["red"]`)}
	if got := c.Retag([]string{"vip", "camera", "red"}, before, values); !slices.Equal(got, []string{"vip", "red", "urgent_box", "blue", "r&d"}) {
		t.Errorf("retagged %v", got)
	}
}

func TestValuesFollowTags(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		values string
		tags   []string
		want   string
	}{
		{"a tag chooses its option", `{}`, []string{"vip", "camera"}, `{"10":"camera"}`},
		{"a tag that goes takes its option along", `{"10":"camera"}`, []string{"vip"}, `{}`},
		{"a tagger with two tags keeps its value", `{"10":"r&d"}`, []string{"camera", "r&d"}, `{"10":"r&d"}`},
		{"a tagger with two tags and no value takes the first option", `{}`, []string{"r&d", "camera"}, `{"10":"camera"}`},
		{"a multiselect takes all, its own first", `{"9":["blue"]}`, []string{"red", "blue"}, `{"9":["blue","red"]}`},
		{"a multiselect loses what goes", `{"9":["blue","red"]}`, []string{"red"}, `{"9":["red"]}`},
		{"a checkbox is ticked by its tag", `{}`, []string{"urgent_box"}, `{"3":true}`},
		{"a checkbox is unticked without its tag", `{"3":true}`, nil, `{"3":false}`},
		{"a checkbox never touched stays so", `{}`, nil, `{}`},
		{"a checkbox without a tag stays ticked", `{"12":true}`, nil, `{"12":true}`},
		{"other fields stay", `{"1":"x"}`, []string{"vip"}, `{"1":"x"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			values := map[string]json.RawMessage{}
			if err := json.Unmarshal([]byte(tc.values), &values); err != nil {
				t.Fatal(err)
			}
			sample().FromTags(values, tc.tags)
			var want any
			_ = json.Unmarshal([]byte(tc.want), &want)
			var got any
			_ = json.Unmarshal(models.ToJSON(values), &got)
			if string(models.ToJSON(got)) != string(models.ToJSON(want)) {
				t.Errorf("%s with %v became %s, want %s", tc.values, tc.tags, models.ToJSON(values), tc.want)
			}
		})
	}
}

func TestAppendJSONHasEveryActiveCustomField(t *testing.T) {
	t.Parallel()
	got := string(sample().AppendJSON([]byte("x"), models.JSON(
		`{"1":"a","3":false,"5":"745","9":["red","gone"],"10":"gone","13":"hidden","14":"low","404":"no field"}`)))
	want := `x[{"id":1,"value":"a"},{"id":2,"value":null},{"id":3,"value":false},{"id":4,"value":null},{"id":5,"value":"745"},` +
		`{"id":6,"value":null},{"id":7,"value":null},{"id":8,"value":null},{"id":9,"value":["red"]},{"id":10,"value":null},` +
		`{"id":11,"value":null},{"id":12,"value":null}]`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	empty := &Config{}
	empty.build(nil, nil)
	if got := string(empty.AppendJSON(nil, models.JSON(`{}`))); got != "[]" {
		t.Errorf("without fields: %s", got)
	}
}

// FuzzSet holds that no value breaks the rules of what is kept: it is what Set
// takes back unchanged, and clients can decode it.
func FuzzSet(f *testing.F) {
	for _, seed := range []string{`"x"`, `1.5e3`, `true`, `["red",null]`, `{"a":1}`, `"4242 4242 4242 4242"`, `"2024-02-29T23:00:00Z"`, `null`, `1e400`, `"\u0000"`} {
		for id := range int64(system) {
			f.Add(id, seed)
		}
	}
	c := sample()
	f.Fuzz(func(t *testing.T, id int64, sent string) {
		if !json.Valid([]byte(sent)) {
			return
		}
		values := map[string]json.RawMessage{}
		if err := c.Set(values, id, json.RawMessage(sent)); err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%d %s: %v", id, sent, err)
			}
			return
		}
		for key, v := range values {
			if !json.Valid(v) || strings.Contains(string(v), `\u0000`) || strings.ContainsAny(string(v[:1]), "{-0123456789") {
				t.Fatalf("%d %s is kept as %s", id, sent, v)
			}
			again := map[string]json.RawMessage{}
			if err := c.Set(again, id, v); err != nil || string(again[key]) != string(v) {
				t.Fatalf("%d %s is kept as %s, and that as %s (%v)", id, sent, v, again[key], err)
			}
		}
	})
}
