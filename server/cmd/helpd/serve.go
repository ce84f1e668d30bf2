package main

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/helpd/helpd/server"
)

func serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API",
		Long: `Serve the API until a SIGINT or SIGTERM, then let requests in flight finish. A
second signal ends helpd at once; nothing that was answered is lost.

Without DATABASE_URL helpd runs a PostgreSQL of its own in the data directory.
The first start makes an account and prints its admin's password and API token.`,
		Example: `  helpd serve
  helpd serve --addr 0.0.0.0:8080 --data-dir /var/lib/helpd
  HELPD_ADMIN_EMAIL=ann@example.com HELPD_ADMIN_PASSWORD=... helpd serve
  DATABASE_URL=postgres://helpd:...@db/helpd helpd serve --metrics 127.0.0.1:9090`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := load(cmd)
			if err != nil {
				return err
			}
			warnUnknown(cmd)
			return server.Run(cmd.Context(), c, cmd.OutOrStdout())
		},
	}
	addSettings(cmd.Flags(), false)
	return cmd
}

func migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to the schema of this program",
		Long: `Bring the database to the schema of this program. "helpd serve" does so itself
when it starts; this is for those who want it done apart, before an update.`,
		Example: `  helpd migrate
  DATABASE_URL=postgres://helpd:...@db/helpd helpd migrate`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := load(cmd)
			if err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
			if err := server.MigrateDatabase(cmd.Context(), c, log); err != nil {
				return err
			}
			cmd.PrintErrln("The database has this program's schema.")
			return nil
		},
	}
}

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the configuration and where each value comes from",
		Long: `Print each setting, its value and whether that is the default or comes from the
environment or a flag. Secrets are masked. Flags are those of serve.`,
		Example: `  helpd config
  HELPD_ADDR=:9000 helpd config --log-level debug`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, values, err := load(cmd)
			rows := [][]string{{"SETTING", "VALUE", "SOURCE", "FLAG"}}
			for _, v := range values {
				flag := ""
				if v.Flag != "" {
					flag = "--" + v.Flag
				}
				rows = append(rows, []string{v.Env, v.Text, v.Source, flag})
			}
			if err := table(cmd, rows); err != nil {
				return err
			}
			warnUnknown(cmd)
			return err
		},
	}
	addSettings(cmd.Flags(), false)
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print which helpd this is",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), server.Version())
			return err
		},
	}
}
