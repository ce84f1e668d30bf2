package webhooks

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/ulid"
)

// MaxWebhooks is how many an account may have.
const MaxWebhooks = 1_000

// Change is what a caller asks of a webhook. What is nil or unspecified is left
// alone.
type Change struct {
	Name            *string
	Description     nullable.Nullable[string]
	Status          *string
	Endpoint        *string
	HTTPMethod      *string
	RequestFormat   *string
	Subscriptions   []string
	ExcludedSources []string
	Authentication  nullable.Nullable[Authentication]
	Headers         nullable.Nullable[map[string]string]
}

// Authentication is what credentials a webhook sends.
type Authentication struct {
	Type     string // models.AuthBasic and the rest
	Position string // "header" or empty, which is the same
	Credentials
}

// Credentials are those of one type; the others' members are nil.
type Credentials struct {
	Username *string `json:"username,omitempty"` // of basic_auth
	Password *string `json:"password,omitempty"`
	Token    *string `json:"token,omitempty"` // of bearer_token
	Name     *string `json:"name,omitempty"`  // of api_key: the header
	Value    *string `json:"value,omitempty"`
}

// whole is the change that replaces a webhook: what is not told is not there.
func (c Change) whole() Change {
	for _, text := range []**string{&c.Name, &c.Status, &c.Endpoint, &c.HTTPMethod, &c.RequestFormat} {
		if *text == nil {
			*text = new(string)
		}
	}
	if !c.Description.IsSpecified() {
		c.Description.SetNull()
	}
	if !c.Authentication.IsSpecified() {
		c.Authentication.SetNull()
	}
	if !c.Headers.IsSpecified() {
		c.Headers.SetNull()
	}
	if c.Subscriptions == nil {
		c.Subscriptions = []string{}
	}
	if c.ExcludedSources == nil {
		c.ExcludedSources = []string{}
	}
	return c
}

// Create makes a webhook. It fails with fault.Invalid that names what is wrong.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.Webhook, error) {
	var w models.Webhook
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		return s.addTx(tx, by, &w, c.whole())
	})
	return w, err
}

// Clone makes a webhook that is like another, credentials included, with a
// secret of its own, and changes it. It fails as Create does, or with
// fault.NotFound for the other.
func (s *Service) Clone(ctx context.Context, by auth.Actor, id string, c Change) (models.Webhook, error) {
	var w models.Webhook
	err := accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) (err error) {
		if w, err = get(tx, id); err != nil {
			return err
		}
		w.BlockedUntil, w.Blocks = nil, 0
		return s.addTx(tx, by, &w, c)
	})
	return w, err
}

func (s *Service) addTx(tx *gorm.DB, by auth.Actor, w *models.Webhook, c Change) error {
	if err := s.apply(w, c); err != nil {
		return err
	}
	var n int64
	if err := tx.Model(&models.Webhook{}).Count(&n).Error; err != nil {
		return err
	}
	if n >= MaxWebhooks {
		return invalid("base", "Webhook: there are %d already", n)
	}
	now := s.now()
	w.ID, w.Secret, w.EarlierSecrets, w.CreatedBy, w.UpdatedBy = ulid.New(now), newSecret(), models.JSON("[]"), by.ID(), by.ID()
	w.Stamps = models.Stamps{CreatedAt: now, UpdatedAt: now}
	return tx.Create(w).Error
}

// Replace has a webhook be what c tells and nothing else. It fails with
// fault.NotFound, or with fault.Invalid that names what is wrong.
func (s *Service) Replace(ctx context.Context, by auth.Actor, id string, c Change) error {
	return s.Update(ctx, by, id, c.whole())
}

// Update changes a webhook. It fails as Replace does.
func (s *Service) Update(ctx context.Context, by auth.Actor, id string, c Change) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		w, err := get(locked(tx), id)
		if err != nil {
			return err
		}
		was := KindOf(w.Subscriptions)
		if err := s.apply(&w, c); err != nil {
			return err
		}
		is := KindOf(w.Subscriptions)
		if was != Unconnected && is != Unconnected && was != is {
			return invalid("subscriptions", "cannot change between %s and types of events: create another webhook", models.ConditionalEvents)
		}
		if was == ByRules && is != ByRules {
			if err := unusedTx(tx, w.AccountID, id, "subscriptions"); err != nil {
				return err
			}
		}
		w.UpdatedBy, w.UpdatedAt = by.ID(), s.now()
		return tx.Select("*").Omit("secret", "earlier_secrets", "created_by", "created_at", "blocked_until", "blocks").Updates(&w).Error
	})
}

// Delete removes a webhook with its deliveries. It fails with fault.NotFound, or
// with fault.Invalid while a trigger or an automation uses it.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id string) error {
	return accounts.ChangeSetUp(ctx, s.db, by.AccountID, func(tx *gorm.DB) error {
		w, err := get(locked(tx), id)
		if err != nil {
			return err
		}
		if err := unusedTx(tx, w.AccountID, id, "base"); err != nil {
			return err
		}
		// Its deliveries end when they are due, and go when old ones do (Prune).
		return tx.Delete(&models.Webhook{}, "id = ?", id).Error
	})
}

// shownUses is how many of the rules that use a webhook an error names.
const shownUses = 5

// unusedTx fails if a trigger or an automation calls the webhook.
func unusedTx(tx *gorm.DB, account int64, id, field string) error {
	var titles []string
	err := tx.Raw(`SELECT kind || ' ' || title FROM rules WHERE account_id = ? AND kind IN ('trigger', 'automation')
		AND EXISTS (SELECT FROM json_array_elements(actions) AS a WHERE a->>'field' = 'notification_webhook' AND a->'value'->>0 = ?)
		ORDER BY kind, title, id LIMIT ?`, account, id, shownUses+1).Scan(&titles).Error
	if err != nil || len(titles) == 0 {
		return err
	}
	more := ""
	if len(titles) > shownUses {
		titles, more = titles[:shownUses], " and others"
	}
	return invalid(field, "is used by %s%s", strings.Join(titles, ", "), more)
}

// apply puts a change into a webhook and holds the whole against the rules.
func (s *Service) apply(w *models.Webhook, c Change) error {
	for to, from := range map[*string]*string{&w.Status: c.Status, &w.Endpoint: c.Endpoint, &w.RequestFormat: c.RequestFormat} {
		if from != nil {
			*to = strings.TrimSpace(*from)
		}
	}
	if c.Name != nil {
		w.Name = strings.TrimSpace(*c.Name)
	}
	if c.HTTPMethod != nil {
		w.HTTPMethod = strings.ToUpper(strings.TrimSpace(*c.HTTPMethod))
	}
	if c.Description.IsSpecified() {
		w.Description = nil
		if text, err := c.Description.Get(); err == nil {
			w.Description = &text
		}
	}
	if c.Subscriptions != nil {
		w.Subscriptions = once(c.Subscriptions)
	}
	if c.ExcludedSources != nil {
		w.ExcludedSources = once(c.ExcludedSources)
	}
	if c.Headers.IsSpecified() {
		headers, _ := c.Headers.Get() // null: none
		if headers == nil {
			headers = map[string]string{}
		}
		w.CustomHeaders = models.ToJSON(headers)
	}
	return s.check(w, applyAuthentication(w, c.Authentication))
}

// once are the texts without repetitions, in their order.
func once(list []string) models.Strings {
	out := models.Strings{}
	for _, text := range list {
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// HeadersOf are the headers that a webhook was given, by name.
func HeadersOf(w *models.Webhook) map[string]string {
	out := map[string]string{}
	decode(w.CustomHeaders, &out)
	return out
}

// sortedNames are the names of headers in an order that is always the same.
func sortedNames[V any](headers map[string]V) []string { return slices.Sorted(maps.Keys(headers)) }
