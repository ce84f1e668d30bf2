package fields

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/positions"
)

// Limits of a definition, in characters.
const (
	maxTitle       = 255
	maxDescription = 65_535
	maxTag         = 255
	maxPattern     = 1_000
)

// Change is what a caller asks of a field. What is nil or unspecified is left
// alone; what is null is cleared. Users' and organizations' fields heed Key,
// and nothing that is about agents, solving or the portal.
type Change struct {
	Type                   *string // heeded when a field is made, ignored later
	Key                    *string // the same
	Title                  *string
	Description            nullable.Nullable[string]
	TitleInPortal          nullable.Nullable[string]
	AgentDescription       nullable.Nullable[string]
	Position               *int64
	Active                 *bool
	Required               *bool
	CollapsedForAgents     *bool
	RegexpForValidation    nullable.Nullable[string]
	VisibleInPortal        *bool
	EditableInPortal       *bool
	RequiredInPortal       *bool
	Tag                    nullable.Nullable[string]
	SubTypeID              *int64
	RelationshipTargetType *string
	RelationshipFilter     json.RawMessage // nil leaves, null clears
	Options                []OptionChange  // nil leaves; otherwise the whole list
}

// apply changes f, but for its options, and checks the outcome.
func (c Change) apply(f *Field) error {
	set(&f.Title, c.Title)
	f.Title = strings.TrimSpace(f.Title)
	c.applyTexts(f)
	set(&f.Active, c.Active)
	set(&f.Required, c.Required)
	set(&f.CollapsedForAgents, c.CollapsedForAgents)
	set(&f.VisibleInPortal, c.VisibleInPortal)
	set(&f.EditableInPortal, c.EditableInPortal)
	set(&f.RequiredInPortal, c.RequiredInPortal)
	var errs []error
	if c.Position != nil {
		errs = append(errs, positions.Check(*c.Position))
		f.Position = int(*c.Position)
	}
	if f.Title == "" {
		errs = append(errs, fault.Blank("title"))
	}
	errs = append(errs,
		within("title", f.Title, maxTitle), within("title_in_portal", f.TitleInPortal, maxTitle),
		within("description", f.Description, maxDescription), within("agent_description", deref(f.AgentDescription), maxDescription),
		c.applyKey(f), c.applyTyped(f))
	return fault.Join(errs...)
}

var keyForm = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// applyKey names a field by which clients know it, once and for all.
func (c Change) applyKey(f *Field) error {
	if !f.keyed() || f.ID != 0 {
		return nil
	}
	key := strings.TrimSpace(deref(c.Key))
	f.Key = &key
	switch {
	case key == "":
		return fault.Blank("key")
	case !keyForm.MatchString(key) || strings.Trim(key, "0123456789") == "":
		return fault.Malformed("key", "may have letters, digits and underscores, and not digits alone")
	}
	return within("key", key, maxTitle)
}

// applyTexts also gives a field its title where it has no other text.
func (c Change) applyTexts(f *Field) {
	clearable(&f.Description, c.Description)
	clearable(&f.TitleInPortal, c.TitleInPortal)
	if f.Description == "" && (f.ID == 0 || c.Description.IsSpecified()) && f.Custom() && !f.keyed() {
		f.Description = f.Title
	}
	if f.TitleInPortal == "" {
		f.TitleInPortal = f.Title
	}
	setNullable(&f.AgentDescription, c.AgentDescription)
}

// applyTyped changes what only fields of one type have.
func (c Change) applyTyped(f *Field) error {
	switch f.Type {
	case models.FieldRegexp:
		setNullable(&f.RegexpForValidation, c.RegexpForValidation)
		return checkPattern(deref(f.RegexpForValidation))
	case models.FieldCheckbox:
		if c.Tag.IsSpecified() {
			f.Tag = nil
			if !c.Tag.IsNull() && strings.TrimSpace(c.Tag.MustGet()) != "" {
				f.Tag = new(tagForm(c.Tag.MustGet()))
			}
		}
		return within("tag", deref(f.Tag), maxTag)
	case models.FieldLookup:
		return c.applyLookup(f)
	case models.FieldPriority, models.FieldStatus:
		if c.SubTypeID != nil {
			if *c.SubTypeID != 0 && *c.SubTypeID != 1 {
				return fault.InvalidField("sub_type_id", "must be 0 or 1")
			}
			f.SubTypeID = new(int(*c.SubTypeID))
		}
	}
	if !f.Active && !f.Removable && !f.keyed() && f.Type != models.FieldTicketType && f.Type != models.FieldPriority {
		return fault.Base(fault.CodeInvalid, "%s: is a system field and cannot be deactivated", f.Title)
	}
	return nil
}

func checkPattern(pattern string) error {
	if pattern == "" {
		return fault.Blank("regexp_for_validation")
	}
	if err := within("regexp_for_validation", pattern, maxPattern); err != nil {
		return err
	}
	if _, err := compile(pattern); err != nil {
		return fault.Malformed("regexp_for_validation", "is not a valid regular expression")
	}
	return nil
}

// Types of records that lookups point at. There are no custom objects.
const (
	TargetUsers         = "zen:user"
	TargetOrganizations = "zen:organization"
	TargetTickets       = "zen:ticket"
)

func (c Change) applyLookup(f *Field) error {
	if c.RelationshipTargetType != nil && f.ID == 0 { // ignored later, like the type
		f.RelationshipTargetType = c.RelationshipTargetType
	}
	if f.RelationshipTargetType == nil || *f.RelationshipTargetType == "" {
		return fault.Blank("relationship_target_type")
	}
	if targetTables[*f.RelationshipTargetType] == "" {
		return fault.InvalidField("relationship_target_type", "%s is not a type of record", *f.RelationshipTargetType)
	}
	if c.RelationshipFilter == nil {
		return nil
	}
	filter, err := readFilter(*f.RelationshipTargetType, c.RelationshipFilter)
	if err == nil {
		f.RelationshipFilter = filter
	}
	return err
}

var gaps = regexp.MustCompile(`[\s,]+`)

// tagForm is a text as the one tag that it becomes: in lower case, with _ in
// place of spaces and commas, which part tags.
func tagForm(s string) string {
	return gaps.ReplaceAllString(strings.ToLower(strings.TrimSpace(s)), "_")
}

func within(field, text string, max int) error {
	if utf8.RuneCountInString(text) > max {
		return fault.TooLong(field, max)
	}
	return nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// clearable sets a text that is never null: null empties it.
func clearable(to *string, from nullable.Nullable[string]) {
	if !from.IsSpecified() {
		return
	}
	*to = ""
	if !from.IsNull() {
		*to = from.MustGet()
	}
}

func setNullable[T any](to **T, from nullable.Nullable[T]) {
	if !from.IsSpecified() {
		return
	}
	*to = nil
	if !from.IsNull() {
		*to = new(from.MustGet())
	}
}
