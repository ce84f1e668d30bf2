package helpcenter

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/richtext"
	"github.com/helpd/helpd/server/segments"
)

// maxComment is the length of the longest comment, in bytes.
const maxComment = 64 << 10

// CommentChange is what a caller asks of a comment. What is nil is left alone.
type CommentChange struct {
	Body      *string // HTML
	Locale    string  // of a new one; empty: that of the path, or else the article's own
	AuthorID  *int64  // of a new one, by a moderator
	CreatedAt *time.Time
	Quiet     bool // nobody is told by mail
}

const commentColumns = `c.account_id, c.id, c.article_id, c.author_id, c.locale, c.html_body, c.vote_sum, c.vote_count,
	c.non_author_editor_id, c.non_author_updated_at, c.created_at, c.updated_at`

// commentFrom are comments c with their articles, each in the language of the
// comment.
const commentFrom = "article_comments AS c JOIN articles AS a ON a.account_id = c.account_id AND a.id = c.article_id " +
	"JOIN translations AS t ON t.account_id = a.account_id AND t.source_type = 'Article' AND t.source_id = a.id AND t.locale = c.locale"

func scanComment(row postgres.Scanned, order ...any) (c models.ArticleComment, err error) {
	return c, row.Scan(append([]any{&c.AccountID, &c.ID, &c.ArticleID, &c.AuthorID, &c.Locale, &c.HTMLBody, &c.VoteSum, &c.VoteCount,
		&c.NonAuthorEditorID, &c.NonAuthorUpdatedAt, &c.CreatedAt, &c.UpdatedAt}, order...)...)
}

var (
	ofComment      = page.Column{Expr: "c.id", Kind: page.Int}
	commentCreated = page.By("created_at,id", page.Column{Expr: "c.created_at", Kind: page.Time}, ofComment)
	commentUpdated = page.By("updated_at,id", page.Column{Expr: "c.updated_at", Kind: page.Time}, ofComment)
)

// commentOrder is created_at, oldest first, unless the page says otherwise.
func commentOrder(r page.Request) (page.Order, error) {
	var o page.Order
	switch r.Sort {
	case "", "created_at":
		o = commentCreated
	case "updated_at":
		o = commentUpdated
	default:
		return o, fault.InvalidField("sort_by", "%.50s is neither created_at nor updated_at", r.Sort)
	}
	return o.Directed(r.Desc), nil
}

// Comments is a page of an article's comments, in one language if it is asked
// for. It fails with fault.NotFound for an article that by may not see.
func (s *Service) Comments(ctx context.Context, by auth.Actor, asked string, article int64, r page.Request) (page.Result[models.ArticleComment], error) {
	none := page.Result[models.ArticleComment]{}
	o, err := commentOrder(r)
	if err != nil {
		return none, err
	}
	a, err := s.readableTx(s.db.WithContext(ctx), by, asked, article)
	if err != nil {
		return none, err
	}
	q := page.Query{Select: commentColumns, From: "article_comments AS c", Order: o, Where: "c.account_id = ? AND c.article_id = ?", Args: []any{by.AccountID, article}}
	if asked != "" {
		q.Where, q.Args = q.Where+" AND c.locale = ?", append(q.Args, a.Text.Locale)
	} else {
		// In a language of which by may see the article alone.
		seen, args, err := s.seenTx(s.db.WithContext(ctx), by)
		if err != nil {
			return none, err
		}
		q.From, q.Where, q.Args = commentFrom, q.Where+" AND "+seen, append(q.Args, args...)
	}
	return page.ListRows(ctx, s.db, q, r, scanComment)
}

// CommentsBy is a page of a user's comments on articles that by may see. End users
// may ask for their own. It fails with fault.NotFound for the user.
func (s *Service) CommentsBy(ctx context.Context, by auth.Actor, user int64, r page.Request) (page.Result[models.ArticleComment], error) {
	none := page.Result[models.ArticleComment]{}
	o, err := commentOrder(r)
	if err != nil {
		return none, err
	}
	if err := s.mayAskOf(ctx, by, user); err != nil {
		return none, err
	}
	seen, args, err := s.seenTx(s.db.WithContext(ctx), by)
	if err != nil {
		return none, err
	}
	return page.ListRows(ctx, s.db, page.Query{
		Select: commentColumns, Order: o,
		From:  commentFrom,
		Where: "c.account_id = ? AND c.author_id = ? AND " + seen, Args: append([]any{by.AccountID, user}, args...),
	}, r, scanComment)
}

// mayAskOf lets end users ask of nobody but themselves.
func (s *Service) mayAskOf(ctx context.Context, by auth.Actor, user int64) error {
	if user == by.ID() {
		return nil
	}
	if !by.Staff() {
		return fault.Denied()
	}
	_, err := postgres.One[models.User](s.db.WithContext(ctx), "user", user)
	return err
}

// Comment is a comment on an article. It fails with fault.NotFound, also for what
// by may not see.
func (s *Service) Comment(ctx context.Context, by auth.Actor, asked string, article, id int64) (models.ArticleComment, error) {
	c, _, err := s.commentTx(s.db.WithContext(ctx), by, asked, article, id)
	return c, err
}

// commentTx is a comment, and its article in the language of the comment.
func (s *Service) commentTx(tx *gorm.DB, by auth.Actor, asked string, article, id int64) (c models.ArticleComment, a Article, err error) {
	if a, err = s.readableTx(tx, by, asked, article); err != nil {
		return c, a, err
	}
	err = tx.Take(&c, "article_id = ? AND id = ?", article, id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.Missing("comment", id)
	}
	if err == nil && c.Locale != a.Text.Locale {
		if a, err = s.articleTx(tx, by, c.Locale, article); fault.Is(err, fault.NotFound) {
			err = fault.Missing("comment", id)
		}
	}
	return c, a, err
}

// CreateComment writes a comment on an article that by may see. It fails with
// fault.NotFound, with fault.Forbidden where comments are disabled and for the
// name of another, and with fault.Invalid naming the field.
func (s *Service) CreateComment(ctx context.Context, by auth.Actor, asked string, article int64, c CommentChange) (models.ArticleComment, error) {
	var made models.ArticleComment
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		a, err := s.readableTx(tx, by, asked, article)
		if err != nil {
			return err
		}
		if locale := strings.ToLower(strings.TrimSpace(c.Locale)); locale != "" && locale != a.Text.Locale {
			if a, err = s.articleTx(tx, by, locale, article); fault.Is(err, fault.NotFound) {
				return fault.InvalidField("locale", "the article has no translation for %.50s", locale)
			}
		}
		if err != nil {
			return err
		}
		if a.CommentsDisabled {
			return fault.Denied()
		}
		now := s.now()
		made = models.ArticleComment{ArticleID: article, AuthorID: by.ID(), Locale: a.Text.Locale, Stamps: stamps(now)}
		if made.HTMLBody, err = commentBody(c.Body); err != nil {
			return err
		}
		if err := s.backdateTx(tx, by, a, c, &made); err != nil {
			return err
		}
		if err := tx.Create(&made).Error; err != nil {
			return err
		}
		if err := s.commentedTx(tx, by, a, made); err != nil || c.Quiet {
			return err
		}
		return s.tellOfCommentTx(tx, a, made)
	})
	return made, err
}

// backdateTx gives a new comment the author and time that a moderator says.
func (s *Service) backdateTx(tx *gorm.DB, by auth.Actor, a Article, c CommentChange, made *models.ArticleComment) error {
	asOther := c.AuthorID != nil && *c.AuthorID != by.ID()
	if !asOther && c.CreatedAt == nil {
		return nil
	}
	if may, err := moderates(tx, by, a); err != nil || !may {
		return cmp.Or(err, denied(may))
	}
	if asOther {
		if err := userTx(tx, "author_id", *c.AuthorID); err != nil {
			return err
		}
		made.AuthorID = *c.AuthorID
	}
	if c.CreatedAt != nil {
		if c.CreatedAt.After(s.now()) {
			return fault.InvalidField("created_at", "is in the future")
		}
		made.CreatedAt = *c.CreatedAt
	}
	return nil
}

func denied(may bool) error {
	if may {
		return nil
	}
	return fault.Denied()
}

// userTx fails with fault.Invalid, which names the field, unless there is such a
// user, who is active.
func userTx(tx *gorm.DB, field string, id int64) error {
	var n int64
	err := tx.Model(&models.User{}).Where("id = ? AND active", id).Count(&n).Error
	if err == nil && n == 0 {
		err = fault.InvalidField(field, "%d is not a user", id)
	}
	return err
}

// moderates reports whether by may change what others say about an article:
// admins, moderators, and agents who may edit it.
func moderates(tx *gorm.DB, by auth.Actor, a Article) (bool, error) {
	if by.Admin() || !by.Anonymous() && by.User.Moderator {
		return true, nil
	}
	err := mayChangeTx(tx, by, a.PermissionGroupID, a.SectionID, segments.MayEdit)
	if fault.Is(err, fault.Forbidden) {
		return false, nil
	}
	return err == nil, err
}

func commentBody(body *string) (string, error) {
	if body == nil || strings.TrimSpace(*body) == "" {
		return "", fault.Blank("body")
	}
	if len(*body) > maxComment {
		return "", fault.InvalidField("body", "is too long (maximum is %d bytes)", maxComment)
	}
	clean := richtext.Comment(*body)
	if clean == "" { // it was nothing but scripts
		return "", fault.Blank("body")
	}
	return clean, nil
}

// changeComment runs f on a comment that is locked, and that by wrote or
// moderates.
func (s *Service) changeComment(ctx context.Context, by auth.Actor, asked string, article, id int64, f func(tx *gorm.DB, a Article, c *models.ArticleComment) error) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		_, a, err := s.commentTx(tx, by, asked, article, id)
		if err != nil {
			return err
		}
		var c models.ArticleComment
		if err := lockTx(tx, "comment", id, &c); err != nil { // it may have changed since
			return err
		}
		if c.AuthorID != by.ID() {
			if may, err := moderates(tx, by, a); err != nil || !may {
				return cmp.Or(err, denied(may))
			}
		}
		return f(tx, a, &c)
	})
}

// UpdateComment changes the text of a comment. Its author may, and moderators.
// It fails as CreateComment does.
func (s *Service) UpdateComment(ctx context.Context, by auth.Actor, asked string, article, id int64, body *string) (models.ArticleComment, error) {
	var out models.ArticleComment
	err := s.changeComment(ctx, by, asked, article, id, func(tx *gorm.DB, a Article, c *models.ArticleComment) error {
		out = *c
		if body == nil {
			return nil
		}
		clean, err := commentBody(body)
		if err != nil || clean == c.HTMLBody {
			return err
		}
		before, now := *c, s.now()
		c.HTMLBody, c.UpdatedAt = clean, now
		if by.ID() != c.AuthorID {
			c.NonAuthorEditorID, c.NonAuthorUpdatedAt = new(by.ID()), &now
		}
		out = *c
		err = tx.Select("html_body", "updated_at", "non_author_editor_id", "non_author_updated_at").Updates(c).Error
		if err != nil {
			return err
		}
		return s.commentChangedTx(tx, by, a, before, *c)
	})
	return out, err
}

// DeleteComment removes a comment with the votes on it. Its author may, and
// moderators.
func (s *Service) DeleteComment(ctx context.Context, by auth.Actor, asked string, article, id int64) error {
	return s.changeComment(ctx, by, asked, article, id, func(tx *gorm.DB, a Article, c *models.ArticleComment) error {
		if err := tx.Delete(&models.Vote{}, "item_type = ? AND item_id = ?", models.VotedComment, id).Error; err != nil {
			return err
		}
		if err := tx.Delete(c).Error; err != nil {
			return err
		}
		return s.commentGoneTx(tx, by, a, *c)
	})
}

// readableTx is an article that by may see: in the language that is asked for, or
// else in any, if there is one its own.
func (s *Service) readableTx(tx *gorm.DB, by auth.Actor, asked string, id int64) (a Article, err error) {
	if asked != "" {
		l, err := s.localesTx(tx, by)
		if err == nil {
			asked, err = l.reading(by, asked)
		}
		if err != nil {
			return a, err
		}
		return s.articleTx(tx, by, asked, id)
	}
	seen, args, err := s.seenTx(tx, by)
	if err != nil {
		return a, err
	}
	found := false
	err = postgres.Rows(tx, "SELECT "+shownColumns(by)+" FROM "+articleFrom+" WHERE a.account_id = ? AND a.id = ? AND "+seen+
		" ORDER BY t.locale = a.source_locale DESC, t.id LIMIT 1", append([]any{by.AccountID, id}, args...), func(row postgres.Scanned) (err error) {
		found = true
		a, err = scanArticle(row)
		return err
	})
	if err == nil && !found {
		err = fault.Missing("article", id)
	}
	return a, err
}

// ArticlesByID are those of the articles that by may see, each in the language
// that is asked for, or else in any as readableTx has it.
func (s *Service) ArticlesByID(ctx context.Context, by auth.Actor, asked string, ids []int64) (list []Article, err error) {
	seen, args, err := s.seenTx(s.db.WithContext(ctx), by)
	if err != nil {
		return nil, err
	}
	all := append([]any{by.AccountID, models.IDs(ids)}, args...)
	err = postgres.Rows(s.db.WithContext(ctx), "SELECT DISTINCT ON (a.id) "+shownColumns(by)+" FROM "+articleFrom+
		" WHERE a.account_id = ? AND a.id = ANY(?::bigint[]) AND "+seen+" ORDER BY a.id, t.locale = ? DESC, t.locale = a.source_locale DESC, t.id",
		append(all, strings.ToLower(asked)), func(row postgres.Scanned) error {
			a, err := scanArticle(row)
			list = append(list, a)
			return err
		})
	return list, err
}

// CommentsByID are those of the comments that stand under articles that by may
// see.
func (s *Service) CommentsByID(ctx context.Context, by auth.Actor, ids []int64) (list []models.ArticleComment, err error) {
	seen, args, err := s.seenTx(s.db.WithContext(ctx), by)
	if err != nil {
		return nil, err
	}
	err = postgres.Rows(s.db.WithContext(ctx), "SELECT "+commentColumns+" FROM article_comments AS c WHERE c.account_id = ? AND c.id = ANY(?::bigint[]) AND EXISTS (SELECT FROM "+
		articleFrom+" WHERE a.account_id = c.account_id AND a.id = c.article_id AND t.locale = c.locale AND "+seen+") ORDER BY c.id",
		append([]any{by.AccountID, models.IDs(ids)}, args...), func(row postgres.Scanned) error {
			c, err := scanComment(row)
			list = append(list, c)
			return err
		})
	return list, err
}
