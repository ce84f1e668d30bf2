package rules

import "github.com/helpd/helpd/server/fields"

// FieldInfo is a field that conditions may ask about.
type FieldInfo struct {
	Name      string
	Title     string
	Subject   string // "ticket", "requester", "organization", "update"
	Operators []string
	List      string        // what its values are chosen from: "status", "group", ...; empty: anything
	Custom    *fields.Field // the custom field; nil for the system's
}

// Fields are the fields that rules of a use may ask about, custom ones last. Use
// is one of the uses, or several.
func Fields(use Use, env Env) []FieldInfo {
	var list []FieldInfo
	for _, f := range table {
		if f.uses&use != 0 {
			list = append(list, f.info(use, nil))
		}
	}
	for _, s := range sources {
		if s.uses&use == 0 {
			continue
		}
		for _, f := range s.all(env.Config) {
			list = append(list, s.field(s.name(f), f).info(use, f))
		}
	}
	return list
}

func (f field) info(use Use, custom *fields.Field) FieldInfo {
	subject := f.subject
	if subject == "" {
		subject = "ticket"
	}
	return FieldInfo{Name: f.name, Title: f.title, Subject: subject, Operators: f.operatorsFor(use), List: f.list, Custom: custom}
}

// OneOf reports whether a condition may stand in any, and not in all alone.
func OneOf(c Condition, use Use, env Env) bool {
	f, err := lookUp(c.Field, use, env)
	return err == nil && !f.onlyAll
}
