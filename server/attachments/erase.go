package attachments

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
)

// EraseTx takes away for good the files that the users put on comments, as
// RedactTx does, and drops those that wait for one, and their photos. The bytes go at the next
// Sweep after tx is committed. It returns the ids of the files on comments, and
// how many files there were in all.
func (s *Service) EraseTx(tx *gorm.DB, users, photos []int64) (onComments []int64, n int, err error) {
	const written = "comment_id IN (SELECT id FROM comments c WHERE c.account_id = attachments.account_id AND c.author_id = ANY(?::bigint[]))"
	ids := models.IDs(users)
	if err := tx.Where(written+" AND parent_id IS NOT NULL", ids).Delete(&models.Attachment{}).Error; err != nil {
		return nil, 0, err
	}
	var files []models.Attachment
	if err := locking(tx).Where(written+" AND NOT deleted", ids).Find(&files).Error; err != nil {
		return nil, 0, err
	}
	for _, f := range files {
		onComments = append(onComments, f.ID)
	}
	err = tx.Model(&models.Attachment{}).Where("id = ANY(?::bigint[])", models.IDs(onComments)).Updates(redacted).Error
	if err != nil {
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
	all := append(files, waiting...)
	if err := s.doomTx(tx, all); err != nil {
		return nil, 0, err
	}
	dropped, err := s.DropPhotosTx(tx, photos...)
	return onComments, len(all) + dropped, err
}
