package users

import (
	"encoding/json"
	"slices"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/locales"
)

// ErasedName is what a user who was deleted for good is called.
const ErasedName = "Permanently Deleted User"

// Known is all by which a person was known: what is to be looked for elsewhere.
type Known struct {
	Users     []int64  `json:"users"` // the person's own row, and those that were merged into it
	Names     []string `json:"names"`
	Addresses []string `json:"addresses"` // of e-mail
	Phones    []string `json:"phones"`
	Others    []string `json:"others"` // values of other identities, external ids
	Photos    []int64  `json:"photos"` // files
}

// EraseTx takes from a user who was deleted, and from those who were merged
// into that one, all that tells who it was, in the rows about the user and in
// the log of events, and returns what the person was known by. Agents may for
// end users, admins for everybody. It fails with fault.NotFound, also for one
// who is erased already, and with fault.Invalid for one who is not deleted, or
// was merged into somebody else.
func (s *Service) EraseTx(tx *gorm.DB, by auth.Actor, id int64) (models.User, Known, error) {
	u, err := take(tx.Clauses(clause.Locking{Strength: "UPDATE"}), id)
	switch {
	case !by.Staff():
		return u, Known{}, fault.Denied()
	case err != nil:
		return u, Known{}, err
	case u.PermanentlyDeleted:
		return u, Known{}, fault.Missing("deleted user", id)
	case u.Staff() && !by.Admin():
		return u, Known{}, fault.Denied()
	case u.Active:
		return u, Known{}, fault.Base(fault.CodeInvalid, "User: must be deleted before it can be deleted permanently")
	case u.MergedIntoID != nil:
		return u, Known{}, fault.Base(fault.CodeInvalid, "User: was merged into %d, with whom it is deleted permanently", *u.MergedIntoID)
	}
	rows, err := sameTx(tx, u)
	if err != nil {
		return u, Known{}, err
	}
	known, err := s.knownTx(tx, rows)
	if err != nil {
		return u, known, err
	}
	if err := s.blankTx(tx, u.AccountID, known.Users); err != nil {
		return u, known, err
	}
	u, err = take(tx, id)
	return u, known, err
}

// sameTx are the rows of one person: the user's own, and of those who were
// merged into the user, and into them.
func sameTx(tx *gorm.DB, u models.User) ([]models.User, error) {
	var ids []int64
	err := tx.Raw(`WITH RECURSIVE same AS (
			SELECT ?::bigint AS id UNION SELECT u.id FROM users u JOIN same ON u.merged_into_id = same.id WHERE u.account_id = ?)
		SELECT id FROM same`, u.ID, u.AccountID).Scan(&ids).Error
	if err != nil {
		return nil, err
	}
	var rows []models.User
	err = tx.Clauses(clause.Locking{Strength: "UPDATE"}).Order("id").Find(&rows, "id = ANY(?::bigint[])", models.IDs(ids)).Error
	return rows, err
}

// knownTx gathers what the rows tell, and what they told before: the log has
// the names and addresses that were given up.
func (s *Service) knownTx(tx *gorm.DB, rows []models.User) (Known, error) {
	var k Known
	for _, u := range rows {
		k.Users = append(k.Users, u.ID)
		if u.PhotoID != nil {
			k.Photos = append(k.Photos, *u.PhotoID)
		}
		k.add("name", u.Name)
		k.add("name", value(u.Alias))
		k.add(models.IdentityEmail, value(u.Email))
		k.add(models.IdentityPhone, value(u.Phone))
		k.add("external_id", value(u.ExternalID))
	}
	var identities []models.UserIdentity
	if err := tx.Find(&identities, "user_id = ANY(?::bigint[])", models.IDs(k.Users)).Error; err != nil {
		return k, err
	}
	for _, i := range identities {
		k.add(i.Type, i.Value)
	}
	log, err := tx.Raw("SELECT type, change FROM events WHERE account_id = ? AND subject_id = ANY(?::bigint[]) AND subject = ANY(?::text[])",
		rows[0].AccountID, models.IDs(k.Users), events.Subjects("user", k.Users)).Rows()
	if err != nil {
		return k, err
	}
	defer log.Close()
	for log.Next() {
		var kind string
		var change models.JSON
		if err := log.Scan(&kind, &change); err != nil {
			return k, err
		}
		k.addEvent(kind[len(events.TypePrefix):], change)
	}
	return k, log.Err()
}

func (k *Known) add(kind, text string) {
	list := &k.Others
	switch kind {
	case "name":
		list = &k.Names
	case models.IdentityEmail:
		list = &k.Addresses
	case models.IdentityPhone:
		list = &k.Phones
	}
	if text != "" && text != ErasedName && !slices.Contains(*list, text) {
		*list = append(*list, text)
	}
}

func (k *Known) addEvent(kind string, change models.JSON) {
	var texts struct{ Current, Previous string }
	var identities struct{ Identity, Current, Previous identityDetail }
	switch kind {
	case "user.name_changed", "user.alias_changed", "user.external_id_changed":
		if json.Unmarshal(change, &texts) != nil {
			return
		}
		of := "name"
		if kind == "user.external_id_changed" {
			of = "external_id"
		}
		k.add(of, texts.Current)
		k.add(of, texts.Previous)
	case "user.identity_created", "user.identity_changed", "user.identity_deleted", "user.identity_verification_requested":
		if json.Unmarshal(change, &identities) != nil {
			return
		}
		for _, i := range []identityDetail{identities.Identity, identities.Current, identities.Previous} {
			k.add(i.Type, i.Value)
		}
	}
}

// blankTx leaves ids and times of the rows, and of what the log tells of them.
func (s *Service) blankTx(tx *gorm.DB, account int64, ids []int64) error {
	all := models.IDs(ids)
	err := dropTx(tx, all, &models.UserIdentity{}, &models.OrganizationMembership{}, &models.GroupMembership{}, &models.TicketVisit{})
	if err != nil {
		return err
	}
	err = tx.Model(&models.User{}).Where("id = ANY(?::bigint[])", all).Updates(map[string]any{
		"name": ErasedName, "email": nil, "external_id": nil, "phone": nil, "shared_phone_number": nil, "alias": nil, "details": nil, "notes": nil,
		"signature": nil, "time_zone": "UTC", "locale": locales.Default, "tags": models.Strings{}, "user_fields": models.JSON("{}"),
		"organization_id": nil, "default_group_id": nil, "photo_id": nil, "photo": nil, "remote_photo_url": nil, "password_hash": nil, "last_login_at": nil,
		"verified": false, "permanently_deleted": true, "updated_at": s.stamp(),
	}).Error
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE "+events.Table+` SET changes = array_to_json(array_fill('{}'::json, ARRAY[cardinality(types)])), detail = (detail::jsonb || '{"email":"","external_id":""}')::json
		WHERE account_id = ? AND subject_id = ANY(?::bigint[]) AND subject = ANY(?::text[])`, account, all, events.Subjects("user", ids)).Error
}
