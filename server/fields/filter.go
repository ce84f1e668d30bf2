package fields

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// filter says which records a lookup offers: those that all of All hold for and,
// if there is any, one of Any.
type filter struct {
	All []filterCondition `json:"all"`
	Any []filterCondition `json:"any"`
}

type filterCondition struct {
	Field    string          `json:"field"`
	Operator string          `json:"operator"`
	Value    json.RawMessage `json:"value,omitempty"`
}

// readFilter is a filter as it is kept. What a lookup of tickets offers is for
// its clients to choose, so that its conditions are kept as they come.
func readFilter(target string, raw json.RawMessage) (models.JSON, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	read := filter{All: []filterCondition{}, Any: []filterCondition{}}
	if err := json.Unmarshal(raw, &read); err != nil {
		return nil, fault.InvalidField("relationship_filter", "must be an object with the lists all and any")
	}
	conditions := slices.Concat(read.All, read.Any)
	if len(conditions) > maxConditions {
		return nil, fault.InvalidField("relationship_filter", "has too many conditions (maximum is %d)", maxConditions)
	}
	for _, c := range conditions {
		if c.Field == "" || c.Operator == "" {
			return nil, fault.InvalidField("relationship_filter", "each condition needs a field and an operator")
		}
		known := subjects[target]
		if known == nil || strings.HasPrefix(c.Field, customPrefix) {
			continue
		}
		is, ok := known[c.Field]
		if !ok {
			return nil, fault.InvalidField("relationship_filter", "%s is not one of %s", cut(c.Field, maxTag), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if is.kind.operators[c.Operator] == "" {
			return nil, fault.InvalidField("relationship_filter", "%s has no operator %s", c.Field, cut(c.Operator, maxTag))
		}
	}
	return models.ToJSON(read), nil
}

// maxConditions is how many conditions a filter has at most.
const maxConditions = 100

// customPrefix begins what conditions call a custom field, by key or id.
const customPrefix = "custom_fields."

// kind is how a subject of conditions is compared: by operator an SQL condition,
// in which EXPR is the subject and ? the value.
type kind struct {
	operators map[string]string
	value     func(words []string) (any, bool) // out of what a condition says; false where it cannot be one
}

func joined(words []string) (any, bool) { return strings.ToLower(strings.Join(words, " ")), true }

var (
	texts = kind{map[string]string{
		"is": "lower(EXPR) = ?::text", "is_not": "lower(EXPR) IS DISTINCT FROM ?::text",
		"present": "coalesce(EXPR, '') <> ''", "not_present": "coalesce(EXPR, '') = ''",
	}, joined}
	flags = kind{map[string]string{"is": "coalesce(EXPR, false) = ?::boolean", "is_not": "coalesce(EXPR, false) <> ?::boolean"},
		func(words []string) (any, bool) {
			b, err := strconv.ParseBool(strings.Join(words, ""))
			return b, err == nil
		}}
	sets = kind{map[string]string{
		"is": "EXPR && ?::text[]", "includes": "EXPR && ?::text[]", "is_not": "NOT EXPR && ?::text[]", "not_includes": "NOT EXPR && ?::text[]",
		"present": "EXPR <> '{}'", "not_present": "EXPR = '{}'",
	}, func(words []string) (any, bool) {
		return models.Strings(strings.Fields(strings.ToLower(strings.Join(words, " ")))), true
	}}
	numbers = kind{compared("numeric"), func(words []string) (any, bool) {
		text := strings.Join(words, "")
		return text, decimalForm.MatchString(text) && strings.ContainsAny(text, "0123456789")
	}}
	dates     = kind{compared("text"), joined} // as they are kept, they sort as texts
	userRoles = kind{texts.operators, func(words []string) (any, bool) {
		text := strings.ToLower(strings.Join(words, " "))
		if role, ok := roleNames[text]; ok {
			text = role
		}
		return text, true
	}}
)

// roleNames are other names of roles in conditions.
var roleNames = map[string]string{
	"0": models.RoleEndUser, "end user": models.RoleEndUser, "end_user": models.RoleEndUser, "2": models.RoleAdmin, "4": models.RoleAgent,
}

func compared(as string) map[string]string {
	out := map[string]string{"is_not": "EXPR::" + as + " IS DISTINCT FROM ?::" + as, "present": "EXPR IS NOT NULL",
		"not_present": "EXPR IS NULL"}
	for name, sign := range map[string]string{"is": "=", "less_than": "<", "less_than_equal": "<=", "greater_than": ">", "greater_than_equal": ">="} {
		out[name] = "EXPR::" + as + " " + sign + " ?::" + as
	}
	return out
}

// subject is something of a record that conditions are about.
type subject struct {
	expr string
	kind kind
}

// subjects are those of each type of record that autocompletes offer, beside its
// custom fields. They have the names of its members on the wire.
var subjects = map[string]map[string]subject{
	TargetUsers: {
		"role": {"u.role", userRoles}, "name": {"u.name", texts}, "email": {"u.email", texts}, "phone": {"u.phone", texts}, "alias": {"u.alias", texts},
		"external_id": {"u.external_id", texts}, "locale": {"u.locale", texts}, "time_zone": {"u.time_zone", texts},
		"verified": {"u.verified", flags}, "suspended": {"u.suspended", flags}, "tags": {"u.tags", sets},
		"organization_id": {"ARRAY(SELECT m.organization_id::text FROM organization_memberships m WHERE m.account_id = u.account_id AND m.user_id = u.id)", sets},
	},
	TargetOrganizations: {
		"name": {"o.name", texts}, "external_id": {"o.external_id", texts}, "group_id": {"o.group_id::text", texts},
		"shared_tickets": {"o.shared_tickets", flags}, "shared_comments": {"o.shared_comments", flags},
		"tags": {"o.tags", sets}, "domain_names": {"o.domain_names", sets},
	},
}

// Lookup names the lookup field that a record is chosen for. The zero value is
// none.
type Lookup struct {
	FieldID int64
	Source  string // the type of record that it is a field of, "zen:ticket"; empty: any
}

// Offered is the condition of the records that a lookup offers, on users u or
// organizations o as target says, and its arguments. It fails with fault.Invalid
// for a field that is no lookup of target. No lookup offers all.
func (s *Service) Offered(ctx context.Context, by auth.Actor, target string, of Lookup) (string, []any, error) {
	if of.FieldID == 0 {
		return "TRUE", nil, nil
	}
	c, err := s.SetUp(ctx, by)
	if err != nil {
		return "", nil, err
	}
	for source, d := range map[string]*Definitions{TargetTickets: &c.Definitions, TargetUsers: &c.Users, TargetOrganizations: &c.Organizations} {
		f, ok := d.Field(of.FieldID)
		if ok && isLookup(f) && *f.RelationshipTargetType == target && (of.Source == "" || of.Source == source) {
			where, args := c.offered(f)
			return where, args, nil
		}
	}
	return "", nil, fault.InvalidField("field_id", "%d is not a lookup of %s", of.FieldID, target)
}

func (c *Config) offered(f *Field) (string, []any) {
	var read filter
	_ = json.Unmarshal(f.RelationshipFilter, &read) // written by ourselves
	all, args := c.conditions(*f.RelationshipTargetType, read.All)
	alternatives, more := c.conditions(*f.RelationshipTargetType, read.Any)
	if len(alternatives) > 0 {
		all, args = append(all, "("+strings.Join(alternatives, " OR ")+")"), append(args, more...)
	}
	return strings.Join(append(all, "TRUE"), " AND "), args
}

func (c *Config) conditions(target string, list []filterCondition) (all []string, args []any) {
	for _, cond := range list {
		is, ok := subjects[target][cond.Field]
		if name, custom := strings.CutPrefix(cond.Field, customPrefix); custom {
			is, ok = c.customSubject(target, name)
		}
		sql := strings.ReplaceAll(is.kind.operators[cond.Operator], "EXPR", is.expr)
		if ok && strings.Contains(sql, "?") {
			var value any
			if value, ok = is.kind.value(words(cond.Value)); ok {
				args = append(args, value)
			}
		}
		if !ok || sql == "" { // of a field that is gone, or with a value that no record can have
			sql = "FALSE"
		}
		all = append(all, "("+sql+")")
	}
	return all, args
}

// customSubject is a custom field of the records that a lookup points at.
func (c *Config) customSubject(target, name string) (subject, bool) {
	d, column := &c.Users, "u.user_fields"
	if target == TargetOrganizations {
		d, column = &c.Organizations, "o.organization_fields"
	}
	f := d.named[name]
	if id, err := strconv.ParseInt(name, 10, 64); err == nil && f == nil {
		f = d.fields[id]
	}
	if f == nil || !f.Active {
		return subject{}, false
	}
	text := "(" + column + " ->> '" + f.key + "')" // an id, which needs no quoting
	switch f.Type {
	case models.FieldCheckbox:
		return subject{text + "::boolean", flags}, true
	case models.FieldInteger, models.FieldDecimal:
		return subject{text, numbers}, true
	case models.FieldDate:
		return subject{text, dates}, true
	case models.FieldMultiselect:
		return subject{"ARRAY(SELECT jsonb_array_elements_text(coalesce(" + column + " -> '" + f.key + "', '[]')))", sets}, true
	}
	return subject{text, texts}, true
}

// words are what a condition compares with: a scalar, or several in a list.
func words(raw json.RawMessage) (out []string) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	for _, item := range list {
		var text string
		if json.Unmarshal(item, &text) != nil {
			text = string(item)
		}
		out = append(out, strings.TrimSpace(text))
	}
	return out
}
