package tickets

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/liquid"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/richtext"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/rules"
)

// Applied is a ticket as a macro leaves it. Nothing of it is stored. Of no ticket
// in particular only what the macro sets is there, and the rest is zero.
type Applied struct {
	Ticket  models.Ticket
	Config  *fields.Config
	Comment *DraftComment // nil: the macro writes none
	// What the macro does to whatever ticket it is applied to. Of tags nil is
	// nothing.
	Tags, AddTags, RemoveTags []string
	Fields                    []FieldValue // those of custom fields that it sets
	SetGroup, SetAssignee     bool         // it does, be it to nobody
}

// DraftComment is a comment for an agent to add.
type DraftComment struct {
	Body, HTML string
	Public     bool
	Texts      []ChannelText // those of single channels behind that of all
}

// ChannelText is what a comment says on a channel, "channel:all" for every one.
type ChannelText struct{ Channel, Text string }

const allChannels = "channel:all"

// ApplyMacro is what a macro makes of a ticket, or with ticket 0 of any. base is
// the address that the request came to, for links. Texts have their placeholders
// filled in for the ticket; where there is none they are as they were written. It
// fails with fault.NotFound for a macro that is not active or that by may not see,
// and for a ticket that by may not see.
func (s *Service) ApplyMacro(ctx context.Context, by auth.Actor, macro, ticket int64, base string) (Applied, error) {
	m, err := s.rulebook.Get(ctx, by, models.RuleMacro, macro)
	if err == nil && !m.Active {
		err = fault.Missing("macro", macro)
	}
	if err != nil {
		return Applied{}, err
	}
	db := s.db.WithContext(ctx)
	sv, err := s.trial(db, by, ticket)
	if err != nil {
		return Applied{}, err
	}
	sv.change.Base = base
	if err := sv.findPeople(); err != nil {
		return Applied{}, err
	}
	ready, err := rulebook.Compile(db, by.AccountID, sv.config, rules.Macros, []models.Rule{m})
	if err != nil {
		return Applied{}, err
	}
	return sv.tryMacro(ready[0])
}

// trial begins a save that is never written, of a ticket that by may see or, for
// 0, of one that has nothing yet.
func (s *Service) trial(db *gorm.DB, by auth.Actor, ticket int64) (*save, error) {
	if ticket != 0 {
		where, args := Visible(by)
		return s.readWhereTx(db, by, ticket, "0::bigint", where, args)
	}
	config, err := s.fields.Current(db, by.AccountID)
	if err != nil {
		return nil, err
	}
	sv := &save{service: s, tx: db, by: by, now: s.now(), created: true, config: config}
	sv.begin()
	return sv, nil
}

// tryMacro carries out a macro's actions on s.after, and drafts its comment when
// the rest is done: it tells of the ticket as it becomes.
func (s *save) tryMacro(m *rules.Rule) (Applied, error) {
	subject, err := s.subject(rules.Needs{})
	if err != nil {
		return Applied{}, err
	}
	var applied Applied
	var texts []rules.Effect
	s.rule = m
	err = m.Actions.For(subject, func(e rules.Effect) error {
		switch e.Field {
		case "subject", "comment_value", "comment_value_html", "comment_mode_is_public":
			texts = append(texts, e)
			return nil
		}
		err := s.carryOut(e)
		subject.After.Values = s.values
		if s.took(e) {
			applied.note(e)
		}
		return err
	})
	if err != nil {
		return Applied{}, err
	}
	s.settleStatus()
	if applied.Comment, err = s.draft(texts); err != nil {
		return Applied{}, err
	}
	s.after.CustomFields = models.ToJSON(s.values)
	applied.Ticket, applied.Config = s.after, s.config
	return applied, nil
}

// took reports whether the ticket is now as an effect wants it: what would be
// refused if somebody asked for it is left out (see attempt).
func (s *save) took(e rules.Effect) bool {
	is := func(id *int64) bool { return optionalID(id) == e.ID }
	switch e.Field {
	case "group_id":
		return is(s.after.GroupID)
	case "assignee_id":
		return is(s.after.AssigneeID)
	case "custom_fields":
		wanted := map[string]json.RawMessage{}
		if s.config.Set(wanted, e.ID, e.Value) != nil {
			return false
		}
		key := strconv.FormatInt(e.ID, 10)
		return bytes.Equal(s.values[key], wanted[key])
	}
	return true
}

// note notes what an effect does to any ticket, of what the ticket itself does not
// tell.
func (a *Applied) note(e rules.Effect) {
	without := func(list []string) []string {
		return slices.DeleteFunc(list, func(tag string) bool { return slices.Contains(e.Texts, tag) })
	}
	switch e.Field {
	case "group_id":
		a.SetGroup = true
	case "assignee_id":
		a.SetAssignee = true
	case "custom_fields":
		a.Fields = slices.DeleteFunc(a.Fields, func(v FieldValue) bool { return v.ID == e.ID })
		a.Fields = append(a.Fields, FieldValue{e.ID, e.Value})
	case "set_tags":
		a.Tags, a.AddTags, a.RemoveTags = append([]string{}, e.Texts...), nil, nil
	case "current_tags":
		a.RemoveTags = without(a.RemoveTags)
		if a.Tags != nil {
			a.Tags = append(a.Tags, e.Texts...)
		} else {
			a.AddTags = append(a.AddTags, e.Texts...)
		}
	case "remove_tags":
		a.Tags, a.AddTags = without(a.Tags), without(a.AddTags)
		if a.Tags == nil {
			a.RemoveTags = append(a.RemoveTags, e.Texts...)
		}
	}
}

// draft makes the comment of a macro, and sets the ticket's subject. Of several
// texts for one channel the last counts.
func (s *save) draft(texts []rules.Effect) (*DraftComment, error) {
	var asked NewComment
	var formatted string
	plain := map[string]string{}
	for _, e := range texts {
		if e.Field == "comment_mode_is_public" {
			asked.Public = new(e.Text == "true")
		}
	}
	d := &DraftComment{Public: s.commentIsPublic(&asked, s.by.ID())}
	fill, err := s.fillIn(texts)
	if err != nil {
		return nil, err
	}
	var channels []string
	for _, e := range texts {
		switch e.Field {
		case "subject":
			s.after.Subject = new(cutText(fill(e.Text, liquid.Text, true), MaxSubject))
		case "comment_value_html":
			formatted = fill(e.Text, liquid.HTML, d.Public)
		case "comment_value":
			if _, twice := plain[e.Channel]; !twice {
				channels = append(channels, e.Channel)
			}
			plain[e.Channel] = cutText(fill(e.Text, liquid.Text, d.Public), MaxComment)
		}
	}
	if asked.Public == nil && formatted == "" && len(channels) == 0 {
		return nil, nil
	}
	main, common := plain[allChannels]
	if !common && len(channels) > 0 {
		main = plain[channels[0]]
	}
	s.writeDraft(d, main, formatted)
	if formatted != "" || common {
		d.Texts = append(d.Texts, ChannelText{allChannels, d.Body})
	}
	for _, channel := range channels {
		if channel != allChannels {
			d.Texts = append(d.Texts, ChannelText{channel, plain[channel]})
		}
	}
	return d, nil
}

// writeDraft fills in the forms of a drafted comment.
func (s *save) writeDraft(d *DraftComment, text, formatted string) {
	if formatted != "" && s.created {
		d.HTML, d.Body = formatted, richtext.Text(wrapped(formatted)) // clean, it would have no placeholders in addresses
		return
	}
	if formatted == "" && text == "" {
		return
	}
	c := models.Comment{AuthorID: s.by.ID()}
	s.writeText(&c, &NewComment{Body: text, HTML: formatted})
	d.Body, d.HTML = c.Body, c.HTMLBody
}

// fillIn is filler of a macro's texts, which are as they were written where there
// is no ticket.
func (s *save) fillIn(texts []rules.Effect) (func(text string, format liquid.Format, public bool) string, error) {
	if s.created {
		return func(text string, _ liquid.Format, _ bool) string { return text }, nil
	}
	sources := make([]string, len(texts))
	for i, e := range texts {
		sources[i] = e.Text
	}
	return s.filler(sources...)
}

// filler fills in the placeholders of comments: in the requester's language in
// what he may read, else in the caller's. It is for the texts that it is given.
func (s *save) filler(texts ...string) (func(text string, format liquid.Format, public bool) string, error) {
	c := s.context()
	needs := c.Needs(texts...)
	needs.Users = len(texts) > 0
	if err := c.Load(s.tx, needs); err != nil {
		return nil, err
	}
	return func(text string, format liquid.Format, public bool) string {
		reader := *c
		reader.Public, reader.Locale = public, s.by.User.Locale
		if public {
			reader.Locale = c.Related.Users[s.after.RequesterID].Locale
			if s.requesterLocale != "" {
				reader.Locale = s.requesterLocale
			}
		}
		return placeholders.Render(text, format, reader)
	}, nil
}
