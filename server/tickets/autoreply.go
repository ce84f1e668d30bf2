package tickets

import (
	"errors"
	"hash/fnv"
	"strconv"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/brands"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/outbox"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/rules"
)

// articlesSent is the event of an audit that tells which articles a ticket's requester
// was sent.
const articlesSent = "AutomaticAnswerSend"

// askForArticles notes that a trigger wants the requester to be sent articles. They are
// looked for when the change is saved: a save does not wait for a search.
func (s *save) askForArticles(e rules.Effect) {
	if s.autoreply != nil || !shared(s.by.AccountID, s.after.ID, e.Share) {
		return
	}
	s.autoreply = &models.Autoreply{
		AccountID: s.by.AccountID, TicketID: s.after.ID, RuleID: s.rule.ID, RuleTitle: s.rule.Title, ActorID: s.by.ID(), Suppress: s.suppresses(),
		Base: s.service.base(s.change.Base, s.config.Account), Subject: e.Texts[0], Body: e.Texts[1], AskedAt: s.now, DueAt: &s.now,
	}
}

// shared reports whether a ticket is among so many of a hundred. It always is, or never:
// however often it is asked, and among a larger share if it is among a smaller one.
func shared(account, ticket int64, percent int) bool {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strconv.FormatInt(account, 10) + "/" + strconv.FormatInt(ticket, 10))) // never fails
	n := h.Sum64()
	// The upper bits of the hash of such short texts are nearly the same for all.
	n ^= n >> 32
	n *= 0x9e3779b97f4a7c15
	return int((n>>32)%100) < percent
}

// insertAutoreply keeps a trigger's wish, unless there was one for the ticket ever.
const insertAutoreply = `INSERT INTO autoreplies (account_id, ticket_id, rule_id, rule_title, actor_id, suppress, base, subject, body, asked_at, due_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, ticket_id) DO NOTHING`

func autoreplyArguments(r *models.Autoreply) []any {
	return []any{r.AccountID, r.TicketID, r.RuleID, r.RuleTitle, r.ActorID, r.Suppress, r.Base, r.Subject, r.Body, r.AskedAt, r.DueAt}
}

// articles are what a save is to send.
type articles struct {
	*models.Autoreply
	list []placeholders.Article
}

// ErrNoRecipient is why articles are not sent that were found: the requester cannot get
// mail.
var ErrNoRecipient = errors.New("the requester gets no mail")

// SendArticlesTx mails a ticket's requester articles, as a trigger asked for, and notes it
// in an audit of the trigger's. find has the articles, and makes whatever their links
// need; it is not called when there is nothing to send any more: the ticket is solved,
// gone, none that its requester sees, or not the requester's. Triggers do not run over
// it. It fails with ErrNoRecipient.
func (s *Service) SendArticlesTx(tx *gorm.DB, r models.Autoreply, requester int64, find func() ([]placeholders.Article, error)) error {
	sv, err := s.lockWhereTx(tx, auth.System(r.AccountID), r.TicketID, "t.account_id = ? AND t.deleted_at IS NULL AND NOT t.archived", []any{r.AccountID})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if t := &sv.before; solved(t) || !t.IsPublic || t.RequesterID != requester {
		return nil
	}
	list, err := find()
	if err != nil {
		return err
	}
	sv.articles, sv.unruled = &articles{&r, list}, true
	if _, err := sv.run(); err != nil {
		return err
	}
	if len(sv.mails) == 0 {
		return ErrNoRecipient
	}
	return nil
}

// sentArticle is an article in the event that tells of it.
type sentArticle struct {
	Article struct {
		ID        int64   `json:"id"`
		ArticleID int64   `json:"article_id"`
		BrandID   int64   `json:"brand_id"`
		Locale    string  `json:"locale"`
		Score     float64 `json:"score"`
		Title     string  `json:"title"`
		HTMLURL   string  `json:"html_url"`
	} `json:"article"`
}

// sendArticles notes the mail with the articles that the save is for, and its event.
func (s *save) sendArticles() error {
	a := s.articles
	if a == nil {
		return nil
	}
	s.auditVia = viaRule(&rules.Rule{ID: a.RuleID, Title: a.RuleTitle}, "trigger")
	c := s.context()
	c.Base, c.ActorID, c.Articles = a.Base, a.ActorID, a.list
	body := make([]sentArticle, len(a.list))
	for i, article := range a.list {
		b := &body[i].Article
		b.ID, b.ArticleID, b.BrandID, b.Locale, b.Score, b.Title = article.ID, article.ID, article.BrandID, article.Locale, article.Score, article.Title
		of, _ := s.config.Brand(article.BrandID)
		b.HTMLURL = brands.ForReaders(a.Base, s.config.Account, s.config.Brands, of) + article.Path
	}
	if err := s.tell(auditEvent{Type: articlesSent, Body: body, Public: new(true)}); err != nil {
		return err
	}
	s.notifications = append(s.notifications, outbox.Notification{
		RuleID: a.RuleID, EventID: s.auditEvents[len(s.auditEvents)-1].ID, Recipient: "requester_id",
		Subject: a.Subject, Body: a.Body, Suppress: a.Suppress, Articles: true,
	})
	return nil
}
