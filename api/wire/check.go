package wire

import (
	"errors"
	"unicode/utf8"
)

// ErrText says that a text holds what PostgreSQL cannot store: a NUL character
// or bytes that are not UTF-8.
var ErrText = errors.New("has a NUL character or is not UTF-8")

// CheckString returns ErrText if s, a decoded path or query parameter, cannot
// be stored.
func CheckString(s string) error {
	for i := range len(s) {
		if s[i] == 0 {
			return ErrText
		}
	}
	if !utf8.ValidString(s) {
		return ErrText
	}
	return nil
}

// Check refuses, with a *SyntaxError, a JSON body that holds a NUL character
// (also written \u0000), is not UTF-8, or nests lists and objects deeper than
// maxDepth. It does not find out whether body is JSON; Decode does. One pass,
// no allocation: it runs on every request before anything is decoded.
func Check(body []byte, maxDepth int) error {
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == 0:
			return &SyntaxError{Offset: int64(i), Reason: "has a NUL character"}
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(body[i:])
			if r == utf8.RuneError && size == 1 {
				return &SyntaxError{Offset: int64(i), Reason: "is not UTF-8"}
			}
			i += size - 1
		case c == '"':
			inString = !inString
		case c == '\\' && inString:
			if len(body)-i >= 6 && string(body[i+1:i+6]) == "u0000" {
				return &SyntaxError{Offset: int64(i), Reason: `has a NUL character, \u0000`}
			}
			// The next byte is escaped; a NUL or a byte above ASCII there is not
			// an escape, and is left to be looked at by itself.
			if i+1 < len(body) && body[i+1] != 0 && body[i+1] < utf8.RuneSelf {
				i++
			}
		case (c == '{' || c == '[') && !inString:
			depth++
			if depth > maxDepth {
				return &SyntaxError{Offset: int64(i), Reason: "nests lists and objects too deep"}
			}
		case (c == '}' || c == ']') && !inString:
			depth--
		}
	}
	return nil
}
