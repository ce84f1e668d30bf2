package attachments

import (
	"context"
	"errors"
	"regexp"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// ClaimTx moves the files under the tokens to a comment, in the order they
// came, and uses the tokens up. Whoever has a token may use it: a visitor
// uploads before he signs in. Tokens that are unknown, expired or used already
// are passed over.
func (s *Service) ClaimTx(tx *gorm.DB, _ auth.Actor, tokens []string, ticketID, commentID int64) ([]File, error) {
	return s.claimTx(tx, tokens, map[string]any{"ticket_id": ticketID, "comment_id": commentID})
}

// claimTx gives the files under the tokens the columns of their new owner.
func (s *Service) claimTx(tx *gorm.DB, tokens []string, owner map[string]any) ([]File, error) {
	if len(tokens) == 0 {
		return nil, nil
	}
	hashes := make([][]byte, len(tokens))
	for i, t := range tokens {
		hashes[i] = auth.Hash(t)
	}
	var uploads []int64
	// In the order of ids, so that two comments with the same tokens wait for
	// each other and do not deadlock.
	err := locking(tx).Model(&models.Upload{}).Where("token_hash IN ? AND expires_at > ? AND NOT of_images", hashes, s.now()).
		Order("id").Pluck("id", &uploads).Error
	if err != nil || len(uploads) == 0 {
		return nil, err
	}
	if err := tx.Model(&models.Attachment{}).Where("upload_id IN ?", uploads).Updates(owner).Error; err != nil {
		return nil, err
	}
	var rows []models.Attachment
	if err := tx.Where("upload_id IN ?", uploads).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	if err := tx.Model(&models.Attachment{}).Where("upload_id IN ?", uploads).Update("upload_id", nil).Error; err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].UploadID = nil
	}
	return group(rows), tx.Where("id IN ?", uploads).Delete(&models.Upload{}).Error
}

// shown finds the tokens of the files whose contents HTML shows, which a mere
// link to them does not.
var shown = regexp.MustCompile(`\ssrc="[^"]*/attachments/token/([0-9A-Za-z]+)`)

// InlineTx marks those of a comment's files that its sanitised HTML shows
// within the text, in the rows and in files.
func (s *Service) InlineTx(tx *gorm.DB, files []File, html string) error {
	if len(files) == 0 {
		return nil
	}
	tokens := map[string]bool{}
	for _, match := range shown.FindAllStringSubmatch(html, -1) {
		tokens[match[1]] = true
	}
	var inline []int64
	for i := range files {
		if tokens[files[i].Token] {
			files[i].Inline = true
			inline = append(inline, files[i].ID)
		}
	}
	if len(inline) == 0 {
		return nil
	}
	return tx.Model(&models.Attachment{}).Where("id IN ?", inline).Update("inline", true).Error
}

// OfComments returns the files of comments, in the order they came. A comment
// without any is not in the map.
func (s *Service) OfComments(ctx context.Context, db *gorm.DB, commentIDs []int64) (map[int64][]File, error) {
	files := map[int64][]File{}
	if len(commentIDs) == 0 {
		return files, nil
	}
	var rows []models.Attachment
	if err := db.WithContext(ctx).Where("comment_id IN ?", commentIDs).Order("id").Find(&rows).Error; err != nil {
		return nil, err
	}
	for _, f := range group(rows) {
		files[*f.CommentID] = append(files[*f.CommentID], f)
	}
	return files, nil
}

// Redacted is what a redacted file is called.
const Redacted = "redacted.txt"

// RedactTx takes the contents of a comment's file away for good, with its
// thumbnails, and returns the file as it was. So goes each copy of it that a merge
// has given to another ticket; these are returned too. The bytes go at the next
// Sweep after tx is committed. A file that is redacted already stays as it is. It
// fails with fault.NotFound.
func (s *Service) RedactTx(tx *gorm.DB, ticketID, commentID, id int64) (before File, copies []models.Attachment, err error) {
	var row models.Attachment
	err = tx.Take(&row, "id = ? AND ticket_id = ? AND comment_id = ? AND parent_id IS NULL", id, ticketID, commentID).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return File{}, nil, fault.Missing("Attachment", id)
	}
	before = File{Attachment: row}
	if err != nil || row.Deleted {
		return before, nil, err
	}
	files, thumbnails, err := s.redactTx(tx, []string{row.BlobKey})
	if err != nil {
		return before, nil, err
	}
	for _, t := range thumbnails {
		if *t.ParentID == id {
			before.Thumbnails = append(before.Thumbnails, t)
		}
	}
	for _, f := range files {
		if f.ID != id {
			copies = append(copies, f)
		}
	}
	return before, copies, nil
}

// redactTx redacts all files of comments that have the bytes of blobs. It returns
// them as they were, and their thumbnails, which are gone.
func (s *Service) redactTx(tx *gorm.DB, blobs []string) (files, thumbnails []models.Attachment, err error) {
	err = locking(tx).Where("blob_key = ANY(?::text[]) AND blob_key <> '' AND comment_id IS NOT NULL AND parent_id IS NULL", models.Strings(blobs)).
		Order("id").Find(&files).Error
	if err != nil || len(files) == 0 {
		return nil, nil, err
	}
	ids := make(models.IDs, len(files))
	for i, f := range files {
		ids[i] = f.ID
	}
	if err := tx.Clauses(clause.Returning{}).Where("parent_id = ANY(?::bigint[])", ids).Delete(&thumbnails).Error; err != nil {
		return nil, nil, err
	}
	if err := tx.Model(&models.Attachment{}).Where("id = ANY(?::bigint[])", ids).Updates(redacted).Error; err != nil {
		return nil, nil, err
	}
	return files, thumbnails, s.doomTx(tx, files)
}

// redacted is what is left of a file's row.
var redacted = map[string]any{
	"file_name": Redacted, "content_type": plainText, "charset": "", "size": 0, "width": nil, "height": nil,
	"deleted": true, "blob_key": "",
}
