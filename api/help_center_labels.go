package api

import (
	"context"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
)

const labelsPath = "help_center/articles/labels"

func labelJSON(ctx context.Context, l models.Label) gen.Label {
	return gen.Label{ID: l.ID, URL: link(ctx, labelsPath, l.ID), Name: l.Name, CreatedAt: wire.Time(l.CreatedAt), UpdatedAt: wire.Time(l.UpdatedAt)}
}

func (h helpCenterHandlers) ListAllArticleLabels(ctx context.Context, r gen.ListAllArticleLabelsRequestObject) (gen.ListAllArticleLabelsResponseObject, error) {
	l, err := labelList(ctx, func(p page.Request) (page.Result[models.Label], error) {
		return h.help.Labels(ctx, auth.From(ctx), or(r.Params.Prefix, ""), p)
	})
	return gen.ListAllArticleLabels200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) ListArticleLabels(ctx context.Context, r gen.ListArticleLabelsRequestObject) (gen.ListArticleLabelsResponseObject, error) {
	l, err := labelList(ctx, func(p page.Request) (page.Result[models.Label], error) {
		return h.help.LabelsOf(ctx, auth.From(ctx), int64(r.ArticleID), p)
	})
	return gen.ListArticleLabels200JSONResponse{Listing: l}, err
}

func labelList(ctx context.Context, list func(page.Request) (page.Result[models.Label], error)) (wire.Listing, error) {
	return helpListOf(ctx, "labels", list, func(l models.Label) gen.Label { return labelJSON(ctx, l) })
}

func (h helpCenterHandlers) ShowLabel(ctx context.Context, r gen.ShowLabelRequestObject) (gen.ShowLabelResponseObject, error) {
	l, err := h.help.Label(ctx, auth.From(ctx), int64(r.LabelID))
	return gen.ShowLabel200JSONResponse{Label: labelJSON(ctx, l)}, err
}

func (h helpCenterHandlers) CreateArticleLabel(ctx context.Context, r gen.CreateArticleLabelRequestObject) (gen.CreateArticleLabelResponseObject, error) {
	l, err := h.help.AddLabel(ctx, auth.From(ctx), int64(r.ArticleID), string(or(r.Body.Label.Name, "")))
	out := labelJSON(ctx, l)
	return gen.CreateArticleLabel201JSONResponse{
		Headers: gen.CreateArticleLabel201ResponseHeaders{Location: out.URL}, Body: gen.LabelEnvelope{Label: out},
	}, err
}

func (h helpCenterHandlers) DeleteArticleLabel(ctx context.Context, r gen.DeleteArticleLabelRequestObject) (gen.DeleteArticleLabelResponseObject, error) {
	return gen.DeleteArticleLabel204Response{}, h.help.RemoveLabel(ctx, auth.From(ctx), int64(r.ArticleID), int64(r.LabelID))
}

func (h helpCenterHandlers) DeleteLabel(ctx context.Context, r gen.DeleteLabelRequestObject) (gen.DeleteLabelResponseObject, error) {
	return gen.DeleteLabel204Response{}, h.help.DeleteLabel(ctx, auth.From(ctx), int64(r.LabelID))
}
