package tickets

import (
	"context"
	"time"

	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// problemChanged has the incidents of a problem go with it: solved when it is
// solved, and no longer linked when it is no problem any more. At tells them from
// what happened to them since.
type problemChanged struct {
	AccountID int64     `json:"account_id"`
	ProblemID int64     `json:"problem_id"`
	UserID    int64     `json:"user_id"`
	Solved    bool      `json:"solved"` // otherwise it is no problem any more
	At        time.Time `json:"at"`
}

// Kind names the work in the queue; it outlives a version.
func (problemChanged) Kind() string { return "problem_changed" }

// leadIncidents enqueues what follows for the incidents. There may be thousands
// of them, which the caller does not wait for.
func (s *save) leadIncidents() error {
	was := s.before.Type != nil && *s.before.Type == models.TypeProblem
	is := s.after.Type != nil && *s.after.Type == models.TypeProblem
	solved := is && unsolved(s.before.Status) && !unsolved(s.after.Status)
	if s.created || s.after.IncidentCount == 0 || !solved && (!was || is) || s.service.queue == nil {
		return nil
	}
	return s.service.queue.EnqueueTx(s.tx, problemChanged{s.by.AccountID, s.after.ID, s.by.ID(), solved, s.now})
}

// incidentsAtOnce is how many incidents are looked up at a time.
const incidentsAtOnce = 500

// followProblem changes the incidents one by one, each in a transaction of its
// own: should the process die, the next goes on with those that are left.
func (s *Service) followProblem(ctx context.Context, p problemChanged) error {
	ctx = postgres.WithAccount(ctx, p.AccountID)
	by, err := s.leader(ctx, p)
	if err != nil {
		return err
	}
	c := Change{ProblemID: nullable.NewNullNullable[int64](), Via: new(viaChannel("system"))}
	if p.Solved {
		if c, err = s.solution(ctx, p); err != nil {
			return err
		}
	}
	// Whoever has touched an incident's status since knows better.
	where := "t.account_id = ? AND t.problem_id = ? AND t.deleted_at IS NULL AND t.status <> 'closed'"
	args := []any{p.AccountID, p.ProblemID}
	if p.Solved {
		where, args = where+" AND t.status <> 'solved' AND m.status_updated_at <= ?", append(args, p.At)
	}
	for last := int64(0); ; {
		var ids []int64
		err := s.db.WithContext(ctx).Raw("SELECT t.id FROM tickets t JOIN ticket_metrics m ON m.account_id = t.account_id AND m.ticket_id = t.id WHERE "+
			where+" AND t.id > ? ORDER BY t.id LIMIT ?", append(append([]any{}, args...), last, incidentsAtOnce)...).Scan(&ids).Error
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := s.follow(ctx, by, id, where, args, c); err != nil {
				return err
			}
			last = id
		}
	}
}

// follow changes one incident, unless it is not as where says any more.
func (s *Service) follow(ctx context.Context, by auth.Actor, id int64, where string, args []any, c Change) error {
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		sv, err := s.lockWhereTx(tx, by, id, where, args)
		if err != nil {
			return err
		}
		sv.change, sv.follows = c, true
		_, err = sv.run()
		return err
	})
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// leader is who solved the problem, or the system if they have left.
func (s *Service) leader(ctx context.Context, p problemChanged) (auth.Actor, error) {
	if p.UserID <= 0 {
		return auth.System(p.AccountID), nil
	}
	by, err := s.auth.Actor(ctx, p.AccountID, p.UserID, "")
	if fault.Of(err) != nil {
		return auth.System(p.AccountID), nil
	}
	return by, err
}

// solution is what solves an incident: with the last public comment that an agent
// wrote on the problem, which tells how it was solved. What an end user wrote there
// is not for the requesters of the incidents.
func (s *Service) solution(ctx context.Context, p problemChanged) (Change, error) {
	solved, rel := models.StatusSolved, "problem"
	c := Change{Status: &solved, Via: new(viaChannel("system"))}
	db := s.db.WithContext(ctx)
	var subject *string
	err := db.Raw("SELECT subject FROM tickets WHERE account_id = ? AND id = ?", p.AccountID, p.ProblemID).Row().Scan(&subject)
	if err != nil {
		return c, err
	}
	c.Via.Source.From, c.Via.Source.Rel = map[string]any{"ticket_id": p.ProblemID, "subject": subject}, &rel
	var text string
	var author int64
	found, err := postgres.Row(db, `SELECT c.html_body, c.author_id FROM comments c JOIN users u ON u.account_id = c.account_id AND u.id = c.author_id
		WHERE c.account_id = ? AND c.ticket_id = ? AND c.public AND c.created_at <= ? AND u.role <> 'end-user' AND u.active
		ORDER BY c.created_at DESC, c.id DESC LIMIT 1`, []any{p.AccountID, p.ProblemID, p.At}, &text, &author)
	if found {
		public := true
		c.Comment = &NewComment{HTML: text, AuthorID: author, Public: &public}
	}
	return c, err
}
