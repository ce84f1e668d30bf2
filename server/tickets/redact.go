package tickets

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
)

// redaction stands for each character that was taken out.
const redaction = "▇"

// Redact takes a text out of a comment for good, wherever it stands in it, and
// out of the ticket's description if that is the same text. It fails with
// fault.Invalid if the comment does not hold the text or the ticket is closed.
func (s *Service) Redact(ctx context.Context, by auth.Actor, ticket, comment int64, text string) (CommentRecord, error) {
	if strings.TrimSpace(text) == "" {
		return CommentRecord{}, fault.Blank("text")
	}
	return s.commentSave(ctx, by, ticket, comment, func(sv *save, c *models.Comment) error {
		if sv.before.Status == models.StatusClosed {
			return closedPreventsUpdate()
		}
		if !strings.Contains(c.Body, text) && !strings.Contains(c.PlainBody, text) {
			return fault.InvalidField("text", "is not in the comment")
		}
		cover := strings.Repeat(redaction, utf8.RuneCountInString(text))
		first := c.PlainBody == sv.before.Description
		c.Body = strings.ReplaceAll(c.Body, text, cover)
		c.PlainBody = strings.ReplaceAll(c.PlainBody, text, cover)
		c.HTMLBody = redactHTML(c.HTMLBody, text, cover)
		if strings.Contains(textOf(c.HTMLBody), text) { // it runs across marks
			c.HTMLBody = htmlOf(c.PlainBody)
		}
		if err := sv.tx.Select("body", "plain_body", "html_body").Updates(c).Error; err != nil {
			return err
		}
		if first {
			sv.after.Description = c.PlainBody
		}
		// What the event log told before keeps no copy either.
		if err := sv.tx.Exec(`UPDATE events SET change = replace(change::text, ?, ?)::json, detail = replace(detail::text, ?, ?)::json
			WHERE account_id = ? AND subject = ?`, jsonText(text), cover, jsonText(text), cover, sv.by.AccountID, events.Subject("ticket", ticket)).Error; err != nil {
			return err
		}
		if err := sv.tell(auditEvent{Type: "CommentRedactionEvent", CommentID: c.ID}); err != nil {
			return err
		}
		sv.logEvent("comment_redacted", map[string]any{"comment": map[string]any{"id": events.ID(c.ID)}})
		return nil
	})
}

// RedactAttachment takes a file out of a comment for good, and returns it as it
// was. One that is redacted already stays so, without a word in the audits.
func (s *Service) RedactAttachment(ctx context.Context, by auth.Actor, ticket, comment, id int64) (attachments.File, error) {
	var file attachments.File
	_, err := s.commentSave(ctx, by, ticket, comment, func(sv *save, c *models.Comment) (err error) {
		if file, err = s.attachments.RedactTx(sv.tx, ticket, comment, id); err != nil {
			return err
		}
		if file.Deleted {
			return nil
		}
		// A file's name can tell as much as its contents.
		if err := sv.tx.Exec(`UPDATE events SET change = jsonb_set(change::jsonb, '{attachment,filename}', to_jsonb(?::text))::json
			WHERE account_id = ? AND subject = ? AND type LIKE '%attachment_linked_to_comment' AND change->'attachment'->>'id' = ?`,
			attachments.Redacted, sv.by.AccountID, events.Subject("ticket", ticket), events.ID(id)).Error; err != nil {
			return err
		}
		if err := sv.tell(auditEvent{Type: "AttachmentRedactionEvent", AttachmentID: id, CommentID: comment}); err != nil {
			return err
		}
		sv.logEvent("attachment_redacted_from_comment", map[string]any{
			"comment": map[string]any{"id": events.ID(comment)}, "attachment": map[string]any{"id": events.ID(id)},
		})
		return nil
	})
	return file, err
}

// redactHTML covers text in HTML source, in which it stands escaped.
func redactHTML(source, text, cover string) string {
	for _, form := range []string{text, escaped(text)} {
		source = strings.ReplaceAll(source, form, cover)
	}
	return source
}

func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;").Replace(text)
}

// jsonText is text as it stands inside a JSON string.
func jsonText(text string) string {
	quoted := string(models.ToJSON(text))
	return quoted[1 : len(quoted)-1]
}
