package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
)

// world is the account that is measured on, and what requests name of it.
type world struct {
	dsn           string
	conn          *pgx.Conn
	account       int64
	authorization string

	firstUser, lastUser int64 // end users
	groups              []int64
	tickets             int64 // numbers 1 to this
	firstOpen           int64 // older tickets are solved or closed
	pages               []string
}

func openWorld(ctx context.Context, h *helpd) (*world, error) {
	dsn, err := postgres.Reach(ctx, h.options.dataDir)
	if err != nil {
		return nil, err
	}
	w := &world{dsn: dsn}
	if w.conn, err = pgx.Connect(ctx, dsn); err != nil {
		return nil, err
	}
	var email string
	err = w.conn.QueryRow(ctx, `SELECT a.id, u.email FROM accounts a JOIN users u ON u.account_id = a.id
		WHERE a.subdomain = $1 AND u.role = 'admin' ORDER BY u.id LIMIT 1`, account).Scan(&w.account, &email)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%s has no account %q: it was not made by bench", h.options.dataDir, account)
	}
	if err != nil {
		return nil, err
	}
	db, err := postgres.Open(dsn, postgres.Options{MaxConns: 1, Logger: slog.Default()})
	if err != nil {
		return nil, err
	}
	defer postgres.Close(db) //nolint:errcheck // nothing is in it
	_, token, err := auth.New(db, time.Now).NewAPIToken(ctx, w.account, "bench", "")
	w.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(email+"/token:"+token))
	return w, err
}

// close ends the connection, which would keep PostgreSQL from ending.
func (w *world) close() {
	if w.conn != nil {
		_ = w.conn.Close(context.Background())
		w.conn = nil
	}
}

func (w *world) anyTicket(r *rand.Rand) int64 { return 1 + r.Int64N(w.tickets) }
func (w *world) openTicket(r *rand.Rand) int64 {
	return w.firstOpen + r.Int64N(w.tickets-w.firstOpen+1)
}
func (w *world) anyUser(r *rand.Rand) int64 {
	return w.firstUser + r.Int64N(w.lastUser-w.firstUser+1)
}

// maxPages is how deep the cursor walk goes.
const maxPages = 1000

// ready learns what is in the account, and walks its pages to know their
// addresses.
func (w *world) ready(ctx context.Context, h *helpd) error {
	err := w.conn.QueryRow(ctx, `SELECT (SELECT min(id) FROM users WHERE account_id = $1 AND role = 'end-user'),
		(SELECT max(id) FROM users WHERE account_id = $1 AND role = 'end-user'),
		(SELECT array_agg(id) FROM groups WHERE account_id = $1 AND NOT deleted),
		(SELECT max(id) FROM tickets WHERE account_id = $1 AND status IN ('solved', 'closed')) + 1`, w.account).
		Scan(&w.firstUser, &w.lastUser, &w.groups, &w.firstOpen)
	if err != nil {
		return err
	}
	c, err := dial(h.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	next := "/api/v2/tickets?page%5Bsize%5D=100"
	for next != "" && len(w.pages) < maxPages && ctx.Err() == nil {
		w.pages = append(w.pages, next)
		var body bytes.Buffer
		if err := c.do(w, request{method: "GET", path: next}, http.StatusOK, &body); err != nil {
			return err
		}
		var page struct {
			Links struct{ Next *string }
		}
		if err := json.Unmarshal(body.Bytes(), &page); err != nil {
			return err
		}
		next = ""
		if page.Links.Next != nil {
			u, err := url.Parse(*page.Links.Next)
			if err != nil {
				return err
			}
			next = u.RequestURI()
		}
	}
	return ctx.Err()
}

// pages compares the first page of a cursor walk with a deep one.
type pages struct {
	Number int     `json:"number"` // of the deep page
	First  float64 `json:"first"`  // milliseconds, median
	Deep   float64 `json:"deep"`
	Ratio  float64 `json:"ratio"`
	Wanted float64 `json:"wanted"`
}

func measurePages(ctx context.Context, w *world, h *helpd) (pages, error) {
	p := pages{Number: len(w.pages), Wanted: 1.5}
	c, err := dial(h.addr)
	if err != nil {
		return p, err
	}
	defer c.conn.Close()
	var first, deep []float64
	for range 300 {
		for _, one := range []struct {
			path string
			took *[]float64
		}{{w.pages[0], &first}, {w.pages[len(w.pages)-1], &deep}} {
			begun := time.Now()
			if err := c.do(w, request{method: "GET", path: one.path}, http.StatusOK, nil); err != nil {
				return p, err
			}
			*one.took = append(*one.took, float64(time.Since(begun).Microseconds())/1000)
		}
		if ctx.Err() != nil {
			return p, ctx.Err()
		}
	}
	p.First, p.Deep = median(first), median(deep)
	p.Ratio = p.Deep / p.First
	return p, nil
}
