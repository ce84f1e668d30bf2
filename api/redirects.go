package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

// redirects has what would be no page lead to where an article is now: its old
// addresses. To those who may not see the article they stay unknown.
func (h helpCenterHandlers) redirects(e *echo.Echo, who authenticator) {
	e.RouteNotFound("/*", func(c echo.Context) error {
		r := c.Request()
		if r.Method != http.MethodGet && r.Method != http.MethodHead || strings.HasPrefix(r.URL.Path, "/api/") || wire.CheckString(r.URL.Path) != nil {
			return echo.ErrNotFound
		}
		actor, err := who.actor(r.Context(), c)
		if err != nil {
			return echo.ErrNotFound
		}
		a, err := h.help.Redirected(auth.With(r.Context(), actor), actor, r.URL.Path)
		if fault.Is(err, fault.NotFound) {
			return echo.ErrNotFound
		}
		if err != nil {
			return err
		}
		to := pageURL(edge.BaseURL(r.Context()), a.Text.Locale, "articles", a.ID, a.Text.Title)
		if at, err := url.Parse(to); err != nil || at.Path == r.URL.Path {
			return echo.ErrNotFound // it would lead to itself
		}
		// Who may see an article changes, and so does its title.
		c.Response().Header().Set("Cache-Control", "no-cache")
		return c.Redirect(http.StatusMovedPermanently, to)
	})
}

func (h helpCenterHandlers) ListRedirects(ctx context.Context, r gen.ListRedirectsRequestObject) (gen.ListRedirectsResponseObject, error) {
	l, err := helpListOf(ctx, "redirects", func(p page.Request) (page.Result[models.Redirect], error) {
		return h.help.ListRedirects(ctx, auth.From(ctx), int64(or(r.Params.ArticleID, 0)), p)
	}, redirectJSON)
	return gen.ListRedirects200JSONResponse{Listing: l}, err
}

func (h helpCenterHandlers) CreateRedirect(ctx context.Context, r gen.CreateRedirectRequestObject) (gen.CreateRedirectResponseObject, error) {
	in := r.Body.Redirect
	out, err := h.help.CreateRedirect(ctx, auth.From(ctx), string(or(in.Path, "")), int64(or(in.ArticleID, 0)))
	return gen.CreateRedirect201JSONResponse{
		Headers: gen.CreateRedirect201ResponseHeaders{Location: link(ctx, "help_center/redirects", out.ID)},
		Body:    gen.RedirectEnvelope{Redirect: redirectJSON(out)},
	}, err
}

func (h helpCenterHandlers) ShowRedirect(ctx context.Context, r gen.ShowRedirectRequestObject) (gen.ShowRedirectResponseObject, error) {
	out, err := h.help.Redirect(ctx, auth.From(ctx), int64(r.RedirectID))
	return gen.ShowRedirect200JSONResponse{Redirect: redirectJSON(out)}, err
}

func (h helpCenterHandlers) DeleteRedirect(ctx context.Context, r gen.DeleteRedirectRequestObject) (gen.DeleteRedirectResponseObject, error) {
	return gen.DeleteRedirect204Response{}, h.help.DeleteRedirect(ctx, auth.From(ctx), int64(r.RedirectID))
}

func redirectJSON(r models.Redirect) gen.Redirect {
	return gen.Redirect{ID: r.ID, Path: r.Path, ArticleID: r.ArticleID, CreatedAt: wire.Time(r.CreatedAt)}
}
