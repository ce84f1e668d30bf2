package postgres

import "strings"

var likeMarks = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// EscapeLike is text as a pattern of LIKE has it that matches text alone.
func EscapeLike(text string) string { return likeMarks.Replace(text) }

// Begins is the condition that a column begins with text, in any letter case. Its index
// is one on lower(column) with text_pattern_ops.
func Begins(column, text string) (string, []any) {
	return "lower(" + column + ") ~>=~ lower(?) AND lower(" + column + ") ~<~ (lower(?) || U&'\\+10FFFF')", []any{text, text}
}
