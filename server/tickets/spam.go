package tickets

import (
	"context"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/users"
)

// MarkAsSpam deletes a ticket and suspends its requester, who must be an end
// user. It fails as Delete does, and with fault.Invalid for a requester who is an
// agent.
func (s *Service) MarkAsSpam(ctx context.Context, by auth.Actor, id int64) error {
	return s.inTx(ctx, func(tx *gorm.DB) error {
		sv, err := s.lockTx(tx, by, id)
		if err != nil {
			return err
		}
		var requester models.User
		if err := tx.Take(&requester, "id = ?", sv.before.RequesterID).Error; err != nil {
			return err
		}
		if requester.Staff() {
			return fault.InvalidField("requester", "%s is an agent and cannot be suspended", requester.Name)
		}
		sv.logEvent("marked_as_spam", nil)
		if err := sv.delete(); err != nil {
			return err
		}
		if !requester.Active || requester.Suspended {
			return nil
		}
		suspended := true
		_, err = s.users.Update(postgres.WithTx(ctx, tx), by, requester.ID, users.Change{Suspended: &suspended})
		return err
	})
}
