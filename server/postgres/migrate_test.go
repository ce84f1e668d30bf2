package postgres_test

import (
	"testing"

	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// Whoever follows the development may have a later migration before an earlier
// one of another branch.
func TestMigrationsThatCameLateAreMadeUp(t *testing.T) {
	t.Parallel()
	dsn := testdb.DSN(t)
	db := testdb.Open(t, dsn)
	if pending, err := postgres.Pending(t.Context(), dsn); err != nil || pending {
		t.Fatal(pending, err)
	}
	for _, statement := range []string{"DROP INDEX tickets_viewed", "DELETE FROM goose_db_version WHERE version_id = 56"} {
		if err := db.Exec(statement).Error; err != nil {
			t.Fatal(err)
		}
	}
	// As 56 drops the index that is there.
	if err := db.Exec("CREATE INDEX tickets_viewed ON tickets (account_id)").Error; err != nil {
		t.Fatal(err)
	}
	if err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (90000, true)").Error; err != nil {
		t.Fatal(err)
	}
	if pending, err := postgres.Pending(t.Context(), dsn); err != nil || !pending {
		t.Fatal(pending, err)
	}
	if err := postgres.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	var method string
	if err := db.Raw("SELECT am.amname FROM pg_class c JOIN pg_am am ON am.oid = c.relam WHERE c.relname = 'tickets_viewed'").Row().Scan(&method); err != nil || method != "gin" {
		t.Errorf("the index is a %s: %v", method, err)
	}
}
