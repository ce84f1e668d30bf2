package users

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
)

// Photo is what is to become of a user's picture: another one comes, or none.
type Photo struct {
	Files *attachments.Service
	New   *attachments.Photo // nil: none
}

// setTx puts the picture in the place of the user's, which goes. The user's row
// is the caller's to write; it holds the picture's own row, an attachments.File.
func (p *Photo) setTx(tx *gorm.DB, u *models.User) error {
	if p == nil || p.New == nil && u.PhotoID == nil {
		return nil
	}
	if u.PhotoID != nil {
		if _, err := p.Files.DropPhotosTx(tx, *u.PhotoID); err != nil {
			return err
		}
	}
	u.PhotoID, u.Photo = nil, nil
	if p.New == nil {
		return nil
	}
	file, err := p.New.PutTx(tx)
	u.PhotoID, u.Photo = &file.ID, models.ToJSON(file)
	return err
}
