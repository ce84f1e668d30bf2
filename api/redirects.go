package api

import (
	"cmp"
	"context"
	"errors"
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
	otherwise := e.HTTPErrorHandler
	// A route for what has none would hide which methods those that there are have.
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		if errors.Is(err, echo.ErrNotFound) && !c.Response().Committed {
			to, failed := h.redirected(c, who)
			if to != "" {
				// Who may see an article changes, and so does its title.
				c.Response().Header().Set("Cache-Control", "no-cache")
				failed = c.Redirect(http.StatusMovedPermanently, to)
			}
			if to != "" && failed == nil {
				return
			}
			err = cmp.Or(failed, err)
		}
		otherwise(err, c)
	}
}

// redirected is where a request leads to; empty if nowhere.
func (h helpCenterHandlers) redirected(c echo.Context, who authenticator) (string, error) {
	r := c.Request()
	if r.Method != http.MethodGet && r.Method != http.MethodHead || strings.HasPrefix(r.URL.Path, "/api/") || wire.CheckString(r.URL.Path) != nil {
		return "", nil
	}
	actor, err := who.caller(r.Context(), c)
	if err != nil {
		return "", nil
	}
	a, err := h.help.Redirected(auth.With(r.Context(), actor), actor, r.URL.Path)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return "", err
	}
	to := pageURL(edge.BaseURL(r.Context()), a.Text.Locale, "articles", a.ID, a.Text.Title)
	if at, err := url.Parse(to); err != nil || at.Path == r.URL.Path {
		return "", nil // it would lead to itself
	}
	return to, nil
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
