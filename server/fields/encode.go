package fields

import (
	"encoding/json"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/models"
)

// AppendJSON appends the custom fields of a ticket as they are on the wire:
// [{"id":..,"value":..},..] with every active custom field in position order,
// null where the ticket has no value. values is tickets.custom_fields.
func (c *Config) AppendJSON(b []byte, values models.JSON) []byte {
	if len(c.custom) == 0 {
		return append(b, "[]"...)
	}
	var few [32]string // spares the heap for most accounts
	raw := few[:]
	if len(c.custom) > len(raw) {
		raw = make([]string, len(c.custom))
	}
	gjson.ParseBytes(values).ForEach(func(key, value gjson.Result) bool {
		if i, ok := c.index[key.Str]; ok {
			raw[i] = value.Raw
		}
		return true
	})
	b = append(b, '[')
	for i, f := range c.custom {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, f.wire...)
		b = f.appendValue(b, raw[i])
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendValue appends a stored value, of a choice without the options that are
// gone.
func (f *Field) appendValue(b []byte, raw string) []byte {
	switch {
	case raw == "":
		return append(b, "null"...)
	case !f.hasOptions() || f.offersAll(raw):
		return append(b, raw...)
	}
	left := f.chosen(json.RawMessage(raw))
	switch {
	case len(left) == 0:
		return append(b, "null"...)
	case f.Type == models.FieldTagger:
		return append(b, models.ToJSON(left[0])...)
	}
	return append(b, models.ToJSON(left)...)
}

// offersAll reports whether all options in a stored value are there.
func (f *Field) offersAll(raw string) bool {
	value := gjson.Parse(raw)
	if !value.IsArray() {
		return f.offers(value.Str)
	}
	all := true
	value.ForEach(func(_, item gjson.Result) bool {
		all = f.offers(item.Str)
		return all
	})
	return all
}
