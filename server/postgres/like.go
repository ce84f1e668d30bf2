package postgres

import "strings"

var likeMarks = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// EscapeLike is text as a pattern of LIKE has it that matches text alone.
func EscapeLike(text string) string { return likeMarks.Replace(text) }
