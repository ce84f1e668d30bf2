package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/helpd/helpd/server/postgres"
)

// How TestCopyByCursorEqualsTheDatabase is seen in full: -copy-file
// support_tickets.csv -copy-kills 10 has scripts/demo load the file meanwhile, into
// a helpd with a PostgreSQL of its own, which is killed along with it.
var (
	copyFile  = flag.String("copy-file", "", "file that scripts/demo loads in TestCopyByCursorEqualsTheDatabase")
	copyKills = flag.Int("copy-kills", 3, "kills of TestCopyByCursorEqualsTheDatabase")
)

// Writers write through whichever helpd is there, in spite of its ends.
const (
	copyWriters = 4
	copyWrites  = 40 // that succeed, of each
)

// copying is a helpd that is killed now and then.
type copying struct {
	t     *testing.T
	env   []string
	token string
	s     *served
	up    atomic.Pointer[serving]
}

// serving is where it serves, from when ready is closed.
type serving struct {
	base  string
	ready chan struct{}
}

func newCopying(t *testing.T) *copying {
	t.Helper()
	c := &copying{t: t, env: database(t)}
	if *copyFile != "" {
		c.env = []string{"HELPD_DATA_DIR=" + t.TempDir(), "HELPD_ADDR=" + freeAddress(t)} // scripts/demo is told one address
	}
	c.env = append(c.env, "HELPD_RATE_LIMIT=0")
	c.expected()
	c.serve()
	c.token = strings.TrimSpace(helpd(t, c.env, "token", "create", "--oauth", "--user", "admin@example.com").ok(t).out)
	return c
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close() // helpd takes the port
	return ln.Addr().String()
}

// killed kills it with nothing to prepare for it, and starts it again.
func (c *copying) killed() {
	c.t.Helper()
	c.ended()
	c.serve()
}

// ended kills it.
func (c *copying) ended() {
	c.t.Helper()
	if err := c.s.kill(syscall.SIGKILL); err == nil {
		c.t.Fatal("it ended by itself")
	}
	c.expected()
}

// expected has who asks wait for serve.
func (c *copying) expected() { c.up.Store(&serving{ready: make(chan struct{})}) }

func (c *copying) serve() {
	c.t.Helper()
	c.s = serve(c.t, c.env...)
	up := c.up.Load()
	up.base = c.s.base
	close(up.ready)
}

// ask reports whether there was an answer that says that it was done. It waits for
// a helpd to ask.
func (c *copying) ask(method, path, body string, answer any) bool {
	up := c.up.Load()
	<-up.ready
	req, err := http.NewRequest(method, up.base+path, strings.NewReader(body))
	if err != nil {
		c.t.Error(err)
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false // nobody is there, or he was killed
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return false
	}
	return answer == nil || json.NewDecoder(res.Body).Decode(answer) == nil
}

// write makes the i-th write of a writer: tickets, users and organizations are
// made, changed and deleted.
func (c *copying) write(writer, i int, last map[string]int64) bool {
	kind := []string{"tickets", "tickets", "users", "organizations"}[i/4%4]
	one := strings.TrimSuffix(kind, "s")
	path := fmt.Sprintf("/api/v2/%s/%d", kind, last[kind])
	switch i % 4 {
	case 0:
		unique := time.Now().UnixNano() // also where a record is made again
		record := map[string]string{
			"tickets":       `"comment":{"body":"B"},"custom_fields":[],"priority":"high"`,
			"users":         `"user_fields":{}`,
			"organizations": fmt.Sprintf(`"domain_names":["o%d.example"]`, unique),
		}[kind]
		var made map[string]struct{ ID int64 }
		ok := c.ask("POST", "/api/v2/"+kind, fmt.Sprintf(`{"%s":{"name":"Name %d","subject":"%d of %d",%s}}`, one, unique, i, writer, record), &made)
		last[kind] = made[one].ID
		return ok
	case 1:
		return c.ask("PUT", path, fmt.Sprintf(`{"%s":{"tags":["t%d","ü"],"notes":"N%[2]d","comment":{"body":"C%[2]d"}}}`, one, i), nil)
	case 2:
		return c.ask("PUT", path, fmt.Sprintf(`{"%s":{"name":"%d again","subject":"%[2]d again","comment":{"body":"P","public":false}}}`, one, i), nil)
	}
	return i%3 != 0 || c.ask("DELETE", path, "", nil)
}

// writing has the writers write until each has done its part and more is closed.
// How many writes there were is counted.
func (c *copying) writing(written *atomic.Int64, more <-chan struct{}) (done chan struct{}) {
	var writers sync.WaitGroup
	for n := range copyWriters {
		writers.Go(func() {
			last := map[string]int64{}
			for i := 0; !c.t.Failed(); {
				if i >= copyWrites {
					select {
					case <-more:
						return
					default:
					}
				}
				if c.write(n, i, last) {
					written.Add(1)
				} else if i%4 == 0 {
					continue // what follows needs the record; the first may have been made, too
				}
				i++
			}
		})
	}
	done = make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	return done
}

// loading has scripts/demo load the file; the channel is closed when it has.
func (c *copying) loading() <-chan struct{} {
	c.t.Helper()
	done := make(chan struct{})
	if *copyFile == "" {
		close(done)
		return done
	}
	demo := filepath.Join(c.t.TempDir(), "demo")
	if out, err := exec.Command("go", "build", "-o", demo, "../../../scripts/demo.d").CombinedOutput(); err != nil {
		c.t.Fatalf("%v: %s", err, out)
	}
	token := strings.TrimSpace(helpd(c.t, c.env, "token", "create").ok(c.t).out)
	cmd := exec.Command(demo, *copyFile)
	cmd.Env = append(os.Environ(), "HELPD_URL="+c.s.base, "HELPD_ADMIN_EMAIL=admin@example.com", "HELPD_ADMIN_TOKEN="+token)
	go func() {
		defer close(done)
		if out, err := cmd.CombinedOutput(); err != nil {
			c.t.Errorf("scripts/demo: %v\n%s", err, out[max(0, len(out)-2000):])
		} else {
			at := strings.LastIndex(string(out), "\nStatus")
			c.t.Logf("scripts/demo:%s", out[max(at, 0):])
		}
	}()
	return done
}

// A copy that is kept by cursor, while writers write and helpd is killed, is what
// the database has at the end.
func TestCopyByCursorEqualsTheDatabase(t *testing.T) {
	t.Parallel()
	c := newCopying(t)
	copies := []*copied{newCopy("tickets"), newCopy("comments"), newCopy("users"), newCopy("organizations")}
	loaded := c.loading()
	var written atomic.Int64
	more := make(chan struct{}) // closed when all is loaded, and all kills were made
	done := c.writing(&written, more)
	began, kills := time.Now(), 0
	for over := false; !over; {
		// In full by time, for what the loader does is not counted.
		due := written.Load() > int64((kills+1)*copyWriters*copyWrites/(*copyKills+2))
		if *copyFile != "" {
			due = time.Since(began) > time.Duration(kills+1)*3*time.Second
		}
		if kills < *copyKills && due {
			c.killed()
			kills++
		}
		if kills == *copyKills && more != nil {
			select {
			case <-loaded:
				close(more)
				more = nil
			default:
			}
		}
		select {
		case <-done:
			over = true
		default:
		}
		if t.Failed() {
			return
		}
		// The last pages are read after the last write.
		for _, records := range copies {
			for !records.follow(c.ask) && over && !t.Failed() {
			}
		}
	}
	conn := c.connect()
	for _, records := range copies {
		records.equals(t, conn)
	}
	t.Logf("%d kills in %v, %d writes", kills, time.Since(began).Round(time.Second), written.Load())
}

// variable is what it has in its environment.
func (c *copying) variable(name string) string {
	for _, kv := range c.env {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}

func (c *copying) dataDir() string { return c.variable("HELPD_DATA_DIR") }

// connect connects to its database, whosever it is.
func (c *copying) connect() *pgx.Conn {
	c.t.Helper()
	dsn := c.variable("DATABASE_URL")
	if dsn == "" {
		var err error
		if dsn, err = postgres.Reach(c.t.Context(), c.dataDir()); err != nil {
			c.t.Fatal(err)
		}
	}
	conn, err := pgx.Connect(c.t.Context(), dsn)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// copied is a copy of all records of a kind.
type copied struct {
	key, path    string
	records      map[int64]map[string]any
	pages, taken int
}

func newCopy(key string) *copied {
	size := 7
	if *copyFile != "" {
		size = 500
	}
	return &copied{key: key, path: fmt.Sprintf("/api/v2/incremental/%s/cursor?start_time=0&per_page=%d", key, size), records: map[int64]map[string]any{}}
}

// follow reads a page, and reports whether it was the last.
func (c *copied) follow(ask func(method, path, body string, answer any) bool) bool {
	var page map[string]json.RawMessage
	if !ask("GET", c.path, "", &page) {
		return false
	}
	var records []map[string]any
	var after string
	if json.Unmarshal(page[c.key], &records) != nil || json.Unmarshal(page["after_url"], &after) != nil {
		return false
	}
	for _, r := range records {
		id := int64(r["id"].(float64))
		if c.records[id] = r; r["deleted"] == true { // of a comment, which leaves nothing
			delete(c.records, id)
		}
	}
	u, err := url.Parse(after)
	if err != nil {
		return false
	}
	c.path, c.pages, c.taken = u.RequestURI(), c.pages+1, c.taken+len(records)
	return string(page["end_of_stream"]) == "true"
}

// stamped are the times of a row as the API writes them.
const stamped = `to_char(r.created_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS created_at`

// rowsOf are the rows of each kind, deleted ones too, with members as the API has
// them: id and the row as JSON.
var rowsOf = map[string]string{
	"tickets": `SELECT r.id, r.subject AS raw_subject, r.description, r.type, r.priority, CASE WHEN r.deleted_at IS NULL THEN r.status ELSE 'deleted' END AS status,
		r.custom_status_id, r.external_id, r.recipient, r.requester_id, r.submitter_id, r.assignee_id, r.organization_id, r.group_id, r.brand_id, r.ticket_form_id,
		r.problem_id, r.is_public, r.tags, r.follower_ids, r.email_cc_ids, r.followup_ids, r.via, ` + stamped + `, to_char(r.updated_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at,
		floor(extract(epoch FROM p.generated_at))::bigint AS generated_timestamp
		FROM tickets r JOIN export_positions p ON p.account_id = r.account_id AND p.kind = 'ticket' AND p.record_id = r.id`,
	"comments": `SELECT r.id, r.ticket_id, r.audit_id, r.author_id, r.type, r.public, r.body, r.html_body, r.plain_body, r.via, r.metadata, ` + stamped + ` FROM comments r`,
	"users": `SELECT r.id, r.name, r.email, r.role, r.active, r.suspended, r.verified, r.external_id, r.phone, r.alias, r.details, r.notes, r.tags, r.organization_id,
		r.locale, r.time_zone, ` + stamped + `, to_char(r.updated_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at FROM users r`,
	"organizations": `SELECT r.id, r.name, r.external_id, r.domain_names, r.details, r.notes, r.tags, r.group_id, r.shared_tickets, ` + stamped + `,
		to_char(r.updated_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS updated_at, to_char(r.deleted_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS deleted_at FROM organizations r`,
}

// equals holds the copy against the database, row for row and member for member.
func (c *copied) equals(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT to_jsonb(r)::text FROM ("+rowsOf[c.key]+") AS r")
	if err != nil {
		t.Fatal(err)
	}
	n, differ, deleted := 0, 0, 0
	var text string
	_, err = pgx.ForEachRow(rows, []any{&text}, func() error {
		var want map[string]any
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			return err
		}
		n++
		if want["status"] == "deleted" || want["active"] == false || want["deleted_at"] != nil {
			deleted++
		}
		got := c.records[int64(want["id"].(float64))]
		for name, value := range want {
			if !reflect.DeepEqual(got[name], value) {
				if differ++; differ < 10 {
					t.Errorf("%s: %v of %v is %v, and not %v", c.key, name, want["id"], got[name], value)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 || n != len(c.records) || differ > 0 {
		t.Errorf("%d %s are copied of %d, and %d members differ", len(c.records), c.key, n, differ)
	}
	t.Logf("%s: %d rows are the same, %d of them deleted; they came %d times, in %d pages", c.key, n, deleted, c.taken, c.pages)
}
