package accounts

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/locales"
)

// Settings are the choices of an account that change what helpd does, by the
// sections and names of the API. A key that is absent from the stored document
// has its default, so that a setting that comes later needs no migration.
type Settings struct {
	API          APISettings          `json:"api"`
	Groups       GroupSettings        `json:"groups"`
	Limits       LimitSettings        `json:"limits"`
	Localization LocalizationSettings `json:"localization"`
	Tickets      TicketSettings       `json:"tickets"`
}

// APISettings say which credentials are accepted.
type APISettings struct {
	PasswordAccess bool `json:"api_password_access"`
	TokenAccess    bool `json:"api_token_access"`
}

// GroupSettings of groups.
type GroupSettings struct {
	UniqueNames bool `json:"check_group_name_uniqueness"`
}

// LimitSettings are sizes that are refused beyond.
type LimitSettings struct {
	AttachmentSize int64 `json:"attachment_size"` // bytes; 0: as large as the installation takes
}

// LocalizationSettings are the languages that the account offers.
type LocalizationSettings struct {
	LocaleIDs []int64 `json:"locale_ids"` // the first is the account's own
}

// TicketSettings change how tickets are saved.
type TicketSettings struct {
	AgentTicketDeletion    bool `json:"agent_ticket_deletion"`     // agents, not admins alone, may delete
	AnonymousRequests      bool `json:"anonymous_requests"`        // and uploads for them, by people who have not signed in
	AssignOnlyChoice       bool `json:"assign_only_choice"`        // the only group, and the only agent of a group, gets the ticket
	AssignTicketsUponSolve bool `json:"assign_tickets_upon_solve"` // to the agent who solves
	MarkdownTicketComments bool `json:"markdown_ticket_comments"`
	ModifyClosedTickets    bool `json:"modify_closed_tickets"` // by admins: tags, subject, priority, some fields
	PrivateAttachments     bool `json:"private_attachments"`   // downloads need a sign-in
	SignupRequired         bool `json:"signup_required"`       // or tickets of people who are not signed in are suspended
	StatusHold             bool `json:"status_hold"`
	SuspendLoggedOutUsers  bool `json:"suspend_logged_out_users"` // tickets in the name of a registered user, sent without signing in
}

// Default are the settings of a fresh account.
func Default() Settings {
	return Settings{
		API:          APISettings{PasswordAccess: true, TokenAccess: true},
		Localization: LocalizationSettings{LocaleIDs: []int64{1}},
		Tickets: TicketSettings{
			AgentTicketDeletion: true, AnonymousRequests: true, AssignTicketsUponSolve: true, ModifyClosedTickets: true, StatusHold: true,
		},
	}
}

// ReadSettings decodes an account's settings.
func ReadSettings(stored models.JSON) (Settings, error) {
	s := Default()
	if len(stored) == 0 {
		return s, nil
	}
	// Decoding into the default would otherwise write over its elements and
	// leave the rest of a shorter list standing.
	s.Localization.LocaleIDs = nil
	if err := json.Unmarshal(stored, &s); err != nil {
		return Settings{}, fmt.Errorf("read the account's settings: %w", err)
	}
	if s.Localization.LocaleIDs == nil {
		s.Localization.LocaleIDs = Default().Localization.LocaleIDs
	}
	return s, nil
}

// SettingsChange is what a caller asks of an account's settings. Nil fields are
// left alone.
type SettingsChange struct {
	PasswordAccess         *bool
	TokenAccess            *bool
	UniqueGroupNames       *bool
	LocaleIDs              []int64
	AgentTicketDeletion    *bool
	AnonymousRequests      *bool
	AssignOnlyChoice       *bool
	AssignTicketsUponSolve *bool
	MarkdownTicketComments *bool
	PrivateAttachments     *bool
	SignupRequired         *bool
	StatusHold             *bool
	SuspendLoggedOutUsers  *bool
}

// UpdateSettings changes the settings of the actor's account. It fails with
// fault.Invalid for a locale that does not exist and for an empty list of them.
// Remembered sign-ins are to be forgotten afterwards (auth.Service.Forget).
func UpdateSettings(ctx context.Context, db *gorm.DB, now time.Time, by auth.Actor, c SettingsChange) error {
	return db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := BumpTx(tx, by.AccountID); err != nil { // and hold the row
			return err
		}
		var account models.Account
		if err := tx.Take(&account, "id = ?", by.AccountID).Error; err != nil {
			return err
		}
		s, err := ReadSettings(account.Settings)
		if err != nil {
			return err
		}
		if err := c.apply(&s); err != nil {
			return err
		}
		account.Settings, account.UpdatedAt = models.ToJSON(s), now
		return tx.Select("settings", "updated_at").Updates(&account).Error
	})
}

func (c SettingsChange) apply(s *Settings) error {
	for to, from := range map[*bool]*bool{
		&s.API.PasswordAccess: c.PasswordAccess, &s.API.TokenAccess: c.TokenAccess, &s.Groups.UniqueNames: c.UniqueGroupNames,
		&s.Tickets.AgentTicketDeletion: c.AgentTicketDeletion, &s.Tickets.AnonymousRequests: c.AnonymousRequests, &s.Tickets.AssignTicketsUponSolve: c.AssignTicketsUponSolve,
		&s.Tickets.MarkdownTicketComments: c.MarkdownTicketComments, &s.Tickets.StatusHold: c.StatusHold,
		&s.Tickets.PrivateAttachments: c.PrivateAttachments, &s.Tickets.AssignOnlyChoice: c.AssignOnlyChoice,
		&s.Tickets.SignupRequired:        c.SignupRequired,
		&s.Tickets.SuspendLoggedOutUsers: c.SuspendLoggedOutUsers,
	} {
		if from != nil {
			*to = *from
		}
	}
	if c.LocaleIDs == nil {
		return nil
	}
	if len(c.LocaleIDs) == 0 {
		return fault.Blank("locale_ids")
	}
	for _, id := range c.LocaleIDs {
		if _, ok := locales.ByID(id); !ok {
			return fault.InvalidField("locale_ids", "%d is not a locale", id)
		}
	}
	s.Localization.LocaleIDs = c.LocaleIDs
	return nil
}

// ChangeSetUp runs a change of what the account has set up in a transaction, and
// has all readers of it read it anew. Changes of one account take turns. It fails
// as change does, or with fault.NotFound for the account.
func ChangeSetUp(ctx context.Context, db *gorm.DB, account int64, change func(tx *gorm.DB) error) error {
	return db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := BumpTx(tx, account); err != nil {
			return err
		}
		return change(tx)
	})
}

// BumpTx makes every later reader of the account's set-up read it anew. It is
// the first statement of whoever changes it, since its lock makes such changes
// take turns: two fields that claim one tag cannot both be saved.
func BumpTx(tx *gorm.DB, account int64) error {
	res := tx.Model(&models.Account{}).Where("id = ?", account).
		UpdateColumn("config_version", gorm.Expr("config_version + 1"))
	if res.Error == nil && res.RowsAffected == 0 {
		return fault.Missing("account", account)
	}
	return res.Error
}
