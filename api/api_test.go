package api_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/prometheus/client_golang/prometheus"
	"gorm.io/gorm"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/automations"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/helpcenter"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

// theClock stands still in every API test, so that whole answers can be compared.
var theClock = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

const clockText = "2026-03-04T05:06:07Z"

// anAPI is a server with a fresh account of its own. Tests run in parallel on
// one database; accounts keep them apart, as they keep customers apart.
type anAPI struct {
	t       *testing.T
	handler http.Handler
	db      *gorm.DB
	auth    *auth.Service
	account models.Account
	admin   models.User
	token   string // the account's API token
	header  http.Header
	files   string // the directory of the blob store
	now     *atomic.Pointer[time.Time]
	allow   []netip.Prefix    // that webhooks reach
	aliases map[string]string // canonical names of hosts that name servers know

	automations *automations.Service
	events      *events.Log
	helpCenter  *helpcenter.Service
}

var accountNumber atomic.Int64

// run tells this run's accounts from those that another left in the database.
var run = strings.ToLower(rand.Text()[:10])

func newAPI(t *testing.T, change ...func(*api.Options)) *anAPI {
	t.Helper()
	// Jobs are taken in and not worked; their own connections are never made.
	a, _ := buildAPI(t, testdb.Shared(t), "postgres://nowhere.invalid/", change...)
	return a
}

// newWorkingAPI is an API on a database of its own, whose jobs are worked.
// Before that starts, prepare may register more work.
func newWorkingAPI(t *testing.T, prepare func(api.Services)) *anAPI {
	t.Helper()
	dsn := testdb.DSN(t)
	a, services := buildAPI(t, testdb.Open(t, dsn), dsn)
	if prepare != nil {
		prepare(services)
	}
	if err := services.Jobs.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return a
}

func buildAPI(t *testing.T, db *gorm.DB, dsn string, change ...func(*api.Options)) (*anAPI, api.Services) {
	t.Helper()
	a := &anAPI{t: t, db: db, now: new(atomic.Pointer[time.Time]), header: http.Header{}, files: t.TempDir(), aliases: map[string]string{}}
	a.now.Store(&theClock)
	services := a.serve(dsn, change...)
	a.openAccount()
	return a, services
}

// serve makes the services that answer from now on.
func (a *anAPI) serve(dsn string, change ...func(*api.Options)) api.Services {
	a.t.Helper()
	now := func() time.Time { return *a.now.Load() }
	o := api.Options{
		Log: slog.New(slog.NewTextHandler(testLog{a.t}, &slog.HandlerOptions{Level: slog.LevelError})), Registry: prometheus.NewRegistry(),
		Now: now, Limits: edge.Limits{Account: 1 << 30, Anonymous: 1 << 30},
	}
	for _, f := range change {
		f(&o)
	}
	services, err := server.NewServices(testContext(a.t), a.db, dsn, server.ServiceOptions{Now: now, Log: o.Log, BlobURL: "file://" + a.files, WebhookAllow: a.allow, LookUp: a.lookUp})
	if err != nil {
		a.t.Fatal(err)
	}
	a.handler, a.auth, a.automations, a.events, a.helpCenter = api.New(services, o), services.Auth, services.Automations, services.Events, services.HelpCenter
	// The tests that have ended keep their clean-ups, and those must not keep all
	// that the services know.
	t, jobs := a.t, services.Jobs
	t.Cleanup(func() {
		if err := jobs.Stop(context.Background()); err != nil {
			t.Errorf("stop jobs: %v", err)
		}
		jobs = nil
	})
	return services
}

// lookUp answers as name servers that know a.aliases, and are broken for a host that
// is an alias of nothing.
func (a *anAPI) lookUp(_ context.Context, host string) (string, error) {
	name, ok := a.aliases[host]
	switch {
	case !ok:
		return "", &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	case name == "":
		return "", &net.DNSError{Err: "server misbehaving", Name: host}
	}
	return name, nil
}

// atHost is the same caller at another host.
func (a *anAPI) atHost(host string) *anAPI { return a.with("X-Test-Host", host) }

// restarted is the same account behind services that have just begun: another
// process on the same database.
func (a *anAPI) restarted() *anAPI {
	a.t.Helper()
	b := *a
	b.serve("postgres://nowhere.invalid/") // see newAPI
	return &b
}

// numbered has all that is committed numbered.
func (a *anAPI) numbered() {
	a.t.Helper()
	if _, err := a.events.Number(context.Background()); err != nil {
		a.t.Fatal(err)
	}
}

// loopback are the addresses of servers of tests.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// reachingLoopback is the same account, whose webhooks reach servers of tests.
func (a *anAPI) reachingLoopback() *anAPI {
	a.t.Helper()
	b := *a
	b.allow = loopback
	b.serve("postgres://nowhere.invalid/") // see newAPI
	return &b
}

// until asks again and again, for half a minute at most, until holds.
func (a *anAPI) until(what string, holds func() bool) {
	a.t.Helper()
	late := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-late:
			a.t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

// jobDone waits for the job that the answer tells of, and returns its status at
// the end.
func (r *result) jobDone(a *anAPI) *result {
	r.t.Helper()
	path := "/api/v2/job_statuses/" + r.member("job_status", "id").(string)
	var status *result
	a.until("end of the job", func() bool {
		status = a.get(path).want(200)
		state := status.member("job_status", "status")
		return state != "queued" && state != "working"
	})
	return status
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	return ctx
}

func (a *anAPI) openAccount() {
	a.t.Helper()
	a.openAccountWith(accounts.New{})
}

func (a *anAPI) openAccountWith(n accounts.New) {
	a.t.Helper()
	name := fmt.Sprintf("acme%s-%d", run, accountNumber.Add(1))
	n.Subdomain, n.Name, n.AdminName, n.AdminEmail = name, "Acme", "Ada Admin", "admin@"+name+".example"
	var err error
	a.account, a.admin, err = accounts.Create(context.Background(), a.db, theClock, n)
	if err != nil {
		a.t.Fatal(err)
	}
	_, a.token, err = a.auth.NewAPIToken(context.Background(), a.account.ID, "test", "")
	if err != nil {
		a.t.Fatal(err)
	}
	a.signIn(*a.admin.Email)
}

// another is a second account behind the same server.
func (a *anAPI) another() *anAPI {
	a.t.Helper()
	b := *a
	b.header = http.Header{}
	b.openAccount()
	return &b
}

// withRules is a second account that has the rules of a fresh one.
func (a *anAPI) withRules() *anAPI {
	a.t.Helper()
	b := *a
	b.header = http.Header{}
	b.openAccountWith(accounts.New{Rules: true})
	return &b
}

// ctx is a context of the account, for looking into the database.
func (a *anAPI) ctx() context.Context {
	return postgres.WithAccount(context.Background(), a.account.ID)
}

func (a *anAPI) signIn(email string) {
	r := &http.Request{Header: a.header}
	r.SetBasicAuth(email+"/token", a.token)
}

// as is the same server seen by another user of the account.
func (a *anAPI) as(email string) *anAPI {
	b := *a
	b.header = http.Header{}
	b.signIn(email)
	return &b
}

// withPassword is the same server seen by a user who sends a password, at the
// host of the account.
func (a *anAPI) withPassword(email, password string) *anAPI {
	b := a.anonymous()
	r := &http.Request{Header: b.header}
	r.SetBasicAuth(email, password)
	return b
}

// anonymous is the same server seen by nobody in particular, at the host of
// the account.
func (a *anAPI) anonymous() *anAPI {
	b := *a
	b.header = http.Header{"X-Test-Host": {a.account.Subdomain + ".example.com"}}
	return &b
}

// user makes a user of the account through the API.
func (a *anAPI) user(name, email, role string) int64 {
	a.t.Helper()
	body := fmt.Sprintf(`{"user":{"name":%q,"email":%q,"role":%q,"verified":true}}`, name, email, role)
	return a.post("/api/v2/users", body).want(201).id("user")
}

// email is an address that no other test uses.
func (a *anAPI) email(local string) string { return local + "@" + a.account.Subdomain + ".example" }

func (a *anAPI) get(path string) *result        { a.t.Helper(); return a.do("GET", path, "") }
func (a *anAPI) post(path, body string) *result { a.t.Helper(); return a.do("POST", path, body) }
func (a *anAPI) put(path, body string) *result  { a.t.Helper(); return a.do("PUT", path, body) }
func (a *anAPI) delete(path string) *result     { a.t.Helper(); return a.do("DELETE", path, "") }
func (a *anAPI) with(name, value string) *anAPI {
	b := *a
	b.header = a.header.Clone()
	b.header.Set(name, value)
	return &b
}

func (a *anAPI) do(method, path, body string) *result {
	a.t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, "http://helpd.test"+path, reader)
	r.Header = a.header.Clone()
	if host := r.Header.Get("X-Test-Host"); host != "" {
		r.Host = host
		r.Header.Del("X-Test-Host")
	}
	if body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	ctx, hangUp := context.WithCancel(r.Context())
	defer hangUp()
	a.handler.ServeHTTP(impatient{w, hangUp}, r.WithContext(ctx))
	res := &result{t: a.t, method: method, path: path, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
	res.checkAgainstSpec(r)
	return res
}

// impatient takes an answer and hangs up when the first part of a stream has come.
type impatient struct {
	*httptest.ResponseRecorder
	hangUp func()
}

func (i impatient) Flush() {
	i.ResponseRecorder.Flush()
	if strings.HasPrefix(i.Header().Get("Content-Type"), "text/event-stream") {
		i.hangUp()
	}
}

// result is an answer, already checked against openapi.yaml.
type result struct {
	t            *testing.T
	method, path string
	status       int
	header       http.Header
	body         []byte
	decoded      any // of body, once asked for
}

func (r *result) want(status int) *result {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("%s %s: status %d, want %d: %.2000s", r.method, r.path, r.status, status, r.body)
	}
	if status >= 500 {
		return r
	}
	return r
}

// json decodes the answer into what into points to.
func (r *result) json(into any) *result {
	r.t.Helper()
	if err := json.Unmarshal(r.body, into); err != nil {
		r.t.Fatalf("%s %s: %v: %.2000s", r.method, r.path, err, r.body)
	}
	return r
}

// member is the decoded value at a path of member names and indexes:
// member("ticket", "tags", 0).
func (r *result) member(path ...any) any {
	r.t.Helper()
	if r.decoded == nil {
		d := json.NewDecoder(bytes.NewReader(r.body))
		d.UseNumber()
		if err := d.Decode(&r.decoded); err != nil {
			r.t.Fatalf("%s %s: %v: %.2000s", r.method, r.path, err, r.body)
		}
	}
	v := r.decoded
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, ok := v.(map[string]any)
			if !ok {
				r.t.Fatalf("%s %s: no object at %v of %v: %.2000s", r.method, r.path, step, path, r.body)
			}
			if v, ok = object[step]; !ok {
				r.t.Fatalf("%s %s: no member %v of %v: %.2000s", r.method, r.path, step, path, r.body)
			}
		case int:
			list, ok := v.([]any)
			if !ok || step >= len(list) {
				r.t.Fatalf("%s %s: no element %d of %v: %.2000s", r.method, r.path, step, path, r.body)
			}
			v = list[step]
		}
	}
	return v
}

// count is how many elements the list under key has.
func (r *result) count(key string) int {
	r.t.Helper()
	var envelope map[string]json.RawMessage
	r.json(&envelope)
	var list []json.RawMessage
	if err := json.Unmarshal(envelope[key], &list); err != nil || list == nil {
		r.t.Fatalf("%s %s: %s: no list (%v): %.2000s", r.method, r.path, key, err, r.body)
	}
	return len(list)
}

// id is the id of the record under key.
func (r *result) id(key string) int64 {
	r.t.Helper()
	n, ok := r.member(key, "id").(json.Number)
	if !ok {
		r.t.Fatalf("%s %s: %s has no numeric id: %.500s", r.method, r.path, key, r.body)
	}
	id, err := n.Int64()
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// ids are the ids of the records in the list under key, in order.
func (r *result) ids(key string) []int64 {
	r.t.Helper()
	var envelope map[string]json.RawMessage
	r.json(&envelope)
	var records []struct{ ID int64 }
	if err := json.Unmarshal(envelope[key], &records); err != nil {
		r.t.Fatalf("%s %s: %s: %v: %.2000s", r.method, r.path, key, err, r.body)
	}
	ids := make([]int64, len(records))
	for i, rec := range records {
		ids[i] = rec.ID
	}
	return ids
}

// wantJSON compares the whole answer with a JSON text, member by member.
func (r *result) wantJSON(format string, args ...any) *result {
	r.t.Helper()
	want := fmt.Sprintf(format, args...)
	if g, w := canonical(r.t, r.body), canonical(r.t, []byte(want)); g != w {
		r.t.Errorf("%s %s:\n got %s\nwant %s", r.method, r.path, g, w)
	}
	return r
}

// wantError checks the kind of an error and, for a 422, that the field is named
// with this text.
func (r *result) wantError(status int, kind string) *result {
	r.t.Helper()
	r.want(status)
	if got := r.member("error"); got != kind {
		r.t.Errorf("%s %s: error %v, want %s: %s", r.method, r.path, got, kind, r.body)
	}
	return r
}

func (r *result) wantDetail(field, description string) *result {
	r.t.Helper()
	r.wantError(422, "RecordInvalid")
	if got := r.member("details", field, 0, "description"); got != description {
		r.t.Errorf("%s %s: %s: %q, want %q", r.method, r.path, field, got, description)
	}
	return r
}

// wantForbidden checks the body that clients compare word for word.
func (r *result) wantForbidden() *result {
	r.t.Helper()
	return r.want(403).wantJSON(`{"error":{"title":"Forbidden","message":"Access to this resource is restricted. Please contact the account administrator for assistance."}}`)
}

func (r *result) wantMissing() *result {
	r.t.Helper()
	if strings.HasPrefix(r.path, categoriesPath) { // whose errors are told as a list, too
		return r.want(404).wantJSON(`{"error":"RecordNotFound","description":"Not found","errors":[{"code":"RecordNotFound","title":%q}]}`, r.member("errors", 0, "title"))
	}
	if strings.HasPrefix(r.path, "/api/v2/guide/") { // which says nothing
		if r.want(404); len(r.body) > 0 {
			r.t.Errorf("%s %s: %s", r.method, r.path, r.body)
		}
		return r
	}
	return r.want(404).wantJSON(`{"error":"RecordNotFound","description":"Not found"}`)
}

func canonical(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %.2000s", err, b)
	}
	out, _ := json.Marshal(v)
	return string(out)
}

var specRouter = sync.OnceValues(func() (routers.Router, error) {
	spec, err := theSpec()
	if err != nil {
		return nil, err
	}
	doc := *spec
	doc.Servers = nil
	openapi3filter.RegisterBodyDecoder("application/atom+xml", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.FileBodyDecoder)
	return legacy.NewRouter(&doc)
})

// checkAgainstSpec holds an answer against openapi.yaml: a null where [] is
// due, a missing or an undeclared status.
func (r *result) checkAgainstSpec(req *http.Request) {
	r.t.Helper()
	if r.status == 404 && strings.Contains(string(r.body), "InvalidEndpoint") || r.status == 429 || r.status == 413 {
		return
	}
	router, err := specRouter()
	if err != nil {
		r.t.Fatal(err)
	}
	plain := req.Clone(req.Context())
	plain.URL.Path = strings.TrimSuffix(plain.URL.Path, ".json")
	plain.URL.Host, plain.URL.Scheme = "", ""
	route, params, err := router.FindRoute(plain)
	if err != nil {
		return // a path outside the spec, such as /docs
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: plain, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
		},
		Status: r.status, Header: r.header,
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	}
	input.SetBodyBytes(r.body)
	seen := r.fingerprint(route)
	if _, again := fitting.Load(seen); again {
		return
	}
	if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
		r.t.Errorf("%s %s: the answer is not as openapi.yaml says: %v\n%.1000s", r.method, r.path, err, r.body)
		return
	}
	fitting.Store(seen, nil)
}

// fitting are the fingerprints of answers that were as openapi.yaml says. The
// same answer comes many times, and checking one is slow.
var fitting sync.Map

// fingerprint is that of all that openapi.yaml speaks of.
func (r *result) fingerprint(route *routers.Route) [sha256.Size]byte {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s %s %d %q\n", route.Method, route.Path, r.status, r.header.Values("Content-Type"))
	if response := route.Operation.Responses.Status(r.status); response != nil && response.Value != nil {
		for _, name := range slices.Sorted(maps.Keys(response.Value.Headers)) {
			fmt.Fprintf(sum, "%s %q\n", name, r.header.Values(name))
		}
	}
	sum.Write(r.body)
	return [sha256.Size]byte(sum.Sum(nil))
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Helper()
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}
