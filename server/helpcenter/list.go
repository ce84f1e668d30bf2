package helpcenter

import (
	"context"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

const articleFrom = "articles AS a JOIN translations AS t ON t.account_id = a.account_id AND t.source_type = 'Article' AND t.source_id = a.id"

// shownColumns are those that scanArticle scans, as by may see them: that there is a
// draft is the staff's to know.
func shownColumns(by auth.Actor) string {
	drafts := ""
	if !by.Staff() {
		drafts = " AND NOT o.draft"
	}
	return `a.account_id, a.id, a.brand_id, a.category_id, a.section_id, a.author_id, a.permission_group_id, a.user_segment_ids, a.source_locale,
		a.position, a.promoted, a.comments_disabled, a.label_names, a.content_tag_ids, a.vote_sum, a.vote_count, a.version,
		a.created_at, a.updated_at, a.edited_at, ` + textColumns + `,
		(SELECT coalesce(array_agg(o.locale ORDER BY o.locale), '{}') FROM translations AS o
			WHERE o.account_id = a.account_id AND o.source_type = 'Article' AND o.source_id = a.id AND o.outdated` + drafts + ")"
}

func scanArticle(row postgres.Scanned, order ...any) (a Article, err error) {
	dest := []any{&a.AccountID, &a.ID, &a.BrandID, &a.CategoryID, &a.SectionID, &a.AuthorID, &a.PermissionGroupID, &a.UserSegmentIDs, &a.SourceLocale,
		&a.Position, &a.Promoted, &a.CommentsDisabled, &a.LabelNames, &a.ContentTagIDs, &a.VoteSum, &a.VoteCount, &a.Version,
		&a.CreatedAt, &a.UpdatedAt, &a.EditedAt}
	err = row.Scan(append(append(append(dest, textInto(&a.Text)...), &a.OutdatedLocales), order...)...)
	a.Text.SourceType, a.Text.SourceID = models.SourceArticle, a.ID
	return a, err
}

// Within is what articles a listing is about. Zero values are all of them.
type Within struct {
	CategoryID, SectionID, AuthorID int64
	Since                           time.Time      // changed then or later
	Labels                          models.Strings // all of which they have, in any letter case
}

// ListArticles is a page of the articles that by may see in a language; empty is
// the default one, for staff. A section's are in the order that it says, others
// by position, unless the page says otherwise: by title, created_at, updated_at
// or edited_at. It fails with fault.NotFound for a language that is not enabled,
// and for the category, section or author.
func (s *Service) ListArticles(ctx context.Context, by auth.Actor, locale string, in Within, r page.Request) (page.Result[Article], error) {
	locale, err := s.reading(ctx, by, locale)
	if err != nil {
		return page.Result[Article]{}, err
	}
	tx := s.db.WithContext(ctx)
	seen, args := SeenArticle(by)
	q := page.Query{Select: shownColumns(by), From: articleFrom, Where: "a.account_id = ? AND t.locale = ? AND " + seen, Args: append([]any{by.AccountID, locale}, args...)}
	narrow := func(cond string, args ...any) { q.Where, q.Args = q.Where+" AND "+cond, append(q.Args, args...) }
	if in.CategoryID != 0 {
		if _, err := s.categoryTx(tx, by, locale, in.CategoryID); err != nil {
			return page.Result[Article]{}, err
		}
		narrow("a.category_id = ?", in.CategoryID)
	}
	if in.SectionID != 0 {
		section, err := s.sectionTx(tx, by, locale, in.SectionID)
		if err != nil {
			return page.Result[Article]{}, err
		}
		if r.Sort == "" {
			r.Sort, r.Desc = sorted(section.Sorting)
		}
		narrow("a.section_id = ?", in.SectionID)
	}
	if in.AuthorID != 0 {
		if err := knownTx(tx, by, in.AuthorID); err != nil {
			return page.Result[Article]{}, err
		}
		narrow("a.author_id = ?", in.AuthorID)
	}
	if !in.Since.IsZero() {
		narrow("a.updated_at >= ?", in.Since)
	}
	if len(in.Labels) > 0 {
		names, err := spelledTx(tx, by.AccountID, in.Labels)
		if err != nil {
			return page.Result[Article]{}, err
		}
		narrow("a.label_names @> ?::text[]", names)
	}
	if q.Order, err = articleOrder(r.Sort, r.Desc); err != nil {
		return page.Result[Article]{}, err
	}
	q.KeysFirst = true
	q.Rejoin, q.RejoinArgs = `JOIN articles AS a ON a.account_id = ? AND a.id = k.id
		JOIN translations AS t ON t.account_id = a.account_id AND t.source_type = 'Article' AND t.source_id = a.id AND t.locale = ?`, []any{by.AccountID, locale}
	// How many rows a condition leaves depends on its values: of a section with
	// ten articles, or of a category with ten thousand.
	return page.ListRows(postgres.Planned(ctx), s.db, q, r, scanArticle)
}

// knownTx fails with fault.NotFound for a user who is none, or of whom by, an end
// user, may not know.
func knownTx(tx *gorm.DB, by auth.Actor, id int64) error {
	u, err := postgres.One[models.User](tx.Select("account_id", "id", "role"), "user", id)
	if err == nil && !u.Staff() && !by.Staff() && id != by.ID() {
		return fault.Missing("user", id)
	}
	return err
}

// sorted is the order of a page that a section's articles have by themselves.
func sorted(sorting string) (sort string, desc bool) {
	switch sorting {
	case models.SortingTitle:
		return "title", false
	case models.SortingCreationAsc:
		return "created_at", false
	case models.SortingCreationDesc:
		return "created_at", true
	}
	return "position", false
}

func articleOrder(name string, desc bool) (page.Order, error) {
	if name == "title" {
		// By id of the translation's source, as its index has it.
		return page.By("title,id", page.Column{Expr: "lower(t.title)", Kind: page.Text}, page.Column{Expr: "t.source_id", Kind: page.Int}).Directed(desc), nil
	}
	if name == "edited_at" {
		return page.By("edited_at,id", page.Column{Expr: "a.edited_at", Kind: page.Time}, page.Column{Expr: "a.id", Kind: page.Int}).Directed(desc), nil
	}
	o, err := orders("a", name, desc)
	if err != nil {
		return o, fault.InvalidField("sort_by", "%.50s is none of position, title, created_at, updated_at and edited_at", name)
	}
	return o, nil
}

// Article is an article as it reads in a language. It fails with fault.NotFound
// also when it has no translation, or by may not see it.
func (s *Service) Article(ctx context.Context, by auth.Actor, locale string, id int64) (Article, State, error) {
	l, err := s.Locales(ctx, by)
	if err != nil {
		return Article{}, State{}, err
	}
	if locale, err = l.reading(by, locale); err != nil {
		return Article{}, State{}, err
	}
	a, err := s.articleTx(s.db.WithContext(ctx), by, locale, id)
	return a, State{Locale: locale, Version: a.Version, SetUp: l.version}, err
}

func (s *Service) articleTx(tx *gorm.DB, by auth.Actor, locale string, id int64) (a Article, err error) {
	seen, args := SeenArticle(by)
	var found bool
	err = postgres.Rows(tx, "SELECT "+shownColumns(by)+" FROM "+articleFrom+" WHERE a.account_id = ? AND a.id = ? AND t.locale = ? AND "+seen,
		append([]any{by.AccountID, id, locale}, args...), func(row postgres.Scanned) (err error) {
			found = true
			a, err = scanArticle(row)
			return err
		})
	if err == nil && !found {
		err = fault.Missing("article", id)
	}
	return a, err
}
