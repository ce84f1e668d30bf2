// Package accounts makes accounts with what clients expect to find in a fresh
// one, and keeps their settings.
package accounts

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// New is an account to be made.
type New struct {
	Subdomain     string // a label of a host name: letters, digits and hyphens, kept in lower case
	Name          string
	TimeZone      string // IANA; empty is UTC
	AdminName     string // empty is the part of the address before the @
	AdminEmail    string
	AdminPassword string // empty: signs in by token alone
	// Rules says that the account has the triggers, automation, views and macros
	// that clients expect to find. Without them it sends nothing.
	Rules bool
}

// MinPassword is the least length of a password, in characters.
const MinPassword = 8

var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Signature is what a brand adds to what its agents write, unless it says otherwise.
const Signature = "{{agent.signature}}"

// CheckSubdomain fails with fault.Invalid for what is no label of a host name, in
// lower case.
func CheckSubdomain(name string) error {
	if !label.MatchString(name) {
		return fault.Malformed("subdomain", "%.100s must consist of letters, digits and hyphens", name)
	}
	return nil
}

// Create makes an account with its ticket numbers, default brand, group,
// statuses, system fields, form, satisfaction reasons, user segments and permission
// group, and its first admin. It fails with fault.Invalid when a value is missing
// or the subdomain is taken.
func Create(ctx context.Context, db *gorm.DB, now time.Time, n New) (models.Account, models.User, error) {
	var account models.Account
	var admin models.User
	if err := n.complete(); err != nil {
		return account, admin, err
	}
	err := db.WithContext(postgres.AcrossAccounts(ctx)).Transaction(func(tx *gorm.DB) error {
		stamps := stampsAt(now)
		account = models.Account{
			Subdomain: n.Subdomain, Name: n.Name, TimeZone: n.TimeZone,
			Settings: models.ToJSON(Default()), ConfigVersion: 1, Stamps: stamps,
		}
		err := tx.Create(&account).Error
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return fault.Duplicate("subdomain", "%s is already taken", n.Subdomain)
		}
		if err != nil {
			return err
		}
		if err := tx.Exec(fmt.Sprintf("CREATE SEQUENCE ticket_ids_%d", account.ID)).Error; err != nil {
			return err
		}
		tx = tx.WithContext(postgres.WithAccount(ctx, account.ID))
		if err := brandTx(tx, account, stamps); err != nil {
			return err
		}
		if admin, err = adminTx(tx, n, stamps); err != nil {
			return err
		}
		if err := ticketDefaultsTx(tx, stamps); err != nil {
			return err
		}
		if err := audiencesTx(tx, stamps); err != nil {
			return err
		}
		reasons := satisfactionReasons(stamps)
		if err := tx.Create(&reasons).Error; err != nil || !n.Rules {
			return err
		}
		return rulesTx(tx, stamps)
	})
	return account, admin, err
}

func stampsAt(now time.Time) models.Stamps {
	now = now.UTC().Truncate(time.Microsecond) // what the database keeps
	return models.Stamps{CreatedAt: now, UpdatedAt: now}
}

func (n *New) complete() error {
	n.Subdomain = strings.ToLower(strings.TrimSpace(n.Subdomain))
	n.Name, n.AdminName = strings.TrimSpace(n.Name), strings.TrimSpace(n.AdminName)
	n.AdminEmail = strings.TrimSpace(n.AdminEmail)
	if n.TimeZone == "" {
		n.TimeZone = "UTC"
	}
	var errs []error
	if err := CheckSubdomain(n.Subdomain); err != nil {
		errs = append(errs, err)
	}
	if n.Name == "" {
		errs = append(errs, fault.Blank("name"))
	}
	if _, err := time.LoadLocation(n.TimeZone); err != nil || n.TimeZone == "Local" {
		errs = append(errs, fault.InvalidField("time_zone", "%s is not an IANA time zone", n.TimeZone))
	}
	// ParseAddress also takes "Ann <ann@example.com>", which is no bare address.
	a, err := mail.ParseAddress(n.AdminEmail)
	if err != nil || a.Address != n.AdminEmail {
		errs = append(errs, fault.Malformed("email", "%s is not properly formatted", n.AdminEmail))
	} else if n.AdminName == "" {
		n.AdminName, _, _ = strings.Cut(n.AdminEmail, "@")
	}
	if n.AdminPassword != "" && len([]rune(n.AdminPassword)) < MinPassword {
		errs = append(errs, fault.Base(fault.CodeTooShort, "Password: is too short (minimum is %d characters)", MinPassword))
	}
	return fault.Join(errs...)
}

func brandTx(tx *gorm.DB, account models.Account, stamps models.Stamps) error {
	err := tx.Create(&models.Brand{
		Name: account.Name, Subdomain: account.Subdomain, HasHelpCenter: true, HelpCenterState: models.HelpCenterEnabled,
		Active: true, Default: true, SignatureTemplate: Signature, Stamps: stamps,
	}).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) { // another account's brand
		return fault.Duplicate("subdomain", "%s is already taken", account.Subdomain)
	}
	return err
}

func adminTx(tx *gorm.DB, n New, stamps models.Stamps) (models.User, error) {
	group := models.Group{Name: "Support", IsPublic: true, Default: true, Stamps: stamps}
	if err := tx.Create(&group).Error; err != nil {
		return models.User{}, err
	}
	admin := models.User{
		Name: n.AdminName, Email: &n.AdminEmail, Role: models.RoleAdmin, RoleType: new(4),
		Active: true, Verified: true, Moderator: true, TimeZone: n.TimeZone, Locale: "en-US",
		UserFields: models.JSON("{}"), DefaultGroupID: &group.ID, Stamps: stamps,
	}
	if n.AdminPassword != "" {
		admin.PasswordHash = new(auth.HashPassword(n.AdminPassword))
	}
	if err := tx.Create(&admin).Error; err != nil {
		return admin, err
	}
	err := tx.Create(&models.UserIdentity{
		UserID: admin.ID, Type: models.IdentityEmail, Value: n.AdminEmail, Verified: true, Primary: true, Stamps: stamps,
	}).Error
	if err != nil {
		return admin, err
	}
	return admin, tx.Create(&models.GroupMembership{UserID: admin.ID, GroupID: group.ID, Default: true, Stamps: stamps}).Error
}
