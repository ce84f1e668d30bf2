package webhooks

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/ulid"
)

const (
	// busyPoll is how often the queue is looked at while there is something in
	// it, and idlePoll when there was nothing for a second.
	busyPoll = 20 * time.Millisecond
	idlePoll = 100 * time.Millisecond
	// apart is the least time between two looks.
	apart = 3 * time.Millisecond
	// ahead is how much of a webhook that answers quickly is taken at once.
	ahead = 64
	quick = 100 * time.Millisecond
	// forgotten is how long the counts of an endpoint are kept after its last
	// request.
	forgotten = 2 * window
	// storedAtOnce is how many outcomes are stored together.
	storedAtOnce = 200
	// lastWait is how long the end of a process waits for what is under way.
	lastWait = 3 * time.Second
)

// dispatcher sends what is due. What one endpoint does delays no other: each has
// a few requests under way and no more (perWebhook), and each outcome is stored
// when it comes.
type dispatcher struct {
	*Service
	log     *slog.Logger
	ctx     context.Context // of requests
	results chan *delivery

	mu      sync.Mutex
	lanes   map[lane]*traffic
	ready   []*traffic // that have something to send and room for it
	queued  int
	running int
	under   sync.WaitGroup
}

// lane names a webhook.
type lane struct {
	account int64
	webhook string
}

// traffic is what goes to one webhook.
type traffic struct {
	queue   []*delivery
	running int
	ready   bool      // is in dispatcher.ready
	quick   bool      // the last request was answered at once
	used    time.Time // by the clock of the machine
	unsaved tally
	saved   time.Time // when counts were stored, by the clock of the machine; the zero time: none failed
}

// Wake has the queue looked at: there is something new in it.
func (s *Service) Wake() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// Run delivers until ctx is done, and then waits a little for what is under way.
// Any number of processes may run; what is cut off is sent again.
func (s *Service) Run(ctx context.Context, log *slog.Logger) {
	ctx = postgres.AcrossAccounts(ctx)
	sending, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	d := &dispatcher{Service: s, log: log, ctx: sending, results: make(chan *delivery, 2*inProcess), lanes: map[lane]*traffic{}}
	stored := make(chan struct{})
	go func() { defer close(stored); d.store() }()
	d.loop(ctx)
	d.drop()
	done := make(chan struct{})
	go func() { d.under.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(lastWait):
		cancel()
		<-done
	}
	close(d.results)
	<-stored
}

// loop takes what is due until ctx is done.
func (d *dispatcher) loop(ctx context.Context) {
	var active, tidied time.Time
	for ctx.Err() == nil {
		found, err := d.look(ctx)
		if err == nil && time.Since(tidied) > time.Second {
			tidied = time.Now()
			d.forget()
			err = d.tidy(ctx)
		}
		wait := idlePoll
		if found {
			active = time.Now()
		}
		if time.Since(active) < time.Second {
			wait = busyPoll
		}
		if err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "look for deliveries", "error", err)
			wait = time.Second
		}
		select {
		case <-d.news:
			wait = apart
		case <-time.After(wait):
			continue
		case <-ctx.Done():
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// look takes what is due and there is room for.
func (d *dispatcher) look(ctx context.Context) (found bool, err error) {
	under, room := d.room()
	if room <= 0 {
		return true, nil
	}
	if found, err = d.anyDue(ctx); err != nil || !found {
		return false, err
	}
	list, err := d.claim(ctx, under, room)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range list {
		key := lane{one.webhook.AccountID, one.webhook.ID}
		t := d.lanes[key]
		if t == nil {
			t = &traffic{unsaved: tally{}}
			d.lanes[key] = t
		}
		t.queue, t.used = append(t.queue, one), time.Now()
		d.queued++
		d.readyLocked(t)
	}
	d.pumpLocked()
	return true, err
}

// room is what each webhook has under way, and how much more may be taken.
func (d *dispatcher) room() (under []busy, free int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	under = []busy{}
	for key, t := range d.lanes {
		b := busy{key.account, key.webhook, t.running + len(t.queue), perWebhook}
		if t.quick {
			b.Most = ahead
		}
		if b.Busy > 0 || t.quick {
			under = append(under, b)
		}
	}
	return under, 2*inProcess - d.running - d.queued
}

func (d *dispatcher) readyLocked(t *traffic) {
	if !t.ready && len(t.queue) > 0 && t.running < perWebhook {
		t.ready = true
		d.ready = append(d.ready, t)
	}
}

// pumpLocked sends what there is room for, one of each webhook in turn.
func (d *dispatcher) pumpLocked() {
	for d.running < inProcess && len(d.ready) > 0 {
		t := d.ready[0]
		d.ready, t.ready = d.ready[1:], false
		if len(t.queue) == 0 {
			continue
		}
		one := t.queue[0]
		one.begun = true
		t.queue = t.queue[1:]
		t.running++
		d.queued, d.running = d.queued-1, d.running+1
		d.readyLocked(t)
		d.under.Go(func() { d.deliver(t, one) })
	}
}

// deliver sends one, and makes room for another.
func (d *dispatcher) deliver(t *traffic, one *delivery) {
	begun := time.Now()
	if one.canceled = d.ctx.Err() != nil || begun.Sub(one.taken) > stale; !one.canceled {
		o := d.request(&one.webhook)
		o.invocation, o.message, o.payload = one.id, one.message, one.payload
		if one.endpoint != nil {
			o.endpoint = *one.endpoint
		}
		one.outcome = d.send(d.ctx, o, d.now())
		one.canceled = one.outcome.Status != StatusSuccess && d.ctx.Err() != nil
	}
	one.finishedAt = d.now()
	one.attempt = ulid.New(one.finishedAt)
	d.results <- one
	d.mu.Lock()
	if !one.onProbe { // after which nothing is sent before it is heeded
		t.running--
	}
	d.running--
	t.quick, t.used = time.Since(begun) < quick && one.outcome.StatusCode != 0, time.Now()
	d.readyLocked(t)
	d.pumpLocked()
	low := len(t.queue) < perWebhook
	d.mu.Unlock()
	if low {
		d.Wake()
	}
}

// drop gives back what was taken and is not sent yet.
func (d *dispatcher) drop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.lanes {
		for _, one := range t.queue {
			one.canceled = true
			d.under.Go(func() { d.results <- one })
		}
		d.queued -= len(t.queue)
		t.queue = nil
	}
}

// forget drops the counts of endpoints that nothing was sent to for long.
func (d *dispatcher) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key, t := range d.lanes {
		if t.running == 0 && len(t.queue) == 0 && time.Since(t.used) > forgotten {
			delete(d.lanes, key)
		}
	}
}

// store stores outcomes as they come, until there are no more.
func (d *dispatcher) store() {
	for one := range d.results {
		list := []*delivery{one}
		for more := true; more && len(list) < storedAtOnce; {
			select {
			case next, ok := <-d.results:
				if more = ok; ok {
					list = append(list, next)
				}
			default:
				more = false
			}
		}
		d.keep(list)
	}
}

// keep stores outcomes, and what they say of their endpoints. Those that cannot
// be stored within their leases come again.
func (d *dispatcher) keep(list []*delivery) {
	defer d.probed(list)
	ctx := context.WithoutCancel(d.ctx)
	late := time.Now().Add(lease / 2)
	for {
		err := d.finish(ctx, list)
		if err == nil {
			break
		}
		d.log.ErrorContext(ctx, "store deliveries", "deliveries", len(list), "error", err)
		if time.Now().After(late) || d.ctx.Err() != nil {
			return
		}
		time.Sleep(time.Second)
	}
	for _, one := range list {
		if one.canceled {
			continue
		}
		if err := d.heed(ctx, one); err != nil {
			d.log.ErrorContext(ctx, "heed an outcome", "account", one.webhook.AccountID, "webhook", one.webhook.ID, "error", err)
		}
	}
	if err := d.weigh(ctx, list); err != nil {
		d.log.ErrorContext(ctx, "count failures", "error", err)
	}
}

// weigh counts outcomes, and has endpoints be left alone that fail too often, if
// they did so last: none is for having answered.
func (d *dispatcher) weigh(ctx context.Context, list []*delivery) error {
	rows := d.counted(list)
	open, err := d.failing(ctx, rows)
	if err != nil {
		d.uncounted(rows)
		return err
	}
	latest := map[lane]*delivery{}
	for _, one := range list {
		if !one.canceled {
			latest[lane{one.webhook.AccountID, one.webhook.ID}] = one
		}
	}
	for _, l := range open {
		if one := latest[l]; one != nil && !one.onProbe && one.outcome.Status != StatusSuccess {
			err = errors.Join(err, d.leave(ctx, one))
		}
	}
	return err
}

// savedApart is how long successes of an endpoint that fails may stay uncounted.
const savedApart = time.Second

// counted counts outcomes. It returns what to store: of endpoints that fail, or
// did so within the window, and of no others, since those write nothing.
func (d *dispatcher) counted(list []*delivery) []tallied {
	d.mu.Lock()
	defer d.mu.Unlock()
	save := map[lane]*traffic{}
	for _, one := range list {
		key := lane{one.webhook.AccountID, one.webhook.ID}
		t := d.lanes[key]
		if t == nil || one.canceled {
			continue
		}
		bad := one.outcome.Status != StatusSuccess
		t.unsaved.add(one.finishedAt, bad)
		if since := time.Since(t.saved); bad || since > savedApart && since < window {
			save[key] = t
		}
	}
	var rows []tallied
	for key, t := range save {
		for slot, c := range t.unsaved {
			rows = append(rows, tallied{key.account, key.webhook, slot, c.tries, c.errors})
		}
		t.unsaved, t.saved = tally{}, time.Now()
	}
	return rows
}

// uncounted takes counts back that could not be stored: they are with the next.
func (d *dispatcher) uncounted(rows []tallied) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range rows {
		if t := d.lanes[lane{r.AccountID, r.WebhookID}]; t != nil {
			c := t.unsaved[r.Slot]
			t.unsaved[r.Slot] = count{c.tries + r.Tries, c.errors + r.Errors}
		}
	}
}

// probed makes room for another where one was sent to see whether an endpoint is
// back.
func (d *dispatcher) probed(list []*delivery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, one := range list {
		if t := d.lanes[lane{one.webhook.AccountID, one.webhook.ID}]; one.onProbe && one.begun && t != nil {
			t.running--
		}
	}
}

// heed has an endpoint be asked again, or be left alone still, by what became of
// the request that was to show which. One that is gone for good is not asked again (Standard
// Webhooks, of the status 410).
func (d *dispatcher) heed(ctx context.Context, one *delivery) error {
	w, bad := &one.webhook, one.outcome.Status != StatusSuccess
	if one.outcome.StatusCode == 410 {
		return d.retire(ctx, w)
	}
	switch {
	case one.onProbe && !bad:
		d.Wake()
		return postgres.Exec(d.db.WithContext(ctx), "UPDATE webhooks SET blocks = 0, blocked_until = NULL WHERE account_id = ? AND id = ?", []any{w.AccountID, w.ID})
	case one.onProbe:
		return d.leave(ctx, one)
	}
	return nil
}

// leave has the endpoint of a delivery be left alone for a while.
func (d *dispatcher) leave(ctx context.Context, one *delivery) error {
	w, until := &one.webhook, one.finishedAt.Add(blockFor(one.webhook.Blocks))
	d.log.WarnContext(ctx, "webhook fails", "account", w.AccountID, "webhook", w.ID, "blocked_until", until)
	return d.block(ctx, w, until)
}

// retire makes a webhook inactive.
func (s *Service) retire(ctx context.Context, w *models.Webhook) error {
	return accounts.ChangeSetUp(postgres.WithAccount(ctx, w.AccountID), s.db, w.AccountID, func(tx *gorm.DB) error {
		return tx.Model(&models.Webhook{}).Where("id = ?", w.ID).
			Updates(map[string]any{"status": models.WebhookInactive, "updated_by": models.SystemUser, "updated_at": s.now()}).Error
	})
}
