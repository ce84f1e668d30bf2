package rulebook

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/rules"
)

// applyMeaning changes what the rule looks for and what it does. What is sent
// back as it was is not checked again: a rule on a record that is gone can still
// be renamed.
func (d *draft) applyMeaning(k kind, config *fields.Config) error {
	r, c := &d.after, d.change
	var errs []error
	if k.conditions && c.Conditions != nil {
		list := rules.Conditions{All: slices.Clone(c.Conditions.All), Any: slices.Clone(c.Conditions.Any)}
		for _, part := range []*[]rules.Condition{&list.All, &list.Any} {
			if *part == nil {
				*part = []rules.Condition{} // [] and not null
			}
			for n := range *part {
				(*part)[n].Value = tidy((*part)[n].Value)
			}
		}
		r.Conditions = models.ToJSON(list)
		if !bytes.Equal(r.Conditions, d.before.Conditions) {
			refs, err := k.checkConditions(list, config)
			d.refs, errs = append(d.refs, refs...), append(errs, err)
		}
	}
	if k.conditions && bytes.Equal(r.Conditions, noConditions) {
		errs = append(errs, fault.Blank("conditions"))
	}
	if k.actions && c.Actions != nil {
		list := slices.Clone(c.Actions)
		for n := range list {
			list[n].Value = tidy(list[n].Value)
		}
		r.Actions = models.ToJSON(list)
		if !bytes.Equal(r.Actions, d.before.Actions) {
			refs, err := rules.CheckActions(list, k.use, rules.Env{Config: config, CheckText: placeholders.Check})
			d.refs, errs = append(d.refs, refs...), append(errs, err)
		}
	}
	if k.actions && bytes.Equal(r.Actions, noActions) {
		errs = append(errs, fault.Blank("actions"))
	}
	if len(r.Conditions)+len(r.Actions) > maxSize {
		errs = append(errs, fault.Base(fault.CodeTooLong, "Conditions and actions: are too large (maximum is %d KB)", maxSize>>10))
	}
	return fault.Join(errs...)
}

// Try is a rule of a kind with the conditions, the actions and the output of c,
// which is not kept, and the set-up that it was held against. It fails with
// fault.Invalid as Create does.
func (s *Service) Try(ctx context.Context, by auth.Actor, kind string, c Change) (models.Rule, *fields.Config, error) {
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return models.Rule{}, nil, err
	}
	k := kinds[kind]
	d := draft{change: c, after: models.Rule{Kind: kind, Active: true, Conditions: noConditions, Actions: noActions}}
	err = d.applyMeaning(k, config)
	if k.columns {
		err = fault.Join(err, c.applyOutput(&d.after, config))
	}
	if err == nil {
		err = Missing(s.db.WithContext(ctx), by.AccountID, d.refs)
	}
	return d.after, config, err
}

// base are the fields of which rules that look for tickets among all must ask
// for one in all.
var base = []string{"status", "custom_status_id", "type", "group_id", "assignee_id", "requester_id"}

// inStatus are the times that only tickets in one status meet. The original takes
// an automation on one of them alone; recorded with PENDING.
var inStatus = []string{"OPEN", "PENDING", "HOLD", "SOLVED", "CLOSED"}

// checkConditions also returns the users and organizations that they name, which
// are still to be looked up.
func (k kind) checkConditions(list rules.Conditions, config *fields.Config) ([]rules.Ref, error) {
	env := rules.Env{Config: config}
	refs, err := rules.Check(list, k.use, env)
	if err != nil {
		return nil, err
	}
	if k.searches && !slices.ContainsFunc(list.All, k.narrows) {
		return nil, fault.Base(fault.CodeInvalid, "Conditions: all must have one of %s", strings.Join(base, ", "))
	}
	if k.timed && !slices.ContainsFunc(list.All, func(c rules.Condition) bool { return !rules.OneOf(c, k.use, env) }) {
		return nil, fault.Base(fault.CodeInvalid, "Conditions: all must have one about time, such as SOLVED")
	}
	return refs, nil
}

// narrows reports whether a condition tells most tickets apart.
func (k kind) narrows(c rules.Condition) bool {
	return slices.Contains(base, c.Field) || k.timed && slices.Contains(inStatus, c.Field)
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
	return json.RawMessage(models.ToJSON(withinReason(v)))
}

// fitsJSONB reports whether jsonb takes a number: it has room for neither more
// digits than anybody writes nor for exponents like that of 1e-20000, which is 0
// to a float.
func fitsJSONB(number string) bool {
	f, err := strconv.ParseFloat(number, 64)
	return err == nil && len(number) <= 64 && (math.Abs(f) >= 1e-300 || f == 0 && !strings.ContainsAny(number, "eE"))
}

// withinReason turns numbers that jsonb has no room for into texts.
func withinReason(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !fitsJSONB(v.String()) {
			return v.String()
		}
	case []any:
		for n := range v {
			v[n] = withinReason(v[n])
		}
	case map[string]any:
		for name := range v {
			v[name] = withinReason(v[name])
		}
	}
	return v
}
