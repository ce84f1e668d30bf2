// Package server puts helpd together: it reads the configuration, constructs
// the packages below it and starts and stops them. It knows how none of them
// works.
package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/automations"
	"github.com/helpd/helpd/server/autoreplies"
	"github.com/helpd/helpd/server/brands"
	"github.com/helpd/helpd/server/contenttags"
	"github.com/helpd/helpd/server/dynamiccontent"
	"github.com/helpd/helpd/server/erasure"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/exports"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/finding"
	"github.com/helpd/helpd/server/groups"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/idempotency"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/merging"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/rulebook"
	"github.com/helpd/helpd/server/schedules"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/segments"
	"github.com/helpd/helpd/server/sla"
	"github.com/helpd/helpd/server/suspended"
	"github.com/helpd/helpd/server/tags"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/unassign"
	"github.com/helpd/helpd/server/users"
	"github.com/helpd/helpd/server/views"
	"github.com/helpd/helpd/server/webhooks"
)

// ServiceOptions are what services need beside the database. BlobURL is where
// attachments are kept: file:///dir or s3://bucket?region=...
type ServiceOptions struct {
	Now     func() time.Time
	Log     *slog.Logger
	BlobURL string
	// MaxUpload is the size of the largest attachment, in bytes; 0 is
	// attachments.DefaultMaxSize.
	MaxUpload int64
	// PublicURL is tickets.Service.PublicURL.
	PublicURL string
	// AutomationInterval is how often automations run; 0: never by themselves.
	AutomationInterval time.Duration
	// WebhookAllow and WebhookRetries are Allow and Retries of webhooks.Options.
	WebhookAllow   []netip.Prefix
	WebhookRetries []time.Duration
	// LookUp finds the canonical name of a host; nil asks the system's name servers.
	LookUp func(ctx context.Context, host string) (string, error)
}

// NewServices constructs all that operations ask for on the database db, whose
// address is dsn. Nothing runs yet; Jobs.Start begins background work, and
// Jobs.Stop ends it and gives connections back, also when it never began.
func NewServices(ctx context.Context, db *gorm.DB, dsn string, o ServiceOptions) (api.Services, error) {
	if o.LookUp == nil {
		o.LookUp = net.DefaultResolver.LookupCNAME
	}
	authService := auth.New(db, o.Now)
	queue, err := jobs.New(db, dsn, authService, o.Now, o.Log)
	if err != nil {
		return api.Services{}, err
	}
	bucket, err := attachments.OpenBucket(ctx, o.BlobURL)
	if err != nil {
		return api.Services{}, errors.Join(err, queue.Stop(ctx))
	}
	files := attachments.New(db, bucket, o.Now, attachments.Options{Jobs: queue, MaxSize: o.MaxUpload})
	keys := idempotency.New(db, o.Now)
	config := fields.New(db, o.Now, fields.Targets{
		fields.TargetUsers: users.Visible, fields.TargetOrganizations: organizations.Visible, fields.TargetTickets: tickets.Visible,
	})
	people := users.New(db, authService, config, o.Now)
	people.Register(queue)
	held := suspended.New(db, files, o.Now)
	rulebookService := rulebook.New(db, config, files, o.Now)
	promises := sla.New(db, config, o.Now)
	ticketService := tickets.New(db, config, people, files, rulebookService, promises, o.Now)
	ticketService.PublicURL = o.PublicURL
	ticketService.Work(queue, authService)
	byTime := automations.New(db, config, ticketService, o.Log)
	if o.AutomationInterval > 0 {
		queue.Every(o.AutomationInterval, "automations", func(ctx context.Context) error {
			_, err := byTime.Run(ctx)
			return err
		})
	}
	log := events.NewLog(db, o.Now, o.Log)
	index := search.NewIndex(db)
	erasures := erasure.New(db, people, files, index, queue, o.Now, o.Log)
	places := exports.New(db, log)
	companies := organizations.New(db, authService, config, queue, o.Now)
	hooks := webhooks.New(db, o.Now, webhooks.Options{Allow: o.WebhookAllow, Retries: o.WebhookRetries, Process: queue.Process(), Living: jobs.Living()})
	unassign.Register(queue, db, config, people, companies, ticketService, o.Log)
	help := helpcenter.New(db, config, files, index, o.Now)
	help.PublicURL = o.PublicURL
	replies := autoreplies.New(db, ticketService, help, o.Now, o.Log)
	workForReaders(queue, help, replies)
	services := api.Services{
		Attachments:   files,
		Automations:   byTime,
		Autoreplies:   replies,
		Auth:          authService,
		Brands:        brands.New(db, authService, files, o.Now, o.LookUp),
		ContentTags:   contenttags.New(db, o.Now),
		Dynamic:       dynamiccontent.New(db, o.Now),
		Erasure:       erasures,
		Events:        log,
		Exports:       places,
		ExportFiles:   exports.NewFiles(db, places, exports.Sources{Log: log, Fields: config, Tickets: ticketService, Users: people, Organizations: companies}, bucket, queue, o.Now, o.Log),
		Fields:        config,
		Finding:       finding.New(db, index, config, o.Now),
		Index:         index,
		Merging:       merging.New(db, people, companies, ticketService, queue, o.Now),
		Groups:        groups.New(db, authService, queue, o.Now),
		HelpCenter:    help,
		Organizations: companies,
		Rules:         rulebookService,
		Schedules:     schedules.New(db, o.Now),
		Segments:      segments.New(db, o.Now),
		SLA:           promises,
		Suspended:     held,
		Tags:          tags.New(db),
		Tickets:       ticketService,
		Users:         people,
		Views:         views.New(db, rulebookService, config, ticketService, files, o.Now, o.Log),
		Webhooks:      hooks,

		Jobs:        queue,
		Idempotency: keys,
	}
	tidyUp(services)
	return services, nil
}

// tidyUp has what is counted beside added up, and what is kept for a time removed.
func tidyUp(s api.Services) {
	s.Jobs.Every(10*time.Minute, "idempotency keys", s.Idempotency.Prune)
	s.Jobs.Every(time.Hour, "sessions", s.Auth.PruneSessions)
	s.Jobs.Every(10*time.Minute, "suspended tickets", s.Suspended.Sweep)
	s.Jobs.Every(time.Minute, "tag counts", s.Tags.Fold)
	s.Jobs.Every(time.Minute, "rule usage", s.Rules.FoldUses)
	s.Jobs.Every(10*time.Minute, "webhook deliveries", s.Webhooks.Prune)
}

// workForReaders has the help center's work done that waits for no request.
func workForReaders(queue *jobs.Service, help *helpcenter.Service, replies *autoreplies.Service) {
	queue.Every(time.Minute, "article verifications", help.TellDue)
	queue.Every(24*time.Hour, "searches and offers of readers", help.Forget)
	queue.Every(5*time.Second, "articles for tickets", replies.Send)
}
