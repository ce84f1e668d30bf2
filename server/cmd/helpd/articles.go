package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/helpcenter"
)

func articlesCommand() *cobra.Command {
	return group("articles", "Read and write the help center's articles as files", articlesImport(), articlesExport())
}

// onHelpCenter runs a command's work on the help center of a brand of an account, the
// default one unless a subdomain names one, as one of its admins: the first, unless an e-mail address names one.
func onHelpCenter(cmd *cobra.Command, subdomain, brand, author string, work func(context.Context, *helpcenter.Service, auth.Actor) error) error {
	c, _, err := load(cmd)
	if err != nil {
		return err
	}
	return withAccount(cmd, subdomain, func(ctx context.Context, db *server.Database, a *auth.Service, account models.Account) (err error) {
		log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
		services, err := server.NewServices(ctx, db.DB, db.DSN, server.ServiceOptions{Now: server.Clock, Log: log, BlobURL: c.BlobURL, PublicURL: c.PublicURL})
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, services.Jobs.Stop(context.WithoutCancel(ctx))) }()
		ctx = auth.With(ctx, auth.System(account.ID))
		id, err := adminOf(ctx, db, account.ID, author)
		if err != nil {
			return err
		}
		by, err := a.Actor(ctx, account.ID, id, "")
		if err != nil {
			return err
		}
		if brand != "" {
			if by.Brand, err = brandOf(ctx, db, account.ID, brand); err != nil {
				return err
			}
		}
		return work(auth.With(ctx, by), services.HelpCenter, by)
	})
}

// brandOf is the brand of an account with a subdomain, whose help center may be closed
// still.
func brandOf(ctx context.Context, db *server.Database, account int64, subdomain string) (auth.Brand, error) {
	var found []models.Brand
	err := db.WithContext(ctx).Limit(1).Find(&found, "account_id = ? AND subdomain = lower(?) AND NOT is_deleted", account, subdomain).Error
	if err == nil && len(found) == 0 {
		err = usageError{fmt.Errorf("the account has no brand %q", subdomain)}
	}
	if err != nil {
		return auth.Brand{}, err
	}
	return auth.BrandOf(found[0]), nil
}

func brandFlag(cmd *cobra.Command, subdomain *string) {
	cmd.Flags().StringVar(subdomain, "brand", "", "subdomain of the brand whose help center it is (the default brand)")
}

func adminOf(ctx context.Context, db *server.Database, account int64, email string) (int64, error) {
	if email != "" {
		return userByEmail(ctx, db.DB, account, email)
	}
	var ids []int64
	err := db.WithContext(ctx).Model(&models.User{}).Where("account_id = ? AND role = ? AND active", account, models.RoleAdmin).Order("id").Limit(1).Pluck("id", &ids).Error
	if err == nil && len(ids) == 0 {
		err = errors.New("the account has no admin")
	}
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

func articlesExport() *cobra.Command {
	var account, brand, locale string
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write the articles into files",
		Long: `Write each article into a file with front matter, as "helpd articles import"
reads it, and ` + articlefiles.ContentsName + `, which has the categories and sections. Articles that came as
Markdown are written as they came, others as HTML. The files show the help center
at one moment. The directory must be empty, or not there; it has all files or none:
they are written into a hidden one beside it, which takes its place at the end.
What an export that was killed left of such is removed by the next to DIR.

Without --locale each language has a folder of its own.`,
		Example: `  helpd articles export articles
  helpd articles export korean --locale ko
  helpd articles export lamps --brand lamps`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := args[0]
			if there, err := os.ReadDir(dir); err == nil && len(there) > 0 {
				return usageError{fmt.Errorf("%s is not empty", dir)}
			}
			return onHelpCenter(cmd, account, brand, "", func(ctx context.Context, help *helpcenter.Service, by auth.Actor) error {
				n, began := int64(0), time.Now()
				tell, end := progress(ctx, cmd, "Exporting", "articles")
				err := wholly(dir, func(dir string) error {
					contents, err := help.ExportArticles(ctx, by, locale, func(f articlefiles.File, done, total int64) error {
						n = done
						return errors.Join(writeFile(dir, f.Path, f.Bytes()), tell(done, total))
					})
					if err != nil {
						return err
					}
					return writeFile(dir, articlefiles.ContentsName, contents.Bytes())
				})
				end()
				if fault.Of(err) != nil {
					return usageError{err}
				}
				if err == nil {
					cmd.PrintErrf("%d files in %s in %v\n", n, dir, time.Since(began).Round(time.Millisecond))
				}
				return err
			})
		},
	}
	accountFlag(cmd, &account)
	brandFlag(cmd, &brand)
	cmd.Flags().StringVar(&locale, "locale", "", "language; empty: all, in folders")
	return cmd
}

// writeFile writes a file whose path stays within a directory.
func writeFile(dir, path string, data []byte) error {
	file := filepath.Join(dir, filepath.FromSlash(path))
	if !filepath.IsLocal(filepath.FromSlash(path)) || strings.Contains(path, "\\") {
		return fmt.Errorf("%q is no name of a file", path)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o666)
}
