package rulebook

import (
	"context"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// MacroFiles are the files that a macro adds to comments. It fails with
// fault.NotFound.
func (s *Service) MacroFiles(ctx context.Context, by auth.Actor, macro int64) ([]attachments.File, error) {
	if _, err := s.Get(ctx, by, models.RuleMacro, macro); err != nil {
		return nil, err
	}
	return s.files.OfMacro(s.db.WithContext(ctx), macro)
}

// MacroFile is a file of a macro that by may see, or one that by has uploaded
// for a macro. It fails with fault.NotFound.
func (s *Service) MacroFile(ctx context.Context, by auth.Actor, id int64) (attachments.File, error) {
	none := func(context.Context, int64, int64) error { return fault.Missing("macro attachment", id) }
	f, err := s.files.Show(ctx, by, id, attachments.Seen{Comment: none, Macro: func(ctx context.Context, macro int64) error {
		_, err := s.Get(ctx, by, models.RuleMacro, macro)
		return err
	}})
	if err == nil && f.MacroID == nil && f.UploadID == nil {
		return attachments.File{}, fault.Missing("macro attachment", id)
	}
	return f, err
}

// AddMacroFile gives a macro a file, which is received once it is known that by
// may change the macro and that it has room. It fails as receive does, with fault.NotFound, with
// fault.Forbidden, with fault.Invalid if it has attachments.MaxOfMacro already,
// and as attachments.Service.Upload does.
func (s *Service) AddMacroFile(ctx context.Context, by auth.Actor, macro int64, receive func() (attachments.UploadInput, error)) (attachments.File, error) {
	r, err := s.Get(ctx, by, models.RuleMacro, macro)
	if err != nil {
		return attachments.File{}, err
	}
	if !MayChange(by, r) {
		return attachments.File{}, fault.Denied()
	}
	if err := s.files.RoomInMacro(s.db.WithContext(ctx), macro); err != nil {
		return attachments.File{}, err
	}
	in, err := receive()
	if err != nil {
		return attachments.File{}, err
	}
	up, err := s.files.Upload(ctx, by, in)
	if err != nil {
		return attachments.File{}, err
	}
	err = s.change(ctx, by, models.RuleMacro, func(tx *gorm.DB) error {
		if _, err := ownTx(tx, by, models.RuleMacro, []int64{macro}); err != nil {
			return err
		}
		has, err := s.files.OfMacro(tx, macro)
		if err != nil {
			return err
		}
		ids := []int64{up.File.ID}
		for _, f := range has {
			ids = append(ids, f.ID)
		}
		return s.files.GiveMacroTx(tx, by, macro, ids)
	})
	up.File.MacroID = &macro
	return up.File, err
}
