package edge

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/server/fault"
)

// echoBody answers with the body as a handler sees it, and its type.
func echoBody(c echo.Context) error {
	b, err := io.ReadAll(c.Request().Body)
	if err != nil {
		return err
	}
	if seen := BodyBytes(c.Request().Context()); seen != nil && !bytes.Equal(seen, b) {
		return errors.New("BodyBytes differs from the body")
	}
	return c.String(200, c.Request().Header.Get("Content-Type")+"|"+string(b))
}

func bodies(max, uploadMax int64, depth int) *echo.Echo {
	e := newEcho(InFlight(2), Body(max, uploadMax, depth))
	for _, route := range []string{"/api/v2/tickets", "/api/v2/uploads", "/oauth/tokens"} {
		e.Any(route, echoBody)
	}
	return e
}

func TestBodiesAreReadAsJSON(t *testing.T) {
	t.Parallel()
	e := bodies(64, 100, 3)
	for _, tc := range []struct {
		name, method, target, kind, body string
		status                           int
		want                             string
	}{
		{"json", "POST", "/api/v2/tickets", "application/json; charset=utf-8", `{"a":1}`, 200, `application/json|{"a":1}`},
		{"no_type", "POST", "/api/v2/tickets", "", ` {"a":1}`, 200, `application/json| {"a":1}`},
		{"as_curl_sends_it", "PUT", "/api/v2/tickets", "application/x-www-form-urlencoded", `{"a":1}`, 200, `application/json|{"a":1}`},
		{"on_get", "GET", "/api/v2/tickets", "application/json", `{}`, 200, `application/json|{}`},
		{"on_delete", "DELETE", "/api/v2/tickets", "text/plain", `{"ids":[1]}`, 200, `application/json|{"ids":[1]}`},
		{"blank", "POST", "/api/v2/tickets", "application/json", " \n", 200, `application/json|`},
		{"at_the_limit", "POST", "/api/v2/tickets", "", `"` + strings.Repeat("x", 62) + `"`, 200, `application/json|"` + strings.Repeat("x", 62) + `"`},
		{"over_the_limit", "POST", "/api/v2/tickets", "", `"` + strings.Repeat("x", 63) + `"`, 413, ""},
		{"at_the_depth", "POST", "/api/v2/tickets", "", `[[[1]]]`, 200, `application/json|[[[1]]]`},
		{"too_deep", "POST", "/api/v2/tickets", "", `[[[[1]]]]`, 400, ""},
		{"nul", "POST", "/api/v2/tickets", "", "{\"a\":\"\x00\"}", 400, ""},
		{"not_utf8", "POST", "/api/v2/tickets", "", "{\"a\":\"\xff\"}", 400, ""},
		{"form", "POST", "/oauth/tokens", "application/x-www-form-urlencoded", "grant_type=password", 200, "application/x-www-form-urlencoded|grant_type=password"},
		{"json_for_oauth", "POST", "/oauth/tokens", "application/json", `{"a":1}`, 200, `application/json|{"a":1}`},
		{"upload", "POST", "/api/v2/uploads", "image/png", strings.Repeat("\x00", 100), 200, "image/png|" + strings.Repeat("\x00", 100)},
		{"upload_of_json", "POST", "/api/v2/uploads", "application/json", "[[[[[", 200, "application/json|[[[[["},
		{"upload_over_the_limit", "POST", "/api/v2/uploads", "image/png", strings.Repeat("\x00", 101), 413, ""},
		{"multipart", "POST", "/api/v2/tickets", "multipart/form-data; boundary=x", strings.Repeat("-", 90), 200, "multipart/form-data; boundary=x|" + strings.Repeat("-", 90)},
	} {
		for _, chunked := range []bool{false, true} {
			name := tc.name
			if chunked {
				name += "_chunked"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				req := httptest.NewRequest(tc.method, tc.target, iotest.OneByteReader(strings.NewReader(tc.body)))
				if !chunked {
					req.ContentLength = int64(len(tc.body))
				}
				if tc.kind != "" {
					req.Header.Set("Content-Type", tc.kind)
				}
				rec := httptest.NewRecorder()
				e.ServeHTTP(rec, req)
				if rec.Code != tc.status || tc.status == 200 && rec.Body.String() != tc.want {
					t.Errorf("%d %s", rec.Code, rec.Body)
				}
			})
		}
	}
}

func TestEncodedBodiesAreRefusedByName(t *testing.T) {
	t.Parallel()
	rec := ask(bodies(64, 64, 3), "POST", "/api/v2/tickets", "\x1f\x8b", "Content-Encoding", "gzip")
	if rec.Code != 400 || !strings.Contains(rec.Body.String(), "gzip") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestLargeBodiesAreWhole(t *testing.T) {
	t.Parallel()
	e := bodies(1<<20, 1<<20, 3)
	for _, size := range []int{4095, 4096, 4097, firstRead - 1, firstRead, firstRead + 1, 300_000, 1 << 20} {
		body := `"` + strings.Repeat("x", size-2) + `"`
		for _, length := range []int64{int64(size), -1} {
			req := httptest.NewRequest("POST", "/api/v2/tickets", strings.NewReader(body))
			req.ContentLength = length
			rec := httptest.NewRecorder()
			e.ServeHTTP(rec, req)
			if rec.Body.String() != "application/json|"+body {
				t.Errorf("%d bytes, announced %d: %d, %d bytes came", size, length, rec.Code, rec.Body.Len())
			}
		}
	}
}

func TestBodiesThatDoNotArriveAreTheClientsFault(t *testing.T) {
	t.Parallel()
	e := bodies(64, 64, 3)
	for _, target := range []string{"/api/v2/tickets", "/api/v2/uploads"} {
		for err, want := range map[error]string{
			io.ErrUnexpectedEOF:       "ended early",
			os.ErrDeadlineExceeded:    "too slowly",
			errors.New("broken pipe"): "could not be read",
		} {
			req := httptest.NewRequest("POST", target, iotest.ErrReader(err))
			rec := httptest.NewRecorder()
			e.ServeHTTP(rec, req)
			if rec.Code != 400 || !strings.Contains(rec.Body.String(), want) {
				t.Errorf("%s, %v: %d %s", target, err, rec.Code, rec.Body)
			}
		}
	}
}

func TestTheRoomForLargeBodiesIsBounded(t *testing.T) {
	t.Parallel()
	r := &room{limit: 1 << 20}
	var held []*lease
	for range 8 { // 128 KB each
		l := &lease{room: r}
		held = append(held, l)
		if _, err := read(strings.NewReader(strings.Repeat("x", 100_000)), -1, 1<<20, l); err != nil {
			t.Fatal(err)
		}
	}
	last := &lease{room: r}
	if _, err := read(strings.NewReader(strings.Repeat("x", 100_000)), -1, 1<<20, last); !fault.Is(err, fault.Overloaded) {
		t.Errorf("a ninth was read: %v", err)
	}
	if _, err := read(strings.NewReader(strings.Repeat("x", 60_000)), 60_000, 1<<20, last); err != nil {
		t.Errorf("a small one was not read: %v", err)
	}
	for _, l := range append(held, last) {
		l.end()
	}
	if n := r.used.Load(); n != 0 {
		t.Errorf("%d bytes are still taken", n)
	}
}
