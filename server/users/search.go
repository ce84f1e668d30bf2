package users

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// Search is a page of the active users that match a query, by id.
//
// A query is made of words, quoted phrases and terms of the form key:value, and
// all of them must hold. A word holds for a user with it in the name, in an
// address or in a phone number. Keys are email, name, phone, role, external_id,
// organization (name, id or none) and tags; terms of one key are alternatives.
// With externalID the query is not looked at. It fails with fault.BadQuery
// where there is nothing to search for.
func (s *Service) Search(ctx context.Context, by auth.Actor, query, externalID string, p page.Request) (page.Result[models.User], error) {
	var none page.Result[models.User]
	if externalID != "" {
		return s.List(ctx, by, Filter{ExternalID: externalID}, p)
	}
	q, err := s.query(ctx, by, Filter{})
	if err != nil {
		return none, err
	}
	if utf8.RuneCountInString(query) > maxQuery {
		return none, fault.New(fault.BadQuery, "Invalid search: the query is longer than %d characters", maxQuery)
	}
	terms := parse(query)
	if len(terms) == 0 {
		return none, fault.New(fault.BadQuery, "Invalid search: a query or an external_id is needed")
	}
	if len(terms) > maxTerms {
		return none, fault.New(fault.BadQuery, "Invalid search: the query has more than %d terms", maxTerms)
	}
	conds := map[string][]condition{}
	var keys []string // in the order of the query, so that equal queries make equal SQL
	for i, t := range terms {
		c, err := t.condition(by.AccountID)
		if err != nil {
			return none, err
		}
		key := t.key
		if key == "" { // each word must hold
			key = strconv.Itoa(i)
		}
		if len(conds[key]) == 0 {
			keys = append(keys, key)
		}
		conds[key] = append(conds[key], c)
	}
	for _, key := range keys {
		var alternatives []string
		for _, c := range conds[key] {
			alternatives = append(alternatives, c.sql)
			q.Args = append(q.Args, c.args...)
		}
		q.Where += " AND (" + strings.Join(alternatives, " OR ") + ")"
	}
	return page.List(ctx, s.db, q, p, scanOf(by.AccountID))
}

// Limits of a query.
const (
	maxQuery = 1024
	maxTerms = 20
)

// MinAutocomplete is how many characters a name must have to be completed.
const MinAutocomplete = 2

// Autocomplete is a page of the active users with a word in the name, or an
// address or phone number, that begins with text; by name. Of a lookup, they are
// those that it offers. It fails with fault.Invalid for a text shorter than
// MinAutocomplete, and for a field that is no lookup of users.
func (s *Service) Autocomplete(ctx context.Context, by auth.Actor, text string, of fields.Lookup, p page.Request) (page.Result[models.User], error) {
	q, err := s.query(ctx, by, Filter{})
	if err != nil {
		return page.Result[models.User]{}, err
	}
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) < MinAutocomplete {
		return page.Result[models.User]{}, tooShort("name", MinAutocomplete)
	}
	if err := limit("name", text, maxText); err != nil {
		return page.Result[models.User]{}, err
	}
	offered, args, err := s.fields.Offered(ctx, by, fields.TargetUsers, of)
	if err != nil {
		return page.Result[models.User]{}, err
	}
	c := suggestions(by.AccountID, text)
	if of.FieldID != 0 { // what is offered may not be among the first
		c = begins(by.AccountID, text)
	}
	q.Where += " AND " + c.sql + " AND " + offered
	q.Args = append(append(q.Args, c.args...), args...)
	q.Order = page.By("name,id", page.Column{Expr: "lower(u.name)", Kind: page.Text}, page.Column{Expr: "u.id", Kind: page.Int})
	return page.List(ctx, s.db, q, p, scanOf(by.AccountID))
}

// term is one part of a query; a plain word has no key.
type term struct{ key, value string }

var searchKeys = map[string]string{
	"email": "email", "name": "name", "phone": "phone", "role": "role", "external_id": "external_id",
	"organization": "organization", "organization_id": "organization", "tags": "tags", "tag": "tags", "user": "user", "type": "type",
}

// parse splits a query at white space outside of quotes. What looks like a key
// but is none is a word: names and notes hold colons.
func parse(query string) []term {
	var out []term
	for rest := strings.TrimSpace(query); rest != ""; rest = strings.TrimLeftFunc(rest, unicode.IsSpace) {
		var t term
		if key, _, ok := strings.Cut(rest, ":"); ok {
			if known := searchKeys[strings.ToLower(key)]; known != "" {
				t.key, rest = known, rest[len(key)+1:]
			}
		}
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			t.value, rest, _ = strings.Cut(quoted, `"`)
		} else {
			end := strings.IndexFunc(rest, unicode.IsSpace)
			if end < 0 {
				end = len(rest)
			}
			t.value, rest = rest[:end], rest[end:]
		}
		if t.value = strings.TrimSpace(t.value); t.value == "" && t.key == "" || t.key == "type" {
			continue // every result is a user
		}
		out = append(out, t)
	}
	return out
}

type condition struct {
	sql  string
	args []any
}

func (t term) condition(account int64) (condition, error) {
	lower := strings.ToLower(t.value)
	if t.value == "" {
		return condition{}, fault.New(fault.BadQuery, "Invalid search: %s: has no value", t.key)
	}
	switch t.key {
	case "email":
		if local, domain, ok := strings.Cut(lower, "@"); ok && local != "" && domain != "" && !strings.Contains(lower, "*") {
			return condition{"u.id IN (SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'email' AND lower(value) = ?)",
				[]any{account, lower}}, nil
		}
		return condition{"u.id IN (SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'email' AND lower(value) LIKE ?)",
			[]any{account, pattern(lower)}}, nil
	case "phone":
		return phoneLike(account, phoneMarks.Replace(lower)), nil
	case "name":
		return condition{"lower(u.name) LIKE ?", []any{pattern(lower)}}, nil
	case "role":
		switch lower {
		case "end_user", "enduser":
			lower = models.RoleEndUser
		case "staff":
			return condition{"u.role IN ('agent', 'admin')", nil}, nil
		}
		if !slices.Contains(roles, lower) {
			return condition{"false", nil}, nil
		}
		return condition{"u.role = '" + lower + "'", nil}, nil // written out as in lists
	case "external_id":
		return condition{"lower(u.external_id) = ?", []any{lower}}, nil
	case "tags":
		return condition{"u.tags @> ?::text[]", []any{models.Strings{lower}}}, nil
	case "organization":
		if lower == "none" {
			return condition{"u.organization_id IS NULL", nil}, nil
		}
		id, err := strconv.ParseInt(t.value, 10, 64)
		if err != nil {
			id = 0
		}
		return condition{`u.id IN (SELECT m.user_id FROM organization_memberships m
			WHERE m.account_id = ? AND m.organization_id IN (SELECT o.id FROM organizations o
				WHERE o.account_id = ? AND o.deleted_at IS NULL AND (lower(o.name) = ? OR o.id = ?)))`,
			[]any{account, account, lower, id}}, nil
	case "user":
		if id, err := strconv.ParseInt(t.value, 10, 64); err == nil {
			return condition{"u.id = ?", []any{id}}, nil
		}
	}
	return word(account, lower), nil
}

// word holds for users with text in the name, in an address or in a number.
// Each branch is answered by an index of its own; an OR of the three over users
// would read them all. Trigrams need three characters, so that a shorter word
// is looked for at the beginnings only.
func word(account int64, text string) condition {
	if utf8.RuneCountInString(text) < 3 {
		return begins(account, text)
	}
	like := pattern(text)
	return union(account, like, like, like)
}

// begins holds for users with a word of the name, an address or a number that
// begins with text.
func begins(account int64, text string) condition {
	from, to := between(text)
	like := postgres.EscapeLike(strings.ToLower(text)) + "%"
	return condition{`u.id IN (
		SELECT id FROM users WHERE account_id = ? AND lower(name) ~>=~ ? AND lower(name) ~<~ ?
		UNION SELECT id FROM users WHERE account_id = ? AND lower(name) LIKE ?
		UNION SELECT id FROM users WHERE account_id = ? AND phone LIKE ?
		UNION SELECT user_id FROM user_identities WHERE account_id = ? AND lower(value) LIKE ?)`,
		[]any{account, from, to, account, "% " + like, account, like, account, like}}
}

// maxSuggestions is how many users each way of beginning brings at most: enough
// for any list to choose from, and as fast where everybody is called the same.
const maxSuggestions = 1000

// suggestions is begins, held to maxSuggestions.
func suggestions(account int64, text string) condition {
	from, to := between(text)
	like := postgres.EscapeLike(strings.ToLower(text)) + "%"
	most := " LIMIT " + strconv.Itoa(maxSuggestions) + ")"
	return condition{`u.id IN (
		(SELECT id FROM users WHERE account_id = ? AND active AND lower(name) ~>=~ ? AND lower(name) ~<~ ? ORDER BY lower(name) USING ~<~, id` + most + `
		UNION (SELECT id FROM users WHERE account_id = ? AND active AND lower(name) LIKE ?` + most + `
		UNION (SELECT id FROM users WHERE account_id = ? AND active AND phone LIKE ?` + most + `
		UNION (SELECT user_id FROM user_identities WHERE account_id = ? AND lower(value) LIKE ?` + most + `)`,
		[]any{account, from, to, account, "% " + like, account, like, account, like}}
}

// between are the bounds of what begins with text, written so that a plan made
// for any text finds the index; LIKE with a parameter does not.
func between(text string) (from, to string) {
	text = strings.ToLower(text)
	return text, text + "\U0010FFFF"
}

func union(account int64, name, phone, address string) condition {
	return condition{`u.id IN (
		SELECT id FROM users WHERE account_id = ? AND lower(name) LIKE ?
		UNION SELECT id FROM users WHERE account_id = ? AND phone LIKE ?
		UNION SELECT user_id FROM user_identities WHERE account_id = ? AND lower(value) LIKE ?)`,
		[]any{account, name, account, phone, account, address}}
}

func phoneLike(account int64, text string) condition {
	return condition{`u.id IN (
		SELECT id FROM users WHERE account_id = ? AND phone LIKE ?
		UNION SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'phone_number' AND lower(value) LIKE ?)`,
		[]any{account, pattern(text), account, pattern(text)}}
}

// pattern matches text anywhere; its asterisks stand for any characters, and
// then the ends count.
func pattern(text string) string {
	if strings.Contains(text, "*") {
		return strings.ReplaceAll(postgres.EscapeLike(text), "*", "%")
	}
	return "%" + postgres.EscapeLike(text) + "%"
}
