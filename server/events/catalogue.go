package events

import (
	"slices"
	"strings"
)

// catalogue are the types of events that there are (contract webhooks.md §6), by
// what they are about.
var catalogue = map[string]string{
	"ticket": `agent_assignment_changed attachment_linked_to_comment attachment_redacted_from_comment brand_changed comment_added
		comment_made_private comment_redacted created csat_received csat_requested custom_field_changed custom_status_changed
		description_changed email_ccs_changed external_id_changed followers_changed form_changed group_assignment_changed
		marked_as_spam merged next_sla_breach_changed ola_policy_changed organization_changed permanently_deleted priority_changed
		problem_link_changed requester_changed schedule_changed sla_policy_changed soft_deleted status_changed subject_changed
		submitter_changed tags_changed task_due_at_changed type_changed undeleted`,
	"user": `active_changed alias_changed created custom_field_changed custom_role_changed default_group_changed deleted
		details_changed external_id_changed group_membership_created group_membership_deleted identity_changed identity_created
		identity_deleted last_login_changed merged name_changed notes_changed only_private_comments_changed
		organization_membership_created organization_membership_deleted password_changed photo_changed role_changed
		suspended_changed tags_changed time_zone_changed`,
	"organization": `created custom_field_changed deleted external_id_changed name_changed tags_changed`,
	"article": `author_changed comment_changed comment_created comment_published comment_unpublished published
		subscription_created unpublished vote_changed vote_created vote_removed`,
	"community_post": `created changed published unpublished subscription_created vote_created vote_changed vote_removed
		comment_created comment_changed comment_published comment_unpublished comment_vote_created comment_vote_changed`,
	"agent": `state_changed channel_created channel_deleted groups_updated max_capacity_changed work_item_added
		work_item_removed unified_state_changed`,
}

var known = func() map[string]bool {
	m := map[string]bool{}
	for kind, names := range catalogue {
		for name := range strings.FieldsSeq(names) {
			m[TypePrefix+kind+"."+name] = true
		}
	}
	return m
}()

// IsType reports whether there are events of a type, which is written with
// TypePrefix.
func IsType(name string) bool { return known[name] }

// Types are all types of events, with TypePrefix, in their order.
func Types() []string {
	all := make([]string, 0, len(known))
	for name := range known {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
