package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// twoAccounts are two accounts in a transaction, each with a group of the name
// "Support" and one of the name "Sales".
func twoAccounts(t *testing.T) (tx *gorm.DB, first, second context.Context) {
	t.Helper()
	tx = testdb.Tx(t)
	var contexts []context.Context
	for range 2 {
		ctx := postgres.WithAccount(t.Context(), newAccount(t, tx))
		groups := []models.Group{group("Support"), group("Sales")}
		if err := tx.WithContext(ctx).Create(&groups).Error; err != nil {
			t.Fatal(err)
		}
		contexts = append(contexts, ctx)
	}
	return tx, contexts[0], contexts[1]
}

func newAccount(t *testing.T, db *gorm.DB) int64 {
	t.Helper()
	a := models.Account{Name: "Acme", TimeZone: "UTC", Settings: models.JSON("{}"), Stamps: stamps}
	var n int64
	if err := db.Raw("SELECT nextval('audit_ids')").Row().Scan(&n); err != nil {
		t.Fatal(err)
	}
	a.Subdomain = "a" + time.Unix(n, 0).UTC().Format("20060102150405")
	if err := db.WithContext(postgres.AcrossAccounts(t.Context())).Create(&a).Error; err != nil {
		t.Fatal(err)
	}
	return a.ID
}

var stamps = models.Stamps{CreatedAt: time.Unix(0, 0), UpdatedAt: time.Unix(0, 0)}

func group(name string) models.Group { return models.Group{Name: name, Stamps: stamps} }

// verbs are all ways to ask GORM for something of a tenant's table. Each tells
// how many rows it saw or changed.
var verbs = map[string]func(db *gorm.DB) (int64, error){
	"find": func(db *gorm.DB) (int64, error) {
		var list []models.Group
		res := db.Find(&list)
		return res.RowsAffected, res.Error
	},
	"find with or": func(db *gorm.DB) (int64, error) {
		var list []models.Group
		res := db.Where("name = ?", "Support").Or("name = ?", "Sales").Find(&list)
		return res.RowsAffected, res.Error
	},
	"find with or in the text": func(db *gorm.DB) (int64, error) {
		var list []models.Group
		res := db.Find(&list, "name = 'Support' OR name = 'Sales'")
		return res.RowsAffected, res.Error
	},
	"find with not": func(db *gorm.DB) (int64, error) {
		var list []models.Group
		res := db.Not("name = 'x'").Or(db.Session(&gorm.Session{NewDB: true}).Where("name = 'Sales'")).Find(&list)
		return res.RowsAffected, res.Error
	},
	"count": func(db *gorm.DB) (n int64, err error) {
		err = db.Model(&models.Group{}).Count(&n).Error
		return n, err
	},
	"pluck": func(db *gorm.DB) (int64, error) {
		var names []string
		err := db.Model(&models.Group{}).Where("true OR false").Pluck("name", &names).Error
		return int64(len(names)), err
	},
	"scan": func(db *gorm.DB) (int64, error) {
		var rows []struct{ Name string }
		err := db.Model(&models.Group{}).Scan(&rows).Error
		return int64(len(rows)), err
	},
	"rows": func(db *gorm.DB) (n int64, err error) {
		rows, err := db.Model(&models.Group{}).Where("name = 'Support'").Or("name = 'Sales'").Rows()
		if err != nil {
			return 0, err
		}
		defer rows.Close()
		for rows.Next() {
			n++
		}
		return n, rows.Err()
	},
	"find in batches": func(db *gorm.DB) (n int64, err error) {
		var list []models.Group
		err = db.FindInBatches(&list, 1, func(*gorm.DB, int) error { n++; return nil }).Error
		return n, err
	},
	"update": func(db *gorm.DB) (int64, error) {
		res := db.Model(&models.Group{}).Where("name = 'Support'").Or("name = 'Sales'").Update("name", "Changed")
		return res.RowsAffected, res.Error
	},
	"update of columns": func(db *gorm.DB) (int64, error) {
		res := db.Model(&models.Group{}).Where("name <> 'x'").UpdateColumns(map[string]any{"name": "Changed"})
		return res.RowsAffected, res.Error
	},
	"delete": func(db *gorm.DB) (int64, error) {
		res := db.Where("name = 'Support'").Or("name = 'Sales'").Delete(&models.Group{})
		return res.RowsAffected, res.Error
	},
}

func TestEveryVerbIsHeldToItsAccount(t *testing.T) {
	t.Parallel()
	for name, verb := range verbs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tx, first, second := twoAccounts(t)
			if n, err := verb(tx.WithContext(first)); n != 2 || err != nil {
				t.Errorf("of the account: %d rows, %v", n, err)
			}
			var names []string
			err := tx.WithContext(second).Model(&models.Group{}).Order("name").Pluck("name", &names).Error
			if got := strings.Join(names, " "); got != "Sales Support" || err != nil {
				t.Errorf("the other account has %q, %v", got, err)
			}
		})
	}
}

func TestNoVerbWorksWithoutAnAccount(t *testing.T) {
	t.Parallel()
	for name, verb := range verbs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tx, _, _ := twoAccounts(t)
			if _, err := verb(tx.WithContext(t.Context())); !errors.Is(err, postgres.ErrNoAccount) {
				t.Errorf("without an account: %v", err)
			}
			var n int
			if err := tx.Raw("SELECT count(*) FROM groups WHERE name IN ('Support', 'Sales')").Row().Scan(&n); n < 4 || err != nil {
				t.Errorf("%d groups are left, %v", n, err)
			}
		})
	}
}

func TestOneRowIsFoundInItsAccountAlone(t *testing.T) {
	t.Parallel()
	tx, first, second := twoAccounts(t)
	var mine models.Group
	if err := tx.WithContext(first).Take(&mine, "name = 'Sales'").Error; err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"take":  tx.WithContext(second).Take(&models.Group{}, "id = ?", mine.ID).Error,
		"first": tx.WithContext(second).First(&models.Group{}, mine.ID).Error,
		"last":  tx.WithContext(second).Last(&models.Group{}, mine.ID).Error,
	} {
		if !errors.Is(err, gorm.ErrRecordNotFound) {
			t.Errorf("%s of another account's row: %v", name, err)
		}
	}
	res := tx.WithContext(second).Model(&mine).Update("name", "Theirs")
	if res.Error != nil || res.RowsAffected != 0 {
		t.Errorf("update of another account's row: %d rows, %v", res.RowsAffected, res.Error)
	}
	if res := tx.WithContext(second).Delete(&mine); res.RowsAffected != 0 {
		t.Errorf("delete of another account's row: %d rows, %v", res.RowsAffected, res.Error)
	}
}

func TestWhatIsCreatedBelongsToTheAccount(t *testing.T) {
	t.Parallel()
	tx, first, second := twoAccounts(t)
	account := postgres.Account(first)
	one, several, pointers := group("One"), []models.Group{group("Two"), group("Three")}, []*models.Group{{Name: "Four", Stamps: stamps}}
	for _, rows := range []any{&one, &several, &pointers} {
		if err := tx.WithContext(first).Create(rows).Error; err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.WithContext(first).CreateInBatches([]models.Group{group("Five"), group("Six")}, 1).Error; err != nil {
		t.Fatal(err)
	}
	var n int64
	tx.WithContext(first).Model(&models.Group{}).Count(&n)
	if n != 8 || one.AccountID != account || several[1].AccountID != account || pointers[0].AccountID != account {
		t.Errorf("%d groups, of accounts %d %d %d", n, one.AccountID, several[1].AccountID, pointers[0].AccountID)
	}
	for name, row := range map[string]any{
		"another account's row": &models.Group{Tenant: models.Tenant{AccountID: postgres.Account(second)}, Name: "X", Stamps: stamps},
		"one among others":      &[]models.Group{group("X"), {Tenant: models.Tenant{AccountID: postgres.Account(second)}, Name: "X", Stamps: stamps}},
	} {
		if err := tx.WithContext(first).Create(row).Error; !errors.Is(err, postgres.ErrNoAccount) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := tx.WithContext(first).Model(&models.Group{}).Create(map[string]any{"name": "X"}).Error; !errors.Is(err, postgres.ErrNoAccount) {
		t.Errorf("from a map: %v", err)
	}
	unowned := group("X")
	if err := tx.WithContext(t.Context()).Create(&unowned).Error; !errors.Is(err, postgres.ErrNoAccount) {
		t.Errorf("without an account: %v", err)
	}
	tx.WithContext(first).Model(&models.Group{}).Where("name = 'X'").Count(&n)
	if n != 0 {
		t.Errorf("%d groups were written", n)
	}
}

func TestTableWithoutAModelIsRefused(t *testing.T) {
	t.Parallel()
	tx, first, _ := twoAccounts(t)
	var rows []map[string]any
	if err := tx.WithContext(first).Table("groups").Find(&rows).Error; !errors.Is(err, postgres.ErrNoAccount) {
		t.Errorf("find: %v", err)
	}
	if err := tx.WithContext(first).Table("groups").Where("true").Update("name", "X").Error; !errors.Is(err, postgres.ErrNoAccount) {
		t.Errorf("update: %v", err)
	}
	if err := tx.WithContext(first).Table("groups").Where("true").Delete(nil).Error; !errors.Is(err, postgres.ErrNoAccount) {
		t.Errorf("delete: %v", err)
	}
}

func TestRawSQLPasses(t *testing.T) {
	t.Parallel()
	tx, _, _ := twoAccounts(t)
	db := tx.WithContext(t.Context())
	var names []string
	if err := db.Raw("SELECT name FROM groups").Scan(&names).Error; err != nil || len(names) < 4 {
		t.Errorf("%v, %v", names, err)
	}
	if err := db.Exec("UPDATE groups SET name = name").Error; err != nil {
		t.Error(err)
	}
}

func TestWhoNamesAllAccountsSeesThem(t *testing.T) {
	t.Parallel()
	tx, _, second := twoAccounts(t)
	every := postgres.AcrossAccounts(second)
	var n int64
	if err := tx.WithContext(every).Model(&models.Group{}).Where("name = 'Sales'").Count(&n).Error; err != nil || n < 2 {
		t.Errorf("%d, %v", n, err)
	}
	if postgres.Account(every) != 0 || postgres.Account(t.Context()) != 0 || postgres.Account(second) == 0 {
		t.Error("the account of a context is wrong")
	}
}
