package users

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
)

// Names of the bulk operations, kept with jobs under way.
const (
	createMany         = "users.create"
	createOrUpdateMany = "users.create_or_update"
	updateMany         = "users.update"
	destroyMany        = "users.delete"
)

// Item is one user of a bulk operation, named by ID or else by ExternalID where
// the user is there already.
type Item struct {
	ID         int64  `json:"id,omitzero"`
	ExternalID string `json:"external_id,omitzero"`
	Change     Change `json:"change,omitzero"`
}

// Register makes the bulk operations known to the queue. It comes before
// j.Start.
func (s *Service) Register(j *jobs.Service) {
	s.jobs = j
	tooMany := fault.New(fault.TooMany, "Maximum %d users may be created per call", MaxMany)
	j.Register(createMany, jobs.Operation{
		JobType: "Bulk Create User", Doing: "Creating user", Action: "create", TooMany: tooMany,
		Run: each(func(ctx context.Context, by auth.Actor, i Item) (any, error) {
			u, err := s.Create(ctx, by, i.Change)
			return saved("Created", u), err
		}),
	})
	j.Register(createOrUpdateMany, jobs.Operation{
		JobType: "Bulk Create Or Update User", Doing: "Saving user", Action: "create_or_update", TooMany: tooMany,
		Run: each(func(ctx context.Context, by auth.Actor, i Item) (any, error) {
			u, created, err := s.CreateOrUpdate(ctx, by, i.Change)
			if created {
				return saved("Created", u), err
			}
			return saved("Updated", u), err
		}),
	})
	j.Register(updateMany, jobs.Operation{
		JobType: "Bulk Update User", Doing: "Updating user", Action: "update",
		Run: each(func(ctx context.Context, by auth.Actor, i Item) (any, error) {
			id, err := s.named(ctx, by, i)
			if err == nil {
				_, err = s.Update(ctx, by, id, i.Change)
			}
			return done{"update", id, "Updated", true}, err
		}),
	})
	j.Register(destroyMany, jobs.Operation{
		JobType: "Bulk Delete User", Doing: "Deleting user", Action: "delete",
		Run: each(func(ctx context.Context, by auth.Actor, i Item) (any, error) {
			id, err := s.named(ctx, by, i)
			if err == nil {
				_, err = s.Delete(ctx, by, id)
			}
			return done{"delete", id, "Deleted", true}, err
		}),
	})
}

// each decodes an item for run.
func each(run func(context.Context, auth.Actor, Item) (any, error)) func(context.Context, auth.Actor, json.RawMessage, int) (any, error) {
	return func(ctx context.Context, by auth.Actor, raw json.RawMessage, _ int) (any, error) {
		var i Item
		if err := json.Unmarshal(raw, &i); err != nil {
			return nil, fmt.Errorf("read the item: %w", err)
		}
		return run(ctx, by, i)
	}
}

// done is the result of an item that was changed or deleted.
type done struct {
	Action  string `json:"action"`
	ID      int64  `json:"id"`
	Status  string `json:"status"`
	Success bool   `json:"success"`
}

// made is the result of an item that was created or found.
type made struct {
	Status     string `json:"status"`
	ID         int64  `json:"id"`
	Email      string `json:"email,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
}

func saved(status string, u models.User) made {
	return made{status, u.ID, value(u.Email), value(u.ExternalID)}
}

// named is the id of the user that an item is about.
func (s *Service) named(ctx context.Context, by auth.Actor, i Item) (int64, error) {
	if i.ID != 0 {
		return i.ID, nil
	}
	id, err := byExternalID(s.db.WithContext(ctx), by.AccountID, keys{externalID: i.ExternalID})
	if err == nil && id == 0 {
		return 0, fault.Missing("user", i.ExternalID)
	}
	return id, err
}

// CreateMany has users made by a job. It fails with fault.TooMany beyond
// MaxMany, and as jobs.StartBulk does. Passwords are not taken: they would lie
// in the queue as they are.
func (s *Service) CreateMany(ctx context.Context, by auth.Actor, changes []Change) (models.JobStatus, error) {
	return s.bulk(ctx, by, createMany, itemsOf(changes))
}

// CreateOrUpdateMany has users made or changed by a job; see CreateMany.
func (s *Service) CreateOrUpdateMany(ctx context.Context, by auth.Actor, changes []Change) (models.JobStatus, error) {
	return s.bulk(ctx, by, createOrUpdateMany, itemsOf(changes))
}

// UpdateMany has users changed by a job; see CreateMany.
func (s *Service) UpdateMany(ctx context.Context, by auth.Actor, items []Item) (models.JobStatus, error) {
	return s.bulk(ctx, by, updateMany, items)
}

// DeleteMany has users deleted by a job; see CreateMany.
func (s *Service) DeleteMany(ctx context.Context, by auth.Actor, items []Item) (models.JobStatus, error) {
	return s.bulk(ctx, by, destroyMany, items)
}

func itemsOf(changes []Change) []Item {
	items := make([]Item, len(changes))
	for i, c := range changes {
		items[i] = Item{ID: c.ID, Change: c}
	}
	return items
}

func (s *Service) bulk(ctx context.Context, by auth.Actor, operation string, items []Item) (models.JobStatus, error) {
	if !by.Staff() {
		return models.JobStatus{}, fault.Denied()
	}
	raw := make([]json.RawMessage, len(items))
	for i, item := range items {
		raw[i] = json.RawMessage(models.ToJSON(item))
	}
	return s.jobs.StartBulk(ctx, by, operation, raw)
}
