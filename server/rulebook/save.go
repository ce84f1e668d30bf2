package rulebook

import (
	"context"
	"strconv"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/rules"
)

// draft is a rule that is being made or changed: as it was, what is asked of it,
// and as it is going to be.
type draft struct {
	fresh  bool // there is none before
	before models.Rule
	change Change
	after  models.Rule
	refs   []rules.Ref // that what is new in it names
}

// Place is where a rule is to be among the others. What is nil is left alone.
type Place struct {
	ID         int64
	Position   *int64
	Active     *bool
	CategoryID *int64 // of triggers
}

// UpdateMany puts rules of a kind in other places: all of them or none. It
// returns them as they were named. It fails as Update does, with fault.TooMany,
// and with fault.BadRequest for no places.
func (s *Service) UpdateMany(ctx context.Context, by auth.Actor, kind string, places []Place) ([]models.Rule, error) {
	if err := someOf(kind, len(places), maxPlaces); err != nil {
		return nil, err
	}
	var out []models.Rule
	err := s.change(ctx, by, kind, func(tx *gorm.DB) (err error) {
		out, err = s.placeManyTx(tx, by, kind, places)
		return err
	})
	return out, err
}

func (s *Service) placeManyTx(tx *gorm.DB, by auth.Actor, kind string, places []Place) ([]models.Rule, error) {
	drafts, seen := make([]draft, len(places)), map[int64]bool{}
	for n, p := range places {
		if seen[p.ID] {
			return nil, fault.New(fault.BadRequest, "%s %d is named twice", kind, p.ID)
		}
		seen[p.ID] = true
		c := Change{Position: p.Position, Active: p.Active}
		if p.CategoryID != nil {
			c.CategoryID = nullable.NewNullableWithValue(*p.CategoryID)
		}
		drafts[n] = draft{change: c, after: models.Rule{Kind: kind, Tenant: models.Tenant{ID: p.ID}}}
	}
	if err := s.saveTx(tx, by, kind, drafts, nil); err != nil {
		return nil, err
	}
	out := make([]models.Rule, len(drafts))
	for n, d := range drafts {
		out[n] = d.after
	}
	return out, nil
}

func (s *Service) saveOne(ctx context.Context, by auth.Actor, d draft) (models.Rule, error) {
	config, err := s.fields.SetUp(ctx, by) // before the transaction, which moves the version
	if err != nil {
		return models.Rule{}, err
	}
	one := []draft{d}
	err = s.change(ctx, by, d.after.Kind, func(tx *gorm.DB) error {
		return s.saveTx(tx, by, d.after.Kind, one, config)
	})
	return one[0].after, err
}

// writeTx writes drafts of rules that are there, of which several differ in
// their places alone, or of one that is new.
func writeTx(tx *gorm.DB, drafts []draft) error {
	if len(drafts) == 1 {
		r := &drafts[0].after
		if drafts[0].fresh {
			return tx.Create(r).Error
		}
		return tx.Select("*").Updates(r).Error // Select, because Updates would skip what was cleared
	}
	n := len(drafts)
	ids, positions, active := make(models.IDs, n), make(models.IDs, n), make(models.Strings, n)
	categories, categoryPositions := make(models.IDs, n), make(models.IDs, n)
	for i, d := range drafts {
		ids[i], positions[i], active[i] = d.after.ID, int64(d.after.Position), strconv.FormatBool(d.after.Active)
		categoryPositions[i] = int64(d.after.CategoryPosition)
		if d.after.CategoryID != nil {
			categories[i] = *d.after.CategoryID
		}
	}
	return tx.Exec(`UPDATE rules r SET position = n.position, active = n.active, category_id = nullif(n.category, 0), category_position = n.category_position, updated_at = ?
		FROM unnest(?::bigint[], ?::int[], ?::boolean[], ?::bigint[], ?::int[]) AS n(id, position, active, category, category_position)
		WHERE r.account_id = ? AND r.id = n.id`,
		drafts[0].after.UpdatedAt, ids, positions, active, categories, categoryPositions, drafts[0].before.AccountID).Error
}
