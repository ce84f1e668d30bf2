package helpcenter

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/segments"
)

// ofBrand is the condition of what belongs to the brand whose help center by asks, as
// column tells, and of nothing while that is closed to by. Where no request asks, it is
// of all brands. Every condition of what by may see has it.
func ofBrand(by auth.Actor, column string) (string, []any) {
	switch {
	case by.Brand.ID == 0:
		return "TRUE", nil
	case !by.Brand.Open(by):
		return "FALSE", nil
	}
	return column + " = ?", []any{by.Brand.ID}
}

// hereTx is tx for the records of the brand whose help center by changes.
func hereTx(tx *gorm.DB, by auth.Actor) *gorm.DB {
	of, args := ofBrand(by, "brand_id")
	return tx.Where(of, args...)
}

// SeenArticle is the condition of the articles a, in the language of the
// translation t, that by may see. Every way to an article leads through here:
//
//	articles AS a JOIN translations AS t ON t.account_id = a.account_id AND t.source_type = 'Article' AND t.source_id = a.id
//
// All are of the brand that is asked. Admins see all that is not archived. Agents see what they may edit. Others, and
// agents of the rest, see what is no draft, in sections that are open to them, of
// segments that they belong to. That a language is enabled is for the caller to look
// at, or for seenTx.
func SeenArticle(by auth.Actor) (string, []any) {
	there, args := ofBrand(by, "a.brand_id")
	there = "a.archived_at IS NULL AND " + there
	if by.Admin() {
		return there, args
	}
	closed, more := closedSections(by)
	args = append(args, more...)
	readers, more := segments.VisibleAny(by, "a.user_segment_ids")
	seen := "NOT t.draft AND a.section_id <> ALL(" + closed + ") AND " + readers
	args = append(args, more...)
	if !by.Staff() {
		return there + " AND " + seen, args
	}
	edits, more := edited(by)
	return there + " AND (" + seen + " OR " + edits + ")", append(args, more...)
}

// seenTx is SeenArticle in whatever language: those that are not enabled are the
// staff's alone.
func (s *Service) seenTx(tx *gorm.DB, by auth.Actor) (string, []any, error) {
	seen, args := SeenArticle(by)
	if by.Staff() {
		return seen, args, nil
	}
	l, err := s.localesTx(tx, by)
	return seen + " AND t.locale = ANY(?::text[])", append(args, models.Strings(l.Enabled)), err
}

// edited is the condition of the articles a that by, one of the staff, may edit:
// by their permission group, or because their section is everybody's to manage.
func edited(by auth.Actor) (string, []any) {
	edits, args := segments.Editable(by, "a.permission_group_id")
	return "(" + edits + ` OR EXISTS (SELECT FROM sections AS s
		WHERE s.account_id = a.account_id AND s.id = a.section_id AND s.manageable_by = 'staff'))`, args
}

// mayChangeTx fails with fault.Denied unless by may edit, or publish, articles of
// a permission group in a section.
func mayChangeTx(tx *gorm.DB, by auth.Actor, group, section int64, may func(*gorm.DB, auth.Actor, int64) (bool, error)) error {
	if !by.Staff() {
		return fault.Denied()
	}
	yes, err := may(tx, by, group)
	if err != nil || yes {
		return err
	}
	var n int64
	err = tx.Model(&models.Section{}).Where("id = ? AND manageable_by = ?", section, models.ManageableByStaff).Count(&n).Error
	if err == nil && n == 0 {
		return fault.Denied()
	}
	return err
}

// mayPublishTx fails with fault.Invalid, which names draft, unless by, who may
// edit an article, may publish it too.
func mayPublishTx(tx *gorm.DB, by auth.Actor, a models.Article) error {
	err := mayChangeTx(tx, by, a.PermissionGroupID, a.SectionID, segments.MayPublish)
	if fault.Is(err, fault.Forbidden) {
		return fault.InvalidField("draft", "must be true: you may edit the article and not publish it")
	}
	return err
}

// seenSection is the condition of the sections s that by may see.
func seenSection(by auth.Actor) (string, []any) {
	of, args := ofBrand(by, "s.brand_id")
	if by.Admin() {
		return of, args
	}
	closed, more := closedSections(by)
	return of + " AND s.id <> ALL(" + closed + ")", append(args, more...)
}

// seenCategory is the condition of the categories c that by may see.
func seenCategory(by auth.Actor) (string, []any) { return ofBrand(by, "c.brand_id") }

// closedSections are, as an array, the ids of the sections that by, who is no admin,
// may not see: those that are not open to him, and all that is in them. They are few.
// They are looked for by themselves, since PostgreSQL believes of a join that it
// leaves next to nothing, and then sorts all articles rather than go along the index
// of their order.
func closedSections(by auth.Actor) (string, []any) {
	open, args := openSection(by)
	return `ARRAY(WITH RECURSIVE closed AS (
		SELECT s.account_id, s.id FROM sections AS s WHERE s.account_id = ? AND s.restricted AND NOT (` + open + `)
		UNION SELECT s.account_id, s.id FROM closed JOIN sections AS s ON s.account_id = closed.account_id AND s.parent_section_id = closed.id)
		SELECT id FROM closed)`, append([]any{by.AccountID}, args...)
}

// openSection is the condition of the sections s that are open to by, who is no
// admin.
func openSection(by auth.Actor) (string, []any) {
	segment, args := segments.Visible(by, "s.user_segment_id")
	switch {
	case by.Anonymous():
		return segment + ` AND s.viewable_by = 'everybody' AND s.restricted_to_group_ids = '{}'
			AND s.restricted_to_organization_ids = '{}' AND s.required_tags = '{}'`, args
	case by.Staff():
		return segment + " AND " + openToStaff("?::bigint[]"), append(args, models.IDs(by.GroupIDs))
	}
	return segment + " AND " + openToReaders("?::text[]", "?"), append(args, by.User.Tags, by.ID())
}

// openToStaff is the condition of the sections s that are open to one of the staff, who
// is in groups, so far as no segment is concerned.
func openToStaff(groups string) string {
	return "(s.restricted_to_group_ids = '{}' OR s.restricted_to_group_ids && " + groups + ")"
}

// openToReaders is that for an end user with an id, who has tags.
func openToReaders(tags, id string) string {
	return `s.viewable_by <> 'staff' AND s.restricted_to_group_ids = '{}' AND s.required_tags <@ ` + tags + `
		AND (s.restricted_to_organization_ids = '{}' OR EXISTS (SELECT FROM organization_memberships AS m
			WHERE m.account_id = s.account_id AND m.user_id = ` + id + ` AND m.organization_id = ANY(s.restricted_to_organization_ids)))`
}

// openTo is the condition that the section of the article x, and all that it lies in,
// are open to a user u, as openSection is for one who asks.
var openTo = `(u.role = 'admin' OR NOT EXISTS (WITH RECURSIVE around AS (
		SELECT s.* FROM sections AS s WHERE s.account_id = x.account_id AND s.id = x.section_id
		UNION ALL SELECT s.* FROM around JOIN sections AS s ON s.account_id = around.account_id AND s.id = around.parent_section_id)
	SELECT FROM around AS s WHERE NOT (` + segments.VisibleTo("array_remove(ARRAY[s.user_segment_id], NULL)") + ` AND CASE WHEN u.role = 'agent'
		THEN ` + openToStaff("ARRAY(SELECT m.group_id FROM group_memberships AS m WHERE m.account_id = u.account_id AND m.user_id = u.id)") + `
		ELSE ` + openToReaders("u.tags", "u.id") + ` END)))`

// seenText is the condition of the translations t that by may see of what he
// sees in some language: drafts only of what he may edit.
func seenText(by auth.Actor) (string, []any) {
	switch {
	case by.Admin():
		return "TRUE", nil
	case !by.Staff():
		return "NOT t.draft", nil
	}
	edits, args := edited(by)
	return "(NOT t.draft OR EXISTS (SELECT FROM articles AS a WHERE a.account_id = t.account_id AND a.id = t.source_id AND " + edits + "))", args
}
