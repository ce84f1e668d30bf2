package helpcenter

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
)

func (s *Service) by(a auth.Actor) events.By {
	return events.By{AccountID: a.AccountID, ActorID: a.ID(), At: s.now()}
}

// articleDetail is what all events of articles tell.
type articleDetail struct {
	BrandID string `json:"brand_id"`
	ID      string `json:"id"`
}

// Detail is what events about an article tell of it.
func Detail(id, brand int64) any {
	return articleDetail{BrandID: events.ID(brand), ID: events.ID(id)}
}

// articlePublished is the payload of article.published.
type articlePublished struct {
	AuthorID   string `json:"author_id"`
	CategoryID string `json:"category_id"`
	Locale     string `json:"locale"`
	SectionID  string `json:"section_id"`
	Title      string `json:"title"`
}

// publishedTx notes that an article can be read in a language, unless it is a
// draft there.
// Unless it is to be quiet, those who subscribed to the section are told by mail.
func (s *Service) publishedTx(tx *gorm.DB, by auth.Actor, a models.Article, t models.Translation, quiet bool) error {
	if t.Draft {
		return nil
	}
	if err := s.passedTx(tx, by, a, t); err != nil {
		return err
	}
	if !quiet {
		if err := s.tellOfArticleTx(tx, a, t); err != nil {
			return err
		}
	}
	return events.AppendTx(tx, s.by(by), "article", a.ID, published(a, t))
}

func published(a models.Article, t models.Translation) events.Event {
	return events.Event{
		Type: "article.published", Detail: Detail(a.ID, a.BrandID),
		Change: articlePublished{events.ID(a.AuthorID), events.ID(a.CategoryID), t.Locale, events.ID(a.SectionID), t.Title},
	}
}

// brandArticle is an article as events name it.
type brandArticle struct{ ID, BrandID int64 }

// unpublishedTx notes that articles can no longer be read, or one of them no
// longer in one of its languages.
func (s *Service) unpublishedTx(tx *gorm.DB, by auth.Actor, list []brandArticle) error {
	if len(list) == 0 {
		return nil
	}
	all := make([]events.About, len(list))
	for i, a := range list {
		all[i] = events.About{ID: a.ID, Event: unpublished(a)}
	}
	return events.AppendAllTx(tx, s.by(by), "article", all)
}

func unpublished(a brandArticle) events.Event {
	return events.Event{Type: "article.unpublished", Detail: Detail(a.ID, a.BrandID), Change: struct{}{}}
}

func (s *Service) authorChangedTx(tx *gorm.DB, by auth.Actor, before, after models.Article) error {
	if before.AuthorID == after.AuthorID {
		return nil
	}
	return events.AppendTx(tx, s.by(by), "article", after.ID, events.Event{
		Type: "article.author_changed", Detail: Detail(after.ID, after.BrandID),
		Change: events.Changed{Current: events.ID(after.AuthorID), Previous: events.ID(before.AuthorID)},
	})
}
