package helpcenter

import (
	"cmp"
	"context"
	"math"
	"regexp"
	"slices"
	"sort"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/ulid"
)

// What a unified search looks for, by the names that "Unified Search" in Zendesk's
// reference of the help center gives them.
const (
	ContentArticle  = "ARTICLE"
	ContentPost     = "POST"
	ContentExternal = "EXTERNAL_RECORD"
)

// MaxUnified is how many results a page of a unified search has at most.
const MaxUnified = 50

// maxLocales is how many languages a unified search may name: more than there are.
const maxLocales = 250

// SoughtAnywhere is what a unified search is for. Zero values are none, and each that is
// there narrows the results down.
type SoughtAnywhere struct {
	Query                                string
	Locales                              []string   // at least one; in those that are not enabled there is nothing
	Kinds                                []string   // ContentArticle and so on
	Categories, Sections, Brands, Topics models.IDs // without Brands in the help centers of all
	Sources                              []string   // of external records, by their ULIDs

	at reach // the help centers of Brands
}

// FoundAnywhere are a page of what a unified search found. There are articles alone:
// no topic has posts, and no source external records.
type FoundAnywhere struct {
	page.Result[FoundArticle]
	Locale string // the first of the languages that is enabled, or else the default one
	Noted  string // as in FoundArticles
}

// SearchAnywhere is a page, by cursor, of what by may see in some languages and has the
// words of a query, ranked as Search does it; without a query, the newest first. It fails
// with fault.Invalid naming the filter.
func (s *Service) SearchAnywhere(ctx context.Context, by auth.Actor, in SoughtAnywhere, r page.Request) (FoundAnywhere, error) {
	out := FoundAnywhere{Result: page.Result[FoundArticle]{Request: r, Items: []FoundArticle{}}}
	q, articles, err := in.read()
	if err != nil {
		return out, err
	}
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return out, err
	}
	q.at = reachOf(config, by, q.Brands)
	l := q.at.locales
	q.Locales = slices.DeleteFunc(q.Locales, func(locale string) bool { return !slices.Contains(l.Enabled, locale) })
	if !articles {
		q.Locales = nil // there is nothing, whatever the language
	}
	if out.Locale = l.Default; len(q.Locales) > 0 {
		out.Locale = q.Locales[0]
	}
	switch {
	case q.Query == "":
		out.Result, err = s.newest(ctx, by, q, r)
		return out, err
	case len(q.Locales) == 0:
		_, err = readPlace(r)
		return out, err
	}
	if err := s.index.CatchUp(ctx, by.AccountID, search.Article); err != nil {
		return out, err
	}
	err = s.index.Read(postgres.Planned(ctx), by.AccountID, search.Article, func(tx *gorm.DB) error {
		out.Result, err = s.rankedPageTx(tx, by, q, r)
		return err
	})
	if err == nil && r.After == "" && r.Before == "" {
		of := AnyLocale
		if len(q.Locales) == 1 {
			of = q.Locales[0]
		}
		out.Noted, err = s.note(ctx, by, Sought{Query: q.Query, Locale: of}, len(out.Items))
	}
	return out, err
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})*$`)

// read checks what is looked for, and reports whether that may be an article.
func (in SoughtAnywhere) read() (_ SoughtAnywhere, articles bool, err error) {
	var errs []error
	in.Query, err = readQuery(in.Query)
	errs = append(errs, err)
	var asked []string
	for _, locale := range notBlank(in.Locales) {
		if locale = strings.ToLower(locale); slices.Contains(asked, locale) {
			continue
		}
		if asked = append(asked, locale); !languageTag.MatchString(locale) {
			errs = append(errs, fault.InvalidField("filter[locales]", "%.50s is not a language", locale))
		}
	}
	switch {
	case len(asked) == 0:
		errs = append(errs, fault.Blank("filter[locales]"))
	case len(asked) > maxLocales:
		errs = append(errs, fault.InvalidField("filter[locales]", "cannot be more than %d", maxLocales))
	}
	in.Kinds, in.Sources = notBlank(in.Kinds), notBlank(in.Sources)
	in.Locales, articles = asked, len(in.Kinds) == 0
	for _, kind := range in.Kinds {
		switch kind {
		case ContentArticle:
			articles = true
		case ContentPost, ContentExternal:
		default:
			errs = append(errs, fault.InvalidField("filter[content_types]", "%.50s is none of ARTICLE, POST and EXTERNAL_RECORD", kind))
		}
	}
	for _, id := range in.Sources {
		if !ulid.Is(id) {
			errs = append(errs, fault.InvalidField("filter[external_source_ids]", "%.50s is not the id of a source", id))
		}
	}
	return in, articles && len(in.Topics) == 0 && len(in.Sources) == 0, fault.Join(errs...)
}

func notBlank(list []string) (out []string) {
	for _, text := range list {
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// condition is that of the articles a and their translations t that are looked for, but
// for the words.
func (in SoughtAnywhere) condition() (string, []any) {
	where, args := in.at.seen()
	where, args = "a.account_id = ? AND t.locale = ANY(?::text[]) AND "+where, append([]any{in.at.by.AccountID, models.Strings(in.Locales)}, args...)
	for _, of := range []struct {
		column string
		ids    models.IDs
	}{{"a.category_id", in.Categories}, {"a.section_id", in.Sections}} {
		if len(of.ids) > 0 {
			where, args = where+" AND "+of.column+" = ANY(?::bigint[])", append(args, of.ids)
		}
	}
	return where, args
}

var newestFirst = page.By("id,translation", page.Column{Expr: "a.id", Kind: page.Int}, page.Column{Expr: "t.id", Kind: page.Int}).Reversed()

// newest is a page of what is looked for without words.
func (s *Service) newest(ctx context.Context, by auth.Actor, in SoughtAnywhere, r page.Request) (page.Result[FoundArticle], error) {
	where, args := in.condition()
	found, err := page.ListRows(postgres.Planned(ctx), s.db, page.Query{
		Select: shownColumns(by), From: articleFrom, Where: where, Args: args, Order: newestFirst, KeysFirst: true,
		Rejoin:     "JOIN translations AS t ON t.account_id = ? AND t.id = k.id JOIN articles AS a ON a.account_id = t.account_id AND a.id = t.source_id",
		RejoinArgs: []any{by.AccountID},
	}, r, scanArticle)
	out := page.Map(found, func(Article) (f FoundArticle) { return f })
	out.Items = marked(found.Items, "")
	return out, err
}

// rankedOrder names the order of what is ranked, in cursors.
const rankedOrder = "-strength,id"

// place is where a cursor stands among what is ranked.
type place struct {
	strength int64 // as strengthOf tells it
	id       int64 // of the translation
	partly   int64 // 1: among what lacks words
}

// strengthOf is how strong an answer is, in millionths. Other than its score it is the
// same, or nearly, when words have become rarer or more common.
func strengthOf(r search.Ranked) int64 { return int64(math.Round(1e6 * r.Strength)) }

func cursorOf(r search.Ranked) string {
	partly := int64(1)
	if r.Complete {
		partly = 0
	}
	return page.Cursor(rankedOrder, strengthOf(r), r.ID, partly)
}

// readPlace reads a cursor; nil is an end.
func readPlace(r page.Request) (*place, error) {
	name, text := "after", r.After
	if r.Before != "" {
		name, text = "before", r.Before
	}
	if text == "" || name == "before" && text == page.End {
		return nil, nil
	}
	values, err := page.Values(name, text, rankedOrder, 3)
	if err != nil {
		return nil, err
	}
	var p place
	for i, to := range []*int64{&p.strength, &p.id, &p.partly} {
		n, ok := values[i].(int64)
		if !ok {
			return nil, page.BadCursor("page[" + name + "]")
		}
		*to = n
	}
	return &p, nil
}

// in is where the place is in a list, and whether what it stands at is still there,
// which is looked for by its id.
func (p place) in(list []search.Ranked) (int, bool) {
	if i := slices.IndexFunc(list, func(r search.Ranked) bool { return r.ID == p.id }); i >= 0 {
		return i, true
	}
	return sort.Search(len(list), func(i int) bool {
		return cmp.Or(cmp.Compare(p.strength, strengthOf(list[i])), cmp.Compare(p.id, list[i].ID)) > 0
	}), false
}

// ahead are what of a list lies behind a place, or going back in front of it, the
// nearest first.
func ahead(list []search.Ranked, at *place, back bool) []search.Ranked {
	from, to := 0, len(list)
	if at != nil {
		i, there := at.in(list)
		switch {
		case back:
			to = i
		case there:
			from = i + 1
		default:
			from = i
		}
	}
	if list = list[from:to]; back {
		list = slices.Clone(list)
		slices.Reverse(list)
	}
	return list
}

// rankedPageTx is a page of what is looked for by words. What is ranked is found anew for
// each page, which costs the same for all; who may see it is asked of the page alone.
func (s *Service) rankedPageTx(tx *gorm.DB, by auth.Actor, in SoughtAnywhere, r page.Request) (page.Result[FoundArticle], error) {
	out := page.Result[FoundArticle]{Request: r, Items: []FoundArticle{}}
	at, err := readPlace(r)
	if err != nil {
		return out, err
	}
	ranking, err := search.Rank(tx, by.AccountID, asking(in.Query, in.Locales, in.Locales))
	if err != nil {
		return out, err
	}
	where, args := in.condition()
	complete, partial := ranking.Divided()
	var ids []int64
	more := false
	for n, list := range [][]search.Ranked{complete, partial} {
		if at != nil && at.partly != int64(n) {
			continue
		}
		if ids, more, err = visible(tx, ahead(list, at, r.Before != ""), where, args, r.Size); err != nil || len(ids) > 0 {
			break
		}
	}
	if err != nil || len(ids) == 0 {
		return out, err
	}
	out.HasMore, out.HasPrevious = more, r.After != ""
	if r.Before != "" {
		slices.Reverse(ids)
		out.HasMore, out.HasPrevious = at != nil, more
	}
	ranked := func(id int64) search.Ranked {
		return ranking[slices.IndexFunc(ranking, func(r search.Ranked) bool { return r.ID == id })]
	}
	out.Before, out.After = cursorOf(ranked(ids[0])), cursorOf(ranked(ids[len(ids)-1]))
	out.Items, err = s.foundTx(tx, by, ids, in.Query)
	return out, err
}
