package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/rulebook"
)

func (h ruleHandlers) ListTriggerRevisions(ctx context.Context, r gen.ListTriggerRevisionsRequestObject) (gen.ListTriggerRevisionsResponseObject, error) {
	p, err := legacyPage(r.Params.Limit, maxLegacy, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	list, n, err := h.rules.Revisions(ctx, auth.From(ctx), int64(r.TriggerID), p)
	if err != nil {
		return nil, err
	}
	l := wire.Listing{Key: "trigger_revisions", Items: mapped(ctx, list, revisionJSON).Items, Count: &n}
	addLegacyPagingBack(ctx, &l, list)
	if includes(ctx, "users") {
		found, err := h.users.ByIDs(ctx, auth.From(ctx).AccountID, idsOf(list.Items, func(r rulebook.Revision) []int64 { return []int64{r.AuthorID} }))
		if err != nil {
			return nil, err
		}
		l.Add("users", each(found, func(u models.User) gen.User { return userJSON(ctx, u) }))
	}
	return gen.ListTriggerRevisions200JSONResponse{Listing: l}, nil
}

func (h ruleHandlers) TriggerRevision(ctx context.Context, r gen.TriggerRevisionRequestObject) (gen.TriggerRevisionResponseObject, error) {
	v, err := h.rules.Revision(ctx, auth.From(ctx), int64(r.TriggerID), int64(r.TriggerRevisionID))
	return gen.TriggerRevision200JSONResponse{TriggerRevision: revisionJSON(ctx, v)}, err
}

func revisionJSON(ctx context.Context, r rulebook.Revision) gen.TriggerRevision {
	return gen.TriggerRevision{
		ID: r.ID, URL: linkBelow(ctx, "triggers", r.TriggerID, "revisions", r.ID), AuthorID: r.AuthorID, CreatedAt: wire.Time(r.CreatedAt),
		Snapshot: wire.Raw(r.Snapshot), Diff: wire.Raw(models.ToJSON(r.Diff)),
	}
}
