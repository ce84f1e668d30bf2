package attachments

import (
	"context"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

// CopyTx gives the files of comments to another comment, too, but for those that
// are redacted, and returns the copies. The bytes are shared: they stay until the
// last copy is redacted or dropped.
func (s *Service) CopyTx(tx *gorm.DB, comments []int64, ticketID, commentID int64) ([]File, error) {
	var rows []models.Attachment
	// The lock holds off whoever is about to drop the bytes.
	err := tx.Clauses(clause.Locking{Strength: "SHARE"}).Where("comment_id IN ? AND NOT deleted", comments).Order("id").Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	copies := map[int64]*models.Attachment{} // by the id of the original
	var out []models.Attachment
	for _, thumbnails := range []bool{false, true} {
		var part []*models.Attachment
		for _, row := range rows {
			if (row.ParentID != nil) != thumbnails {
				continue
			}
			c := row
			c.ID, c.Token, c.TicketID, c.CommentID, c.Inline = 0, auth.NewToken(), &ticketID, &commentID, false
			if thumbnails {
				parent, ok := copies[*row.ParentID]
				if !ok {
					continue
				}
				c.ParentID = &parent.ID
			}
			part, copies[row.ID] = append(part, &c), &c
		}
		if len(part) > 0 {
			if err := tx.Create(&part).Error; err != nil {
				return nil, err
			}
		}
		for _, c := range part {
			out = append(out, *c)
		}
	}
	return group(out), nil
}

// DropTx drops all files of a ticket. The bytes go at the next Sweep after tx is
// committed.
func (s *Service) DropTx(tx *gorm.DB, ticketID int64) error {
	var files []models.Attachment
	if err := tx.Clauses(clause.Returning{}).Where("ticket_id = ?", ticketID).Delete(&files).Error; err != nil {
		return err
	}
	return s.doomTx(tx, files)
}

// shared reports whether a file still refers to a blob that was to go; then the
// blob stays, and what told of its removal goes.
func (s *Service) shared(ctx context.Context, b models.BlobRemoval) (bool, error) {
	var shared bool
	err := s.db.WithContext(ctx).Raw("SELECT EXISTS (SELECT FROM attachments WHERE account_id = ? AND blob_key = ? AND blob_key <> '')",
		b.AccountID, b.Key).Row().Scan(&shared)
	if err != nil || !shared {
		return false, err
	}
	// Not if it is noted again since: the last file has just been dropped.
	return true, s.db.WithContext(ctx).Exec("DELETE FROM blob_removals WHERE account_id = ? AND key = ? AND due_at = ?", b.AccountID, b.Key, b.DueAt).Error
}
