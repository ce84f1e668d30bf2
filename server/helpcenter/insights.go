package helpcenter

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

const (
	// notedQuery is how many characters of a query are noted.
	notedQuery = 255
	// clickable is how long after a search a click on what it found counts.
	clickable = 24 * time.Hour
)

// note counts a search for words, and returns what a click on one of its articles has
// to name.
func (s *Service) note(ctx context.Context, by auth.Actor, q Sought, found int) (string, error) {
	query := search.Fold(q.Query)
	if utf8.RuneCountInString(query) > notedQuery {
		query = string([]rune(query)[:notedQuery])
	}
	empty := 0
	if found == 0 {
		empty = 1
	}
	now := s.now().UTC()
	if err := s.count(ctx, by, now, looking{q.Locale, query}, 1, empty, 0); err != nil {
		return "", err
	}
	return token(ctx, s, "search", looking{q.Locale, query}, now.Add(clickable))
}

// looking is what readers look for.
type looking struct {
	Locale string `json:"l"`
	Query  string `json:"q"`
}

// Click counts that a reader opened an article that a search found, which noted tells.
// It fails with fault.Invalid for one that is none of the account's or too old.
func (s *Service) Click(ctx context.Context, by auth.Actor, noted string) error {
	of, ok, err := brought[looking](ctx, s, "search", noted)
	if err != nil {
		return err
	}
	if !ok {
		return fault.InvalidField("search_token", "is none of the last day's searches")
	}
	return s.count(ctx, by, s.now().UTC(), of, 0, 0, 1)
}

// count adds to the counts of a query. They may be lost when the power goes: nobody
// waits for the disk to look for something.
func (s *Service) count(ctx context.Context, by auth.Actor, now time.Time, of looking, searches, empty, clicks int) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		if err := postgres.Exec(tx, "SET LOCAL synchronous_commit = off", nil); err != nil {
			return err
		}
		return postgres.Exec(tx, `INSERT INTO help_center_queries AS q (account_id, brand_id, day, locale, query, searches, empty, clicks, last_at)
			VALUES (?, ?, ?::date, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, brand_id, day, locale, query) DO UPDATE SET
			searches = q.searches + EXCLUDED.searches, empty = q.empty + EXCLUDED.empty, clicks = q.clicks + EXCLUDED.clicks,
			last_at = greatest(q.last_at, EXCLUDED.last_at)`,
			[]any{by.AccountID, by.Brand.ID, now.Format(time.DateOnly), of.Locale, of.Query, searches, empty, clicks, now})
	})
}

// Insight is what came of looking for a query in a period.
type Insight struct {
	Query, Locale           string
	Searches, Empty, Clicks int64
	LastAt                  time.Time
}

// Looked says which insights are wanted. Zero values are all.
type Looked struct {
	Locale string
	From   string // the first day, as 2026-11-22; empty: 30 days ago
	To     string // the last day; empty: today
	Empty  bool   // only queries that found nothing at least once
}

// Insights is a page, by number, of what readers looked for in the brand's help center, what they looked for most
// often first.
func (s *Service) Insights(ctx context.Context, by auth.Actor, in Looked, r page.Request) (page.Result[Insight], error) {
	out := page.Result[Insight]{Request: r, Items: []Insight{}}
	from, to, err := s.period(in.From, in.To)
	if err != nil {
		return out, err
	}
	if r.Sort != "" && r.Sort != "searches" && r.Sort != "clicks" && r.Sort != "zero_results" {
		return out, fault.InvalidField("sort_by", "%.50s is none of searches, clicks and zero_results", r.Sort)
	}
	column := map[string]string{"": "3", "searches": "3", "zero_results": "4", "clicks": "5"}[r.Sort]
	where, args := "account_id = ? AND day >= ?::date AND day <= ?::date", []any{by.AccountID, from, to}
	of, more := ofBrand(by, "brand_id")
	where, args = where+" AND "+of, append(args, more...)
	if in.Locale != "" {
		where, args = where+" AND locale = ?", append(args, strings.ToLower(in.Locale))
	}
	having := ""
	if in.Empty {
		having = " HAVING sum(empty) > 0"
	}
	return grouped(s.db.WithContext(ctx), r, "query, locale, sum(searches)::bigint, sum(empty)::bigint, sum(clicks)::bigint, max(last_at)",
		"FROM help_center_queries WHERE "+where+" GROUP BY query, locale"+having, column+" DESC, query, locale", args,
		func(row postgres.Scanned, count *int) (i Insight, err error) {
			return i, row.Scan(&i.Query, &i.Locale, &i.Searches, &i.Empty, &i.Clicks, &i.LastAt, count)
		})
}

// grouped is a page, by number, of groups of rows: those of a statement from its FROM to
// its GROUP BY. scan reads the columns of one, and behind them how many groups there are.
func grouped[T any](tx *gorm.DB, r page.Request, columns, groups, order string, args []any, scan func(row postgres.Scanned, count *int) (T, error)) (page.Result[T], error) {
	out := page.Result[T]{Request: r, Items: []T{}}
	err := postgres.Rows(tx, fmt.Sprintf("SELECT %s, count(*) OVER () %s ORDER BY %s LIMIT %d OFFSET %d", columns, groups, order, r.Size, (r.Number-1)*r.Size), args, func(row postgres.Scanned) error {
		one, err := scan(row, &out.Count)
		out.Items = append(out.Items, one)
		return err
	})
	if err == nil && len(out.Items) == 0 && r.Number > 1 { // beyond the last page
		_, err = postgres.Row(tx, "SELECT count(*) FROM (SELECT "+groups+") g", args, &out.Count)
	}
	out.HasMore = r.Number*r.Size < out.Count
	return out, err
}

// period are days from the first to the last, each as 2026-11-22.
func (s *Service) period(from, to string) (string, string, error) {
	today := s.now().UTC()
	for _, d := range []struct {
		name string
		day  *string
		or   time.Time
	}{{"start_date", &from, today.AddDate(0, 0, -30)}, {"end_date", &to, today}} {
		if *d.day == "" {
			*d.day = d.or.Format(time.DateOnly)
		}
		if day, err := time.Parse(time.DateOnly, *d.day); err != nil || day.Year() < 1 {
			return "", "", fault.InvalidField(d.name, "is no day as 2026-01-31")
		}
	}
	return from, to, nil
}
