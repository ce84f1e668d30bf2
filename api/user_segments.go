package api

import (
	"context"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/contenttags"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/segments"
)

// audienceHandlers are of who may read, edit and publish in the help center, and
// of the words by which they find.
type audienceHandlers struct {
	segments    *segments.Service
	contentTags *contenttags.Service
}

func (h audienceHandlers) ListUserSegments(ctx context.Context, r gen.ListUserSegmentsRequestObject) (gen.ListUserSegmentsResponseObject, error) {
	l, err := h.list(ctx, segments.Filter{BuiltIn: (*bool)(r.Params.BuiltIn)})
	return gen.ListUserSegments200JSONResponse{Listing: l}, err
}

func (h audienceHandlers) ListUserSegmentsApplicable(ctx context.Context, r gen.ListUserSegmentsApplicableRequestObject) (gen.ListUserSegmentsApplicableResponseObject, error) {
	l, err := h.list(ctx, segments.Filter{BuiltIn: (*bool)(r.Params.BuiltIn), Applicable: true})
	return gen.ListUserSegmentsApplicable200JSONResponse{Listing: l}, err
}

func (h audienceHandlers) ListUserSegmentsByUser(ctx context.Context, r gen.ListUserSegmentsByUserRequestObject) (gen.ListUserSegmentsByUserResponseObject, error) {
	user, err := userOrMe(ctx, r.UserID)
	if err != nil {
		return nil, err
	}
	l, err := h.list(ctx, segments.Filter{BuiltIn: (*bool)(r.Params.BuiltIn), UserID: user})
	return gen.ListUserSegmentsByUser200JSONResponse{Listing: l}, err
}

func (h audienceHandlers) list(ctx context.Context, f segments.Filter) (wire.Listing, error) {
	return helpListOf(ctx, "user_segments", func(p page.Request) (page.Result[models.UserSegment], error) {
		return h.segments.List(ctx, auth.From(ctx), f, p)
	}, userSegmentJSON)
}

func (h audienceHandlers) CreateUserSegment(ctx context.Context, r gen.CreateUserSegmentRequestObject) (gen.CreateUserSegmentResponseObject, error) {
	s, err := h.segments.Create(ctx, auth.From(ctx), segmentChange(r.Body.UserSegment))
	return gen.CreateUserSegment201JSONResponse{
		Headers: gen.CreateUserSegment201ResponseHeaders{Location: link(ctx, "help_center/user_segments", s.ID)},
		Body:    gen.UserSegmentEnvelope{UserSegment: userSegmentJSON(s)},
	}, err
}

func (h audienceHandlers) ShowUserSegment(ctx context.Context, r gen.ShowUserSegmentRequestObject) (gen.ShowUserSegmentResponseObject, error) {
	s, err := h.segments.Show(ctx, auth.From(ctx), int64(r.UserSegmentID))
	return gen.ShowUserSegment200JSONResponse{UserSegment: userSegmentJSON(s)}, err
}

func (h audienceHandlers) UpdateUserSegment(ctx context.Context, r gen.UpdateUserSegmentRequestObject) (gen.UpdateUserSegmentResponseObject, error) {
	s, err := h.segments.Update(ctx, auth.From(ctx), int64(r.UserSegmentID), segmentChange(r.Body.UserSegment))
	return gen.UpdateUserSegment200JSONResponse{UserSegment: userSegmentJSON(s)}, err
}

func (h audienceHandlers) DeleteUserSegment(ctx context.Context, r gen.DeleteUserSegmentRequestObject) (gen.DeleteUserSegmentResponseObject, error) {
	return gen.DeleteUserSegment204Response{}, h.segments.Delete(ctx, auth.From(ctx), int64(r.UserSegmentID))
}

func (h audienceHandlers) ListPermissionGroups(ctx context.Context, _ gen.ListPermissionGroupsRequestObject) (gen.ListPermissionGroupsResponseObject, error) {
	l, err := helpListOf(ctx, "permission_groups", func(p page.Request) (page.Result[models.PermissionGroup], error) {
		return h.segments.PermissionGroups(ctx, auth.From(ctx), p)
	}, permissionGroupJSON)
	return gen.ListPermissionGroups200JSONResponse{Listing: l}, err
}

func (h audienceHandlers) CreatePermissionGroup(ctx context.Context, r gen.CreatePermissionGroupRequestObject) (gen.CreatePermissionGroupResponseObject, error) {
	g, err := h.segments.CreatePermissionGroup(ctx, auth.From(ctx), permissionChange(r.Body.PermissionGroup))
	return gen.CreatePermissionGroup201JSONResponse{
		Headers: gen.CreatePermissionGroup201ResponseHeaders{Location: link(ctx, "guide/permission_groups", g.ID)},
		Body:    gen.PermissionGroupEnvelope{PermissionGroup: permissionGroupJSON(g)},
	}, err
}

func (h audienceHandlers) ShowPermissionGroup(ctx context.Context, r gen.ShowPermissionGroupRequestObject) (gen.ShowPermissionGroupResponseObject, error) {
	g, err := h.segments.PermissionGroup(ctx, auth.From(ctx), int64(r.PermissionGroupID))
	return gen.ShowPermissionGroup200JSONResponse{PermissionGroup: permissionGroupJSON(g)}, err
}

func (h audienceHandlers) UpdatePermissionGroup(ctx context.Context, r gen.UpdatePermissionGroupRequestObject) (gen.UpdatePermissionGroupResponseObject, error) {
	g, err := h.segments.UpdatePermissionGroup(ctx, auth.From(ctx), int64(r.PermissionGroupID), permissionChange(r.Body.PermissionGroup))
	return gen.UpdatePermissionGroup200JSONResponse{PermissionGroup: permissionGroupJSON(g)}, err
}

func (h audienceHandlers) DeletePermissionGroup(ctx context.Context, r gen.DeletePermissionGroupRequestObject) (gen.DeletePermissionGroupResponseObject, error) {
	return gen.DeletePermissionGroup204Response{}, h.segments.DeletePermissionGroup(ctx, auth.From(ctx), int64(r.PermissionGroupID))
}

func (h audienceHandlers) ListContentTags(ctx context.Context, r gen.ListContentTagsRequestObject) (gen.ListContentTagsResponseObject, error) {
	l, err := helpListOf(ctx, "records", func(p page.Request) (page.Result[models.ContentTag], error) {
		return h.contentTags.List(ctx, auth.From(ctx), or(r.Params.FilterNamePrefix, ""), p)
	}, contentTagJSON)
	return gen.ListContentTags200JSONResponse{Listing: l}, err
}

func (h audienceHandlers) CountContentTags(ctx context.Context, r gen.CountContentTagsRequestObject) (gen.CountContentTagsResponseObject, error) {
	n, at, err := h.contentTags.Count(ctx, auth.From(ctx), or(r.Params.FilterNamePrefix, ""))
	return gen.CountContentTags200JSONResponse(countJSON(n, at)), err
}

func (h audienceHandlers) CreateContentTag(ctx context.Context, r gen.CreateContentTagRequestObject) (gen.CreateContentTagResponseObject, error) {
	t, err := h.contentTags.Create(ctx, auth.From(ctx), string(or(r.Body.ContentTag.Name, "")))
	return gen.CreateContentTag201JSONResponse{ContentTag: contentTagJSON(t)}, err
}

func (h audienceHandlers) ShowContentTag(ctx context.Context, r gen.ShowContentTagRequestObject) (gen.ShowContentTagResponseObject, error) {
	t, err := h.contentTags.Show(ctx, r.ContentTagID)
	return gen.ShowContentTag200JSONResponse{ContentTag: contentTagJSON(t)}, err
}

func (h audienceHandlers) UpdateContentTag(ctx context.Context, r gen.UpdateContentTagRequestObject) (gen.UpdateContentTagResponseObject, error) {
	t, err := h.contentTags.Update(ctx, auth.From(ctx), r.ContentTagID, (*string)(r.Body.ContentTag.Name))
	return gen.UpdateContentTag200JSONResponse{ContentTag: contentTagJSON(t)}, err
}

func (h audienceHandlers) DeleteContentTag(ctx context.Context, r gen.DeleteContentTagRequestObject) (gen.DeleteContentTagResponseObject, error) {
	return gen.DeleteContentTag204Response{}, h.contentTags.Delete(ctx, auth.From(ctx), r.ContentTagID)
}

func segmentChange(in gen.UserSegmentInput) segments.Change {
	return segments.Change{
		Name: (*string)(in.Name), UserType: (*string)(in.UserType), GroupIDs: in.GroupIds.Int64s(), OrganizationIDs: in.OrganizationIds.Int64s(),
		Tags: in.Tags, OrTags: in.OrTags, AddedUserIDs: in.AddedUserIds.Int64s(),
	}
}

func userSegmentJSON(s models.UserSegment) gen.UserSegment {
	return gen.UserSegment{
		ID: s.ID, Name: s.Name, UserType: gen.UserSegmentType(s.UserType), GroupIds: list(s.GroupIDs), OrganizationIds: list(s.OrganizationIDs),
		Tags: list(s.Tags), OrTags: list(s.OrTags), AddedUserIds: list(s.AddedUserIDs), BuiltIn: s.BuiltIn,
		CreatedAt: wire.Time(s.CreatedAt), UpdatedAt: wire.Time(s.UpdatedAt),
	}
}

func permissionChange(in gen.PermissionGroupInput) segments.PermissionChange {
	return segments.PermissionChange{Name: (*string)(in.Name), Edit: in.Edit.Int64s(), Publish: in.Publish.Int64s()}
}

func permissionGroupJSON(g models.PermissionGroup) gen.PermissionGroup {
	return gen.PermissionGroup{
		ID: g.ID, Name: g.Name, Edit: list(g.EditIDs), Publish: list(g.PublishIDs), BuiltIn: g.BuiltIn,
		CreatedAt: wire.Time(g.CreatedAt), UpdatedAt: wire.Time(g.UpdatedAt),
	}
}

func contentTagJSON(t models.ContentTag) gen.ContentTag {
	return gen.ContentTag{ID: t.ID, Name: t.Name, CreatedAt: millis(t.CreatedAt), UpdatedAt: millis(t.UpdatedAt)}
}

// millis is a time as content tags have it.
func millis(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
