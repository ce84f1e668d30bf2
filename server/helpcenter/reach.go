package helpcenter

import (
	"slices"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
)

// reach are the help centers of several brands that one asks at once.
type reach struct {
	by      auth.Actor // at none of them: what is seen is of any brand
	brands  models.IDs // those that are open to by
	locales Locales    // that any of them has; the default is that of where by is

	pairs []string // of each of brandOf a language that it has
	of    models.IDs
}

// reachOf are the help centers that are open to by, of some brands, or for none of all.
func reachOf(config *fields.Config, by auth.Actor, asked models.IDs) reach {
	r := reach{by: by, locales: localesOf(config, by.Brand.ID)}
	r.by.Brand = auth.Brand{}
	own := r.locales.Enabled
	r.locales.Enabled = nil
	for _, b := range config.Brands {
		if !b.Active || !auth.BrandOf(b).Open(by) || len(asked) > 0 && !slices.Contains(asked, b.ID) {
			continue
		}
		r.brands = append(r.brands, b.ID)
		enabled := localesOf(config, b.ID).Enabled
		for _, locale := range enabled {
			r.of, r.pairs = append(r.of, b.ID), append(r.pairs, locale)
			if !slices.Contains(r.locales.Enabled, locale) {
				r.locales.Enabled = append(r.locales.Enabled, locale)
			}
		}
	}
	if len(r.locales.Enabled) == 0 { // there is nothing, in whatever language
		r.locales.Enabled = own
	}
	return r
}

// seen is SeenArticle in these help centers, in languages that they have: those that
// they have not are the staff's alone.
func (r reach) seen() (string, []any) {
	seen, args := SeenArticle(r.by)
	if seen, args = seen+" AND a.brand_id = ANY(?::bigint[])", append(args, r.brands); r.by.Staff() {
		return seen, args
	}
	return seen + " AND (a.brand_id, t.locale) IN (SELECT * FROM unnest(?::bigint[], ?::text[]))", append(args, r.of, models.Strings(r.pairs))
}
