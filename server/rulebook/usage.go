package rulebook

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// Span is a time until now in which uses of rules are counted.
type Span struct {
	Name   string // as clients ask for it: usage_1h
	Length time.Duration
}

// Spans are those that clients may ask for, the shortest first.
var Spans = []Span{
	{"usage_1h", time.Hour}, {"usage_24h", 24 * time.Hour}, {"usage_7d", 7 * 24 * time.Hour}, {"usage_30d", 30 * 24 * time.Hour},
}

// Counts are kept in steps of five minutes, and the longer they are past in the
// longer steps: so no count is off by more than one part in seven, and a rule
// has about a hundred of them.
const finest = 5 * time.Minute

var coarser = []struct {
	after time.Duration
	unit  string // of date_trunc
}{{2 * time.Hour, "hour"}, {2 * 24 * time.Hour, "day"}}

// keptUsage is how long counts are kept.
const keptUsage = 31 * 24 * time.Hour

// RecordUses is the statement that notes that rules were used: of the account,
// the ids of the rules, and the time. Rules that the account does not have are
// left out. It may be a part of a longer statement.
const RecordUses = `INSERT INTO rule_uses (account_id, rule_id, used_at)
	SELECT r.account_id, r.id, ?::timestamptz FROM rules r WHERE r.account_id = ? AND r.id = ANY(?::bigint[])`

// UseTx notes that rules were used: triggers and automations that changed a
// ticket, macros that an agent applied.
func UseTx(tx *gorm.DB, account int64, ids []int64, now time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	return tx.Exec(RecordUses, now, account, models.IDs(ids)).Error
}

// Usage is how often each of the rules was used in each of Spans. One that was
// not is not in the map.
func (s *Service) Usage(ctx context.Context, by auth.Actor, rules []models.Rule) (map[int64][]int64, error) {
	ids := make(models.IDs, len(rules))
	for n, r := range rules {
		ids[n] = r.ID
	}
	now := s.now()
	first := now.Add(-Spans[len(Spans)-1].Length)
	text := "SELECT rule_id"
	var args []any
	for _, span := range Spans {
		text += ", coalesce(sum(uses) FILTER (WHERE at > ?), 0)"
		args = append(args, now.Add(-span.Length))
	}
	text += ` FROM (SELECT rule_id, since AS at, uses FROM rule_usage WHERE account_id = ? AND rule_id = ANY(?) AND since > ?
		UNION ALL SELECT rule_id, used_at, 1 FROM rule_uses WHERE account_id = ? AND rule_id = ANY(?) AND used_at > ?) u GROUP BY rule_id`
	rows, err := s.db.WithContext(ctx).Raw(text, append(args, by.AccountID, ids, first, by.AccountID, ids, first)...).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := make(map[int64][]int64, len(rules))
	for rows.Next() {
		var id int64
		counts := make([]int64, len(Spans))
		dest := []any{&id}
		for n := range counts {
			dest = append(dest, &counts[n])
		}
		if err := rows.Scan(dest...); err != nil {
			return nil, err
		}
		out[id] = counts
	}
	return out, rows.Err()
}

// byUsage puts a listing in the order of how often rules were used, if sort names
// one of Spans.
func (s *Service) byUsage(q *page.Query, sort string) bool {
	for _, span := range Spans {
		if span.Name != sort {
			continue
		}
		since := s.now().Add(-span.Length)
		q.From += ` LEFT JOIN LATERAL (SELECT sum(n)::bigint AS uses FROM (
			SELECT uses AS n FROM rule_usage u WHERE u.account_id = r.account_id AND u.rule_id = r.id AND u.since > ?
			UNION ALL SELECT 1 FROM rule_uses u WHERE u.account_id = r.account_id AND u.rule_id = r.id AND u.used_at > ?) AS each_use) AS used ON true`
		q.Args = append([]any{since, since}, q.Args...)
		q.Order = page.By(sort+",id", page.Column{Expr: "coalesce(used.uses, 0)", Kind: page.Int}, byID)
		return true
	}
	return false
}

// FoldUses folds the uses of all accounts into counts, and counts that are long
// past into fewer; a job runs it now and then. Any number of processes may at a
// time.
func (s *Service) FoldUses(ctx context.Context) error {
	db := s.db.WithContext(postgres.AcrossAccounts(ctx))
	now := s.now()
	// Those who fold at once take turns, or their upserts could wait for each other.
	add := func(gone, since string, span int, uses string, args ...any) error {
		return db.Exec(fmt.Sprintf(`WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended('rule usage', 0))),
			gone AS (DELETE FROM %s)
			INSERT INTO rule_usage (account_id, rule_id, since, span, uses)
			SELECT g.account_id, g.rule_id, %s, %d, %s FROM gone g JOIN rules r ON r.account_id = g.account_id AND r.id = g.rule_id GROUP BY 1, 2, 3
			ON CONFLICT (account_id, rule_id, since, span) DO UPDATE SET uses = rule_usage.uses + excluded.uses`, gone, since, span, uses), args...).Error
	}
	err := add("rule_uses USING turn RETURNING account_id, rule_id, used_at", fmt.Sprintf("date_bin('%d seconds', g.used_at, 'epoch')", int(finest.Seconds())), 0, "count(*)")
	for n, c := range coarser {
		if err == nil {
			err = add(fmt.Sprintf("rule_usage USING turn WHERE span = %d AND since < ? RETURNING account_id, rule_id, since, uses", n),
				"date_trunc('"+c.unit+"', g.since, 'UTC')", n+1, "sum(g.uses)", now.Add(-c.after))
		}
	}
	if err != nil {
		return err
	}
	return db.Exec(fmt.Sprintf("DELETE FROM rule_usage WHERE span = %d AND since < ?", len(coarser)), now.Add(-keptUsage)).Error
}
