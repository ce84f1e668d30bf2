// Package webhooks keeps whom helpd tells of what happens, and tells them.
//
// # What is told
//
// A webhook is told of events, as they are in the log (package events), or it is
// what triggers and automations call; never both (Kind).
package webhooks

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/ulid"
)

// Options of the service.
type Options struct {
	// Allow are networks that webhooks may reach though they are not of the
	// public internet.
	Allow []netip.Prefix
	// Retries are how long to wait before the second try of a delivery, the third
	// and so on; nil: DefaultRetries.
	Retries []time.Duration
	// Process is the id of this process, and Living is SQL: an array of the ids of
	// those that live (package jobs).
	Process, Living string
}

// How many deliveries are under way at the same time.
const (
	perWebhook = 8   // to one webhook
	inProcess  = 256 // from one process
)

// Service keeps the webhooks of all accounts.
type Service struct {
	db     *gorm.DB
	now    func() time.Time
	guard  guard
	client *http.Client
	tries  perMinute

	retries []time.Duration // before the second try, the third and so on
	process string          // who takes deliveries
	living  string          // SQL: the processes that live
	news    chan struct{}
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time, o Options) *Service {
	g := guard{o.Allow}
	s := &Service{
		db: db, now: now, guard: g, client: newClient(g), retries: o.Retries, process: o.Process, living: o.Living, news: make(chan struct{}, 1),
	}
	if s.retries == nil {
		s.retries = DefaultRetries
	}
	return s
}

// Kind is what may make a webhook deliver.
type Kind int

// Kinds of webhooks by their subscriptions.
const (
	Unconnected Kind = iota // nothing
	ByRules                 // triggers and automations
	ByEvents                // events of the log
)

// KindOf is the kind of a webhook with these subscriptions.
func KindOf(subscriptions []string) Kind {
	switch {
	case len(subscriptions) == 0:
		return Unconnected
	case subscriptions[0] == models.ConditionalEvents:
		return ByRules
	}
	return ByEvents
}

// Filter chooses the webhooks of a listing; what is empty is any.
type Filter struct {
	NameContains string // whatever its case
	Status       string
}

const columns = `id, name, description, status, endpoint, http_method, request_format, subscriptions, excluded_sources, auth_type, auth_data,
	custom_headers, secret, earlier_secrets, created_by, updated_by, created_at, updated_at`

func pointers(w *models.Webhook) []any {
	return []any{
		&w.ID, &w.Name, &w.Description, &w.Status, &w.Endpoint, &w.HTTPMethod, &w.RequestFormat, &w.Subscriptions, &w.ExcludedSources, &w.AuthType, &w.AuthData,
		&w.CustomHeaders, &w.Secret, &w.EarlierSecrets, &w.CreatedBy, &w.UpdatedBy, &w.CreatedAt, &w.UpdatedAt,
	}
}

var byID = page.Column{Expr: "id", Kind: page.Text}

var orders = map[string]page.Order{
	"":       page.By("id", byID),
	"name":   page.By("name,id", page.Column{Expr: "lower(name)", Kind: page.Text}, byID),
	"status": page.By("status,id", page.Column{Expr: "status", Kind: page.Text}, byID),
}

// List is a page of the webhooks, in the order in which they were made unless
// the page asks for name or status. It fails with fault.BadRequest for another.
func (s *Service) List(ctx context.Context, by auth.Actor, f Filter, p page.Request) (page.Result[models.Webhook], error) {
	order, ok := orders[p.Sort]
	if !ok {
		return page.Result[models.Webhook]{}, fault.New(fault.BadRequest, "sort must be name or status")
	}
	order = order.Directed(p.Desc)
	q := page.Query{Select: columns, From: "webhooks", Where: "account_id = ?", Args: []any{by.AccountID}, Order: order}
	if f.NameContains != "" {
		q.Where, q.Args = q.Where+" AND lower(name) LIKE ?", append(q.Args, "%"+postgres.EscapeLike(strings.ToLower(f.NameContains))+"%")
	}
	switch f.Status {
	case "":
	case models.WebhookActive, models.WebhookInactive:
		q.Where, q.Args = q.Where+" AND status = ?", append(q.Args, f.Status)
	default:
		return page.Result[models.Webhook]{}, fault.New(fault.BadRequest, "filter[status] must be active or inactive")
	}
	return page.List(ctx, s.db, q, p, func(rows *sql.Rows, order ...any) (models.Webhook, error) {
		w := models.Webhook{AccountID: by.AccountID}
		return w, rows.Scan(append(pointers(&w), order...)...)
	})
}

// Get is a webhook. It fails with fault.NotFound.
func (s *Service) Get(ctx context.Context, by auth.Actor, id string) (models.Webhook, error) {
	return get(s.db.WithContext(ctx), id)
}

func get(tx *gorm.DB, id string) (models.Webhook, error) {
	var w models.Webhook
	if !ulid.Is(id) { // PostgreSQL refuses some texts
		return w, fault.New(fault.NotFound, "no such webhook")
	}
	err := tx.Take(&w, "id = ?", id).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return w, fault.Missing("webhook", id)
	}
	return w, err
}

// Rotate gives a webhook a new secret. The one before it goes on signing for a
// day beside it, whatever is rotated in that day. It fails with fault.NotFound, or
// with fault.BadRequest if so many sign already that no more may.
func (s *Service) Rotate(ctx context.Context, by auth.Actor, id string) (models.Webhook, error) {
	var w models.Webhook
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if w, err = get(locked(tx), id); err != nil {
			return err
		}
		now := s.now()
		old := earlier(&w, now)
		if len(old) >= mostEarlier {
			return fault.New(fault.BadRequest, "The secret was replaced %d times within a day: wait until %s", len(old), old[len(old)-1].Until.UTC().Format(time.RFC3339))
		}
		old = slices.Insert(old, 0, EarlierSecret{w.Secret, now.Add(overlap)})
		w.Secret, w.EarlierSecrets = newSecret(), models.ToJSON(old)
		w.UpdatedBy, w.UpdatedAt = by.ID(), now
		return tx.Select("secret", "earlier_secrets", "updated_by", "updated_at").Updates(&w).Error
	})
	return w, err
}

// locked has what is read next wait for others who change it.
func locked(tx *gorm.DB) *gorm.DB { return tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}) }
