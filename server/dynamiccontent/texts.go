// Package dynamiccontent keeps texts in several languages, which other texts
// name by a placeholder such as {{dc.welcome}}, and puts them in its place.
package dynamiccontent

import (
	"regexp"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
)

// Texts are the active variants of an account's items, for rendering. They are
// immutable; the zero value has none.
type Texts struct {
	items map[string]item // by the key of their placeholder
}

type item struct {
	byLocale map[string]string // by lower-case code
	standard string            // of the default variant
}

// Read reads the texts of the account of tx: two queries, however many there are.
func Read(tx *gorm.DB) (Texts, error) {
	var items []models.DynamicContentItem
	if err := tx.Select("id", "key").Find(&items).Error; err != nil || len(items) == 0 {
		return Texts{}, err
	}
	var variants []models.DynamicContentVariant
	if err := tx.Where("active").Find(&variants).Error; err != nil {
		return Texts{}, err
	}
	keys := make(map[int64]string, len(items))
	t := Texts{items: make(map[string]item, len(items))}
	for _, i := range items {
		keys[i.ID] = i.Key
		t.items[i.Key] = item{byLocale: map[string]string{}}
	}
	for _, v := range variants {
		key, ok := keys[v.ItemID]
		if !ok {
			continue // come between the two queries
		}
		i := t.items[key]
		i.byLocale[strings.ToLower(v.Locale)] = v.Content
		if v.Default {
			i.standard = v.Content
		}
		t.items[key] = i
	}
	return t, nil
}

var placeholder = regexp.MustCompile(`(?i)\{\{\s*dc\.([\pL\pN_]+)\s*\}\}`)

// Render is text with the content of each item in place of its placeholder, for
// a reader of a locale: "de-AT" gets what is there for it, or for "de", or the
// default. What no item has the name of stays as it is, and so do placeholders
// within contents, so that none can name itself.
func (t Texts) Render(text, locale string) string {
	if len(t.items) == 0 || !strings.Contains(text, "{{") {
		return text
	}
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		content, ok := t.Content(placeholder.FindStringSubmatch(match)[1], locale)
		if !ok {
			return match
		}
		return content
	})
}

// Content is the content of an item by its key for a reader of a locale, as
// Render chooses it.
func (t Texts) Content(key, locale string) (string, bool) {
	i, ok := t.items[strings.ToLower(key)]
	if !ok {
		return "", false
	}
	return i.in(strings.ToLower(locale)), true
}

// Variants are the contents, in all languages, of the items for whose keys named
// holds.
func (t Texts) Variants(named func(key string) bool) []string {
	var out []string
	for key, i := range t.items {
		if named(key) {
			out = append(out, i.standard)
			for _, content := range i.byLocale {
				out = append(out, content)
			}
		}
	}
	return out
}

func (i item) in(locale string) string {
	for locale != "" {
		if content, ok := i.byLocale[locale]; ok {
			return content
		}
		locale = locale[:max(strings.LastIndexByte(locale, '-'), 0)]
	}
	return i.standard
}
