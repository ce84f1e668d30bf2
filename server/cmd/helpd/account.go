package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
)

func accountCommand() *cobra.Command {
	return group("account", "Make and list accounts", accountCreate(), accountList())
}

func accountCreate() *cobra.Command {
	n := accounts.New{Rules: true}
	cmd := &cobra.Command{
		Use:   "create SUBDOMAIN",
		Short: "Make an account with an admin and an API token",
		Long: `Make an account with all that clients expect to find in a fresh one, an admin
and an API token, which is printed this once.`,
		Example: `  helpd account create acme --admin-email ann@acme.example --name "Acme Inc"`,
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if n.AdminEmail == "" {
				return usageError{errors.New("--admin-email is needed: who is to sign in")}
			}
			n.Subdomain = args[0]
			if n.Name == "" {
				n.Name = n.Subdomain
			}
			return withDatabase(cmd, func(ctx context.Context, db *server.Database) error {
				made, err := server.CreateAccount(ctx, db.DB, time.Now(), n, "")
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "account    %s\ne-mail     %s\npassword   %s\nAPI token  %s\n",
					made.Subdomain, made.Email, made.Password, made.Token)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&n.Name, "name", "", "name of the account (the subdomain)")
	cmd.Flags().StringVar(&n.TimeZone, "time-zone", "UTC", "IANA name of its time zone")
	cmd.Flags().StringVar(&n.AdminEmail, "admin-email", "", "e-mail address of its admin")
	cmd.Flags().StringVar(&n.AdminName, "admin-name", "", "name of its admin (the address up to the @)")
	cmd.Flags().StringVar(&n.AdminPassword, "admin-password", "", "password of its admin (made)")
	return cmd
}

func accountList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the accounts",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withDatabase(cmd, func(ctx context.Context, db *server.Database) error {
				var all []models.Account
				if err := db.WithContext(ctx).Order("id").Find(&all).Error; err != nil {
					return err
				}
				rows := [][]string{{"ID", "SUBDOMAIN", "NAME", "TIME ZONE", "CREATED"}}
				for _, a := range all {
					rows = append(rows, []string{strconv.FormatInt(a.ID, 10), a.Subdomain, a.Name, a.TimeZone, stamp(&a.CreatedAt)})
				}
				return table(cmd, rows)
			})
		},
	}
}

// accountFlag adds the flag that says which account a command is about.
func accountFlag(cmd *cobra.Command, subdomain *string) {
	cmd.Flags().StringVar(subdomain, "account", "", "subdomain of the account (the only one)")
}

// pickAccount is the account with this subdomain, or the only one.
func pickAccount(ctx context.Context, db *gorm.DB, subdomain string) (models.Account, error) {
	q := db.WithContext(ctx).Order("id").Limit(2)
	if subdomain != "" {
		q = q.Where("subdomain = lower(?)", subdomain)
	}
	var found []models.Account
	if err := q.Find(&found).Error; err != nil {
		return models.Account{}, err
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) > 1:
		return models.Account{}, usageError{errors.New("there are several accounts: name one with --account")}
	case subdomain != "":
		return models.Account{}, fmt.Errorf("there is no account %q", subdomain)
	}
	return models.Account{}, errors.New("there is no account yet: helpd serve or helpd account create makes one")
}

// withAccount runs a command's work on an account of the configured database.
func withAccount(cmd *cobra.Command, subdomain string, work func(context.Context, *server.Database, *auth.Service, models.Account) error) error {
	return withDatabase(cmd, func(ctx context.Context, db *server.Database) error {
		account, err := pickAccount(ctx, db.DB, subdomain)
		if err != nil {
			return err
		}
		return work(ctx, db, auth.New(db.DB, time.Now), account)
	})
}

func stamp(t *time.Time) string {
	if t == nil {
		return "never"
	}
	return t.UTC().Format(time.DateTime)
}
