package edge

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

// answering is an echo that answers body to any method, as JSON by default.
func answering(status int, body string, headers ...string) *echo.Echo {
	e := newEcho(Compress)
	e.Any("/", func(c echo.Context) error {
		for i := 0; i < len(headers); i += 2 {
			c.Response().Header().Set(headers[i], headers[i+1])
		}
		if c.Response().Header().Get("Content-Type") == "" {
			c.Response().Header().Set("Content-Type", "application/json")
		}
		c.Response().WriteHeader(status)
		_, err := io.WriteString(c.Response(), body)
		return err
	})
	return e
}

var weakTag = regexp.MustCompile(`^W/"[0-9a-f]{32}"$`)

func TestSuccessesInJSONHaveATag(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		method string
		status int
		tagged bool
	}{
		{"GET", 200, true}, {"POST", 201, true}, {"PUT", 200, true},
		{"PATCH", 200, false}, {"DELETE", 200, false}, {"GET", 404, false}, {"POST", 422, false},
	} {
		rec := ask(answering(tc.status, `{"a":1}`), tc.method, "/", "")
		tag := rec.Header().Get("ETag")
		if weakTag.MatchString(tag) != tc.tagged || rec.Code != tc.status || rec.Body.String() != `{"a":1}` ||
			rec.Header().Get("Content-Type") != "application/json; charset=utf-8" || rec.Header().Get("Content-Length") != "7" {
			t.Errorf("%s %d: tag %q, %d %s %v", tc.method, tc.status, tag, rec.Code, rec.Body, rec.Header())
		}
	}
	a := ask(answering(200, `{"a":1}`), "GET", "/", "").Header().Get("ETag")
	b := ask(answering(200, `{"a":2}`), "GET", "/", "").Header().Get("ETag")
	if a == b {
		t.Error("two bodies have the same tag")
	}
}

func TestIfNoneMatch(t *testing.T) {
	t.Parallel()
	e := answering(200, `{"a":1}`)
	tag := ask(e, "GET", "/", "").Header().Get("ETag")
	for _, tc := range []struct {
		method, header string
		status         int
	}{
		{"GET", tag, 304},
		{"GET", strings.TrimPrefix(tag, "W/"), 304},
		{"GET", `"x", ` + tag, 304},
		{"GET", "*", 304},
		{"GET", `W/"x"`, 200},
		{"GET", "", 200},
		{"PUT", tag, 200},
	} {
		rec := ask(e, tc.method, "/", "", "If-None-Match", tc.header)
		if rec.Code != tc.status || (rec.Body.Len() == 0) != (tc.status == 304) || rec.Header().Get("ETag") != tag {
			t.Errorf("%s %s: %d %q %v", tc.method, tc.header, rec.Code, rec.Body, rec.Header())
		}
		if tc.status == 304 && (rec.Header().Get("Content-Type") != "" || rec.Header().Get("Vary") != "Accept-Encoding") {
			t.Errorf("304 with %v", rec.Header())
		}
	}
	if rec := ask(answering(200, `{}`, "ETag", `W/"own"`), "GET", "/", "", "If-None-Match", `W/"own"`); rec.Code != 304 {
		t.Errorf("a handler's own tag: %d", rec.Code)
	}
}

func TestGzipForThoseWhoAcceptIt(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("tickets ", 1000) + `"`
	for _, tc := range []struct {
		accept, body string
		zipped       bool
	}{
		{"gzip", long, true},
		{"deflate, gzip;q=0.5", long, true},
		{"*", long, true},
		{"GZIP", long, true},
		{"", long, false},
		{"br", long, false},
		{"gzip;q=0", long, false},
		{"gzip; q=0.000, *", long, false},
		{"*;q=0", long, false},
		{"gzip", long[:minGzip], false},
		{"gzip", long[:minGzip+1], true},
	} {
		rec := ask(answering(200, tc.body), "GET", "/", "", "Accept-Encoding", tc.accept)
		h := rec.Header()
		if (h.Get("Content-Encoding") == "gzip") != tc.zipped || h.Get("Vary") != "Accept-Encoding" ||
			h.Get("Content-Length") != strconv.Itoa(rec.Body.Len()) {
			t.Errorf("%q, %d bytes: %v", tc.accept, len(tc.body), h)
		}
		var r io.Reader = rec.Body
		if tc.zipped {
			z, err := gzip.NewReader(rec.Body)
			if err != nil {
				t.Fatal(err)
			}
			r = z
		}
		if got, err := io.ReadAll(r); err != nil || string(got) != tc.body {
			t.Errorf("%q: %d of %d bytes came, %v", tc.accept, len(got), len(tc.body), err)
		}
	}
}

func TestWhatIsNotHeldBackPasses(t *testing.T) {
	t.Parallel()
	html := strings.Repeat("<p>", 1000)
	for _, tc := range []struct {
		name    string
		e       *echo.Echo
		want    string
		headers []string
	}{
		{"not_json", answering(200, html, "Content-Type", "text/html"), html, nil},
		{"json_lines", answering(200, html, "Content-Type", "application/jsonl"), html, nil},
		{"encoded_already", answering(200, html, "Content-Encoding", "br"), html, nil},
	} {
		rec := ask(tc.e, "GET", "/", "", "Accept-Encoding", "gzip")
		if rec.Body.String() != tc.want || rec.Header().Get("ETag") != "" || rec.Header().Get("Content-Encoding") == "gzip" {
			t.Errorf("%s: %d bytes, %v", tc.name, rec.Body.Len(), rec.Header())
		}
	}
	e := newEcho(Compress)
	e.GET("/", func(c echo.Context) error { return c.NoContent(204) })
	if rec := ask(e, "GET", "/", ""); rec.Code != 204 || rec.Body.Len() > 0 || rec.Header().Get("Content-Length") != "" {
		t.Errorf("no content: %d %v", rec.Code, rec.Header())
	}
}

func TestLargeAnswersGoOutAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	parts := []string{`["`, strings.Repeat("x", maxHeld), strings.Repeat("y", 1000), `"]`}
	e := newEcho(Compress)
	e.GET("/", func(c echo.Context) error {
		c.Response().Header().Set("Content-Type", "application/json")
		c.Response().WriteHeader(200)
		for _, part := range parts {
			if _, err := io.WriteString(c.Response(), part); err != nil {
				return err
			}
		}
		return nil
	})
	plain := ask(e, "GET", "/", "")
	if plain.Body.String() != strings.Join(parts, "") || plain.Header().Get("ETag") != "" || plain.Header().Get("Content-Encoding") != "" || plain.Header().Get("Vary") != "Accept-Encoding" {
		t.Errorf("plain: %d bytes, %v", plain.Body.Len(), plain.Header())
	}
	zipped := ask(e, "GET", "/", "", "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(zipped.Body)
	if err != nil || zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Header().Get("Content-Length") != "" {
		t.Fatalf("%v, %v", err, zipped.Header())
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != strings.Join(parts, "") {
		t.Errorf("zipped: %d bytes, %v", len(got), err)
	}
	// One that breaks off is known as such.
	broken := newEcho(Compress)
	broken.GET("/", func(c echo.Context) error {
		_ = c.JSONBlob(200, []byte(parts[1]+parts[1])) // nothing fails in memory
		return io.ErrUnexpectedEOF
	})
	if z, err = gzip.NewReader(ask(broken, "GET", "/", "", "Accept-Encoding", "gzip").Body); err == nil {
		_, err = io.ReadAll(z)
	}
	if err == nil {
		t.Error("a half answer reads as a whole one")
	}
}

func TestFlushedAnswersGoOutAtOnce(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	e := newEcho(Compress)
	e.GET("/", func(c echo.Context) error {
		if err := c.JSONBlob(200, []byte("[1,")); err != nil {
			return err
		}
		if err := http.NewResponseController(c.Response()).Flush(); err != nil {
			return err
		}
		<-read // the client has the first part before there is a second
		_, err := io.WriteString(c.Response(), "2]")
		return err
	})
	srv := httptest.NewServer(e)
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	first := make([]byte, 3)
	if _, err := io.ReadFull(res.Body, first); err != nil || string(first) != "[1," {
		t.Fatalf("%q %v", first, err)
	}
	close(read)
	if rest, err := io.ReadAll(res.Body); err != nil || string(rest) != "2]" {
		t.Errorf("%q %v", rest, err)
	}
}

func TestAFailedAnswerIsDropped(t *testing.T) {
	t.Parallel()
	e := newEcho(Compress)
	e.GET("/", func(c echo.Context) error {
		_ = c.JSON(200, "half")
		return echo.ErrTeapot
	})
	if rec := ask(e, "GET", "/", ""); rec.Code != 418 || strings.Contains(rec.Body.String(), "half") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}
