package segments

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/server/auth"
)

// facts is what segments ask of a user u, found once for all of them.
const facts = `CROSS JOIN LATERAL (SELECT
	ARRAY(SELECT m.group_id FROM group_memberships m WHERE m.account_id = u.account_id AND m.user_id = u.id) AS groups,
	ARRAY(SELECT m.organization_id FROM organization_memberships m WHERE m.account_id = u.account_id AND m.user_id = u.id) AS organizations,
	u.tags || ARRAY(SELECT unnest(o.tags) FROM organization_memberships m JOIN organizations o ON o.account_id = m.account_id AND o.id = m.organization_id
		WHERE m.account_id = u.account_id AND m.user_id = u.id) AS tags OFFSET 0) AS f`

// belongs is the condition that a user u with such facts f belongs to a segment us.
const belongs = `(us.user_type = 'signed_in_users' OR u.role <> 'end-user') AND (us.added_user_ids @> ARRAY[u.id]
	OR us.tags <@ f.tags AND (us.or_tags = '{}' OR us.or_tags && f.tags)
	AND (us.group_ids = '{}' AND (us.organization_ids = '{}' OR us.user_type = 'signed_in_users' AND u.role <> 'end-user')
		OR us.group_ids && f.groups OR us.organization_ids && f.organizations))`

// ofUser is an SQL expression: the ids of the segments to which a user belongs.
// It depends on no row of the statement that it stands in and so is found once.
func ofUser(account, id int64) (string, []any) {
	return "ARRAY(SELECT us.id FROM users u " + facts + " JOIN user_segments us ON us.account_id = u.account_id AND " + belongs +
		" WHERE u.account_id = ? AND u.id = ?)", []any{account, id}
}

// Mine is an SQL expression, a bigint[]: the ids of the segments to which the
// caller belongs. It is the same for all rows of a statement and found once. Of
// nobody it is empty and costs nothing.
func Mine(by auth.Actor) (string, []any) {
	if by.Anonymous() {
		return "'{}'::bigint[]", nil
	}
	return ofUser(by.AccountID, by.ID())
}

// Visible is an SQL condition: that the caller belongs to the segment whose id is
// in a column, or that there is none in it, which is everybody. The column's name
// is qualified: "a.user_segment_id".
func Visible(by auth.Actor, column string) (string, []any) {
	if by.Admin() {
		return "TRUE", nil
	}
	if by.Anonymous() {
		return column + " IS NULL", nil
	}
	mine, args := Mine(by)
	return "(" + column + " IS NULL OR " + column + " = ANY(" + mine + "))", args
}

// VisibleAny is Visible for a column of several ids, a bigint[] that is not null,
// one of which will do. An empty list is everybody.
func VisibleAny(by auth.Actor, column string) (string, []any) {
	if by.Admin() {
		return "TRUE", nil
	}
	if by.Anonymous() {
		return column + " = '{}'", nil
	}
	mine, args := Mine(by)
	return "(" + column + " = '{}' OR " + column + " && " + mine + ")", args
}

// VisibleTo is an SQL condition for many readers at once: that a user, a row of
// users under the name u, belongs to one of the segments in a column, a bigint[]
// that is not null, or that it names none.
func VisibleTo(column string) string {
	return "(" + column + " = '{}' OR u.role = 'admin' OR EXISTS (SELECT FROM (SELECT) AS one " + facts +
		" JOIN user_segments us ON us.account_id = u.account_id AND us.id = ANY(" + column + ") WHERE " + belongs + "))"
}

// Editable is an SQL condition: that the caller may edit what the permission
// group in a column is for. Who may publish may edit.
func Editable(by auth.Actor, column string) (string, []any) {
	return permitted(by, column, "g.edit_ids || g.publish_ids")
}

// Publishable is an SQL condition: that the caller may publish what the
// permission group in a column is for.
func Publishable(by auth.Actor, column string) (string, []any) {
	return permitted(by, column, "g.publish_ids")
}

// permitted holds for admins always, and never for those who are not staff.
func permitted(by auth.Actor, column, ids string) (string, []any) {
	if by.Admin() {
		return "TRUE", nil
	}
	if !by.Staff() {
		return "FALSE", nil
	}
	mine, args := Mine(by)
	return column + " = ANY(ARRAY(SELECT g.id FROM permission_groups g WHERE g.account_id = ? AND (" + ids + ") && " + mine + "))",
		append([]any{by.AccountID}, args...)
}

// MayEdit reports whether the caller may edit what a permission group is for.
func MayEdit(tx *gorm.DB, by auth.Actor, group int64) (bool, error) {
	return may(tx, by, group, Editable)
}

// MayPublish reports whether the caller may publish what a permission group is
// for.
func MayPublish(tx *gorm.DB, by auth.Actor, group int64) (bool, error) {
	return may(tx, by, group, Publishable)
}

func may(tx *gorm.DB, by auth.Actor, group int64, which func(auth.Actor, string) (string, []any)) (yes bool, err error) {
	if by.Admin() || !by.Staff() {
		return by.Admin(), nil
	}
	cond, args := which(by, "?::bigint")
	err = tx.Raw("SELECT "+cond, append([]any{group}, args...)...).Row().Scan(&yes)
	return yes, err
}

// locked reads to change.
func locked(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.Locking{Strength: "UPDATE"}) }

// shared reads what must not go.
func shared(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.Locking{Strength: "KEY SHARE"}) }
