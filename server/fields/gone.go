package fields

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/postgres"
)

// OptionsGone is the job that follows when a field loses options, or when their
// values change: to take them out of the records that have them. They are out
// of sight at once, see Field.chosen; but an option of the same value that
// comes later must not bring them back. (Records are saved by packages that
// this one must not know.)
type OptionsGone struct {
	AccountID int64    `json:"account_id"`
	FieldKind string   `json:"field_kind"`
	FieldID   int64    `json:"field_id"`
	Values    []string `json:"values"`
}

// Kind names the job in the queue.
func (OptionsGone) Kind() string { return "options_gone" }

// Follow has options that go followed by an OptionsGone in queue, which must
// know what to do with it. It comes before the service is used.
func (s *Service) Follow(queue *jobs.Service) { s.jobs = queue }

func (s *Service) noteGoneTx(tx *gorm.DB, f *Field, now []models.FieldOption) error {
	gone := OptionsGone{AccountID: f.AccountID, FieldKind: f.Kind, FieldID: f.ID}
	for _, o := range f.Options {
		if !slices.ContainsFunc(now, func(n models.FieldOption) bool { return n.Value == o.Value }) {
			gone.Values = append(gone.Values, o.Value)
		}
	}
	if s.jobs == nil || len(gone.Values) == 0 {
		return nil
	}
	return s.jobs.EnqueueTx(tx, gone)
}

// Left is what remains of a stored value of a choice, as Set takes it: the
// options that are still there; null for none.
func (f *Field) Left(stored json.RawMessage) json.RawMessage {
	left := f.chosen(stored)
	switch {
	case len(left) == 0:
		return json.RawMessage("null")
	case f.one():
		return json.RawMessage(models.ToJSON(left[0]))
	}
	return json.RawMessage(models.ToJSON(left))
}

// silently says which records lose values of fields without a word, and where they
// keep them. Tickets that are not closed are saved instead, since rules and
// readers of their audits are to know.
var silently = map[string]struct{ table, column, cond string }{
	models.FieldsOfTickets:       {"tickets", "custom_fields", "r.status = 'closed'"},
	models.FieldsOfUsers:         {"users", "user_fields", "TRUE"},
	models.FieldsOfOrganizations: {"organizations", "organization_fields", "TRUE"},
}

// clearAtOnce is how many records one statement changes.
const clearAtOnce = 500

// ClearGone takes options that have gone, and have not come again, out of the
// values of users or organizations, or of closed tickets. Nobody sees a
// difference, since they do not show such options, so that nothing is logged and
// no time moves.
func (s *Service) ClearGone(ctx context.Context, gone OptionsGone) error {
	at, ok := silently[gone.FieldKind]
	if !ok {
		return fmt.Errorf("clear options of fields of %q", gone.FieldKind)
	}
	tx := s.db.WithContext(postgres.WithAccount(ctx, gone.AccountID))
	var there []string
	if err := tx.Model(&models.FieldOption{}).Where("field_id = ?", gone.FieldID).Pluck("value", &there).Error; err != nil {
		return err
	}
	values := models.Strings(slices.DeleteFunc(slices.Clone(gone.Values), func(v string) bool { return slices.Contains(there, v) }))
	key := strconv.FormatInt(gone.FieldID, 10)
	for last := int64(0); ; {
		var ids []int64
		err := tx.Raw(`SELECT r.id FROM `+at.table+` r WHERE r.account_id = ? AND r.id > ? AND `+at.cond+` AND jsonb_exists_any(r.`+at.column+` -> ?, ?::text[]) ORDER BY r.id LIMIT ?`,
			gone.AccountID, last, key, values, clearAtOnce).Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		last = ids[len(ids)-1]
		// Of a list the others stay; an empty list and a single option go.
		err = tx.Exec(`UPDATE `+at.table+` r SET `+at.column+` = CASE
				WHEN jsonb_typeof(r.`+at.column+` -> ?) = 'array' AND NOT (r.`+at.column+` -> ? <@ to_jsonb(?::text[]))
				THEN jsonb_set(r.`+at.column+`, ARRAY[?], (r.`+at.column+` -> ?) - ?::text[])
				ELSE r.`+at.column+` - ? END
			WHERE r.account_id = ? AND r.id = ANY(?) AND jsonb_exists_any(r.`+at.column+` -> ?, ?::text[])`,
			key, key, values, key, key, values, key, gone.AccountID, models.IDs(ids), key, values).Error
		if err != nil {
			return err
		}
	}
}
