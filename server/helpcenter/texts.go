package helpcenter

import (
	"errors"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/richtext"
)

// Text is what a caller asks a translation to be. What is nil is left alone.
type Text struct {
	Locale   string  // in any letter case
	Title    *string // the name of a section or category
	Body     *string // HTML; the description of a section or category
	Markdown *string // in place of Body
	Draft    *bool   // of an article
	Outdated *bool

	ready *string // what Body or Markdown becomes, where it is known already
}

// textColumns are those of a translation t that is read with what it is of.
const textColumns = "t.id, t.locale, t.title, t.html_body, t.draft, t.outdated"

func textInto(t *models.Translation) []any {
	return []any{&t.ID, &t.Locale, &t.Title, &t.HTMLBody, &t.Draft, &t.Outdated}
}

// clean is the body that a text asks for, as it is kept; nil if it asks for none.
// Of sections and categories only what has tags is HTML.
func (t Text) clean(source string) *string {
	switch {
	case t.ready != nil && (t.Markdown != nil || t.Body != nil):
		return t.ready
	case t.Markdown != nil && strings.TrimSpace(*t.Markdown) != "":
		html := richtext.ArticleOfMarkdown(*t.Markdown)
		return &html
	case t.Markdown != nil:
		return t.Markdown
	case t.Body == nil:
		return nil
	case source != models.SourceArticle && !strings.Contains(*t.Body, "<"):
		return t.Body
	}
	html := richtext.Article(*t.Body)
	return &html
}

// check refuses what is too long before it is read any further: cleaning takes
// time.
func (t Text) check() error {
	return fault.Join(checkBody("body", t.Body), checkBody("body_markdown", t.Markdown))
}

// apply changes tr to what t asks for. written tells whether the title or the
// body changed, changed whether anything did.
func (t Text) apply(tr *models.Translation) (written, changed bool, err error) {
	if err := t.check(); err != nil {
		return false, false, err
	}
	before := *tr
	if t.Title != nil {
		tr.Title = strings.TrimSpace(*t.Title)
	}
	if body := t.clean(tr.SourceType); body != nil {
		if t.Markdown != nil || !same(tr.HTMLBody, body) {
			tr.Markdown = t.Markdown
		}
		tr.HTMLBody = body
	}
	if tr.SourceType == models.SourceArticle {
		set(&tr.Draft, t.Draft)
	}
	set(&tr.Outdated, t.Outdated)
	written = tr.Title != before.Title || !same(tr.HTMLBody, before.HTMLBody)
	changed = written || !same(tr.Markdown, before.Markdown) || tr.Draft != before.Draft || tr.Outdated != before.Outdated
	return written, changed, fault.Join(checkTitle("title", tr.Title), checkBody("body", tr.HTMLBody))
}

// fresh are the translations of a new record of a type, whose id they lack: the
// one text and the list that a caller sent, of which one is enough. asked is the
// language of the path. The first is in the source language.
func (l Locales) fresh(by auth.Actor, at time.Time, source, asked string, one Text, list []Text) ([]models.Translation, error) {
	if one.Locale == "" {
		one.Locale = asked
	}
	title := "title"
	if source != models.SourceArticle {
		title = "name"
	}
	if one.Title != nil || len(list) == 0 {
		list = append([]Text{one}, slices.DeleteFunc(slices.Clone(list), func(t Text) bool { return strings.EqualFold(t.Locale, one.Locale) })...)
	} else if i := slices.IndexFunc(list, func(t Text) bool { return strings.EqualFold(t.Locale, one.Locale) }); i > 0 {
		list = append([]Text{list[i]}, slices.Delete(slices.Clone(list), i, i+1)...)
	}
	var errs []error
	out := make([]models.Translation, 0, len(list))
	for _, t := range list {
		tr := models.Translation{SourceType: source, CreatedByID: by.ID(), UpdatedByID: by.ID(), Stamps: stamps(at)}
		locale, err := l.writing(t.Locale)
		if err == nil && slices.ContainsFunc(out, func(o models.Translation) bool { return o.Locale == locale }) {
			err = fault.Duplicate("locale", "%s is there twice", locale)
		}
		if tr.Locale = locale; t.Title == nil {
			t.Title = new(string)
		}
		if source != models.SourceArticle && t.Body == nil && t.Markdown == nil {
			t.Body = new(string)
		}
		_, _, wrong := t.apply(&tr)
		errs = append(errs, err, renamed(wrong, "title", title))
		out = append(out, tr)
	}
	return out, fault.Join(errs...)
}

// renamed is err with what it says of one field said of another.
func renamed(err error, from, to string) error {
	e := fault.Of(err)
	if e == nil || from == to || e.Details[from] == nil {
		return err
	}
	out := *e
	out.Details = map[string][]fault.Detail{}
	for field, details := range e.Details {
		if field == from {
			field = to
			details = slices.Clone(details)
			for i := range details {
				details[i].Description = fault.Title(to) + strings.TrimPrefix(details[i].Description, fault.Title(from))
			}
		}
		out.Details[field] = details
	}
	return &out
}

// keepTx writes translations of the record with an id, and their first revisions.
func keepTx(tx *gorm.DB, list []models.Translation, id int64) error {
	for i := range list {
		list[i].SourceID = id
	}
	if err := tx.Create(&list).Error; err != nil {
		if errors.Is(err, gorm.ErrDuplicatedKey) {
			return fault.Duplicate("locale", "has a translation already")
		}
		return err
	}
	return reviseTx(tx, list...)
}

// reviseTx notes what translations are from now on.
func reviseTx(tx *gorm.DB, list ...models.Translation) error {
	revisions := make([]models.TranslationRevision, len(list))
	for i, t := range list {
		revisions[i] = models.TranslationRevision{TranslationID: t.ID, Title: t.Title, HTMLBody: t.HTMLBody, AuthorID: t.UpdatedByID, CreatedAt: t.UpdatedAt}
	}
	return tx.Create(&revisions).Error
}

// dropTextsTx removes all translations of records of a type.
func dropTextsTx(tx *gorm.DB, account int64, source string, ids []int64) error {
	return tx.Exec(`WITH gone AS (DELETE FROM translations WHERE account_id = ? AND source_type = ? AND source_id = ANY(?::bigint[]) RETURNING id)
		DELETE FROM translation_revisions WHERE account_id = ? AND translation_id IN (SELECT id FROM gone)`,
		account, source, models.IDs(ids), account).Error
}
