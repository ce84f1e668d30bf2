package attachments

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
)

// EraseTx takes away for good the files that the users put on comments, as
// RedactTx does, and drops those that wait for one, their photos and their user images.
// The bytes go at the next Sweep after tx is committed. It returns the files on comments, and how many
// files there were in all.
func (s *Service) EraseTx(tx *gorm.DB, users, photos []int64) (onComments []models.Attachment, n int, err error) {
	ids := models.IDs(users)
	var blobs []string
	err = tx.Model(&models.Attachment{}).Distinct().Where(`parent_id IS NULL AND NOT deleted AND
		comment_id IN (SELECT id FROM comments c WHERE c.account_id = attachments.account_id AND c.author_id = ANY(?::bigint[]))`, ids).
		Pluck("blob_key", &blobs).Error
	if err != nil {
		return nil, 0, err
	}
	if onComments, _, err = s.redactTx(tx, blobs); err != nil {
		return nil, 0, err
	}
	var waiting []models.Attachment
	err = tx.Clauses(clause.Returning{}).
		Where("upload_id IN (SELECT id FROM uploads u WHERE u.account_id = attachments.account_id AND u.user_id = ANY(?::bigint[]))", ids).
		Delete(&waiting).Error
	if err != nil {
		return nil, 0, err
	}
	if err := tx.Where("user_id = ANY(?::bigint[])", ids).Delete(&models.Upload{}).Error; err != nil {
		return nil, 0, err
	}
	if err := s.doomTx(tx, waiting); err != nil {
		return nil, 0, err
	}
	var images []int64
	if err := tx.Model(&models.UserImage{}).Where("user_id = ANY(?::bigint[])", ids).Pluck("attachment_id", &images).Error; err != nil {
		return nil, 0, err
	}
	dropped, err := s.DropPhotosTx(tx, append(images, photos...)...)
	return onComments, len(onComments) + len(waiting) + dropped, err
}
