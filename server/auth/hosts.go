package auth

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Brand is what a host name tells of the brand that it leads to.
type Brand struct {
	ID         int64
	HelpCenter string // the state of its help center: models.HelpCenterEnabled and the rest
}

// BrandOf is a brand as one who is at its help center has it.
func BrandOf(b models.Brand) Brand {
	state := b.HelpCenterState
	if !b.HasHelpCenter {
		state = models.HelpCenterDisabled
	}
	return Brand{ID: b.ID, HelpCenter: state}
}

// Open reports whether the help center of the brand is there for an actor: where
// none is called, it is.
func (b Brand) Open(a Actor) bool {
	return b.ID == 0 || b.HelpCenter == models.HelpCenterEnabled || b.HelpCenter == models.HelpCenterRestricted && a.Staff()
}

// place is where a host leads to, or where an account's default brand is.
type place struct {
	account int64 // 0: to none
	brand   Brand
	until   time.Time
}

// maxHosts is how many hosts are remembered at most: callers may make some up.
const maxHosts = 10_000

// maxHost is how long the name of a host may be, in bytes.
const maxHost = 253

// hosts remembers where hosts led to a moment ago, and default brands by account.
type hosts struct {
	mu       sync.Mutex
	forgets  int64 // calls of forget
	byName   map[string]place
	defaults map[int64]place
}

func (h *hosts) forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgets++
	clear(h.byName)
	clear(h.defaults)
}

// recalled is what one of the maps of h has under key, if it is fresh, or else what
// load reads.
func recalled[K comparable](h *hosts, places *map[K]place, key K, now time.Time, load func() (place, error)) (place, error) {
	h.mu.Lock()
	p, ok := (*places)[key]
	forgets := h.forgets
	h.mu.Unlock()
	if ok && now.Before(p.until) {
		return p, nil
	}
	p, err := load()
	if err != nil {
		return p, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.forgets != forgets { // what was read may be older than what was forgotten
		return p, nil
	}
	if *places == nil || len(*places) >= maxHosts {
		*places = map[K]place{}
	}
	p.until = now.Add(actorFresh)
	(*places)[key] = p
	return p, nil
}

// ForgetHosts drops what is remembered of hosts, once the transaction that ctx
// carries, if any, is committed. It is called after a change of a brand; other
// processes know of that within a second.
func (s *Service) ForgetHosts(ctx context.Context) { postgres.AfterCommit(ctx, s.hosts.forget) }

// ByHost is the account and the brand that a host name, without a port, leads to: the
// brand with that host mapping, or whose subdomain the host begins with; the default
// brand of the account whose subdomain it is; or of the only account there is. It fails
// with fault.NoAccount where the host tells none of several, or a brand that is not
// active or was deleted.
func (s *Service) ByHost(ctx context.Context, host string) (account int64, brand Brand, err error) {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	host = strings.ToValidUTF8(host[:min(len(host), maxHost)], "") // none is longer
	p, err := recalled(&s.hosts, &s.hosts.byName, host, s.now(), func() (place, error) { return s.placeOf(ctx, host) })
	if err == nil && p.account == 0 {
		err = fault.New(fault.NoAccount,
			"The host %.255s names none of the accounts here: call the host that begins with the account's subdomain, or sign in with a token", host)
	}
	return p.account, p.brand, err
}

// At returns the actor as one who called a host: at the brand that it leads to, or at
// the default one of the actor's account where it leads to none of that.
func (s *Service) At(ctx context.Context, a Actor, host string) (Actor, error) {
	account, brand, err := s.ByHost(ctx, host)
	if err == nil && account == a.AccountID {
		a.Brand = brand
		return a, nil
	}
	if err != nil && !fault.Is(err, fault.NoAccount) && !fault.Is(err, fault.Unauthenticated) {
		return a, err
	}
	p, err := recalled(&s.hosts, &s.hosts.defaults, a.AccountID, s.now(), func() (p place, err error) {
		_, err = postgres.RowIn(ctx, s.db, "SELECT b.account_id, b.id, "+stateOf+` FROM brands AS b WHERE b.account_id = ? AND b."default"`,
			[]any{a.AccountID}, &p.account, &p.brand.ID, &p.brand.HelpCenter)
		return p, err
	})
	a.Brand = p.brand
	return a, err
}

// stateOf is the state of the help center of a brand b.
const stateOf = "CASE WHEN b.has_help_center THEN b.help_center_state ELSE '" + models.HelpCenterDisabled + "' END"

// The ways in which a host may lead to a brand, the best first.
const (
	byMapping = iota + 1
	byLabel
	byAccount // by the subdomain of the account
	bySomeGone
	byBeingThere // whatever the host is
)

// placeOf looks for the brand that a host leads to, in one statement.
func (s *Service) placeOf(ctx context.Context, host string) (place, error) {
	first, _, _ := strings.Cut(host, ".")
	var found []struct {
		Way       int
		AccountID int64
		ID        int64
		State     string
		Active    bool
	}
	err := s.db.WithContext(postgres.AcrossAccounts(ctx)).Raw(`
		SELECT * FROM (
			SELECT CAST(@byMapping AS int) AS way, b.account_id, b.id, `+stateOf+` AS state, b.active FROM brands AS b WHERE b.host_mapping = @host AND NOT b.is_deleted
			UNION ALL SELECT @byLabel, b.account_id, b.id, `+stateOf+`, b.active FROM brands AS b WHERE b.subdomain = @first AND NOT b.is_deleted
			UNION ALL SELECT @byAccount, b.account_id, b.id, `+stateOf+`, true FROM accounts AS a JOIN brands AS b ON b.account_id = a.id AND b."default" WHERE a.subdomain = @first
			UNION ALL (SELECT @bySomeGone, b.account_id, b.id, '', false FROM brands AS b WHERE (b.subdomain = @first OR b.host_mapping = @host) AND b.is_deleted LIMIT 1)
			UNION ALL SELECT @byBeingThere, b.account_id, b.id, `+stateOf+`, true FROM (SELECT id FROM accounts ORDER BY id LIMIT 2) AS a
				JOIN brands AS b ON b.account_id = a.id AND b."default"
		) AS found ORDER BY way`, map[string]any{
		"byMapping": byMapping, "byLabel": byLabel, "byAccount": byAccount, "bySomeGone": bySomeGone, "byBeingThere": byBeingThere, "host": host, "first": first,
	}).Scan(&found).Error
	if err != nil {
		return place{}, err
	}
	if len(found) == 0 {
		return place{}, wrong() // there is no account at all
	}
	var gone int64 // the account of a brand that is not active, and may be meant itself
	for i, f := range found {
		switch {
		case gone == 0 && !f.Active:
			gone = f.AccountID
		case !f.Active:
		case gone != 0 && (f.Way != byAccount || f.AccountID != gone), f.Way == byBeingThere && i+1 < len(found):
			return place{}, nil
		default:
			return place{account: f.AccountID, brand: Brand{f.ID, f.State}}, nil
		}
	}
	return place{}, nil
}
