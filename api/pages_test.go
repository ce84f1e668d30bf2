package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/helpd/helpd/api"
)

func TestProbes(t *testing.T) {
	t.Parallel()
	var trouble error
	a := newAPI(t, func(o *api.Options) {
		o.Pages.Ready = func(context.Context) error { return trouble }
	}).anonymous()
	a.do("GET", "/healthz", "").want(200).wantJSON(`{"status":"ok"}`)
	a.do("GET", "/readyz", "").want(200).wantJSON(`{"status":"ready"}`)
	trouble = errors.New("shutting down")
	a.do("GET", "/healthz", "").want(200)
	a.do("GET", "/readyz", "").want(503).wantJSON(`{"status":"unavailable","reason":"shutting down"}`)
}

func TestMetricsAreServedWhereTheyAreOn(t *testing.T) {
	t.Parallel()
	newAPI(t).do("GET", "/metrics", "").wantError(404, "InvalidEndpoint")
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("up 1\n")) })
	a := newAPI(t, func(o *api.Options) { o.Pages.Metrics = metrics })
	if res := a.do("GET", "/metrics", "").want(200); string(res.body) != "up 1\n" {
		t.Errorf("metrics: %s", res.body)
	}
	w := httptest.NewRecorder()
	api.Probes(api.Pages{Metrics: metrics}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || w.Body.String() != "up 1\n" {
		t.Errorf("metrics apart: %d: %s", w.Code, w.Body)
	}
}

func TestIndexLeadsToTheDocumentation(t *testing.T) {
	t.Parallel()
	newAPI(t).anonymous().with("X-Test-Host", "help.example.com:8443").do("GET", "/", "").want(200).wantJSON(`{"name":"helpd",
		"api_url":"http://help.example.com:8443/api/v2", "docs_url":"http://help.example.com:8443/docs",
		"openapi_url":"http://help.example.com:8443/openapi.yaml"}`)
}

func TestContractIsServedAsItIs(t *testing.T) {
	t.Parallel()
	a := newAPI(t).anonymous()
	want, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	res := a.do("GET", "/openapi.yaml", "").want(200)
	if string(res.body) != string(want) || res.header.Get("Content-Type") != "application/yaml; charset=utf-8" {
		t.Errorf("openapi.yaml is served as %s and other than in the repository", res.header.Get("Content-Type"))
	}
	doc, err := openapi3.NewLoader().LoadFromData(want)
	if err != nil {
		t.Fatal(err)
	}
	inJSON, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := openapi3.NewLoader().LoadFromData(a.do("GET", "/openapi.json", "").want(200).body)
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(fromJSON)
	if err != nil {
		t.Fatal(err)
	}
	if canonical(t, again) != canonical(t, inJSON) {
		t.Error("openapi.json says other things than openapi.yaml")
	}
}

// The page must work on a machine without any network.
func TestDocumentationNeedsNoOtherHost(t *testing.T) {
	t.Parallel()
	a := newAPI(t).anonymous()
	page := a.do("GET", "/docs", "").want(200)
	policy := page.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || regexp.MustCompile(`https?:|\*`).MatchString(policy) {
		t.Errorf("the page may load from elsewhere: %s", policy)
	}
	loaded := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllSubmatch(page.body, -1)
	if len(loaded) < 4 {
		t.Fatalf("the page loads %q", loaded)
	}
	for _, l := range loaded {
		path := string(l[1])
		if !strings.HasPrefix(path, "/docs/") {
			t.Errorf("the page loads %s", path)
			continue
		}
		for _, encoding := range []string{"", "gzip"} {
			a.with("Accept-Encoding", encoding).do("GET", path, "").want(200)
		}
	}
	if !strings.Contains(string(page.body), `"swaggerJsonUrl":"/openapi.json"`) {
		t.Error("the page shows another document")
	}
	a.do("GET", "/docs/nothing.js", "").want(404)
}

func TestUnknownPathsAndMethodsAreAnsweredAsTheContractSays(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []struct{ method, path string }{
		{"GET", "/api/v2/nothing"}, {"GET", "/api/v2/nothing.json"}, {"POST", "/api/v2/nothing"},
		{"GET", "/api/v2"}, {"GET", "/api/v1/groups"}, {"GET", "/nothing"}, {"GET", "/favicon.ico"},
		{"PATCH", "/api/v2/groups"}, {"DELETE", "/api/v2/groups"}, {"TRACE", "/api/v2/groups"}, {"BREW", "/api/v2/groups"},
		{"POST", "/healthz"}, {"POST", "/"},
	} {
		a.do(tc.method, tc.path, "").want(404).wantJSON(`{"error":"InvalidEndpoint","description":"Not found"}`)
	}
}

func TestHeadAnswersAsGetWithoutTheBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newAPI(t).handler) // net/http leaves the body out
	defer server.Close()
	for path, status := range map[string]int{"/healthz": 200, "/openapi.yaml": 200, "/docs": 200, "/api/v2/groups.json": 401} {
		res, err := http.Head(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != status {
			t.Errorf("HEAD %s: status %d, want %d", path, res.StatusCode, status)
		}
	}
	newAPI(t).do("HEAD", "/api/v2/groups", "").want(200)
}

func TestOptionsTellTheMethods(t *testing.T) {
	t.Parallel()
	res := newAPI(t).do("OPTIONS", "/api/v2/groups", "").want(204)
	if got := res.header.Get("Allow"); got != "OPTIONS, GET, HEAD, POST" {
		t.Errorf("Allow: %s", got)
	}
}

// What the original called exports of tickets is nothing that we have.
func TestObsoleteExportsDoNotExist(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, path := range []string{"/api/v2/exports/tickets", "/api/v2/exports/tickets.json?start_time=0", "/api/v2/exports/tickets/sample.json"} {
		a.get(path).want(404).wantJSON(`{"error":"InvalidEndpoint","description":"Not found"}`)
	}
}
