package api

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui"
	docs "github.com/swaggest/swgui/v5emb"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/gen"
)

// Pages are what is served beside the API: probes, metrics, the contract and
// its documentation.
type Pages struct {
	// Ready fails, in words for whoever asks, while requests should go to
	// another process; nil is always ready.
	Ready   func(ctx context.Context) error
	Metrics http.Handler // nil: none
}

// Probes serves the probes and metrics alone, for a port of their own.
func Probes(p Pages) http.Handler {
	e := echo.New()
	p.probes(e)
	return e
}

func (p Pages) register(e *echo.Echo) {
	p.probes(e)
	r := headToo{e}
	r.GET("/", index)
	r.GET("/openapi.yaml", contract("application/yaml; charset=utf-8", gen.SpecYAML))
	r.GET("/openapi.json", contract("application/json; charset=utf-8", gen.SpecJSON))
	reference := documentation()
	r.GET("/docs", reference)
	r.GET("/docs/*", reference)
}

func (p Pages) probes(e *echo.Echo) {
	r := headToo{e}
	// Alive is whoever answers.
	r.GET("/healthz", func(c echo.Context) error {
		return c.JSON(http.StatusOK, probe{Status: "ok"})
	})
	r.GET("/readyz", p.readyz)
	if p.Metrics != nil {
		r.GET("/metrics", echo.WrapHandler(p.Metrics))
	}
}

type probe struct {
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

func (p Pages) readyz(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	if p.Ready != nil {
		if err := p.Ready(c.Request().Context()); err != nil {
			return c.JSON(http.StatusServiceUnavailable, probe{Status: "unavailable", Reason: err.Error()})
		}
	}
	return c.JSON(http.StatusOK, probe{Status: "ready"})
}

// index says where things are to whoever opens the address of the server.
func index(c echo.Context) error {
	base := edge.BaseURL(c.Request().Context())
	return c.JSON(http.StatusOK, struct {
		Name    string `json:"name"`
		API     string `json:"api_url"`
		Docs    string `json:"docs_url"`
		OpenAPI string `json:"openapi_url"`
	}{"helpd", base + "/api/v2", base + "/docs", base + "/openapi.yaml"})
}

func contract(contentType string, spec []byte) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-cache")
		return c.Blob(http.StatusOK, contentType, spec)
	}
}

// documentationPolicy lets the documentation page load from this server alone;
// it has inline scripts and styles of its own.
const documentationPolicy = "default-src 'none'; connect-src 'self'; font-src 'self'; img-src 'self' data:; " +
	"script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// documentation is Swagger UI on /openapi.json, from assets in the program.
func documentation() echo.HandlerFunc {
	h := docs.NewHandlerWithConfig(swgui.Config{
		Title: "helpd", SwaggerJSON: "/openapi.json", BasePath: "/docs",
		SettingsUI: map[string]string{
			"docExpansion":         `"none"`, // hundreds of operations
			"filter":               "true",
			"tryItOutEnabled":      "true",
			"persistAuthorization": "true",
			"showExtensions":       "false",
		},
	})
	return func(c echo.Context) error {
		c.Response().Header().Set("Content-Security-Policy", documentationPolicy)
		h.ServeHTTP(c.Response(), c.Request())
		return nil
	}
}

// headToo is a router on which every GET also answers HEAD.
type headToo struct{ *echo.Echo }

// GET registers h for both methods; net/http leaves the body of a HEAD out.
func (r headToo) GET(path string, h echo.HandlerFunc, m ...echo.MiddlewareFunc) *echo.Route {
	r.Echo.HEAD(path, h, m...)
	return r.Echo.GET(path, h, m...)
}
