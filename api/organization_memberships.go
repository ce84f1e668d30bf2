package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/organizations"
)

func (h organizationHandlers) ListOrganizationMemberships(ctx context.Context, _ gen.ListOrganizationMembershipsRequestObject) (gen.ListOrganizationMembershipsResponseObject, error) {
	l, err := h.memberships(ctx, organizations.Of{})
	return gen.ListOrganizationMemberships200JSONResponse{Listing: l}, err
}

func (h organizationHandlers) ListOrganizationMembershipsByUser(ctx context.Context, r gen.ListOrganizationMembershipsByUserRequestObject) (gen.ListOrganizationMembershipsByUserResponseObject, error) {
	l, err := h.memberships(ctx, organizations.Of{UserID: int64(r.UserID)})
	return gen.ListOrganizationMembershipsByUser200JSONResponse{Listing: l}, err
}

func (h organizationHandlers) ListOrganizationMembershipsByOrganization(ctx context.Context, r gen.ListOrganizationMembershipsByOrganizationRequestObject) (gen.ListOrganizationMembershipsByOrganizationResponseObject, error) {
	l, err := h.memberships(ctx, organizations.Of{OrganizationID: int64(r.OrganizationID)})
	return gen.ListOrganizationMembershipsByOrganization200JSONResponse{Listing: l}, err
}

func (h organizationHandlers) memberships(ctx context.Context, of organizations.Of) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	list, err := h.organizations.Memberships(ctx, auth.From(ctx), of, p)
	if err != nil {
		return wire.Listing{}, err
	}
	l := listing(ctx, "organization_memberships", mapped(ctx, list, organizationMembershipJSON))
	people, places, err := h.beside(ctx, list.Items)
	if people != nil {
		l.Add("users", people)
	}
	if places != nil {
		l.Add("organizations", places)
	}
	return l, err
}

func (h organizationHandlers) ShowOrganizationMembershipByID(ctx context.Context, r gen.ShowOrganizationMembershipByIDRequestObject) (gen.ShowOrganizationMembershipByIDResponseObject, error) {
	e, err := h.membership(ctx, 0, r.OrganizationMembershipID)
	return gen.ShowOrganizationMembershipByID200JSONResponse(e), err
}

func (h organizationHandlers) ShowOrganizationMembershipByUser(ctx context.Context, r gen.ShowOrganizationMembershipByUserRequestObject) (gen.ShowOrganizationMembershipByUserResponseObject, error) {
	e, err := h.membership(ctx, r.UserID, r.ID)
	return gen.ShowOrganizationMembershipByUser200JSONResponse(e), err
}

func (h organizationHandlers) membership(ctx context.Context, user, id wire.ID) (gen.OrganizationMembershipEnvelope, error) {
	m, err := h.organizations.Membership(ctx, auth.From(ctx), int64(user), int64(id))
	if err != nil {
		return gen.OrganizationMembershipEnvelope{}, err
	}
	e := gen.OrganizationMembershipEnvelope{OrganizationMembership: organizationMembershipJSON(ctx, m)}
	e.Users, e.Organizations, err = h.beside(ctx, []organizations.Membership{m})
	return e, err
}

func (h organizationHandlers) CreateOrganizationMembership(ctx context.Context, r gen.CreateOrganizationMembershipRequestObject) (gen.CreateOrganizationMembershipResponseObject, error) {
	m, err := h.organizations.Join(ctx, auth.From(ctx), 0, newOrganizationMembership(r.Body.OrganizationMembership))
	if err != nil {
		return nil, err
	}
	return gen.CreateOrganizationMembership201JSONResponse{
		Headers: gen.CreateOrganizationMembership201ResponseHeaders{Location: link(ctx, "organization_memberships", m.ID)},
		Body:    gen.OrganizationMembershipEnvelope{OrganizationMembership: organizationMembershipJSON(ctx, m)},
	}, nil
}

func (h organizationHandlers) CreateOrganizationMembershipByUser(ctx context.Context, r gen.CreateOrganizationMembershipByUserRequestObject) (gen.CreateOrganizationMembershipByUserResponseObject, error) {
	m, err := h.organizations.Join(ctx, auth.From(ctx), int64(r.UserID), newOrganizationMembership(r.Body.OrganizationMembership))
	if err != nil {
		return nil, err
	}
	return gen.CreateOrganizationMembershipByUser201JSONResponse{
		Headers: gen.CreateOrganizationMembershipByUser201ResponseHeaders{Location: link(ctx, "organization_memberships", m.ID)},
		Body:    gen.OrganizationMembershipEnvelope{OrganizationMembership: organizationMembershipJSON(ctx, m)},
	}, nil
}

func (h organizationHandlers) DeleteOrganizationMembership(ctx context.Context, r gen.DeleteOrganizationMembershipRequestObject) (gen.DeleteOrganizationMembershipResponseObject, error) {
	if err := h.organizations.Leave(ctx, auth.From(ctx), 0, int64(r.OrganizationMembershipID)); err != nil {
		return nil, err
	}
	return gen.DeleteOrganizationMembership204Response{}, nil
}

func (h organizationHandlers) DeleteOrganizationMembershipByUser(ctx context.Context, r gen.DeleteOrganizationMembershipByUserRequestObject) (gen.DeleteOrganizationMembershipByUserResponseObject, error) {
	if err := h.organizations.Leave(ctx, auth.From(ctx), int64(r.UserID), int64(r.ID)); err != nil {
		return nil, err
	}
	return gen.DeleteOrganizationMembershipByUser204Response{}, nil
}

func (h organizationHandlers) UnassignOrganization(ctx context.Context, r gen.UnassignOrganizationRequestObject) (gen.UnassignOrganizationResponseObject, error) {
	if err := h.organizations.LeaveOrganization(ctx, auth.From(ctx), int64(r.UserID), int64(r.OrganizationID)); err != nil {
		return nil, err
	}
	return gen.UnassignOrganization204Response{}, nil
}

func (h organizationHandlers) SetOrganizationMembershipAsDefault(ctx context.Context, r gen.SetOrganizationMembershipAsDefaultRequestObject) (gen.SetOrganizationMembershipAsDefaultResponseObject, error) {
	all, err := h.organizations.MakeDefault(ctx, auth.From(ctx), int64(r.UserID), int64(r.OrganizationMembershipID))
	if err != nil {
		return nil, err
	}
	return gen.SetOrganizationMembershipAsDefault200JSONResponse{Listing: whole("organization_memberships", each(all, func(m organizations.Membership) gen.OrganizationMembership { return organizationMembershipJSON(ctx, m) }))}, nil
}

func (h organizationHandlers) SetOrganizationAsDefault(ctx context.Context, r gen.SetOrganizationAsDefaultRequestObject) (gen.SetOrganizationAsDefaultResponseObject, error) {
	m, err := h.organizations.MakeOrganizationDefault(ctx, auth.From(ctx), int64(r.UserID), int64(r.OrganizationID))
	if err != nil {
		return nil, err
	}
	return gen.SetOrganizationAsDefault200JSONResponse{OrganizationMembership: organizationMembershipJSON(ctx, m)}, nil
}

func (h organizationHandlers) CreateManyOrganizationMemberships(ctx context.Context, r gen.CreateManyOrganizationMembershipsRequestObject) (gen.CreateManyOrganizationMembershipsResponseObject, error) {
	job, err := startBulk(ctx, h.jobs, createOrganizationMemberships, r.Body.OrganizationMemberships)
	if err != nil {
		return nil, err
	}
	return gen.CreateManyOrganizationMemberships200JSONResponse(job), nil
}

func (h organizationHandlers) DeleteManyOrganizationMemberships(ctx context.Context, r gen.DeleteManyOrganizationMembershipsRequestObject) (gen.DeleteManyOrganizationMembershipsResponseObject, error) {
	ids, err := named(r.Params.Ids)
	if err == nil && len(ids) == 0 {
		err = fault.Attribute("ids", "a list of ids")
	}
	if err != nil {
		return nil, err
	}
	job, err := startBulk(ctx, h.jobs, deleteOrganizationMemberships, ids)
	if err != nil {
		return nil, err
	}
	return gen.DeleteManyOrganizationMemberships200JSONResponse(job), nil
}

func organizationMembershipJSON(ctx context.Context, m organizations.Membership) gen.OrganizationMembership {
	return gen.OrganizationMembership{
		URL: link(ctx, "organization_memberships", m.ID), ID: m.ID, UserID: m.UserID, OrganizationID: m.OrganizationID, Default: m.Default,
		CreatedAt: wire.Time(m.CreatedAt), OrganizationName: m.OrganizationName, UpdatedAt: wire.Time(m.UpdatedAt), ViewTickets: m.ViewTickets,
	}
}

// beside are the side-loads of memberships; nil ones were not asked for.
func (h organizationHandlers) beside(ctx context.Context, list []organizations.Membership) (people []gen.User, places []gen.Organization, err error) {
	by := auth.From(ctx)
	if !by.Staff() {
		return nil, nil, nil // these records tell what agents note about them
	}
	if includes(ctx, "users") {
		found, err := h.users.ByIDs(ctx, by.AccountID, each(list, func(m organizations.Membership) int64 { return m.UserID }))
		if err != nil {
			return nil, nil, err
		}
		people = usersJSON(ctx, found)
	}
	if includes(ctx, "organizations") {
		found, err := h.organizations.ByIDs(ctx, by, each(list, func(m organizations.Membership) int64 { return m.OrganizationID }))
		if err != nil {
			return nil, nil, err
		}
		places = each(found, func(o models.Organization) gen.Organization { return organizationJSON(ctx, o) })
	}
	return people, places, nil
}
