package fields

import (
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/models"
)

// AppendJSON appends the custom fields of a ticket as they are on the wire:
// [{"id":..,"value":..},..] with every active custom field in position order,
// null where the ticket has no value. values is tickets.custom_fields.
func (d *Definitions) AppendJSON(b []byte, values models.JSON) []byte {
	return d.AppendSome(b, values, func(*Field) bool { return true })
}

// AppendPortalJSON is AppendJSON with the fields alone that end users may see.
func (d *Definitions) AppendPortalJSON(b []byte, values models.JSON) []byte {
	return d.AppendSome(b, values, func(f *Field) bool { return f.VisibleInPortal })
}

// AppendSome is AppendJSON with the fields alone that shown picks.
func (d *Definitions) AppendSome(b []byte, values models.JSON, shown func(*Field) bool) []byte {
	if len(d.custom) == 0 {
		return append(b, "[]"...)
	}
	var few [32]string // spares the heap for most accounts
	b = append(b, '[')
	first := true
	for i, raw := range d.raw(few[:], values) {
		f := d.custom[i]
		if !shown(f) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, f.wire...)
		b = f.appendValue(b, raw)
		b = append(b, '}')
	}
	return append(b, ']')
}

// raw are the stored values in the order of custom, in into if it is large
// enough; "" for none.
func (d *Definitions) raw(into []string, values models.JSON) []string {
	if len(d.custom) > len(into) {
		into = make([]string, len(d.custom))
	}
	gjson.ParseBytes(values).ForEach(func(key, value gjson.Result) bool {
		if i, ok := d.index[key.Str]; ok {
			into[i] = value.Raw
		}
		return true
	})
	return into[:len(d.custom)]
}

// Object are the custom fields of a user or organization as they are on the
// wire: every active one in position order under its key, null where there is
// no value, but false of a checkbox. Numbers and the ids of lookups are
// numbers there, other than with tickets, and a date is the midnight that it
// begins with. values is users.user_fields or organizations.organization_fields.
func (d *Definitions) Object(values models.JSON) json.RawMessage {
	b := append(make([]byte, 0, 64*len(d.custom)), '{')
	for i, raw := range d.raw(nil, values) {
		if i > 0 {
			b = append(b, ',')
		}
		f := d.custom[i]
		b = append(b, f.wire...)
		switch {
		case raw == "" && f.Type == models.FieldCheckbox:
			b = append(b, "false"...)
		case raw == "":
			b = append(b, "null"...)
		case f.Type == models.FieldInteger || f.Type == models.FieldDecimal || f.Type == models.FieldLookup:
			b = append(b, strings.Trim(raw, `"`)...)
		case f.Type == models.FieldDate:
			b = append(append(b, raw[:len(raw)-1]...), `T00:00:00+00:00"`...)
		default:
			b = f.appendValue(b, raw)
		}
	}
	return append(b, '}')
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
	case f.one():
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
