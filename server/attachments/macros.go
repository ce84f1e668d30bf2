package attachments

import (
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// MaxOfMacro is how many files a macro may have.
const MaxOfMacro = 5

// OfMacro are the files of a macro, in the order they came.
func (s *Service) OfMacro(tx *gorm.DB, macro int64) ([]File, error) {
	var rows []models.Attachment
	err := tx.Where("macro_id = ?", macro).Order("id").Find(&rows).Error
	return group(rows), err
}

// RoomInMacro fails with fault.Invalid if a macro has MaxOfMacro files.
func (s *Service) RoomInMacro(tx *gorm.DB, macro int64) error {
	has, err := s.OfMacro(tx, macro)
	if err == nil && len(has) >= MaxOfMacro {
		err = tooManyOfMacro()
	}
	return err
}

func tooManyOfMacro() error {
	return fault.InvalidField("attachments", "may be no more than %d", MaxOfMacro)
}

// waiting are the uploads of a user that nothing has taken yet.
func waiting(tx *gorm.DB, by auth.Actor) *gorm.DB {
	return tx.Model(&models.Upload{}).Select("id").Where("account_id = ? AND user_id = ?", by.AccountID, by.ID())
}

// GiveMacroTx makes ids the files of a macro: those that by has uploaded, and
// those that it has; others that it has go, their bytes at the next Sweep after
// tx is committed. It fails with fault.Invalid for more than MaxOfMacro, and for
// an id of neither.
func (s *Service) GiveMacroTx(tx *gorm.DB, by auth.Actor, macro int64, ids []int64) error {
	has, err := s.OfMacro(tx, macro)
	if err != nil {
		return err
	}
	var its, fresh, gone models.IDs
	for _, f := range has {
		if slices.Contains(ids, f.ID) {
			its = append(its, f.ID)
		} else {
			gone = append(gone, f.ID)
		}
	}
	for _, id := range ids {
		if !slices.Contains(its, id) && !slices.Contains(fresh, id) {
			fresh = append(fresh, id)
		}
	}
	if len(its)+len(fresh) > MaxOfMacro {
		return tooManyOfMacro()
	}
	var taken []models.Attachment
	err = tx.Model(&taken).Clauses(clause.Returning{}).Where("(id = ANY(?) OR parent_id = ANY(?)) AND upload_id IN (?)", fresh, fresh, waiting(tx, by)).
		Updates(map[string]any{"macro_id": macro, "upload_id": nil}).Error
	if err != nil {
		return err
	}
	for _, id := range fresh {
		if !slices.ContainsFunc(taken, func(a models.Attachment) bool { return a.ID == id && a.ParentID == nil }) {
			return fault.InvalidField("attachments", "%d is not a file that you have uploaded", id)
		}
	}
	return s.dropTx(tx, "macro_id = ? AND (id = ANY(?) OR parent_id = ANY(?))", macro, gone, gone)
}

// DropOfMacrosTx removes the files of macros; see DropPhotosTx.
func (s *Service) DropOfMacrosTx(tx *gorm.DB, macros []int64) error {
	return s.dropTx(tx, "macro_id = ANY(?)", models.IDs(macros))
}

func (s *Service) dropTx(tx *gorm.DB, where string, args ...any) error {
	var files []models.Attachment
	if err := tx.Clauses(clause.Returning{}).Where(where, args...).Delete(&files).Error; err != nil {
		return err
	}
	return s.doomTx(tx, files)
}
