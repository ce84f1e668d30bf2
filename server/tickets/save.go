package tickets

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/outbox"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/rules"
)

// Saved is a ticket after a change, the audit of it, and the account's set-up
// that both are shown with.
type Saved struct {
	Ticket models.Ticket
	Audit  AuditRecord
	Config *fields.Config
	// Suspended, when set, is what a new ticket has become in place of a ticket;
	// Ticket and Audit are empty then.
	Suspended *models.SuspendedTicket
}

// save is one change of one ticket under way: lock, apply, status rules,
// validate, rules, derive, write. The order is part of the API, since clients
// see what it makes in the same answer and the same audit.
type save struct {
	service   *Service
	tx        *gorm.DB
	by        auth.Actor
	config    *fields.Config
	now       time.Time
	created   bool
	change    Change
	together  *together  // nil: by itself
	rehearsal *rehearsal // nil: it is written

	before, after   models.Ticket
	valuesBefore    map[string]json.RawMessage
	values          map[string]json.RawMessage
	metric          models.TicketMetric
	metricEvents    []metricEvent
	people          people
	comment         *models.Comment
	rating          *rating // as it becomes; nil: untouched
	held            *held   // why the ticket does not come to be
	suspended       *models.SuspendedTicket
	recovered       *models.SuspendedTicket // what the ticket was before
	files           []attachments.File
	ids             idBlock
	auditID         int64
	furtherAudits   models.IDs // of the next steps of an import
	auditVia        Via
	auditEvents     []auditEvent
	tells           toldState    // up to which state auditEvents tell the change
	rule            *rules.Rule  // whose effects are being carried out; nil: the caller's change
	record          *AuditRecord // see audit
	log             []events.Event
	follows         bool // of another ticket's change: a merge, the solving of its problem
	last            bool // what it writes is the transaction's last statement
	silent          bool // an import: no rules, no events to outside
	unruled         bool // no rules run on it; an import is so too
	ruled           bool // triggers were asked about it
	imported        *importedTimes
	automation      *rules.Rule // that the save is for; nil: none
	moments         models.IDs  // that its conditions ask about
	ruleComments    []*models.Comment
	notifications   []outbox.Notification
	mails           []models.OutboxMail
	calls           []webhookCall
	invocations     []models.WebhookInvocation
	autoreply       *models.Autoreply     // that a trigger asks for; nil: none
	articles        *articles             // that the save is to send; nil: none
	uses            models.IDs            // rules that led to the change or added to it
	texts           *placeholders.Context // see context
	requesterLocale string                // that a rule gives the requester; empty: none
	touchUnaudited  bool                  // write although no audit event came about
	organizationNew bool                  // the organization is to be taken from the requester
}

// Create makes a ticket, unless it is suspended (Saved.Suspended): that of a
// suspended user, and that of somebody who should have signed in. It fails with
// fault.Invalid naming the field.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (Saved, error) {
	var saved Saved
	create := func(tx *gorm.DB) error {
		sv, err := s.newTx(tx, by, s.now())
		if err != nil {
			return err
		}
		sv.take(c)
		saved, err = sv.run()
		return err
	}
	var err error
	if c.writesOnce() {
		err = create(s.db.WithContext(ctx))
	} else {
		err = s.inTx(ctx, create)
	}
	return saved, err
}

// take takes a new ticket's change, and the number that was given out for it.
func (s *save) take(c Change) {
	s.change = c
	if c.Number != 0 {
		s.after.ID, s.metric.TicketID = c.Number, c.Number
	}
}

// Reserve gives out the number of a ticket that is to be created later.
func (s *Service) Reserve(ctx context.Context, by auth.Actor) (number int64, err error) {
	err = s.db.WithContext(ctx).Raw("SELECT next_ticket_id(?)", by.AccountID).Row().Scan(&number)
	return number, err
}

// writesOnce reports whether creating a ticket so writes with one statement
// alone, which is a transaction of its own. What is read before takes no locks,
// so one around it would change nothing and cost two round trips.
func (c Change) writesOnce() bool {
	return c.Requester == nil && c.FollowupOf == 0 && !slices.ContainsFunc(c.Followers, Collaborator.byAddress) &&
		!slices.ContainsFunc(c.EmailCCs, Collaborator.byAddress) && (c.Comment == nil || len(c.Comment.Uploads) == 0)
}

// newTx begins a ticket that comes into being at the time at.
func (s *Service) newTx(tx *gorm.DB, by auth.Actor, at time.Time) (*save, error) {
	saves, err := s.newOnesTx(tx, by, []start{{at: at}})
	if err != nil {
		return nil, err
	}
	return saves[0], nil
}

// start is how a ticket begins: when, and how many further audits its saves take.
type start struct {
	at      time.Time
	further int64
}

// newOnesTx begins tickets, whose numbers are in the same order.
func (s *Service) newOnesTx(tx *gorm.DB, by auth.Actor, starts []start) ([]*save, error) {
	further := make(models.IDs, len(starts))
	for i, start := range starts {
		further[i] = start.further
	}
	saves := make([]*save, 0, len(starts))
	var version int64
	err := postgres.Rows(tx, `SELECT a.config_version, next_ticket_id(a.id), nextval('audit_ids'),
			CASE WHEN n > 0 THEN ARRAY(SELECT nextval('audit_ids') FROM generate_series(1, n)) ELSE '{}' END
		FROM accounts a CROSS JOIN unnest(?::bigint[]) AS n WHERE a.id = ?`, []any{further, by.AccountID}, func(row postgres.Scanned) error {
		sv := &save{service: s, tx: tx, by: by, now: starts[len(saves)].at, created: true}
		saves = append(saves, sv)
		return row.Scan(&version, &sv.after.ID, &sv.auditID, &sv.furtherAudits)
	})
	if err != nil {
		return nil, err
	}
	if len(saves) < len(starts) {
		return nil, fault.Missing("account", by.AccountID)
	}
	config, err := s.fields.Config(tx, by.AccountID, version)
	if err != nil {
		return nil, err
	}
	for _, sv := range saves {
		sv.config = config
		sv.begin()
	}
	return saves, nil
}

// Update changes ticket id. It fails with fault.NotFound, also when by may not
// see the ticket, with fault.Outdated, or with fault.Invalid naming the field.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (Saved, error) {
	var saved Saved
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		sv, err := s.lockTx(tx, by, id)
		if err != nil {
			return err
		}
		sv.change, sv.last = c, true
		saved, err = sv.run()
		return err
	})
	return saved, err
}

// lockTx holds a ticket that by may see to the end of tx, so that two changes
// of it take turns and each one's rules see the other's result.
func (s *Service) lockTx(tx *gorm.DB, by auth.Actor, id int64) (*save, error) {
	where, args := Visible(by)
	return s.lockWhereTx(tx, by, id, where, args)
}

func (s *Service) lockWhereTx(tx *gorm.DB, by auth.Actor, id int64, where string, args []any) (*save, error) {
	// The metric set is locked too: of a row that is only joined, whoever had
	// to wait for the ticket would get the state from before the wait.
	return s.readWhereTx(tx, by, id, "nextval('audit_ids')", where+" FOR UPDATE OF t, m", args)
}

// readWhereTx begins a save of a ticket, whose audit gets the number auditID.
func (s *Service) readWhereTx(tx *gorm.DB, by auth.Actor, id int64, auditID, where string, args []any) (*save, error) {
	sv := &save{service: s, tx: tx, by: by}
	var version int64
	sv.before.AccountID = by.AccountID
	dests := append(append(dest(&sv.before), metricDest(&sv.metric)...), &sv.metric.Clocks, &sv.metric.BusinessClocks, &sv.metric.SLA, &sv.metric.BreachDueAt)
	found, err := postgres.Row(tx, "SELECT "+columns+", "+metricColumns+", m.clocks, m.business_clocks, m.sla, m.breach_due_at, a.config_version, "+auditID+` FROM tickets t
		JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id
		JOIN accounts a ON a.id = t.account_id
		WHERE t.id = ? AND `+where, append([]any{id}, args...), append(dests, &version, &sv.auditID)...)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.Missing("ticket", id)
	}
	if sv.config, err = s.fields.Config(tx, by.AccountID, version); err != nil {
		return nil, err
	}
	// The time is taken behind the lock, and never runs backwards on a ticket,
	// so that audits in the order of time are in the order of the changes.
	if sv.now = s.now(); sv.now.Before(sv.before.GeneratedAt) {
		sv.now = sv.before.GeneratedAt
	}
	sv.metric.AccountID, sv.metric.TicketID = by.AccountID, id
	sv.begin()
	return sv, nil
}

func (s *save) begin() {
	s.ids = idBlock{s.auditID + 1, s.auditID + 64}
	s.auditVia = viaChannel("api")
	if s.by.ID() == models.SystemUser {
		s.auditVia = viaChannel("system")
	}
	s.valuesBefore, s.values = map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if s.created {
		s.after = models.Ticket{
			AccountID: s.by.AccountID, ID: s.after.ID, Tags: models.Strings{}, CustomFields: models.JSON("{}"),
			FollowerIDs: models.IDs{}, EmailCCIDs: models.IDs{}, FollowupIDs: models.IDs{},
			Stamps: models.Stamps{CreatedAt: s.now, UpdatedAt: s.now},
		}
		s.metric = models.TicketMetric{Tenant: models.Tenant{AccountID: s.by.AccountID}, TicketID: s.after.ID}
		return
	}
	s.after = s.before
	s.valuesBefore = fields.Values(s.before.CustomFields)
	s.values = cloneValues(s.valuesBefore)
	s.tells = toldState{ticket: s.before, values: s.valuesBefore}
}

// run is the pipeline. It is the only way a ticket changes.
func (s *save) run() (Saved, error) {
	if stamp := s.change.UpdatedStamp; stamp != nil && !stamp.Equal(s.before.UpdatedAt.Truncate(time.Second)) {
		return Saved{}, fault.New(fault.Outdated, "the ticket has changed since")
	}
	for _, step := range []func() error{
		s.asRequest, s.screen, s.findPeople, s.admit, s.followUp, s.apply, s.suspend, s.onlyChoice, s.addComment, s.statusRules, s.validate, s.automate, s.sendArticles, s.tellChanges, s.tellMacros, s.runRules, s.notify, s.invoke, s.derive, s.stampImport,
	} {
		if err := step(); err != nil {
			return Saved{}, s.config.Localised(err, s.by.User.Locale)
		}
		if s.suspended != nil {
			return Saved{Suspended: s.suspended, Config: s.config}, nil
		}
	}
	if !s.created && len(s.auditEvents) == 0 && !s.touchUnaudited && s.requesterLocale == "" {
		return Saved{Ticket: s.before, Audit: s.audit(), Config: s.config}, nil // nothing changed: nothing is written
	}
	if err := s.leadIncidents(); err != nil {
		return Saved{}, err
	}
	if err := s.write(); err != nil {
		return Saved{}, err
	}
	return Saved{Ticket: s.after, Audit: s.audit(), Config: s.config}, nil
}

// idBlock are the ids of one audit's events. One audit takes 64 of the
// sequence; a save that needs more takes another block.
type idBlock struct{ next, end int64 }

func (s *save) newID() (int64, error) {
	if s.ids.next == s.ids.end {
		var first int64
		if err := s.tx.Raw("SELECT nextval('audit_ids')").Row().Scan(&first); err != nil {
			return 0, err
		}
		s.ids = idBlock{first, first + 64}
	}
	s.ids.next++
	return s.ids.next - 1, nil
}
