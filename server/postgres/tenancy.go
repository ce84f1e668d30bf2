package postgres

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type accountKey struct{}

// everyAccount in a context lifts the account's condition: for sign-in, which
// does not know the account yet, and for jobs over all accounts.
const everyAccount int64 = -1

// WithAccount returns a context whose statements see this account alone.
func WithAccount(ctx context.Context, account int64) context.Context {
	return context.WithValue(ctx, accountKey{}, account)
}

// AcrossAccounts returns a context whose statements are held to no account.
// Whoever uses it names the account in each statement or means all of them.
func AcrossAccounts(ctx context.Context) context.Context {
	return context.WithValue(ctx, accountKey{}, everyAccount)
}

// Account is the account of ctx; 0 when it has none or all of them.
func Account(ctx context.Context) int64 {
	if id, _ := ctx.Value(accountKey{}).(int64); id != everyAccount {
		return id
	}
	return 0
}

// ErrNoAccount fails a statement on a tenant's table whose context names no
// account.
var ErrNoAccount = errors.New("statement without an account")

// tenancy is the plugin that keeps accounts apart: it adds the account to the
// condition of every query, update and delete on a model with an AccountID, and
// sets it on what is created. Raw SQL names the account itself.
type tenancy struct{}

func (tenancy) Name() string { return "tenancy" }

func (tenancy) Initialize(db *gorm.DB) error {
	return errors.Join(
		db.Callback().Query().Before("gorm:query").Register("tenancy:query", restrict),
		db.Callback().Update().Before("gorm:update").Register("tenancy:update", restrict),
		db.Callback().Delete().Before("gorm:delete").Register("tenancy:delete", restrict),
		db.Callback().Row().Before("gorm:row").Register("tenancy:row", restrict),
		db.Callback().Create().Before("gorm:create").Register("tenancy:create", claim),
	)
}

// tenantOf gives the account of a statement on a tenant's table; false where
// there is nothing to do.
func tenantOf(db *gorm.DB) (int64, bool) {
	if db.Error != nil || db.Statement.SQL.Len() > 0 { // raw SQL
		return 0, false
	}
	if db.Statement.Schema == nil {
		// Table("tickets") without a model would slip through unnoticed.
		_ = db.AddError(fmt.Errorf("%w: table %q has no model", ErrNoAccount, db.Statement.Table))
		return 0, false
	}
	if db.Statement.Schema.LookUpField("AccountID") == nil {
		return 0, false
	}
	account, _ := db.Statement.Context.Value(accountKey{}).(int64)
	switch account {
	case 0:
		_ = db.AddError(fmt.Errorf("%w: table %q", ErrNoAccount, db.Statement.Table))
		return 0, false
	case everyAccount:
		return 0, false
	}
	return account, true
}

func restrict(db *gorm.DB) {
	account, ok := tenantOf(db)
	if !ok {
		return
	}
	// Conditions joined with OR are put in brackets first, or the account would
	// belong to the last of them alone.
	if c, ok := db.Statement.Clauses["WHERE"]; ok {
		if where, ok := c.Expression.(clause.Where); ok && len(where.Exprs) > 1 {
			where.Exprs = []clause.Expression{clause.And(where.Exprs...)}
			c.Expression = where
			db.Statement.Clauses["WHERE"] = c
		}
	}
	db.Statement.AddClause(clause.Where{Exprs: []clause.Expression{
		clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: "account_id"}, Value: account},
	}})
}

func claim(db *gorm.DB) {
	account, ok := tenantOf(db)
	if !ok {
		return
	}
	field := db.Statement.Schema.LookUpField("AccountID")
	set := func(row reflect.Value) {
		if v, zero := field.ValueOf(db.Statement.Context, row); !zero && v != account {
			_ = db.AddError(fmt.Errorf("%w: row of account %v written as %d", ErrNoAccount, v, account))
			return
		}
		_ = db.AddError(field.Set(db.Statement.Context, row, account))
	}
	switch rows := db.Statement.ReflectValue; rows.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range rows.Len() {
			set(reflect.Indirect(rows.Index(i)))
		}
	case reflect.Struct:
		set(rows)
	default:
		_ = db.AddError(fmt.Errorf("%w: create from a %s", ErrNoAccount, rows.Kind()))
	}
}
