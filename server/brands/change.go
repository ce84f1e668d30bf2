package brands

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/locales"
	"github.com/helpd/helpd/server/postgres"
)

// Limits of texts, in characters.
const (
	maxName      = 255
	maxURL       = 2_000
	maxSignature = 65_535
)

// Change is what a caller asks of a brand. What is nil or unspecified is left alone.
type Change struct {
	Name              *string
	Subdomain         *string
	BrandURL          nullable.Nullable[string] // null: where its help center is
	HostMapping       nullable.Nullable[string] // null: none
	HelpCenterState   *string
	Active            *bool
	Default           *bool                     // true: in the place of the one that is
	SignatureTemplate nullable.Nullable[string] // null: the usual one
	// The languages of the help center, of those that the account has; null: all of
	// them, and the account's default one.
	DefaultLocale nullable.Nullable[string]
	Locales       nullable.Nullable[[]string]

	Logo   *attachments.PhotoChange // nil leaves
	LogoID *int64                   // of a picture that was uploaded before; nil leaves

	// UsualURL is what a brand shows that has no URL of its own: it is nothing to keep
	// when it is sent back.
	UsualURL func(models.Brand) string
}

func (c Change) applyTx(tx *gorm.DB, by auth.Actor, b *models.Brand) error {
	before := *b
	if c.Name != nil {
		b.Name = strings.TrimSpace(*c.Name)
	}
	if c.Subdomain != nil {
		b.Subdomain = strings.ToLower(strings.TrimSpace(*c.Subdomain))
	}
	for to, from := range map[*bool]*bool{&b.Active: c.Active, &b.Default: c.Default} {
		if from != nil {
			*to = *from
		}
	}
	err := fault.Join(checkName(b.Name), subdomainTx(tx, by, b, before), c.applyHostTx(tx, by, b, before), c.applyURL(b), c.applySignature(b), c.applyState(b), c.applyLocalesTx(tx, by, b))
	switch {
	case err != nil:
		return err
	case b.Default && !b.Active:
		return fault.InvalidField("active", "the default brand cannot be inactive")
	case before.Default && !b.Default:
		return fault.InvalidField("default", "make another brand the default instead")
	case b.Default && !before.Default:
		return tx.Model(&models.Brand{}).Where(`"default"`).Updates(map[string]any{"default": false, "updated_at": b.UpdatedAt}).Error
	}
	return nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return fault.Blank("name")
	case utf8.RuneCountInString(name) > maxName:
		return fault.TooLong("name", maxName)
	}
	return nil
}

// subdomainTx fails unless b's subdomain is a label of host names that no other brand
// has, and no other account: hosts are told apart by it.
func subdomainTx(tx *gorm.DB, by auth.Actor, b *models.Brand, before models.Brand) error {
	if b.Subdomain == "" {
		return fault.Blank("subdomain")
	}
	if b.Subdomain == before.Subdomain {
		return nil
	}
	if err := accounts.CheckSubdomain(b.Subdomain); err != nil {
		return err
	}
	return freeTx(tx, "subdomain", b.Subdomain, `SELECT FROM brands WHERE subdomain = @name AND NOT is_deleted AND NOT (account_id = @account AND id = @id)
		UNION ALL SELECT FROM accounts WHERE subdomain = @name AND id <> @account`, by, b)
}

// freeTx fails with fault.Duplicate naming field if there are rows of taken, which may
// be of any account.
func freeTx(tx *gorm.DB, field, name, taken string, by auth.Actor, b *models.Brand) error {
	var n int64
	label, _, _ := strings.Cut(name, ".")
	err := tx.WithContext(postgres.AcrossAccounts(tx.Statement.Context)).Raw("SELECT count(*) FROM ("+taken+") AS taken",
		map[string]any{"name": name, "label": label, "account": by.AccountID, "id": b.ID}).Scan(&n).Error
	if err == nil && n > 0 {
		err = fault.Duplicate(field, "%s is already taken", name)
	}
	return err
}

// hostName are the names of hosts: labels with dots in between.
var hostName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// hostOf is a host name as brands keep it. It fails with fault.Invalid for what is none.
func hostOf(text string) (string, error) {
	host := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), ".")
	_, notNumeric := netip.ParseAddr(host)
	if len(host) > 253 || !hostName.MatchString(host) || notNumeric == nil {
		return "", fault.Malformed("host_mapping", "%.100s is not the name of a host, as help.example.com", text)
	}
	return host, nil
}

// takenHosts are the rows that keep a host from being another brand's mapping: the
// brand that has it, and other accounts whose hosts begin with its first label.
const takenHosts = `SELECT FROM brands WHERE host_mapping = @name AND NOT is_deleted AND NOT (account_id = @account AND id = @id)
	UNION ALL SELECT FROM brands WHERE subdomain = @label AND NOT is_deleted AND account_id <> @account
	UNION ALL SELECT FROM accounts WHERE subdomain = @label AND id <> @account`

func (c Change) applyHostTx(tx *gorm.DB, by auth.Actor, b *models.Brand, before models.Brand) error {
	text, err := c.HostMapping.Get()
	if c.HostMapping.IsSpecified() && (err != nil || strings.TrimSpace(text) == "") {
		b.HostMapping = nil
	}
	if err != nil || strings.TrimSpace(text) == "" {
		return nil
	}
	host, err := hostOf(text)
	if err != nil || before.HostMapping != nil && *before.HostMapping == host {
		return err
	}
	b.HostMapping = &host
	return freeTx(tx, "host_mapping", host, takenHosts, by, b)
}

func (c Change) applyURL(b *models.Brand) error {
	text, err := c.BrandURL.Get()
	switch {
	case !c.BrandURL.IsSpecified():
		return nil
	case err != nil || text == "":
		b.BrandURL = nil
		return nil
	case b.BrandURL == nil && c.UsualURL != nil && text == c.UsualURL(*b):
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return fault.Malformed("brand_url", "%.100s is not an http or https URL", text)
	}
	if len(text) > maxURL {
		return fault.TooLong("brand_url", maxURL)
	}
	b.BrandURL = &text
	return nil
}

func (c Change) applySignature(b *models.Brand) error {
	text, err := c.SignatureTemplate.Get()
	switch {
	case !c.SignatureTemplate.IsSpecified():
		return nil
	case err != nil:
		text = accounts.Signature
	case utf8.RuneCountInString(text) > maxSignature:
		return fault.TooLong("signature_template", maxSignature)
	}
	b.SignatureTemplate = text
	return nil
}

// applyLocalesTx says in which languages the help center is.
func (c Change) applyLocalesTx(tx *gorm.DB, by auth.Actor, b *models.Brand) error {
	if !c.Locales.IsSpecified() && !c.DefaultLocale.IsSpecified() {
		return nil
	}
	var account models.Account
	if err := tx.Select("settings").Take(&account, "id = ?", by.AccountID).Error; err != nil {
		return err
	}
	s, err := accounts.ReadSettings(account.Settings)
	if err != nil {
		return err
	}
	var enabled []string
	for _, id := range s.Localization.LocaleIDs {
		if known, ok := locales.ByID(id); ok {
			enabled = append(enabled, strings.ToLower(known.Code))
		}
	}
	if list, err := c.Locales.Get(); err == nil {
		if len(list) == 0 {
			return fault.Blank("locales")
		}
		b.Locales = nil
		for _, locale := range list {
			locale = strings.ToLower(strings.TrimSpace(locale))
			if !slices.Contains(enabled, locale) {
				return fault.InvalidField("locales", "%.50s is not enabled", locale)
			}
			if !slices.Contains(b.Locales, locale) {
				b.Locales = append(b.Locales, locale)
			}
		}
	} else if c.Locales.IsNull() {
		b.Locales = nil
	}
	if text, err := c.DefaultLocale.Get(); err == nil {
		b.DefaultLocale = new(strings.ToLower(strings.TrimSpace(text)))
	} else if c.DefaultLocale.IsNull() {
		b.DefaultLocale = nil
	}
	if len(b.Locales) > 0 {
		enabled = b.Locales
	}
	if b.DefaultLocale != nil && !slices.Contains(enabled, *b.DefaultLocale) {
		return fault.InvalidField("default_locale", "%.50s is not enabled", *b.DefaultLocale)
	}
	return nil
}

// applyLogoTx gives the brand another logo, or none. The one that it has may be sent back.
func (c Change) applyLogoTx(tx *gorm.DB, by auth.Actor, files *attachments.Service, b *models.Brand) error {
	if c.LogoID == nil || b.LogoID != nil && *b.LogoID == *c.LogoID {
		return c.Logo.SetTx(tx, &b.LogoID, &b.Logo)
	}
	file, err := files.TakePhotoTx(tx, by, "logo", *c.LogoID)
	if err != nil {
		return err
	}
	if err := (&attachments.PhotoChange{Files: files}).SetTx(tx, &b.LogoID, &b.Logo); err != nil {
		return err
	}
	b.LogoID, b.Logo = &file.ID, models.ToJSON(file)
	return nil
}

func (c Change) applyState(b *models.Brand) error {
	if c.HelpCenterState == nil {
		return nil
	}
	switch *c.HelpCenterState {
	case models.HelpCenterEnabled, models.HelpCenterRestricted, models.HelpCenterDisabled:
		b.HelpCenterState = *c.HelpCenterState
		b.HasHelpCenter = b.HelpCenterState != models.HelpCenterDisabled
		return nil
	}
	return fault.InvalidField("help_center_state", "%.50s is none of enabled, restricted and disabled", *c.HelpCenterState)
}
