package articlefiles

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"html"
	"path"
	"regexp"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

func unescape(text string) string { return html.UnescapeString(text) }

// Bytes are the file's. Parse reads the same from them, whatever the path.
func (f File) Bytes() []byte {
	front := struct {
		ID               string   `yaml:"id"`
		Title            string   `yaml:"title"`
		SourceLocale     string   `yaml:"source_locale,omitempty"`
		Category         string   `yaml:"category,omitempty"`
		Section          []string `yaml:"section,omitempty,flow"`
		Labels           []string `yaml:"labels,omitempty,flow"`
		Position         *int64   `yaml:"position,omitempty"`
		Draft            *bool    `yaml:"draft,omitempty"`
		Outdated         *bool    `yaml:"outdated,omitempty"`
		Promoted         *bool    `yaml:"promoted,omitempty"`
		CommentsDisabled *bool    `yaml:"comments_disabled,omitempty"`
		UserSegments     []string `yaml:"user_segments,omitempty,flow"`
		PermissionGroup  *string  `yaml:"permission_group,omitempty"`
		ContentTags      []string `yaml:"content_tags,omitempty,flow"`
		Redirects        []string `yaml:"redirects,omitempty"`
	}{
		f.ID, f.Title, f.SourceLocale, f.Category, f.Section, f.Labels, f.Position, f.Draft, f.Outdated, f.Promoted, f.CommentsDisabled,
		f.UserSegments, f.PermissionGroup, f.ContentTags, f.Redirects,
	}
	var b bytes.Buffer
	b.WriteString(fence + "\n")
	b.Write(encoded(front))
	b.WriteString(fence + "\n\n")
	b.WriteString(f.Body)
	return b.Bytes()
}

func encoded(v any) []byte {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(v); err != nil {
		panic("encode front matter: " + err.Error()) // of texts and numbers
	}
	_ = e.Close() // into memory
	return b.Bytes()
}

var plainID = regexp.MustCompile(`^[\pL\pN_][\pL\pN_.-]*(/[\pL\pN_][\pL\pN_.-]*)*$`)

// Names gives files their names, no two the same, and none that of a folder which
// another lies in, whatever the letter case.
type Names struct {
	taken   map[string]string // by whose id
	folders map[string]bool   // that files lie in
}

// maxName is how long a part of a name may be, in bytes. Most file systems take 255.
const maxName = 100

// For is the path for an article, the same in each language: its id, if that is a
// path; or else its title, as that stands in addresses. made tells that the id says
// nothing to people.
func (n *Names) For(id, title string, made bool) string {
	name := id
	if made || !plainID.MatchString(id) || len(id) > maxName {
		name = slug(title)
	}
	if n.taken == nil {
		n.taken, n.folders = map[string]string{}, map[string]bool{}
	}
	sum := sha256.Sum256([]byte(id))
	for _, candidate := range []string{name, name + "-" + hex.EncodeToString(sum[:4]), hex.EncodeToString(sum[:])} {
		if n.take(strings.ToLower(candidate), id) {
			return candidate
		}
	}
	return hex.EncodeToString(sum[:])
}

// suffixes are those of files.
var suffixes = []string{".md", ".html"}

// take takes a name for an article, if it can have that.
func (n *Names) take(name, id string) bool {
	if by, ok := n.taken[name]; ok {
		return by == id
	}
	for _, suffix := range suffixes {
		if n.folders[name+suffix] {
			return false
		}
	}
	var in []string
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if dir == ContentsName { // which lies beside them
			return false
		}
		for _, suffix := range suffixes {
			file, ok := strings.CutSuffix(dir, suffix)
			if _, taken := n.taken[file]; ok && taken {
				return false
			}
		}
		in = append(in, dir)
	}
	for _, dir := range in {
		n.folders[dir] = true
	}
	n.taken[name] = id
	return true
}

func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) })
	out := ""
	for _, w := range words {
		if len(out)+len(w) >= maxName {
			break
		}
		out += "-" + w
	}
	if out == "" {
		return "article"
	}
	return out[1:]
}

// Suffix of the file's name.
func (f File) Suffix() string {
	if f.Markdown {
		return ".md"
	}
	return ".html"
}
