package fields

import (
	"strconv"

	"github.com/helpd/helpd/models"
)

// define are the fields of one kind among rows, which are in position order.
func define(kind string, rows []models.Field, options []models.FieldOption) Definitions {
	d := Definitions{fields: map[int64]*Field{}, index: map[string]int{}, named: map[string]*Field{}, tagged: map[string]*Field{}}
	for _, row := range rows {
		if row.Kind == kind {
			d.Fields = append(d.Fields, Field{Field: row})
		}
	}
	for i := range d.Fields {
		f := &d.Fields[i]
		f.prepare()
		d.fields[f.ID] = f
		if !f.Active {
			continue
		}
		if f.Custom() {
			d.index[f.key] = len(d.custom)
			d.custom = append(d.custom, f)
		}
		if f.Key != nil {
			d.named[*f.Key] = f
		}
		if f.Tag != nil {
			d.tagged[*f.Tag] = f
		}
	}
	for _, o := range options {
		f := d.fields[o.FieldID]
		if f == nil {
			continue // of another kind, or come between two reads of load; that version is another
		}
		if f.options == nil {
			f.options = map[string]int{}
		}
		f.options[o.Value] = len(f.Options)
		f.Options = append(f.Options, o)
		if f.Active {
			d.tagged[o.Value] = f
		}
	}
	return d
}

// prepare derives what values of a field are read and written by.
func (f *Field) prepare() {
	f.key = strconv.FormatInt(f.ID, 10)
	f.wire = `{"id":` + f.key + `,"value":`
	if f.Key != nil {
		f.wire = `"` + *f.Key + `":` // nothing in a key needs an escape
	}
	if f.Type == models.FieldRegexp && f.RegexpForValidation != nil {
		// One that does not compile cannot be saved.
		f.pattern, _ = compile(*f.RegexpForValidation)
	}
}

// Field is the field with this id, active or not.
func (d *Definitions) Field(id int64) (*Field, bool) {
	f, ok := d.fields[id]
	return f, ok
}

// Named is the active field of users or organizations that clients call by this
// key; nil if there is none.
func (d *Definitions) Named(key string) *Field { return d.named[key] }

// Of are the fields of a kind: models.FieldsOfUsers and the rest.
func (c *Config) Of(kind string) *Definitions {
	switch kind {
	case models.FieldsOfUsers:
		return &c.Users
	case models.FieldsOfOrganizations:
		return &c.Organizations
	}
	return &c.Definitions
}
