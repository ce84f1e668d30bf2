package erasure

import (
	"context"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/redactions"
	"github.com/helpd/helpd/server/tickets"
)

// Texts that stand for somebody or something else, which may be called the same,
// and what is no text. All others of the account are looked through, also those
// of tables that come later.
var (
	leftAlone = []string{
		"accounts", "brands", "groups", "custom_statuses", "ticket_fields", "fields", "ticket_field_options", "field_options", "ticket_forms",
		"user_identities", "api_tokens", "oauth_tokens", "jwt_keys", "signing_keys", "satisfaction_reasons", "blob_removals",
		"erasures", "idempotency_keys", "organization_merges", "dynamic_content_items", "dynamic_content_variants", "tag_counts", "tag_changes",
		"rules", "trigger_categories", "trigger_revisions", "sla_policies", "ticket_metrics", "webhooks",
		"user_segments", "permission_groups", "content_tags", "votes", "content_subscriptions", "user_subscriptions", "user_images", "deflections", "autoreplies",
	}
	onlyThese = map[string][]string{
		"users":         {"details", "notes", "user_fields"},
		"organizations": {"details", "notes", "organization_fields"},
		"job_statuses":  {"message", "results"},
		"attachments":   {"file_name"},

		"article_comments": {"html_body"},

		"event_batches": {"detail", "changes"},

		"webhook_invocations": {"endpoint", "payload"},
		"webhook_attempts":    {"request_headers", "response_headers", "response_payload"},
	}
	// Columns, and members of documents, whose values are names of helpd's own,
	// and such values elsewhere. A person may be called Mark Public.
	structure = []string{
		"type", "field_name", "channel", "rel", "status", "role", "priority", "score", "content_type", "charset", "malware_scan_result",
		"status_category", "custom_status", "source_type", "source_locale", "sorting", "viewable_by", "manageable_by",
	}
	ourWords = []string{
		"new", "open", "pending", "hold", "solved", "closed", "deleted", "low", "normal", "high", "urgent", "problem", "incident", "question", "task",
		"good", "bad", "offered", "unoffered",
	}
)

// table is one whose texts are looked through.
type table struct {
	name    string
	columns []column
	ticket  string // the condition of rows of tickets; empty if it has none
}

type column struct{ Name, Type string }

// html is what is written as HTML, by the names of columns and of members.
func html(name string) bool { return name == "html_body" }

func (r *run) tables(ctx context.Context) ([]table, error) {
	var rows []struct{ TableName, ColumnName, UdtName string }
	// The information schema takes sixty times as long for the same.
	err := r.db.WithContext(ctx).Raw(`SELECT t.relname AS table_name, c.attname AS column_name, y.typname AS udt_name
		FROM pg_class t JOIN pg_attribute c ON c.attrelid = t.oid AND c.attnum > 0 AND NOT c.attisdropped JOIN pg_type y ON y.oid = c.atttypid
		WHERE t.relnamespace = 'public'::regnamespace AND t.relkind IN ('r', 'p')
		AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attname = 'account_id' AND NOT a.attisdropped)
		ORDER BY t.relname, c.attnum`).Scan(&rows).Error
	var out []table
	for _, row := range rows {
		if slices.Contains(leftAlone, row.TableName) {
			continue
		}
		if len(out) == 0 || out[len(out)-1].name != row.TableName {
			out = append(out, table{name: row.TableName})
		}
		t := &out[len(out)-1]
		switch row.ColumnName {
		case "ticket_id":
			t.ticket = "ticket_id = ANY(?::bigint[])"
		case "subject_id":
			t.ticket = "subject LIKE 'zen:ticket:%' AND subject_id = ANY(?::bigint[])"
		}
		if row.TableName == "tickets" {
			t.ticket = "id = ANY(?::bigint[])"
		}
		isText := slices.Contains([]string{"text", "varchar", "json", "jsonb", "_text"}, row.UdtName) || row.TableName == "job_items" && row.UdtName == "bytea"
		isText = isText && !slices.Contains(structure, row.ColumnName)
		if only, ok := onlyThese[row.TableName]; isText && (!ok || slices.Contains(only, row.ColumnName)) {
			t.columns = append(t.columns, column{row.ColumnName, row.UdtName})
		}
	}
	return slices.DeleteFunc(out, func(t table) bool { return len(t.columns) == 0 }), err
}

// cover covers the person's names, addresses and numbers in every text of the
// account, and the words of the name in the texts of the person's own tickets.
func (r *run) cover(ctx context.Context) error {
	tables, err := r.tables(ctx)
	if err != nil {
		return err
	}
	everywhere, own := r.everywhere(), r.inOwn()
	for _, t := range tables {
		err := r.step(ctx, t.name, func(tx *gorm.DB) (int64, error) {
			n, err := r.coverTx(tx, t, everywhere, true, "TRUE")
			if err != nil || t.ticket == "" || len(r.own) == 0 {
				return n, err
			}
			more, err := r.coverTx(tx, t, own, false, t.ticket, r.own)
			return n + more, err
		})
		if err != nil {
			return err
		}
	}
	return r.step(ctx, "tags", func(tx *gorm.DB) (int64, error) {
		if everywhere.sql == "" {
			return 0, nil
		}
		var n int64
		for _, name := range []string{"tag_counts", "tag_changes"} {
			done := tx.Exec("DELETE FROM "+name+" WHERE account_id = ? AND name ~* ?", r.account, everywhere.sql)
			if done.Error != nil {
				return n, done.Error
			}
			n += done.RowsAffected
		}
		return n, nil
	})
}

// coverTx covers what is found in the rows of a table for which cond holds, with
// or without the names of documents' members, and returns how many rows it
// changed.
func (r *run) coverTx(tx *gorm.DB, t table, s search, members bool, cond string, args ...any) (int64, error) {
	if s.sql == "" {
		return 0, nil
	}
	var selected, matches []string
	values := append([]any{r.account}, args...)
	for _, c := range t.columns {
		text := c.Name + "::text"
		if c.Type == "bytea" { // the JSON of an item, which may be no valid text
			selected, matches = append(selected, "encode("+c.Name+", 'base64')"), append(matches, "TRUE")
			continue
		}
		if c.Type == "_text" {
			text = "array_to_json(" + c.Name + ")::text"
		}
		selected, matches = append(selected, text), append(matches, text+" ~* ?")
		values = append(values, s.sql)
	}
	rows, err := tx.Raw("SELECT ctid::text, "+strings.Join(selected, ", ")+" FROM "+t.name+
		" WHERE account_id = ? AND "+cond+" AND ("+strings.Join(matches, " OR ")+") FOR UPDATE", values...).Rows()
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var found []row
	for rows.Next() {
		one := row{texts: make([]*string, len(t.columns))}
		dest := []any{&one.ctid}
		for i := range one.texts {
			dest = append(dest, &one.texts[i])
		}
		if err := rows.Scan(dest...); err != nil {
			return 0, err
		}
		if one.cover(t.columns, s.find(), members) {
			found = append(found, one)
		}
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	rows.Close()
	for part := range slices.Chunk(found, 500) {
		if err := r.writeTx(tx, t, part); err != nil {
			return 0, err
		}
	}
	return int64(len(found)), nil
}

// row is one that was read to be covered; texts that stay are nil.
type row struct {
	ctid  string
	texts []*string
}

func (r *row) cover(columns []column, find redactions.Find, members bool) bool {
	changed := false
	for i, c := range columns {
		if r.texts[i] == nil {
			continue
		}
		was := *r.texts[i]
		now := covered(c, was, find, members)
		if now == was {
			r.texts[i] = nil
			continue
		}
		r.texts[i], changed = &now, true
	}
	return changed
}

func covered(c column, text string, find redactions.Find, members bool) string {
	one := func(name, text string) string {
		if name == "" && !members || slices.Contains(structure, name) || slices.Contains(ourWords, strings.ToLower(text)) {
			return text
		}
		if html(name) {
			return tickets.CoverHTML(text, find)
		}
		return redactions.Text(text, find)
	}
	switch c.Type {
	case "bytea":
		return coveredItem(text, one)
	case "json", "jsonb", "_text":
		return string(redactions.JSON([]byte(text), one))
	}
	return one(c.Name, text)
}

// writeTx stores covered rows, which are locked: their places do not change
// before this.
func (r *run) writeTx(tx *gorm.DB, t table, rows []row) error {
	type member = map[string]any
	list := make([]member, len(rows))
	for i, one := range rows {
		list[i] = member{"row": one.ctid}
		for j, text := range one.texts {
			if text != nil {
				list[i]["c_"+t.columns[j].Name] = *text
			}
		}
	}
	var set, names []string
	for _, c := range t.columns {
		value := "v.c_" + c.Name
		switch c.Type {
		case "json", "jsonb":
			value += "::" + c.Type
		case "bytea":
			value = "decode(" + value + ", 'base64')"
		case "_text":
			value = "ARRAY(SELECT json_array_elements_text(" + value + "::json))"
		}
		set = append(set, c.Name+" = CASE WHEN v.c_"+c.Name+" IS NULL THEN t."+c.Name+" ELSE "+value+" END")
		names = append(names, "c_"+c.Name+" text")
	}
	return tx.Exec("UPDATE "+t.name+" AS t SET "+strings.Join(set, ", ")+
		" FROM json_to_recordset(?::json) AS v (row text, "+strings.Join(names, ", ")+") WHERE t.ctid = v.row::tid AND t.account_id = ?",
		models.ToJSON(list), r.account).Error
}
