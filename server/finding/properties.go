package finding

import (
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

// properties are what can be asked of records (contract search.md §4).
var properties = map[search.Kind]map[string]property{
	search.Ticket: {
		"created": date("t.created_at"), "created_at": date("t.created_at"),
		"updated": date("t.updated_at"), "updated_at": date("t.updated_at"),
		"solved": date("t.solved_at"), "solved_at": date("t.solved_at"),
		"due_date": date("t.due_at"), "due_at": date("t.due_at"),
		"status":           {ops: true, where: status},
		"custom_status_id": number("t.custom_status_id"),
		"priority": {ops: true, where: func(_ *compiler, v value) (string, []any, error) {
			if v.none() {
				return "t.priority IS NULL", nil, nil
			}
			return ranked("t.priority", priorities, v)
		}},
		"ticket_type": {where: func(_ *compiler, v value) (string, []any, error) {
			if v.none() {
				return "t.type IS NULL", nil, nil
			}
			return ranked("t.type", types, v)
		}},
		"subject":     {words: []search.Part{search.Title}},
		"description": {words: search.Said},
		"comment":     {words: search.Said},
		"fieldvalue":  {words: []search.Part{search.Fields}, exact: true},
		"assignee":    person("t.assignee_id"), "submitter": person("t.submitter_id"), "requester": person("t.requester_id"),
		"assignee_id": person("t.assignee_id"), "submitter_id": person("t.submitter_id"), "requester_id": person("t.requester_id"),
		"commenter": persons("comments", "author_id", "t.comment_count = 0"),
		"cc":        persons("ticket_ccs", "user_id", "t.email_cc_ids = '{}'"),
		"followers": followers, "follower": followers,
		"group":           named("t.group_id", "groups", ""),
		"group_id":        number("t.group_id"),
		"organization":    named("t.organization_id", "organizations", ""),
		"organization_id": number("t.organization_id"),
		"brand":           named("t.brand_id", "brands", ""),
		"brand_id":        number("t.brand_id"),
		"form":            named("t.ticket_form_id", "ticket_forms", ""),
		"ticket_form_id":  number("t.ticket_form_id"),
		"problem":         number("t.problem_id"), "problem_id": number("t.problem_id"), "incident": number("t.problem_id"),
		"tags": tags("t.tags"), "tag": tags("t.tags"),
		"via":            {where: via},
		"has_attachment": truth(`EXISTS (SELECT FROM comments c WHERE c.account_id = t.account_id AND c.ticket_id = t.id AND c.has_attachments)`),
		"recipient":      whole("t.recipient"),
		"external_id":    whole("t.external_id"),
		"satisfaction":   {where: satisfaction},
		"support_type":   {where: supportType},
	},
	search.User: {
		"user":  {where: anybody},
		"name":  {words: []search.Part{search.Title}, exact: true},
		"email": {where: email},
		"role":  {where: role},
		"group": membership("group_memberships", "group_id", "groups"), "organization": organization,
		"organization_id": organization,
		"created":         date("u.created_at"), "created_at": date("u.created_at"),
		"updated": date("u.updated_at"), "updated_at": date("u.updated_at"),
		"notes":       {words: []search.Part{search.Notes}},
		"details":     {words: []search.Part{search.Details}},
		"external_id": whole("u.external_id"),
		"phone":       {where: phone("phone_number")},
		"whatsapp":    {where: phone("whatsapp")},
		"tags":        tags("u.tags"), "tag": tags("u.tags"),
		"is_verified": truth("u.verified"), "is_suspended": truth("u.suspended"),
	},
	search.Organization: {
		"name":    {words: []search.Part{search.Title}, exact: true},
		"created": date("o.created_at"), "created_at": date("o.created_at"),
		"updated": date("o.updated_at"), "updated_at": date("o.updated_at"),
		"notes":   {words: []search.Part{search.Notes}},
		"details": {words: []search.Part{search.Details}},
		"tags":    tags("o.tags"), "tag": tags("o.tags"),
		"external_id": whole("o.external_id"),
		"domain":      {where: domain}, "domain_names": {where: domain},
	},
	search.Group: {
		"name":    {words: []search.Part{search.Title}, exact: true},
		"created": date("g.created_at"), "created_at": date("g.created_at"),
		"updated": date("g.updated_at"), "updated_at": date("g.updated_at"),
	},
}

// The values of these in their order.
var (
	statuses   = []string{models.StatusNew, models.StatusOpen, models.StatusPending, models.StatusHold, models.StatusSolved, models.StatusClosed}
	priorities = []string{"low", "normal", "high", "urgent"}
	types      = []string{"question", "incident", "problem", "task"}
)

// onLists ends the condition of tickets that are not archived.
const onLists = " AND NOT t.archived)"

// status also says of tickets that are not closed that they are on lists, so that
// the indexes of these serve.
func status(_ *compiler, v value) (string, []any, error) {
	where, args, err := ranked("t.status", statuses, v)
	if err == nil && !strings.Contains(where, "'"+models.StatusClosed+"'") {
		where = "(" + where + onLists
	}
	return where, args, err
}

var followers = property{where: func(c *compiler, v value) (string, []any, error) {
	if v.none() {
		return "t.follower_ids = '{}'", nil, nil
	}
	found, args := c.people(v)
	return "(t.follower_ids && ARRAY(" + found + ") AND t.follower_ids <> '{}')", args, nil
}}

// channels are the channels of tickets by the words that searches have for them,
// with underscores in place of spaces.
var channels = map[string][]string{
	"mail": {"email", "mail"}, "email": {"email", "mail"}, "web": {"web", "web_form"}, "web_form": {"web", "web_form"},
	"api": {"api", "web_service"}, "chat": {"chat"},
	"phone":              {"voice", "voicemail", "phone_call_inbound", "phone_call_outbound", "api_voicemail", "api_phone_call_inbound", "api_phone_call_outbound"},
	"voicemail":          {"voice", "voicemail", "api_voicemail"},
	"phone_call_inbound": {"phone_call_inbound", "api_phone_call_inbound"}, "phone_call_outbound": {"phone_call_outbound", "api_phone_call_outbound"},
	"sms": {"sms"}, "text": {"sms"}, "text_message": {"sms"},
	"twitter": {"twitter", "twitter_dm", "twitter_favorite", "twitter_like"}, "twitter_dm": {"twitter_dm"},
	"twitter_fav": {"twitter_favorite"}, "twitter_like": {"twitter_like", "twitter_favorite"},
	"facebook": {"facebook", "facebook_post", "facebook_message"}, "facebook_post": {"facebook", "facebook_post"}, "facebook_message": {"facebook_message"},
	"dropbox": {"dropbox", "web_widget"}, "feedback_tab": {"dropbox", "web_widget"}, "mobile": {"mobile", "mobile_sdk"}, "native_messaging": {"native_messaging"},
}

// via asks how a ticket came in. A follow-up has come from a closed ticket. Other
// channels are asked for by the names that tickets show.
func via(_ *compiler, v value) (string, []any, error) {
	word := strings.ReplaceAll(strings.ToLower(v.text), " ", "_")
	switch word {
	case "none":
		return "t.via->>'channel' IS NULL", nil, nil
	case "closed_ticket":
		return "(t.via->>'channel' = 'closed_ticket' OR t.followup_source_id IS NOT NULL)", nil, nil
	}
	names, ok := channels[word]
	if !ok {
		names = []string{word}
	}
	return "t.via->>'channel' = ANY(?::text[])", []any{models.Strings(names)}, nil
}

func satisfaction(_ *compiler, v value) (string, []any, error) {
	const score, comment = "t.satisfaction->>'score'", "coalesce(t.satisfaction->>'comment', '') <> ''"
	switch word := strings.ToLower(v.text); word {
	case "good", "bad", "offered", "unoffered":
		if word == "unoffered" {
			return "coalesce(" + score + ", 'unoffered') = 'unoffered'", nil, nil
		}
		return score + " = '" + word + "'", nil, nil
	case "goodwithcomment", "badwithcomment":
		return "(" + score + " = '" + strings.TrimSuffix(word, "withcomment") + "' AND " + comment + ")", nil, nil
	}
	return "", nil, search.Bad("satisfaction has a value that is not one of bad, badwithcomment, good, goodwithcomment, offered, unoffered")
}

// supportType asks who has charge of a conversation, which here is people.
func supportType(_ *compiler, v value) (string, []any, error) {
	switch strings.ToLower(v.text) {
	case "agent":
		return "true", nil, nil
	case "ai_agent":
		return "false", nil, nil
	}
	return "", nil, search.Bad("support_type must be agent or ai_agent")
}

func anybody(c *compiler, v value) (string, []any, error) {
	found, args := c.people(v)
	return "u.id = ANY(ARRAY(" + found + "))", args, nil
}

// email asks for an address, or what stands before its @. An asterisk is none of
// the characters of an address that anybody has.
func email(c *compiler, v value) (string, []any, error) {
	const has = "u.id = ANY(ARRAY(SELECT i.user_id FROM user_identities i WHERE i.account_id = ? AND i.type = 'email' AND lower(i.value) "
	lower := strings.ToLower(v.Value)
	switch {
	case v.none():
		return "u.email IS NULL", nil, nil
	case strings.HasPrefix(lower, "@"):
		return has + "LIKE ?))", []any{c.by.AccountID, "%" + postgres.EscapeLike(lower)}, nil
	case strings.Contains(lower, "@"):
		return has + "= ?))", []any{c.by.AccountID, lower}, nil
	}
	like := postgres.EscapeLike(lower)
	return has + "LIKE ?))", []any{c.by.AccountID, like + "@%"}, nil
}

func role(_ *compiler, v value) (string, []any, error) {
	switch lower := strings.ReplaceAll(strings.ToLower(v.text), "_", "-"); {
	case lower == "end-user" || lower == "enduser":
		return "u.role = 'end-user'", nil, nil
	case lower == models.RoleAgent || lower == models.RoleAdmin:
		return "u.role = '" + lower + "'", nil, nil
	case v.id != 0:
		return "u.custom_role_id = ?", []any{v.id}, nil
	}
	return "false", nil, nil // a custom role of a name that there is not
}

// phone asks for a number, whatever stands between its digits.
func phone(kind string) func(*compiler, value) (string, []any, error) {
	return func(c *compiler, v value) (string, []any, error) {
		if v.none() {
			if kind == "phone_number" {
				return "u.phone IS NULL", nil, nil
			}
			return "NOT EXISTS (SELECT FROM user_identities i WHERE i.account_id = u.account_id AND i.user_id = u.id AND i.type = ?)", []any{kind}, nil
		}
		digits := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, v.text)
		if digits == "" {
			return "", nil, search.Bad("%s has a value that is no number", v.Name)
		}
		where, args := "i.type = ? AND regexp_replace(i.value, '\\D', '', 'g') = ?", []any{kind, digits}
		if kind != "phone_number" {
			return "u.id = ANY(ARRAY(SELECT i.user_id FROM user_identities i WHERE i.account_id = ? AND " + where + "))", append([]any{c.by.AccountID}, args...), nil
		}
		return "u.id = ANY(ARRAY(SELECT i.user_id FROM user_identities i WHERE i.account_id = ? AND " + where +
				" UNION SELECT p.id FROM users p WHERE p.account_id = ? AND p.phone IS NOT NULL AND regexp_replace(p.phone, '\\D', '', 'g') = ?))",
			append(append([]any{c.by.AccountID}, args...), c.by.AccountID, digits), nil
	}
}

// membership asks for users by what they belong to.
func membership(table, column, of string) property {
	return property{where: func(c *compiler, v value) (string, []any, error) {
		if v.none() {
			return "NOT EXISTS (SELECT FROM " + table + " m WHERE m.account_id = u.account_id AND m.user_id = u.id)", nil, nil
		}
		one := named("m."+column, of, "")
		where, args, err := one.where(c, v)
		return "u.id = ANY(ARRAY(SELECT m.user_id FROM " + table + " m WHERE m.account_id = ? AND " + where + "))", append([]any{c.by.AccountID}, args...), err
	}}
}

var organization = membership("organization_memberships", "organization_id", "organizations")

func domain(_ *compiler, v value) (string, []any, error) {
	if v.none() {
		return "o.domain_names = '{}'", nil, nil
	}
	return "o.domain_names @> ?::text[]", []any{models.Strings{strings.ToLower(v.text)}}, nil
}
