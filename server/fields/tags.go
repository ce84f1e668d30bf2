package fields

import (
	"encoding/json"
	"slices"

	"github.com/helpd/helpd/models"
)

// TagsOf are the tags that values imply: the options chosen in taggers and
// multiselects, and the tags of ticked checkboxes, in the fields' order.
func (d *Definitions) TagsOf(values map[string]json.RawMessage) []string {
	var tags []string
	for _, f := range d.custom {
		v, ok := values[f.key]
		if !ok {
			continue
		}
		switch f.Type {
		case models.FieldCheckbox:
			if f.Tag != nil && string(v) == "true" {
				tags = append(tags, *f.Tag)
			}
		case models.FieldTagger, models.FieldDropdown, models.FieldMultiselect:
			tags = append(tags, f.chosen(v)...)
		}
	}
	return tags
}

// FromTags brings values in line with tags that were changed directly: a
// tagger takes the option whose tag is there and loses the one whose tag is
// gone, and so on. A tagger with several of its tags there keeps its value, or
// takes the first option in position order.
func (d *Definitions) FromTags(values map[string]json.RawMessage, tags []string) {
	// Only fields that a tag stands for, or that have a value, can change: an
	// account may have thousands of options.
	there := map[*Field][]string{}
	for _, t := range tags {
		if f := d.tagged[t]; f != nil {
			there[f] = append(there[f], t)
		}
	}
	for key := range values {
		if i, ok := d.index[key]; ok && there[d.custom[i]] == nil {
			there[d.custom[i]] = nil
		}
	}
	for f, tags := range there {
		f.fromTags(values, tags)
	}
}

// fromTags is FromTags for one field, with those of the tags that are its own.
func (f *Field) fromTags(values map[string]json.RawMessage, tags []string) {
	old := values[f.key]
	switch f.Type {
	case models.FieldCheckbox:
		if len(tags) > 0 {
			values[f.key] = json.RawMessage("true")
		} else if f.Tag != nil && string(old) == "true" {
			values[f.key] = json.RawMessage("false")
		}
	case models.FieldTagger, models.FieldDropdown, models.FieldMultiselect:
		now := f.inOrder(tags, f.chosen(old))
		switch {
		case len(now) == 0:
			delete(values, f.key)
		case f.one():
			values[f.key] = json.RawMessage(models.ToJSON(now[0]))
		default:
			values[f.key] = json.RawMessage(models.ToJSON(now))
		}
	}
}

// Retag is tags after values have changed from before to after: what only the
// old values implied is gone, what the new ones imply is there.
func (d *Definitions) Retag(tags []string, before, after map[string]json.RawMessage) []string {
	implied := d.TagsOf(after)
	gone := d.TagsOf(before)
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

// inOrder are the options of tags: first those chosen before, in their order,
// then the others in position order.
func (f *Field) inOrder(tags, before []string) []string {
	var out []string
	for _, v := range before {
		if slices.Contains(tags, v) {
			out = append(out, v)
		}
	}
	rest := slices.DeleteFunc(slices.Clone(tags), func(t string) bool { return slices.Contains(out, t) })
	slices.SortFunc(rest, func(a, b string) int { return f.options[a] - f.options[b] })
	return append(out, slices.Compact(rest)...)
}

// chosen are the options in the value of a choice, without those
// that have been removed since the value was set. A record does not show them
// any more, and loses them when its tags or the field's value change.
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
	return slices.DeleteFunc(list, func(s string) bool { return !f.offers(s) })
}
