package tickets

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/idempotency"
	"github.com/helpd/helpd/server/outbox"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/richtext"
	"github.com/helpd/helpd/server/webhooks"
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
		return sv.redact(c, func() { redact(c, text) })
	})
}

// redact has cover change the texts of a comment, and takes care of the copies
// of them: the description, a subject that was made of it, and the event log.
func (s *save) redact(c *models.Comment, cover func()) error {
	t := &s.after
	first := c.PlainBody == s.before.Description
	named := first && t.Subject != nil && *t.Subject == subjectOf(c)
	cover()
	if err := s.tx.Select("body", "plain_body", "html_body").Updates(c).Error; err != nil {
		return err
	}
	if first {
		t.Description = c.PlainBody
	}
	if named {
		subject := subjectOf(c)
		t.Subject = &subject
	}
	if err := s.redactLog(c, first); err != nil {
		return err
	}
	if err := outbox.RedactTx(s.tx, s.by.AccountID, t.ID, c.ID); err != nil {
		return err
	}
	if err := webhooks.RedactTx(s.tx, s.by.AccountID, t.ID, c.CreatedAt); err != nil {
		return err
	}
	if err := idempotency.BlankTx(s.tx, s.by.AccountID, "tickets", t.ID); err != nil {
		return err
	}
	if named && *t.Subject != *s.before.Subject {
		if err := s.redactSubject(); err != nil {
			return err
		}
	}
	if err := s.tell(auditEvent{Type: "CommentRedactionEvent", CommentID: c.ID}); err != nil {
		return err
	}
	s.logEvent("comment_redacted", map[string]any{"comment": map[string]any{"id": events.ID(c.ID)}})
	// What was there before is told to nobody again.
	if t.Description != s.before.Description {
		s.logEvent("description_changed", map[string]any{"current": t.Description, "previous": ""})
	}
	if named && *t.Subject != *s.before.Subject {
		s.logEvent("subject_changed", map[string]any{"current": *t.Subject, "previous": ""})
	}
	return nil
}

// redactSubject leaves no copy of the subject that was in the audits and in the
// event log.
func (s *save) redactSubject() error {
	was, now := string(models.ToJSON(s.before.Subject)), string(models.ToJSON(s.after.Subject))
	if err := s.tx.Exec(`UPDATE audits SET events = replace(events::text, ?, ?)::json
		WHERE account_id = ? AND ticket_id = ? AND position(? IN events::text) > 0`,
		`"value":`+was+`,"field_name":"subject"`, `"value":`+now+`,"field_name":"subject"`, s.by.AccountID, s.after.ID, was).Error; err != nil {
		return err
	}
	return s.coverLog("subject", *s.before.Subject, *s.after.Subject)
}

// RedactAttachment takes a file out of a comment for good, and returns it as it
// was. One that is redacted already stays so, without a word in the audits.
func (s *Service) RedactAttachment(ctx context.Context, by auth.Actor, ticket, comment, id int64) (attachments.File, error) {
	var file attachments.File
	_, err := s.commentSave(ctx, by, ticket, comment, func(sv *save, c *models.Comment) (err error) {
		file, err = sv.redactFile(comment, id)
		return err
	})
	return file, err
}

// redactFile takes a file out of a comment, and its copies out of the tickets that
// this one was merged with. It returns the file as it was.
func (s *save) redactFile(comment, id int64) (attachments.File, error) {
	file, copies, err := s.service.attachments.RedactTx(s.tx, s.after.ID, comment, id)
	if err != nil || file.Deleted {
		return file, err
	}
	for _, c := range copies {
		if err := s.noteCopyRedacted(c); err != nil {
			return file, err
		}
	}
	return file, s.noteRedacted(comment, id)
}

// noteCopyRedacted has the ticket of a copy tell of its redaction, whether or not
// the caller sees that ticket: the bytes are the same.
func (s *save) noteCopyRedacted(c models.Attachment) error {
	if *c.TicketID == s.after.ID {
		return s.noteRedacted(*c.CommentID, c.ID)
	}
	other, err := s.service.lockWhereTx(s.tx, s.by, *c.TicketID, "t.account_id = ?", []any{s.by.AccountID})
	if err != nil {
		return err
	}
	if err := other.noteRedacted(*c.CommentID, c.ID); err != nil {
		return err
	}
	other.touch()
	return other.write()
}

// noteRedacted tells of a file's redaction, and leaves no copy of its name, which
// can tell as much as its contents.
func (s *save) noteRedacted(comment, id int64) error {
	for resource, of := range map[string]int64{"tickets": s.after.ID, "attachments": id} { // the upload's answer too
		if err := idempotency.BlankTx(s.tx, s.by.AccountID, resource, of); err != nil {
			return err
		}
	}
	if err := RedactFileNamesTx(s.tx, s.by.AccountID, []int64{s.after.ID}, []int64{id}); err != nil {
		return err
	}
	if err := outbox.RedactTx(s.tx, s.by.AccountID, s.after.ID, comment); err != nil {
		return err
	}
	var said time.Time
	if _, err := postgres.Row(s.tx, "SELECT created_at FROM comments WHERE account_id = ? AND ticket_id = ? AND id = ?",
		[]any{s.by.AccountID, s.after.ID, comment}, &said); err != nil {
		return err
	}
	if err := webhooks.RedactTx(s.tx, s.by.AccountID, s.after.ID, said); err != nil {
		return err
	}
	if err := s.tell(auditEvent{Type: "AttachmentRedactionEvent", AttachmentID: id, CommentID: comment}); err != nil {
		return err
	}
	s.logEvent("attachment_redacted_from_comment", map[string]any{
		"comment": map[string]any{"id": events.ID(comment)}, "attachment": map[string]any{"id": events.ID(id)},
	})
	return nil
}

// RedactFileNamesTx leaves no name of files in what the event log tells of tickets.
func RedactFileNamesTx(tx *gorm.DB, account int64, tickets, files []int64) error {
	return events.RewriteTx(tx, events.Rewriting{
		AccountID: account, Kind: "ticket", IDs: tickets,
		Where: "type LIKE '%attachment_linked_to_comment' AND CAST(change->'attachment'->>'id' AS bigint) = ANY(CAST(@files AS bigint[]))",
		To:    "jsonb_set(change::jsonb, '{attachment,filename}', to_jsonb(CAST(@name AS text)))::json",
		Args:  map[string]any{"files": models.IDs(files), "name": attachments.Redacted},
	})
}

// redactLog leaves no copy in what the event log told of the comment before,
// and of the description if that is the same text.
func (s *save) redactLog(c *models.Comment, description bool) error {
	err := events.RewriteTx(s.tx, events.Rewriting{
		AccountID: s.by.AccountID, Kind: "ticket", IDs: []int64{c.TicketID},
		Where: "type LIKE '%comment_added' AND change->'comment'->>'id' = @comment",
		To:    "jsonb_set(change::jsonb, '{comment,body}', to_jsonb(CAST(@body AS text)))::json",
		Args:  map[string]any{"comment": events.ID(c.ID), "body": c.Body},
	})
	if err != nil || !description {
		return err
	}
	return s.coverLog("description", s.before.Description, c.PlainBody)
}

// coverLog has the event log tell now where it told was of a member of the
// ticket: in what it says of the ticket, and of the member's changes.
func (s *save) coverLog(member, was, now string) error {
	err := s.tx.Exec("UPDATE "+events.Table+` SET detail = jsonb_set(detail::jsonb, ARRAY[?::text], to_jsonb(?::text))::json
		WHERE account_id = ? AND subject_id = ? AND subject = ? AND detail->>? = ?`,
		member, now, s.by.AccountID, s.after.ID, events.Subject("ticket", s.after.ID), member, was).Error
	if err != nil {
		return err
	}
	return events.RewriteTx(s.tx, events.Rewriting{
		AccountID: s.by.AccountID, Kind: "ticket", IDs: []int64{s.after.ID},
		Where: "type = @type AND @was IN (change->>'current', change->>'previous')",
		To: `(change::jsonb
			|| CASE WHEN change->>'current' = @was THEN jsonb_build_object('current', CAST(@now AS text)) ELSE '{}' END
			|| CASE WHEN change->>'previous' = @was THEN jsonb_build_object('previous', CAST(@now AS text)) ELSE '{}' END)::json`,
		Args: map[string]any{"type": events.TypePrefix + "ticket." + member + "_changed", "was": was, "now": now},
	})
}

// redact covers text in all forms of a comment. What is written as Markdown may
// hold it in one form only, where marks stand within it.
func redact(c *models.Comment, text string) {
	cover := strings.Repeat(redaction, utf8.RuneCountInString(text))
	inBody, inPlain := strings.Contains(c.Body, text), strings.Contains(c.PlainBody, text)
	c.Body = strings.ReplaceAll(c.Body, text, cover)
	c.PlainBody = strings.ReplaceAll(c.PlainBody, text, cover)
	c.HTMLBody = redactHTML(c.HTMLBody, text)
	switch {
	case !inPlain: // it includes marks
		c.HTMLBody = markdownHTML(c.Body)
		c.PlainBody = richtext.Text(c.HTMLBody)
	case !inBody: // marks stand within it
		c.Body = c.PlainBody
	}
	if strings.Contains(richtext.Text(c.HTMLBody), text) {
		c.HTMLBody = htmlOf(c.PlainBody)
	}
}
