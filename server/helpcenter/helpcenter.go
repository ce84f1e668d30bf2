// Package helpcenter keeps the help center: categories, sections and articles,
// their texts in each language, their labels and files. Who may see what is said
// in visible.go alone.
package helpcenter

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/locales"
	"github.com/helpd/helpd/server/search"
)

// Limits of texts.
const (
	maxTitle = 255 // characters
	// MaxBody is the length of the longest body, in bytes, as it is sent and as
	// it is kept. A book has a million.
	MaxBody = 1 << 20
	// MaxDepth is how deep sections may be nested.
	MaxDepth = 5
)

// Service keeps the help centers of all accounts.
type Service struct {
	db     *gorm.DB
	fields *fields.Service
	files  *attachments.Service
	index  *search.Index
	now    func() time.Time
	// PublicURL is tickets.Service.PublicURL, of the links in mails to subscribers.
	PublicURL string
}

// New makes the service. f knows what languages accounts have; files keeps those of
// articles, and index what words these have.
func New(db *gorm.DB, f *fields.Service, files *attachments.Service, index *search.Index, now func() time.Time) *Service {
	return &Service{db: db, fields: f, files: files, index: index, now: now}
}

// Locales are the languages of a help center, in lower case.
type Locales struct {
	Enabled []string // the default first
	Default string

	version int64 // of the account's set-up
}

// Locales are the languages of the help center that the actor is at.
func (s *Service) Locales(ctx context.Context, by auth.Actor) (Locales, error) {
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return Locales{}, err
	}
	return localesOf(config, by.Brand.ID), nil
}

func (s *Service) localesTx(tx *gorm.DB, by auth.Actor) (Locales, error) {
	config, err := s.fields.Current(tx, by.AccountID)
	if err != nil {
		return Locales{}, err
	}
	return localesOf(config, by.Brand.ID), nil
}

// localesOf are the languages of the help center of a brand: those of its own that the
// account has, or all that this has.
func localesOf(config *fields.Config, brand int64) Locales {
	l := Locales{version: config.Version}
	for _, id := range config.Settings.Localization.LocaleIDs {
		if known, ok := locales.ByID(id); ok {
			l.Enabled = append(l.Enabled, strings.ToLower(known.Code))
		}
	}
	if len(l.Enabled) == 0 {
		l.Enabled = []string{strings.ToLower(locales.Default)}
	}
	b, _ := config.Brand(brand)
	own := slices.DeleteFunc(slices.Clone([]string(b.Locales)), func(locale string) bool { return !slices.Contains(l.Enabled, locale) })
	if len(own) > 0 {
		l.Enabled = own
	}
	if l.Default = l.Enabled[0]; b.DefaultLocale != nil && slices.Contains(l.Enabled, *b.DefaultLocale) {
		l.Default = *b.DefaultLocale
		others := slices.DeleteFunc(slices.Clone(l.Enabled), func(locale string) bool { return locale == l.Default })
		l.Enabled = append([]string{l.Default}, others...)
	}
	return l
}

// reading is the language that by reads in who asked for one; empty is none.
// Staff then read in the default language, others have to say. There is nothing
// in a language that is not enabled.
func (l Locales) reading(by auth.Actor, asked string) (string, error) {
	asked = strings.ToLower(asked)
	switch {
	case asked == "" && !by.Staff():
		return "", fault.InvalidField("locale", "is missing: /api/v2/help_center/%s/...", l.Default)
	case asked == "":
		return l.Default, nil
	case !slices.Contains(l.Enabled, asked):
		return "", fault.Missing("locale", asked)
	}
	return asked, nil
}

func (s *Service) reading(ctx context.Context, by auth.Actor, asked string) (string, error) {
	l, err := s.Locales(ctx, by)
	if err != nil {
		return "", err
	}
	return l.reading(by, asked)
}

// writing is the language of a text that is written. It fails with fault.Invalid
// for one that is not enabled, and for none.
func (l Locales) writing(locale string) (string, error) {
	locale = strings.ToLower(strings.TrimSpace(locale))
	switch {
	case locale == "":
		return "", fault.Blank("locale")
	case !slices.Contains(l.Enabled, locale):
		return "", fault.InvalidField("locale", "%.50s is not enabled", locale)
	}
	return locale, nil
}

// atHelpCenterTx is by at the help center of a brand, open or not: that of the account's
// default brand, where by is at none.
func (s *Service) atHelpCenterTx(tx *gorm.DB, by auth.Actor) (auth.Actor, error) {
	by.Brand.HelpCenter = models.HelpCenterEnabled
	if by.Brand.ID != 0 {
		return by, nil
	}
	config, err := s.fields.Current(tx, by.AccountID)
	if err != nil {
		return by, err
	}
	by.Brand.ID = config.DefaultBrand().ID
	return by, nil
}

func checkTitle(field, title string) error {
	switch {
	case title == "":
		return fault.Blank(field)
	case utf8.RuneCountInString(title) > maxTitle:
		return fault.TooLong(field, maxTitle)
	}
	return nil
}

func checkBody(field string, body *string) error {
	if body != nil && len(*body) > MaxBody {
		return fault.InvalidField(field, "is too long (maximum is %d bytes)", MaxBody)
	}
	return nil
}

// set reports whether it changed what to points to.
func set[T comparable](to *T, v *T) bool {
	if v == nil || *to == *v {
		return false
	}
	*to = *v
	return true
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

// stamps of a record that is made now.
func stamps(at time.Time) models.Stamps { return models.Stamps{CreatedAt: at, UpdatedAt: at} }
