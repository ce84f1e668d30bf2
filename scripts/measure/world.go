package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/postgres"
)

// world is the account that is measured on, and what requests name of it.
type world struct {
	dsn      string
	conn     *pgx.Conn
	account  int64
	admin    string // address
	token    string
	signedIn map[string]string

	firstUser, lastUser                 int64 // end users
	firstAgent                          int64 // of agentCount
	firstOrganization, lastOrganization int64
	groups                              []int64
	tickets                             int64 // numbers 1 to this
	firstOpen                           int64 // older tickets are solved or closed
	pages                               []string

	// What pages are about; see furnish.
	byAssignment, byGroup, member string // addresses
	sharedOrganization, long      int64
	externalIDs                   []string

	articles, sections, categories []int64 // ids
}

// email is the address of a user whom the filler made.
func (w *world) email(user int64) string { return fmt.Sprintf("user%d@example.com", user) }

// openWorld opens the account with this subdomain in the database at dsn.
func openWorld(ctx context.Context, dsn, subdomain string) (*world, error) {
	w := &world{dsn: dsn, signedIn: map[string]string{}}
	var err error
	if w.conn, err = pgx.Connect(ctx, dsn); err != nil {
		return nil, err
	}
	err = w.conn.QueryRow(ctx, `SELECT a.id, u.email FROM accounts a JOIN users u ON u.account_id = a.id
		WHERE a.subdomain = $1 AND u.role = 'admin' ORDER BY u.id LIMIT 1`, subdomain).Scan(&w.account, &w.admin)
	if errors.Is(err, pgx.ErrNoRows) {
		err = fmt.Errorf("there is no account %q: the data directory was not made by bench", subdomain)
	}
	if err == nil {
		err = withGORM(dsn, func(db *gorm.DB) error {
			_, w.token, err = auth.New(db, time.Now).NewAPIToken(ctx, w.account, "bench", "")
			return err
		})
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// withoutRules deletes the rules that helpd made with its first account: they
// would change what is measured, and the filler makes tickets without them.
func (w *world) withoutRules(ctx context.Context) error {
	for _, statement := range []string{"DELETE FROM rules WHERE account_id = $1", "UPDATE accounts SET config_version = config_version + 1 WHERE id = $1"} {
		if _, err := w.conn.Exec(ctx, statement, w.account); err != nil {
			return err
		}
	}
	return nil
}

// makeAccount makes an account unless there is one with the subdomain.
func makeAccount(ctx context.Context, dsn, subdomain string) error {
	return withGORM(dsn, func(db *gorm.DB) error {
		var there bool
		err := db.WithContext(ctx).Raw("SELECT EXISTS (SELECT FROM accounts WHERE subdomain = ?)", subdomain).Row().Scan(&there)
		if err != nil || there {
			return err
		}
		_, err = server.CreateAccount(ctx, db, time.Now(), accounts.New{Subdomain: subdomain, Name: subdomain, AdminEmail: "admin@example.com"}, "")
		return err
	})
}

func withGORM(dsn string, do func(*gorm.DB) error) error {
	db, err := postgres.Open(dsn, postgres.Options{MaxConns: 1, Logger: slog.Default()})
	if err != nil {
		return err
	}
	defer postgres.Close(db) // what was done is committed
	return do(db)
}

// signIn is the Authorization of a user by address; empty: of the admin.
func (w *world) signIn(email string) string {
	if email == "" {
		email = w.admin
	}
	header, ok := w.signedIn[email]
	if !ok {
		header = "Basic " + base64.StdEncoding.EncodeToString([]byte(email+"/token:"+w.token))
		w.signedIn[email] = header
	}
	return header
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
func (w *world) anyOrganization(r *rand.Rand) int64 {
	return w.firstOrganization + r.Int64N(w.lastOrganization-w.firstOrganization+1)
}
func (w *world) anyAgent(r *rand.Rand) int64 { return w.firstAgent + r.Int64N(agentCount) }
func (w *world) anyUser(r *rand.Rand) int64 {
	return w.firstUser + r.Int64N(w.lastUser-w.firstUser+1)
}

// ready learns what is in the account. Nothing of it reads more than a few rows
// of tickets, which may not be in memory yet.
func (w *world) ready(ctx context.Context) error {
	w.firstOpen = int64(solvedShare*float64(w.tickets)) + 1
	return w.conn.QueryRow(ctx, `SELECT (SELECT min(id) FROM users WHERE account_id = $1 AND role = 'end-user'),
		(SELECT max(id) FROM users WHERE account_id = $1 AND role = 'end-user'),
		(SELECT min(id) FROM users WHERE account_id = $1 AND role = 'agent'),
		(SELECT min(id) FROM organizations WHERE account_id = $1),
		(SELECT max(id) FROM organizations WHERE account_id = $1),
		(SELECT array_agg(id) FROM groups WHERE account_id = $1 AND NOT deleted)`, w.account).
		Scan(&w.firstUser, &w.lastUser, &w.firstAgent, &w.firstOrganization, &w.lastOrganization, &w.groups)
}

// maxPages is how deep the cursor walk goes.
const maxPages = 1000

// walk goes through the pages of the tickets to know their addresses.
func (w *world) walk(ctx context.Context, addr string) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	next := "/api/v2/tickets?page%5Bsize%5D=100"
	for next != "" && len(w.pages) < maxPages && ctx.Err() == nil {
		w.pages = append(w.pages, next)
		var page struct {
			Links struct{ Next *string }
		}
		if err := c.ask(w, request{method: "GET", path: next}, http.StatusOK, &page); err != nil {
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
