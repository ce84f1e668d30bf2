package postgres_test

import (
	"slices"
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

// Databases whose triggers of searches are those of the first 00048 end like all
// others, with what is noted at each.
func TestSearchTriggersEndTheSame(t *testing.T) {
	t.Parallel()
	dsn := testdb.DSN(t)
	db := testdb.Open(t, dsn)
	there := func() (list []string) {
		t.Helper()
		err := db.Raw(`SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname LIKE 'search%' AND NOT t.tgisinternal
			UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'search%' ORDER BY 1`).Scan(&list).Error
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	want := there()
	for _, tr := range []struct{ table, when, function, kind, id string }{
		{"tickets", "DELETE", "search_ticket_by_id", "ticket", "id"},
		{"comments", "DELETE", "search_ticket_by_ticket_id", "ticket", "ticket_id"},
		{"users", "INSERT OR DELETE", "search_user_by_id", "user", "id"},
		{"user_identities", "INSERT OR DELETE", "search_user_by_user_id", "user", "user_id"},
		{"organizations", "INSERT OR DELETE", "search_organization_by_id", "organization", "id"},
		{"groups", "INSERT OR DELETE", "search_group_by_id", "group", "id"},
	} {
		for _, statement := range []string{
			"CREATE FUNCTION " + tr.function + "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO search_pending (account_id, kind, record_id) VALUES (OLD.account_id, '" +
				tr.kind + "', OLD." + tr.id + "); RETURN NULL; END $$",
			"DROP TRIGGER search_rows ON " + tr.table,
			"CREATE TRIGGER search_rows AFTER " + tr.when + " ON " + tr.table + " FOR EACH ROW EXECUTE FUNCTION " + tr.function + "()",
			"DROP TRIGGER IF EXISTS search_changed ON " + tr.table,
		} {
			if err := db.Exec(statement).Error; err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, history := range []string{"the first 00048's", "today's"} {
		if err := db.Exec("DELETE FROM goose_db_version WHERE version_id = 79").Error; err != nil {
			t.Fatal(err)
		}
		if err := postgres.Migrate(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		if got := there(); !slices.Equal(got, want) {
			t.Errorf("%s: there is %q\nwant %q", history, got, want)
		}
	}
}
