package placeholders

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/liquid"
)

// ticket is a member of {{ticket}}; nil if there is none of the name.
func (v *view) ticket(name string) any {
	if v.suppressed(name) {
		return nil
	}
	if member, ok := ticketMembers[name]; ok {
		return member(v)
	}
	if id, ok := numbered(name, "ticket_field_option_title_"); ok {
		return v.optionTitle(id)
	}
	if id, ok := numbered(name, "ticket_field_"); ok {
		return v.fieldValue(id)
	}
	return nil
}

// numbered is the number behind a prefix.
func numbered(name, prefix string) (int64, bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(rest, 10, 64)
	return id, err == nil
}

// ticketMembers are the members of {{ticket}} but for those of custom fields.
var ticketMembers map[string]func(v *view) any

func init() {
	ticketMembers = map[string]func(v *view) any{
		"id":                        func(v *view) any { return v.Ticket.ID },
		"encoded_id":                func(v *view) any { return EncodedID(v.Ticket.AccountID, v.Ticket.ID) },
		"title":                     func(v *view) any { return v.title() },
		"description":               func(v *view) any { return v.description() },
		"verbatim_description":      func(v *view) any { return v.description() },
		"status":                    func(v *view) any { return v.label("status_", v.Ticket.Status) },
		"custom_status":             func(v *view) any { return v.customStatus() },
		"priority":                  func(v *view) any { return v.optionalLabel("priority_", v.Ticket.Priority) },
		"ticket_type":               func(v *view) any { return v.optionalLabel("type_", v.Ticket.Type) },
		"link":                      func(v *view) any { return v.link() },
		"url_with_protocol":         func(v *view) any { return v.link() },
		"url":                       func(v *view) any { _, rest, _ := strings.Cut(v.link(), "://"); return rest },
		"via":                       func(v *view) any { return via(gjson.GetBytes(v.Ticket.Via, "channel").Str) },
		"tags":                      func(v *view) any { return strings.Join(v.Ticket.Tags, " ") },
		"external_id":               func(v *view) any { return optional(v.Ticket.ExternalID) },
		"account":                   func(v *view) any { return v.Config.Account.Name },
		"score":                     func(v *view) any { return v.rating("current_rating") },
		"due_date":                  func(v *view) any { return v.date(v.Ticket.DueAt, false) },
		"due_date_with_timestamp":   func(v *view) any { return v.timestamp(v.Ticket.DueAt) },
		"created_at":                func(v *view) any { return v.date(&v.Ticket.CreatedAt, false) },
		"created_at_with_time":      func(v *view) any { return v.date(&v.Ticket.CreatedAt, true) },
		"created_at_with_timestamp": func(v *view) any { return v.timestamp(&v.Ticket.CreatedAt) },
		"updated_at":                func(v *view) any { return v.date(&v.Ticket.UpdatedAt, false) },
		"updated_at_with_time":      func(v *view) any { return v.date(&v.Ticket.UpdatedAt, true) },
		"updated_at_with_timestamp": func(v *view) any { return v.timestamp(&v.Ticket.UpdatedAt) },
		"requester":                 func(v *view) any { return v.user(v.Ticket.RequesterID) },
		"submitter":                 func(v *view) any { return v.user(v.Ticket.SubmitterID) },
		"assignee":                  func(v *view) any { return v.optionalUser(v.Ticket.AssigneeID) },
		"organization":              func(v *view) any { return v.organization(v.Ticket.OrganizationID) },
		"group":                     func(v *view) any { return v.group() },
		"brand":                     func(v *view) any { return v.brandObject() },
		"ticket_form":               func(v *view) any { return v.form() },
		"ccs":                       func(v *view) any { return v.userList(v.Ticket.EmailCCIDs) },
		"email_ccs":                 func(v *view) any { return v.userList(v.Ticket.EmailCCIDs) },
		"followers":                 func(v *view) any { return v.userList(v.Ticket.FollowerIDs) },
		"cc_names":                  func(v *view) any { return v.names(v.Ticket.EmailCCIDs) },
		"email_cc_names":            func(v *view) any { return v.names(v.Ticket.EmailCCIDs) },
		"follower_names":            func(v *view) any { return v.names(v.Ticket.FollowerIDs) },

		"follower_reply_type_message": func(v *view) any { return v.followerMessage() },
		"in_business_hours":           func(v *view) any { return v.inBusinessHours() },
		"current_holiday_name":        func(v *view) any { return v.Related.Holiday },

		"comments":                        func(v *view) any { return v.commentList(v.all(false)) },
		"public_comments":                 func(v *view) any { return v.commentList(v.all(true)) },
		"comments_formatted":              func(v *view) any { return v.formattedAll(v.all(false)) },
		"public_comments_formatted":       func(v *view) any { return v.formattedAll(v.all(true)) },
		"latest_comment":                  func(v *view) any { return v.commentObject(v.latest(false)) },
		"latest_public_comment":           func(v *view) any { return v.commentObject(v.latest(true)) },
		"latest_comment_formatted":        func(v *view) any { return v.formatted(v.latest(false)) },
		"latest_public_comment_formatted": func(v *view) any { return v.formatted(v.latest(true)) },
		"latest_comment_html":             func(v *view) any { return v.withFiles(v.latest(false)) },
		"latest_public_comment_html":      func(v *view) any { return v.withFiles(v.latest(true)) },
		"latest_comment_rich":             func(v *view) any { return v.rich(v.latest(false)) },
		"latest_public_comment_rich":      func(v *view) any { return v.rich(v.latest(true)) },
	}
}

// suppressible are the placeholders of a new ticket's text, which somebody may
// have written to send it to others in the account's name.
var suppressible = func() map[string]bool {
	out := map[string]bool{"description": true, "verbatim_description": true}
	for _, scope := range []string{"", "public_"} {
		out[scope+"comments"], out[scope+"comments_formatted"] = true, true
		for _, form := range []string{"", "_html", "_formatted", "_rich"} {
			out["latest_"+scope+"comment"+form] = true
		}
	}
	return out
}()

func (v *view) suppressed(name string) bool {
	return v.Suppress && v.trusted == 0 && suppressible[name]
}

// Suppressed reports whether a mail to an end user must not repeat what a new
// ticket says (contract rules.md §10): anybody may send tickets without
// registering, and nobody on the account's side wrote or made it. It is for mails
// of triggers alone. created: the update makes the ticket; throughTicketsAPI: by
// POST /api/v2/tickets; endUser: an end user wrote the comment.
func (c *Context) Suppressed(created, throughTicketsAPI, endUser bool) bool {
	s := c.Config.Settings.Tickets
	return created && !throughTicketsAPI && endUser && s.AnonymousRequests && !s.SignupRequired
}

// title is the subject, with the dynamic content that an agent named in it.
func (v *view) title() any {
	if s := v.Ticket.Subject; s != nil && !v.Ticket.SubjectLiteral {
		return optional(new(Title(*s, v.Config.Texts, v.locale())))
	}
	return optional(v.Ticket.Subject)
}

// label is a value that is one of few, in the reader's language.
func (v *view) label(kind, value string) any {
	text, ok := system(v.lang, kind+value)
	if !ok {
		text = value
	}
	english, _ := system("en", kind+value)
	return &liquid.Object{Text: func() any { return text }, Is: []string{value, english}}
}

func (v *view) optionalLabel(kind string, value *string) any {
	if value == nil || *value == "" {
		return nil
	}
	return v.label(kind, *value)
}

func (v *view) customStatus() any {
	st, ok := v.Config.Status(v.Ticket.CustomStatusID)
	if !ok {
		return nil
	}
	name := st.AgentLabel
	if v.Public && st.EndUserLabel != "" {
		name = st.EndUserLabel
	}
	name = Title(name, v.Config.Texts, v.locale())
	return &liquid.Object{Text: func() any { return name }, Member: func(member string) any {
		switch member {
		case "name":
			return name
		case "id":
			return st.ID
		case "category", "status_category":
			return v.label("status_", st.StatusCategory)
		}
		return nil
	}}
}

func (v *view) group() any {
	if v.Ticket.GroupID == nil {
		return nil
	}
	g, ok := v.Related.Groups[*v.Ticket.GroupID]
	if !ok {
		return nil
	}
	return named(g.ID, g.Name)
}

func (v *view) brandObject() any {
	b := v.brand()
	if b.ID == 0 {
		return nil
	}
	return named(b.ID, b.Name)
}

func (v *view) form() any {
	if v.Ticket.TicketFormID == nil {
		return nil
	}
	f, ok := v.Config.Form(*v.Ticket.TicketFormID)
	if !ok {
		return nil
	}
	name := f.Name
	if v.Public && f.DisplayName != "" {
		name = f.DisplayName
	}
	return named(f.ID, Title(name, v.Config.Texts, v.locale()))
}

// named is a record of which no more is shown than who or what it is.
func named(id int64, name string) *liquid.Object {
	return &liquid.Object{Text: func() any { return name }, Member: func(member string) any {
		switch member {
		case "id":
			return id
		case "name":
			return name
		}
		return nil
	}}
}

func (v *view) rating(member string) any {
	var stored struct {
		Score   string
		Comment *string
	}
	if len(v.Ticket.Satisfaction) == 0 || json.Unmarshal(v.Ticket.Satisfaction, &stored) != nil {
		return nil
	}
	if stored.Score != models.ScoreGood && stored.Score != models.ScoreBad {
		return nil
	}
	if member == "current_comment" {
		return optional(stored.Comment)
	}
	return v.label("score_", stored.Score)
}

// inBusinessHours is about the ticket's schedule. An account without one works
// at all times.
func (v *view) inBusinessHours() any {
	open := true
	for i, s := range v.Config.Schedules {
		if i == 0 || v.Ticket.ScheduleID != nil && s.ID == *v.Ticket.ScheduleID {
			open = s.Hours.Between(v.Now, v.Now.Add(time.Microsecond)) > 0
		}
	}
	return &liquid.Object{Text: func() any { return strconv.FormatBool(open) }, Is: []string{strconv.FormatBool(open)}, False: !open}
}

// followerMessage tells a follower what an answer to the mail becomes.
func (v *view) followerMessage() any {
	key := "follower_reply_public"
	if c := v.latest(false); c != nil && !c.Public {
		key = "follower_reply_internal"
	}
	text, _ := system(v.lang, key)
	return text
}
