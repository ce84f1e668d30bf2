// Package articlefiles reads and writes articles as files: Markdown or HTML with
// front matter, YAML between two lines of three hyphens. It knows no database.
package articlefiles

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// File is one article in one language. What is nil is not said: a change leaves it
// as it is.
type File struct {
	Path   string // within the directory, with slashes
	Locale string // lower case; whoever reads the directory knows it

	ID               string   // by which the article is known again
	Title            string   // of this language
	SourceLocale     string   // that of the article, if it is not Locale
	Category         string   // its name; empty: not said
	Section          []string // its name, behind those of the sections that it lies in; nil: not said
	Labels           []string
	Position         *int64
	Draft            *bool
	Outdated         *bool
	Promoted         *bool
	CommentsDisabled *bool
	UserSegments     []string // names of those who may read it; empty: everybody
	PermissionGroup  *string
	ContentTags      []string
	Redirects        []string // paths where it was: /old/path

	Markdown bool
	Body     string // without the front matter; as it is in the file

	Ignored []string // names in the front matter that mean nothing here
	lines   map[string]int
}

// Problem is what is wrong with a file, or a line of it.
type Problem struct {
	Path string
	Line int // from 1; 0: the file as a whole
	Text string
}

// Error is path:line: text.
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.Path + ": " + p.Text
	}
	return p.Path + ":" + strconv.Itoa(p.Line) + ": " + p.Text
}

// Wrong is a problem with what the file says of a field: that of its line; the
// field body is what follows the front matter.
func (f File) Wrong(field, format string, args ...any) Problem {
	return Problem{f.Path, cmp.Or(f.lines[field], 1), fmt.Sprintf(format, args...)}
}

// Is tells whether a file of this name holds an article.
func Is(name string) bool { return kindOf(name) != "" }

func kindOf(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown":
		return "md"
	case ".html", ".htm":
		return "html"
	}
	return ""
}

const fence = "---"

// Parse reads a file. What it does not say comes from its path: the id is the path
// without the suffix, the section is the folder; the title is the first heading,
// which then is no part of the body. It fails with Problem.
func Parse(name string, data []byte) (File, error) {
	f := File{Path: name, Markdown: kindOf(name) == "md", lines: map[string]int{"body": 1}}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if i, bad := wrongByte(data); i >= 0 {
		return f, Problem{name, 1 + bytes.Count(data[:i], []byte("\n")), bad}
	}
	f.Body = strings.ReplaceAll(string(data), "\r\n", "\n")
	if rest, ok := strings.CutPrefix(f.Body, fence+"\n"); ok {
		if err := f.readFront(rest); err != nil {
			return f, err
		}
	}
	f.ID = cmp.Or(f.ID, strings.TrimSuffix(name, path.Ext(name)))
	if dir := path.Dir(name); f.Section == nil && f.SourceLocale == "" && dir != "." {
		f.Section = strings.Split(dir, "/")
	}
	if f.Title == "" && !f.takeHeading() {
		return f, f.Wrong("title", "there is no title: neither in front matter nor a heading of the first level at the beginning")
	}
	return f, nil
}

// wrongByte is where what is no text begins; -1 if all of it is.
func wrongByte(data []byte) (int, string) {
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return i, "there is a zero byte: is it a text?"
	}
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i, "this is not UTF-8"
		}
		i += n
	}
	return -1, ""
}

// readFront reads front matter. rest is what follows its first line.
func (f *File) readFront(rest string) error {
	front, body, ok := strings.Cut("\n"+rest, "\n"+fence+"\n")
	if !ok {
		if front, ok = strings.CutSuffix("\n"+rest, "\n"+fence); !ok {
			return Problem{f.Path, 1, "the front matter does not end: a line of " + fence + " is missing"}
		}
	}
	front = strings.TrimPrefix(front, "\n")
	f.Body = strings.TrimPrefix(body, "\n") // the line between the two
	f.lines["body"] = 4 + strings.Count(front, "\n")
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(front), &doc); err != nil {
		return f.yamlProblem(err)
	}
	if doc.Kind == 0 {
		return nil // nothing between the lines
	}
	fields := doc.Content[0]
	if fields.Kind != yaml.MappingNode {
		return Problem{f.Path, 2, "the front matter has no fields: id: …"}
	}
	for i := 0; i < len(fields.Content); i += 2 {
		name, value := fields.Content[i], fields.Content[i+1]
		if _, twice := f.lines[name.Value]; twice && name.Value != "body" {
			return Problem{f.Path, name.Line + 1, name.Value + " is there twice"}
		}
		f.lines[name.Value] = name.Line + 1 // behind the line of hyphens
		if err := f.readField(name.Value, value); err != nil {
			return Problem{f.Path, value.Line + 1, name.Value + " " + err.Error()}
		}
	}
	return nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

func (f *File) yamlProblem(err error) error {
	text := err.Error()
	line := 1
	if m := yamlLine.FindStringSubmatch(text); m != nil && m[1] != "" {
		n, _ := strconv.Atoi(m[1])
		line = n
	}
	return Problem{f.Path, line + 1, "the front matter is no YAML: " + yamlLine.ReplaceAllString(text, "")}
}

func (f *File) readField(name string, value *yaml.Node) error {
	switch name {
	case "id":
		return scalar(value, &f.ID)
	case "title":
		return scalar(value, &f.Title)
	case "category":
		return scalar(value, &f.Category)
	case "source_locale":
		err := scalar(value, &f.SourceLocale)
		f.SourceLocale = strings.ToLower(f.SourceLocale)
		return err
	case "permission_group":
		return decode(value, &f.PermissionGroup, "is no text")
	case "section":
		return texts(value, &f.Section)
	case "labels":
		return texts(value, &f.Labels)
	case "user_segments":
		return texts(value, &f.UserSegments)
	case "content_tags":
		return texts(value, &f.ContentTags)
	case "redirects":
		return texts(value, &f.Redirects)
	case "position":
		return decode(value, &f.Position, "is no whole number")
	case "draft":
		return decode(value, &f.Draft, "is neither true nor false")
	case "outdated":
		return decode(value, &f.Outdated, "is neither true nor false")
	case "promoted":
		return decode(value, &f.Promoted, "is neither true nor false")
	case "comments_disabled":
		return decode(value, &f.CommentsDisabled, "is neither true nor false")
	}
	f.Ignored = append(f.Ignored, name)
	return nil
}

// scalar takes any scalar as it is written, so that a title may be a number.
func scalar(n *yaml.Node, to *string) error {
	if n.Kind != yaml.ScalarNode {
		return errors.New("is no text")
	}
	if *to = strings.TrimSpace(n.Value); n.Tag == "!!null" {
		*to = ""
	}
	return nil
}

func decode(n *yaml.Node, to any, wrong string) error {
	if n.Decode(to) != nil {
		return errors.New(wrong)
	}
	return nil
}

// texts takes a list of texts, or one alone. None is an empty list.
func texts(n *yaml.Node, to *[]string) error {
	list := n.Content
	if n.Kind == yaml.ScalarNode {
		list = []*yaml.Node{n}
	} else if n.Kind != yaml.SequenceNode {
		return errors.New("is no list of texts")
	}
	*to = []string{}
	for _, item := range list {
		var text string
		if err := scalar(item, &text); err != nil {
			return errors.New("is no list of texts")
		}
		if text != "" && !slices.Contains(*to, text) {
			*to = append(*to, text)
		}
	}
	return nil
}

var (
	markdownHeading = regexp.MustCompile(`^\s*# +([^\n]*?)(?: +#+)? *(?:\n+|$)`)
	htmlHeading     = regexp.MustCompile(`(?is)^\s*<h1[^>]*>(.*?)</h1>\s*`)
	markup          = regexp.MustCompile(`<[^>]*>`)
)

// takeHeading makes the first heading the title, which readers see above the body.
func (f *File) takeHeading() bool {
	heading := htmlHeading
	if f.Markdown {
		heading = markdownHeading
	}
	m := heading.FindStringSubmatch(f.Body)
	if m == nil {
		return false
	}
	f.Title = m[1]
	if !f.Markdown {
		f.Title = unescape(markup.ReplaceAllString(f.Title, ""))
	}
	f.Title = strings.Join(strings.Fields(f.Title), " ")
	f.Body = f.Body[len(m[0]):]
	return f.Title != ""
}

// Says tells whether the front matter has a field.
func (f File) Says(field string) bool { return f.lines[field] > 0 }
