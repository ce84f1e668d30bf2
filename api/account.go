package api

import (
	"context"
	"strconv"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
)

type accountHandlers struct {
	auth        *auth.Service
	fields      *fields.Service
	attachments *attachments.Service
}

func (h accountHandlers) ShowAccountSettings(ctx context.Context, _ gen.ShowAccountSettingsRequestObject) (gen.ShowAccountSettingsResponseObject, error) {
	setUp, err := h.fields.SetUp(ctx, auth.From(ctx))
	if err != nil {
		return nil, err
	}
	settings, err := h.settingsJSON(ctx, setUp)
	return gen.ShowAccountSettings200JSONResponse{Settings: settings}, err
}

func (h accountHandlers) UpdateAccountSettings(ctx context.Context, r gen.UpdateAccountSettingsRequestObject) (gen.UpdateAccountSettingsResponseObject, error) {
	by := auth.From(ctx)
	setUp, err := h.fields.UpdateSettings(ctx, by, settingsChange(r.Body.Settings))
	if err != nil {
		return nil, err
	}
	h.auth.Forget(ctx, by.AccountID) // a kind of credentials may not be accepted any more
	settings, err := h.settingsJSON(ctx, setUp)
	return gen.UpdateAccountSettings200JSONResponse{Settings: settings}, err
}

func settingsChange(in gen.AccountSettingsInput) accounts.SettingsChange {
	var c accounts.SettingsChange
	if s := in.API; s != nil {
		c.PasswordAccess, c.TokenAccess = (*bool)(s.APIPasswordAccess), (*bool)(s.APITokenAccess)
	}
	if s := in.Groups; s != nil {
		c.UniqueGroupNames = (*bool)(s.CheckGroupNameUniqueness)
	}
	if s := in.Localization; s != nil && s.LocaleIds != nil {
		c.LocaleIDs = s.LocaleIds.Int64s()
	}
	if s := in.Tickets; s != nil {
		c.AgentTicketDeletion, c.AssignTicketsUponSolve = (*bool)(s.AgentTicketDeletion), (*bool)(s.AssignTicketsUponSolve)
		c.MarkdownTicketComments, c.StatusHold = (*bool)(s.MarkdownTicketComments), (*bool)(s.StatusHold)
		c.PrivateAttachments, c.AnonymousRequests = (*bool)(s.PrivateAttachments), (*bool)(s.AnonymousRequests)
		c.AssignOnlyChoice = (*bool)(s.AssignOnlyChoice)
		c.SignupRequired, c.SuspendLoggedOutUsers = (*bool)(s.SignupRequired), (*bool)(s.SuspendLoggedOutUsers)
	}
	return c
}

// settingsJSON has every section and member that clients know. Most stand for
// what helpd does not have and are false; clients ask for them to find out what
// they may use.
func (h accountHandlers) settingsJSON(ctx context.Context, setUp *fields.Config) (gen.AccountSettings, error) {
	largest, err := h.attachments.Limit(ctx, setUp.Account.ID)
	if err != nil {
		return nil, err
	}
	out := gen.AccountSettings{"limits": {"attachment_size": largest}}
	for section, names := range absent {
		out[section] = gen.SettingsSection{}
		for _, name := range names {
			out[section][name] = false
		}
	}
	for section, members := range given(setUp) {
		if out[section] == nil {
			out[section] = gen.SettingsSection{}
		}
		for name, value := range members {
			out[section][name] = value
		}
	}
	return out, nil
}

// given are the members that are not false.
func given(setUp *fields.Config) map[string]map[string]any {
	s := setUp.Settings
	return map[string]map[string]any{
		"active_features": {
			"allow_ccs": true, "automatic_answers": true, "business_hours": true, "csat_reason_code": true, "customer_satisfaction": true, "dynamic_contents": true,
			"light_agents": true, "markdown": s.Tickets.MarkdownTicketComments, "on_hold_status": s.Tickets.StatusHold,
			"organization_access_enabled": true, "ticket_forms": true, "ticket_tagging": true, "user_org_fields": true, "user_tagging": true,
		},
		"api": {
			"accepted_api_agreement": true, "api_password_access": strconv.FormatBool(s.API.PasswordAccess),
			"api_token_access": strconv.FormatBool(s.API.TokenAccess),
		},
		"billing":  {"backend": ""},
		"branding": {"favicon_url": nil, "header_color": "", "header_logo_url": nil, "page_background_color": "", "tab_background_color": "", "text_color": ""},
		"brands":   {"default_brand_id": setUp.DefaultBrand().ID},
		"cdn":      {"cdn_provider": "", "fallback_cdn_provider": "", "hosts": []any{}},
		"chat":     {"maximum_request_count": 0, "welcome_message": ""},
		"groups":   {"check_group_name_uniqueness": s.Groups.UniqueNames},
		"localization": {
			"locale_ids": s.Localization.LocaleIDs,
		},
		"lotus":      {"pod_id": 0},
		"metrics":    {"account_size": ""},
		"onboarding": {"checklist_onboarding_version": 0, "onboarding_segments": nil, "product_sign_up": nil},
		"routing": {
			"autorouting_tag": "", "max_email_capacity": 0, "max_messaging_capacity": 0,
			"reassignment_messaging_timeout": 0, "reassignment_talk_timeout": 0,
		},
		"rule":                    {"macro_order": "alphabetical", "skill_based_filtered_views": []any{}},
		"ticket_form":             {"raw_ticket_forms_instructions": "", "ticket_forms_instructions": ""},
		"ticket_sharing_partners": {"support_addresses": []any{}},
		"tickets": {
			"agent_ticket_deletion": s.Tickets.AgentTicketDeletion, "allow_group_reset": true, "assign_only_choice": s.Tickets.AssignOnlyChoice,
			"anonymous_requests": s.Tickets.AnonymousRequests, "assign_default_organization": true,
			"assign_tickets_upon_solve": s.Tickets.AssignTicketsUponSolve, "collaboration": true, "comments_public_by_default": true,
			"follower_and_email_cc_collaborations": true, "is_first_comment_private_enabled": true,
			"markdown_ticket_comments": s.Tickets.MarkdownTicketComments, "maximum_personal_views_to_list": 0,
			"private_attachments": s.Tickets.PrivateAttachments, "signup_required": s.Tickets.SignupRequired, "status_hold": s.Tickets.StatusHold,
			"suspend_logged_out_users": s.Tickets.SuspendLoggedOutUsers, "tagging": true,
		},
		"twitter": {"shorten_url": ""},
		"user":    {"multiple_organizations": true, "tagging": true},
		"voice":   {"maximum_queue_size": 0, "maximum_queue_wait_time": 0},
	}
}

// absent are the members that are false unless given has them.
var absent = map[string][]string{
	"active_features": {
		"advanced_analytics", "agent_forwarding", "allow_email_template_customization", "automatic_answers", "bcc_archiving",
		"benchmark_opt_out", "chat", "chat_about_my_ticket", "custom_dkim_domain", "customer_context_as_default", "explore",
		"explore_on_support_ent_plan", "explore_on_support_pro_plan", "facebook", "facebook_login", "fallback_composer", "forum_analytics",
		"good_data_and_explore", "google_login", "insights", "is_abusive", "rich_content_in_emails", "sandbox", "satisfaction_prediction",
		"suspended_ticket_notification", "topic_suggestion", "twitter", "twitter_login", "voice",
	},
	"agents": {
		"agent_home", "agent_workspace", "aw_self_serve_migration_enabled", "focus_mode", "idle_timeout_enabled", "unified_agent_statuses",
	},
	"apps":                        {"create_private", "create_public", "use"},
	"brands":                      {"require_brand_on_new_tickets"},
	"chat":                        {"available", "enabled", "integrated"},
	"cross_sell":                  {"show_chat_tooltip", "xsell_source"},
	"gooddata_advanced_analytics": {"enabled"},
	"google_apps":                 {"has_google_apps", "has_google_apps_admin"},
	"lotus":                       {"prefer_lotus", "reporting"},
	"routing":                     {"enabled", "reassignment_messaging_enabled"},
	"rule":                        {"macro_most_used", "using_skill_based_routing"},
	"side_conversations":          {"email_channel", "msteams_channel", "show_in_context_panel", "slack_channel", "tickets_channel"},
	"statistics":                  {"forum", "rule_usage", "search"},
	"tickets": {
		"accepted_new_collaboration_tos", "agent_collision", "agent_invitation_enabled", "auto_translation_enabled",
		"auto_updated_ccs_followers_rules", "chat_sla_enablement", "email_attachments", "emoji_autocompletion", "has_color_text",
		"light_agent_email_ccs_allowed", "list_empty_views", "list_newest_comments_first",
		"rich_text_comments", "using_skill_based_routing",
	},
	"user": {
		"agent_created_welcome_emails", "end_user_phone_number_validation", "have_gravatars_enabled", "language_selection", "time_zone_selection",
	},
	"voice": {
		"agent_confirmation_when_forwarding", "agent_wrap_up_after_calls", "enabled", "logging", "only_during_business_hours",
		"outbound_enabled", "recordings_public", "uk_mobile_forwarding",
	},
}
