package users

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

var forShare = clause.Locking{Strength: "SHARE"}

// identityTypes are all kinds there are; of most only the value is kept.
var identityTypes = []string{
	models.IdentityEmail, "twitter", "facebook", "google", models.IdentityPhone, "agent_forwarding", "any_channel", "foreign",
	"sdk", "messaging", "microsoft",
}

// NewIdentity is an identity to be added.
type NewIdentity struct {
	Type     string // empty is an e-mail address
	Value    string
	Verified bool
	Primary  bool
}

// row checks an identity and brings its value into the form it is kept in.
func (n NewIdentity) row() (models.UserIdentity, error) {
	if n.Type == "" {
		n.Type = models.IdentityEmail
	}
	out := models.UserIdentity{Type: n.Type, Verified: n.Verified, Primary: n.Primary}
	var err error
	out.Value, err = cleanIdentity(n.Type, n.Value)
	return out, err
}

func cleanIdentity(kind, text string) (string, error) {
	if !slices.Contains(identityTypes, kind) {
		return "", fault.InvalidField("type", "%s is not one of: %s", kind, strings.Join(identityTypes, ", "))
	}
	text = strings.TrimSpace(text)
	if text == "" {
		return "", fault.Blank("value")
	}
	switch kind {
	case models.IdentityEmail:
		return cleanEmail("value", text)
	case models.IdentityPhone:
		number, ok := cleanPhone(text)
		if !ok {
			return "", fault.Malformed("value", "%s is not a phone number with + and the country", text)
		}
		return number, nil
	}
	return text, limit("value", text, maxText)
}

// newIdentities are the identities of a new user: the e-mail address and those
// listed. Exactly one address, if there is any, is the primary one.
func newIdentities(c Change) ([]models.UserIdentity, error) {
	var out []models.UserIdentity
	if email := text(c.Email); email != "" {
		email, err := cleanEmail("email", email)
		if err != nil {
			return nil, err
		}
		out = append(out, models.UserIdentity{
			Type: models.IdentityEmail, Value: email, Primary: true, Verified: c.Verified != nil && *c.Verified,
		})
	}
	primary := len(out) > 0
	for _, n := range c.Identities {
		i, err := n.row()
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(o models.UserIdentity) bool { return o.Type == i.Type && o.Value == i.Value }) {
			continue // the address is often listed again
		}
		if i.Type == models.IdentityEmail {
			i.Primary = i.Primary && !primary
			primary = primary || i.Primary
		}
		i.Verified = i.Verified || c.Verified != nil && *c.Verified && i.Type == models.IdentityEmail
		out = append(out, i)
	}
	if !primary {
		if first := slices.IndexFunc(out, func(i models.UserIdentity) bool { return i.Type == models.IdentityEmail }); first >= 0 {
			out[first].Primary = true
		}
	}
	return out, nil
}

// addIdentitiesTx adds what c brings to an existing user. An address that the
// user has already is passed over: clients echo whole users back.
func (s *Service) addIdentitiesTx(tx *gorm.DB, u *subject, c Change) error {
	wanted, err := newIdentities(c)
	if err != nil || len(wanted) == 0 {
		return err
	}
	have, err := identitiesOf(tx, u.ID)
	if err != nil {
		return err
	}
	now := s.stamp()
	for _, i := range wanted {
		if slices.ContainsFunc(have, func(h models.UserIdentity) bool {
			return h.Type == i.Type && strings.EqualFold(h.Value, i.Value)
		}) {
			continue
		}
		i.UserID, i.Stamps = u.ID, models.Stamps{CreatedAt: now, UpdatedAt: now}
		if i.Type == models.IdentityEmail {
			i.Primary = u.Email == nil
			if i.Primary {
				u.Email = new(i.Value)
			}
		}
		field := "identities"
		if i.Value == strings.ToLower(strings.TrimSpace(text(c.Email))) {
			field = "email"
		}
		if err := create(tx, &i, field, i.Value); err != nil {
			return err
		}
		u.note("identity_created", identityRef{identityOf(i)})
		if u.Role == models.RoleEndUser {
			if err := s.mapDomainTx(tx, u, []models.UserIdentity{i}); err != nil {
				return err
			}
		}
	}
	return nil
}

// phoneTx keeps the phone identity in step with the user's number, which was
// old. A number is an identity if it is in E.164 and nobody else's; where the
// caller does not insist on that, it is a shared number otherwise.
func phoneTx(tx *gorm.DB, u *subject, old *string, c Change) error {
	if value(u.Phone) == value(old) && !c.SharedPhoneNumber.IsSpecified() {
		return nil
	}
	if number, ok := cleanPhone(value(old)); ok {
		var gone []models.UserIdentity
		err := tx.Clauses(clause.Returning{}).Where("user_id = ? AND type = ? AND lower(value) = ?", u.ID, models.IdentityPhone, number).Delete(&gone).Error
		if err != nil {
			return err
		}
		for _, i := range gone {
			u.note("identity_deleted", identityRef{identityOf(i)})
		}
	}
	u.SharedPhoneNumber = nil
	if u.Phone == nil {
		return nil
	}
	insist := false
	if c.SharedPhoneNumber.IsSpecified() && !c.SharedPhoneNumber.IsNull() {
		insist = !c.SharedPhoneNumber.MustGet()
		if !insist {
			u.SharedPhoneNumber = new(true)
			return nil
		}
	}
	number, ok := cleanPhone(*u.Phone)
	if !ok {
		if insist {
			return fault.Malformed("phone", "%s is not a phone number with + and the country", *u.Phone)
		}
		u.SharedPhoneNumber = new(true)
		return nil
	}
	i := models.UserIdentity{
		UserID: u.ID, Type: models.IdentityPhone, Value: number, Stamps: models.Stamps{CreatedAt: u.UpdatedAt, UpdatedAt: u.UpdatedAt},
	}
	added := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&i)
	if added.Error != nil {
		return added.Error
	}
	own := added.RowsAffected == 1
	if own {
		u.note("identity_created", identityRef{identityOf(i)})
	} else { // it may be in the user's own list already
		holder, err := one(tx, "SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'phone_number' AND lower(value) = ?", u.AccountID, number)
		if err != nil {
			return err
		}
		own = holder == u.ID
	}
	if !own && insist {
		return taken("phone", *u.Phone)
	}
	u.SharedPhoneNumber = new(!own)
	return nil
}

func identitiesOf(db *gorm.DB, user int64) ([]models.UserIdentity, error) {
	out := []models.UserIdentity{}
	err := db.Where("user_id = ?", user).Order("id").Find(&out).Error
	return out, err
}

// Identities are those of a user, oldest first. It fails with fault.NotFound if
// there is no such user, or by is an end user and not that one.
func (s *Service) Identities(ctx context.Context, by auth.Actor, user int64) ([]models.UserIdentity, error) {
	if _, err := s.Get(ctx, by, user); err != nil {
		return nil, err
	}
	return identitiesOf(s.db.WithContext(ctx), user)
}

// IdentityList is a page of a user's identities, of these types if there are
// any, oldest first. It fails as Identities does.
func (s *Service) IdentityList(ctx context.Context, by auth.Actor, user int64, types []string, p page.Request) (page.Result[models.UserIdentity], error) {
	if _, err := s.Get(ctx, by, user); err != nil {
		return page.Result[models.UserIdentity]{}, err
	}
	q := page.Query{
		Select: `id, type, value, verified, "primary", undeliverable_count, created_at, updated_at`, From: "user_identities",
		Where: "account_id = ? AND user_id = ?", Args: []any{by.AccountID, user}, Order: page.By("id", page.Column{Expr: "id", Kind: page.Int}),
	}
	if len(types) > 0 {
		q.Where += " AND type = ANY(?::text[])"
		q.Args = append(q.Args, models.Strings(types))
	}
	return page.List(ctx, s.db, q, p, func(rows *sql.Rows, order ...any) (models.UserIdentity, error) {
		i := models.UserIdentity{Tenant: models.Tenant{AccountID: by.AccountID}, UserID: user}
		dest := []any{&i.ID, &i.Type, &i.Value, &i.Verified, &i.Primary, &i.UndeliverableCount, &i.CreatedAt, &i.UpdatedAt}
		err := rows.Scan(append(dest, order...)...)
		return i, err
	})
}

// IdentitiesOf are those of several users, oldest first.
func (s *Service) IdentitiesOf(ctx context.Context, users []int64) ([]models.UserIdentity, error) {
	out := []models.UserIdentity{}
	if len(users) == 0 {
		return out, nil
	}
	err := s.db.WithContext(ctx).Where("user_id = ANY(?::bigint[])", models.IDs(users)).Order("id").Find(&out).Error
	return out, err
}

// Identity is one of a user's. It fails as Identities does, and with
// fault.NotFound for an identity that is not that user's.
func (s *Service) Identity(ctx context.Context, by auth.Actor, user, id int64) (models.UserIdentity, error) {
	if err := maySee(by, user); err != nil {
		return models.UserIdentity{}, err
	}
	return identity(s.db.WithContext(ctx), user, id)
}

func identity(db *gorm.DB, user, id int64) (models.UserIdentity, error) {
	var i models.UserIdentity
	err := db.Take(&i, "id = ? AND user_id = ?", id, user).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return i, fault.Missing("identity", id)
	}
	return i, err
}
