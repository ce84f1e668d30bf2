// Package redactions covers text that must not be read any more, in plain text
// and in JSON. It does not know where any of them is kept.
package redactions

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Mark stands for each character that was taken out.
const Mark = "▇"

// Find returns the places in a text that are to be covered, as offsets in
// bytes, in order and without overlaps.
type Find func(text string) [][2]int

// Text covers what find finds in a plain text.
func Text(text string, find Find) string {
	places := find(text)
	if len(places) == 0 {
		return text
	}
	var b strings.Builder
	last := 0
	for _, p := range places {
		b.WriteString(text[last:p[0]])
		b.WriteString(strings.Repeat(Mark, utf8.RuneCountInString(text[p[0]:p[1]])))
		last = p[1]
	}
	b.WriteString(text[last:])
	return b.String()
}

// JSON rewrites the strings of a document and leaves the rest as it is, with
// the order of members. rewrite gets the name of the innermost member that a
// string belongs to; names are rewritten too, as strings of no member.
func JSON(document []byte, rewrite func(member, text string) string) []byte {
	var b bytes.Buffer
	member := ""
	for i := 0; i < len(document); {
		if document[i] != '"' {
			b.WriteByte(document[i])
			i++
			continue
		}
		end := endOfString(document, i)
		literal := document[i:end]
		i = end
		var text string
		if json.Unmarshal(literal, &text) != nil { // no JSON: left alone
			b.Write(literal)
			continue
		}
		of := member
		isName := bytes.HasPrefix(bytes.TrimLeft(document[end:], " \t\r\n"), []byte(":"))
		if isName {
			of, member = "", text
		}
		if now := rewrite(of, text); now != text {
			literal = quoted(now)
		}
		b.Write(literal)
	}
	return b.Bytes()
}

// endOfString is the offset behind the string that begins at i.
func endOfString(document []byte, i int) int {
	for i++; i < len(document); i++ {
		switch document[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(document)
}

func quoted(text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string can be encoded
	return bytes.TrimRight(b.Bytes(), "\n")
}
