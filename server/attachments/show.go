package attachments

import (
	"context"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"gocloud.dev/gcerrors"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Seen tells what the actor of ctx may see: both fail with fault.NotFound if
// that is not so.
type Seen struct {
	Comment func(ctx context.Context, ticketID, commentID int64) error
	Macro   func(ctx context.Context, id int64) error
}

// Show returns a file, or a thumbnail. by may see those of comments and macros
// that he may see, and those he uploaded himself, for which neither is needed. It
// fails with fault.NotFound otherwise.
func (s *Service) Show(ctx context.Context, by auth.Actor, id int64, seen Seen) (File, error) {
	var rows []models.Attachment
	db := s.db.WithContext(ctx)
	if err := db.Where("id = ? OR parent_id = ?", id, id).Order("id").Find(&rows).Error; err != nil {
		return File{}, err
	}
	if len(rows) == 0 || rows[0].ID != id {
		return File{}, fault.Missing("Attachment", id)
	}
	f := File{Attachment: rows[0], Thumbnails: rows[1:]}
	if f.CommentID != nil {
		return f, seen.Comment(ctx, *f.TicketID, *f.CommentID)
	}
	if f.MacroID != nil {
		if !by.Staff() {
			return File{}, fault.Missing("Attachment", id)
		}
		return f, seen.Macro(ctx, *f.MacroID)
	}
	if f.SuspendedTicketID != nil {
		if !by.Staff() || by.Restriction() != "" {
			return File{}, fault.Missing("Attachment", id)
		}
		return f, nil
	}
	var u models.Upload
	err := db.Take(&u, "id = ?", f.UploadID).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && (u.UserID == nil || *u.UserID != by.ID()) && !by.Admin() {
		return File{}, fault.Missing("Attachment", id)
	}
	return f, err
}

// Change is what an admin may change of an attachment; nil leaves.
type Change struct {
	MalwareAccessOverride *bool // lets a file be downloaded although malware was found in it
}

// Update applies c to an attachment. It fails with fault.Forbidden for anyone
// but an admin, and with fault.NotFound.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change, seen Seen) (File, error) {
	if !by.Admin() {
		return File{}, fault.Denied()
	}
	f, err := s.Show(ctx, by, id, seen)
	if err != nil || c.MalwareAccessOverride == nil {
		return f, err
	}
	f.MalwareAccessOverride = *c.MalwareAccessOverride
	return f, s.db.WithContext(ctx).Model(&f.Attachment).Update("malware_access_override", f.MalwareAccessOverride).Error
}

// ByToken finds the file of an address, in whatever account it is: the address
// is the right to read it. Fails with fault.NotFound, also for what is
// redacted.
func (s *Service) ByToken(ctx context.Context, token string) (models.Attachment, error) {
	var a models.Attachment
	if strings.ContainsRune(token, 0) || !utf8.ValidString(token) { // which PostgreSQL takes for no text
		return a, fault.New(fault.NotFound, "attachment not found")
	}
	err := s.db.WithContext(postgres.AcrossAccounts(ctx)).Take(&a, "token = ? AND NOT deleted", token).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return a, fault.New(fault.NotFound, "attachment not found")
	}
	return a, err
}

// Private reports whether the account of a file wants downloads to be signed in.
func (s *Service) Private(ctx context.Context, a models.Attachment) (bool, error) {
	settings, err := s.settings(postgres.AcrossAccounts(ctx), a.AccountID)
	return settings.Tickets.PrivateAttachments, err
}

// Open opens the contents of a file. It fails with fault.NotFound if they are
// gone.
func (s *Service) Open(ctx context.Context, a models.Attachment) (io.ReadSeekCloser, error) {
	r, err := s.bucket.NewReader(ctx, a.BlobKey, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, fault.Missing("Attachment", a.ID)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}
