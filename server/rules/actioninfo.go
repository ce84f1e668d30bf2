package rules

import (
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
)

// ActionInfo is something that rules may do. It has no operators.
type ActionInfo struct {
	FieldInfo
	Nullable   bool // it can set nothing: ""
	Repeatable bool // a rule may have it several times
	use        Use
}

// ActionsOf are what rules of a use may do, what sets custom fields last.
func ActionsOf(use Use, env Env) []ActionInfo {
	var list []ActionInfo
	for _, a := range actionTable {
		if a.uses&use == 0 {
			continue
		}
		about := "ticket"
		switch {
		case strings.HasPrefix(a.name, "notification_"), a.name == "deflection":
			about = "notification"
		case a.name == "locale_id":
			about = "requester"
		}
		list = append(list, ActionInfo{FieldInfo{Name: a.name, Title: a.title, Subject: about, List: a.list}, a.nullable, a.repeatable, use})
	}
	for _, f := range sources[0].all(env.Config) {
		list = append(list, ActionInfo{FieldInfo{Name: sources[0].name(f), Title: f.Title, Subject: "ticket", List: "field", Custom: f}, f.Type != models.FieldCheckbox, false, use})
	}
	return list
}

// Choices are the values that the action may set, or whom it may write to; nil
// where they are no list.
func (a ActionInfo) Choices(c *fields.Config, r Records) []Choice {
	switch {
	case a.Custom != nil:
	case a.Name == "notification_group":
		return append([]Choice{{"group_id", "(assigned group)"}}, r.Groups...)
	case a.List == "webhook":
		return each(c.Webhooks, func(w models.Webhook) (Choice, bool) { return Choice{w.ID, w.Name}, w.Status == models.WebhookActive })
	case a.Name == "group_id":
		return append([]Choice{nobody, {"current_groups", "(current user's group)"}}, r.Groups...)
	case a.Name == "follower":
		return append([]Choice{currentUser}, r.Agents...)
	case a.List == "user":
		return []Choice{currentUser, requester, assignee}
	case a.List == "recipient":
		return append([]Choice{requester, {"requester_and_ccs", "(requester and CCs)"}, assignee, currentUser, {"all_agents", "(all agents)"}}, r.Agents...)
	case a.List == "requester":
		return []Choice{requester}
	case a.Name == "satisfaction_score":
		return []Choice{{"offered", "Offered to requester"}}
	case a.Name == "comment_mode_is_public":
		return []Choice{{"true", "Public"}, {"false", "Private"}}
	}
	list := a.FieldInfo.Choices(c, r)
	if a.Custom != nil || a.Nullable {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(v Choice) bool { return v.Value == "" || a.Name == "status" && !a.sets(v.Value) })
}

// sets reports whether rules of the use may give tickets the status.
func (a ActionInfo) sets(status string) bool {
	return a.use != Macros || status != models.StatusNew && status != models.StatusClosed
}
