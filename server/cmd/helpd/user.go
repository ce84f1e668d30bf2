package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
	"github.com/spf13/cobra"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/users"
)

func userCommand() *cobra.Command {
	return group("user", "Make users", userCreate())
}

var roles = []string{models.RoleEndUser, models.RoleAgent, models.RoleAdmin}

func userCreate() *cobra.Command {
	var subdomain, name, role, password string
	cmd := &cobra.Command{
		Use:   "create EMAIL",
		Short: "Make an agent, admin or end user",
		Long: `Make a user whose e-mail address counts as verified. Agents and admins get a
password, printed this once, unless one is given; end users only when one is
given. Every user can sign in with an API token of the account as well.`,
		Example: `  helpd user create ann@example.com --name "Ann" --role agent
  helpd user create ceo@example.com --role admin --account acme`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(roles, role) {
				return usageError{fmt.Errorf("--role is one of %s", strings.Join(roles, ", "))}
			}
			verified := true
			c := users.Change{Email: nullable.NewNullableWithValue(args[0]), Role: &role, Verified: &verified}
			if name == "" {
				name, _, _ = strings.Cut(args[0], "@")
			}
			c.Name = &name
			made := password == "" && role != models.RoleEndUser
			if made {
				password = server.NewPassword()
			}
			if password != "" {
				c.Password = &password
			}
			return withAccount(cmd, subdomain, func(ctx context.Context, db *server.Database, a *auth.Service, account models.Account) error {
				by := auth.System(account.ID)
				user, err := users.New(db.DB, a, fields.New(db.DB, time.Now, nil), time.Now).Create(auth.With(ctx, by), by, c)
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				fmt.Fprintf(out, "id        %d\n", user.ID)
				if made {
					fmt.Fprintf(out, "password  %s\n", password)
				}
				return nil
			})
		},
	}
	accountFlag(cmd, &subdomain)
	cmd.Flags().StringVar(&name, "name", "", "name (the address up to the @)")
	cmd.Flags().StringVar(&role, "role", models.RoleAgent, "one of "+strings.Join(roles, ", "))
	cmd.Flags().StringVar(&password, "password", "", "password (made, except for end users)")
	return cmd
}
