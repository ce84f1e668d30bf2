package helpcenter

import (
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

// seenArticle is the condition of the articles a, in the language of the
// translation t, that by may see. Every way to an article leads through here.
func seenArticle(by auth.Actor) (string, []any) {
	const there = "a.archived_at IS NULL"
	if by.Admin() {
		return there, nil
	}
	open, args := openSection(by)
	segments := "a.user_segment_ids = '{}'"
	if !by.Anonymous() {
		of, ofArgs := inSegment(by, "own.id")
		segments = "(a.user_segment_ids = '{}' OR EXISTS (SELECT FROM unnest(a.user_segment_ids) AS own(id) WHERE " + of + "))"
		args = append(args, ofArgs...)
	}
	// Sections that are closed to some are few: those are looked for, and not one
	// for each article.
	return there + ` AND NOT t.draft AND NOT EXISTS (SELECT FROM sections AS s
		WHERE s.account_id = a.account_id AND s.id = a.section_id AND NOT (` + open + ")) AND " + segments, args
}

// seenSection is the condition of the sections s that by may see.
func seenSection(by auth.Actor) (string, []any) {
	if by.Admin() {
		return "TRUE", nil
	}
	return openSection(by)
}

// openSection is the condition of the sections s that are open to by, who is no
// admin.
func openSection(by auth.Actor) (string, []any) {
	segment, args := inSegment(by, "s.user_segment_id")
	switch {
	case by.Anonymous():
		return segment + ` AND s.viewable_by = 'everybody' AND s.restricted_to_group_ids = '{}'
			AND s.restricted_to_organization_ids = '{}' AND s.required_tags = '{}'`, args
	case by.Staff():
		return segment + " AND (s.restricted_to_group_ids = '{}' OR s.restricted_to_group_ids && ?::bigint[])", append(args, models.IDs(by.GroupIDs))
	}
	return segment + ` AND s.viewable_by <> 'staff' AND s.restricted_to_group_ids = '{}' AND s.required_tags <@ ?::text[]
		AND (s.restricted_to_organization_ids = '{}' OR EXISTS (SELECT FROM organization_memberships AS m
			WHERE m.account_id = s.account_id AND m.user_id = ? AND m.organization_id = ANY(s.restricted_to_organization_ids)))`,
		append(args, by.User.Tags, by.ID())
}

// inSegment is the condition that by, who is no admin, belongs to the user
// segment whose id a column holds, or that it holds none.
func inSegment(_ auth.Actor, column string) (string, []any) {
	return column + " IS NULL", nil
}

// seenText is the condition of the translations t that by may see of what he
// sees at all.
func seenText(by auth.Actor) string {
	if by.Admin() {
		return "TRUE"
	}
	return "NOT t.draft"
}
