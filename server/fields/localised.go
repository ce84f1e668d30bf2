package fields

import (
	"maps"

	"github.com/helpd/helpd/server/fault"
)

// Localised is a failure as somebody reads it who has a locale: titles of fields
// may name dynamic content.
func (c *Config) Localised(err error, locale string) error {
	f := fault.Of(err)
	if f == nil || len(f.Details) == 0 {
		return err
	}
	read := *f
	read.Details = maps.Clone(f.Details)
	for field, details := range read.Details {
		out := make([]fault.Detail, len(details))
		for i, d := range details {
			d.Description = c.Texts.Render(d.Title, locale) + d.Description[len(d.Title):]
			out[i] = d
		}
		read.Details[field] = out
	}
	return &read
}
