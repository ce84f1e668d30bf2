// Package sheets writes CSV files for people who open them in a spreadsheet.
package sheets

import (
	"bytes"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// New is a file with a head line, which is written as it is read, so that its size
// takes no memory: next gives its lines part by part, and none at the end.
func New(head []string, next func() ([][]string, error)) io.Reader {
	return &sheet{next: next, part: [][]string{head}}
}

type sheet struct {
	next func() ([][]string, error)
	part [][]string
	text bytes.Buffer // written and not yet read
}

func (s *sheet) Read(p []byte) (int, error) {
	for s.text.Len() == 0 {
		if len(s.part) == 0 {
			return 0, io.EOF
		}
		w := csv.NewWriter(&s.text)
		if err := w.WriteAll(s.part); err != nil {
			return 0, err
		}
		var err error
		if s.part, err = s.next(); err != nil {
			return 0, err
		}
	}
	return s.text.Read(p)
}

// Cell is a text that somebody else wrote, which spreadsheets must not take for a
// formula. Numbers are none.
func Cell(text string) string {
	if text == "" || text == "-" || !strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}
