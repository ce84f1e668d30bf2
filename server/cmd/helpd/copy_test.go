package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Writers write tickets through whichever helpd is there, in spite of its ends.
const (
	copyWriters = 4
	copyWrites  = 30 // that succeed, of each
	copyKills   = 3
)

// A copy that is kept by cursor, while writers write and helpd is killed, is what
// the database has at the end.
func TestCopyByCursorEqualsTheDatabase(t *testing.T) {
	t.Parallel()
	env := database(t)
	var base atomic.Pointer[string]
	s := serve(t, env...)
	base.Store(&s.base)
	token := strings.TrimSpace(helpd(t, env, "token", "create", "--oauth", "--user", "admin@example.com").ok(t).out)
	ask := func(method, path, body string, answer any) bool {
		req, err := http.NewRequest(method, *base.Load()+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return false
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
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

	var written atomic.Int64
	var writers sync.WaitGroup
	for n := range copyWriters {
		writers.Go(func() {
			var last int64
			for i := 0; i < copyWrites && !t.Failed(); {
				var made struct{ Ticket struct{ ID int64 } }
				ok := false
				switch {
				case i%3 == 0:
					ok = ask("POST", "/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"%d of %d","comment":{"body":"B"}}}`, i, n), &made)
					last = made.Ticket.ID
				case i%3 == 1 || i%2 == 0:
					ok = ask("PUT", fmt.Sprintf("/api/v2/tickets/%d", last), fmt.Sprintf(`{"ticket":{"additional_tags":["t%d"],"comment":{"body":"C"}}}`, i), nil)
				default:
					ok = ask("DELETE", fmt.Sprintf("/api/v2/tickets/%d", last), "", nil) || last == 0
				}
				if ok || i%3 != 0 { // what may have been done is not asked for twice
					i++
					written.Add(1)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()

	tickets, comments := newCopy("tickets"), newCopy("comments")
	for kills := int64(0); ; {
		if kills < copyKills && written.Load() > (kills+1)*copyWriters*copyWrites/(copyKills+1) {
			if err := s.kill(syscall.SIGKILL); err == nil {
				t.Fatal("it ended by itself")
			}
			s = serve(t, env...)
			base.Store(&s.base)
			kills++
		}
		over := false
		select {
		case <-done:
			over = true
		default:
		}
		if t.Failed() {
			return
		}
		// The last pages are read after the last write.
		for _, c := range []*copied{tickets, comments} {
			for !c.follow(ask) && over {
			}
		}
		if over {
			break
		}
	}
	tickets.equals(t, env, `SELECT id, concat_ws('|', CASE WHEN deleted_at IS NULL THEN status ELSE 'deleted' END, subject, array_to_string(tags, ','), to_char(updated_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) FROM tickets`,
		func(r map[string]any) string {
			var tags []string
			for _, tag := range r["tags"].([]any) {
				tags = append(tags, tag.(string))
			}
			return fmt.Sprint(r["status"], "|", r["subject"], "|", strings.Join(tags, ","), "|", r["updated_at"])
		})
	comments.equals(t, env, `SELECT id, concat_ws('|', ticket_id, plain_body) FROM comments`, func(r map[string]any) string {
		return fmt.Sprintf("%.0f|%s", r["ticket_id"], r["plain_body"])
	})
}

// copied is a copy of all records of a kind.
type copied struct {
	key, path string
	records   map[int64]map[string]any
}

func newCopy(key string) *copied {
	return &copied{key, "/api/v2/incremental/" + key + "/cursor?start_time=0&per_page=7", map[int64]map[string]any{}}
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
		c.records[int64(r["id"].(float64))] = r
	}
	u, err := url.Parse(after)
	if err != nil {
		return false
	}
	c.path = u.RequestURI()
	return string(page["end_of_stream"]) == "true"
}

// equals holds the copy against the database, row for row.
func (c *copied) equals(t *testing.T, env []string, query string, text func(map[string]any) string) {
	t.Helper()
	var dsn string
	for _, kv := range env {
		if value, ok := strings.CutPrefix(kv, "DATABASE_URL="); ok {
			dsn = value
		}
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var id int64
	var want string
	_, err = pgx.ForEachRow(rows, []any{&id, &want}, func() error {
		n++
		if r, ok := c.records[id]; !ok {
			t.Errorf("%s: %d is missing", c.key, id)
		} else if got := text(r); got != want {
			t.Errorf("%s: %d is %s, and not %s", c.key, id, got, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n == 0 || n != len(c.records) {
		t.Errorf("%d %s are copied of %d", len(c.records), c.key, n)
	}
}
