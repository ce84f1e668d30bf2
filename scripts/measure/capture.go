package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// statement is one that helpd ran for a request, with its parameters as text.
type statement struct {
	pid    int
	sql    string
	params []parameter
}

type parameter struct {
	null  bool
	value string
}

// captured are a request's statements and the numbers in them that are
// another's the next time: what they are by their text.
type captured struct {
	statements []statement
	bind       map[string]string
}

// capture has PostgreSQL log what helpd runs for a few requests, and reads it.
func capture(ctx context.Context, w *world, h *helpd, op operation) ([]captured, error) {
	if err := logStatements(ctx, w, "ALTER SYSTEM SET log_statement = 'all'"); err != nil {
		return nil, err
	}
	defer logStatements(context.WithoutCancel(ctx), w, "ALTER SYSTEM RESET log_statement") // the next capture fails too
	c, err := dial(h.addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	r := rand.New(rand.NewPCG(rand.Uint64(), 4)) // what an earlier run asked would change nothing
	var all []captured
	for begun := time.Now(); len(all) < op.variants; {
		if time.Since(begun) > 20*time.Second {
			return nil, fmt.Errorf("PostgreSQL logs no statements of a request")
		}
		one, err := captureOne(w, h, c, op, r)
		if err != nil {
			return nil, err
		}
		// At first not every process of PostgreSQL has heard that it is to log.
		if !one.complete(op) {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		all = append(all, one)
	}
	return all, nil
}

// beside are what helpd's own parts ask all the time, on the same connections.
var beside = regexp.MustCompile(`\b(event_clock|event_readers|touched|event_queue|numbered_events|event_numbers|webhooks|webhook_invocations)\b`)

// complete reports whether the statements are there, with no others between them,
// and do what is measured: a change to what is so already writes nothing.
func (c captured) complete(op operation) bool {
	if slices.ContainsFunc(c.statements, func(s statement) bool { return beside.MatchString(s.sql) }) {
		return false
	}
	// An answer may be here before the log has its transaction's end.
	if n := len(c.statements); n > 1 && c.statements[0].sql == "begin" && c.statements[n-1].sql != "commit" {
		return false
	}
	return slices.ContainsFunc(c.statements, func(s statement) bool {
		return op.variants == 1 || strings.Contains(s.sql, "INSERT INTO audits")
	})
}

func logStatements(ctx context.Context, w *world, setting string) error {
	for _, sql := range []string{setting, "SELECT pg_reload_conf()"} {
		if _, err := w.conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

func captureOne(w *world, h *helpd, c *client, op operation, r *rand.Rand) (captured, error) {
	// Who asks is looked up once a second; not in the request that counts.
	if err := c.do(w, show(w, r), 200, nil); err != nil {
		return captured{}, err
	}
	log, err := os.Open(filepath.Join(h.options.dataDir, "postgres.log"))
	if err != nil {
		return captured{}, err
	}
	defer log.Close()
	if _, err := log.Seek(0, io.SeekEnd); err != nil {
		return captured{}, err
	}
	q := op.request(w, r)
	for op.name == "list" && !strings.Contains(q.path, "after") {
		q = op.request(w, r) // the first page has no cursor
	}
	var answer bytes.Buffer
	if err := c.do(w, q, op.status, &answer); err != nil {
		return captured{}, err
	}
	text, err := io.ReadAll(log)
	if err != nil {
		return captured{}, err
	}
	bind, err := bindings(q, answer.Bytes())
	return captured{ofRequest(parseLog(text)), bind}, err
}

// bindings are the numbers that a request and its answer name, and the
// variables of pgbench that stand for them.
func bindings(q request, answer []byte) (map[string]string, error) {
	var a struct {
		Ticket struct {
			ID        int64
			Requester int64 `json:"requester_id"`
		}
		Tickets []struct{ ID int64 }
		Audit   struct{ ID int64 }
		Article struct{ ID int64 }
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, err
	}
	bind := map[string]string{}
	if a.Audit.ID != 0 {
		bind[text(a.Audit.ID)], bind[text(a.Audit.ID+1)] = "nextval", "comment"
	}
	switch {
	case q.method == "POST":
		bind[text(a.Ticket.ID)], bind[text(a.Ticket.Requester)] = "next_ticket_id", "requester"
	case a.Article.ID != 0:
		bind[text(a.Article.ID)] = "article"
	case len(a.Tickets) > 0:
		bind[text(a.Tickets[0].ID-1)] = "cursor"
	default:
		bind[text(a.Ticket.ID)] = "ticket"
	}
	return bind, nil
}

var entryStart = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ \w+ \[(\d+)\] (\w+):  `)

// parseLog reads the statements in a part of PostgreSQL's log. Lines after an
// entry's first begin with a tab.
func parseLog(text []byte) []statement {
	var list []statement
	at := entryStart.FindAllSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		pid, _ := strconv.Atoi(string(text[m[2]:m[3]]))
		body := strings.ReplaceAll(strings.TrimSuffix(string(text[m[1]:end]), "\n"), "\n\t", "\n")
		switch string(text[m[4]:m[5]]) {
		case "LOG":
			if sql, ok := strings.CutPrefix(body, "statement: "); ok {
				list = append(list, statement{pid: pid, sql: sql})
			} else if rest, ok := strings.CutPrefix(body, "execute "); ok {
				_, sql, _ := strings.Cut(rest, ": ")
				list = append(list, statement{pid: pid, sql: sql})
			}
		case "DETAIL":
			values, ok := strings.CutPrefix(body, "parameters: ")
			if last := len(list) - 1; ok && last >= 0 && list[last].pid == pid {
				list[last].params = parseParameters(values)
			}
		}
	}
	return list
}

// parseParameters reads a list as $1 = 'a', $2 = NULL, where a quote inside of a
// value is doubled.
func parseParameters(s string) []parameter {
	var list []parameter
	for s != "" {
		_, s, _ = strings.Cut(s, " = ")
		if rest, ok := strings.CutPrefix(s, "NULL"); ok {
			list, s = append(list, parameter{null: true}), rest
			continue
		}
		var b strings.Builder
		i := 1
		for ; i < len(s); i++ {
			if s[i] == '\'' {
				if i+1 >= len(s) || s[i+1] != '\'' {
					break
				}
				i++
			}
			b.WriteByte(s[i])
		}
		list, s = append(list, parameter{value: b.String()}), s[min(i+1, len(s)):]
	}
	return list
}

// ofRequest leaves out what other connections ran at the same time: the job
// queue has some of its own.
func ofRequest(list []statement) []statement {
	var pids []int
	for _, s := range list {
		if strings.Contains(s.sql, "FROM tickets") || strings.Contains(s.sql, "FROM articles") || strings.Contains(s.sql, "next_ticket_id") {
			pids = append(pids, s.pid)
		}
	}
	return slices.DeleteFunc(list, func(s statement) bool { return !slices.Contains(pids, s.pid) })
}
