package tickets

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/search"
)

// Import is a ticket that has a past elsewhere: its fields as they are now, its
// comments, and when things happened. Change.Comment, if there is one, is the
// first comment; those of Comments without a time come at the ticket's creation.
type Import struct {
	Change
	Comments []NewComment

	// A nil CreatedAt is the earliest time told, or now. A nil UpdatedAt is the
	// latest. A nil SolvedAt of a ticket that is solved or closed is UpdatedAt.
	CreatedAt, UpdatedAt, SolvedAt *time.Time

	Archive bool // if it is closed, leave it out of lists from the start
}

// importedTimes are what the last step of an import sets.
type importedTimes struct {
	archive         bool    // once it is closed
	last            bool    // step of the import: the one that sets them
	authors         []int64 // of all comments, so that they are looked up once
	files           bool    // some of the comments have uploads
	updated, solved *time.Time
	comments        []search.Comment // that were written so far
	people          people           // of the first step
}

// Import makes a ticket as it was elsewhere: with any status, with comments by
// whom and when they were written, each in an audit of its own. No rule runs
// and nobody is told. It fails with fault.Forbidden unless by is an admin, and
// with fault.Invalid naming the field.
func (s *Service) Import(ctx context.Context, by auth.Actor, in Import) (models.Ticket, error) {
	if !by.Admin() {
		return models.Ticket{}, fault.Denied()
	}
	if err := in.complete(s.now()); err != nil {
		return models.Ticket{}, err
	}
	var saved Saved
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		saves, err := s.newOnesTx(tx, by, []start{in.start()})
		if err != nil {
			return err
		}
		sv := saves[0]
		sv.begun(in)
		if saved, err = sv.relive(in); err != nil || !saved.Ticket.Archived {
			return err
		}
		return archiveAuditsTx(tx, models.IDs{saved.Ticket.ID})
	})
	return saved.Ticket, err
}

// ImportMany imports tickets as CreateMany creates them.
func (s *Service) ImportMany(ctx context.Context, by auth.Actor, list []Import) ([]Created, error) {
	if !by.Admin() {
		return nil, fault.Denied()
	}
	made := make([]Created, len(list))
	var whole []int // of the list
	var starts []start
	for i := range list {
		if made[i].Err = list[i].complete(s.now()); made[i].Err == nil {
			whole, starts = append(whole, i), append(starts, list[i].start())
		}
	}
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		all, saves, err := s.togetherTx(tx, by, starts)
		if err != nil {
			return err
		}
		for n, sv := range saves {
			sv.begun(list[whole[n]])
		}
		if err := all.read(saves); err != nil {
			return err
		}
		var archived models.IDs
		for n, sv := range saves {
			i := whole[n]
			if made[i], err = all.make(sv, func() (Saved, error) { return sv.relive(list[i]) }); err != nil {
				return err
			}
			if made[i].Ticket.Archived {
				archived = append(archived, made[i].Ticket.ID)
			}
		}
		if err := all.write(); err != nil || len(archived) == 0 {
			return err
		}
		return archiveAuditsTx(tx, archived)
	})
	return made, err
}

// start is how a complete import begins. Each comment has an audit.
func (in *Import) start() start { return start{*in.CreatedAt, int64(len(in.Comments) - 1)} }

// begun makes the save the first step of an import.
func (s *save) begun(in Import) {
	s.change, s.silent = in.Change, true
	s.imported = &importedTimes{archive: in.Archive, updated: in.UpdatedAt, solved: in.SolvedAt}
	for _, c := range in.Comments {
		if c.AuthorID != 0 {
			s.imported.authors = append(s.imported.authors, c.AuthorID)
		}
		s.imported.files = s.imported.files || len(c.Uploads) > 0
	}
}

// relive goes through the story of an import, whose first step the save is: a step
// for each comment.
func (s *save) relive(in Import) (saved Saved, err error) {
	for i := range in.Comments {
		if i > 0 {
			s = s.then(*in.Comments[i].At)
			s.change = Change{Via: in.Via, Origin: in.Origin}
		}
		s.change.Comment, s.imported.last = &in.Comments[i], i == len(in.Comments)-1
		if saved, err = s.run(); err != nil {
			return saved, err
		}
	}
	return saved, nil
}

// complete puts the comments into the order of their times and fills in the
// times that are not told. What has not happened yet cannot be imported.
func (in *Import) complete(now time.Time) error {
	if c := in.Comment; c != nil && !slices.ContainsFunc(in.Comments, c.sameText) {
		in.Comments = append([]NewComment{*c}, in.Comments...)
	}
	if len(in.Comments) == 0 {
		return noDescription()
	}
	in.fillTimes(now)
	errs := []error{
		between("updated_at", in.UpdatedAt, *in.CreatedAt, now), between("solved_at", in.SolvedAt, *in.CreatedAt, now),
		between("created_at", in.CreatedAt, *in.CreatedAt, now),
	}
	for _, c := range in.Comments {
		if c.blank() && len(c.Uploads) == 0 {
			errs = append(errs, fault.Blank("comments"))
		}
		errs = append(errs, between("comments", c.At, *in.CreatedAt, now))
	}
	return fault.Join(errs...)
}

func (in *Import) fillTimes(now time.Time) {
	var told []time.Time
	for _, t := range []*time.Time{in.CreatedAt, in.UpdatedAt, in.SolvedAt} {
		if t != nil {
			told = append(told, *t)
		}
	}
	for _, c := range in.Comments {
		if c.At != nil {
			told = append(told, *c.At)
		}
	}
	first, last := now, now
	if len(told) > 0 {
		first, last = slices.MinFunc(told, time.Time.Compare), slices.MaxFunc(told, time.Time.Compare)
	}
	if in.CreatedAt == nil {
		in.CreatedAt = &first
	}
	if in.UpdatedAt == nil {
		in.UpdatedAt = &last
	}
	for i := range in.Comments {
		if in.Comments[i].At == nil {
			in.Comments[i].At = in.CreatedAt
		}
	}
	slices.SortStableFunc(in.Comments, func(a, b NewComment) int { return a.At.Compare(*b.At) })
}

func (c NewComment) blank() bool {
	return strings.TrimSpace(c.Body) == "" && strings.TrimSpace(c.HTML) == ""
}

// sameText reports whether c and d are one comment told twice: clients send a
// ticket's description beside its comments, and it is the first of them.
func (c NewComment) sameText(d NewComment) bool { return c.Body == d.Body && c.HTML == d.HTML }

func between(field string, t *time.Time, created, now time.Time) error {
	switch {
	case t == nil:
	case t.After(now):
		return fault.InvalidField(field, "%s is in the future", t.UTC().Format(time.RFC3339))
	case t.Before(created):
		return fault.InvalidField(field, "%s is before the ticket was created", t.UTC().Format(time.RFC3339))
	}
	return nil
}

// then is the next step of an import in the same transaction, at a later time.
func (s *save) then(at time.Time) *save {
	next := &save{
		service: s.service, tx: s.tx, by: s.by, config: s.config, now: at, silent: true, touchUnaudited: true, together: s.together,
		before: s.after, metric: s.metric, imported: s.imported, auditID: s.furtherAudits[0], furtherAudits: s.furtherAudits[1:],
	}
	next.begin()
	return next
}

// stampImport sets the times of an imported ticket once its story is told. Of
// its stays in statuses no more is known than when it was solved.
func (s *save) stampImport() error {
	if s.imported == nil {
		return nil
	}
	t, m := &s.after, &s.metric
	t.GeneratedAt = s.service.now() // readers of what is new have not seen it yet
	if !s.imported.last {
		return nil
	}
	t.Archived = s.imported.archive && t.Status == models.StatusClosed
	t.UpdatedAt, m.UpdatedAt = *s.imported.updated, *s.imported.updated
	m.SolvedAt, m.FirstSolvedAt = nil, s.imported.solved
	m.Business.FirstResolution, m.Business.FullResolution = nil, nil
	if t.Status == models.StatusSolved || t.Status == models.StatusClosed {
		if m.FirstSolvedAt == nil {
			m.FirstSolvedAt = s.imported.updated
		}
		m.SolvedAt = m.FirstSolvedAt
		m.StatusUpdatedAt, m.CustomStatusUpdatedAt = m.SolvedAt, m.SolvedAt
		m.RequesterWaitSeconds = int64(m.SolvedAt.Sub(t.CreatedAt) / time.Second)
		m.Business.RequesterWait = s.businessUntil(*m.SolvedAt)
		m.Business.FullResolution = m.Business.RequesterWait
	}
	if m.FirstSolvedAt != nil {
		m.Business.FirstResolution = s.businessUntil(*m.FirstSolvedAt)
	}
	t.SolvedAt = m.SolvedAt
	return nil
}
