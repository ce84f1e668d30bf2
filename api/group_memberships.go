package api

import (
	"context"
	"encoding/json"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/groups"
	"github.com/helpd/helpd/server/jobs"
)

// Names of the bulk operations, kept with jobs that are under way.
const (
	createGroupMemberships = "create group memberships"
	deleteGroupMemberships = "delete group memberships"
)

func (h groupHandlers) ListGroupMemberships(ctx context.Context, _ gen.ListGroupMembershipsRequestObject) (gen.ListGroupMembershipsResponseObject, error) {
	l, err := h.memberships(ctx, groups.Of{})
	return gen.ListGroupMemberships200JSONResponse{Listing: l}, err
}

func (h groupHandlers) ListAssignableGroupMemberships(ctx context.Context, _ gen.ListAssignableGroupMembershipsRequestObject) (gen.ListAssignableGroupMembershipsResponseObject, error) {
	l, err := h.memberships(ctx, groups.Of{Assignable: true})
	return gen.ListAssignableGroupMemberships200JSONResponse{Listing: l}, err
}

func (h groupHandlers) ListGroupMembershipsByGroup(ctx context.Context, r gen.ListGroupMembershipsByGroupRequestObject) (gen.ListGroupMembershipsByGroupResponseObject, error) {
	l, err := h.memberships(ctx, groups.Of{GroupID: int64(r.GroupID)})
	return gen.ListGroupMembershipsByGroup200JSONResponse{Listing: l}, err
}

func (h groupHandlers) ListAssignableMembershipsByGroup(ctx context.Context, r gen.ListAssignableMembershipsByGroupRequestObject) (gen.ListAssignableMembershipsByGroupResponseObject, error) {
	l, err := h.memberships(ctx, groups.Of{GroupID: int64(r.GroupID), Assignable: true})
	return gen.ListAssignableMembershipsByGroup200JSONResponse{Listing: l}, err
}

func (h groupHandlers) ListGroupMembershipsByUser(ctx context.Context, r gen.ListGroupMembershipsByUserRequestObject) (gen.ListGroupMembershipsByUserResponseObject, error) {
	l, err := h.memberships(ctx, groups.Of{UserID: int64(r.UserID)})
	return gen.ListGroupMembershipsByUser200JSONResponse{Listing: l}, err
}

func (h groupHandlers) memberships(ctx context.Context, of groups.Of) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	list, err := h.groups.Memberships(ctx, auth.From(ctx), of, p)
	if err != nil {
		return wire.Listing{}, err
	}
	l := listing(ctx, "group_memberships", mapped(ctx, list, groupMembershipJSON))
	people, places, err := h.beside(ctx, list.Items)
	if people != nil {
		l.Add("users", people)
	}
	if places != nil {
		l.Add("groups", places)
	}
	return l, err
}

func (h groupHandlers) ShowGroupMembershipByID(ctx context.Context, r gen.ShowGroupMembershipByIDRequestObject) (gen.ShowGroupMembershipByIDResponseObject, error) {
	e, err := h.membership(ctx, 0, r.GroupMembershipID)
	return gen.ShowGroupMembershipByID200JSONResponse(e), err
}

func (h groupHandlers) ShowGroupMembershipByUser(ctx context.Context, r gen.ShowGroupMembershipByUserRequestObject) (gen.ShowGroupMembershipByUserResponseObject, error) {
	e, err := h.membership(ctx, r.UserID, r.ID)
	return gen.ShowGroupMembershipByUser200JSONResponse(e), err
}

func (h groupHandlers) membership(ctx context.Context, user, id wire.ID) (gen.GroupMembershipEnvelope, error) {
	m, err := h.groups.Membership(ctx, auth.From(ctx), int64(user), int64(id))
	if err != nil {
		return gen.GroupMembershipEnvelope{}, err
	}
	e := gen.GroupMembershipEnvelope{GroupMembership: groupMembershipJSON(ctx, m)}
	e.Users, e.Groups, err = h.beside(ctx, []models.GroupMembership{m})
	return e, err
}

func (h groupHandlers) CreateGroupMembership(ctx context.Context, r gen.CreateGroupMembershipRequestObject) (gen.CreateGroupMembershipResponseObject, error) {
	m, err := h.groups.Join(ctx, auth.From(ctx), 0, newGroupMembership(r.Body.GroupMembership))
	if err != nil {
		return nil, err
	}
	return gen.CreateGroupMembership201JSONResponse{
		Headers: gen.CreateGroupMembership201ResponseHeaders{Location: link(ctx, "group_memberships", m.ID)},
		Body:    gen.GroupMembershipEnvelope{GroupMembership: groupMembershipJSON(ctx, m)},
	}, nil
}

func (h groupHandlers) CreateGroupMembershipByUser(ctx context.Context, r gen.CreateGroupMembershipByUserRequestObject) (gen.CreateGroupMembershipByUserResponseObject, error) {
	m, err := h.groups.Join(ctx, auth.From(ctx), int64(r.UserID), newGroupMembership(r.Body.GroupMembership))
	if err != nil {
		return nil, err
	}
	return gen.CreateGroupMembershipByUser201JSONResponse{
		Headers: gen.CreateGroupMembershipByUser201ResponseHeaders{Location: link(ctx, "group_memberships", m.ID)},
		Body:    gen.GroupMembershipEnvelope{GroupMembership: groupMembershipJSON(ctx, m)},
	}, nil
}

func (h groupHandlers) DeleteGroupMembership(ctx context.Context, r gen.DeleteGroupMembershipRequestObject) (gen.DeleteGroupMembershipResponseObject, error) {
	if err := h.groups.Leave(ctx, auth.From(ctx), 0, int64(r.GroupMembershipID)); err != nil {
		return nil, err
	}
	return gen.DeleteGroupMembership204Response{}, nil
}

func (h groupHandlers) DeleteGroupMembershipByUser(ctx context.Context, r gen.DeleteGroupMembershipByUserRequestObject) (gen.DeleteGroupMembershipByUserResponseObject, error) {
	if err := h.groups.Leave(ctx, auth.From(ctx), int64(r.UserID), int64(r.ID)); err != nil {
		return nil, err
	}
	return gen.DeleteGroupMembershipByUser204Response{}, nil
}

func (h groupHandlers) GroupMembershipSetDefault(ctx context.Context, r gen.GroupMembershipSetDefaultRequestObject) (gen.GroupMembershipSetDefaultResponseObject, error) {
	all, err := h.groups.MakeDefault(ctx, auth.From(ctx), int64(r.UserID), int64(r.GroupMembershipID))
	if err != nil {
		return nil, err
	}
	return gen.GroupMembershipSetDefault200JSONResponse{Listing: whole("group_memberships", each(all, func(m models.GroupMembership) gen.GroupMembership { return groupMembershipJSON(ctx, m) }))}, nil
}

func (h groupHandlers) GroupMembershipBulkCreate(ctx context.Context, r gen.GroupMembershipBulkCreateRequestObject) (gen.GroupMembershipBulkCreateResponseObject, error) {
	job, err := startBulk(ctx, h.jobs, createGroupMemberships, r.Body.GroupMemberships)
	if err != nil {
		return nil, err
	}
	return gen.GroupMembershipBulkCreate200JSONResponse(job), nil
}

func (h groupHandlers) GroupMembershipBulkDelete(ctx context.Context, r gen.GroupMembershipBulkDeleteRequestObject) (gen.GroupMembershipBulkDeleteResponseObject, error) {
	ids, err := named(r.Params.Ids)
	if err == nil && len(ids) == 0 {
		err = fault.Attribute("ids", "a list of ids")
	}
	if err != nil {
		return nil, err
	}
	job, err := startBulk(ctx, h.jobs, deleteGroupMemberships, ids)
	if err != nil {
		return nil, err
	}
	return gen.GroupMembershipBulkDelete200JSONResponse(job), nil
}

// register makes the area's bulk operations known to the queue.
func (h groupHandlers) register() {
	h.jobs.Register(createGroupMemberships, jobs.Operation{
		JobType: "Bulk Create Membership", Doing: "Creating group membership", Action: "create",
		Run: func(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
			var in gen.GroupMembershipInput
			if err := wire.Decode(item, &in); err != nil {
				return nil, err
			}
			m, err := h.groups.Join(ctx, by, 0, newGroupMembership(in))
			return created(m.ID), err
		},
	})
	h.jobs.Register(deleteGroupMemberships, jobs.Operation{
		JobType: "Bulk Delete Membership", Doing: "Deleting group membership", Action: "delete",
		Run: func(ctx context.Context, by auth.Actor, item json.RawMessage, _ int) (any, error) {
			var id int64
			if err := json.Unmarshal(item, &id); err != nil {
				return nil, err
			}
			return deleted(id), h.groups.Leave(ctx, by, 0, id)
		},
	})
}

func newGroupMembership(in gen.GroupMembershipInput) groups.NewMembership {
	return groups.NewMembership{
		UserID: int64(or(in.UserID, 0)), GroupID: int64(or(in.GroupID, 0)), Default: bool(or(in.Default, false)),
	}
}

func groupMembershipJSON(ctx context.Context, m models.GroupMembership) gen.GroupMembership {
	return gen.GroupMembership{
		URL: link(ctx, "group_memberships", m.ID), ID: m.ID, UserID: m.UserID, GroupID: m.GroupID, Default: m.Default,
		CreatedAt: wire.Time(m.CreatedAt), UpdatedAt: wire.Time(m.UpdatedAt),
	}
}

// beside are the side-loads of memberships; nil ones were not asked for.
func (h groupHandlers) beside(ctx context.Context, list []models.GroupMembership) (people []gen.User, places []gen.Group, err error) {
	by := auth.From(ctx)
	if includes(ctx, "users") {
		found, err := h.users.ByIDs(ctx, by.AccountID, each(list, func(m models.GroupMembership) int64 { return m.UserID }))
		if err != nil {
			return nil, nil, err
		}
		people = usersJSON(ctx, found)
	}
	if includes(ctx, "groups") {
		found, err := h.groups.ByIDs(ctx, by, each(list, func(m models.GroupMembership) int64 { return m.GroupID }))
		if err != nil {
			return nil, nil, err
		}
		places = each(found, func(g models.Group) gen.Group { return groupJSON(ctx, g) })
	}
	return people, places, nil
}
