package attachments

import (
	"cmp"
	"context"
	"slices"

	"gocloud.dev/gcerrors"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// SuspendTx moves the files under the tokens to a suspended ticket, as ClaimTx
// does to a comment.
func (s *Service) SuspendTx(tx *gorm.DB, tokens []string, suspendedID int64) ([]File, error) {
	return s.claimTx(tx, tokens, map[string]any{"suspended_ticket_id": suspendedID})
}

// RecoverTx moves the files of a suspended ticket to a comment.
func (s *Service) RecoverTx(tx *gorm.DB, suspendedID, ticketID, commentID int64) ([]File, error) {
	var rows []models.Attachment
	err := tx.Model(&rows).Clauses(clause.Returning{}).Where("suspended_ticket_id = ?", suspendedID).
		Updates(map[string]any{"ticket_id": ticketID, "comment_id": commentID, "suspended_ticket_id": nil}).Error
	slices.SortFunc(rows, func(a, b models.Attachment) int { return cmp.Compare(a.ID, b.ID) })
	return group(rows), err
}

// OfSuspended returns the files of suspended tickets, in the order they came.
// One without any is not in the map.
func (s *Service) OfSuspended(ctx context.Context, ids []int64) (map[int64][]File, error) {
	files := map[int64][]File{}
	if len(ids) == 0 {
		return files, nil
	}
	var rows []models.Attachment
	if err := s.db.WithContext(ctx).Where("suspended_ticket_id IN ?", ids).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	for _, f := range group(rows) {
		files[*f.SuspendedTicketID] = append(files[*f.SuspendedTicketID], f)
	}
	return files, nil
}

// CopySuspended puts copies of a suspended ticket's files under a new token, so
// that they outlive the ticket. There may be none. It fails with fault.NotFound
// when a file is gone from the blob store.
func (s *Service) CopySuspended(ctx context.Context, by auth.Actor, suspendedID int64) (Upload, error) {
	found, err := s.OfSuspended(ctx, []int64{suspendedID})
	if err != nil {
		return Upload{}, err
	}
	files := found[suspendedID]
	keys := make([]string, len(files))
	for i := range files {
		keys[i] = newKey(by.AccountID)
	}
	if len(keys) > 0 {
		if err := s.expect(ctx, keys...); err != nil {
			return Upload{}, err
		}
	}
	var up Upload
	err = s.copyBlobs(ctx, files, keys)
	if err == nil {
		err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			up, err = s.keepCopiesTx(tx, by, files, keys)
			return err
		})
	}
	if err != nil {
		for _, key := range keys {
			s.discard(ctx, key)
		}
	}
	return up, err
}

// copyBlobs copies the bytes of files, and of their thumbnails, to new keys.
func (s *Service) copyBlobs(ctx context.Context, files []File, keys []string) error {
	for i, f := range files {
		from, to := []string{f.BlobKey}, []string{keys[i]}
		if len(f.Thumbnails) > 0 {
			from, to = append(from, f.Thumbnails[0].BlobKey), append(to, thumbKey(keys[i]))
		}
		for j := range from {
			err := s.bucket.Copy(ctx, to[j], from[j], nil)
			if gcerrors.Code(err) == gcerrors.NotFound {
				return fault.Missing("Attachment", f.ID)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// keepCopiesTx makes the rows of copies whose bytes are there.
func (s *Service) keepCopiesTx(tx *gorm.DB, by auth.Actor, files []File, keys []string) (Upload, error) {
	up, err := s.tokenTx(tx, by, "")
	if err != nil || len(files) == 0 {
		return up, err
	}
	if err := keepBlobsTx(tx, keys...); err != nil {
		return up, err
	}
	rows, thumbs := make([]models.Attachment, len(files)), []models.Attachment(nil)
	for i, f := range files {
		rows[i] = s.copyOf(f.Attachment, up.ID, keys[i])
	}
	if err := tx.Create(&rows).Error; err != nil {
		return up, err
	}
	for i, f := range files {
		for _, t := range f.Thumbnails {
			thumb := s.copyOf(t, up.ID, thumbKey(keys[i]))
			thumb.ParentID = &rows[i].ID
			thumbs = append(thumbs, thumb)
		}
	}
	if len(thumbs) > 0 {
		if err := tx.Create(&thumbs).Error; err != nil {
			return up, err
		}
	}
	up.Files = group(append(rows, thumbs...))
	return up, nil
}

// copyOf is the row of a file's copy under an upload.
func (s *Service) copyOf(a models.Attachment, upload int64, key string) models.Attachment {
	a.ID, a.Token, a.BlobKey, a.UploadID = 0, auth.NewToken(), key, &upload
	a.SuspendedTicketID, a.ParentID, a.CreatedAt = nil, nil, s.now()
	return a
}
