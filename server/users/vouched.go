package users

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Vouched is the user for whom a product vouches with a key of the account: the
// one with the external id, else the one with the e-mail address, else a new
// end user with both. The account trusts the product, so agents and admins may
// come in this way too; what a user may do stays what helpd knows of them.
//
// Two things the product's word does not change. An address that somebody put
// unproven beside another, proven one does not lead to that user, nor does the
// address of a user whose external id is another: the external id then makes a
// user without the address. And a user who was deleted does not come back by
// asking; an admin makes a new one with the address or external id.
//
// It fails with fault.BadToken where the person is nobody who can be a user.
func (s *Service) Vouched(ctx context.Context, p auth.Person) (int64, error) {
	p.ExternalID, p.Name = strings.TrimSpace(p.ExternalID), strings.TrimSpace(p.Name)
	if p.Email != "" {
		email, err := cleanEmail("email", p.Email)
		if err != nil {
			return 0, notVouched()
		}
		p.Email = email
	}
	if p.ExternalID == "" && p.Email == "" || utf8.RuneCountInString(p.ExternalID) > maxText || strings.ContainsRune(p.ExternalID+p.Name, 0) {
		return 0, notVouched()
	}
	db := s.db.WithContext(postgres.WithAccount(ctx, p.AccountID))
	// Nearly always there is nothing to write: widgets ask every few seconds.
	id, err := byExternalID(db, p.AccountID, keys{externalID: p.ExternalID})
	if err != nil || id != 0 {
		return id, err
	}
	err = db.Transaction(func(tx *gorm.DB) (err error) {
		id, err = s.vouchedTx(tx, p)
		return err
	})
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.NotFound) {
		err = notVouched()
	}
	return id, err
}

func notVouched() error { return fault.New(fault.BadToken, "the JWT names nobody who can be a user") }

func (s *Service) vouchedTx(tx *gorm.DB, p auth.Person) (int64, error) {
	holder, err := holderOf(tx, p)
	if err != nil {
		return 0, err
	}
	if holder.user != 0 {
		if holder.isFor(p) {
			return holder.user, s.adoptTx(tx, holder, p)
		}
		if p.ExternalID == "" {
			return 0, notVouched()
		}
		p.Email = ""
	}
	gone, err := one(tx, `SELECT id FROM users WHERE account_id = ? AND NOT active AND lower(external_id) = lower(?)
		UNION ALL SELECT id FROM users WHERE account_id = ? AND NOT active AND lower(email) = lower(?) LIMIT 1`,
		p.AccountID, p.ExternalID, p.AccountID, p.Email)
	if err != nil {
		return 0, err
	}
	if gone != 0 {
		return 0, notVouched()
	}
	c := Person{Email: p.Email, Name: p.Name, ExternalID: p.ExternalID}.change(p.Email)
	c.Verified = new(true)
	_, _, id, err := s.createOnceTx(tx, auth.System(p.AccountID), c, true, func() (int64, error) {
		return findTx(tx, p.AccountID, keys{externalID: p.ExternalID, email: p.Email}, byExternalID, byEmail)
	})
	return id, err
}

// holder is the user who has an e-mail address, and how well.
type holder struct {
	user       int64
	verified   bool // the address
	primary    bool
	proven     bool // any address of the user
	externalID *string
}

func holderOf(tx *gorm.DB, p auth.Person) (holder, error) {
	var h holder
	if p.Email == "" {
		return h, nil
	}
	err := tx.Raw(`SELECT i.user_id, i.verified, i."primary", u.external_id, EXISTS (
			SELECT FROM user_identities v WHERE v.account_id = i.account_id AND v.user_id = i.user_id AND v.verified)
		FROM user_identities i JOIN users u ON u.account_id = i.account_id AND u.id = i.user_id
		WHERE i.account_id = ? AND i.type = 'email' AND lower(i.value) = lower(?)`, p.AccountID, p.Email).
		Row().Scan(&h.user, &h.verified, &h.primary, &h.externalID, &h.proven)
	if errors.Is(err, sql.ErrNoRows) {
		return holder{}, nil
	}
	return h, err
}

// isFor reports whether the holder of the address is whom the product means.
// The holder's external id is another than p's, or p would have been found by it.
func (h holder) isFor(p auth.Person) bool {
	if p.ExternalID != "" && h.externalID != nil {
		return false
	}
	return h.verified || h.primary && !h.proven
}

// adoptTx notes what the product has told of a user who was found by address.
func (s *Service) adoptTx(tx *gorm.DB, h holder, p auth.Person) error {
	var c Change
	if !h.verified {
		c.Verified = new(true)
	}
	if p.ExternalID != "" {
		c.ExternalID = nullable.NewNullableWithValue(p.ExternalID)
	}
	if c.Verified == nil && !c.ExternalID.IsSpecified() {
		return nil
	}
	_, _, err := s.updateTx(tx, auth.System(p.AccountID), h.user, c)
	return err
}
