package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/merging"
	"github.com/helpd/helpd/server/organizations"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

type organizationHandlers struct {
	organizations *organizations.Service
	users         *users.Service
	jobs          *jobs.Service
	merging       *merging.Service
	tickets       *tickets.Service
}

func (h organizationHandlers) ListOrganizations(ctx context.Context, _ gen.ListOrganizationsRequestObject) (gen.ListOrganizationsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.organizations.List(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListOrganizations200JSONResponse{Listing: organizationList(ctx, list)}, nil
}

func (h organizationHandlers) ListOrganizationsByUser(ctx context.Context, r gen.ListOrganizationsByUserRequestObject) (gen.ListOrganizationsByUserResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.organizations.OfUser(ctx, auth.From(ctx), int64(r.UserID), p)
	if err != nil {
		return nil, err
	}
	return gen.ListOrganizationsByUser200JSONResponse{Listing: organizationList(ctx, list)}, nil
}

func (h organizationHandlers) CountOrganizations(ctx context.Context, _ gen.CountOrganizationsRequestObject) (gen.CountOrganizationsResponseObject, error) {
	n, at, err := h.organizations.Count(ctx, auth.From(ctx))
	if err != nil {
		return nil, err
	}
	return gen.CountOrganizations200JSONResponse(countJSON(n, at)), nil
}

func (h organizationHandlers) CountOrganizationsByUser(ctx context.Context, r gen.CountOrganizationsByUserRequestObject) (gen.CountOrganizationsByUserResponseObject, error) {
	n, at, err := h.organizations.CountOfUser(ctx, auth.From(ctx), int64(r.UserID))
	if err != nil {
		return nil, err
	}
	return gen.CountOrganizationsByUser200JSONResponse(countJSON(n, at)), nil
}

func (h organizationHandlers) SearchOrganizations(ctx context.Context, r gen.SearchOrganizationsRequestObject) (gen.SearchOrganizationsResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.organizations.Search(ctx, auth.From(ctx), or(r.Params.ExternalID, ""), or(r.Params.Name, ""), p)
	if err != nil {
		return nil, err
	}
	return gen.SearchOrganizations200JSONResponse{Listing: organizationList(ctx, list)}, nil
}

func (h organizationHandlers) AutocompleteOrganizations(ctx context.Context, r gen.AutocompleteOrganizationsRequestObject) (gen.AutocompleteOrganizationsResponseObject, error) {
	l, err := h.autocomplete(ctx, or(r.Params.Name, ""), lookup(r.Params.FieldID, r.Params.Source))
	return gen.AutocompleteOrganizations200JSONResponse{Listing: l}, err
}

func (h organizationHandlers) AutocompleteOrganizationsByBody(ctx context.Context, r gen.AutocompleteOrganizationsByBodyRequestObject) (gen.AutocompleteOrganizationsByBodyResponseObject, error) {
	var in gen.OrganizationAutocompleteBody
	if r.Body != nil {
		in = *r.Body
	}
	text := or(r.Params.Name, "")
	if in.Name != nil {
		text = string(*in.Name)
	}
	l, err := h.autocomplete(ctx, text, lookup(in.FieldID, in.Source))
	return gen.AutocompleteOrganizationsByBody200JSONResponse{Listing: l}, err
}

func (h organizationHandlers) autocomplete(ctx context.Context, text string, of fields.Lookup) (wire.Listing, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return wire.Listing{}, err
	}
	list, err := h.organizations.Autocomplete(ctx, auth.From(ctx), text, of, p)
	return organizationList(ctx, list), err
}

func (h organizationHandlers) ShowManyOrganizations(ctx context.Context, r gen.ShowManyOrganizationsRequestObject) (gen.ShowManyOrganizationsResponseObject, error) {
	found, err := h.organizations.ShowMany(ctx, auth.From(ctx), r.Params.Ids.Int64s(), r.Params.ExternalIds)
	if err != nil {
		return nil, err
	}
	l := whole("organizations", each(found, func(o models.Organization) gen.Organization { return organizationJSON(ctx, o) }))
	if a := organizationAbilities(ctx, found); a != nil {
		l.Add("abilities", a)
	}
	return gen.ShowManyOrganizations200JSONResponse{Listing: l}, nil
}

func (h organizationHandlers) ShowOrganization(ctx context.Context, r gen.ShowOrganizationRequestObject) (gen.ShowOrganizationResponseObject, error) {
	o, err := h.organizations.Show(ctx, auth.From(ctx), int64(r.OrganizationID))
	if err != nil {
		return nil, err
	}
	return gen.ShowOrganization200JSONResponse(organizationEnvelope(ctx, o)), nil
}

func (h organizationHandlers) OrganizationRelated(ctx context.Context, r gen.OrganizationRelatedRequestObject) (gen.OrganizationRelatedResponseObject, error) {
	by, id := auth.From(ctx), int64(r.OrganizationID)
	members, err := h.organizations.CountUsers(ctx, by, id)
	if err != nil {
		return nil, err
	}
	tickets, err := h.tickets.CountOfOrganization(ctx, by, id)
	return gen.OrganizationRelated200JSONResponse{OrganizationRelated: gen.OrganizationRelated{
		TicketsCount: int64(tickets), UsersCount: int64(members),
	}}, err
}

func (h organizationHandlers) CreateOrganization(ctx context.Context, r gen.CreateOrganizationRequestObject) (gen.CreateOrganizationResponseObject, error) {
	o, err := h.organizations.Create(ctx, auth.From(ctx), organizationChange(r.Body.Organization))
	if err != nil {
		return nil, err
	}
	return gen.CreateOrganization201JSONResponse{
		Headers: gen.CreateOrganization201ResponseHeaders{Location: link(ctx, "organizations", o.ID)},
		Body:    organizationEnvelope(ctx, o),
	}, nil
}

func (h organizationHandlers) UpdateOrganization(ctx context.Context, r gen.UpdateOrganizationRequestObject) (gen.UpdateOrganizationResponseObject, error) {
	o, err := h.organizations.Update(ctx, auth.From(ctx), int64(r.OrganizationID), organizationChange(r.Body.Organization))
	if err != nil {
		return nil, err
	}
	return gen.UpdateOrganization200JSONResponse(organizationEnvelope(ctx, o)), nil
}

func (h organizationHandlers) CreateOrUpdateOrganization(ctx context.Context, r gen.CreateOrUpdateOrganizationRequestObject) (gen.CreateOrUpdateOrganizationResponseObject, error) {
	in := r.Body.Organization
	o, created, err := h.organizations.CreateOrUpdate(ctx, auth.From(ctx), int64(or(in.ID, 0)), organizationChange(in))
	if err != nil {
		return nil, err
	}
	location, body := link(ctx, "organizations", o.ID), organizationEnvelope(ctx, o)
	if created {
		return gen.CreateOrUpdateOrganization201JSONResponse{
			Headers: gen.CreateOrUpdateOrganization201ResponseHeaders{Location: location}, Body: body,
		}, nil
	}
	return gen.CreateOrUpdateOrganization200JSONResponse{
		Headers: gen.CreateOrUpdateOrganization200ResponseHeaders{Location: location}, Body: body,
	}, nil
}

func (h organizationHandlers) DeleteOrganization(ctx context.Context, r gen.DeleteOrganizationRequestObject) (gen.DeleteOrganizationResponseObject, error) {
	if err := h.organizations.Delete(ctx, auth.From(ctx), int64(r.OrganizationID)); err != nil {
		return nil, err
	}
	return gen.DeleteOrganization204Response{}, nil
}

func (h organizationHandlers) ListOrganizationTags(ctx context.Context, r gen.ListOrganizationTagsRequestObject) (gen.ListOrganizationTagsResponseObject, error) {
	tags, err := h.organizations.Tags(ctx, auth.From(ctx), int64(r.OrganizationID))
	if err != nil {
		return nil, err
	}
	return gen.ListOrganizationTags200JSONResponse{Tags: tags}, nil
}

func (h organizationHandlers) SetOrganizationTags(ctx context.Context, r gen.SetOrganizationTagsRequestObject) (gen.SetOrganizationTagsResponseObject, error) {
	tags, err := h.organizations.SetTags(ctx, auth.From(ctx), int64(r.OrganizationID), tagsOf(r.Body))
	if err != nil {
		return nil, err
	}
	return gen.SetOrganizationTags201JSONResponse{Tags: tags}, nil
}

func (h organizationHandlers) AddOrganizationTags(ctx context.Context, r gen.AddOrganizationTagsRequestObject) (gen.AddOrganizationTagsResponseObject, error) {
	tags, err := h.organizations.AddTags(ctx, auth.From(ctx), int64(r.OrganizationID), tagsOf(r.Body))
	if err != nil {
		return nil, err
	}
	return gen.AddOrganizationTags200JSONResponse{Tags: tags}, nil
}

func (h organizationHandlers) RemoveOrganizationTags(ctx context.Context, r gen.RemoveOrganizationTagsRequestObject) (gen.RemoveOrganizationTagsResponseObject, error) {
	tags, err := h.organizations.RemoveTags(ctx, auth.From(ctx), int64(r.OrganizationID), tagsOf(r.Body))
	if err != nil {
		return nil, err
	}
	return gen.RemoveOrganizationTags200JSONResponse{Tags: tags}, nil
}

// tagsOf are the tags of a request, whose body may be missing.
func tagsOf(body *gen.TagsBody) []string {
	if body == nil {
		return nil
	}
	return body.Tags
}

func organizationChange(in gen.OrganizationInput) organizations.Change {
	return organizations.Change{
		Name: (*string)(in.Name), SharedTickets: (*bool)(in.SharedTickets), SharedComments: (*bool)(in.SharedComments),
		ExternalID: nullableText(in.ExternalID), Details: nullableText(in.Details), Notes: nullableText(in.Notes),
		GroupID: wire.NullableID(in.GroupID), DomainNames: in.DomainNames, Tags: in.Tags, Fields: in.OrganizationFields,
	}
}

func organizationJSON(ctx context.Context, o models.Organization) gen.Organization {
	return gen.Organization{
		URL: link(ctx, "organizations", o.ID), ID: o.ID, Name: o.Name, SharedTickets: o.SharedTickets, SharedComments: o.SharedComments,
		ExternalID: o.ExternalID, CreatedAt: wire.Time(o.CreatedAt), UpdatedAt: wire.Time(o.UpdatedAt), DomainNames: o.DomainNames,
		Details: o.Details, Notes: o.Notes, GroupID: o.GroupID, Tags: o.Tags, OrganizationFields: organizationFields(ctx, o.OrganizationFields),
	}
}

func organizationEnvelope(ctx context.Context, o models.Organization) gen.OrganizationEnvelope {
	return gen.OrganizationEnvelope{
		Organization: organizationJSON(ctx, o), Abilities: organizationAbilities(ctx, []models.Organization{o}),
	}
}

func organizationList(ctx context.Context, r page.Result[models.Organization]) wire.Listing {
	l := listing(ctx, "organizations", mapped(ctx, r, organizationJSON))
	if a := organizationAbilities(ctx, r.Items); a != nil {
		l.Add("abilities", a)
	}
	return l
}

// organizationAbilities is the side-load of what the caller may do with each
// organization; nil unless asked for.
func organizationAbilities(ctx context.Context, list []models.Organization) []gen.OrganizationAbilities {
	if !includes(ctx, "abilities") {
		return nil
	}
	by := auth.From(ctx)
	out := make([]gen.OrganizationAbilities, len(list))
	for i, o := range list {
		out[i] = gen.OrganizationAbilities{
			URL: link(ctx, "organizations", o.ID), OrganizationID: o.ID, CanEdit: by.Admin(), CanEditNotes: by.Staff(), CanDelete: by.Admin(),
		}
	}
	return out
}
