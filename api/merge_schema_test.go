package api_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Columns of numbers and lists of them that hold no user's id, whatever the table.
var ofNoUser = []string{
	"account_id", "id", "article_id", "attachment_id", "audit_id", "automation_id", "batch_id", "brand_id", "business_clocks", "category_id", "clicks", "clocks",
	"comment_id", "config_version", "content_id", "count", "custom_role_id", "custom_status_id", "default_group_id", "delta", "edit_ids", "empty",
	"event_id", "field_id", "followup_ids", "followup_source_id", "group_id", "group_ids", "intervals", "item_id", "logo_id", "macro_id",
	"moments", "organization_id", "organization_ids", "parent_id", "parent_section_id", "permission_group_id", "photo_id",
	"position", "problem_id", "progress", "publish_ids", "reason_id", "restricted_brand_ids", "restricted_to_group_ids", "run",
	"restricted_to_organization_ids", "rule_id", "schedule_id", "searches", "section", "section_id", "seq", "size", "source_id", "subject_id",
	"suspended_ticket_id", "ticket_field_ids", "ticket_form_id", "ticket_id", "total", "translation_id", "trigger_id",
	"upload_id", "user_segment_id", "user_segment_ids", "uses", "version",
}

// What names a user who was merged into another, and goes on doing so.
var staysWithTheLoser = map[string]string{
	"articles.archived_by_id":              "who did it then",
	"articles.author_id":                   "agents alone write articles, and no agent is merged",
	"translations.created_by_id":           "agents alone write translations, and no agent is merged",
	"translations.updated_by_id":           "the same",
	"translation_revisions.author_id":      "the same",
	"erasures.executer_id":                 "who did it then",
	"erasures.user_id":                     "of users that are deleted, who are not merged",
	"event_batches.actor_id":               "the log of events tells what happened",
	"export_positions.record_id":           "the place of the loser's own record",
	"exports.user_id":                      "admins alone make exports, and no admin is merged",
	"fields.creator_user_id":               "admins alone make fields, and no admin is merged",
	"group_memberships.user_id":            "agents alone have some, and no agent is merged",
	"idempotency_keys.actor_id":            "a key belongs to the credentials that it came with, and these have ended",
	"job_statuses.user_id":                 "who started it then; kept for a day",
	"organization_merges.loser_id":         "an organization",
	"organization_merges.winner_id":        "an organization",
	"organization_merges.user_id":          "who did it then",
	"article_reviews.submitter_id":         "agents alone have some, and no agent is merged",
	"article_reviews.reviewer_id":          "agents alone review, and no agent is merged",
	"article_reviews.decided_by_id":        "agents alone review, and no agent is merged",
	"article_verifications.verified_by_id": "agents alone verify, and no agent is merged",
	"rules.owner_id":                       "agents alone have some, and no agent is merged",
	"satisfaction_ratings.assignee_id":     "whom the rating was about, who was an agent",
	"search_fresh.record_id":               "a user who is not active is taken out of the index by the note that the merge leaves",
	"search_pending.record_id":             "that note",
	"webhook_failures.slot":                "half a minute",
	"tickets.deleted_by":                   "who did it then",
	"touched.record_id":                    "a write of the loser's own record",
	"trigger_revisions.author_id":          "who wrote it then",
	"webhooks.created_by":                  "admins alone make webhooks, and no admin is merged",
	"webhooks.updated_by":                  "admins alone change webhooks, and no admin is merged",
	"users.merged_into_id":                 "of those who were merged into the loser before: the way to the winner leads over him",
}

// Columns that end so count something.
var counts = []string{"_seconds", "_count"}

// Whoever brings a table with a user's id in it has to think of the merging of
// users: its rows are to follow, or to be named above with the reason.
func TestMergedUsersAreNamedNowhere(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	w := newWorld(a)
	var columns []struct{ Name, Type string }
	err := a.db.WithContext(a.ctx()).Raw(`SELECT c.relname || '.' || a.attname AS name, format_type(a.atttypid, -1) AS type
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
		AND c.relname NOT LIKE 'river\_%' AND c.relname NOT LIKE 'goose\_%' AND format_type(a.atttypid, -1) IN ('bigint', 'bigint[]')`).Scan(&columns).Error
	if err != nil {
		t.Fatal(err)
	}
	loser, winner := a.user("Loser", a.email("loser"), "end-user"), w.ids["user_id"]
	// What the world leaves out, or has in memory still.
	ticket := w.ids["ticket_id"]
	a.put("/api/v2/tickets/"+ticket, fmt.Sprintf(`{"ticket":{"email_cc_ids":[%d]}}`, loser)).want(200)
	if _, _, err := a.auth.NewOAuthToken(a.ctx(), a.account.ID, loser, nil, theClock.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	number, _ := strconv.ParseInt(ticket, 10, 64)
	a.mail(number, "Hello", []int64{loser}, a.email("loser"))
	if err := a.db.WithContext(a.ctx()).Exec("INSERT INTO ticket_visits (account_id, user_id, ticket_id, visited_at) VALUES (?, ?, ?, ?)",
		a.account.ID, loser, ticket, theClock).Error; err != nil {
		t.Fatal(err)
	}
	if err := a.db.WithContext(a.ctx()).Exec(`INSERT INTO autoreplies (account_id, ticket_id, rule_id, rule_title, actor_id, suppress, base, subject, body, asked_at, due_at)
		VALUES (?, ?, 1, 'R', ?, false, '', 'S', 'B', ?, ?)`, a.account.ID, ticket, loser, theClock, theClock).Error; err != nil {
		t.Fatal(err)
	}
	w.as(w.agent).post(following(loser), "").want(201) // nobody follows himself
	a.numbered()                                       // or there are no positions yet
	seen := map[string]bool{}
	named := func(column, kind string) int {
		table, name, _ := strings.Cut(column, ".")
		cond := name + " = ?"
		if kind == "bigint[]" {
			cond = name + " @> ARRAY[?::bigint]"
		}
		return a.number("SELECT count(*) FROM "+table+" WHERE account_id = ? AND "+cond, a.account.ID, loser)
	}
	follows := columns[:0]
	for _, c := range columns {
		table, name, _ := strings.Cut(c.Name, ".")
		seen[c.Name] = true
		if slices.Contains(ofNoUser, name) || staysWithTheLoser[c.Name] != "" || slices.ContainsFunc(counts, func(end string) bool { return strings.HasSuffix(name, end) }) {
			continue
		}
		follows = append(follows, c)
		if named(c.Name, c.Type) > 0 {
			continue
		}
		value := "?::bigint"
		if c.Type == "bigint[]" {
			value = "ARRAY[?::bigint]"
		}
		// Which of the world's rows it is does not matter.
		done := a.db.WithContext(a.ctx()).Exec("UPDATE "+table+" SET "+name+" = "+value+" WHERE account_id = ? AND ctid = (SELECT min(ctid) FROM "+table+" WHERE account_id = ?)",
			loser, a.account.ID, a.account.ID)
		if done.Error != nil || done.RowsAffected != 1 {
			t.Errorf("%s may hold a user's id, and the world has no row with one (%v): make one in newWorld, or say above that it holds none", c.Name, done.Error)
		}
	}
	a.put(fmt.Sprintf("/api/v2/users/%d/merge", loser), `{"user":{"id":`+winner+`}}`).want(200)
	for _, c := range follows {
		if n := named(c.Name, c.Type); n > 0 {
			t.Errorf("%d rows of %s name a user who was merged: move them in users.MergeTx or tickets.SucceedUserTx, or say above why they stay", n, c.Name)
		}
	}
	for name := range staysWithTheLoser {
		if !seen[name] {
			t.Errorf("there is no column %s", name)
		}
	}
}
