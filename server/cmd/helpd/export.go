package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/exports"
	"github.com/helpd/helpd/server/fault"
)

// newExport is what export was asked for.
type newExport struct {
	account, out string
	exports.Wanted
}

func exportCommand() *cobra.Command {
	var n newExport
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write tickets, comments, users and more into files for a warehouse",
		Long: `Write an account's records into files in a directory: one for each resource, and
manifest.json, which tells their rows, sums and columns, and the cursor to go on
from. All files show the account at one moment.

With --since and the cursor of the manifest before, the files have what changed
since then, each record once, also that it was deleted, and nothing else.

The cursor is printed alone on standard output.`,
		Example: `  helpd export --out warehouse/full --format parquet
  CURSOR=$(helpd export --out warehouse/1)
  helpd export --out warehouse/2 --since "$CURSOR" --resources tickets,comments`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if n.out == "" {
				return usageError{errors.New("name a directory with --out")}
			}
			c, _, err := load(cmd)
			if err != nil {
				return err
			}
			return withAccount(cmd, n.account, func(ctx context.Context, db *server.Database, _ *auth.Service, account models.Account) error {
				return n.write(ctx, cmd, c, db, account)
			})
		},
	}
	accountFlag(cmd, &n.account)
	f := cmd.Flags()
	f.StringVar(&n.out, "out", "", "directory for the files, which is made if need be")
	f.StringVar(&n.Format, "format", exports.NDJSON, "ndjson or csv, both in gzip, or parquet")
	f.StringVar(&n.Since, "since", "", "cursor of an earlier manifest; empty: everything")
	f.StringSliceVar(&n.Resources, "resources", nil, "of "+strings.Join(exports.Tables, ", ")+"; all if left out")
	return cmd
}

func (n newExport) write(ctx context.Context, cmd *cobra.Command, c server.Config, db *server.Database, account models.Account) (err error) {
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	services, err := server.NewServices(ctx, db.DB, db.DSN, server.ServiceOptions{Now: server.Clock, Log: log, BlobURL: c.BlobURL, PublicURL: c.PublicURL})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, services.Jobs.Stop(context.WithoutCancel(ctx))) }()
	// A manifest that is there tells of files that are there: not of those to come.
	if _, err := os.Stat(filepath.Join(n.out, exports.ManifestName)); err == nil {
		return usageError{fmt.Errorf("%s has an export already", n.out)}
	}
	dir, err := filepath.Abs(n.out)
	if err != nil {
		return err
	}
	bucket, err := attachments.OpenBucket(ctx, "file://"+filepath.ToSlash(dir))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bucket.Close()) }()
	began := time.Now()
	tell, end := progress(ctx, cmd, "Exporting", "rows")
	m, err := services.ExportFiles.Write(ctx, auth.System(account.ID), n.Wanted, bucket, "", tell)
	end()
	if fault.Of(err) != nil {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	rows, bytes := int64(0), int64(0)
	for _, f := range m.Files {
		rows, bytes = rows+f.Rows, bytes+f.Bytes
	}
	cmd.PrintErrf("%d rows, %d bytes in %s in %v\n", rows, bytes, n.out, time.Since(began).Round(time.Millisecond))
	fmt.Fprintln(cmd.OutOrStdout(), m.Cursor)
	return nil
}

// progress tells of things that are done, in a bar for who looks on, until end.
func progress(ctx context.Context, cmd *cobra.Command, doing, things string) (tell func(done, total int64) error, end func()) {
	info, err := os.Stderr.Stat()
	if cmd.ErrOrStderr() != os.Stderr || err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func(int64, int64) error { return ctx.Err() }, func() {}
	}
	return bar(ctx, os.Stderr, doing, things, 200*time.Millisecond)
}

// bar draws a bar of things, at most so often, and takes it away at the end:
// what was done is said in a line of its own, and so is what went wrong.
func bar(ctx context.Context, w io.Writer, doing, things string, often time.Duration) (tell func(done, total int64) error, end func()) {
	b := progressbar.NewOptions64(1, progressbar.OptionSetDescription(doing), progressbar.OptionSetWriter(w), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString(things), progressbar.OptionSetWidth(30), progressbar.OptionThrottle(often))
	tell = func(done, total int64) error {
		// One that is full is not drawn again, and there may be more than was counted.
		b.ChangeMax64(max(total, done+1))
		return errors.Join(b.Set64(done), ctx.Err())
	}
	return tell, func() { _ = b.Clear() } // nobody is there to be told
}
