package rulebook

import (
	"strings"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/positions"
	"github.com/helpd/helpd/server/rules"
)

// Change is what a caller asks of a rule. What is nil or unspecified is left
// alone; what is null is cleared. What the kind of rule does not have is ignored.
type Change struct {
	Title       *string
	Description nullable.Nullable[string]
	Active      *bool
	Position    *int64
	CategoryID  nullable.Nullable[int64]
	Category    *CategoryChange // to be made for it; in place of CategoryID
	Restriction nullable.Nullable[Restriction]
	Conditions  *rules.Conditions // nil leaves; otherwise both lists
	Actions     []rules.Action    // nil leaves; otherwise the whole list
	Output      *OutputChange     // nil leaves
	Files       []int64           // nil leaves; otherwise all files, of those that it has and those that the caller has uploaded
}

var (
	noConditions = models.JSON(`{"all":[],"any":[]}`)
	noActions    = models.JSON(`[]`)
)

// saveTx applies the changes of drafts, checks what comes of them and writes it.
// config may be nil for changes of places.
func (s *Service) saveTx(tx *gorm.DB, by auth.Actor, kind string, drafts []draft, config *fields.Config) error {
	if err := readTx(tx, by, kind, drafts); err != nil {
		return err
	}
	k := kinds[kind]
	var errs []error
	for n := range drafts {
		errs = append(errs, s.apply(by, &drafts[n], k, config))
	}
	if k.ordered {
		errs = append(errs, s.categorizeTx(tx, drafts))
	}
	if err := fault.Join(errs...); err != nil {
		return err
	}
	if err := ownersTx(tx, drafts); err != nil {
		return err
	}
	if err := writeTx(tx, drafts); err != nil {
		return err
	}
	if d := drafts[0]; k.files && d.change.Files != nil {
		if err := s.files.GiveMacroTx(tx, by, d.after.ID, d.change.Files); err != nil {
			return err
		}
	}
	if k.ordered {
		if err := s.reviseTx(tx, by, drafts); err != nil {
			return err
		}
	}
	return k.checkTx(tx, kind, drafts)
}

// readTx reads the rules that drafts are to change.
func readTx(tx *gorm.DB, by auth.Actor, kind string, drafts []draft) error {
	var ids []int64
	for _, d := range drafts {
		if !d.fresh {
			ids = append(ids, d.after.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	found, err := ownTx(tx, by, kind, ids)
	if err != nil {
		return err
	}
	for n := range drafts {
		if r := found[drafts[n].after.ID]; !drafts[n].fresh {
			drafts[n].before, drafts[n].after = r, r
		}
	}
	return nil
}

// apply changes the rule of a draft, but for its category.
func (s *Service) apply(by auth.Actor, d *draft, k kind, config *fields.Config) error {
	r, c := &d.after, d.change
	errs := []error{c.applyTexts(r, k), d.applyMeaning(k, config)}
	if c.Active != nil {
		r.Active = *c.Active
	}
	if c.Position != nil {
		errs = append(errs, positions.Check(*c.Position))
		r.Position = int(*c.Position)
	}
	if k.personal {
		errs = append(errs, c.applyRestriction(by, d, config))
	}
	if k.columns {
		errs = append(errs, c.applyOutput(r, config))
	}
	r.UpdatedAt = s.now()
	return fault.Join(errs...)
}

func (c Change) applyTexts(r *models.Rule, k kind) error {
	var errs []error
	if c.Title != nil {
		r.Title = strings.TrimSpace(*c.Title)
		switch {
		case r.Title == "":
			errs = append(errs, fault.Blank("title"))
		case utf8.RuneCountInString(r.Title) > maxTitle:
			errs = append(errs, fault.TooLong("title", maxTitle))
		}
	}
	if k.described && c.Description.IsSpecified() {
		r.Description = nil
		if text, err := c.Description.Get(); err == nil {
			r.Description = &text
			if utf8.RuneCountInString(text) > maxDescription {
				errs = append(errs, fault.TooLong("description", maxDescription))
			}
		}
	}
	return fault.Join(errs...)
}

// checkTx holds what was written against what only all rules of the kind tell:
// how many are active, and whether two of them do the same.
func (k kind) checkTx(tx *gorm.DB, kind string, drafts []draft) error {
	activated, changed := false, false
	var refs []rules.Ref
	for _, d := range drafts {
		refs = append(refs, d.refs...)
		activated = activated || d.after.Active && !d.before.Active
		changed = changed || d.after.Active && (!d.before.Active || d.change.Conditions != nil || d.change.Actions != nil)
	}
	if err := Missing(tx, drafts[0].after.AccountID, refs); err != nil {
		return err
	}
	if k.most > 0 && activated {
		var n int64
		if err := tx.Model(&models.Rule{}).Where("kind = ? AND active", kind).Count(&n).Error; err != nil {
			return err
		}
		if n > int64(k.most) {
			return fault.Base(fault.CodeInvalid, "There may be no more than %d active %ss", k.most, kind)
		}
	}
	if k.distinct && changed {
		var twice []string
		err := tx.Model(&models.Rule{}).Where("kind = ? AND active", kind).Group("conditions::text, actions::text").Having("count(*) > 1").
			Limit(1).Pluck("min(title)", &twice).Error
		if err == nil && len(twice) > 0 {
			err = fault.Base(fault.CodeDuplicate, "%s: another active %s has the same conditions and actions", twice[0], kind)
		}
		return err
	}
	return nil
}
