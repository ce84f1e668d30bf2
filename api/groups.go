package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/groups"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/users"
)

type groupHandlers struct {
	groups *groups.Service
	users  *users.Service
	jobs   *jobs.Service
}

func (h groupHandlers) ListGroups(ctx context.Context, r gen.ListGroupsRequestObject) (gen.ListGroupsResponseObject, error) {
	l, err := h.list(ctx, groups.Filter{Deleted: !bool(or(r.Params.ExcludeDeleted, true))})
	return gen.ListGroups200JSONResponse{Listing: l}, err
}

func (h groupHandlers) CreateGroup(ctx context.Context, r gen.CreateGroupRequestObject) (gen.CreateGroupResponseObject, error) {
	g, err := h.groups.Create(ctx, auth.From(ctx), groupChange(r.Body.Group))
	if err != nil {
		return nil, err
	}
	return gen.CreateGroup201JSONResponse{
		Headers: gen.CreateGroup201ResponseHeaders{Location: link(ctx, "groups", g.ID)},
		Body:    gen.GroupEnvelope{Group: groupJSON(ctx, g)},
	}, nil
}

func (h groupHandlers) ShowGroupByID(ctx context.Context, r gen.ShowGroupByIDRequestObject) (gen.ShowGroupByIDResponseObject, error) {
	g, err := h.groups.Show(ctx, auth.From(ctx), int64(r.GroupID))
	if err != nil {
		return nil, err
	}
	e := gen.GroupEnvelope{Group: groupJSON(ctx, g)}
	e.Users, err = h.members(ctx, []models.Group{g})
	return gen.ShowGroupByID200JSONResponse(e), err
}

func (h groupHandlers) CountGroups(ctx context.Context, _ gen.CountGroupsRequestObject) (gen.CountGroupsResponseObject, error) {
	n, at, err := h.groups.Count(ctx, auth.From(ctx), groups.Filter{})
	if err != nil {
		return nil, err
	}
	return gen.CountGroups200JSONResponse(countJSON(n, at)), nil
}

func (h groupHandlers) ListAssignableGroups(ctx context.Context, _ gen.ListAssignableGroupsRequestObject) (gen.ListAssignableGroupsResponseObject, error) {
	l, err := h.list(ctx, groups.Filter{Assignable: true})
	return gen.ListAssignableGroups200JSONResponse{Listing: l}, err
}

func (h groupHandlers) CountAssignableGroups(ctx context.Context, _ gen.CountAssignableGroupsRequestObject) (gen.CountAssignableGroupsResponseObject, error) {
	n, at, err := h.groups.Count(ctx, auth.From(ctx), groups.Filter{Assignable: true})
	if err != nil {
		return nil, err
	}
	return gen.CountAssignableGroups200JSONResponse(countJSON(n, at)), nil
}

func (h groupHandlers) ListGroupsByUser(ctx context.Context, r gen.ListGroupsByUserRequestObject) (gen.ListGroupsByUserResponseObject, error) {
	l, err := h.list(ctx, groups.Filter{UserID: int64(r.UserID)})
	return gen.ListGroupsByUser200JSONResponse{Listing: l}, err
}

func (h groupHandlers) CountGroupsByUser(ctx context.Context, r gen.CountGroupsByUserRequestObject) (gen.CountGroupsByUserResponseObject, error) {
	n, at, err := h.groups.Count(ctx, auth.From(ctx), groups.Filter{UserID: int64(r.UserID)})
	if err != nil {
		return nil, err
	}
	return gen.CountGroupsByUser200JSONResponse(countJSON(n, at)), nil
}

func (h groupHandlers) UpdateGroup(ctx context.Context, r gen.UpdateGroupRequestObject) (gen.UpdateGroupResponseObject, error) {
	g, err := h.groups.Update(ctx, auth.From(ctx), int64(r.GroupID), groupChange(r.Body.Group))
	if err != nil {
		return nil, err
	}
	return gen.UpdateGroup200JSONResponse{
		Headers: gen.UpdateGroup200ResponseHeaders{Location: link(ctx, "groups", g.ID)},
		Body:    gen.GroupEnvelope{Group: groupJSON(ctx, g)},
	}, nil
}

func (h groupHandlers) DeleteGroup(ctx context.Context, r gen.DeleteGroupRequestObject) (gen.DeleteGroupResponseObject, error) {
	if err := h.groups.Delete(ctx, auth.From(ctx), int64(r.GroupID)); err != nil {
		return nil, err
	}
	return gen.DeleteGroup204Response{}, nil
}

func (h groupHandlers) list(ctx context.Context, f groups.Filter) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	list, err := h.groups.List(ctx, auth.From(ctx), f, p)
	if err != nil {
		return wire.Listing{}, err
	}
	l := listing(ctx, "groups", mapped(ctx, list, groupJSON))
	members, err := h.members(ctx, list.Items)
	if members != nil {
		l.Add("users", members)
	}
	return l, err
}

// members is the side-load of groups: their active users; nil unless asked for.
func (h groupHandlers) members(ctx context.Context, list []models.Group) ([]gen.User, error) {
	if !includes(ctx, "users") {
		return nil, nil
	}
	by := auth.From(ctx)
	ids, err := h.groups.MemberIDs(ctx, by, each(list, func(g models.Group) int64 { return g.ID }))
	if err != nil {
		return nil, err
	}
	found, err := h.users.ByIDs(ctx, by.AccountID, ids)
	return usersJSON(ctx, found), err
}

func groupChange(in gen.GroupInput) groups.Change {
	return groups.Change{Name: (*string)(in.Name), Description: nullableText(in.Description), IsPublic: (*bool)(in.IsPublic)}
}

func groupJSON(ctx context.Context, g models.Group) gen.Group {
	return gen.Group{
		URL: link(ctx, "groups", g.ID), ID: g.ID, IsPublic: g.IsPublic, Name: g.Name, Description: g.Description,
		Default: g.Default, Deleted: g.Deleted, CreatedAt: wire.Time(g.CreatedAt), UpdatedAt: wire.Time(g.UpdatedAt),
	}
}
