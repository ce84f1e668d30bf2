package attachments

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// maxPhoto is how large the photo of a user may be, in bytes.
const maxPhoto int64 = 5 << 20

// Photo is a picture that has come and waits to be somebody's.
type Photo struct {
	files *Service
	file  models.Attachment
	thumb *models.Attachment
}

// ReceivePhoto keeps a picture until PutTx makes it somebody's. It fails with
// fault.TooLarge, and with fault.Invalid for what is no picture that helpd can
// draw. Whatever is not put goes by itself.
func (s *Service) ReceivePhoto(ctx context.Context, by auth.Actor, in UploadInput) (*Photo, error) {
	if in.FileName = cleanName(in.FileName); in.FileName == "" {
		in.FileName = "photo"
	}
	in.thumbSide = photoSide
	limit, err := s.Limit(ctx, by.AccountID)
	if err != nil {
		return nil, err
	}
	key := newKey(by.AccountID)
	if err := s.expect(ctx, key); err != nil {
		return nil, err
	}
	file, thumb, err := s.receive(ctx, key, in, min(limit, maxPhoto))
	if err == nil && thumb == nil {
		err = fault.InvalidField("photo", "is not a picture: PNG, JPEG, GIF or WebP")
	}
	if err != nil {
		s.discard(ctx, key)
		return nil, err
	}
	return &Photo{s, file, thumb}, nil
}

// PutTx makes the rows of the picture, which are nobody's but for what refers to
// their id, and returns them.
func (p *Photo) PutTx(tx *gorm.DB) (File, error) {
	if err := keepBlobsTx(tx, p.file.BlobKey); err != nil {
		return File{}, err
	}
	if err := tx.Create(&p.file).Error; err != nil {
		return File{}, err
	}
	p.thumb.ParentID = &p.file.ID
	err := tx.Create(p.thumb).Error
	return File{Attachment: p.file, Thumbnails: []models.Attachment{*p.thumb}}, err
}

// PhotoChange is what is to become of the picture of a record: another one comes, or
// none.
type PhotoChange struct {
	Files *Service
	New   *Photo // nil: none
}

// SetTx puts the picture in the place of the record's, which goes: id is that of the
// record's picture, and kept holds the picture's own row, a File. The record's row is the
// caller's to write.
func (p *PhotoChange) SetTx(tx *gorm.DB, id **int64, kept *models.JSON) error {
	if p == nil || p.New == nil && *id == nil {
		return nil
	}
	if *id != nil {
		if _, err := p.Files.DropPhotosTx(tx, **id); err != nil {
			return err
		}
	}
	*id, *kept = nil, nil
	if p.New == nil {
		return nil
	}
	file, err := p.New.PutTx(tx)
	*id, *kept = &file.ID, models.ToJSON(file)
	return err
}

// TakePhotoTx makes a picture that by uploaded, and that is nobody's yet, one to put: it
// leaves its upload. It fails with fault.Invalid naming field for what is none.
func (s *Service) TakePhotoTx(tx *gorm.DB, by auth.Actor, field string, id int64) (File, error) {
	var files []models.Attachment
	err := locking(tx).Order("parent_id NULLS FIRST").
		Find(&files, `(id = ? AND parent_id IS NULL OR parent_id = ?) AND upload_id IN (SELECT u.id FROM uploads AS u
			WHERE u.account_id = ? AND u.user_id = ? AND u.expires_at > ? AND NOT u.of_images) AND NOT of_articles`, id, id, by.AccountID, by.ID(), s.now()).Error
	if err != nil {
		return File{}, err
	}
	if len(files) < 2 { // without a thumbnail it is no picture
		return File{}, fault.InvalidField(field, "%d is no picture that you have uploaded", id)
	}
	for i := range files {
		files[i].UploadID = nil
	}
	err = tx.Model(&models.Attachment{}).Where("id = ? OR parent_id = ?", id, id).Update("upload_id", nil).Error
	return File{Attachment: files[0], Thumbnails: files[1:]}, err
}

// DropPhotosTx removes pictures that were somebody's, photos and user images. The bytes go at the next
// Sweep after tx is committed. It returns how many there were.
func (s *Service) DropPhotosTx(tx *gorm.DB, ids ...int64) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	var files []models.Attachment
	err := tx.Clauses(clause.Returning{}).
		Where("(id IN ? OR parent_id IN ?) AND upload_id IS NULL AND comment_id IS NULL", ids, ids).Delete(&files).Error
	if err != nil {
		return 0, err
	}
	n := 0
	for _, f := range files {
		if f.ParentID == nil {
			n++
		}
	}
	return n, s.doomTx(tx, files)
}

// PhotoByToken finds the picture of an address, as ByToken does.
func (s *Service) PhotoByToken(ctx context.Context, token string) (models.Attachment, error) {
	a, err := s.ByToken(ctx, token)
	if err == nil && (a.UploadID != nil || a.CommentID != nil || a.MacroID != nil) {
		return models.Attachment{}, fault.Missing("photo", a.ID)
	}
	return a, err
}
