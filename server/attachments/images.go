package attachments

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// MaxImage is how large a user image may be, in bytes, as "User Images" in Zendesk's
// reference of the help center says.
const MaxImage = 2_000_000

// ImageTypes are the content types of user images: those that helpd can tell from what
// only says to be one.
var ImageTypes = slices.Sorted(maps.Keys(formats))

// OfferImage makes an upload that waits for a user image, for PutImage and then MakeImageTx.
// It expires as all uploads do.
func (s *Service) OfferImage(ctx context.Context, by auth.Actor) (Upload, error) {
	up := s.newUpload(by)
	up.OfImages = true
	return up, s.db.WithContext(ctx).Create(&up.Upload).Error
}

// PutImage keeps the picture that an upload of the context's account waits for, once. It fails with
// fault.NotFound for an upload that is gone, and with fault.BadRequest or fault.TooLarge for
// what is not a picture of that type and size, in bytes. A failure keeps nothing.
func (s *Service) PutImage(ctx context.Context, upload int64, contentType string, size int64, body io.Reader) error {
	if err := s.waitsTx(s.db.WithContext(ctx), upload); err != nil { // before the picture is read
		return err
	}
	key := newKey(postgres.Account(ctx))
	if err := s.expect(ctx, key); err != nil {
		return err
	}
	err := s.receiveImage(ctx, key, upload, contentType, size, body)
	if err != nil {
		s.discard(ctx, key)
	}
	return err
}

func (s *Service) receiveImage(ctx context.Context, key string, upload int64, contentType string, size int64, body io.Reader) error {
	in := UploadInput{FileName: "image" + ImageEnding(contentType), ContentType: contentType, Body: body}
	file, thumb, err := s.receive(ctx, key, in, size)
	switch {
	case err != nil:
		return err
	case file.Size != size:
		return fault.New(fault.BadRequest, "The image has %d bytes and not %d", file.Size, size)
	case file.ContentType != contentType || thumb == nil: // what can be drawn is a picture
		return fault.New(fault.BadRequest, "The body is no image of the type %s", contentType)
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := s.waitsTx(locking(tx), upload); err != nil {
			return err
		}
		if err := keepBlobsTx(tx, key); err != nil {
			return err
		}
		return putTx(tx, upload, &file, thumb)
	})
}

// waitsTx fails with fault.NotFound unless there is an upload of a user image, and with
// fault.BadRequest if it has one.
func (s *Service) waitsTx(tx *gorm.DB, upload int64) error {
	var u models.Upload
	err := tx.Take(&u, "id = ? AND of_images AND expires_at > ?", upload, s.now()).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Missing("upload", upload)
	}
	if err != nil {
		return err
	}
	var n int64
	err = tx.Session(&gorm.Session{NewDB: true}).Model(&models.Attachment{}).Where("upload_id = ?", upload).Count(&n).Error
	if err == nil && n > 0 {
		err = fault.New(fault.BadRequest, "The URL has been used already")
	}
	return err
}

// ImageEnding is that of the names of user images of a type: .png.
func ImageEnding(contentType string) string { return "." + strings.TrimPrefix(contentType, "image/") }

// MakeImageTx makes the picture that came under a token of by a user image, which is shown
// in a brand. It fails with fault.Invalid naming token.
func (s *Service) MakeImageTx(tx *gorm.DB, by auth.Actor, token string, brand int64) (models.Attachment, error) {
	var file models.Attachment
	var u models.Upload
	err := locking(tx).Take(&u, "token_hash = ? AND expires_at > ? AND of_images AND user_id = ?", auth.Hash(token), s.now(), by.ID()).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return file, fault.InvalidField("token", "is unknown, expired or used already")
	}
	if err != nil {
		return file, err
	}
	err = tx.Take(&file, "upload_id = ? AND parent_id IS NULL", u.ID).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return file, fault.InvalidField("token", "has no image yet, which is to be sent to the url of its upload")
	}
	if err != nil {
		return file, err
	}
	if err := tx.Model(&models.Attachment{}).Where("upload_id = ?", u.ID).Update("upload_id", nil).Error; err != nil {
		return file, err
	}
	if err := tx.Delete(&u).Error; err != nil {
		return file, err
	}
	return file, tx.Create(&models.UserImage{AttachmentID: file.ID, UserID: by.ID(), BrandID: brand, CreatedAt: s.now()}).Error
}

// ImageByToken finds the user image of an address, in whatever account it is, as ByToken
// does. It fails with fault.NotFound.
func (s *Service) ImageByToken(ctx context.Context, token string) (models.Attachment, error) {
	a, err := s.ByToken(ctx, token)
	if err != nil {
		return a, err
	}
	var n int64
	err = s.db.WithContext(postgres.WithAccount(ctx, a.AccountID)).Model(&models.UserImage{}).Where("attachment_id = ?", a.ID).Count(&n).Error
	if err == nil && n == 0 {
		err = fault.Missing("image", a.ID)
	}
	return a, err
}
