// Package api is HTTP in and HTTP out: it decodes, authenticates, asks a
// package of server/ to do the work, and encodes. It knows the contract's wire
// forms and status codes, and no SQL.
package api

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/gen"
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
	"github.com/helpd/helpd/server/users"
	"github.com/helpd/helpd/server/views"
	"github.com/helpd/helpd/server/webhooks"
)

// Services do what operations ask for.
type Services struct {
	Attachments   *attachments.Service
	Auth          *auth.Service
	Automations   *automations.Service
	Autoreplies   *autoreplies.Service
	Brands        *brands.Service
	ContentTags   *contenttags.Service
	Dynamic       *dynamiccontent.Service
	Erasure       *erasure.Service
	Events        *events.Log
	Exports       *exports.Service
	ExportFiles   *exports.Files
	Fields        *fields.Service
	Finding       *finding.Service
	Groups        *groups.Service
	HelpCenter    *helpcenter.Service
	Merging       *merging.Service
	Organizations *organizations.Service
	Rules         *rulebook.Service
	Index         *search.Index
	Schedules     *schedules.Service
	Segments      *segments.Service
	SLA           *sla.Service
	Suspended     *suspended.Service
	Tags          *tags.Service
	Tickets       *tickets.Service
	Users         *users.Service
	Views         *views.Service
	Webhooks      *webhooks.Service

	Jobs        *jobs.Service
	Idempotency *idempotency.Service
}

// Options of the API. Log and Registry are required, the rest has defaults.
type Options struct {
	Log         *slog.Logger
	Registry    prometheus.Registerer // where metrics are counted
	Trace       echo.MiddlewareFunc
	Now         func() time.Time
	Trusted     []netip.Prefix // proxies whose X-Forwarded headers are believed
	Origins     []string       // browsers' origins that may call; nil is any
	Limits      edge.Limits
	MaxInFlight int
	MaxUpload   int64
	Pages       Pages
}

// handlers has one method per operation. Each area brings its own by embedding.
type handlers struct {
	accountHandlers
	attachmentHandlers
	audienceHandlers
	brandHandlers
	dynamicHandlers
	eventHandlers
	exportHandlers
	exportFileHandlers
	fieldHandlers
	groupHandlers
	helpCenterHandlers
	jobHandlers
	localeHandlers
	organizationHandlers
	sessionHandlers
	satisfactionHandlers
	requestHandlers
	ruleHandlers
	tryHandlers
	scheduleHandlers
	searchHandlers
	slaHandlers
	suspendedHandlers
	tagHandlers
	ticketHandlers
	userHandlers
	viewHandlers
	webhookHandlers
}

var _ gen.StrictServerInterface = handlers{}

// legacyExports are obsolete operations of the original's, which we do not have,
// and no exports of ours with such an id.
var legacyExports = []string{"/api/v2/exports/tickets", "/api/v2/exports/tickets/sample"}

// New is the HTTP handler of the API.
func New(s Services, o Options) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = errorHandler(o.Log)
	e.Binder = binder{}
	e.Pre(legacyPath, foldLists)
	who := authenticator{s.Auth, s.Users, edge.NewFailures(guesses, o.Now)}
	edge.Use(e, edge.Options{
		Log: o.Log, Registry: o.Registry, Trace: o.Trace, Trusted: o.Trusted, Origins: o.Origins,
		Limits: o.Limits, MaxInFlight: o.MaxInFlight, MaxUpload: o.MaxUpload,
		Authenticate: who.middleware, Authorize: authorize,
	})
	e.Pre(helpCenterPaths) // once the suffix is gone
	e.Use(source, idempotent{s.Idempotency}.middleware, ifMatch{s.Idempotency}.middleware)
	h := handlers{
		accountHandlers:      accountHandlers{s.Auth, s.Fields, s.Attachments},
		attachmentHandlers:   attachmentHandlers{s.Attachments, s.Tickets, s.Rules, who},
		audienceHandlers:     audienceHandlers{s.Segments, s.ContentTags},
		brandHandlers:        brandHandlers{s.Brands, s.Fields, s.Attachments},
		dynamicHandlers:      dynamicHandlers{s.Dynamic},
		eventHandlers:        eventHandlers{s.Events, who},
		fieldHandlers:        fieldHandlers{s.Fields, s.Users},
		groupHandlers:        groupHandlers{s.Groups, s.Users, s.Jobs},
		helpCenterHandlers:   helpCenterHandlers{s.HelpCenter, s.Users, s.Exports, s.Tickets},
		jobHandlers:          jobHandlers{s.Jobs},
		localeHandlers:       localeHandlers{s.Fields},
		organizationHandlers: organizationHandlers{s.Organizations, s.Users, s.Jobs, s.Merging, s.Tickets},
		sessionHandlers:      sessionHandlers{s.Auth},
		satisfactionHandlers: satisfactionHandlers{s.Tickets},
		requestHandlers:      requestHandlers{s.Tickets, s.Users, s.Organizations},
		ruleHandlers:         ruleHandlers{s.Rules, s.Users, s.Tickets, s.Attachments},
		tryHandlers:          tryHandlers{s.Tickets},
		scheduleHandlers:     scheduleHandlers{s.Schedules},
		slaHandlers:          slaHandlers{s.SLA, s.Rules},
		suspendedHandlers:    suspendedHandlers{s.Suspended, s.Tickets, s.Jobs},
		tagHandlers:          tagHandlers{s.Tags, s.Tickets},
		ticketHandlers:       ticketHandlers{s.Tickets, s.Users, s.Groups, s.Organizations, s.Jobs},
		userHandlers:         userHandlers{s.Users, s.Organizations, who, s.Merging, s.Erasure, s.Attachments, s.Tickets},
		webhookHandlers:      webhookHandlers{s.Webhooks, s.Tickets},
	}
	h.viewHandlers = viewHandlers{s.Views, h.ticketHandlers}
	h.exportFileHandlers = exportFileHandlers{s.ExportFiles}
	h.exportHandlers = exportHandlers{s.Exports, h.ticketHandlers, h.userHandlers, s.Organizations}
	h.searchHandlers = searchHandlers{s.Finding, h.ticketHandlers}
	h.groupHandlers.register()
	h.organizationHandlers.register()
	h.registerImport()
	h.suspendedHandlers.register()
	h.ticketHandlers.register()
	h.viewHandlers.register()
	o.Pages.register(e)
	gen.RegisterHandlers(headToo{e}, gen.NewStrictHandler(h, []gen.StrictMiddlewareFunc{setUp{fields: s.Fields}.guard}))
	for _, path := range legacyExports {
		e.GET(path, echo.NotFoundHandler)
	}
	h.downloads(e)
	h.articleFiles(e, h.attachmentHandlers)
	h.userImages(e, h.attachmentHandlers)
	h.exportDownloads(e)
	h.surveys(e)
	h.answers(e)
	h.redirects(e, who)
	return e
}
