package helpcenter

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/timezone"
)

// Limits of a search.
const (
	// MaxFound is how many articles a search finds at most, as "Search Articles" in
	// Zendesk's reference of the help center says.
	MaxFound = 1_000
	maxQuery = 1_024 // characters
	maxWords = 64
	// AnyLocale is the language of a search in all of them.
	AnyLocale = "*"
)

// What the parts of an article weigh for a word.
const (
	inTitle  = 5.0
	inLabels = 3.0
	inBody   = 1.0
	// All words side by side, in the title or in the body.
	asTitle  = 8.0
	asPhrase = 2.0
)

// Sought is what articles are looked for by. Zero values are none.
type Sought struct {
	Query                string
	Locale               string // empty: the default one; AnyLocale
	Categories, Sections models.IDs
	Labels               models.Strings // all of which they have, in any letter case
	BrandID              int64          // 0: that of the host
	Multibrand           bool           // of all brands, unless BrandID says one
	Created, Updated     Dates
	Sort                 string // created_at, updated_at; empty: by relevance
	Desc                 bool
}

// Dates are days, as 2026-11-22, in the account's time zone.
type Dates struct{ Before, After, At string }

// FoundArticle is an article with the piece of its text that was looked for.
type FoundArticle struct {
	Article
	Snippet string // HTML, what was found in <em>
}

// FoundArticles are a page of what a search found.
type FoundArticles struct {
	Items []FoundArticle
	Count int
	More  bool // than Count, which is exact otherwise
	// Noted is the search as a click on one of its articles has to name it; empty
	// if it was not for words.
	Noted string
}

// Search is a page, by number, of the articles that by may see in a language and that
// have the words of a query, the best first: a title weighs more than labels, and
// these more than the body. If no article has all words, those that have some are
// found. It fails with fault.Invalid without anything to look for, for bad values, and
// for pages beyond MaxFound.
func (s *Service) Search(ctx context.Context, by auth.Actor, q Sought, r page.Request) (FoundArticles, error) {
	if (r.Number-1)*r.Size >= MaxFound {
		return FoundArticles{}, fault.InvalidField("page", "is beyond the first %d results", MaxFound)
	}
	where, args, err := s.sought(ctx, by, &q)
	if err != nil {
		return FoundArticles{}, err
	}
	if err := s.index.CatchUp(ctx, by.AccountID, search.Article); err != nil {
		return FoundArticles{}, err
	}
	var out FoundArticles
	err = s.index.Read(postgres.Planned(ctx), by.AccountID, search.Article, func(tx *gorm.DB) error {
		ids, err := s.find(tx, by, q, where, args, &out)
		if err != nil {
			return err
		}
		from := min((r.Number-1)*r.Size, len(ids))
		out.Items, err = s.foundTx(tx, by, ids[from:min(from+r.Size, len(ids))], q.Query)
		return err
	})
	if err == nil && q.Query != "" && r.Number == 1 {
		out.Noted, err = s.note(ctx, by, q, out.Count)
	}
	return out, err
}

// sought checks what is looked for, and makes it a condition of articles a and their
// translations t.
func (s *Service) sought(ctx context.Context, by auth.Actor, q *Sought) (where string, args []any, err error) {
	if q.Query, err = readQuery(q.Query); err != nil {
		return "", nil, err
	}
	if q.Query == "" && len(q.Categories) == 0 && len(q.Sections) == 0 && len(q.Labels) == 0 {
		return "", nil, fault.InvalidField("query", "cannot be blank, unless there is a category, section or label_names")
	}
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return "", nil, err
	}
	l := localesOf(config, by.Brand.ID)
	seen, more := SeenArticle(by)
	if elsewhere := q.BrandID != 0 && q.BrandID != by.Brand.ID; elsewhere || q.BrandID == 0 && q.Multibrand {
		var asked models.IDs
		if elsewhere {
			asked = models.IDs{q.BrandID}
		}
		r := reachOf(config, by, asked)
		seen, more = r.seen()
		l = r.locales
	}
	if q.Locale == "" {
		q.Locale = l.Default
	}
	if q.Locale != AnyLocale {
		if q.Locale, err = l.writing(q.Locale); err != nil {
			return "", nil, err
		}
	}
	where, args = "a.account_id = ? AND "+seen, append([]any{by.AccountID}, more...)
	narrow := func(cond string, values ...any) { where, args = where+" AND "+cond, append(args, values...) }
	if q.Locale != AnyLocale {
		narrow("t.locale = ?", q.Locale)
	} else if !by.Staff() {
		narrow("t.locale = ANY(?::text[])", models.Strings(l.Enabled))
	}
	if len(q.Categories) > 0 {
		narrow("a.category_id = ANY(?::bigint[])", q.Categories)
	}
	if len(q.Sections) > 0 {
		narrow("a.section_id = ANY(?::bigint[])", q.Sections)
	}
	if len(q.Labels) > 0 {
		names, err := spelledTx(s.db.WithContext(ctx), by.AccountID, q.Labels)
		if err != nil {
			return "", nil, err
		}
		narrow("a.label_names @> ?::text[]", names)
	}
	zone := timezone.Load(config.Account.TimeZone)
	for _, of := range []struct {
		name string
		Dates
	}{{"created", q.Created}, {"updated", q.Updated}} {
		if err := of.conditions(of.name, s.now(), zone, narrow); err != nil {
			return "", nil, err
		}
	}
	switch q.Sort {
	case "", "created_at", "updated_at":
	default:
		err = fault.InvalidField("sort_by", "%.50s is none of created_at and updated_at", q.Sort)
	}
	return where, args, err
}

// readQuery is a query without what surrounds it. It fails with fault.Invalid for one
// that is too long.
func readQuery(query string) (string, error) {
	query = strings.TrimSpace(strings.ToValidUTF8(query, " "))
	switch {
	case utf8.RuneCountInString(query) > maxQuery:
		return "", fault.TooLong("query", maxQuery)
	case len(strings.Fields(query)) > maxWords:
		return "", fault.InvalidField("query", "has more than %d words", maxWords)
	}
	return query, nil
}

// conditions adds those of days: before and after leave the day itself out.
func (d Dates) conditions(name string, now time.Time, zone *time.Location, narrow func(string, ...any)) error {
	for _, of := range []struct{ suffix, text string }{{"_before", d.Before}, {"_after", d.After}, {"_at", d.At}} {
		if of.text == "" {
			continue
		}
		if _, err := time.Parse(time.DateOnly, of.text); err != nil {
			return fault.InvalidField(name+of.suffix, "is no day as 2026-01-31")
		}
		day, err := search.Date(of.text, now, zone)
		if err != nil {
			return fault.InvalidField(name+of.suffix, "is no day as 2026-01-31")
		}
		column := "a." + name + "_at"
		switch of.suffix {
		case "_before":
			narrow(column+" < ?", day.From)
		case "_after":
			narrow(column+" >= ?", day.Until)
		default:
			narrow(column+" >= ? AND "+column+" < ?", day.From, day.Until)
		}
	}
	return nil
}

// find finds the translations that are sought, up to MaxFound, in their order, and
// counts them.
func (s *Service) find(tx *gorm.DB, by auth.Actor, q Sought, where string, args []any, out *FoundArticles) (ids []int64, err error) {
	if q.Query == "" {
		return s.listed(tx, q, where, args, out)
	}
	ranked, err := search.Rank(tx, by.AccountID, q.question(by))
	if err != nil {
		return nil, err
	}
	// Those that lack words are found when none has all that by may see: what he may
	// not see must not decide.
	complete, partial := ranked.Divided()
	for _, list := range [][]search.Ranked{complete, partial} {
		if ids, err = s.ordered(tx, q, list, where, args, out); err != nil || len(ids) > 0 {
			break
		}
	}
	return ids, err
}

// ordered finds those of ranked translations for which a condition holds, in the order
// that is asked for, and counts them.
func (s *Service) ordered(tx *gorm.DB, q Sought, ranked []search.Ranked, where string, args []any, out *FoundArticles) (ids []int64, err error) {
	if q.Sort == "" {
		ids, out.More, err = visible(tx, ranked, where, args, MaxFound)
		out.Count = len(ids)
		return ids, err
	}
	all := make(models.IDs, len(ranked))
	for i, r := range ranked {
		all[i] = r.ID
	}
	return s.listed(tx, q, where+" AND t.id = ANY(?::bigint[])", append(args[:len(args):len(args)], all), out)
}

// listed finds translations without words, or in another order than how well they
// answer.
func (s *Service) listed(tx *gorm.DB, q Sought, where string, args []any, out *FoundArticles) (ids []int64, err error) {
	column, direction := "a.position", "ASC"
	if q.Sort != "" {
		column = "a." + q.Sort
		if q.Desc {
			direction = "DESC"
		}
	}
	err = postgres.Rows(tx, fmt.Sprintf("SELECT t.id FROM %s WHERE %s ORDER BY %s %s, a.id %s, t.id LIMIT %d", articleFrom, where, column, direction, direction, MaxFound+1), args, func(row postgres.Scanned) error {
		ids = append(ids, 0)
		return row.Scan(&ids[len(ids)-1])
	})
	if out.Count = len(ids); out.Count > MaxFound {
		ids, out.Count, out.More = ids[:MaxFound], MaxFound, true
	}
	return ids, err
}

// visible are the first of ranked translations for which a condition holds, in their
// order, up to a number, and whether there may be more. They are looked into some at
// a time: as a rule by sees nearly all.
func visible(tx *gorm.DB, ranked []search.Ranked, where string, args []any, most int) (ids []int64, more bool, err error) {
	for size := most + most/4; len(ranked) > 0 && len(ids) <= most; size *= 4 {
		now := ranked[:min(size, len(ranked))]
		ranked = ranked[len(now):]
		list := make(models.IDs, len(now))
		for i, r := range now {
			list[i] = r.ID
		}
		holds := make(map[int64]bool, len(now))
		err = postgres.Rows(tx, "SELECT t.id FROM "+articleFrom+" WHERE "+where+" AND t.id = ANY(?::bigint[])", append(args[:len(args):len(args)], list), func(row postgres.Scanned) error {
			var id int64
			err := row.Scan(&id)
			holds[id] = true
			return err
		})
		if err != nil {
			return nil, false, err
		}
		for _, id := range list {
			if holds[id] {
				ids = append(ids, id)
			}
		}
	}
	if len(ids) > most {
		return ids[:most], true, nil
	}
	return ids, false, nil
}

// question is the query as the index is asked.
func (q Sought) question(by auth.Actor) search.Question {
	if q.Locale == AnyLocale {
		return asking(q.Query, nil, []string{by.User.Locale})
	}
	return asking(q.Query, []string{q.Locale}, []string{q.Locale})
}

// asking is a query as the index is asked for texts in some languages, nil for all,
// that have its words in the forms of some.
func asking(query string, within, forms []string) search.Question {
	out := search.Question{Kind: search.Article}
	var in []*search.Match
	for _, locale := range within {
		in = append(in, search.Whole(search.Locale, locale))
	}
	out.Within = search.Any(in...)
	match := func(part search.Part, of func(search.Words) *search.Match) *search.Match {
		var alike []*search.Match
		for _, locale := range forms {
			alike = append(alike, of(search.Words{Kind: search.Article, Parts: []search.Part{part}, Locale: locale, Begin: true}))
		}
		return search.Any(alike...)
	}
	phrase := func(part search.Part, text string) *search.Match {
		return match(part, func(w search.Words) *search.Match { return w.Phrase(text) })
	}
	for i, piece := range strings.Split(query, `"`) {
		if i%2 == 1 {
			out.Terms = append(out.Terms, term(func(part search.Part) *search.Match { return phrase(part, piece) }))
			continue
		}
		for word := range strings.FieldsSeq(piece) {
			out.Terms = append(out.Terms, term(func(part search.Part) *search.Match {
				return match(part, func(w search.Words) *search.Match { return w.Word(word) })
			}))
		}
	}
	if len(out.Terms) > 1 {
		for _, p := range []search.Weighted{{Match: phrase(search.Title, query), Weight: asTitle}, {Match: phrase(search.Body, query), Weight: asPhrase}} {
			if p.Match != nil {
				out.More = append(out.More, p)
			}
		}
	}
	return out
}

// term is a word that may be in any part of an article; nil for marks only.
func term(in func(search.Part) *search.Match) (t search.Term) {
	for _, p := range []struct {
		part   search.Part
		weight float64
	}{{search.Title, inTitle}, {search.Labels, inLabels}, {search.Body, inBody}} {
		if m := in(p.part); m != nil {
			t = append(t, search.Weighted{Match: m, Weight: p.weight})
		}
	}
	return t
}

// foundTx reads translations that a query found, in their order.
func (s *Service) foundTx(tx *gorm.DB, by auth.Actor, ids models.IDs, query string) ([]FoundArticle, error) {
	read := make(map[int64]Article, len(ids))
	err := postgres.Rows(tx, "SELECT "+shownColumns(by)+" FROM "+articleFrom+" WHERE a.account_id = ? AND t.id = ANY(?::bigint[])", []any{by.AccountID, ids}, func(row postgres.Scanned) error {
		a, err := scanArticle(row)
		read[a.Text.ID] = a
		return err
	})
	found := make([]Article, 0, len(ids))
	for _, id := range ids {
		if a, ok := read[id]; ok {
			found = append(found, a)
		}
	}
	return marked(found, query), err
}

// marked are articles with the pieces of their texts that a query asks for.
func marked(found []Article, query string) []FoundArticle {
	marks := map[string]*search.Marker{} // by language
	out := make([]FoundArticle, len(found))
	for i, a := range found {
		if marks[a.Text.Locale] == nil {
			marks[a.Text.Locale] = search.NewMarker(query, a.Text.Locale)
		}
		out[i] = FoundArticle{a, snippet(a.Text.HTMLBody, marks[a.Text.Locale])}
	}
	return out
}
