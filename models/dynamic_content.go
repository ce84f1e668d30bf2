package models

// DynamicContentItem is a text in several languages.
type DynamicContentItem struct {
	Tenant
	Name          string
	Key           string // of the placeholder: welcome of {{dc.welcome}}
	DefaultLocale string // of the default variant: en-US
	Stamps
}

// DynamicContentVariant is an item in one language, of which it has one.
type DynamicContentVariant struct {
	Tenant
	ItemID  int64
	Locale  string // en-US
	Content string
	Active  bool
	Default bool // so with exactly one of an item
	Stamps
}
