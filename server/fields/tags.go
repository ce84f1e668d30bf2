package fields

import (
	"encoding/json"
	"slices"

	"github.com/helpd/helpd/models"
)

// TagsOf are the tags that values imply: the options chosen in taggers and
// multiselects, and the tags of ticked checkboxes, in the fields' order.
func (c *Config) TagsOf(values map[string]json.RawMessage) []string {
	var tags []string
	for _, f := range c.custom {
		v, ok := values[f.key]
		if !ok {
			continue
		}
		switch f.Type {
		case models.FieldCheckbox:
			if f.Tag != nil && string(v) == "true" {
				tags = append(tags, *f.Tag)
			}
		case models.FieldTagger, models.FieldMultiselect:
			tags = append(tags, f.chosen(v)...)
		}
	}
	return tags
}

// FromTags brings values in line with tags that were changed directly: a
// tagger takes the option whose tag is there and loses the one whose tag is
// gone, and so on. A tagger with several of its tags there keeps its value, or
// takes the first option in position order.
func (c *Config) FromTags(values map[string]json.RawMessage, tags []string) {
	has := make(map[string]bool, len(tags))
	touched := false
	for _, t := range tags {
		has[t] = true
		touched = touched || c.tagged[t] != nil
	}
	if !touched && len(values) == 0 {
		return
	}
	for _, f := range c.custom {
		old, had := values[f.key]
		switch f.Type {
		case models.FieldCheckbox:
			if f.Tag != nil && has[*f.Tag] {
				values[f.key] = json.RawMessage("true")
			} else if f.Tag != nil && string(old) == "true" {
				values[f.key] = json.RawMessage("false")
			}
		case models.FieldTagger:
			now := f.optionsIn(has, f.chosen(old))
			if len(now) > 0 {
				values[f.key] = json.RawMessage(models.ToJSON(now[0]))
			} else if had {
				delete(values, f.key)
			}
		case models.FieldMultiselect:
			now := f.optionsIn(has, f.chosen(old))
			if len(now) > 0 {
				values[f.key] = json.RawMessage(models.ToJSON(now))
			} else if had {
				delete(values, f.key)
			}
		}
	}
}

// Retag is tags after values have changed from before to after: what only the
// old values implied is gone, what the new ones imply is there.
func (c *Config) Retag(tags []string, before, after map[string]json.RawMessage) []string {
	implied := c.TagsOf(after)
	gone := c.TagsOf(before)
	out := make([]string, 0, len(tags)+len(implied))
	for _, t := range tags {
		if !slices.Contains(gone, t) || slices.Contains(implied, t) {
			out = append(out, t)
		}
	}
	for _, t := range implied {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

// optionsIn are the options whose tags are there: first those chosen before, in
// their order, then the others in position order.
func (f *Field) optionsIn(has map[string]bool, before []string) []string {
	var out []string
	for _, v := range before {
		if has[v] {
			out = append(out, v)
		}
	}
	for _, o := range f.Options {
		if has[o.Value] && !slices.Contains(out, o.Value) {
			out = append(out, o.Value)
		}
	}
	return out
}

// chosen are the options in the value of a tagger or multiselect, without those
// that have been removed since the value was set: a ticket loses them with its
// next save, and does not show them meanwhile.
func (f *Field) chosen(v json.RawMessage) []string {
	if len(v) == 0 {
		return nil
	}
	var list []string
	if v[0] == '[' {
		_ = json.Unmarshal(v, &list) // written by ourselves
	} else {
		var one string
		_ = json.Unmarshal(v, &one)
		list = []string{one}
	}
	return slices.DeleteFunc(list, func(s string) bool { return !f.options[s] })
}
