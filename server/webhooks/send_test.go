package webhooks

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
)

var theClock = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// local are the addresses of test servers.
var local = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func sender(allow ...netip.Prefix) *Service {
	return New(nil, func() time.Time { return theClock }, Options{Allow: allow})
}

// receiver is an endpoint. It returns its address.
func receiver(t *testing.T, f http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s.URL
}

func TestRequestsAreSignedBothWays(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) { got <- r })
	w := models.Webhook{
		AccountID: 77, ID: "01W", Endpoint: url, HTTPMethod: "POST", RequestFormat: "json", Secret: base64.StdEncoding.EncodeToString([]byte("new")),
		EarlierSecrets: models.ToJSON([]EarlierSecret{{base64.StdEncoding.EncodeToString([]byte("old")), theClock.Add(time.Second)}, {"older", theClock}}),
		AuthType:       new(models.AuthBasic), AuthData: models.ToJSON(Credentials{Username: new("ana"), Password: new("hush")}), CustomHeaders: models.JSON(`{"X-One":"1"}`),
	}
	s := sender(local...)
	o := s.request(&w)
	o.invocation, o.message, o.payload = "01I", "01M", `{"a":"ü"}`
	done := s.send(context.Background(), o, theClock)
	if done.Status != StatusSuccess || done.StatusCode != 200 {
		t.Fatalf("%+v", done)
	}
	r := <-got
	for name, want := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "User-Agent": "Zendesk Webhook", "X-One": "1", "Authorization": "Basic YW5hOmh1c2g=",
		"X-Zendesk-Account-Id": "77", "X-Zendesk-Webhook-Id": "01W", "X-Zendesk-Webhook-Invocation-Id": "01I",
		"X-Zendesk-Webhook-Signature-Timestamp": "2026-03-04T05:06:07Z",
		// printf '2026-03-04T05:06:07Z{"a":"ü"}' | openssl dgst -sha256 -hmac bmV3 -binary | base64
		"X-Zendesk-Webhook-Signature": "RGfloqFbvCSEPn1huSAg0mcmfq/ho9PrCGYoPxkRvik=",
		"Webhook-Id":                  "01M", "Webhook-Timestamp": "1772600767",
		// printf '01M.1772600767.{"a":"ü"}' | openssl dgst -sha256 -hmac new -binary | base64, and the same with old
		"Webhook-Signature": "v1,B1XFNr+9xO+HzVguk1HERNDy1yY2oYb9N4EW7QOgfdY= v1,cwyVZqE7a0hff6cEyomNWvCb9MiEMPy4djqm57L45Z0=",
	} {
		if have := r.Header.Get(name); have != want {
			t.Errorf("%s: %q, want %q", name, have, want)
		}
	}
	for _, h := range done.Sent {
		if strings.Contains(h.Value, "YW5h") {
			t.Errorf("%s is kept as %s", h.Key, h.Value)
		}
	}
	if all := secrets(&w, theClock.Add(time.Second)); len(all) != 1 || all[0] != w.Secret {
		t.Errorf("a day after the rotation there are %d secrets", len(all))
	}
}

func TestEmptyBodiesAreSignedAsTheTimeAlone(t *testing.T) {
	t.Parallel()
	// printf '2026-03-04T05:06:07Z' | openssl dgst -sha256 -hmac dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ== -binary | base64
	const want = "lMVu6u6IlLigVNKVqCYPkTFj1XqLGqBrndfyzIn+nP0="
	if got := zendeskSignature(TestSecret, "2026-03-04T05:06:07Z", ""); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	url := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/200", http.StatusFound)
		case "/large":
			_, _ = w.Write([]byte(strings.Repeat("x", maxResponse+1000)))
		case "/binary":
			_, _ = w.Write([]byte("a\x00b\xff"))
		case "/hangup":
			panic(http.ErrAbortHandler)
		case "/429":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(429)
		default:
			var code int
			for _, c := range r.URL.Path[1:] {
				code = code*10 + int(c-'0')
			}
			w.WriteHeader(code)
		}
	})
	s := sender(local...)
	try := func(endpoint string) Outcome {
		return s.send(context.Background(), outgoing{method: "POST", endpoint: endpoint, format: "json", secrets: []string{TestSecret}}, theClock)
	}
	for path, want := range map[string]Outcome{
		"/200": {Status: StatusSuccess, StatusCode: 200}, "/204": {Status: StatusSuccess, StatusCode: 204}, "/redirect": {Status: StatusFailed, StatusCode: 302},
		"/400": {Status: StatusTerminated, StatusCode: 400}, "/403": {Status: StatusTerminated, StatusCode: 403}, "/409": {Status: StatusFailed, StatusCode: 409},
		"/429": {Status: StatusThrottled, StatusCode: 429, After: "7"}, "/500": {Status: StatusFailed, StatusCode: 500},
		"/large":  {Status: StatusSuccess, StatusCode: 200, Payload: strings.Repeat("x", maxResponse)},
		"/binary": {Status: StatusSuccess, StatusCode: 200, Payload: "a\uFFFDb\uFFFD"},
		"/hangup": {Status: StatusFailed, Error: "EOF"},
	} {
		got := try(url + path)
		if got.Status != want.Status || got.StatusCode != want.StatusCode || got.After != want.After || got.Error != want.Error || path != "/redirect" && got.Payload != want.Payload {
			t.Errorf("%s: %+v", path, got)
		}
	}
	if got := try("http://hooks.invalid/"); got.Status != StatusFailed || got.Error != "there is no host hooks.invalid" {
		t.Errorf("no host: %+v", got)
	}
}

func TestNoAnswerIsATimeout(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	url := receiver(t, func(http.ResponseWriter, *http.Request) { <-hold })
	defer close(hold)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	got := sender(local...).send(ctx, outgoing{method: "POST", endpoint: url, format: "json", secrets: []string{TestSecret}}, theClock)
	if got.Status != StatusTimeout || got.Error != "no answer within 10 seconds" {
		t.Errorf("%+v", got)
	}
}

// A name may lead anywhere, and elsewhere the next time: what counts is the
// address that is dialled.
func TestPrivateAddressesAreNotDialled(t *testing.T) {
	t.Parallel()
	asked := false
	url := receiver(t, func(http.ResponseWriter, *http.Request) { asked = true })
	for _, endpoint := range []string{url, strings.Replace(url, "127.0.0.1", "localhost", 1)} {
		got := sender().send(context.Background(), outgoing{method: "POST", endpoint: endpoint, format: "json", secrets: []string{TestSecret}}, theClock)
		if got.Status != StatusRejected || got.StatusCode != 0 || !strings.Contains(got.Error, "HELPD_WEBHOOK_ALLOW") {
			t.Errorf("%s: %+v", endpoint, got)
		}
	}
	if asked {
		t.Error("the endpoint was reached")
	}
	g := guard{}
	for address, want := range map[string]bool{
		"127.0.0.1:80": false, "[::1]:80": false, "[::ffff:10.0.0.1]:80": false, "[fe80::1%eth0]:80": false, "169.254.169.254:80": false, "0.0.0.0:80": false,
		"[64:ff9b::1]:80": false, "100.127.255.255:80": false, "198.19.0.1:80": false, "203.0.113.1:80": false, "240.0.0.1:80": false,
		"8.8.8.8:80": true, "[2606:4700::1]:80": true, "100.128.0.1:80": true, "198.20.0.1:80": true,
	} {
		if err := g.control("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
	if !(guard{local}).allows(netip.MustParseAddr("::ffff:127.0.0.1")) {
		t.Error("an allowed address is refused in its other form")
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	params, err := pairs([]byte(`[["a","b c"],["d&","é"],["a",""]]`))
	if err != nil {
		t.Fatal(err)
	}
	for endpoint, want := range map[string]string{
		"http://x/":     "http://x/?a=b+c&d%26=%C3%A9&a=",
		"http://x/?q=1": "http://x/?q=1&a=b+c&d%26=%C3%A9&a=",
		"http://x/#end": "http://x/?a=b+c&d%26=%C3%A9&a=",
	} {
		if got := withQuery(endpoint, params); got != want {
			t.Errorf("%s: %s, want %s", endpoint, got, want)
		}
	}
	for _, bad := range []string{``, `{}`, `["a"]`, `[["a"]]`, `[["","b"]]`, `[[1,2]]`, `[["a","b","c"]]`} {
		if _, err := pairs([]byte(bad)); err == nil {
			t.Errorf("%s are no parameters", bad)
		}
	}
}
