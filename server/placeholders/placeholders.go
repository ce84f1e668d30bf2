// Package placeholders renders the texts of rules: notifications, bodies of
// webhooks, comments of macros, replies of triggers. In them stand placeholders,
// {{ticket.title}}, and tags and filters of Liquid (package liquid), with which
// accounts write what each ticket fills in (contract rules.md §10).
//
// # Who reads it
//
// A text for somebody who may be an end user (Context.Public) has nothing that
// only agents may read: ticket.comments and ticket.latest_comment, and all that is
// made of them, are then those of the public comments, the same as
// ticket.public_comments and ticket.latest_public_comment; ticket.description is
// the first public comment, and agents go by their aliases. So it is with a
// reply that becomes a public comment.
//
// # How values read
//
// What a ticket does not have is empty. Names are case-sensitive. Status,
// priority, type and dates read as in the reader's language, and status and the
// like also equal their names in English and their values in the API, so that
// {% if ticket.status == 'open' %} holds in every language. In HTML values are
// escaped; those whose names end in _html, _rich or _formatted are HTML, which in
// plain text and in JSON read as plain text. In JSON values are written as the
// insides of strings.
package placeholders

import (
	"cmp"
	"fmt"
	"sync"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/liquid"
	"github.com/helpd/helpd/server/locales"
	"github.com/helpd/helpd/server/timezone"
)

// MaxComments is how many of a ticket's comments texts can go through: the
// newest.
const MaxComments = 100

// Context is what a text is rendered with: a ticket, as it is or as it becomes by
// a change that is being saved, and who reads it. Texts of several readers can be
// rendered with copies of one.
type Context struct {
	Config *fields.Config
	Ticket models.Ticket
	Now    time.Time
	// Base is the address of the account, https://acme.example.com, for links.
	Base string
	// ActorID is current_user: who changes the ticket, or asks for the text.
	ActorID int64
	// Created: the ticket is not stored yet, nor any comment of it.
	Created bool
	// Comment is the comment that the change adds and that is not stored yet, with
	// its files; nil: none.
	Comment *models.Comment
	Files   []models.Attachment
	// SurveyURL is the address of the requester's survey. Whoever has it votes in
	// the requester's name: it is empty for other readers.
	SurveyURL string
	// Articles may answer the requester's ticket, the best first. Their links, too,
	// speak in his name.
	Articles []Article

	Locale   string // of the reader: en-US; empty: the account's
	Public   bool   // the reader may be an end user
	Suppress bool   // see Suppressed

	Related Related
}

// Render renders a text. Whatever it is, there is an answer: what cannot be read
// of it is left out, and what runs away is cut (liquid.ErrTooLong, ErrTooMuch).
// What the text names of the database must have been loaded (Context.Load).
func Render(text string, format liquid.Format, c Context) string {
	out, _ := TryRender(text, format, c)
	return out
}

// TryRender is Render that also tells, in words that follow what the text is
// called, what could not be read of it, or that it was cut.
func TryRender(text string, format liquid.Format, c Context) (string, error) {
	t, wrong := parse(text)
	if format != liquid.HTML && t.Plain() {
		return text, wrong
	}
	v := newView(&c, format)
	out, err := t.Render(v.scope)
	return out, cmp.Or(wrong, err)
}

// Check tells why a text cannot be part of a rule: it is no Liquid, or it loops
// too often or gets too long even with a small ticket. The errors are for people
// to read and do not name the text.
func Check(text string) error {
	t, err := parse(text)
	if err != nil {
		return err
	}
	if t.Plain() {
		return nil
	}
	c := sample()
	if _, err := t.Render(newView(&c, liquid.HTML).scope); err != nil {
		return fmt.Errorf("the text %w", err)
	}
	return nil
}

// sample is a small ticket with a large number.
func sample() Context {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c := Context{Config: &fields.Config{}, Now: now, Base: "https://example.com", ActorID: 1, Related: Related{
		Users: map[int64]models.User{1: {Tenant: models.Tenant{ID: 1}, Name: "Somebody Else", Role: models.RoleAgent}},
	}}
	c.Ticket = models.Ticket{ID: 1_000_000_000, Subject: new("A subject"), Status: models.StatusOpen, RequesterID: 1, SubmitterID: 1,
		AssigneeID: new(int64(1)), Tags: models.Strings{"one", "two"}, Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	for i := range 5 {
		c.Articles = append(c.Articles, Article{ID: int64(i + 1), Locale: "en-us", Title: "A title", Excerpt: "A few words of it.", HTMLBody: "<p>A body.</p>",
			Path: "/hc/en-us/articles/1-A-title", Answer: "/answers/1.a-token"})
	}
	for i := range 20 {
		c.Related.Comments = append(c.Related.Comments, models.Comment{
			ID: int64(i + 1), AuthorID: 1, Public: true, PlainBody: "A short comment.", HTMLBody: "<p>A short comment.</p>", CreatedAt: now})
	}
	return c
}

// cache has the templates of texts, which are the same for whoever wrote them.
var cache struct {
	sync.Mutex
	templates map[string]parsed
	bytes     int
}

type parsed struct {
	template *liquid.Template
	err      error
}

// maxCached is how many bytes of texts have their templates remembered.
const maxCached = 16 << 20

// parse is the template of a text, as it was made when the text first came.
func parse(text string) (*liquid.Template, error) {
	cache.Lock()
	p, ok := cache.templates[text]
	cache.Unlock()
	if ok {
		return p.template, p.err
	}
	p.template, p.err = liquid.Parse(text)
	cache.Lock()
	defer cache.Unlock()
	const overhead = 1 << 10
	if cache.bytes += len(text) + overhead; cache.templates == nil || cache.bytes > maxCached {
		cache.templates, cache.bytes = map[string]parsed{}, len(text)+overhead
	}
	cache.templates[text] = p
	return p.template, p.err
}

// locale is the reader's language.
func (c *Context) locale() string {
	if c.Locale != "" {
		return c.Locale
	}
	if ids := c.Config.Settings.Localization.LocaleIDs; len(ids) > 0 {
		if code, ok := locales.Code(ids[0]); ok {
			return code
		}
	}
	return locales.Default
}

func (c *Context) zone() *time.Location { return timezone.Load(c.Config.Account.TimeZone) }
