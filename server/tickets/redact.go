package tickets

import (
	"context"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

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
		first := c.PlainBody == sv.before.Description
		redact(c, text)
		if err := sv.tx.Select("body", "plain_body", "html_body").Updates(c).Error; err != nil {
			return err
		}
		if first {
			sv.after.Description = c.PlainBody
		}
		if err := sv.redactLog(c, first); err != nil {
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

// redactLog leaves no copy in what the event log told of the comment before,
// and of the description if that is the same text.
func (s *save) redactLog(c *models.Comment, description bool) error {
	subject := events.Subject("ticket", c.TicketID)
	err := s.tx.Exec(`UPDATE events SET change = jsonb_set(change::jsonb, '{comment,body}', to_jsonb(?::text))::json
		WHERE account_id = ? AND subject = ? AND type LIKE '%comment_added' AND change->'comment'->>'id' = ?`,
		c.Body, s.by.AccountID, subject, events.ID(c.ID)).Error
	if err != nil || !description {
		return err
	}
	return s.tx.Exec(`UPDATE events SET detail = jsonb_set(detail::jsonb, '{description}', to_jsonb(?::text))::json
		WHERE account_id = ? AND subject = ? AND detail->>'description' = ?`,
		c.PlainBody, s.by.AccountID, subject, s.before.Description).Error
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
		c.PlainBody = textOf(c.HTMLBody)
	case !inBody: // marks stand within it
		c.Body = c.PlainBody
	}
	if strings.Contains(textOf(c.HTMLBody), text) {
		c.HTMLBody = htmlOf(c.PlainBody)
	}
}

// piece is a tag of HTML, or a text between two.
type piece struct {
	raw   string
	text  []rune // unescaped; nil for a tag
	space bool   // of a tag: it parts words
}

// redactHTML covers text in what a reader of the HTML reads, also where tags
// divide it, and in addresses and titles. The tags stay; white space of any
// kind and length is the same.
func redactHTML(source, text string) string {
	pieces := piecesOf(source, text)
	type place struct{ piece, at int }
	var runes []rune
	var places []place
	blank := func(p place) {
		if n := len(runes); n == 0 || runes[n-1] != ' ' {
			runes, places = append(runes, ' '), append(places, p)
		}
	}
	for i, p := range pieces {
		if p.space {
			blank(place{i, 0})
		}
		for at, r := range p.text {
			if unicode.IsSpace(r) {
				blank(place{i, at})
			} else {
				runes, places = append(runes, r), append(places, place{i, at})
			}
		}
	}
	wanted := []rune(strings.Join(strings.Fields(text), " "))
	for i := 0; i+len(wanted) <= len(runes); i++ {
		if !slices.Equal(runes[i:i+len(wanted)], wanted) {
			continue
		}
		for _, p := range places[i : i+len(wanted)] {
			if t := pieces[p.piece].text; t != nil {
				t[p.at] = []rune(redaction)[0]
			}
		}
		i += len(wanted) - 1
	}
	var b strings.Builder
	for _, p := range pieces {
		if p.text == nil {
			b.WriteString(p.raw)
		} else {
			b.WriteString(html.EscapeString(string(p.text)))
		}
	}
	return b.String()
}

// piecesOf divides HTML, and covers text in the attributes that people write.
func piecesOf(source, text string) []piece {
	cover := strings.Repeat(redaction, utf8.RuneCountInString(text))
	z := nethtml.NewTokenizer(strings.NewReader(source))
	var pieces []piece
	for {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			return pieces
		}
		p := piece{raw: string(z.Raw())}
		token := z.Token()
		if kind == nethtml.TextToken {
			p.text = []rune(token.Data)
			pieces = append(pieces, p)
			continue
		}
		found := false
		for i, a := range token.Attr {
			if slices.Contains([]string{"href", "src", "alt", "title", "cite"}, a.Key) && strings.Contains(a.Val, text) {
				token.Attr[i].Val, found = strings.ReplaceAll(a.Val, text, cover), true
			}
		}
		if found {
			p.raw = token.String()
		}
		p.space = !inline[token.DataAtom]
		pieces = append(pieces, p)
	}
}

// inline are the tags that may stand within a word.
var inline = map[atom.Atom]bool{
	atom.A: true, atom.Abbr: true, atom.B: true, atom.Code: true, atom.Del: true, atom.Em: true, atom.Font: true, atom.I: true, atom.Ins: true,
	atom.Mark: true, atom.S: true, atom.Small: true, atom.Span: true, atom.Strike: true, atom.Strong: true, atom.Sub: true, atom.Sup: true,
	atom.Tt: true, atom.U: true,
}
