package users

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/locales"
)

// Create makes a user. It fails with fault.Forbidden where by may not make such
// a user, and with fault.Invalid, which says so if an address or the external
// id belongs to somebody else.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.User, error) {
	var u models.User
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		u, err = s.createTx(tx, by, c, false)
		return err
	})
	return u, err
}

// createTx makes a user. trusted leaves out whether by may: the product itself
// makes the requester of a ticket, whoever sends it in.
func (s *Service) createTx(tx *gorm.DB, by auth.Actor, c Change, trusted bool) (models.User, error) {
	now := s.stamp()
	u := subject{User: models.User{
		Role: models.RoleEndUser, TicketRestriction: new(models.RestrictRequested), Active: true, Locale: locales.Default,
		Tags: models.Strings{}, UserFields: models.JSON("{}"), Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}}
	// Rails names stay as set, so the account's zone is copied, not looked up.
	if c.TimeZone == nil {
		zone, err := accountZone(tx, by.AccountID)
		if err != nil {
			return u.User, err
		}
		u.TimeZone = zone
	}
	u.note("created", struct{}{})
	identities, identityErr := newIdentities(c)
	if err := fault.Join(apply(&u.User, c), identityErr); err != nil {
		return u.User, err
	}
	if !trusted {
		if err := mayWrite(by, models.User{}, u.User, c); err != nil {
			return u.User, err
		}
	}
	if err := s.fieldsTx(tx, &u, by, c); err != nil {
		return u.User, err
	}
	for i := range identities {
		if identities[i].Type == models.IdentityEmail && identities[i].Primary {
			u.Email = &identities[i].Value
		}
		u.Verified = u.Verified || identities[i].Verified
	}
	u.Verified = u.Verified || c.Verified != nil && *c.Verified
	if c.Password != nil {
		u.PasswordHash = new(auth.HashPassword(*c.Password))
	}
	if err := create(tx, &u.User, "external_id", value(u.ExternalID)); err != nil {
		return u.User, err
	}
	for i := range identities {
		identities[i].UserID = u.ID
		identities[i].Stamps = u.Stamps
		field := "identities"
		if identities[i].Primary {
			field = "email"
		}
		if err := create(tx, &identities[i], field, identities[i].Value); err != nil {
			return u.User, err
		}
		u.note("identity_created", identityRef{identityOf(identities[i])})
	}
	before := u.User
	if err := s.belongTx(tx, &u, c, identities); err != nil {
		return u.User, err
	}
	if err := phoneTx(tx, &u, nil, c); err != nil {
		return u.User, err
	}
	if err := writeDerived(tx, before, u.User); err != nil {
		return u.User, err
	}
	return u.User, s.recordTx(tx, by, &u)
}

// belongTx puts a new user into organizations and, if staff, into a group.
func (s *Service) belongTx(tx *gorm.DB, u *subject, c Change, identities []models.UserIdentity) error {
	named, err := organizationOf(tx, c)
	if err != nil {
		return err
	}
	if named.IsSpecified() {
		if err := s.setOrganizationTx(tx, u, named); err != nil {
			return err
		}
	} else if u.Role == models.RoleEndUser {
		if err := s.mapDomainTx(tx, u, identities); err != nil {
			return err
		}
	}
	if err := s.joinOrganizationsTx(tx, u, c.OrganizationIDs); err != nil {
		return err
	}
	if u.Staff() {
		return s.joinGroupTx(tx, u, c.DefaultGroupID)
	}
	return nil
}

// writeDerived stores what memberships and identities changed in the user's row
// after it was inserted.
func writeDerived(tx *gorm.DB, before, u models.User) error {
	if value(before.OrganizationID) == value(u.OrganizationID) && value(before.DefaultGroupID) == value(u.DefaultGroupID) &&
		before.SharedPhoneNumber == nil && u.SharedPhoneNumber == nil {
		return nil
	}
	return tx.Model(&models.User{}).Where("id = ?", u.ID).
		Select("organization_id", "default_group_id", "shared_phone_number").Updates(&u).Error
}

// create inserts a row; a duplicate value is the fault of field.
func create(tx *gorm.DB, row any, field, value string) error {
	err := tx.Create(row).Error
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return taken(field, value)
	}
	return err
}

func taken(field, value string) error {
	return fault.Duplicate(field, "%s is already being used by another user", value)
}

// CreateOrUpdate changes the user that c names by id, external id or e-mail
// address, or makes one; true if it was made. It fails as Create and Update do.
func (s *Service) CreateOrUpdate(ctx context.Context, by auth.Actor, c Change) (models.User, bool, error) {
	if !by.Staff() {
		return models.User{}, false, fault.Denied()
	}
	var u models.User
	var created, forget bool
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		find := func() (int64, error) {
			return findTx(tx, by.AccountID, keys{id: c.ID, externalID: text(c.ExternalID), email: text(c.Email)}, byExternalID, byEmail)
		}
		id, err := find()
		if err != nil {
			return err
		}
		if id == 0 && c.ID != 0 {
			return fault.Missing("user", c.ID)
		}
		if id == 0 {
			u, created, id, err = s.createOnceTx(tx, by, c, false, find)
			if err != nil || created {
				return err
			}
		}
		u, forget, err = s.updateTx(tx, by, id, c)
		return err
	})
	if err == nil && forget {
		s.auth.Forget(ctx, by.AccountID)
	}
	return u, created, err
}

// createOnceTx makes a user unless another call makes the same one at the same
// time: then the id of the other's comes back. The attempt has a savepoint of
// its own, because a failed statement spoils the transaction around it.
func (s *Service) createOnceTx(tx *gorm.DB, by auth.Actor, c Change, trusted bool, find func() (int64, error)) (u models.User, created bool, id int64, err error) {
	err = tx.Transaction(func(tx *gorm.DB) (err error) {
		u, err = s.createTx(tx, by, c, trusted)
		return err
	})
	if err == nil {
		return u, true, u.ID, nil
	}
	if !duplicate(err) {
		return u, false, 0, err
	}
	// The other's row is committed by now: the insert waited for it.
	id, findErr := find()
	if findErr != nil {
		return u, false, 0, findErr
	}
	if id == 0 { // another value was in the way
		return u, false, 0, err
	}
	return u, false, id, nil
}

// duplicate reports whether a value belongs to another record.
func duplicate(err error) bool {
	if !fault.Is(err, fault.Invalid) {
		return false
	}
	for _, details := range fault.Of(err).Details {
		if slices.ContainsFunc(details, func(d fault.Detail) bool { return d.Code == fault.CodeDuplicate }) {
			return true
		}
	}
	return false
}

// Person is somebody named in a ticket or a message. All members are optional.
type Person struct {
	ID         int64
	Email      string
	Name       string // of a new user; without one it is made from the address
	ExternalID string
	Phone      string
	Locale     string // a code; of a new user
}

// FindOrCreateTx returns the active user that p names: by id, else by e-mail
// address, else by external id, else by phone number. It makes an end user of a
// new one and then returns true. It asks for no right of by, since the product
// does this for whoever writes in. It fails with fault.NotFound for an id that
// is nobody's, and with fault.Invalid for a malformed address or a person
// without any name.
//
// An end user or nobody may name an address that somebody has put unproven beside
// a proven one of his own. It does not lead to that user, who would read what is
// meant for whom the address belongs to: they become a new user, without the
// address but in the name (see Vouched).
func (s *Service) FindOrCreateTx(tx *gorm.DB, by auth.Actor, p Person) (models.User, bool, error) {
	if p.ID != 0 {
		u, err := take(tx, p.ID)
		if err == nil && !u.Active {
			err = fault.Missing("user", p.ID)
		}
		return u, false, err
	}
	k := keys{externalID: p.ExternalID, phone: p.Phone}
	if p.Email != "" {
		var err error
		if k.email, err = cleanEmail("email", p.Email); err != nil {
			return models.User{}, false, err
		}
	}
	if k.email != "" && !by.Staff() {
		asked := auth.Person{AccountID: by.AccountID, Email: k.email}
		h, err := holderOf(tx, asked)
		if err != nil {
			return models.User{}, false, err
		}
		if h.user != 0 && !h.isFor(asked) {
			p.Name, k.email = strings.TrimSpace(p.Name+" <"+k.email+">"), ""
		}
	}
	find := func() (int64, error) { return findTx(tx, by.AccountID, k, byEmail, byExternalID, byPhone) }
	id, err := find()
	if err != nil {
		return models.User{}, false, err
	}
	if id == 0 {
		var u models.User
		var created bool
		u, created, id, err = s.createOnceTx(tx, by, p.change(k.email), true, find)
		if err != nil || created {
			return u, created, err
		}
	}
	u, err := take(tx, id)
	return u, false, err
}

func (p Person) change(email string) Change {
	c := Change{Name: new(p.name())}
	if email != "" {
		c.Email = nullable.NewNullableWithValue(email)
	}
	if p.ExternalID != "" {
		c.ExternalID = nullable.NewNullableWithValue(p.ExternalID)
	}
	if p.Phone != "" {
		c.Phone = nullable.NewNullableWithValue(p.Phone)
	}
	if locales.ID(p.Locale) != 0 { // what we do not know is no reason to lose a ticket
		c.Locale = &p.Locale
	}
	return c
}

// name is the person's, else one made of the address: "ann.lee@x.org" becomes
// "Ann Lee"; else the phone number or external id.
func (p Person) name() string {
	if name := strings.TrimSpace(p.Name); name != "" {
		return name
	}
	if p.Email == "" {
		if p.Phone != "" {
			return p.Phone
		}
		return p.ExternalID
	}
	local, _, _ := strings.Cut(strings.TrimSpace(p.Email), "@")
	words := strings.FieldsFunc(local, func(r rune) bool { return r == '.' || r == '_' })
	for i, word := range words {
		runes := []rune(word)
		runes[0] = unicode.ToUpper(runes[0])
		words[i] = string(runes)
	}
	if len(words) == 0 {
		return p.Email
	}
	return strings.Join(words, " ")
}

// keys are the values by which a user may be known; empty ones find nobody.
type keys struct {
	id                       int64
	email, externalID, phone string
}

type key func(tx *gorm.DB, account int64, k keys) (int64, error)

// findTx is the id of the active user that the first of the keys finds; 0 for
// nobody. An id goes before all of them.
func findTx(tx *gorm.DB, account int64, k keys, order ...key) (int64, error) {
	if k.id != 0 {
		return one(tx, "SELECT id FROM users WHERE account_id = ? AND id = ? AND active", account, k.id)
	}
	for _, by := range order {
		if id, err := by(tx, account, k); err != nil || id != 0 {
			return id, err
		}
	}
	return 0, nil
}

func byExternalID(tx *gorm.DB, account int64, k keys) (int64, error) {
	if k.externalID == "" {
		return 0, nil
	}
	return one(tx, "SELECT id FROM users WHERE account_id = ? AND lower(external_id) = lower(?) AND active", account, k.externalID)
}

func byEmail(tx *gorm.DB, account int64, k keys) (int64, error) {
	if k.email == "" {
		return 0, nil
	}
	return one(tx, "SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'email' AND lower(value) = lower(?)",
		account, strings.TrimSpace(k.email))
}

func byPhone(tx *gorm.DB, account int64, k keys) (int64, error) {
	number, ok := cleanPhone(k.phone)
	if !ok {
		return 0, nil
	}
	return one(tx, "SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'phone_number' AND lower(value) = ?", account, number)
}

func one(tx *gorm.DB, query string, args ...any) (int64, error) {
	var ids []int64
	err := tx.Raw(query, args...).Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	return ids[0], nil
}

func text(n nullable.Nullable[string]) string {
	if !n.IsSpecified() || n.IsNull() {
		return ""
	}
	return n.MustGet()
}
