package liquid

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/osteele/liquid/expressions"
)

// expression is what can be evaluated: a value with its filters, or a condition.
type expression struct {
	expressions.Expression
	cost int
}

// compile reads an expression. The parser of the library panics on some texts.
func (t *Template) compile(source string) (e expression, err error) {
	source, err = normal(source)
	if err != nil {
		return e, err
	}
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%q is not an expression", source)
		}
	}()
	parsed, err := expressions.Parse(source)
	if err != nil {
		return e, fmt.Errorf("%q is not an expression", source)
	}
	return expression{parsed, 1 + len(source)/32}, nil
}

// loop is a compiled for or tablerow.
type loop struct {
	expressions.Loop
	from, to *expression // of a range
	cost     int
}

var rangeOf = regexp.MustCompile(`^(\s*[A-Za-z_][\w-]*\s+in\s*)\(([^()]+?)\.\.([^()]+)\)(.*)$`)

// compileLoop reads "comment in ticket.comments limit:3" or "i in (1..3)".
func (t *Template) compileLoop(source string) (l loop, err error) {
	if m := rangeOf.FindStringSubmatch(source); m != nil {
		from, err := t.compile(m[2])
		if err != nil {
			return l, err
		}
		to, err := t.compile(m[3])
		if err != nil {
			return l, err
		}
		l.from, l.to, source = &from, &to, m[1]+" range"+m[4]
	}
	source, err = normal(source)
	if err != nil {
		return l, err
	}
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%q is not a loop", source)
		}
	}()
	parsed, err := expressions.ParseStatement(expressions.LoopStatementSelector, source)
	if err != nil || parsed.Loop.Expr == nil {
		return l, fmt.Errorf("%q is not a loop", source)
	}
	l.Loop, l.cost = parsed.Loop, 1+len(source)/32
	return l, nil
}

var (
	againstBlank = regexp.MustCompile(`([A-Za-z_][\w.\-]*(?:\[[^\]]*\])*)\s*(==|!=)\s*(blank|empty)\b`)
	simpleName   = regexp.MustCompile(`^[A-Za-z_][\w-]*$`)
)

// normal is an expression as the library's grammar has it: names that it does not
// know as names (.2nd, .größe) are put in quotes, and what is held against blank
// stands behind it, since a value of ours compares only on the left.
func normal(source string) (string, error) {
	source = strings.TrimSpace(source)
	switch {
	case source == "":
		return "", errors.New("an expression is missing")
	case len(source) > maxExpr:
		return "", fmt.Errorf("an expression is longer than %d KB", maxExpr>>10)
	case !utf8.ValidString(source):
		return "", errors.New("an expression is not UTF-8")
	}
	outside := masked(source)
	// The first two begin statements of the library's own; a range is a Go value
	// with methods that can be called.
	if source[0] == '%' || source[0] == '{' || strings.Contains(outside, "..") {
		return "", fmt.Errorf("%q is not an expression", source)
	}
	if strings.Count(outside, `"`)%2 == 1 || strings.Count(outside, "'")%2 == 1 {
		return "", fmt.Errorf("%q has a quote that is not closed", source)
	}
	source = quotedNames(source, outside)
	if strings.Contains(source, "blank") || strings.Contains(source, "empty") {
		source = againstBlank.ReplaceAllString(source, "$3 $2 $1")
	}
	return source, nil
}

// quotedNames writes a.2nd as a['2nd'].
func quotedNames(source, outside string) string {
	var b strings.Builder
	inPath := false // behind a name or a closing bracket
	for i := 0; i < len(source); {
		r, size := utf8.DecodeRuneInString(outside[i:])
		switch {
		case inPath && r == '.':
			n := nameLength(outside[i+1:])
			name := source[i+1 : i+1+n]
			if n == 0 || simpleName.MatchString(name) {
				b.WriteString(source[i : i+1+n])
			} else {
				b.WriteString("['" + name + "']")
			}
			i += 1 + n
			continue
		case r == '_' || unicode.IsLetter(r):
			n := nameLength(outside[i:])
			b.WriteString(source[i : i+n])
			i, inPath = i+n, true
			continue
		case unicode.IsDigit(r): // 1.5 is no path
			for i < len(outside) && (outside[i] == '.' || outside[i] >= '0' && outside[i] <= '9') {
				b.WriteByte(outside[i])
				i++
			}
			if size > 1 {
				b.WriteString(source[i : i+size])
				i += size
			}
			inPath = false
			continue
		}
		inPath = r == ']'
		b.WriteString(source[i : i+size])
		i += size
	}
	return b.String()
}

// nameLength is how many bytes at the beginning of s are a name.
func nameLength(s string) int {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsNumber(r) && (r != '-' || i == 0) {
			return i
		}
	}
	return len(s)
}
