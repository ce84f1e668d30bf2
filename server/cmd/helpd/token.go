package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
)

func tokenCommand() *cobra.Command {
	return group("token", "Make, list and revoke API tokens, OAuth tokens and JWT keys", tokenCreate(), tokenList(), tokenRevoke())
}

// newToken is what token create was asked for.
type newToken struct {
	account, description string
	oauth                bool
	user                 string
	scopes               []string
	expires              time.Duration
	jwt                  bool
	algorithm, publicKey string
}

func tokenCreate() *cobra.Command {
	var n newToken
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an API token, an OAuth token or a JWT key",
		Long: `Make a credential and print it, this once, alone on standard output.

An API token signs in any active user of the account (user "EMAIL/token",
password the token). An OAuth token (--oauth) is a bearer token of one user,
limited to scopes. A JWT key (--jwt) lets a product vouch for its own users with
bearer tokens that it signs itself: helpd prints the key's id, to be sent as
"kid", and for HS256 the secret.`,
		Example: `  helpd token create --description "nightly export"
  TOKEN=$(helpd token create --oauth --user ann@example.com --scopes read --expires 720h)
  helpd token create --jwt
  helpd token create --jwt --algorithm ES256 --public-key product.pem`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := n.check(cmd); err != nil {
				return usageError{err}
			}
			return withAccount(cmd, n.account, func(ctx context.Context, db *server.Database, a *auth.Service, account models.Account) error {
				return n.create(ctx, cmd, db.DB, a, account.ID)
			})
		},
	}
	accountFlag(cmd, &n.account)
	f := cmd.Flags()
	f.StringVar(&n.description, "description", "made by helpd token create", "what the API token is for")
	f.BoolVar(&n.oauth, "oauth", false, "make an OAuth access token")
	f.StringVar(&n.user, "user", "", "e-mail address of the OAuth token's user")
	f.StringSliceVar(&n.scopes, "scopes", []string{"read", "write"}, "scopes of the OAuth token: read, write, impersonate, tickets:read, ...")
	f.DurationVar(&n.expires, "expires", 0, "how long the OAuth token is good for, as 720h; 0: for ever")
	f.BoolVar(&n.jwt, "jwt", false, "make a JWT key")
	f.StringVar(&n.algorithm, "algorithm", "HS256", "the only algorithm accepted with the key: "+strings.Join(auth.Algorithms, ", "))
	f.StringVar(&n.publicKey, "public-key", "", "file with the public key in PEM, for all but HS256")
	return cmd
}

// check refuses flags that do not go together: silently ignoring one of them
// could hand out more than was meant.
func (n newToken) check(cmd *cobra.Command) error {
	only := func(allowed bool, kind string, flags ...string) error {
		for _, f := range flags {
			if !allowed && cmd.Flags().Changed(f) {
				return fmt.Errorf("--%s goes with %s", f, kind)
			}
		}
		return nil
	}
	switch {
	case n.oauth && n.jwt:
		return errors.New("--oauth and --jwt are two kinds of credentials")
	case n.oauth && n.user == "":
		return errors.New("--oauth needs --user EMAIL")
	case n.oauth && len(n.scopes) == 0:
		return errors.New("--oauth needs --scopes")
	case n.expires < 0:
		return errors.New("--expires is in the past")
	case n.jwt && !slices.Contains(auth.Algorithms, n.algorithm):
		return fmt.Errorf("--algorithm is one of %s", strings.Join(auth.Algorithms, ", "))
	case n.jwt && n.algorithm != "HS256" && n.publicKey == "":
		return fmt.Errorf("--algorithm %s needs --public-key FILE", n.algorithm)
	case n.jwt && n.algorithm == "HS256" && n.publicKey != "":
		return errors.New("HS256 has a secret and no public key: choose another --algorithm")
	}
	return errors.Join(
		only(n.oauth, "--oauth", "user", "scopes", "expires"),
		only(n.jwt, "--jwt", "algorithm", "public-key"),
		only(!n.oauth && !n.jwt, "API tokens", "description"),
	)
}

func (n newToken) create(ctx context.Context, cmd *cobra.Command, db *gorm.DB, a *auth.Service, account int64) error {
	out := cmd.OutOrStdout()
	switch {
	case n.oauth:
		user, err := userByEmail(ctx, db, account, n.user)
		if err != nil {
			return err
		}
		var expires time.Time
		if n.expires > 0 {
			expires = time.Now().Add(n.expires)
		}
		_, token, err := a.NewOAuthToken(ctx, account, user, n.scopes, expires)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, token)
		return err
	case n.jwt:
		var public []byte
		if n.publicKey != "" {
			var err error
			if public, err = os.ReadFile(n.publicKey); err != nil {
				return err
			}
		}
		key, err := a.NewJWTKey(ctx, account, n.algorithm, public)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "kid     %s\n", key.Kid)
		if n.algorithm == "HS256" {
			fmt.Fprintf(out, "secret  %s\n", key.Secret)
		}
		return nil
	}
	_, token, err := a.NewAPIToken(ctx, account, n.description, "")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}

func userByEmail(ctx context.Context, db *gorm.DB, account int64, email string) (int64, error) {
	var i models.UserIdentity
	err := db.WithContext(postgres.WithAccount(ctx, account)).
		Where("type = ? AND lower(value) = lower(?)", models.IdentityEmail, email).Take(&i).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return 0, fmt.Errorf("the account has no user %s", email)
	}
	return i.UserID, err
}

func tokenList() *cobra.Command {
	var subdomain string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List API tokens, OAuth tokens and JWT keys, without their secrets",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAccount(cmd, subdomain, func(ctx context.Context, _ *server.Database, a *auth.Service, account models.Account) error {
				all, err := a.Credentials(ctx, account.ID)
				if err != nil {
					return err
				}
				rows := [][]string{{"ID", "HINT", "ABOUT", "CREATED", "LAST USED", "EXPIRES"}}
				for _, c := range all {
					about := c.About
					if c.Kind == auth.KindOAuth {
						about = "user " + strconv.FormatInt(c.UserID, 10) + ": " + strings.Join(c.Scopes, " ")
					}
					used := stamp(c.LastUsed)
					if c.Kind == auth.KindJWT {
						used = "-" // not noted for keys
					}
					rows = append(rows, []string{c.Name(), c.Hint, about, stamp(&c.Created), used, stamp(c.Expires)})
				}
				return table(cmd, rows)
			})
		},
	}
	accountFlag(cmd, &subdomain)
	return cmd
}

func tokenRevoke() *cobra.Command {
	var subdomain string
	cmd := &cobra.Command{
		Use:     "revoke ID",
		Short:   "Take a credential back, by its id from token list",
		Long:    "Take a credential back, by its id from token list. A running helpd refuses it\nwithin a second.",
		Example: "  helpd token revoke api:1000000000",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccount(cmd, subdomain, func(ctx context.Context, _ *server.Database, a *auth.Service, account models.Account) error {
				return a.Revoke(ctx, account.ID, args[0])
			})
		},
	}
	accountFlag(cmd, &subdomain)
	return cmd
}
