package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/erasure"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/merging"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

type userHandlers struct {
	users         *users.Service
	organizations *organizations.Service
	authenticator authenticator // of passwords in bodies
	merging       *merging.Service
	erasure       *erasure.Service
	files         *attachments.Service
	tickets       *tickets.Service
}

func (h userHandlers) ListUsers(ctx context.Context, r gen.ListUsersRequestObject) (gen.ListUsersResponseObject, error) {
	f := users.Filter{Roles: r.Params.Role, ExternalID: or(r.Params.ExternalID, ""), PermissionSet: int64(or(r.Params.PermissionSet, 0))}
	l, err := h.list(ctx, f)
	return gen.ListUsers200JSONResponse{Listing: l}, err
}

func (h userHandlers) ListUsersByGroup(ctx context.Context, r gen.ListUsersByGroupRequestObject) (gen.ListUsersByGroupResponseObject, error) {
	f := users.Filter{GroupID: (*int64)(&r.GroupID), Roles: r.Params.Role, PermissionSet: int64(or(r.Params.PermissionSet, 0))}
	l, err := h.list(ctx, f)
	return gen.ListUsersByGroup200JSONResponse{Listing: l}, err
}

func (h userHandlers) ListUsersByOrganization(ctx context.Context, r gen.ListUsersByOrganizationRequestObject) (gen.ListUsersByOrganizationResponseObject, error) {
	f := users.Filter{OrganizationID: (*int64)(&r.OrganizationID), Roles: r.Params.Role, PermissionSet: int64(or(r.Params.PermissionSet, 0))}
	l, err := h.list(ctx, f)
	return gen.ListUsersByOrganization200JSONResponse{Listing: l}, err
}

func (h userHandlers) list(ctx context.Context, f users.Filter) (wire.Listing, error) {
	return h.page(ctx, func(p page.Request) (page.Result[models.User], error) {
		return h.users.List(ctx, auth.From(ctx), f, p)
	})
}

// page is the answer of every list of users, with what it side-loads.
func (h userHandlers) page(ctx context.Context, read func(page.Request) (page.Result[models.User], error)) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	found, err := read(p)
	if err != nil {
		return wire.Listing{}, err
	}
	l := listing(ctx, "users", mapped(ctx, found, userJSON))
	err = h.addSides(ctx, &l, found.Items)
	return l, err
}

func (h userHandlers) CountUsers(ctx context.Context, r gen.CountUsersRequestObject) (gen.CountUsersResponseObject, error) {
	n, at, err := h.users.Count(ctx, auth.From(ctx), users.Filter{Roles: r.Params.Role, PermissionSet: int64(or(r.Params.PermissionSet, 0))})
	return gen.CountUsers200JSONResponse(countJSON(n, at)), err
}

func (h userHandlers) CountUsersByGroup(ctx context.Context, r gen.CountUsersByGroupRequestObject) (gen.CountUsersByGroupResponseObject, error) {
	f := users.Filter{GroupID: (*int64)(&r.GroupID), Roles: r.Params.Role, PermissionSet: int64(or(r.Params.PermissionSet, 0))}
	n, at, err := h.users.Count(ctx, auth.From(ctx), f)
	return gen.CountUsersByGroup200JSONResponse(countJSON(n, at)), err
}

func (h userHandlers) CountUsersByOrganization(ctx context.Context, r gen.CountUsersByOrganizationRequestObject) (gen.CountUsersByOrganizationResponseObject, error) {
	f := users.Filter{OrganizationID: (*int64)(&r.OrganizationID), Roles: r.Params.Role, PermissionSet: int64(or(r.Params.PermissionSet, 0))}
	n, at, err := h.users.Count(ctx, auth.From(ctx), f)
	return gen.CountUsersByOrganization200JSONResponse(countJSON(n, at)), err
}

func (h userHandlers) SearchUsers(ctx context.Context, r gen.SearchUsersRequestObject) (gen.SearchUsersResponseObject, error) {
	l, err := h.page(ctx, func(p page.Request) (page.Result[models.User], error) {
		return h.users.Search(ctx, auth.From(ctx), or(r.Params.Query, ""), or(r.Params.ExternalID, ""), p)
	})
	return gen.SearchUsers200JSONResponse{Listing: l}, err
}

func (h userHandlers) AutocompleteUsers(ctx context.Context, r gen.AutocompleteUsersRequestObject) (gen.AutocompleteUsersResponseObject, error) {
	l, err := h.autocomplete(ctx, or(r.Params.Name, ""), or(r.Params.Phone, ""), lookup(r.Params.FieldID, r.Params.Source))
	return gen.AutocompleteUsers200JSONResponse{Listing: l}, err
}

func (h userHandlers) AutocompleteUsersByBody(ctx context.Context, r gen.AutocompleteUsersByBodyRequestObject) (gen.AutocompleteUsersByBodyResponseObject, error) {
	l, err := h.autocomplete(ctx, string(or(r.Body.Name, "")), string(or(r.Body.Phone, "")), lookup(r.Body.FieldID, r.Body.Source))
	return gen.AutocompleteUsersByBody200JSONResponse{Listing: l}, err
}

func (h userHandlers) autocomplete(ctx context.Context, name, phone string, of fields.Lookup) (wire.Listing, error) {
	if name == "" {
		name = phone
	}
	return h.page(ctx, func(p page.Request) (page.Result[models.User], error) {
		return h.users.Autocomplete(ctx, auth.From(ctx), name, of, p)
	})
}

// lookup is the lookup field that an autocomplete is for.
func lookup[T ~string](field *wire.ID, source *T) fields.Lookup {
	return fields.Lookup{FieldID: int64(or(field, 0)), Source: string(or(source, ""))}
}

func (h userHandlers) ShowManyUsers(ctx context.Context, r gen.ShowManyUsersRequestObject) (gen.ShowManyUsersResponseObject, error) {
	found, err := h.users.Many(ctx, auth.From(ctx), r.Params.Ids.Int64s(), r.Params.ExternalIds)
	if err != nil {
		return nil, err
	}
	l := whole("users", usersJSON(ctx, found))
	err = h.addSides(ctx, &l, found)
	return gen.ShowManyUsers200JSONResponse{Listing: l}, err
}

func (h userHandlers) ShowUser(ctx context.Context, r gen.ShowUserRequestObject) (gen.ShowUserResponseObject, error) {
	u, err := h.users.Get(ctx, auth.From(ctx), int64(r.UserID))
	if err != nil {
		return nil, err
	}
	s, err := h.sides(ctx, []models.User{u})
	return gen.ShowUser200JSONResponse{
		User: userJSON(ctx, u), Organizations: s.organizations, Abilities: s.abilities, Roles: s.roles, Identities: s.identities, Groups: s.groups, OpenTicketCount: s.open,
	}, err
}

func (h userHandlers) CreateUser(ctx context.Context, r gen.CreateUserRequestObject) (gen.CreateUserResponseObject, error) {
	u, err := h.users.Create(ctx, auth.From(ctx), userChange(r.Body.User))
	if err != nil {
		return nil, err
	}
	return gen.CreateUser201JSONResponse{
		Headers: gen.CreateUser201ResponseHeaders{Location: link(ctx, "users", u.ID)}, Body: gen.UserEnvelope{User: userJSON(ctx, u)},
	}, nil
}

func (h userHandlers) CreateOrUpdateUser(ctx context.Context, r gen.CreateOrUpdateUserRequestObject) (gen.CreateOrUpdateUserResponseObject, error) {
	u, created, err := h.users.CreateOrUpdate(ctx, auth.From(ctx), userChange(r.Body.User))
	if err != nil {
		return nil, err
	}
	body, location := gen.UserEnvelope{User: userJSON(ctx, u)}, link(ctx, "users", u.ID)
	if created {
		return gen.CreateOrUpdateUser201JSONResponse{Headers: gen.CreateOrUpdateUser201ResponseHeaders{Location: location}, Body: body}, nil
	}
	return gen.CreateOrUpdateUser200JSONResponse{Headers: gen.CreateOrUpdateUser200ResponseHeaders{Location: location}, Body: body}, nil
}

func (h userHandlers) UpdateUser(ctx context.Context, r gen.UpdateUserRequestObject) (gen.UpdateUserResponseObject, error) {
	c, err := h.changeOf(ctx, r.UserID, r.JSONBody, r.MultipartBody)
	if err != nil {
		return nil, err
	}
	u, err := h.users.Update(ctx, auth.From(ctx), int64(r.UserID), c)
	if err != nil {
		return nil, err
	}
	return gen.UpdateUser200JSONResponse{User: userJSON(ctx, u)}, nil
}

func (h userHandlers) DeleteUser(ctx context.Context, r gen.DeleteUserRequestObject) (gen.DeleteUserResponseObject, error) {
	u, err := h.users.Delete(ctx, auth.From(ctx), int64(r.UserID))
	if err != nil {
		return nil, err
	}
	return gen.DeleteUser200JSONResponse{User: userJSON(ctx, u)}, nil
}

func (h userHandlers) RequestUserCreate(ctx context.Context, r gen.RequestUserCreateRequestObject) (gen.RequestUserCreateResponseObject, error) {
	var in gen.UserRequestInput
	if r.Body != nil && r.Body.User != nil {
		in = *r.Body.User
	}
	err := h.users.AskForUser(ctx, auth.From(ctx), string(or(in.Name, "")), string(or(in.Email, "")))
	return gen.RequestUserCreate200JSONResponse{}, err
}

func (h userHandlers) ShowUserRelated(ctx context.Context, r gen.ShowUserRelatedRequestObject) (gen.ShowUserRelatedResponseObject, error) {
	by, id := auth.From(ctx), int64(r.UserID)
	subscriptions, err := h.users.CountSubscriptions(ctx, by, id)
	if err != nil {
		return nil, err
	}
	n, err := h.tickets.CountOfUser(ctx, by, id)
	return gen.ShowUserRelated200JSONResponse{UserRelated: gen.UserRelated{
		AssignedTickets: n.Assigned, RequestedTickets: n.Requested, CcdTickets: n.CCd, OrganizationSubscriptions: subscriptions,
	}}, err
}

func (h userHandlers) ShowEndUser(ctx context.Context, r gen.ShowEndUserRequestObject) (gen.ShowEndUserResponseObject, error) {
	u, err := h.users.Get(ctx, auth.From(ctx), int64(r.UserID))
	if err != nil {
		return nil, err
	}
	return gen.ShowEndUser200JSONResponse{User: endUserJSON(ctx, u)}, nil
}

func (h userHandlers) UpdateEndUser(ctx context.Context, r gen.UpdateEndUserRequestObject) (gen.UpdateEndUserResponseObject, error) {
	c, err := h.changeOf(ctx, r.UserID, r.JSONBody, r.MultipartBody)
	if err != nil {
		return nil, err
	}
	u, err := h.users.Update(ctx, auth.From(ctx), int64(r.UserID), c)
	if err != nil {
		return nil, err
	}
	return gen.UpdateEndUser200JSONResponse{User: endUserJSON(ctx, u)}, nil
}

func (h userHandlers) ListUserTags(ctx context.Context, r gen.ListUserTagsRequestObject) (gen.ListUserTagsResponseObject, error) {
	u, err := h.users.Get(ctx, auth.From(ctx), int64(r.UserID))
	return gen.ListUserTags200JSONResponse{Tags: list(u.Tags)}, err
}

func (h userHandlers) SetUserTags(ctx context.Context, r gen.SetUserTagsRequestObject) (gen.SetUserTagsResponseObject, error) {
	tags, err := h.users.SetTags(ctx, auth.From(ctx), int64(r.UserID), r.Body.Tags)
	return gen.SetUserTags201JSONResponse{Tags: tags}, err
}

func (h userHandlers) AddUserTags(ctx context.Context, r gen.AddUserTagsRequestObject) (gen.AddUserTagsResponseObject, error) {
	tags, err := h.users.AddTags(ctx, auth.From(ctx), int64(r.UserID), r.Body.Tags)
	return gen.AddUserTags200JSONResponse{Tags: tags}, err
}

func (h userHandlers) RemoveUserTags(ctx context.Context, r gen.RemoveUserTagsRequestObject) (gen.RemoveUserTagsResponseObject, error) {
	tags, err := h.users.RemoveTags(ctx, auth.From(ctx), int64(r.UserID), r.Body.Tags)
	return gen.RemoveUserTags200JSONResponse{Tags: tags}, err
}

func (h userHandlers) CreateManyUsers(ctx context.Context, r gen.CreateManyUsersRequestObject) (gen.CreateManyUsersResponseObject, error) {
	job, err := h.users.CreateMany(ctx, auth.From(ctx), userChanges(r.Body.Users))
	if err != nil {
		return nil, err
	}
	return gen.CreateManyUsers200JSONResponse(jobEnvelope(ctx, job)), nil
}

func (h userHandlers) CreateOrUpdateManyUsers(ctx context.Context, r gen.CreateOrUpdateManyUsersRequestObject) (gen.CreateOrUpdateManyUsersResponseObject, error) {
	job, err := h.users.CreateOrUpdateMany(ctx, auth.From(ctx), userChanges(r.Body.Users))
	if err != nil {
		return nil, err
	}
	return gen.CreateOrUpdateManyUsers200JSONResponse(jobEnvelope(ctx, job)), nil
}

func (h userHandlers) UpdateManyUsers(ctx context.Context, r gen.UpdateManyUsersRequestObject) (gen.UpdateManyUsersResponseObject, error) {
	var items []users.Item
	switch {
	case r.Body.User != nil:
		var err error
		items, err = userItems(r.Params.Ids, r.Params.ExternalIds)
		if err == nil && len(items) == 0 {
			err = fault.Attribute("ids", "a list of ids where the body has one user")
		}
		if err != nil {
			return nil, err
		}
		for i := range items {
			items[i].Change = userChange(*r.Body.User)
		}
	case r.Body.Users != nil:
		for _, in := range r.Body.Users {
			c := userChange(in)
			i := users.Item{ID: c.ID, Change: c}
			i.ExternalID, _ = c.ExternalID.Get() // "" where there is none
			if i.ID == 0 && i.ExternalID == "" {
				return nil, fault.Attribute("users", "a list of objects with an id or an external_id each")
			}
			items = append(items, i)
		}
	default:
		return nil, fault.Attribute("user", "an object")
	}
	job, err := h.users.UpdateMany(ctx, auth.From(ctx), items)
	if err != nil {
		return nil, err
	}
	return gen.UpdateManyUsers200JSONResponse(jobEnvelope(ctx, job)), nil
}

func (h userHandlers) DestroyManyUsers(ctx context.Context, r gen.DestroyManyUsersRequestObject) (gen.DestroyManyUsersResponseObject, error) {
	items, err := userItems(r.Params.Ids, r.Params.ExternalIds)
	if err == nil && len(items) == 0 {
		err = fault.Attribute("ids", "a list of ids")
	}
	if err != nil {
		return nil, err
	}
	job, err := h.users.DeleteMany(ctx, auth.From(ctx), items)
	if err != nil {
		return nil, err
	}
	return gen.DestroyManyUsers200JSONResponse(jobEnvelope(ctx, job)), nil
}

func userItems(ids wire.IDs, externalIDs []string) (items []users.Item, err error) {
	list, err := named(ids)
	if err != nil {
		return nil, err
	}
	for _, id := range list {
		items = append(items, users.Item{ID: id})
	}
	if len(items) > 0 {
		return items, nil
	}
	if len(externalIDs) > users.MaxMany {
		return nil, fault.Exceeds(users.MaxMany)
	}
	for _, id := range distinct(externalIDs) {
		items = append(items, users.Item{ExternalID: id})
	}
	return items, nil
}

// sides are the side-loads of users; nil ones were not asked for.
type sides struct {
	organizations []gen.Organization
	abilities     []gen.UserAbilities
	roles         []map[string]any
	identities    []gen.UserIdentity
	groups        []gen.Group
	open          map[string]int64
}

func (h userHandlers) sides(ctx context.Context, us []models.User) (sides, error) {
	var s sides
	by, ids := auth.From(ctx), make([]int64, len(us))
	for i, u := range us {
		ids[i] = u.ID
	}
	if includes(ctx, "organizations") {
		found, err := h.organizations.ByIDs(ctx, by, organizationIDs(us))
		if err != nil {
			return s, err
		}
		s.organizations = each(found, func(o models.Organization) gen.Organization {
			if !by.Staff() { // what agents note is for agents
				o.Details, o.Notes, o.Tags = nil, nil, models.Strings{}
			}
			return organizationJSON(ctx, o)
		})
	}
	if includes(ctx, "abilities") {
		s.abilities = each(us, func(u models.User) gen.UserAbilities { return abilitiesJSON(ctx, by, u) })
	}
	if includes(ctx, "roles") {
		s.roles = []map[string]any{} // there are no custom roles
	}
	if includes(ctx, "identities") {
		found, err := h.users.IdentitiesOf(ctx, ids)
		if err != nil {
			return s, err
		}
		s.identities = identitiesJSON(ctx, found)
	}
	if includes(ctx, "groups") {
		found, err := h.users.GroupsOf(ctx, by.AccountID, ids)
		if err != nil {
			return s, err
		}
		s.groups = each(found, func(g models.Group) gen.Group { return groupJSON(ctx, g) })
	}
	if includes(ctx, "open_ticket_count") {
		counts, err := h.tickets.OpenOf(ctx, by, us)
		if err != nil {
			return s, err
		}
		s.open = make(map[string]int64, len(counts))
		for id, n := range counts {
			s.open[strconv.FormatInt(id, 10)] = n
		}
	}
	return s, nil
}

func organizationIDs(us []models.User) []int64 {
	var ids []int64
	for _, u := range us {
		if u.OrganizationID != nil && !slices.Contains(ids, *u.OrganizationID) {
			ids = append(ids, *u.OrganizationID)
		}
	}
	return ids
}

func (h userHandlers) addSides(ctx context.Context, l *wire.Listing, us []models.User) error {
	s, err := h.sides(ctx, us)
	if err != nil {
		return err
	}
	if s.organizations != nil {
		l.Add("organizations", s.organizations)
	}
	if s.abilities != nil {
		l.Add("abilities", s.abilities)
	}
	if s.roles != nil {
		l.Add("roles", s.roles)
	}
	if s.identities != nil {
		l.Add("identities", s.identities)
	}
	if s.groups != nil {
		l.Add("groups", s.groups)
	}
	if s.open != nil {
		l.Add("open_ticket_count", s.open)
	}
	return nil
}
