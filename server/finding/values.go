package finding

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

// where of properties that several kinds have. Their columns are written with the
// table's letter: t tickets, u users, o organizations, g groups.

func date(column string) property {
	return property{ops: true, where: func(c *compiler, v value) (string, []any, error) {
		if v.none() {
			return column + " IS NULL", nil, nil
		}
		p, err := search.Date(v.Value, c.now, c.zone)
		if err != nil {
			return "", nil, err
		}
		from, until := p.Bounds(v.Op)
		return between(column, from, until)
	}}
}

func between(column string, from, until time.Time) (string, []any, error) {
	switch {
	case from.IsZero():
		return column + " < ?", []any{until}, nil
	case until.IsZero():
		return column + " >= ?", []any{from}, nil
	}
	return "(" + column + " >= ? AND " + column + " < ?)", []any{from, until}, nil
}

// number is a property that is an id.
func number(column string) property {
	return property{where: func(_ *compiler, v value) (string, []any, error) {
		if v.none() {
			return column + " IS NULL", nil, nil
		}
		if v.id == 0 {
			return "", nil, search.Bad("%s has a value that is no number", v.Name)
		}
		return column + " = ?", []any{v.id}, nil
	}}
}

// whole is a property that is one value, whatever its case.
func whole(column string) property {
	return property{where: func(_ *compiler, v value) (string, []any, error) {
		switch {
		case v.none():
			return "(" + column + " IS NULL OR " + column + " = '')", nil, nil
		case v.star:
			return "lower(" + column + ") LIKE ?", []any{begins(v.text)}, nil
		}
		return "lower(" + column + ") = ?", []any{strings.ToLower(v.text)}, nil
	}}
}

func begins(text string) string { return postgres.EscapeLike(strings.ToLower(text)) + "%" }

func truth(where string) property {
	return property{where: func(_ *compiler, v value) (string, []any, error) {
		switch strings.ToLower(v.text) {
		case "true", "yes":
			return where, nil, nil
		case "false", "no":
			return "NOT " + where, nil, nil
		}
		return "", nil, search.Bad("%s must be true or false", v.Name)
	}}
}

func tags(column string) property {
	return property{where: func(_ *compiler, v value) (string, []any, error) {
		switch {
		case v.none():
			return column + " = '{}'", nil, nil
		case v.star:
			return "EXISTS (SELECT FROM unnest(" + column + ") AS tag WHERE tag LIKE ?)", []any{begins(v.text)}, nil
		}
		return column + " @> ?::text[]", []any{models.Strings(strings.Fields(strings.ToLower(v.text)))}, nil
	}}
}

// named is a property that is another record: its number, or its name or words of
// it, as whole words.
func named(column, table, more string) property {
	return property{where: func(c *compiler, v value) (string, []any, error) {
		if v.none() {
			return column + " IS NULL", nil, nil
		}
		where, args := called("r.name", v)
		if v.id != 0 {
			where, args = "("+where+" OR r.id = ?)", append(args, v.id)
		}
		return fmt.Sprintf("%s = ANY(ARRAY(SELECT r.id FROM %s r WHERE r.account_id = ? AND %s%s))", column, table, where, more),
			append([]any{c.by.AccountID}, args...), nil
	}}
}

// called is the condition that a name is, or has as whole words, what is asked.
func called(column string, v value) (string, []any) {
	lower := strings.ToLower(v.text)
	if v.star {
		return "(lower(" + column + ") LIKE ? OR lower(" + column + ") LIKE ?)", []any{begins(v.text), "% " + begins(v.text)}
	}
	return "(lower(" + column + ") = ? OR lower(" + column + ") ~ ?)", []any{lower, words(lower)}
}

// words is a regular expression of PostgreSQL for text as whole words.
func words(text string) string {
	var b strings.Builder
	b.WriteString(`(^|\W)`)
	for _, r := range text {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteString(`(\W|$)`)
	return b.String()
}

// people is a query of the ids of the users that a value means: the caller, by a
// number, an address, a phone number, or a name or a part of it.
func (c *compiler) people(v value) (string, []any) {
	account := c.by.AccountID
	lower := strings.ToLower(v.text)
	switch {
	case lower == "me" && !v.Quoted:
		return "SELECT ?::bigint", []any{c.by.ID()}
	case strings.Contains(lower, "@"):
		return "SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'email' AND lower(value) = ?", []any{account, lower}
	case v.id != 0 || strings.HasPrefix(lower, "+"):
		return `SELECT id FROM users WHERE account_id = ? AND (id = ? OR phone = ?)
			UNION SELECT user_id FROM user_identities WHERE account_id = ? AND type = 'phone_number' AND lower(value) = ?`,
			[]any{account, v.id, v.text, account, lower}
	}
	return "SELECT id FROM users WHERE account_id = ? AND lower(name) LIKE ?", []any{account, "%" + postgres.EscapeLike(lower) + "%"}
}

// person is a property that is a user.
func person(column string) property {
	return property{where: func(c *compiler, v value) (string, []any, error) {
		if v.none() {
			return column + " IS NULL", nil, nil
		}
		found, args := c.people(v)
		return column + " = ANY(ARRAY(" + found + "))", args, nil
	}}
}

// persons is a property of tickets that is several users, found by table.
func persons(table, column, nobody string) property {
	return property{where: func(c *compiler, v value) (string, []any, error) {
		if v.none() {
			return nobody, nil, nil
		}
		found, args := c.people(v)
		return fmt.Sprintf("t.id = ANY(ARRAY(SELECT p.ticket_id FROM %s p WHERE p.account_id = ? AND p.%s = ANY(ARRAY(%s))))", table, column, found),
			append([]any{c.by.AccountID}, args...), nil
	}}
}

// fieldProperty is that of a custom field, whose values are in a document by the
// field's number.
func fieldProperty(f *fields.Field, column string) property {
	key := strconv.FormatInt(f.ID, 10)
	text := "(" + column + "->>'" + key + "')"
	p := property{}
	switch f.Type {
	case models.FieldDate:
		p.ops = true
	case models.FieldInteger, models.FieldDecimal:
		p.ops = true
	}
	p.where = func(c *compiler, v value) (string, []any, error) {
		switch {
		case v.none():
			return text + " IS NULL", nil, nil
		case v.Value == "*":
			return text + " IS NOT NULL", nil, nil
		}
		lower := strings.ToLower(v.text)
		switch f.Type {
		case models.FieldCheckbox:
			return checked(text, v)
		case models.FieldDate:
			return day(text, c, v)
		case models.FieldInteger, models.FieldDecimal:
			return amount(text, v)
		case models.FieldMultiselect:
			return column + " @> ?::jsonb", []any{string(models.ToJSON(map[string][]string{key: {lower}}))}, nil
		case models.FieldText, models.FieldTextarea, models.FieldRegexp:
			where, args := called(text, v)
			return where, args, nil
		}
		if v.star {
			return "lower(" + text + ") LIKE ?", []any{begins(v.text)}, nil
		}
		return "lower(" + text + ") = ?", []any{lower}, nil
	}
	return p
}

func checked(text string, v value) (string, []any, error) {
	switch strings.ToLower(v.text) {
	case "checked", "true":
		return text + " = 'true'", nil, nil
	case "unchecked", "false":
		return text + " IS DISTINCT FROM 'true'", nil, nil
	}
	return "", nil, search.Bad("%s must be checked or unchecked", v.Name)
}

// day compares the day of a field. A day that is so long ago is the account's.
func day(text string, c *compiler, v value) (string, []any, error) {
	p, err := search.Date(v.Value, c.now, c.zone)
	if err != nil {
		return "", nil, err
	}
	op := string(v.Op)
	if v.Op == search.Is {
		op = "="
	}
	return text + " " + op + " ?", []any{p.From.In(c.zone).Format(time.DateOnly)}, nil
}

func amount(text string, v value) (string, []any, error) {
	n := strings.Replace(v.text, ",", ".", 1)
	if _, err := strconv.ParseFloat(n, 64); err != nil || strings.ContainsAny(n, "xXpPnN_") {
		return "", nil, search.Bad("%s has a value that is no number", v.Name)
	}
	op := string(v.Op)
	if v.Op == search.Is {
		op = "="
	}
	return text + "::numeric " + op + " ?::text::numeric", []any{n}, nil
}
