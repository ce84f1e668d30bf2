package api

import (
	"context"
	"encoding/json"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/organizations"
)

// Names of the bulk operations, kept with jobs that are under way.
const (
	createOrganizations           = "create organizations"
	updateOrganizations           = "update organizations"
	deleteOrganizations           = "delete organizations"
	createOrganizationMemberships = "create organization memberships"
	deleteOrganizationMemberships = "delete organization memberships"
)

// organizationItem names an organization of a bulk job by its id, or else by
// its external id.
type organizationItem struct {
	ID         int64                  `json:"id,omitempty"`
	ExternalID string                 `json:"external_id,omitempty"`
	Change     *gen.OrganizationInput `json:"change,omitempty"`
}

func (h organizationHandlers) CreateManyOrganizations(ctx context.Context, r gen.CreateManyOrganizationsRequestObject) (gen.CreateManyOrganizationsResponseObject, error) {
	job, err := startBulk(ctx, h.jobs, createOrganizations, r.Body.Organizations)
	if err != nil {
		return nil, err
	}
	return gen.CreateManyOrganizations200JSONResponse(job), nil
}

func (h organizationHandlers) UpdateManyOrganizations(ctx context.Context, r gen.UpdateManyOrganizationsRequestObject) (gen.UpdateManyOrganizationsResponseObject, error) {
	items, err := organizationItems(r.Params.Ids, r.Params.ExternalIds)
	switch {
	case err != nil:
		return nil, err
	case r.Body.Organization != nil && len(items) > 0:
		for i := range items {
			items[i].Change = r.Body.Organization
		}
	case r.Body.Organizations != nil:
		items = make([]organizationItem, len(r.Body.Organizations))
		for i := range r.Body.Organizations {
			in := r.Body.Organizations[i]
			items[i] = organizationItem{ID: int64(or(in.ID, 0)), Change: &in}
			if external, err := in.ExternalID.Get(); err == nil && items[i].ID == 0 {
				items[i].ExternalID = string(external)
			}
		}
	default:
		return nil, fault.Attribute("organizations", "a list, or organization an object with ids in the URL")
	}
	job, err := startBulk(ctx, h.jobs, updateOrganizations, items)
	if err != nil {
		return nil, err
	}
	return gen.UpdateManyOrganizations200JSONResponse(job), nil
}

func (h organizationHandlers) DeleteManyOrganizations(ctx context.Context, r gen.DeleteManyOrganizationsRequestObject) (gen.DeleteManyOrganizationsResponseObject, error) {
	items, err := organizationItems(r.Params.Ids, r.Params.ExternalIds)
	if err == nil && len(items) == 0 {
		err = fault.Attribute("ids", "a list of ids")
	}
	if err != nil {
		return nil, err
	}
	job, err := startBulk(ctx, h.jobs, deleteOrganizations, items)
	if err != nil {
		return nil, err
	}
	return gen.DeleteManyOrganizations200JSONResponse(job), nil
}

func organizationItems(ids wire.IDs, externalIDs []string) (items []organizationItem, err error) {
	list, err := named(ids)
	if err != nil {
		return nil, err
	}
	if len(externalIDs) > jobs.MaxItems {
		return nil, fault.Exceeds(jobs.MaxItems)
	}
	for _, id := range list {
		items = append(items, organizationItem{ID: id})
	}
	for _, id := range distinct(externalIDs) {
		items = append(items, organizationItem{ExternalID: id})
	}
	return items, nil
}

// startBulk starts a bulk job over the items.
func startBulk[T any](ctx context.Context, queue *jobs.Service, name string, list []T) (gen.JobStatusEnvelope, error) {
	items, err := bulkItems(list)
	if err != nil {
		return gen.JobStatusEnvelope{}, err
	}
	job, err := queue.StartBulk(ctx, auth.From(ctx), name, items)
	return jobEnvelope(ctx, job), err
}

// register makes the area's bulk operations known to the queue.
func (h organizationHandlers) register() {
	h.jobs.Register(createOrganizations, jobs.Operation{
		JobType: "Bulk Create Organization", Doing: "Creating organization", Action: "create",
		Run: func(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
			var in gen.OrganizationInput
			if err := wire.Decode(item, &in); err != nil {
				return nil, err
			}
			o, err := h.organizations.Create(ctx, by, organizationChange(in))
			return created(o.ID), err
		},
	})
	h.jobs.Register(updateOrganizations, jobs.Operation{
		JobType: "Bulk Update Organization", Doing: "Updating organization", Action: "update",
		Run: func(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
			in, o, err := h.item(ctx, by, item)
			if err == nil {
				o, err = h.organizations.Update(ctx, by, o.ID, organizationChange(or(in.Change, gen.OrganizationInput{})))
			}
			return updated(o.ID), err
		},
	})
	h.jobs.Register(deleteOrganizations, jobs.Operation{
		JobType: "Bulk Delete Organization", Doing: "Deleting organization", Action: "delete",
		Run: func(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
			_, o, err := h.item(ctx, by, item)
			if err == nil {
				err = h.organizations.Delete(ctx, by, o.ID)
			}
			return deleted(o.ID), err
		},
	})
	h.jobs.Register(createOrganizationMemberships, jobs.Operation{
		JobType: "Bulk Create OrganizationMembership", Doing: "Creating organization membership", Action: "create",
		Run: func(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
			var in gen.OrganizationMembershipInput
			if err := wire.Decode(item, &in); err != nil {
				return nil, err
			}
			m, err := h.organizations.Join(ctx, by, 0, newOrganizationMembership(in))
			return created(m.ID), err
		},
	})
	h.jobs.Register(deleteOrganizationMemberships, jobs.Operation{
		JobType: "Bulk Delete OrganizationMembership", Doing: "Deleting organization membership", Action: "delete",
		Run: func(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
			var id int64
			if err := json.Unmarshal(item, &id); err != nil {
				return nil, err
			}
			return deleted(id), h.organizations.Leave(ctx, by, 0, id)
		},
	})
}

// item reads an item of a bulk job and finds the organization it names.
func (h organizationHandlers) item(ctx context.Context, by auth.Actor, item json.RawMessage) (organizationItem, models.Organization, error) {
	var in organizationItem
	if err := json.Unmarshal(item, &in); err != nil {
		return in, models.Organization{}, err
	}
	var found []models.Organization
	var err error
	if in.ID != 0 {
		found, err = h.organizations.ShowMany(ctx, by, []int64{in.ID}, nil)
	} else if in.ExternalID != "" {
		found, err = h.organizations.ShowMany(ctx, by, nil, []string{in.ExternalID})
	}
	switch {
	case err == nil && len(found) == 0 && in.ID != 0:
		err = fault.Missing("organization", in.ID)
	case err == nil && len(found) == 0:
		err = fault.Missing("organization", in.ExternalID)
	}
	if err != nil {
		return in, models.Organization{}, err
	}
	return in, found[0], nil
}

func newOrganizationMembership(in gen.OrganizationMembershipInput) organizations.NewMembership {
	first, _ := in.Default.Get()
	return organizations.NewMembership{
		UserID: int64(or(in.UserID, 0)), OrganizationID: int64(or(in.OrganizationID, 0)),
		Default: bool(first), ViewTickets: bool(or(in.ViewTickets, false)),
	}
}
