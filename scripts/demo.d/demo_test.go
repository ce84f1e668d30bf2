package main

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/server"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/testdb"
)

const heading = "Ticket ID,Customer Name,Customer Email,Product Purchased,Date of Purchase,Ticket Type,Ticket Subject,Ticket Description," +
	"Ticket Status,Resolution,Ticket Priority,Ticket Channel,First Response Time,Time to Resolution,Customer Satisfaction Rating\n"

const file = heading + `1,A,a@example.com,GoPro Hero,2021-03-22,Technical issue,Product setup,"The {product_purchased} fails.

Please assist.",Pending Customer Response,,Critical,Social media,2023-06-01 12:15:36,,
2,B,b@example.com,LG OLED,2021-05-22,Refund request,Refund,Money back,Closed,Done.,Low,Email,2023-06-01 11:14:38,2023-06-01 18:05:38,3.0
3,A again,A@example.com,GoPro Hero,2020-07-14,Billing inquiry,Bill,Too much,Open,,Medium,Phone,,,
`

func TestDatesOfARow(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, times, created, updated string }{
		{"no time at all", ",", "2023-06-01 00:00:00", "2023-06-01 00:00:00"},
		{"answered", "2023-06-02 10:00:00,", "2023-06-02 00:00:00", "2023-06-02 10:00:00"},
		{"resolved before it was answered", "2023-06-02 10:00:00,2023-06-01 09:00:00", "2023-06-01 00:00:00", "2023-06-02 10:00:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			rows, err := readRows(strings.NewReader(heading + "1,A,a@example.com,P,,,,Text,Open,,,," + tc.times + ",\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got := rows[0].created().Format(time.DateTime); got != tc.created {
				t.Errorf("created %s, want %s", got, tc.created)
			}
			if got := rows[0].updated().Format(time.DateTime); got != tc.updated {
				t.Errorf("updated %s, want %s", got, tc.updated)
			}
		})
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text, want string }{
		{"another file", "a,b\n1,2\n", `there is no column "Ticket ID"`},
		{"unknown status", strings.Replace(file, "Closed", "Lost", 1), `ticket 2: unknown status "Lost"`},
		{"no address", strings.Replace(file, "b@example.com", "", 1), "ticket 2: number, name, e-mail address and description must not be empty"},
		{"a number twice", strings.Replace(file, "\n2,", "\n1,", 1), "ticket 1: the number is there twice"},
		{"no time", strings.Replace(file, "2023-06-01 11:14:38", "soon", 1), "ticket 2: parsing time"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if _, err := readRows(strings.NewReader(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %s", err, tc.want)
			}
		})
	}
}

// helpd is the API on a database of its own, and the environment of the demo.
func helpd(t *testing.T) (address string) {
	t.Helper()
	ctx, dsn := context.Background(), testdb.DSN(t)
	db, log := testdb.Open(t, dsn), slog.New(slog.NewTextHandler(io.Discard, nil))
	services, err := server.NewServices(ctx, db, dsn, server.ServiceOptions{Now: time.Now, Log: log, BlobURL: "file://" + t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.CreateAccount(ctx, db, time.Now(), accounts.New{Subdomain: "demo", Name: "Demo", AdminEmail: "admin@example.com"}, "token-of-the-test"); err != nil {
		t.Fatal(err)
	}
	handler := api.New(services, api.Options{Log: log, Registry: prometheus.NewRegistry(), Now: time.Now, Limits: edge.Limits{Account: 1 << 30, Anonymous: 1 << 30}})
	if err := services.Jobs.Start(ctx); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(func() {
		s.Close()
		if err := services.Jobs.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("HELPD_ADMIN_EMAIL", "admin@example.com")
	t.Setenv("HELPD_ADMIN_TOKEN", "token-of-the-test")
	return s.URL
}

func TestLoadingTwiceIsLoadingOnce(t *testing.T) {
	address, ctx := helpd(t), t.Context()
	path := filepath.Join(t.TempDir(), "tickets.csv")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	a := newCaller(address, "admin@example.com", "token-of-the-test")
	rows, err := readFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// An earlier run that was cut off behind its first ticket.
	me, err := a.me(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.create(ctx, me, rows, rows[:1]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := load(ctx, address, path); err != nil {
			t.Fatal(err)
		}
	}
	found, err := a.tickets(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for id, status := range map[string]string{"demo-1": "pending", "demo-2": "closed", "demo-3": "open"} {
		if got := found.ours[id]; len(got) != 1 || got[0] != status {
			t.Errorf("%s is %v, want one that is %s", id, got, status)
		}
	}
	if found.total != 3 {
		t.Errorf("%d tickets of 3", found.total)
	}
}

func TestCountsThatDifferAreAnError(t *testing.T) {
	t.Parallel()
	rows, err := readRows(strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	right := func() inventory {
		return inventory{total: 4, others: 1, ours: map[string][]string{"demo-1": {"pending"}, "demo-2": {"closed"}, "demo-3": {"open"}}}
	}
	for _, tc := range []struct {
		name   string
		change func(*inventory)
		count  int64
		want   string
	}{
		{"all there", func(*inventory) {}, 4, ""},
		{"one is missing", func(i *inventory) { delete(i.ours, "demo-2") }, 4, "demo-2: 0 tickets"},
		{"one is there twice", func(i *inventory) { i.ours["demo-1"] = []string{"pending", "pending"} }, 4, "demo-1: 2 tickets"},
		{"another status", func(i *inventory) { i.ours["demo-3"] = []string{"solved"} }, 4, "1 tickets are solved and not 0"},
		{"another count", func(*inventory) {}, 5, "helpd counts 5 tickets and not 4"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			now := right()
			tc.change(&now)
			err := summary(rows, nil, now, tc.count, time.Second)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}
