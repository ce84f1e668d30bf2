package fields

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
)

// Edit is what a change of a user or organization makes of the values of its
// fields and of its tags, which go together as with tickets: an option that is
// chosen is a tag, and a tag that is set by hand chooses its option.
//
// stored are the values as they are in the database, by field id; tags are
// those that the record is to have, and tagged tells whether the caller set
// them; given are values by the fields' keys, as Set takes them. Keys that no
// active field has are ignored. It fails with fault.Invalid.
func (d *Definitions) Edit(stored models.JSON, tags []string, tagged bool, given map[string]json.RawMessage) (models.JSON, []string, error) {
	if len(d.custom) == 0 {
		return stored, tags, nil
	}
	before := Values(stored)
	values := maps.Clone(before)
	if tagged {
		d.FromTags(values, tags)
	}
	implied := maps.Clone(values)
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(given)) {
		if f := d.named[key]; f != nil {
			errs = append(errs, d.Set(values, f.ID, given[key]))
		}
	}
	if err := fault.Join(errs...); err != nil {
		return stored, tags, err
	}
	tags = d.Retag(tags, implied, values)
	if maps.EqualFunc(before, values, func(a, b json.RawMessage) bool { return bytes.Equal(a, b) }) {
		return stored, tags, nil
	}
	return models.ToJSON(values), tags, nil
}

// Values are the values of a record by field id, without the spaces that jsonb
// puts into lists.
func Values(stored models.JSON) map[string]json.RawMessage {
	values := map[string]json.RawMessage{}
	_ = json.Unmarshal(stored, &values) // written by ourselves
	for key, v := range values {
		if v[0] == '[' {
			var list bytes.Buffer
			_ = json.Compact(&list, v)
			values[key] = list.Bytes()
		}
	}
	return values
}

// Difference is a value of a field that two states of a record do not share;
// nil is none.
type Difference struct {
	Field     *Field
	Now, Then json.RawMessage
}

// Differences are the custom fields whose values are not the same, in position
// order.
func (d *Definitions) Differences(then, now models.JSON) []Difference {
	if bytes.Equal(then, now) {
		return nil
	}
	was, is := Values(then), Values(now)
	var out []Difference
	for i := range d.Fields {
		f := &d.Fields[i]
		if f.Custom() && !bytes.Equal(was[f.key], is[f.key]) {
			out = append(out, Difference{f, is[f.key], was[f.key]})
		}
	}
	return out
}
