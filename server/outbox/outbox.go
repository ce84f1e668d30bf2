// Package outbox keeps the mails that rules cause: to whom they go, what they
// say, and that they are to be sent. They are written in the statement that saves
// the change that caused them, so that none is lost and none is sent of a change
// that was not saved.
//
// # Who gets mail
//
//   - Nobody who is suspended or deleted, or has no address.
//   - End users not of a ticket that has nothing public, which they cannot see;
//     and of others what is public alone (placeholders.Context.Public).
//   - all_agents, and the members of a group, as far as they may see the ticket
//     (Facts.Sees).
//   - requester_and_ccs is nobody when the comment of the change is private; who
//     wrote the comment gets no copy of it.
package outbox

import (
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/placeholders"
)

// Notification is an action of a rule that sends mail: notification_user or
// notification_group.
type Notification struct {
	RuleID  int64
	EventID int64 // of the audit, that tells of it
	// Group: Recipient is a group's id, or group_id for the ticket's. Else it is a
	// user's id, requester_id, requester_and_ccs, assignee_id, current_user or
	// all_agents.
	Group     bool
	Recipient string
	Subject   string // texts with placeholders
	Body      string
	// Suppress: placeholders.Context.Suppressed says so, and it is a trigger's.
	Suppress bool
	// Articles: it is to offer placeholders.Context.Articles; where the body does not
	// name them, they follow it.
	Articles bool
}

// Facts are what of a change tells who gets mail of it.
type Facts struct {
	AuditID int64
	At      time.Time
	// Author is who wrote the comment of the change; 0: there is none.
	Author         int64
	CommentPrivate bool // there is a comment, and it is private
	// Locale is the language that the change gives the requester; empty: none.
	Locale string
	// Sees reports whether an agent, of these groups, may see the ticket.
	Sees func(agent models.User, groups []int64) bool
}

// Mails makes the mails of notifications about the ticket of c, in their order.
// It reads the people, and what the texts name, in a number of statements that
// grows with neither, and keeps what it has read in c. What has no recipient is
// left out.
func Mails(db *gorm.DB, c *placeholders.Context, f Facts, list []Notification) ([]models.OutboxMail, error) {
	if len(list) == 0 {
		return nil, nil
	}
	targets := make([]target, len(list))
	texts := make([]string, 0, 2*len(list))
	for i, n := range list {
		targets[i] = targetOf(n, c, f)
		texts = append(texts, n.Subject, n.Body)
	}
	known, err := find(db, c.Ticket.AccountID, targets)
	if err != nil {
		return nil, err
	}
	for i := range known {
		if f.Locale != "" && known[i].ID == c.Ticket.RequesterID {
			known[i].Locale = f.Locale
		}
	}
	if err := c.Load(db, c.Needs(texts...)); err != nil {
		return nil, err
	}
	var out []models.OutboxMail
	for i, n := range list {
		for _, to := range known.recipients(targets[i], c, f) {
			out = append(out, write(*c, f, n, to, len(out)))
		}
	}
	return out, nil
}

// Insert is the statement that stores mails; it takes Arguments. It is there for
// writers that put it into a larger statement.
const Insert = `INSERT INTO outbox (account_id, ticket_id, audit_id, event_id, rule_id, channel, recipient_ids, recipients, ccs, headers, subject, html_body, text_body, created_at)
	SELECT ?::bigint, ?::bigint, ?::bigint, m.event_id, m.rule_id, m.channel, m.recipient_ids::bigint[], m.recipients::text[], m.ccs::text[], m.headers,
		m.subject, m.html_body, m.text_body, ?::timestamptz
	FROM json_to_recordset(?::json) AS m(event_id bigint, rule_id bigint, channel text, recipient_ids text, recipients text, ccs text, headers json,
		subject text, html_body text, text_body text)`

// Arguments of Insert, for mails of one change, of which there is at least one.
func Arguments(mails []models.OutboxMail) []any {
	type row struct {
		EventID      int64       `json:"event_id"`
		RuleID       int64       `json:"rule_id"`
		Channel      string      `json:"channel"`
		RecipientIDs string      `json:"recipient_ids"`
		Recipients   string      `json:"recipients"`
		CCs          string      `json:"ccs"`
		Headers      models.JSON `json:"headers"`
		Subject      string      `json:"subject"`
		HTMLBody     string      `json:"html_body"`
		TextBody     string      `json:"text_body"`
	}
	rows := make([]row, len(mails))
	for i, m := range mails {
		ids, _ := m.RecipientIDs.Value() // arrays of the program's own have a text
		to, _ := m.Recipients.Value()
		ccs, _ := m.CCs.Value()
		rows[i] = row{m.EventID, m.RuleID, m.Channel, ids.(string), to.(string), ccs.(string), m.Headers, m.Subject, m.HTMLBody, m.TextBody}
	}
	first := mails[0]
	return []any{first.AccountID, first.TicketID, first.AuditID, first.CreatedAt, models.ToJSON(rows)}
}

// EraseTx takes people out of the mails of an account, who had these addresses:
// those to nobody else go, and with a mail its copies. It returns how many mails
// it changed or removed.
func EraseTx(tx *gorm.DB, account int64, people []int64, addresses []string) (int64, error) {
	left := func(column, kind string) string {
		return column + " = ARRAY(SELECT x FROM unnest(" + column + ") WITH ORDINALITY AS e(x, n) WHERE NOT " + kind + " ORDER BY n)"
	}
	const is = "lower(x) = ANY(SELECT lower(a) FROM unnest(?::text[]) AS a)"
	done := tx.Exec("UPDATE outbox SET "+left("recipient_ids", "x = ANY(?)")+", "+left("recipients", is)+", "+left("ccs", is)+
		" WHERE account_id = ? AND recipient_ids && ?::bigint[]",
		models.IDs(people), models.Strings(addresses), models.Strings(addresses), account, models.IDs(people))
	if done.Error != nil || done.RowsAffected == 0 {
		return 0, done.Error
	}
	return done.RowsAffected, tx.Exec("DELETE FROM outbox WHERE account_id = ? AND recipients = '{}'", account).Error
}

// SucceedUserTx puts a user in the place of another, whose addresses are now his.
func SucceedUserTx(tx *gorm.DB, account, from, to int64) error {
	return tx.Exec(`UPDATE outbox SET recipient_ids = CASE WHEN recipient_ids @> ARRAY[CAST(@to AS bigint)] THEN array_remove(recipient_ids, CAST(@from AS bigint))
			ELSE array_replace(recipient_ids, CAST(@from AS bigint), CAST(@to AS bigint)) END
		WHERE account_id = @account AND recipient_ids @> ARRAY[CAST(@from AS bigint)]`,
		map[string]any{"account": account, "from": from, "to": to}).Error
}

// since is the condition of a ticket's mails that were written with a comment, or
// after it. Any of them may repeat it.
const since = "account_id = ? AND ticket_id = ? AND audit_id >= (SELECT audit_id FROM comments WHERE account_id = ? AND ticket_id = ? AND id = ?)"

// RedactTx has no mail repeat a comment any more: what was sent keeps no text,
// what was not is not sent.
func RedactTx(tx *gorm.DB, account, ticket, comment int64) error {
	args := []any{account, ticket, account, ticket, comment}
	if err := tx.Exec("DELETE FROM outbox WHERE sent_at IS NULL AND "+since, args...).Error; err != nil {
		return err
	}
	return tx.Exec("UPDATE outbox SET subject = '', html_body = '', text_body = '' WHERE "+since, args...).Error
}

// WithdrawTx has no end user be sent what may repeat a comment, which has become
// private.
func WithdrawTx(tx *gorm.DB, account, ticket, comment int64) error {
	return tx.Exec("DELETE FROM outbox o WHERE sent_at IS NULL AND "+since+
		" AND EXISTS (SELECT FROM users u WHERE u.account_id = o.account_id AND u.id = ANY(o.recipient_ids) AND u.role = 'end-user')",
		account, ticket, account, ticket, comment).Error
}
