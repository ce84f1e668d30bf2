package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// searched are the searches that are measured. Each figure is of several, in turns.
var searched = []struct {
	name    string
	queries []string
}{
	{"one word", []string{"battery", "refund", "router", "please", "issue", "firmware", "useeffect", "warranty"}},
	{"two words", []string{"battery issue", "please assist", "refund money", "data recovery", "network problem", "account access"}},
	{"two Korean syllables", []string{"상태", "배열", "함수", "객체", "렌더", "이벤"}},
	{"a phrase", []string{`"not turning on"`, `"please assist"`, `"data loss"`, `"billing zip code"`, `"컴포넌트를 렌더링"`}},
	{"words with filters", []string{"battery status:open", "refund priority:urgent", "issue status<solved created>2020-01-01", "please assist -status:closed", "router group:none"}},
	{"words of all types", []string{"battery", "issue", "example"}},
}

// wantedSearch is the 99th percentile that was wanted of each, in milliseconds.
const wantedSearch = 50

// searches is how often each figure's searches are asked for.
const searches = 200

// keeping is how long helpd has for keeping what it was asked for again.
const keeping = 10 * time.Second

// measureSearch measures searches in an account whose tickets say what the files of
// a directory say.
func measureSearch(ctx context.Context, o options, h *helpd) (outcome, error) {
	if o.check {
		return nil, checkSearch(ctx, o, h)
	}
	texts, err := readTexts(o.data)
	if err != nil {
		return nil, err
	}
	w, err := h.account(ctx, account, o.tickets)
	if err != nil {
		return nil, err
	}
	defer w.close()
	if err := w.retell(ctx, texts); err != nil {
		return nil, fmt.Errorf("write the texts: %w", err)
	}
	if err := w.settle(ctx); err != nil {
		return nil, fmt.Errorf("wait for the index: %w", err)
	}
	c, err := dial(h.addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	r := rulesReport{What: "Searches", Machine: describe(ctx, w), Tickets: o.tickets}
	for _, s := range searched {
		if !strings.HasPrefix(s.name, o.only) {
			continue
		}
		var first, took []float64
		for n := -2 * len(s.queries); n < searches; n++ { // the first two of each warm up
			if n == 0 {
				time.Sleep(keeping)
			}
			query := s.queries[(n+2*len(s.queries))%len(s.queries)]
			if !strings.HasSuffix(s.name, "all types") {
				query += " type:ticket"
			}
			asked := time.Now()
			if err := c.do(w, request{method: "GET", path: "/api/v2/search?per_page=25&query=" + url.QueryEscape(query)}, http.StatusOK, nil); err != nil {
				return nil, err
			}
			ms := float64(time.Since(asked).Microseconds()) / 1000
			switch {
			case n >= 0:
				took = append(took, ms)
			case n < -len(s.queries):
				first = append(first, ms)
			}
		}
		r.Figures = append(r.Figures, figureOf(s.name+", for the first time", 0, first))
		r.Figures = append(r.Figures, figureOf(s.name, wantedSearch, took))
	}
	return r, nil
}

// saying is what a ticket or a comment says.
type saying struct{ title, body string }

// readTexts reads the tickets and the pieces of the articles in a directory.
func readTexts(dir string) ([]saying, error) {
	out, err := readTickets(dir)
	if err != nil {
		return nil, err
	}
	err = eachArticle(dir, func(title, body string) { out = append(out, pieces(title, body, pieceSize)...) })
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out, err
}

func readTickets(dir string) ([]saying, error) {
	f, err := os.Open(filepath.Join(dir, "support_tickets.csv"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) < 2 {
		return nil, fmt.Errorf("%s: no tickets: %w", f.Name(), err)
	}
	product, subject, description := slices.Index(lines[0], "Product Purchased"), slices.Index(lines[0], "Ticket Subject"), slices.Index(lines[0], "Ticket Description")
	if product < 0 || subject < 0 || description < 0 {
		return nil, fmt.Errorf("%s: it has other columns", f.Name())
	}
	var out []saying
	for _, l := range lines[1:] {
		out = append(out, saying{l[subject], strings.ReplaceAll(l[description], "{product_purchased}", l[product])})
	}
	return out, nil
}

// pieceSize is about how many bytes of an article make a comment.
const pieceSize = 1500

// pieces are a text in pieces of a size in bytes.
func pieces(title, body string, size int) (out []saying) {
	for body != "" {
		n := min(len(body), size)
		for n < len(body) && !utf8.RuneStart(body[n]) {
			n++
		}
		out, body = append(out, saying{title, body[:n]}), body[n:]
	}
	return out
}

// copyTexts makes a table of texts by their numbers, from 0.
func copyTexts(ctx context.Context, tx pgx.Tx, table string, texts []saying) error {
	if _, err := tx.Exec(ctx, "CREATE TABLE "+table+" (n int PRIMARY KEY, title text, body text)"); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, []string{"n", "title", "body"}, pgx.CopyFromSlice(len(texts), func(i int) ([]any, error) {
		return []any{i, texts[i].title, texts[i].body}, nil
	}))
	return err
}

// retell gives tickets and comments the texts, in turns, unless an earlier run did,
// and has all of them found by these.
func (w *world) retell(ctx context.Context, texts []saying) error {
	var done bool
	if err := w.conn.QueryRow(ctx, "SELECT to_regclass('bench_texts') IS NOT NULL").Scan(&done); err != nil || done {
		return err
	}
	say("Writing the texts")
	tx, err := w.conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) // committed below
	if err := copyTexts(ctx, tx, "bench_texts", texts); err != nil {
		return err
	}
	n := len(texts)
	for _, s := range []struct {
		sql  string
		args []any
	}{
		{"SET LOCAL session_replication_role = replica", nil}, // no triggers
		{"UPDATE tickets t SET subject = x.title, description = x.body FROM bench_texts x WHERE t.account_id = $1 AND x.n = t.id % $2", []any{w.account, n}},
		// The first comment is the description.
		{`UPDATE comments c SET body = x.body, plain_body = x.body, html_body = '' FROM
			(SELECT id, (ticket_id + 1013 * (row_number() OVER (PARTITION BY ticket_id ORDER BY created_at, id) - 1)) % $2 AS n FROM comments WHERE account_id = $1) k
			JOIN bench_texts x ON x.n = k.n WHERE c.account_id = $1 AND c.id = k.id`, []any{w.account, n}},
		{"INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'ticket', id FROM tickets WHERE account_id = $1 ORDER BY id", []any{w.account}},
		{"INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'user', id FROM users WHERE account_id = $1 ORDER BY id", []any{w.account}},
		{"INSERT INTO search_pending (account_id, kind, record_id) SELECT account_id, 'organization', id FROM organizations WHERE account_id = $1 ORDER BY id", []any{w.account}},
	} {
		if _, err := tx.Exec(ctx, s.sql, s.args...); err != nil {
			return err
		}
	}
	return tx.Commit(ctx)
}
