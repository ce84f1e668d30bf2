package server

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
)

// NewAccount is what to tell of a fresh account, this once.
type NewAccount struct {
	Subdomain, Email, Password, Token string
}

// CreateAccount makes an account with its admin and an API token, in one
// transaction: an account that nobody could sign in to would be of no use. An
// empty password or token is made. It fails as accounts.Create does.
func CreateAccount(ctx context.Context, db *gorm.DB, now time.Time, n accounts.New, token string) (NewAccount, error) {
	if n.AdminPassword == "" {
		n.AdminPassword = NewPassword()
	}
	made := NewAccount{Email: n.AdminEmail, Password: n.AdminPassword}
	err := db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		ctx := postgres.WithTx(ctx, tx)
		account, _, err := accounts.Create(ctx, db, now, n)
		if err != nil {
			return err
		}
		made.Subdomain = account.Subdomain
		a := auth.New(db, func() time.Time { return now })
		_, made.Token, err = a.NewAPIToken(ctx, account.ID, "made with the account", token)
		return err
	})
	return made, err
}

// NewPassword makes a password of 20 letters and digits: 119 random bits.
func NewPassword() string { return auth.NewToken()[:20] }

// firstLock has processes that start together on an empty database take turns.
const firstLock = 0x68656c70643031 // "helpd01"

// firstAccount makes an account if there is none yet, and returns nil if there
// is.
func firstAccount(ctx context.Context, db *gorm.DB, c Config, now time.Time) (*NewAccount, error) {
	var first *NewAccount
	err := db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := tx.Exec("SELECT pg_advisory_xact_lock(?)", firstLock).Error; err != nil {
			return err
		}
		var some bool
		if err := tx.Raw("SELECT EXISTS (SELECT FROM accounts)").Row().Scan(&some); err != nil || some {
			return err
		}
		made, err := CreateAccount(postgres.WithTx(ctx, tx), db, now, accounts.New{
			Subdomain: c.Account, Name: c.Account, AdminEmail: c.AdminEmail, AdminPassword: c.AdminPassword, Rules: true,
		}, c.AdminToken)
		first = &made
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make the first account: %w", err)
	}
	return first, nil
}

// welcome tells whoever started helpd where it is and, when it is new, how to
// go on.
func welcome(out io.Writer, base string, c Config, f *NewAccount) {
	if f == nil {
		where := "the database of DATABASE_URL"
		if c.DatabaseURL == "" {
			where = c.DataDir
		}
		fmt.Fprintf(out, "helpd serves %s from %s; API reference: %s/docs\n", base, where, base)
		return
	}
	password := f.Password
	if c.AdminPassword != "" {
		password = "(as set in HELPD_ADMIN_PASSWORD)"
	}
	fmt.Fprintf(out, `
helpd serves %[1]s, with a new account %[2]q. Its admin:

  E-mail     %[3]s
  Password   %[4]s
  API token  %[5]s

They are shown this once; "helpd token create" makes another token.
Create a ticket:

  curl -u %[6]s \
    -H 'Content-Type: application/json' \
    -d '{"ticket":{"subject":"Hello","comment":{"body":"My printer is on fire."}}}' \
    %[1]s/api/v2/tickets.json

API reference, to try out: %[1]s/docs

`, base, f.Subdomain, f.Email, password, f.Token, shellWord(f.Email+"/token:"+f.Token))
}

// shellWord quotes s for a shell.
func shellWord(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
