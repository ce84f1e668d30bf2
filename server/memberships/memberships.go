// Package memberships puts users into places: into organizations, and agents
// into groups. A user who is a member of any place of a kind has exactly one
// default membership of it, whose place is also in the user's own row. Packages
// organizations and groups decide who may, and show them.
//
// Whoever changes memberships locks first the users, by id, then the places, so
// that writers take turns and none waits for another in a circle.
package memberships

import (
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
)

// Kind is what users are members of.
type Kind struct {
	name  string // of a place in events, and before "_membership"
	table string
	place string // column of the table
	own   string // column of users
}

// The kinds there are.
var (
	Organizations = Kind{"organization", "organization_memberships", "organization_id", "organization_id"}
	Groups        = Kind{"group", "group_memberships", "group_id", "default_group_id"}
)

// LockUserTx reads a user and holds the row to the end of tx: changes of one
// user's memberships take turns. It fails with fault.NotFound.
func LockUserTx(tx *gorm.DB, id int64) (models.User, error) {
	var u models.User
	err := tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).Take(&u, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return u, fault.Missing("user", id)
	}
	return u, err
}

// LockMembersTx holds up to limit members of a place, by id; 0 is all. It
// returns their ids.
func (k Kind) LockMembersTx(tx *gorm.DB, account, place int64, limit int) ([]int64, error) {
	if limit == 0 {
		limit = -1
	}
	var users []int64
	err := tx.Model(&models.User{}).Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).
		Where("id IN (SELECT user_id FROM "+k.table+" WHERE account_id = ? AND "+k.place+" = ?)", account, place).
		Order("id").Limit(limit).Pluck("id", &users).Error
	return users, err
}

// HasDefaultTx reports whether a user is a member of anything of the kind.
func (k Kind) HasDefaultTx(tx *gorm.DB, account, user int64) (bool, error) {
	var has bool
	err := tx.Raw("SELECT EXISTS (SELECT FROM "+k.table+` WHERE account_id = ? AND user_id = ? AND "default")`, account, user).Row().Scan(&has)
	return has, err
}

// MakeDefaultTx makes a membership the default of its user, who is locked.
// Two statements, because at most one is the default at any time.
func (k Kind) MakeDefaultTx(tx *gorm.DB, account, user, membership, place int64, now time.Time) error {
	if err := k.clearDefaultTx(tx, account, user, membership, now); err != nil {
		return err
	}
	err := tx.Exec("UPDATE "+k.table+` SET "default" = TRUE, updated_at = ? WHERE account_id = ? AND id = ?`, now, account, membership).Error
	if err != nil {
		return err
	}
	return tx.Model(&models.User{}).Where("id = ?", user).Updates(map[string]any{k.own: place, "updated_at": now}).Error
}

func (k Kind) clearDefaultTx(tx *gorm.DB, account, user, but int64, now time.Time) error {
	return tx.Exec("UPDATE "+k.table+` SET "default" = FALSE, updated_at = ? WHERE account_id = ? AND user_id = ? AND "default" AND id <> ?`,
		now, account, user, but).Error
}

// PutDefaultTx makes a user, who is locked, a member of a place if need be, and
// that membership the default. It reports whether the membership is new. The
// user's own row is the caller's to write.
func (k Kind) PutDefaultTx(tx *gorm.DB, account, user, place int64, now time.Time) (added bool, err error) {
	if err := k.clearDefaultTx(tx, account, user, 0, now); err != nil {
		return false, err
	}
	columns, values := "", ""
	if k == Organizations {
		columns, values = ", view_tickets", ", false"
	}
	err = tx.Raw("INSERT INTO "+k.table+" (account_id, user_id, "+k.place+`, "default", created_at, updated_at`+columns+`)
		VALUES (?, ?, ?, true, ?, ?`+values+`)
		ON CONFLICT (account_id, user_id, `+k.place+`) DO UPDATE SET "default" = true, updated_at = EXCLUDED.updated_at
		RETURNING xmax = 0`, // whether the row is new
		account, user, place, now, now).Row().Scan(&added)
	return added, err
}

// SettleTx follows up on users, who are locked, having left places: each has a
// default membership again if there is any, the oldest. It returns the users as
// they are now.
func (k Kind) SettleTx(tx *gorm.DB, account int64, users []int64, now time.Time) ([]models.User, error) {
	err := tx.Exec(`
		UPDATE `+k.table+` AS m SET "default" = TRUE, updated_at = ?
		FROM (SELECT user_id, min(id) AS id FROM `+k.table+`
			WHERE account_id = ? AND user_id = ANY(?::bigint[])
			GROUP BY user_id HAVING NOT bool_or("default")) AS oldest
		WHERE m.account_id = ? AND m.id = oldest.id`, now, account, models.IDs(users), account).Error
	if err != nil {
		return nil, err
	}
	err = tx.Exec(`
		UPDATE users AS u SET `+k.own+` = d.`+k.place+`, updated_at = ?
		FROM unnest(?::bigint[]) AS gone (user_id)
		LEFT JOIN `+k.table+` AS d ON d.account_id = ? AND d.user_id = gone.user_id AND d."default"
		WHERE u.account_id = ? AND u.id = gone.user_id AND u.`+k.own+` IS DISTINCT FROM d.`+k.place,
		now, models.IDs(users), account, account).Error
	if err != nil {
		return nil, err
	}
	var after []models.User
	err = tx.Order("id").Find(&after, "id = ANY(?::bigint[])", models.IDs(users)).Error
	return after, err
}

// EndTx ends the memberships of a place that users, who are locked, have.
func (k Kind) EndTx(tx *gorm.DB, by events.By, place int64, users []int64) error {
	err := tx.Exec("DELETE FROM "+k.table+" WHERE account_id = ? AND "+k.place+" = ? AND user_id = ANY(?::bigint[])",
		by.AccountID, place, models.IDs(users)).Error
	if err != nil {
		return err
	}
	after, err := k.SettleTx(tx, by.AccountID, users, by.At)
	if err != nil {
		return err
	}
	return k.RecordTx(tx, by, "deleted", place, after...)
}

// RecordTx notes that a membership of each of the users was "created" or
// "deleted".
func (k Kind) RecordTx(tx *gorm.DB, by events.By, what string, place int64, users ...models.User) error {
	list := make([]events.About, len(users))
	for i, u := range users {
		list[i] = events.About{ID: u.ID, Event: events.Event{
			Type: "user." + k.name + "_membership_" + what, Detail: events.UserDetail(u),
			Change: map[string]any{k.name: map[string]string{"id": events.ID(place)}},
		}}
	}
	return events.AppendAllTx(tx, by, "user", list)
}
