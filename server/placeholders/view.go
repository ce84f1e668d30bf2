package placeholders

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/brands"
	"github.com/helpd/helpd/server/liquid"
)

// view is one rendering's sight of a ticket. What it shows is made when it is
// asked for.
type view struct {
	*Context
	scope    *liquid.Scope
	lang     string // of the reader, "de"
	comments []*models.Comment
	read     bool // comments
	users    map[int64]*liquid.Object
	// trusted: within dynamic content, in which nothing is suppressed.
	trusted int
}

func newView(c *Context, format liquid.Format) *view {
	v := &view{Context: c, users: map[int64]*liquid.Object{}, lang: languageOf(c.locale())}
	v.scope = &liquid.Scope{Format: format, Root: v.root, Now: c.Now, Zone: c.zone()}
	return v
}

// root is the value of a name that stands alone.
func (v *view) root(name string) any {
	switch name {
	case "ticket":
		return &liquid.Object{Member: v.ticket}
	case "current_user":
		return v.user(v.ActorID)
	case "agent":
		return v.user(v.agent())
	case "satisfaction":
		return &liquid.Object{Member: v.satisfaction}
	case "answer_bot", "automatic_answers":
		return &liquid.Object{Member: v.answers}
	case "account":
		return &liquid.Object{Member: func(name string) any {
			if name == "name" {
				return v.Config.Account.Name
			}
			return nil // there are no phone numbers
		}, Text: func() any { return v.Config.Account.Name }}
	case "dc":
		return &liquid.Object{Member: v.dynamic}
	case "zd":
		return &liquid.Object{Member: func(name string) any {
			text, ok := system(v.lang, name)
			if !ok {
				return nil
			}
			return text
		}}
	}
	return nil
}

// agent is who writes as an agent: the author of the comment, or who makes the
// change; 0 if neither is one.
func (v *view) agent() int64 {
	if v.Comment != nil && v.Related.Users[v.Comment.AuthorID].Staff() {
		return v.Comment.AuthorID
	}
	if v.Related.Users[v.ActorID].Staff() {
		return v.ActorID
	}
	return 0
}

// dynamic is dynamic content in the reader's language. What it names itself is
// there too, and is never suppressed.
func (v *view) dynamic(key string) any {
	content, ok := v.Config.Texts.Content(key, v.locale())
	if !ok {
		return nil
	}
	t, _ := parse(content)
	v.trusted++
	defer func() { v.trusted-- }()
	return v.scope.Embed(t)
}

// brand is the ticket's brand; the zero value if it is gone.
func (v *view) brand() models.Brand {
	b, _ := v.Config.Brand(v.Ticket.BrandID)
	return b
}

// link is the address of the ticket: for end users at the host of the brand, if
// it has one.
func (v *view) link() string {
	base := v.Base
	if v.Public {
		base = v.readersBase()
	}
	if base == "" {
		return ""
	}
	if v.Public {
		return base + "/hc/requests/" + strconv.FormatInt(v.Ticket.ID, 10)
	}
	return base + "/agent/tickets/" + strconv.FormatInt(v.Ticket.ID, 10)
}

// readersBase is the address of the account for end users: where the brand is.
func (v *view) readersBase() string {
	return brands.ForReaders(v.Base, v.Config.Account, v.Config.Brands, v.brand())
}

func (v *view) organization(id *int64) any {
	if id == nil {
		return nil
	}
	o, ok := v.Related.Organizations[*id]
	if !ok {
		return nil
	}
	return &liquid.Object{Text: func() any { return o.Name }, Member: func(name string) any {
		switch name {
		case "id":
			return o.ID
		case "name":
			return o.Name
		case "is_shared":
			return o.SharedTickets
		case "is_shared_comments":
			return o.SharedComments
		case "details":
			return optional(o.Details)
		case "notes":
			return optional(o.Notes)
		case "tags":
			return strings.Join(o.Tags, " ")
		case "external_id":
			return optional(o.ExternalID)
		case "custom_fields":
			return v.customFields(models.FieldsOfOrganizations, o.OrganizationFields)
		}
		return nil
	}}
}

// satisfaction is what the requester says of the ticket, and how to say it.
func (v *view) satisfaction(name string) any {
	address := v.SurveyURL
	switch name {
	case "current_rating", "current_comment":
		return v.rating(name)
	case "rating_url":
		return address
	case "positive_rating_url", "negative_rating_url":
		if address == "" {
			return nil
		}
		u, err := url.Parse(address)
		if err != nil {
			return nil
		}
		q := u.Query()
		q.Set("score", map[bool]string{true: models.ScoreGood, false: models.ScoreBad}[name[0] == 'p'])
		u.RawQuery = q.Encode()
		return u.String()
	case "rating_section":
		if address == "" {
			return nil
		}
		t, _ := parse(ratingSection[v.scope.Format == liquid.HTML])
		return v.scope.Embed(t)
	}
	return nil
}

// ratingSection is what {{satisfaction.rating_section}} writes, in HTML and not.
var ratingSection = map[bool]string{
	true: `<p>{{zd.satisfaction_question}}</p><p><a href="{{satisfaction.positive_rating_url}}">{{zd.satisfaction_good}}</a></p>` +
		`<p><a href="{{satisfaction.negative_rating_url}}">{{zd.satisfaction_bad}}</a></p>`,
	false: "{{zd.satisfaction_question}}\n\n{{zd.satisfaction_good}}:\n{{satisfaction.positive_rating_url}}\n\n" +
		"{{zd.satisfaction_bad}}:\n{{satisfaction.negative_rating_url}}\n",
}

func optional(s *string) any {
	if s == nil || *s == "" {
		return nil
	}
	return *s
}
