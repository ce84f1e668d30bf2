package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/helpd/helpd/server"
)

// usageError is a command line or configuration that cannot be right.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "helpd",
		Short: "A headless help desk that speaks the Zendesk API v2",
		Long: `helpd is a headless help desk: ticketing over an HTTP API that existing Zendesk
clients can talk to.

"helpd serve" is all it takes: it runs a PostgreSQL of its own in the data
directory, makes an account and tells how to go on. The other commands work
beside a running helpd, and without one.`,
		Example: `  helpd serve
  helpd serve --addr :8080 --data-dir /var/lib/helpd
  DATABASE_URL=postgres://helpd@db/helpd helpd serve
  helpd token create --description "nightly export"
  helpd config`,
		SilenceErrors: true, // main says them
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 1,
		Args:                       subcommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	addSettings(cmd.PersistentFlags(), true)
	cmd.AddCommand(serveCommand(), migrateCommand(), accountCommand(), userCommand(), tokenCommand(), automationsCommand(), articlesCommand(), exportCommand(), configCommand(), versionCommand())
	return cmd
}

// isSetting annotates the flags that addSettings defines.
const isSetting = "setting"

// addSettings defines the flags of the settings that every command needs, or
// of the others.
func addSettings(flags *pflag.FlagSet, database bool) {
	for _, s := range server.Settings() {
		if s.Database == database {
			flags.String(s.Flag(), s.Default, s.Help+" ($"+s.Env+")")
			// Commands have flags of the same names that mean something else.
			_ = flags.SetAnnotation(s.Flag(), isSetting, nil) // fails only for a flag that is none
		}
	}
}

// load reads the configuration from the flags of cmd and the environment.
func load(cmd *cobra.Command) (server.Config, []server.Value, error) {
	given := map[string]string{}
	for _, s := range server.Settings() {
		f := cmd.Flag(s.Flag())
		if f == nil || !f.Changed {
			continue
		}
		if _, ok := f.Annotations[isSetting]; ok {
			given[f.Name] = f.Value.String()
		}
	}
	c, values, err := server.LoadConfig(given, os.LookupEnv)
	if err != nil {
		err = usageError{err}
	}
	return c, values, err
}

// warnUnknown tells of variables that look like settings and are none.
func warnUnknown(cmd *cobra.Command) {
	if unknown := server.UnknownVariables(os.Environ()); len(unknown) > 0 {
		cmd.PrintErrf("helpd: no such setting, ignored: %s\n", strings.Join(unknown, ", "))
	}
}

// withDatabase runs a command's work on the configured database.
func withDatabase(cmd *cobra.Command, work func(ctx context.Context, db *server.Database) error) (err error) {
	c, _, err := load(cmd)
	if err != nil {
		return err
	}
	// What a command has to say is its result; only trouble is logged.
	log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := server.ReachDatabase(cmd.Context(), c, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return work(cmd.Context(), db)
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// subcommand refuses what is no command of cmd.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		hint = fmt.Sprintf(" (did you mean %s?)", strings.Join(similar, " or "))
	}
	return usageError{fmt.Errorf("%s has no command %q%s; see %s --help", cmd.CommandPath(), args[0], hint, cmd.CommandPath())}
}

// noArgs and exactArgs are cobra's with our exit code.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s does not take %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())}
	}
	return nil
}

func exactArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("usage: %s", cmd.UseLine())}
		}
		return nil
	}
}

// table writes rows in columns, the first of them as a head.
func table(cmd *cobra.Command, rows [][]string) error {
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}
