package finding

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/search"
)

// asked is a query that was understood.
type asked struct {
	plans []plan
	sort  string // a name of sorts; empty: by relevance
	desc  bool
}

// plan is how records of one kind are found: by words, by their properties, or
// both.
type plan struct {
	kind    search.Kind
	by      auth.Actor
	index   *search.Index
	match   *search.Match // nil: without words
	title   *search.Match // what makes a record more relevant; nil with match
	without *search.Match // words that must not be there
	where   []clause      // of properties
	live    bool          // only tickets that are not archived have them
	within  []search.Set  // in each of which a record must be
	number  int64         // one that may be the record's id; 0: none
}

// clause is a condition on the rows of a kind's table.
type clause struct {
	sql  string
	args []any
}

// compiler turns a query into plans.
type compiler struct {
	by     auth.Actor
	index  *search.Index
	config *fields.Config
	now    time.Time
	zone   *time.Location
	query  asked
}

// value is what a clause compares a property with.
type value struct {
	search.Clause
	text string // without a star at the end
	star bool
	id   int64 // 0: it is no number
}

func (v value) none() bool { return !v.Quoted && strings.EqualFold(v.Value, "none") }

// property is what can be asked of records of a kind.
type property struct {
	// words are parts of documents; nil: where is asked.
	words []search.Part
	exact bool // other forms of a word are not meant
	// where is the condition for one value, whose operator is one of ops or Is.
	where func(c *compiler, v value) (string, []any, error)
	ops   bool // more than Is
}

// general are properties that say nothing of records by themselves.
var general = []string{"type", "order_by", "sort"}

func (c *compiler) known(name string) bool {
	if slices.Contains(general, name) {
		return true
	}
	for _, kind := range search.Kinds {
		if _, ok := c.property(kind, name); ok {
			return true
		}
	}
	return false
}

// property is what a name means for records of a kind.
func (c *compiler) property(kind search.Kind, name string) (property, bool) {
	p, ok := properties[kind][name]
	if ok {
		return p, true
	}
	switch kind {
	case search.Ticket:
		if number, ok := strings.CutPrefix(name, "custom_field_"); ok {
			id, err := strconv.ParseInt(number, 10, 64)
			if f, found := c.config.Field(id); err == nil && found && f.Active && f.Custom() {
				return fieldProperty(f, "t.custom_fields"), true
			}
		}
	case search.User:
		if f := c.config.Users.Named(name); f != nil {
			return fieldProperty(f, "u.user_fields"), true
		}
	case search.Organization:
		if f := c.config.Organizations.Named(name); f != nil {
			return fieldProperty(f, "o.organization_fields"), true
		}
	}
	return property{}, false
}

// compile makes a plan for each of the kinds that the query may find.
func (c *compiler) compile(text string, kinds []search.Kind) (asked, error) {
	clauses, err := search.Parse(text, c.known)
	if err != nil {
		return asked{}, err
	}
	c.query.desc = true
	if !slices.ContainsFunc(clauses, func(cl search.Clause) bool { return cl.Name != "" || search.HasWord(cl.Value) }) {
		return c.query, nil // marks only, which nobody means all by
	}
	if clauses, kinds, err = c.general(clauses, kinds); err != nil {
		return asked{}, err
	}
	for _, kind := range kinds {
		p, ok, err := c.plan(kind, clauses)
		if err != nil {
			return asked{}, err
		}
		if ok {
			c.query.plans = append(c.query.plans, p)
		}
	}
	return c.query, nil
}

// general takes out the clauses that are not about records.
func (c *compiler) general(clauses []search.Clause, kinds []search.Kind) (rest []search.Clause, of []search.Kind, err error) {
	of = kinds
	var named []search.Kind
	for _, cl := range clauses {
		switch cl.Name {
		case "type":
			kind := search.Kind(strings.ToLower(cl.Value))
			switch {
			case cl.Op != search.Is:
				return nil, nil, search.Bad("type can only be compared with :")
			case !slices.Contains(search.Kinds, kind) && !slices.Contains(otherTypes, string(kind)):
				return nil, nil, search.Bad("type has a value that is not one of ticket, user, organization, group")
			case cl.Not:
				of = slices.DeleteFunc(slices.Clone(of), func(k search.Kind) bool { return k == kind })
			default:
				named = append(named, kind)
			}
		case "order_by":
			if c.query.sort, err = sortOf(cl.Value); err != nil {
				return nil, nil, err
			}
		case "sort":
			if c.query.desc, err = direction(cl.Value); err != nil {
				return nil, nil, err
			}
		case "user": // which also says what is looked for
			if !cl.Not {
				named = append(named, search.User)
			}
			rest = append(rest, cl)
		default:
			rest = append(rest, cl)
		}
	}
	if named != nil {
		of = slices.DeleteFunc(slices.Clone(of), func(k search.Kind) bool { return !slices.Contains(named, k) })
	}
	return rest, of, nil
}

// otherTypes are those of records that helpd does not keep here.
var otherTypes = []string{"article", "topic"}

// plan is that of a kind; false if it has not all the properties that are asked
// for.
func (c *compiler) plan(kind search.Kind, clauses []search.Clause) (plan, bool, error) {
	p := plan{kind: kind, by: c.by, index: c.index}
	var words, titles, without []*search.Match
	same := map[string][]value{} // of one property, whose values are alternatives
	var names []string
	for _, cl := range clauses {
		if cl.Name == "" {
			c.word(&p, cl, alone(clauses), &words, &titles, &without)
			continue
		}
		prop, ok := c.property(kind, cl.Name)
		if !ok {
			return p, false, nil
		}
		v := read(cl)
		switch {
		case cl.Op != search.Is && !prop.ops:
			return p, false, search.Bad("%s can only be compared with :", cl.Name)
		case cl.Not || cl.Op != search.Is:
			if err := c.compare(&p, kind, prop, []value{v}, &words, &without); err != nil {
				return p, false, err
			}
		default:
			if len(same[cl.Name]) == 0 {
				names = append(names, cl.Name)
			}
			same[cl.Name] = append(same[cl.Name], v)
		}
	}
	for _, name := range names {
		prop, _ := c.property(kind, name)
		if err := c.compare(&p, kind, prop, same[name], &words, &without); err != nil {
			return p, false, err
		}
	}
	p.match, p.title, p.without = search.All(words...), search.All(titles...), search.Any(without...)
	return p, true, nil
}

func read(cl search.Clause) value {
	v := value{Clause: cl}
	v.text, v.star = cl.Star()
	if n, err := strconv.ParseInt(v.text, 10, 64); err == nil && n > 0 && !v.star {
		v.id = n
	}
	return v
}

// alone reports whether there is one word, and properties at most beside it.
func alone(clauses []search.Clause) bool {
	n := 0
	for _, cl := range clauses {
		if cl.Name == "" {
			n++
		}
	}
	return n == 1
}

// word adds a word or a phrase.
func (c *compiler) word(p *plan, cl search.Clause, alone bool, words, titles, without *[]*search.Match) {
	look := search.Words{Kind: p.kind, Locale: c.by.User.Locale, Begin: true}
	find := look.Word
	if cl.Quoted {
		find = look.Phrase
	}
	m := find(cl.Value)
	switch {
	case m == nil: // marks only: every record has as much
	case cl.Not:
		*without = append(*without, m)
	default:
		*words = append(*words, m)
		look.Parts = []search.Part{search.Title}
		if cl.Quoted {
			*titles = append(*titles, look.Phrase(cl.Value))
		} else {
			*titles = append(*titles, look.Word(cl.Value))
		}
		if alone && !cl.Quoted {
			p.number, _ = strconv.ParseInt(strings.TrimPrefix(cl.Value, "#"), 10, 64)
		}
	}
}

// compare adds the condition that a property has one of some values.
func (c *compiler) compare(p *plan, kind search.Kind, prop property, list []value, words, without *[]*search.Match) error {
	if prop.words != nil {
		m, err := c.text(kind, prop, list)
		if err != nil {
			return err
		}
		if list[0].Not {
			*without = append(*without, m)
			return nil
		}
		*words = append(*words, m)
		return nil
	}
	var alternatives []string
	var all []any
	live := !list[0].Not
	for _, v := range list {
		where, args, err := prop.where(c, v)
		if err != nil {
			return err
		}
		alternatives, all = append(alternatives, where), append(all, args...)
		live = live && strings.HasSuffix(where, onLists)
	}
	where := "(" + strings.Join(alternatives, " OR ") + ")"
	if list[0].Not {
		where = "(" + where + " IS NOT TRUE)"
	}
	p.where, p.live = append(p.where, clause{where, all}), p.live || live
	return nil
}

// text is the condition that a part of a document has words.
func (c *compiler) text(kind search.Kind, prop property, list []value) (*search.Match, error) {
	var any []*search.Match
	for _, v := range list {
		look := search.Words{Kind: kind, Parts: prop.words, Locale: c.by.User.Locale, Begin: v.star, Exact: prop.exact}
		find := look.Word
		if v.Quoted {
			find = look.Phrase
		}
		m := find(v.text)
		if m == nil {
			return nil, search.Bad("%s has a value without a word", v.Name)
		}
		any = append(any, m)
	}
	return search.Any(any...), nil
}

// sorts are what results can be in the order of, by the names that clients use.
var sorts = map[string]string{
	"created": "created", "created_at": "created", "updated": "updated", "updated_at": "updated", "commented": "commented",
	"priority": "priority", "status": "status", "ticket_type": "ticket_type", "relevance": "",
}

func sortOf(name string) (string, error) {
	by, ok := sorts[strings.ToLower(name)]
	if !ok {
		return "", search.Bad("results cannot be sorted by %q", name)
	}
	return by, nil
}

func direction(name string) (desc bool, err error) {
	switch strings.ToLower(name) {
	case "asc":
		return false, nil
	case "desc":
		return true, nil
	}
	return true, search.Bad("the order must be asc or desc, not %q", name)
}

// ranked is the condition that one of names in their order compares so with v.
func ranked(column string, names []string, v value) (string, []any, error) {
	at := slices.Index(names, strings.ToLower(v.text))
	if at < 0 {
		return "", nil, search.Bad("%s has a value that is not one of %s", v.Name, strings.Join(names, ", "))
	}
	var in []string
	for i, name := range names {
		if holds(v.Op, i-at) {
			in = append(in, "'"+name+"'") // written out, so that partial indexes serve
		}
	}
	if in == nil {
		return "false", nil, nil
	}
	return fmt.Sprintf("%s IN (%s)", column, strings.Join(in, ", ")), nil, nil
}

func holds(op search.Op, difference int) bool {
	switch op {
	case search.Less:
		return difference < 0
	case search.More:
		return difference > 0
	case search.AtMost:
		return difference <= 0
	case search.Least:
		return difference >= 0
	}
	return difference == 0
}
