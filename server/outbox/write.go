package outbox

import (
	"fmt"
	"net/mail"
	"net/url"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/brands"
	"github.com/helpd/helpd/server/liquid"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/richtext"
)

// maxSubject is how long a subject may be, in bytes: a header's line takes 998.
const maxSubject = 900

// write makes the mail of a notification to some of its recipients, the nth of
// the change.
func write(c placeholders.Context, f Facts, n Notification, to recipients, nth int) models.OutboxMail {
	c.Locale, c.Public, c.Suppress = to.locale, to.public, n.Suppress && to.public
	if !to.requester || len(to.ccs) > 0 { // whoever has the links votes in the requester's name
		c.SurveyURL, c.Articles = "", nil
	}
	m := models.OutboxMail{
		Tenant: models.Tenant{AccountID: c.Ticket.AccountID}, TicketID: &c.Ticket.ID, AuditID: f.AuditID, EventID: n.EventID, RuleID: n.RuleID,
		Channel: models.ChannelEmail, Headers: headers(&c, f, nth), CreatedAt: f.At,
		Subject:  oneLine(placeholders.Render(n.Subject, liquid.Text, c)),
		HTMLBody: placeholders.Render(n.Body, liquid.HTML, c),
	}
	offers := n.Articles && len(c.Articles) > 0
	if offers && !strings.Contains(m.HTMLBody, c.Articles[0].Path) {
		m.HTMLBody += placeholders.Render("{{answer_bot.article_list}}", liquid.HTML, c)
	}
	m.TextBody = richtext.Text(m.HTMLBody)
	if offers { // of links the text has the words alone
		m.TextBody += "\n\n" + strings.TrimSpace(placeholders.Render(addresses, liquid.Text, c))
	}
	for _, p := range to.to {
		m.RecipientIDs, m.Recipients = append(m.RecipientIDs, p.ID), append(m.Recipients, *p.Email)
	}
	for _, p := range to.ccs {
		m.RecipientIDs, m.CCs = append(m.RecipientIDs, p.ID), append(m.CCs, *p.Email)
	}
	return m
}

// addresses are those of articles, for readers of plain text.
const addresses = "{% for article in answer_bot.articles %}{{article.title}}\n{{article.url}}\n{{zd.article_solved}}: {{article.solved_url}}\n" +
	"{{zd.article_rejected}}: {{article.rejected_url}}\n\n{% endfor %}"

// oneLine is a text as a header holds it.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxSubject {
		text = strings.ToValidUTF8(text[:maxSubject], "")
	}
	return text
}

// headers are what a mail needs besides: it comes from the address that the
// requester wrote to, or from the brand's; answers find their ticket by the
// number in Reply-To, and all mails of a ticket are one conversation. No machine
// answers them.
func headers(c *placeholders.Context, f Facts, nth int) models.JSON {
	t := &c.Ticket
	brand, _ := c.Config.Brand(t.BrandID)
	host := hostOf(c, brand)
	from := "support@" + host
	if t.Recipient != nil {
		if a, err := mail.ParseAddress(*t.Recipient); err == nil {
			from = a.Address
		}
	}
	name := brand.Name
	if name == "" {
		name = c.Config.Account.Name
	}
	code := placeholders.EncodedID(t.AccountID, t.ID)
	local, domain, _ := strings.Cut(from, "@")
	conversation := "<" + code + "@" + host + ">"
	return models.ToJSON(map[string]string{
		"From":                     (&mail.Address{Name: oneLine(name), Address: from}).String(),
		"Reply-To":                 (&mail.Address{Name: oneLine(name), Address: fmt.Sprintf("%s+id%s@%s", local, code, domain)}).String(),
		"Message-ID":               fmt.Sprintf("<%s-%d-%d@%s>", code, f.AuditID, nth, host),
		"In-Reply-To":              conversation,
		"References":               conversation,
		"Auto-Submitted":           "auto-generated",
		"X-Auto-Response-Suppress": "All",
	})
}

// hostOf is the name by which the brand is reached.
func hostOf(c *placeholders.Context, brand models.Brand) string {
	if u, err := url.Parse(brands.ForReaders(c.Base, c.Config.Account, c.Config.Brands, brand)); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return c.Config.Account.Subdomain + ".localhost"
}
