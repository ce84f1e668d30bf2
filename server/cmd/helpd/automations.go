package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/helpd/helpd/server"
)

func automationsCommand() *cobra.Command {
	return group("automations", "Run the automations of all accounts", automationsRun())
}

func automationsRun() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Run all active automations once, now",
		Long: `Run the active automations of all accounts once, as helpd serve does every
HELPD_AUTOMATION_INTERVAL. It is safe beside running processes: an automation
acts on a ticket once, whoever comes first.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, _, err := load(cmd)
			if err != nil {
				return err
			}
			return withDatabase(cmd, func(ctx context.Context, db *server.Database) (err error) {
				log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
				services, err := server.NewServices(ctx, db.DB, db.DSN, server.ServiceOptions{Now: server.Clock, Log: log, BlobURL: c.BlobURL, PublicURL: c.PublicURL})
				if err != nil {
					return err
				}
				defer func() { err = errors.Join(err, services.Jobs.Stop(context.WithoutCancel(ctx))) }()
				began := time.Now()
				ran, err := services.Automations.Run(ctx)
				cmd.Printf("%d automations acted on %d tickets in %v\n", ran.Automations, ran.Tickets, time.Since(began).Round(time.Millisecond))
				return err
			})
		},
	}
}
