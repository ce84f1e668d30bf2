package fields

import (
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
		if raw[i] == "" {
			b = append(b, "null"...)
		} else {
			b = append(b, raw[i]...)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}
