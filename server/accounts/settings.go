package accounts

import (
	"encoding/json"
	"fmt"

	"github.com/helpd/helpd/models"
)

// Settings are the choices of an account, by the sections and names of the API.
// A key that is absent from the stored document has its default, so that a
// setting that comes later needs no migration.
type Settings struct {
	API          APISettings          `json:"api"`
	Brands       BrandSettings        `json:"brands"`
	Groups       GroupSettings        `json:"groups"`
	Limits       LimitSettings        `json:"limits"`
	Localization LocalizationSettings `json:"localization"`
	Rule         RuleSettings         `json:"rule"`
	Tickets      TicketSettings       `json:"tickets"`
	User         UserSettings         `json:"user"`
}

// APISettings say which credentials are accepted.
type APISettings struct {
	PasswordAccess bool `json:"api_password_access"`
	TokenAccess    bool `json:"api_token_access"`
}

// BrandSettings of tickets.
type BrandSettings struct {
	RequireOnNewTickets bool `json:"require_brand_on_new_tickets"`
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

// RuleSettings of macros and views.
type RuleSettings struct {
	MacroMostUsed bool   `json:"macro_most_used"`
	MacroOrder    string `json:"macro_order"` // alphabetical, position
}

// TicketSettings change how tickets are saved and shown.
type TicketSettings struct {
	AgentTicketDeletion              bool `json:"agent_ticket_deletion"` // agents, not admins alone, may delete
	AllowGroupReset                  bool `json:"allow_group_reset"`
	AssignDefaultOrganization        bool `json:"assign_default_organization"`
	AssignTicketsUponSolve           bool `json:"assign_tickets_upon_solve"` // to the agent who solves
	Collaboration                    bool `json:"collaboration"`             // CCs are kept at all
	CommentsPublicByDefault          bool `json:"comments_public_by_default"`
	FollowerAndEmailCCCollaborations bool `json:"follower_and_email_cc_collaborations"`
	IsFirstCommentPrivateEnabled     bool `json:"is_first_comment_private_enabled"`
	ListNewestCommentsFirst          bool `json:"list_newest_comments_first"`
	MarkdownTicketComments           bool `json:"markdown_ticket_comments"`
	MaximumPersonalViewsToList       int  `json:"maximum_personal_views_to_list"`
	ModifyClosedTickets              bool `json:"modify_closed_tickets"` // by admins: tags, subject, priority, some fields
	PrivateAttachments               bool `json:"private_attachments"`   // downloads need a sign-in
	RichTextComments                 bool `json:"rich_text_comments"`
	StatusHold                       bool `json:"status_hold"`
	Tagging                          bool `json:"tagging"`
}

// UserSettings of people.
type UserSettings struct {
	EndUserPhoneNumberValidation bool `json:"end_user_phone_number_validation"`
	LanguageSelection            bool `json:"language_selection"`
	MultipleOrganizations        bool `json:"multiple_organizations"`
	Tagging                      bool `json:"tagging"`
	TimeZoneSelection            bool `json:"time_zone_selection"`
}

// Default are the settings of a fresh account.
func Default() Settings {
	return Settings{
		API:          APISettings{PasswordAccess: true, TokenAccess: true},
		Localization: LocalizationSettings{LocaleIDs: []int64{1}},
		Rule:         RuleSettings{MacroOrder: "alphabetical"},
		Tickets: TicketSettings{
			AgentTicketDeletion: true, AllowGroupReset: true, AssignDefaultOrganization: true, AssignTicketsUponSolve: true,
			Collaboration: true, CommentsPublicByDefault: true, FollowerAndEmailCCCollaborations: true,
			IsFirstCommentPrivateEnabled: true, MaximumPersonalViewsToList: 8, ModifyClosedTickets: true,
			RichTextComments: true, StatusHold: true, Tagging: true,
		},
		User: UserSettings{LanguageSelection: true, MultipleOrganizations: true, Tagging: true, TimeZoneSelection: true},
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
