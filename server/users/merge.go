package users

import (
	"context"
	"slices"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
)

// MergeTx merges a user into another: identities, memberships, subscriptions,
// tags and uploads move, and what the winner has none of (phone number, external
// id, photo, alias, notes, details) is taken over. The loser is deleted. tickets
// moves the tickets, while both still have what they had. It returns the winner.
// See merging.Service.Users for what fails.
func (s *Service) MergeTx(tx *gorm.DB, by auth.Actor, loserID, winnerID int64, tickets func(tx *gorm.DB) error) (models.User, error) {
	loserBefore, winnerBefore, err := pairTx(tx, by, loserID, winnerID)
	if err != nil {
		return winnerBefore, err
	}
	if err := tickets(tx); err != nil {
		return winnerBefore, err
	}
	now := s.stamp()
	loser, winner := subject{User: loserBefore}, subject{User: winnerBefore}
	loser.UpdatedAt, winner.UpdatedAt = now, now
	for _, step := range []func() error{
		func() error { return moveIdentitiesTx(tx, &loser, &winner) },
		func() error { return s.moveMembershipsTx(tx, &loser, &winner) },
		func() error { return moveOwnTx(tx, &loser, &winner) },
		func() error {
			if winner.PhotoID == nil { // it is inherited
				loser.PhotoID, loser.Photo = nil, nil
			}
			return s.endTx(tx, by, &loser, winner.ID)
		},
	} {
		if err := step(); err != nil {
			return winnerBefore, err
		}
	}
	inherit(&winner.User, loserBefore)
	err = tx.Model(&models.User{}).Where("id = ?", winner.ID).Select("*").Omit("account_id", "id", "created_at").Updates(&winner.User).Error
	if err != nil {
		return winnerBefore, err
	}
	winner.noteChanges(winnerBefore)
	winner.note("merged", events.Changed{Current: events.ID(winner.ID), Previous: events.ID(loser.ID)})
	return winner.User, s.recordTx(tx, by, &winner)
}

// pairTx locks both users, in the order of their ids, and holds them against
// the rules.
func pairTx(tx *gorm.DB, by auth.Actor, loserID, winnerID int64) (loser, winner models.User, err error) {
	if err := maySee(by, loserID); err != nil {
		return loser, winner, err
	}
	var both []models.User
	err = tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).Order("id").Find(&both, "id IN ? AND active", []int64{loserID, winnerID}).Error
	if err != nil {
		return loser, winner, err
	}
	for _, u := range both {
		if u.ID == loserID {
			loser = u
		}
		if u.ID == winnerID {
			winner = u
		}
	}
	switch {
	case loser.ID == 0:
		return loser, winner, fault.Missing("user", loserID)
	case winner.ID == 0:
		return loser, winner, fault.InvalidField("id", "%d is not a user", winnerID)
	case loser.ID == winner.ID:
		return loser, winner, fault.Base(fault.CodeInvalid, "User: cannot be merged into itself")
	case loser.Staff():
		return loser, winner, fault.Base(fault.CodeInvalid, "User: is an agent; only end users can be merged into others")
	case by.Staff() && !by.Admin() && winner.Staff():
		return loser, winner, fault.Denied()
	}
	return loser, winner, nil
}

// moveIdentitiesTx gives the winner all identities of the loser. Those of a
// type of which the winner has none keep their place as the first.
func moveIdentitiesTx(tx *gorm.DB, loser, winner *subject) error {
	have, err := identitiesOf(tx, winner.ID)
	if err != nil {
		return err
	}
	moved, err := identitiesOf(tx, loser.ID)
	if err != nil || len(moved) == 0 {
		return err
	}
	first := map[string]bool{}
	for _, i := range have {
		first[i.Type] = first[i.Type] || i.Primary
	}
	err = tx.Exec(`UPDATE user_identities SET user_id = ?, updated_at = ?, "primary" = "primary" AND NOT type = ANY(?::text[])
		WHERE account_id = ? AND user_id = ?`, winner.ID, winner.UpdatedAt, models.Strings(keysOf(first)), winner.AccountID, loser.ID).Error
	for _, i := range moved {
		loser.note("identity_deleted", identityRef{identityOf(i)})
		i.Primary = i.Primary && !first[i.Type]
		winner.note("identity_created", identityRef{identityOf(i)})
		if i.Type == models.IdentityEmail && i.Primary {
			winner.Email = &i.Value
		}
		winner.Verified = winner.Verified || i.Verified
	}
	return err
}

func keysOf(m map[string]bool) []string {
	out := []string{}
	for key, set := range m {
		if set {
			out = append(out, key)
		}
	}
	return out
}

// moveMembershipsTx makes the winner a member of the loser's organizations. The
// loser's default stays one only for a winner who had none.
func (s *Service) moveMembershipsTx(tx *gorm.DB, loser, winner *subject) error {
	var gone []models.OrganizationMembership
	if err := tx.Clauses(clause.Returning{}).Where("user_id = ?", loser.ID).Delete(&gone).Error; err != nil {
		return err
	}
	slices.SortFunc(gone, func(a, b models.OrganizationMembership) int {
		if a.Default != b.Default && a.Default {
			return -1
		}
		return int(a.ID - b.ID)
	})
	ids := make([]int64, len(gone))
	for i, m := range gone {
		loser.note("organization_membership_deleted", organizationRef{ref{events.ID(m.OrganizationID)}})
		ids[i] = m.OrganizationID
	}
	loser.OrganizationID = nil
	if winner.OrganizationID == nil && len(ids) > 0 {
		if err := s.setOrganizationTx(tx, winner, nullable.NewNullableWithValue(ids[0])); err != nil {
			return err
		}
	}
	if err := s.joinAllTx(tx, winner, ids); err != nil {
		return err
	}
	// Who could see the organization's tickets still can.
	var seen models.IDs
	for _, m := range gone {
		if m.ViewTickets {
			seen = append(seen, m.OrganizationID)
		}
	}
	if len(seen) == 0 {
		return nil
	}
	return tx.Exec("UPDATE organization_memberships SET view_tickets = true WHERE account_id = ? AND user_id = ? AND organization_id = ANY(?)",
		winner.AccountID, winner.ID, seen).Error
}

// joinAllTx adds the memberships that a user who has a default one lacks.
func (s *Service) joinAllTx(tx *gorm.DB, u *subject, organizations []int64) error {
	var added []int64
	err := tx.Raw(`INSERT INTO organization_memberships (account_id, user_id, organization_id, "default", view_tickets, created_at, updated_at)
		SELECT ?, ?, id, false, false, ?, ? FROM unnest(?::bigint[]) AS id
		ON CONFLICT (account_id, user_id, organization_id) DO NOTHING RETURNING organization_id`,
		u.AccountID, u.ID, u.UpdatedAt, u.UpdatedAt, models.IDs(organizations)).Scan(&added).Error
	for _, id := range added {
		u.note("organization_membership_created", organizationRef{ref{events.ID(id)}})
	}
	return err
}

// moveOwnTx moves what else belongs to the loser.
func moveOwnTx(tx *gorm.DB, loser, winner *subject) error {
	for _, statement := range []string{
		`UPDATE organization_subscriptions s SET user_id = @to WHERE account_id = @account AND user_id = @from AND NOT EXISTS (
			SELECT FROM organization_subscriptions o WHERE o.account_id = @account AND o.user_id = @to AND o.organization_id = s.organization_id)`,
		`UPDATE uploads SET user_id = @to WHERE account_id = @account AND user_id = @from`,
		`UPDATE user_images SET user_id = @to WHERE account_id = @account AND user_id = @from`,
		`UPDATE satisfaction_ratings SET requester_id = @to WHERE account_id = @account AND requester_id = @from`,
		`UPDATE skips SET user_id = @to WHERE account_id = @account AND user_id = @from`, // of one who was an agent
		`UPDATE suspended_tickets SET author_id = @to WHERE account_id = @account AND author_id = @from`,
		`UPDATE article_comments SET author_id = @to WHERE account_id = @account AND author_id = @from`,
		`UPDATE article_comments SET non_author_editor_id = @to WHERE account_id = @account AND non_author_editor_id = @from`,
		`UPDATE content_subscriptions v SET user_id = @to WHERE account_id = @account AND user_id = @from AND NOT EXISTS (
			SELECT FROM content_subscriptions o WHERE o.account_id = @account AND o.user_id = @to AND o.content_type = v.content_type AND o.content_id = v.content_id)`,
		`UPDATE user_subscriptions v SET follower_id = @to WHERE account_id = @account AND follower_id = @from AND followed_id <> @to AND NOT EXISTS (
			SELECT FROM user_subscriptions o WHERE o.account_id = @account AND o.follower_id = @to AND o.followed_id = v.followed_id)`,
		`UPDATE user_subscriptions v SET followed_id = @to WHERE account_id = @account AND followed_id = @from AND follower_id <> @to AND NOT EXISTS (
			SELECT FROM user_subscriptions o WHERE o.account_id = @account AND o.followed_id = @to AND o.follower_id = v.follower_id)`,
		// Of two votes on one thing the winner's stays.
		`WITH gone AS (DELETE FROM votes v WHERE account_id = @account AND user_id = @from AND EXISTS (
				SELECT FROM votes o WHERE o.account_id = @account AND o.user_id = @to AND o.item_type = v.item_type AND o.item_id = v.item_id)
				RETURNING item_type, item_id, value),
			less AS (UPDATE articles a SET vote_sum = vote_sum - g.value, vote_count = vote_count - 1 FROM gone g
				WHERE a.account_id = @account AND a.id = g.item_id AND g.item_type = 'Article')
			UPDATE article_comments c SET vote_sum = vote_sum - g.value, vote_count = vote_count - 1 FROM gone g
				WHERE c.account_id = @account AND c.id = g.item_id AND g.item_type = 'Comment'`,
		`UPDATE votes SET user_id = @to WHERE account_id = @account AND user_id = @from`,
		`UPDATE deflections SET user_id = @to WHERE account_id = @account AND user_id = @from`,
		`UPDATE autoreplies SET actor_id = @to WHERE account_id = @account AND actor_id = @from AND due_at IS NOT NULL`,
		`UPDATE user_segments SET added_user_ids = array_append(array_remove(array_remove(added_user_ids, @from), @to), @to)
			WHERE account_id = @account AND @from = ANY(added_user_ids)`,
	} {
		err := tx.Exec(statement, map[string]any{"account": loser.AccountID, "from": loser.ID, "to": winner.ID}).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// endTx deletes a user who was merged into another. Nothing stays by which
// somebody could be known that the other has now.
func (s *Service) endTx(tx *gorm.DB, by auth.Actor, u *subject, into int64) error {
	before := u.User
	if err := dropTx(tx, models.IDs{u.ID}); err != nil {
		return err
	}
	u.Active, u.DeletedAt, u.PasswordHash, u.MergedIntoID = false, &u.UpdatedAt, nil, &into
	u.Email, u.Phone, u.SharedPhoneNumber, u.ExternalID, u.RemotePhotoURL = nil, nil, nil, nil, nil
	err := tx.Model(&models.User{}).Where("id = ?", u.ID).Select("*").Omit("account_id", "id", "created_at").Updates(&u.User).Error
	if err != nil {
		return err
	}
	u.noteChanges(before)
	u.note("deleted", struct{}{})
	return s.recordTx(tx, by, u)
}

// inherit gives the winner what only the loser had, and the tags of both.
func inherit(winner *models.User, loser models.User) {
	for _, f := range []struct {
		has *string
		set func()
	}{
		{winner.Phone, func() { winner.Phone, winner.SharedPhoneNumber = loser.Phone, loser.SharedPhoneNumber }},
		{winner.ExternalID, func() { winner.ExternalID = loser.ExternalID }},
		{winner.Alias, func() { winner.Alias = loser.Alias }},
		{winner.Details, func() { winner.Details = loser.Details }},
		{winner.Notes, func() { winner.Notes = loser.Notes }},
		{winner.RemotePhotoURL, func() { winner.RemotePhotoURL = loser.RemotePhotoURL }},
	} {
		if f.has == nil {
			f.set()
		}
	}
	if winner.PhotoID == nil {
		winner.PhotoID, winner.Photo = loser.PhotoID, loser.Photo
	}
	winner.Tags = append(slices.Clone(winner.Tags), addedTags(winner.Tags, loser.Tags)...)
}

// Forget has the sign-ins of an account read again, and the passwords of users
// computed again, when they come next.
func (s *Service) Forget(ctx context.Context, account int64, users ...int64) {
	s.auth.Forget(ctx, account)
	s.auth.ForgetPasswords(ctx, account, users...)
}
