package api_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// listening is the API behind a real listener.
func (a *anAPI) listening() string {
	a.t.Helper()
	s := httptest.NewServer(a.handler)
	a.t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// wire sends bytes as they are and reads one answer.
func (a *anAPI) wire(address, request string) *http.Response {
	a.t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		a.t.Fatal(err)
	}
	// The answer may come, and the connection close, before all is sent.
	go func() { _, _ = io.WriteString(conn, request) }()
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		a.t.Fatalf("%.200q: %v", request, err)
	}
	a.t.Cleanup(func() { _ = r.Body.Close() })
	return r
}

// What net/http lets through and clients of net/http cannot send.
func TestHostileBytesOnTheWire(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	address := a.listening()
	auth := "Authorization: " + a.header.Get("Authorization") + "\r\n"
	host := "Host: " + a.account.Subdomain + ".example.com\r\n"
	for name, request := range map[string]string{
		"method that does not exist": "BREW /api/v2/tickets HTTP/1.1\r\n" + host + auth + "\r\n",
		"method in small letters":    "get /api/v2/tickets HTTP/1.1\r\n" + host + auth + "\r\n",
		"TRACE":                      "TRACE /api/v2/tickets HTTP/1.1\r\n" + host + auth + "\r\n",
		"CONNECT":                    "CONNECT /api/v2/tickets HTTP/1.1\r\n" + host + auth + "\r\n",
		"asterisk":                   "OPTIONS * HTTP/1.1\r\n" + host + auth + "\r\n",
		"no host":                    "GET /api/v2/tickets HTTP/1.0\r\n" + auth + "\r\n",
		"host that is none":          "GET /api/v2/tickets HTTP/1.1\r\nHost: a b<script>\r\n" + auth + "\r\n",
		"broken escape":              "GET /api/v2/tickets/%zz HTTP/1.1\r\n" + host + auth + "\r\n",
		"broken escape in the query": "GET /api/v2/tickets?ids=%zz HTTP/1.1\r\n" + host + auth + "\r\n",
		"bytes above ASCII":          "GET /api/v2/tickets/\xff\xfe HTTP/1.1\r\n" + host + auth + "\r\n",
		"NUL in the path":            "GET /api/v2/tickets/%00 HTTP/1.1\r\n" + host + auth + "\r\n",
		"dots in the path":           "GET /api/v2/../../etc/passwd HTTP/1.1\r\n" + host + auth + "\r\n",
		"overlong URL":               "GET /api/v2/tickets?query=" + strings.Repeat("a", 200_000) + " HTTP/1.1\r\n" + host + auth + "\r\n",
		"overlong header":            "GET /api/v2/tickets HTTP/1.1\r\n" + host + auth + "X-A: " + strings.Repeat("a", 2<<20) + "\r\n\r\n",
		"two lengths":                "POST /api/v2/tickets HTTP/1.1\r\n" + host + auth + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
		"length and chunks":          "POST /api/v2/tickets HTTP/1.1\r\n" + host + auth + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"broken chunks":              "POST /api/v2/tickets HTTP/1.1\r\n" + host + auth + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
		"compressed body":            "POST /api/v2/tickets HTTP/1.1\r\n" + host + auth + "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
	} {
		t.Run(name, func(t *testing.T) {
			r := a.wire(address, request)
			if r.StatusCode >= 500 && r.StatusCode != http.StatusNotImplemented {
				t.Errorf("%s", r.Status)
			}
		})
	}
}

// A body over the limit is refused while it is sent, whatever it claims to be.
func TestLargeBodies(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	address := a.listening()
	large := `{"ticket":{"comment":{"body":"` + strings.Repeat("a", 10<<20) + `"}}}`
	for _, r := range []struct {
		path, kind string
		body       io.Reader
	}{
		{"/api/v2/tickets", "application/json", strings.NewReader(large)},
		{"/api/v2/tickets", "application/json", io.MultiReader(strings.NewReader(large))}, // chunked
		{"/api/v2/tickets.json", "text/plain", strings.NewReader(large)},
		{"/api/v2/users/create_many", "application/json", strings.NewReader(large)},
		{"/api/v2/tickets", "application/json", strings.NewReader(strings.Repeat("[", 10<<20))},
	} {
		req, err := http.NewRequest("POST", "http://"+address+r.path, r.body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = a.header.Clone()
		req.Header.Set("Content-Type", r.kind)
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var body struct{ Error string }
		if err := json.NewDecoder(answer.Body).Decode(&body); err != nil || answer.StatusCode != 413 || body.Error == "" {
			t.Errorf("%s: %s %+v %v", r.path, answer.Status, body, err)
		}
	}
	if n := a.get("/api/v2/tickets/count").want(200).member("count", "value"); fmt.Sprint(n) != "0" {
		t.Errorf("%v tickets were made", n)
	}
}

// Credentials that are none, in each form that there is.
func TestHostileCredentials(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	email := *a.admin.Email
	for _, authorization := range []string{
		"Basic", "Basic ", "Basic !!!", "Basic " + strings.Repeat("A", 100_000), "Bearer", "Bearer ", "Bearer \x00", "Bearer a b", "Bearer ..", "Bearer " + strings.Repeat("a.", 50_000),
		"Digest a=b", "Negotiate", "bearer", "Token " + a.token, a.token, "\xff\xfe", "Bearer \xff", "Bearer " + a.token,
		basic(""), basic(":"), basic("/token:"), basic("/token:" + a.token), basic(email + "/token:"), basic(email + "/token:" + a.token + "x"), basic(email + "/token"),
		basic("\x00/token:" + a.token), basic("\xff\xfe/token:" + a.token), basic(email + "\x00/token:" + a.token), basic(email + ":\x00"), basic(email + ":\xff"), basic("\xff:x"),
		basic(email + "/token/token:" + a.token), basic(" " + email + " /token:" + a.token), basic("%/token:" + a.token), basic("_/token:" + a.token), basic(strings.Repeat("a", 50_000) + ":x"),
		basic(email + ":" + strings.Repeat("a", 50_000)),
	} {
		for _, path := range []string{"/api/v2/tickets", "/api/v2/users/me"} {
			r := a.with("Authorization", authorization).get(path)
			r.wantContract(fmt.Sprintf("Authorization %.80q", authorization))
			if r.status != 401 && r.status != 429 {
				t.Errorf("%.80q: %d %.200s", authorization, r.status, r.body)
			}
		}
	}
	for _, other := range []string{"\x00", "\xff\xfe", "nobody@nowhere.example", " ", strings.Repeat("a", 50_000), email + "\x00", "%"} {
		r := a.with("X-On-Behalf-Of", other).get("/api/v2/users/me")
		r.wantContract(fmt.Sprintf("X-On-Behalf-Of %.80q", other))
		if r.status != 401 {
			t.Errorf("X-On-Behalf-Of %.80q: %d %.200s", other, r.status, r.body)
		}
	}
}

// Headers that mean something to us, with values that mean nothing.
func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	values := []string{"", " ", "\x00", "\xff\xfe", `"`, `W/"`, `"a", "b`, ",,,", "*, *", "0", "-1", "9223372036854775808", "abc", "a=b;c", "<script>", strings.Repeat("a", 100_000), strings.Repeat(`"a",`, 20_000)}
	for _, name := range []string{
		"Idempotency-Key", "If-Match", "If-None-Match", "If-Modified-Since", "Accept", "Accept-Language", "Content-Type", "Content-Encoding", "Content-Length",
		"Origin", "Access-Control-Request-Method", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Request-Id", "Range", "Expect", "Cookie", "User-Agent", "X-Zendesk-Location", "Traceparent", "X-HTTP-Method-Override",
	} {
		for _, value := range values {
			b := a.with(name, value)
			b.get("/api/v2/groups?per_page=2").wantHeaderContract(name, value)
			b.post("/api/v2/groups", `{"group":{"name":"G"}}`).wantHeaderContract(name, value)
			b.put(fmt.Sprintf("/api/v2/users/%d", a.admin.ID), `{"user":{"name":"Ada"}}`).wantHeaderContract(name, value)
		}
	}
}

func (r *result) wantHeaderContract(name, value string) {
	r.t.Helper()
	if r.status == http.StatusNotModified {
		return
	}
	r.wantContract(fmt.Sprintf("%s: %.60q", name, value))
}
