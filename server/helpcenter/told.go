package helpcenter

import (
	"cmp"
	"html"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/brands"
	"github.com/helpd/helpd/server/richtext"
	"github.com/helpd/helpd/server/segments"
)

// maxSubject is how long the title in a mail's subject may be, in characters.
const maxSubject = 200

// notice is a mail to those who subscribed to an article or its section, or to who
// wrote.
type notice struct {
	about     string // what it says before the article's title
	body      string // HTML, below the title
	from      int64  // whose doing it is, who is not told
	section   string // a condition of the section's subscriptions v who are told, too
	article   bool   // whether the article's are
	followers bool   // whether those who follow from are
}

// tellTx queues a mail about an article, in the language of t, to each of those of its
// subscribers, and of the followers of who wrote, who may see it and have an address.
// Each is a row of its own: none learns of the others.
func (s *Service) tellTx(tx *gorm.DB, a models.Article, t models.Translation, n notice) error {
	if t.Draft {
		return nil
	}
	config, err := s.fields.Current(tx, a.AccountID)
	if err != nil {
		return err
	}
	brand, _ := config.Brand(a.BrandID)
	if !brand.Active || !brand.HasHelpCenter { // where nobody could read it
		return nil
	}
	base := brands.ForReaders(cmp.Or(s.PublicURL, "https://"+config.Account.Subdomain+".localhost"), config.Account, config.Brands, brand)
	host := base
	if u, err := url.Parse(base); err == nil {
		host = u.Hostname()
	}
	title := strings.Join(strings.Fields(t.Title), " ")
	if short := []rune(title); len(short) > maxSubject {
		title = string(short[:maxSubject])
	}
	link := base + "/hc/" + t.Locale + "/articles/" + strconv.FormatInt(a.ID, 10)
	body := `<p><a href="` + html.EscapeString(link) + `">` + html.EscapeString(t.Title) + "</a></p>" + n.body
	headers := models.ToJSON(map[string]string{
		"From":           (&mail.Address{Name: strings.Join(strings.Fields(brand.Name), " "), Address: "support@" + host}).String(),
		"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All",
	})
	return tx.Exec(`INSERT INTO outbox (account_id, article_id, audit_id, event_id, rule_id, channel, recipient_ids, recipients, ccs, headers, subject, html_body, text_body, created_at)
		SELECT @account, @article, 0, 0, 0, @channel, ARRAY[u.id], ARRAY[u.email], '{}', CAST(@headers AS json), @subject, @html, @text, @now
		FROM articles AS x JOIN users AS u ON u.account_id = x.account_id
		WHERE (u.role <> @endUser OR NOT @restricted) AND x.account_id = @account AND x.id = @article AND x.archived_at IS NULL AND u.active AND NOT u.suspended AND u.email IS NOT NULL AND u.id <> @from
			AND u.id IN (SELECT v.user_id FROM content_subscriptions AS v WHERE v.account_id = @account AND v.locale = @locale
				AND (@ofArticle AND v.content_type = 'Article' AND v.content_id = @article OR v.content_type = 'Section' AND v.content_id = x.section_id AND `+n.section+`)
				UNION SELECT v.follower_id FROM user_subscriptions AS v WHERE @followers AND v.account_id = @account AND v.followed_id = @from)
			AND `+segments.VisibleTo("x.user_segment_ids")+" AND "+openTo+`
		ORDER BY u.id`, map[string]any{
		"endUser": models.RoleEndUser, "restricted": brand.HelpCenterState == models.HelpCenterRestricted,
		"account": a.AccountID, "article": a.ID, "channel": models.ChannelEmail, "headers": string(headers), "subject": n.about + title,
		"html": body, "text": richtext.Text(body), "now": s.now(), "from": n.from, "locale": t.Locale, "ofArticle": n.article,
		"followers": n.followers && slices.Contains(localesOf(config, a.BrandID).Enabled, t.Locale),
	}).Error
}

// tellOfCommentTx tells those who subscribed to an article, or to the comments of
// its section, or follow its author, of a comment.
func (s *Service) tellOfCommentTx(tx *gorm.DB, a Article, c models.ArticleComment) error {
	return s.tellTx(tx, a.Article, a.Text, notice{about: "New comment: ", body: c.HTMLBody, from: c.AuthorID, article: true, section: "v.include_comments", followers: true})
}

// tellOfArticleTx tells those who subscribed to a section of a new article in it, in
// their language; and those who follow who published it, once: in its own.
func (s *Service) tellOfArticleTx(tx *gorm.DB, a models.Article, t models.Translation) error {
	return s.tellTx(tx, a, t, notice{about: "New article: ", from: t.UpdatedByID, section: "TRUE", followers: t.Locale == a.SourceLocale})
}
