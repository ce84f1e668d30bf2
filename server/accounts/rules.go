package accounts

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
)

// FirstCategory is the name of the category of triggers that an account has
// before it makes others.
const FirstCategory = "Initial category"

// rulesTx makes the rules that clients expect to find in a fresh account
// (contract rules.md §11).
func rulesTx(tx *gorm.DB, stamps models.Stamps) error {
	category := models.TriggerCategory{Name: FirstCategory, Position: 1, Stamps: stamps}
	if err := tx.Create(&category).Error; err != nil {
		return err
	}
	var rules []models.Rule
	for n, r := range defaultTriggers() {
		r.Kind, r.Position, r.CategoryID, r.CategoryPosition = models.RuleTrigger, n+1, &category.ID, category.Position
		rules = append(rules, r)
	}
	for n, r := range defaultViews() {
		r.Kind, r.Position = models.RuleView, n+1
		rules = append(rules, r)
	}
	for _, r := range defaultMacros() {
		r.Kind, r.Position = models.RuleMacro, 9999
		rules = append(rules, r)
	}
	rules = append(rules, models.Rule{
		Kind: models.RuleAutomation, Title: "Close ticket 4 days after status is set to solved", Active: true, Default: true,
		Conditions: when(all{is("status", "solved"), {"SOLVED", "greater_than", "96"}}, nil), Actions: do(set("status", "closed")),
	})
	for n := range rules {
		r := &rules[n]
		r.Stamps = stamps
		if r.Conditions == nil {
			r.Conditions = when(nil, nil)
		}
		if r.Actions == nil {
			r.Actions = do()
		}
	}
	return tx.Create(&rules).Error
}

// condition and action are as rules keep them.
type (
	condition struct {
		Field    string `json:"field"`
		Operator string `json:"operator"`
		Value    any    `json:"value"`
	}
	action struct {
		Field string `json:"field"`
		Value any    `json:"value"`
	}
	all []condition
)

func is(field string, value any) condition    { return condition{field, "is", value} }
func isNot(field string, value any) condition { return condition{field, "is_not", value} }
func set(field string, value any) action      { return action{field, value} }

func when(conditions, any all) models.JSON {
	return models.ToJSON(struct {
		All all `json:"all"`
		Any all `json:"any"`
	}{append(all{}, conditions...), append(all{}, any...)})
}

func do(actions ...action) models.JSON { return models.ToJSON(append([]action{}, actions...)) }

// message is the value of an action that notifies by e-mail.
func message(to, subject, body string) []string { return []string{to, subject, body} }

const (
	aboutTicket   = "[{{ticket.account}}] Re: {{ticket.title}}"
	history       = "\n\n{{ticket.comments_formatted}}"
	latestComment = "{{ticket.latest_comment_html}}"
)

func defaultTriggers() []models.Rule {
	rule := func(title string, conditions models.JSON, field string, value any) models.Rule {
		return models.Rule{Title: title, Active: true, Conditions: conditions, Actions: do(set(field, value))}
	}
	autoAssign := rule("Auto-assign to first email responding agent",
		when(all{is("update_type", "Change"), is("current_via_id", 4), is("assignee_id", ""), isNot("role", "end_user")}, nil), "assignee_id", "current_user")
	autoAssign.Active = false
	return []models.Rule{
		rule("Notify requester and CCs of received request",
			when(all{is("update_type", "Create"), isNot("status", "solved"), is("ticket_is_public", "public"), is("comment_is_public", true), is("role", "end_user")}, nil),
			"notification_user", message("requester_and_ccs", "[Request received]",
				"Your request ({{ticket.id}}) has been received and is being reviewed by our support staff.\n\nTo add additional comments, reply to this email."+history)),
		rule("Notify requester of new proactive ticket", when(all{is("update_type", "Create"), is("ticket_is_public", "public"), is("role", "agent")}, nil),
			"notification_user", message("requester_and_ccs", "{{ticket.title}}",
				"This ticket was created on your behalf.\n\n{{ticket.latest_public_comment_html}}\n\nTo add additional comments, reply to this email.")),
		rule("Notify requester and CCs of comment update", when(all{is("update_type", "Change"), is("comment_is_public", true)}, nil),
			"notification_user", message("requester_and_ccs", aboutTicket, latestComment)),
		rule("Notify assignee of comment update",
			when(all{is("comment_is_public", "not_relevant"), isNot("assignee_id", "current_user"), isNot("assignee_id", "requester_id"),
				{"assignee_id", "not_changed", nil}, {"status", "not_value_previous", "solved"}}, nil),
			"notification_user", message("assignee_id", aboutTicket, latestComment)),
		rule("Notify assignee of assignment", when(all{{"assignee_id", "changed", nil}, isNot("assignee_id", "current_user")}, nil),
			"notification_user", message("assignee_id", "[{{ticket.account}}] Assignment: {{ticket.title}}", "You have been assigned to this ticket (#{{ticket.id}})."+history)),
		rule("Notify assignee of reopened ticket",
			when(all{isNot("assignee_id", "current_user"), {"status", "value_previous", "solved"}, isNot("status", "closed")}, nil),
			"notification_user", message("assignee_id", aboutTicket, "This ticket (#{{ticket.id}}) has been reopened."+history)),
		rule("Notify group of assignment",
			when(all{isNot("group_id", ""), is("assignee_id", "")}, all{{"group_id", "changed", nil}, {"assignee_id", "changed", nil}}),
			"notification_group", message("group_id", "[{{ticket.group.name}}] Assignment: {{ticket.title}}", "This ticket (#{{ticket.id}}) has been assigned to your group."+history)),
		rule("Notify all agents of received request", when(all{is("update_type", "Create")}, nil),
			"notification_user", message("all_agents", "[{{ticket.account}}] {{ticket.title}}", "A ticket (#{{ticket.id}}) by {{ticket.requester.name}} has been received."+history)),
		autoAssign,
		rule("Set tickets with no priority to normal", when(all{is("update_type", "Create"), is("priority", "")}, nil), "priority", "normal"),
	}
}

func defaultMacros() []models.Rule {
	rule := func(title string, actions ...action) models.Rule {
		return models.Rule{Title: title, Active: true, Actions: do(actions...)}
	}
	return []models.Rule{
		rule("Close and redirect to topics", set("status", "solved"), set("assignee_id", "current_user"),
			set("comment_value", "Thanks for your request. This is a known issue; you will find more about it in our help center.\n\nIf there is anything else, please let us know.")),
		rule("Customer not responding", set("status", "pending"),
			set("comment_value", "Hello {{ticket.requester.name}}. Our agent {{current_user.name}} has tried to contact you about this request but we haven't heard back from you yet. "+
				"Please let us know if we can be of further assistance. Thanks.")),
		rule("Downgrade and inform", set("priority", "low"),
			set("comment_value", "We're currently experiencing unusually high traffic. We'll get back to you as soon as possible.")),
		rule("Take it!", set("assignee_id", "current_user"), set("group_id", "current_groups")),
	}
}

func defaultViews() []models.Rule {
	type sorting struct{ by, order string }
	none := sorting{order: "asc"}
	asc, desc := func(by string) sorting { return sorting{by, "asc"} }, func(by string) sorting { return sorting{by, "desc"} }
	rule := func(key string, conditions all, group, sort sorting, columns ...string) models.Rule {
		output := struct {
			Columns    []string `json:"columns"`
			GroupBy    *string  `json:"group_by"`
			GroupOrder string   `json:"group_order"`
			SortBy     string   `json:"sort_by"`
			SortOrder  string   `json:"sort_order"`
		}{Columns: columns, GroupOrder: group.order, SortBy: sort.by, SortOrder: sort.order}
		if group.by != "" {
			output.GroupBy = &group.by
		}
		return models.Rule{Title: "{{zd." + key + "}}", Active: true, Conditions: when(conditions, nil), Output: models.ToJSON(output)}
	}
	unsolved := condition{"status", "less_than", "solved"}
	return []models.Rule{
		rule("your_unsolved_tickets", all{unsolved, is("assignee_id", "current_user")}, asc("status"), desc("nice_id"), "description", "requester", "created", "type", "priority"),
		rule("unassigned_tickets", all{is("assignee_id", ""), unsolved}, none, desc("created"), "description", "requester", "created", "priority"),
		rule("all_unsolved_tickets", all{unsolved}, asc("assignee"), desc("nice_id"), "description", "requester", "created", "priority", "updated"),
		rule("recently_updated_tickets", all{{"updated_at", "less_than", "24"}, {"status", "less_than", "closed"}}, asc("status"), desc("updated"),
			"description", "requester", "created", "priority", "assignee"),
		rule("pending_tickets", all{is("status", "pending")}, asc("updated"), desc("nice_id"), "description", "requester", "created", "priority", "assignee"),
		rule("recently_solved_tickets", all{is("status", "solved")}, asc("assignee"), desc("solved"), "description", "requester", "created", "solved", "priority"),
		rule("overdue_tasks", all{unsolved, {"due_at", "greater_than", "0"}}, asc("due_date"), desc("assignee"), "description", "requester", "created", "assignee", "due_date"),
		rule("current_tasks", all{unsolved, is("type", "task")}, asc("due_date"), desc("assignee"), "description", "requester", "created", "assignee", "due_date"),
	}
}
