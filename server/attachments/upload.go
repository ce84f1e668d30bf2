package attachments

import (
	"bytes"
	"context"
	"errors"
	"io"

	"gocloud.dev/blob"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// UploadInput is a file as it comes.
type UploadInput struct {
	Token       string // of an upload to add the file to; empty for a new one
	FileName    string // as the client calls it; required
	ContentType string // as the client declares it; may be empty or wrong
	Body        io.Reader

	thumbSide int // of its thumbnail, in pixels; 0 is thumbSide
}

// Upload is a token with the files that wait under it.
type Upload struct {
	models.Upload
	Token string // known now and to the caller alone
	Files []File // in the order they came
	File  File   // the one that came just now
}

// Upload keeps a file until a comment takes its token or the token expires. It
// fails with fault.BadRequest for a file without a name, with fault.TooLarge,
// and with fault.Invalid for a token that by did not get or that is no longer
// good, and with fault.Unauthenticated where the account wants people to sign in.
// A failure keeps nothing.
func (s *Service) Upload(ctx context.Context, by auth.Actor, in UploadInput) (Upload, error) {
	in.FileName = cleanName(in.FileName)
	if in.FileName == "" {
		return Upload{}, fault.New(fault.BadRequest, "filename is required: add it to the query, as in /api/v2/uploads?filename=report.pdf")
	}
	settings, err := s.settings(ctx, by.AccountID)
	if err != nil {
		return Upload{}, err
	}
	if by.Anonymous() && !settings.Tickets.AnonymousRequests {
		return Upload{}, fault.New(fault.Unauthenticated, "sign in to upload a file")
	}
	if in.Token != "" { // now, and not after all of the file has come
		if _, err := s.findUploadTx(s.db.WithContext(ctx), by, in.Token); err != nil {
			return Upload{}, err
		}
	}
	limit := s.limit(settings)
	key := newKey(by.AccountID)
	if err := s.expect(ctx, key); err != nil {
		return Upload{}, err
	}
	file, thumb, err := s.receive(ctx, key, in, limit)
	if err != nil {
		s.discard(ctx, key)
		return Upload{}, err
	}
	var up Upload
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		up, err = s.keepTx(tx, by, in.Token, file, thumb)
		return err
	})
	if err != nil {
		s.discard(ctx, key)
		return Upload{}, err
	}
	return up, nil
}

// Limit is how large files of the account may be, in bytes.
func (s *Service) Limit(ctx context.Context, account int64) (int64, error) {
	settings, err := s.settings(ctx, account)
	return s.limit(settings), err
}

func (s *Service) limit(settings accounts.Settings) int64 {
	if own := settings.Limits.AttachmentSize; own > 0 && own < s.options.MaxSize {
		return own
	}
	return s.options.MaxSize
}

func (s *Service) settings(ctx context.Context, account int64) (accounts.Settings, error) {
	var a models.Account
	if err := s.db.WithContext(ctx).Select("settings").Take(&a, "id = ?", account).Error; err != nil {
		return accounts.Settings{}, err
	}
	return accounts.ReadSettings(a.Settings)
}

// receive writes the blobs of a file and returns the rows for it and for its
// thumbnail, which is nil for what has none.
func (s *Service) receive(ctx context.Context, key string, in UploadInput, limit int64) (models.Attachment, *models.Attachment, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, writeTime, fault.New(fault.BadRequest, "The file took too long to come"))
	defer cancel()
	file := models.Attachment{
		Token: auth.NewToken(), FileName: in.FileName, BlobKey: key,
		MalwareScanResult: models.MalwareNotScanned, CreatedAt: s.now(),
	}
	head := make([]byte, sniffed)
	n, err := io.ReadFull(in.Body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return file, nil, err
	}
	file.ContentType, file.Charset = typeOf(head[:n], in.ContentType, in.FileName)
	file.Size, err = s.write(ctx, key, file.ContentType, io.MultiReader(bytes.NewReader(head[:n]), in.Body), limit)
	if err != nil {
		if cause := fault.Of(context.Cause(ctx)); cause != nil {
			err = cause
		}
		return file, nil, err
	}
	side := thumbSide
	if in.thumbSide > 0 {
		side = in.thumbSide
	}
	p := s.look(ctx, key, file.ContentType, side)
	if p == nil {
		return file, nil, nil
	}
	file.Width, file.Height = &p.width, &p.height
	if p.thumb == nil {
		return file, nil, nil
	}
	thumb := file
	thumb.Token, thumb.FileName, thumb.BlobKey = auth.NewToken(), thumbName(file.FileName), thumbKey(key)
	thumb.ContentType, thumb.Size = "image/png", int64(len(p.thumb))
	thumb.Width, thumb.Height = &p.bounds.X, &p.bounds.Y
	return file, &thumb, s.bucket.WriteAll(ctx, thumb.BlobKey, p.thumb, &blob.WriterOptions{ContentType: thumb.ContentType})
}

// keepTx makes the rows of a file that has been received.
func (s *Service) keepTx(tx *gorm.DB, by auth.Actor, token string, file models.Attachment, thumb *models.Attachment) (Upload, error) {
	if err := keepBlobsTx(tx, file.BlobKey); err != nil {
		return Upload{}, err
	}
	up, err := s.tokenTx(tx, by, token)
	if err != nil {
		return Upload{}, err
	}
	if err := putTx(tx, up.ID, &file, thumb); err != nil {
		return Upload{}, err
	}
	var rows []models.Attachment
	if err := tx.Where("upload_id = ?", up.ID).Order("id").Find(&rows).Error; err != nil {
		return Upload{}, err
	}
	up.Files = group(rows)
	for _, f := range up.Files {
		if f.ID == file.ID {
			up.File = f
		}
	}
	return up, nil
}

// putTx makes the rows of a file, and of its thumbnail if it has one, that wait under
// an upload.
func putTx(tx *gorm.DB, upload int64, file, thumb *models.Attachment) error {
	file.UploadID = &upload
	if err := tx.Create(file).Error; err != nil || thumb == nil {
		return err
	}
	thumb.UploadID, thumb.ParentID = &upload, &file.ID
	return tx.Create(thumb).Error
}

// keepBlobsTx strikes blobs that have been written off the list of those to be
// removed.
func keepBlobsTx(tx *gorm.DB, keys ...string) error {
	pending := tx.Where("key IN ? AND NOT doomed", keys).Delete(&models.BlobRemoval{})
	if pending.Error == nil && pending.RowsAffected < int64(len(keys)) { // a sweep has given them up
		return fault.New(fault.BadRequest, "The file took too long to come")
	}
	return pending.Error
}

// tokenTx locks the upload of the token, or makes one if token is empty.
func (s *Service) tokenTx(tx *gorm.DB, by auth.Actor, token string) (Upload, error) {
	if token != "" {
		u, err := s.findUploadTx(locking(tx), by, token)
		return Upload{Upload: u, Token: token}, err
	}
	up := s.newUpload(by)
	return up, tx.Create(&up.Upload).Error
}

// newUpload is one of by that is not kept yet.
func (s *Service) newUpload(by auth.Actor) Upload {
	now := s.now()
	up := Upload{Token: auth.NewToken()}
	up.TokenHash, up.CreatedAt, up.ExpiresAt = auth.Hash(up.Token), now, now.Add(s.options.Expiry)
	if !by.Anonymous() {
		id := by.ID()
		up.UserID = &id
	}
	return up
}

// locking makes adding to a token, taking it and deleting it wait for each other.
func locking(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.Locking{Strength: "UPDATE"}) }

// findUploadTx finds the upload that by may add to.
func (s *Service) findUploadTx(tx *gorm.DB, by auth.Actor, token string) (models.Upload, error) {
	var u models.Upload
	err := tx.Take(&u, "token_hash = ? AND expires_at > ? AND NOT of_images", auth.Hash(token), s.now()).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !isOf(u, by) {
		return u, fault.InvalidField("token", "is unknown, expired or used already")
	}
	return u, err
}

// isOf reports whether by made the upload. Of those made by nobody we know,
// the token itself is the proof.
func isOf(u models.Upload, by auth.Actor) bool { return u.UserID == nil || *u.UserID == by.ID() }

// DeleteUpload drops a token and its files, whose bytes go at the next Sweep.
// It fails with fault.NotFound also when the token is another's; an admin may
// drop anybody's.
func (s *Service) DeleteUpload(ctx context.Context, by auth.Actor, token string) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		var u models.Upload
		err := locking(tx).Take(&u, "token_hash = ? AND expires_at > ?", auth.Hash(token), s.now()).Error
		if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && !isOf(u, by) && !by.Admin() {
			return fault.New(fault.NotFound, "upload not found")
		}
		if err != nil {
			return err
		}
		var files []models.Attachment
		err = tx.Clauses(clause.Returning{}).Where("upload_id = ?", u.ID).Delete(&files).Error
		if err != nil {
			return err
		}
		if err := s.doomTx(tx, files); err != nil {
			return err
		}
		return tx.Delete(&u).Error
	})
}

// doomTx has the blobs of files removed once tx is committed. Thumbnails go
// with their pictures.
func (s *Service) doomTx(tx *gorm.DB, files []models.Attachment) error {
	var rows []models.BlobRemoval
	keys := map[string]bool{}
	for _, f := range files {
		if f.ParentID == nil && f.BlobKey != "" && !keys[f.BlobKey] {
			keys[f.BlobKey] = true
			rows = append(rows, models.BlobRemoval{Key: f.BlobKey, Doomed: true, DueAt: s.now()})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	// Files that share a blob may be dropped at the same time.
	again := clause.OnConflict{
		Columns:   []clause.Column{{Name: "account_id"}, {Name: "key"}},
		DoUpdates: clause.AssignmentColumns([]string{"doomed", "due_at"}),
	}
	if err := tx.Clauses(again).Create(&rows).Error; err != nil {
		return err
	}
	return s.sweepSoonTx(tx)
}
