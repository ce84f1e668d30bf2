package tickets

import (
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/richtext"
)

// addComment makes the comment of the change, if it has one. A blank comment
// without files is none.
func (s *save) addComment() error {
	c := s.change.Comment
	if c == nil {
		return nil
	}
	blank := c.blank()
	if blank && len(c.Uploads) == 0 && c.suspended == 0 {
		return nil
	}
	if err := c.checkLength(); err != nil {
		return err
	}
	author := c.AuthorID
	switch {
	case author != 0:
		if _, ok := s.person(author); !ok {
			return fault.InvalidField("author", "%d is invalid", author)
		}
		if author != s.by.ID() && !s.by.Staff() {
			return fault.InvalidField("author", "may be nobody but you")
		}
	case s.by.ID() > 0:
		author = s.by.ID()
		if s.created && s.change.SubmitterID.IsSpecified() {
			author = s.after.SubmitterID
		}
	case s.by.ID() == models.SystemUser:
		author = models.SystemUser
	default:
		author = s.after.RequesterID // anonymous: on the requester's behalf
	}
	id, err := s.newID()
	if err != nil {
		return err
	}
	s.comment = &models.Comment{
		AccountID: s.by.AccountID, ID: id, TicketID: s.after.ID, AuditID: s.auditID, AuthorID: author, Type: "Comment",
		Public: s.commentIsPublic(c, author), CreatedAt: s.now,
	}
	if c.At != nil {
		s.comment.CreatedAt = *c.At
	}
	s.writeText(s.comment, c)
	if len(c.Uploads) > 0 || c.suspended != 0 {
		if c.suspended != 0 {
			s.files, err = s.service.attachments.RecoverTx(s.tx, c.suspended, s.after.ID, id)
		} else {
			s.files, err = s.service.attachments.ClaimTx(s.tx, s.by, c.Uploads, s.after.ID, id)
		}
		if err != nil {
			return err
		}
		if err = s.service.attachments.InlineTx(s.tx, s.files, s.comment.HTMLBody); err != nil {
			return err
		}
		s.comment.HasAttachments = len(s.files) > 0
		if blank && len(s.files) == 0 {
			s.comment = nil
			return nil
		}
	}
	if len(c.copied) > 0 {
		if s.files, err = s.service.attachments.CopyTx(s.tx, c.copied, s.after.ID, id); err != nil {
			return err
		}
		s.comment.HasAttachments = len(s.files) > 0
	}
	s.after.CommentCount++
	if s.comment.Public {
		s.after.IsPublic = true
	}
	if s.created {
		s.after.Description = s.comment.PlainBody
		// A subject is read by end users too.
		if s.after.Subject == nil && s.comment.Public {
			first := subjectOf(s.comment)
			s.after.Subject, s.after.SubjectLiteral = &first, true
		}
	}
	return nil
}

// subjectOf is the subject of a ticket that begins with c and has none given.
func subjectOf(c *models.Comment) string {
	return cutText(strings.Join(strings.Fields(c.PlainBody), " "), 80)
}

// commentIsPublic is as asked, public unless told otherwise. End users have no
// private comments, and agents who may write private ones only no others.
func (s *save) commentIsPublic(c *NewComment, author int64) bool {
	if p, ok := s.people.byID[author]; ok && p.PrivateOnly && p.staff() {
		return false
	}
	return c.Public == nil || *c.Public || !s.staffOrSystem(author)
}

func (s *save) staffOrSystem(id int64) bool { return id == models.SystemUser || s.staff(id) }

// writeText fills in the three forms of a comment's text. HTML wins over plain
// text when both are given.
func (s *save) writeText(to *models.Comment, c *NewComment) {
	switch {
	case strings.TrimSpace(c.HTML) != "":
		to.HTMLBody = wrapped(c.HTML)
		to.PlainBody = richtext.Text(to.HTMLBody)
		to.Body = to.PlainBody
	case s.config.Settings.Tickets.MarkdownTicketComments && s.staff(to.AuthorID):
		to.Body = c.Body
		to.HTMLBody = markdownHTML(c.Body)
		to.PlainBody = richtext.Text(to.HTMLBody)
	default:
		to.Body, to.PlainBody = c.Body, c.Body
		to.HTMLBody = htmlOf(c.Body)
	}
}
