package tickets

import (
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// gathered is what saves of one account write, gathered by tables: the rows of
// each go in by one COPY.
type gathered struct {
	order     []string // of tables
	tables    map[string]*postgres.Copied
	tags      map[string]int
	incidents map[int64]int        // of problems
	latest    time.Time            // of the saves
	others    []postgres.Statement // that do not add rows
}

func newGathered() *gathered {
	return &gathered{tables: map[string]*postgres.Copied{}, tags: map[string]int{}, incidents: map[int64]int{}}
}

func (g *gathered) insert(table, columns string, args ...any) {
	rows := g.tables[table]
	if rows == nil {
		rows = postgres.NewCopied(table, columns)
		g.tables[table], g.order = rows, append(g.order, table)
	}
	rows.Add(args...)
}

func (g *gathered) add(_, text string, args ...any) {
	g.others = append(g.others, postgres.Statement{SQL: text, Args: args})
}

func (g *gathered) tag(_ int64, added, removed []string) {
	for _, tag := range added {
		g.tags[tag]++
	}
	for _, tag := range removed {
		g.tags[tag]--
	}
}

func (g *gathered) use(account int64, rules models.IDs, at time.Time) {
	for _, id := range rules {
		g.insert("rule_uses", "account_id, rule_id, used_at", account, id, at)
	}
}

func (g *gathered) link(_ int64, before, after *int64, at time.Time) {
	if before != nil {
		g.incidents[*before]--
	}
	if after != nil {
		g.incidents[*after]++
	}
	if at.After(g.latest) {
		g.latest = at
	}
}

// writeTx writes it all.
func (g *gathered) writeTx(tx *gorm.DB, account int64) error {
	for _, tag := range slices.Sorted(maps.Keys(g.tags)) {
		g.insert("tag_changes", "account_id, name, delta", account, tag, g.tags[tag])
	}
	for _, table := range g.order {
		if err := postgres.Copy(tx, g.tables[table]); err != nil {
			return err
		}
	}
	if err := postgres.ExecAll(tx, g.others); err != nil || len(g.incidents) == 0 {
		return err
	}
	// Locked in their order, so that two that link to the same problems take turns.
	ids, more := slices.Sorted(maps.Keys(g.incidents)), models.IDs{}
	for _, id := range ids {
		more = append(more, int64(g.incidents[id]))
	}
	return postgres.Exec(tx, `WITH locked AS (SELECT id FROM tickets WHERE account_id = ? AND id = ANY(?) ORDER BY id FOR UPDATE)
		UPDATE tickets t SET incident_count = incident_count + n.more, generated_at = greatest(generated_at, ?)
		FROM locked l JOIN unnest(?::bigint[], ?::int[]) AS n(id, more) ON n.id = l.id WHERE t.account_id = ? AND t.id = l.id`,
		[]any{account, ids, g.latest, ids, more, account})
}
