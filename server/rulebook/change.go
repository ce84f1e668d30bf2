package rulebook

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// Change is what a caller asks of a rule. What is nil or unspecified is left
// alone; what is null is cleared. What the kind of rule does not have is ignored.
type Change struct {
	Title       *string
	Description nullable.Nullable[string]
	Active      *bool
	Position    *int64
	CategoryID  nullable.Nullable[int64]
	Conditions  *Conditions // nil leaves; otherwise both lists
	Actions     []Action    // nil leaves; otherwise the whole list
}

// Condition, Conditions and Action are as clients write them. Values keep the
// type that they were written with: "96", true, null, ["4","5"].
type (
	Condition struct {
		Field    string          `json:"field"`
		Operator string          `json:"operator"`
		Value    json.RawMessage `json:"value"`
	}
	Conditions struct {
		All []Condition `json:"all"`
		Any []Condition `json:"any"`
	}
	Action struct {
		Field string          `json:"field"`
		Value json.RawMessage `json:"value"`
	}
)

var (
	noConditions = models.JSON(`{"all":[],"any":[]}`)
	noActions    = models.JSON(`[]`)
)

// applyTx changes r, which is new or as it is in the table, and checks the
// outcome.
func (s *Service) applyTx(tx *gorm.DB, by auth.Actor, r *models.Rule, c Change) error {
	before, k := *r, kinds[r.Kind]
	errs := []error{c.applyTexts(r, k), c.applyMeaning(r, k)}
	if c.Active != nil {
		r.Active = *c.Active
	}
	errs = append(errs, s.placeTx(tx, r, c, k))
	r.UpdatedAt = s.now()
	if err := fault.Join(errs...); err != nil {
		return err
	}
	if r.Active && (r.ID == 0 || !before.Active) {
		if err := roomTx(tx, r.Kind, k.most); err != nil {
			return err
		}
	}
	if k.distinct && r.Active {
		return aloneTx(tx, r)
	}
	return nil
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

// applyMeaning changes what the rule looks for and what it does.
func (c Change) applyMeaning(r *models.Rule, k kind) error {
	var errs []error
	if k.conditions && c.Conditions != nil {
		list := *c.Conditions
		for _, part := range []*[]Condition{&list.All, &list.Any} {
			*part = append([]Condition{}, *part...) // [] and not null
			for n := range *part {
				(*part)[n].Value = tidy((*part)[n].Value)
			}
		}
		r.Conditions = models.ToJSON(list)
	}
	if k.conditions && bytes.Equal(r.Conditions, noConditions) {
		errs = append(errs, fault.Blank("conditions"))
	}
	if k.actions && c.Actions != nil {
		list := append([]Action{}, c.Actions...)
		for n := range list {
			list[n].Value = tidy(list[n].Value)
		}
		r.Actions = models.ToJSON(list)
	}
	if k.actions && bytes.Equal(r.Actions, noActions) {
		errs = append(errs, fault.Blank("actions"))
	}
	if len(r.Conditions)+len(r.Actions) > maxSize {
		errs = append(errs, fault.Base(fault.CodeTooLong, "Conditions and actions: are too large (maximum is %d KB)", maxSize>>10))
	}
	return fault.Join(errs...)
}

// tidy is a value in one way of writing it; null for none. It keeps its type.
func tidy(value json.RawMessage) json.RawMessage {
	if len(value) == 0 {
		return json.RawMessage("null")
	}
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber() // or ids would lose digits
	var v any
	if err := d.Decode(&v); err != nil { // which the decoding of the request has seen
		return json.RawMessage("null")
	}
	return json.RawMessage(models.ToJSON(v))
}

// placeTx puts the rule where it is to be among the others.
func (s *Service) placeTx(tx *gorm.DB, r *models.Rule, c Change, k kind) error {
	if k.ordered {
		if err := s.categorizeTx(tx, r, c); err != nil {
			return err
		}
	}
	if c.Position == nil {
		return nil
	}
	if *c.Position < 0 || *c.Position > maxPosition {
		return fault.InvalidField("position", "must be from 0 to %d", maxPosition)
	}
	r.Position = int(*c.Position)
	return nil
}

// roomTx fails if the account has as many active rules of a kind as it may; 0 is
// no limit.
func roomTx(tx *gorm.DB, kind string, most int) error {
	if most == 0 {
		return nil
	}
	var n int64
	if err := tx.Model(&models.Rule{}).Where("kind = ? AND active", kind).Count(&n).Error; err != nil {
		return err
	}
	if n >= int64(most) {
		return fault.Base(fault.CodeInvalid, "There are %d active %ss already, as many as there may be", most, kind)
	}
	return nil
}

// aloneTx fails if another active rule of the kind looks for the same and does
// the same.
func aloneTx(tx *gorm.DB, r *models.Rule) error {
	var same int64
	err := tx.Model(&models.Rule{}).Where("kind = ? AND active AND id <> ? AND conditions::text = ? AND actions::text = ?",
		r.Kind, r.ID, string(r.Conditions), string(r.Actions)).Count(&same).Error
	if err == nil && same > 0 {
		return fault.Base(fault.CodeDuplicate, "Another active %s has the same conditions and actions", r.Kind)
	}
	return err
}
