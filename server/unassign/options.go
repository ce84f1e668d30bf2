package unassign

import (
	"context"
	"encoding/json"
	"strconv"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/tickets"
)

// withGoneOption holds for tickets that have a value of a field which is none of
// its options any more.
const withGoneOption = `jsonb_exists_any(custom_fields -> ?, ?::text[]) AND status <> 'closed'`

// optionsGone takes options that a field has lost from the records that have
// them. Tickets keep the tags. Closed ones lose the values too, but no audit tells
// so: they change no more, and have not shown such an option since it went.
func (w worker) optionsGone(ctx context.Context, gone fields.OptionsGone) error {
	if gone.FieldKind != models.FieldsOfTickets {
		return w.fields.ClearGone(ctx, gone)
	}
	key := strconv.FormatInt(gone.FieldID, 10)
	err := w.each(ctx, gone.AccountID, withGoneOption, []any{key, models.Strings(gone.Values)}, func(tx *gorm.DB, t models.Ticket) (tickets.Change, error) {
		config, err := w.fields.Current(tx, gone.AccountID)
		if err != nil {
			return tickets.Change{}, err
		}
		f, ok := config.Field(gone.FieldID)
		if !ok { // deleted since, with all its values
			return tickets.Change{}, nil
		}
		var values map[string]json.RawMessage
		if err := json.Unmarshal(t.CustomFields, &values); err != nil {
			return tickets.Change{}, err
		}
		return tickets.Change{CustomFields: []tickets.FieldValue{{ID: f.ID, Value: f.Left(values[key])}}}, nil
	})
	if err != nil {
		return err
	}
	return w.fields.ClearGone(ctx, gone)
}
