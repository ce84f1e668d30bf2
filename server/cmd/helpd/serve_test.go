package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// The parts of the curl command that the first start prints.
var printedCurl = regexp.MustCompile(`(?s)curl -u '([^']+):([^':]+)'.*-H 'Content-Type: application/json'.*-d '([^']+)'.*(http://\S+)(/api/v2/\S+)`)

func TestFirstStartMakesAnAccountAndSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	dir := "HELPD_DATA_DIR=" + path
	s := serve(t, dir)
	curl := printedCurl.FindStringSubmatch(s.said)
	if curl == nil {
		t.Fatalf("no curl command in %s", s.said)
	}
	user, token, body, base, resource := curl[1], curl[2], curl[3], curl[4], curl[5]
	if base != s.base {
		t.Errorf("the command is for %s, and helpd is at %s", base, s.base)
	}
	status, answer := s.send("POST", resource, body, user, token)
	if status != http.StatusCreated || !strings.Contains(answer, `"subject":"Hello"`) {
		t.Errorf("the printed command: status %d: %s", status, answer)
	}
	password := regexp.MustCompile(`Password +(\S+)`).FindStringSubmatch(s.said)
	if password == nil {
		t.Fatalf("no password in %s", s.said)
	}
	if status, answer := s.get("/api/v2/groups", "admin@example.com", password[1]); status != http.StatusOK {
		t.Errorf("the printed password: status %d: %s", status, answer)
	}

	// The end that nothing can prepare for.
	_ = s.kill(syscall.SIGKILL)

	again := serve(t, dir)
	want := fmt.Sprintf("helpd serves %s from %s; API reference: %[1]s/docs\n", again.base, path)
	if again.said != want {
		t.Errorf("the second start says %q, want %q", again.said, want)
	}
	for _, secret := range []string{token, password[1]} {
		if strings.Contains(s.log.String()+again.said, secret) {
			t.Error("a secret is in the log or said again")
		}
	}
	status, answer = again.get("/api/v2/tickets/1", user, token)
	if status != http.StatusOK || !strings.Contains(answer, `"subject":"Hello"`) {
		t.Errorf("the ticket after the second start: status %d: %s", status, answer)
	}
	r := helpd(t, []string{dir, "HELPD_ADDR=127.0.0.1:0"}, "serve")
	want = fmt.Sprintf("helpd: the data directory %s is in use by another helpd (process %d)\n", path, again.cmd.Process.Pid)
	if r.code != 1 || r.err != want {
		t.Errorf("a third start at the same time: exit code %d, %q; want 1, %q", r.code, r.err, want)
	}
	if err := again.kill(syscall.SIGTERM); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, again.log)
	}
	// Commands start the database themselves where no helpd runs.
	if out := helpd(t, []string{dir}, "account", "list").ok(t).out; !strings.Contains(out, "support") {
		t.Errorf("the accounts afterwards: %s", out)
	}
}

func TestPresetsAreUsedAndNotGuessed(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdefghij"
	s := serve(t, database(t, "HELPD_ACCOUNT=acme", "HELPD_ADMIN_EMAIL=ann@acme.example",
		"HELPD_ADMIN_PASSWORD=correct horse", "HELPD_ADMIN_TOKEN="+token, "HELPD_METRICS=off")...)
	for _, c := range [][]string{{"ann@acme.example", "correct horse"}, {"ann@acme.example/token", token}} {
		if status, answer := s.get("/api/v2/groups", c...); status != http.StatusOK {
			t.Errorf("as %s: status %d: %s", c[0], status, answer)
		}
	}
	if strings.Contains(s.said, "correct horse") {
		t.Error("a password that was set is printed")
	}
	if status, _ := s.get("/metrics"); status != http.StatusNotFound {
		t.Errorf("metrics that are off: status %d", status)
	}
}

// A request that is in flight at SIGTERM is finished, while /readyz sends
// others elsewhere.
func TestShutdownFinishesRequestsInFlight(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdefghij"
	s := serve(t, database(t, "HELPD_ADMIN_TOKEN="+token, "HELPD_SHUTDOWN_DELAY=500ms")...)
	if status, body := s.get("/readyz"); status != http.StatusOK || body != `{"status":"ready"}`+"\n" {
		t.Fatalf("readyz: status %d: %s", status, body)
	}
	const body = `{"group":{"name":"Slow"}}`
	conn := s.dial()
	fmt.Fprintf(conn, "POST /api/v2/groups HTTP/1.1\r\nHost: helpd\r\nContent-Type: application/json\r\nAuthorization: Basic %s\r\nContent-Length: %d\r\n\r\n%s",
		base64.StdEncoding.EncodeToString([]byte("admin@example.com/token:"+token)), len(body), body[:5])
	// The server has taken the slow request in when it counts it.
	for !strings.Contains(metric(s), "helpd_http_requests_in_flight 2") { // it and this one
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for {
		status, answer := s.get("/readyz")
		if status == http.StatusOK {
			continue // the signal is still on its way
		}
		if want := `{"status":"unavailable","reason":"shutting down"}` + "\n"; status != http.StatusServiceUnavailable || answer != want {
			t.Errorf("readyz: status %d: %s", status, answer)
		}
		break
	}
	// Connections are refused before the slow request ends.
	for {
		late, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(s.base + "/healthz")
		if err != nil {
			break
		}
		late.Body.Close()
	}
	fmt.Fprint(conn, body[5:])
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the request in flight: %v\n%s", err, s.log)
	}
	defer res.Body.Close()
	var made struct{ Group struct{ Name string } }
	if err := json.NewDecoder(res.Body).Decode(&made); err != nil || res.StatusCode != http.StatusCreated || made.Group.Name != "Slow" {
		t.Errorf("the request in flight: status %d, %+v, %v", res.StatusCode, made, err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, s.log)
	}
}

func metric(s *served) string {
	_, body := s.get("/metrics")
	return body
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, database(t, "HELPD_SHUTDOWN_DELAY=1h")...)
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for {
		if status, _ := s.get("/readyz"); status == http.StatusServiceUnavailable {
			break
		}
	}
	if err := s.kill(syscall.SIGINT); err == nil {
		t.Error("a process that was cut off exits with 0")
	}
}

func TestStartFailsWithAReason(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken := ln.Addr().String()
	const nowhere = "postgres://helpd:s3cret@127.0.0.1:1/helpd"
	for _, tc := range []struct {
		env  []string
		code int
		want string
	}{
		{[]string{"HELPD_RATE_LIMIT=lots"}, 2, "HELPD_RATE_LIMIT=lots: must be a whole number from 0 to 2147483647\n"},
		{[]string{"HELPD_ADDR=" + taken}, 1, "HELPD_ADDR: listen tcp " + taken + ": bind: address already in use\n"},
		{[]string{"DATABASE_URL=" + nowhere, "HELPD_ADDR=127.0.0.1:0"}, 1, "connection refused"},
		{[]string{"HELPD_PG_BIN=/nowhere", "HELPD_ADDR=127.0.0.1:0"}, 1, "HELPD_PG_BIN: stat /nowhere/initdb: no such file or directory\n"},
	} {
		r := helpd(t, append(tc.env, "HELPD_DATA_DIR="+t.TempDir()), "serve")
		if r.code != tc.code || !strings.HasPrefix(r.err, "helpd: ") || !strings.Contains(r.err, tc.want) {
			t.Errorf("%v: exit code %d, %q; want %d, %q", tc.env, r.code, r.err, tc.code, tc.want)
		}
		if strings.Contains(r.err, "s3cret") || r.out != "" {
			t.Errorf("%v: says %q, %q", tc.env, r.out, r.err)
		}
	}
}

func TestMetricsMayHaveAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	apart := ln.Addr().String()
	ln.Close()
	s := serve(t, database(t, "HELPD_METRICS="+apart)...)
	if status, _ := s.get("/metrics"); status != http.StatusNotFound {
		t.Errorf("metrics beside the API: status %d", status)
	}
	for { // the two addresses are opened independently
		if conn, err := net.Dial("tcp", apart); err == nil {
			conn.Close()
			break
		}
	}
	metrics := *s
	metrics.base = "http://" + apart
	if status, body := metrics.get("/metrics"); status != http.StatusOK || !strings.Contains(body, "helpd_http_requests_total") {
		t.Errorf("metrics apart: status %d: %.200s", status, body)
	}
	if status, _ := metrics.get("/readyz"); status != http.StatusOK {
		t.Errorf("readyz apart: status %d", status)
	}
	if status, _ := metrics.get("/api/v2/groups"); status != http.StatusNotFound {
		t.Errorf("the API where the metrics are: status %d", status)
	}
}

func TestStartThatIsInterruptedSaysSo(t *testing.T) {
	t.Parallel()
	cmd := program(t.Context(), []string{"HELPD_DATA_DIR=" + t.TempDir(), "HELPD_ADDR=127.0.0.1:0", "HELPD_LOG_FORMAT=text"}, "serve")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(stderr)
	if line, err := said.ReadString('\n'); err != nil || !strings.Contains(line, "making a PostgreSQL cluster") {
		t.Fatalf("the first line is %q: %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(said)
	if err != nil || string(rest) != "helpd: interrupted\n" {
		t.Errorf("it says %q: %v", rest, err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
}
