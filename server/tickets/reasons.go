package tickets

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

const (
	// MaxReasons is how many reasons of its own an account may have.
	MaxReasons = 100
	// MaxReason is how long the text of a reason may be, in characters.
	MaxReason = 255
)

// Reasons are the reasons that requesters can give now, by their codes.
func (s *Service) Reasons(ctx context.Context) ([]models.SatisfactionReason, error) {
	var list []models.SatisfactionReason
	err := s.db.WithContext(ctx).Where("deleted_at IS NULL").Order("reason_code").Find(&list).Error
	return list, err
}

// Reason is a reason by its id, also one that was deleted. It fails with
// fault.NotFound.
func (s *Service) Reason(ctx context.Context, id int64) (models.SatisfactionReason, error) {
	return takeReason(s.db.WithContext(ctx), id)
}

func takeReason(db *gorm.DB, id int64) (models.SatisfactionReason, error) {
	var r models.SatisfactionReason
	err := db.Take(&r, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return r, fault.Missing("satisfaction reason", id)
	}
	return r, err
}

// AddReason makes a reason of the account's own, with the next free code from
// models.FirstCustomReason. Its text never changes: ratings carry it. It fails
// with fault.Forbidden unless by is an admin, and with fault.Invalid.
func (s *Service) AddReason(ctx context.Context, by auth.Actor, value string) (models.SatisfactionReason, error) {
	var r models.SatisfactionReason
	value = strings.TrimSpace(value)
	switch {
	case !by.Admin():
		return r, fault.Denied()
	case value == "":
		return r, fault.Blank("value")
	case utf8.RuneCountInString(value) > MaxReason:
		return r, fault.TooLong("value", MaxReason)
	}
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		// Whoever adds a reason waits for others who do.
		var account models.Account
		if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Select("id").Take(&account, "id = ?", by.AccountID).Error; err != nil {
			return err
		}
		var last, live int
		err := tx.Raw("SELECT coalesce(max(reason_code), 0), count(*) FILTER (WHERE deleted_at IS NULL) FROM satisfaction_reasons WHERE account_id = ? AND reason_code >= ?",
			by.AccountID, models.FirstCustomReason).Row().Scan(&last, &live)
		if err != nil {
			return err
		}
		if live >= MaxReasons {
			return fault.Base(fault.CodeInvalid, "Reason: there are %d already", MaxReasons)
		}
		now := s.now()
		r = models.SatisfactionReason{
			ReasonCode: max(last+1, models.FirstCustomReason), Value: value, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
		}
		return tx.Create(&r).Error
	})
	return r, err
}

// DeleteReason takes a reason of the account's own from the list; ratings that
// name it keep it. It fails with fault.Forbidden unless by is an admin, with
// fault.NotFound, and with fault.Invalid for a reason that is built in.
func (s *Service) DeleteReason(ctx context.Context, by auth.Actor, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	return s.inTx(ctx, func(tx *gorm.DB) error {
		r, err := takeReason(tx.Clauses(clause.Locking{Strength: "UPDATE"}), id)
		if err != nil {
			return err
		}
		if r.DeletedAt != nil {
			return fault.Missing("satisfaction reason", id)
		}
		if r.ReasonCode < models.FirstCustomReason {
			return fault.Base(fault.CodeInvalid, "Reason: %d is built in", r.ReasonCode)
		}
		now := s.now()
		return tx.Model(&r).Select("deleted_at", "updated_at").
			Updates(models.SatisfactionReason{DeletedAt: &now, Stamps: models.Stamps{UpdatedAt: now}}).Error
	})
}
