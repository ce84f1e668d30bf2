package placeholders

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/liquid"
)

// fieldValue is the value of a ticket's custom field: of a choice the tag, of
// several the tags, of a checkbox 1 or 0.
func (v *view) fieldValue(id int64) any {
	f, ok := v.Config.Field(id)
	if !ok || !f.Active || !f.Custom() {
		return nil
	}
	return v.valueOf(f, v.Ticket.CustomFields)
}

// optionTitle is what a choice is called, in the reader's language.
func (v *view) optionTitle(id int64) any {
	f, ok := v.Config.Field(id)
	if !ok || !f.Active || !f.Custom() {
		return nil
	}
	return v.titles(f, stored(f, v.Ticket.CustomFields))
}

func stored(f *fields.Field, values models.JSON) gjson.Result {
	return gjson.GetBytes(values, strconv.FormatInt(f.ID, 10))
}

func (v *view) valueOf(f *fields.Field, values models.JSON) any {
	value := stored(f, values)
	switch f.Type {
	case models.FieldCheckbox:
		o := &liquid.Object{Text: func() any { return "0" }, Is: []string{"false", "no"}, False: true}
		if value.Bool() {
			o = &liquid.Object{Text: func() any { return "1" }, Is: []string{"true", "yes"}}
		}
		return o
	case models.FieldDate:
		return optional(new(strings.SplitN(value.String(), "T", 2)[0]))
	}
	if len(f.Options) == 0 {
		return optional(new(value.String()))
	}
	var tags []string
	for _, o := range chosen(f, value) {
		tags = append(tags, o.Value)
	}
	text := strings.Join(tags, " ")
	if text == "" {
		return nil
	}
	return &liquid.Object{Text: func() any { return text }, Member: func(name string) any {
		if name == "title" {
			return v.titles(f, value)
		}
		return nil
	}}
}

// titles are the names of the chosen options.
func (v *view) titles(f *fields.Field, value gjson.Result) any {
	var names []string
	for _, o := range chosen(f, value) {
		names = append(names, Title(o.Name, v.Config.Texts, v.locale()))
	}
	return optional(new(strings.Join(names, ", ")))
}

// chosen are the options in a value, without those that have been removed.
func chosen(f *fields.Field, value gjson.Result) []*models.FieldOption {
	var out []*models.FieldOption
	for _, item := range value.Array() { // of a single value, that
		for i := range f.Options {
			if o := &f.Options[i]; o.Value == item.String() {
				out = append(out, o)
			}
		}
	}
	return out
}

// customFields are the custom fields of a user or an organization, by key.
func (v *view) customFields(kind string, values models.JSON) any {
	all := v.Config.Of(kind)
	return &liquid.Object{Member: func(key string) any {
		for i := range all.Fields {
			if f := &all.Fields[i]; f.Active && f.Key != nil && *f.Key == key {
				return v.valueOf(f, values)
			}
		}
		return nil
	}}
}
