package tickets

import (
	"context"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Created is one of several new tickets: as it was saved, or the fault for which
// it was not.
type Created struct {
	Saved
	Err error
}

// CreateMany makes tickets, each as Create does and in their order, in one
// transaction that reads and writes for all of them at once. One that has a fault
// leaves nothing behind, and the others are made nonetheless. Any error undoes
// all of them; then one of them may well have a fault that only the database
// finds, and Create tells which.
func (s *Service) CreateMany(ctx context.Context, by auth.Actor, changes []Change) ([]Created, error) {
	made, starts := make([]Created, len(changes)), make([]start, len(changes))
	for i := range starts {
		starts[i].at = s.now()
	}
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		all, saves, err := s.togetherTx(tx, by, starts)
		if err != nil {
			return err
		}
		for i, sv := range saves {
			sv.take(changes[i])
		}
		if err := all.read(saves); err != nil {
			return err
		}
		for i, sv := range saves {
			if made[i], err = all.make(sv, sv.run); err != nil {
				return err
			}
		}
		return all.write()
	})
	return made, err
}

// together are new tickets that are made in one transaction. What their saves
// need to know is read for all of them before the first, as far as the changes tell
// it; a save reads what is missing. What they write goes out behind the last, the
// rows of each table at once.
type together struct {
	tx            *gorm.DB
	by            auth.Actor
	people        people
	organizations map[int64]organization
	problems      map[int64]bool
	agents        map[int64]models.IDs  // see save.firstAgents; nil: not read
	macros        map[int64]models.Rule // that changes name and the caller sees
	subjects      *subjects             // of rules; nil: not read

	steps []*save // of the ticket that is being made
	made  []*save // all steps of those that are made
	last  []*save // the last step of each
}

// togetherTx begins tickets.
func (s *Service) togetherTx(tx *gorm.DB, by auth.Actor, starts []start) (*together, []*save, error) {
	all := &together{tx: tx, by: by, people: nobody()}
	if len(starts) == 0 {
		return all, nil, nil
	}
	saves, err := s.newOnesTx(tx, by, starts)
	for _, sv := range saves {
		sv.together = all
	}
	return all, saves, err
}

// read reads what the changes name.
func (t *together) read(saves []*save) error {
	var ids, organized, problems, macros models.IDs
	var addresses models.Strings
	for _, sv := range saves {
		c := &sv.change
		named, emails := sv.named()
		ids, addresses = append(ids, named...), append(addresses, emails...)
		if c.Requester != nil && c.Requester.Email != "" {
			addresses = append(addresses, folded(c.Requester.Email))
		}
		if id, err := c.OrganizationID.Get(); err == nil {
			organized = append(organized, id)
		}
		if id, err := c.ProblemID.Get(); err == nil {
			problems = append(problems, id)
		}
		macros = append(macros, c.MacroIDs...)
	}
	if err := t.people.read(t.tx, t.by.AccountID, ids, addresses); err != nil {
		return err
	}
	var err error
	if t.macros, err = macrosAmong(t.tx, t.by, macros); err != nil {
		return err
	}
	if len(organized) > 0 {
		if t.organizations, err = organizations(t.tx, t.by.AccountID, organized); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		t.problems, err = problemsAmong(t.tx, t.by, problems)
	}
	return err
}

// make makes one of the tickets, but for its rows. Its first step is s, and run
// goes through all of them. What they write beforehand is undone if there is a
// fault, which is told with the ticket; any other error is returned.
func (t *together) make(s *save, run func() (Saved, error)) (made Created, err error) {
	t.findKnown(s)
	if s.writesOnce() {
		made.Saved, err = run()
	} else {
		err = t.tx.Transaction(func(tx *gorm.DB) error {
			s.tx = tx
			made.Saved, err = run()
			return err
		})
	}
	steps := t.steps
	t.steps = nil
	if err != nil {
		if fault.Of(err) != nil {
			made.Err, err = err, nil
		}
		return made, err
	}
	for i, step := range steps {
		if t.made = append(t.made, step); i == len(steps)-1 {
			t.last = append(t.last, step)
		}
		if err := t.learn(step); err != nil {
			return made, err
		}
	}
	return made, nil
}

// writesOnce is Change.writesOnce of all steps.
func (s *save) writesOnce() bool {
	return s.change.writesOnce() && (s.imported == nil || !s.imported.files)
}

// findKnown puts users in the place of addresses, where these are theirs already.
// Of callers who are not staff not every address leads to who has it (see
// users.FindOrCreateTx).
func (t *together) findKnown(s *save) {
	if !s.by.Staff() {
		return
	}
	c := &s.change
	if r := c.Requester; r != nil && r.ID == 0 {
		if id, ok := t.people.byEmail[folded(r.Email)]; ok {
			c.Requester = nil
			c.RequesterID.Set(id)
		}
	}
	for _, list := range [][]Collaborator{c.Followers, c.EmailCCs} {
		for i, p := range list {
			if p.byAddress() {
				list[i].UserID = t.people.byEmail[folded(p.Email)] // or 0
			}
		}
	}
}

// everybody adds those whom rules may ask about.
func (t *together) everybody(users, organizations models.IDs) (models.IDs, models.IDs) {
	for id, p := range t.people.byID {
		if users = append(users, id); p.OrganizationID != nil {
			organizations = append(organizations, *p.OrganizationID)
		}
	}
	return users, slices.AppendSeq(organizations, maps.Keys(t.organizations))
}

// learn keeps for the later tickets the users who had to be made for this one.
// What a rule did to its requester is written at once: later rules and mails ask
// for it.
func (t *together) learn(s *save) error {
	for id, p := range s.people.byID {
		if _, ok := t.people.byID[id]; ok || id == t.by.ID() { // of the caller not all is read
			continue
		}
		t.people.byID[id] = p
		if p.Email != nil {
			t.people.byEmail[strings.ToLower(*p.Email)] = id
		}
	}
	if s.requesterLocale == "" {
		return nil
	}
	if p, ok := t.people.byID[s.after.RequesterID]; ok {
		p.Locale = s.requesterLocale
		t.people.byID[p.ID] = p
	}
	if t.subjects != nil {
		if u, ok := t.subjects.users[s.after.RequesterID]; ok {
			u.Locale = s.requesterLocale
			t.subjects.users[u.ID] = u
		}
	}
	return postgres.Exec(t.tx, setLocale, s.localeArguments())
}

// known moves the users that were read already into p and returns the others.
func (t *together) known(p *people, ids models.IDs, emails models.Strings) (models.IDs, models.Strings) {
	ids = slices.DeleteFunc(ids, func(id int64) bool {
		u, ok := t.people.byID[id]
		if ok {
			p.byID[id] = u
		}
		return ok
	})
	emails = slices.DeleteFunc(emails, func(email string) bool {
		id, ok := t.people.byEmail[strings.ToLower(email)]
		if ok {
			p.byID[id], p.byEmail[strings.ToLower(email)] = t.people.byID[id], id
		}
		return ok
	})
	return ids, emails
}

// folded is an address as users are found by.
func folded(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// write writes what the saves have left. The most of it is put into form while the
// database takes the tickets.
func (t *together) write() error {
	tickets, rest := newGathered(), newGathered()
	for _, s := range t.last {
		s.writeNew(tickets)
	}
	ready := make(chan any, 1)
	go func() {
		defer func() { ready <- recover() }()
		t.writeSteps(rest)
	}()
	err := tickets.writeTx(t.tx, t.by.AccountID)
	if panicked := <-ready; panicked != nil {
		panic(panicked)
	}
	if err != nil {
		return err
	}
	return rest.writeTx(t.tx, t.by.AccountID)
}

// writeSteps writes what comes behind the tickets' own rows.
func (t *together) writeSteps(w writes) {
	for _, s := range t.made {
		s.writeStep(w)
		s.writeWords(w)
	}
}
