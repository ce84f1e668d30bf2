package testdb_test

import (
	"testing"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/testdb"
)

func count(t *testing.T, db *gorm.DB) (n int64) {
	t.Helper()
	if err := db.Raw("SELECT count(*) FROM goose_db_version WHERE version_id = 424242").Scan(&n).Error; err != nil {
		t.Fatal(err)
	}
	return n
}

func insert(t *testing.T, db *gorm.DB) {
	t.Helper()
	if err := db.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (424242, true)").Error; err != nil {
		t.Fatal(err)
	}
}

func TestTxIsRolledBack(t *testing.T) {
	t.Parallel()
	t.Run("inside", func(t *testing.T) {
		tx := testdb.Tx(t)
		insert(t, tx)
		if n := count(t, tx); n != 1 {
			t.Errorf("%d rows inside the transaction", n)
		}
	})
	if n := count(t, testdb.Shared(t)); n != 0 {
		t.Errorf("%d rows after it", n)
	}
}

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	first := testdb.DB(t)
	insert(t, first)
	if n := count(t, testdb.DB(t)); n != 0 {
		t.Errorf("%d rows of another test's database", n)
	}
	if n := count(t, first); n != 1 {
		t.Errorf("%d rows of its own", n)
	}
}

func TestSharedIsOne(t *testing.T) {
	t.Parallel()
	first, second := testdb.Shared(t), testdb.Shared(t)
	if first != second {
		t.Error("two shared databases")
	}
}

func TestDatabaseIsDropped(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("inside", func(t *testing.T) {
		db := testdb.DB(t)
		if err := db.Raw("SELECT current_database()").Scan(&name).Error; err != nil {
			t.Fatal(err)
		}
	})
	var left int64
	if err := testdb.Shared(t).Raw("SELECT count(*) FROM pg_database WHERE datname = ?", name).Scan(&left).Error; err != nil {
		t.Fatal(err)
	}
	if name == "" || left != 0 {
		t.Errorf("database %q: %d left", name, left)
	}
}

func BenchmarkTx(b *testing.B) {
	testdb.Shared(b)
	for b.Loop() {
		tx := testdb.Shared(b).Begin()
		if err := tx.Exec("SELECT 1").Error; err != nil {
			b.Fatal(err)
		}
		tx.Rollback()
	}
}
