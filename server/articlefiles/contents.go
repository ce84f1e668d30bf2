package articlefiles

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// ContentsName is the file in a directory of articles that tells of its categories
// and sections.
const ContentsName = "contents.yaml"

// Contents are the categories of a help center with the sections in them.
type Contents struct {
	Categories []Category `yaml:"categories"`
}

// Heading is what a category or section is called.
type Heading struct {
	Name         string              `yaml:"name"`
	Locale       string              `yaml:"locale,omitempty"` // of the name; empty: the default one
	Description  string              `yaml:"description,omitempty"`
	Position     int64               `yaml:"position,omitempty"`
	Translations map[string]Headline `yaml:"translations,omitempty"` // by language
}

// Headline is a Heading in one more language.
type Headline struct {
	Name        string `yaml:"name"`
	Description string `yaml:"description,omitempty"`
	Outdated    bool   `yaml:"outdated,omitempty"`
}

// Category holds sections.
type Category struct {
	Heading  `yaml:",inline"`
	Sections []Section `yaml:"sections,omitempty"`
}

// Section holds sections and articles. Who may see it is told by names.
type Section struct {
	Heading       `yaml:",inline"`
	Sorting       string   `yaml:"sorting,omitempty"`
	UserSegment   string   `yaml:"user_segment,omitempty"`
	ViewableBy    string   `yaml:"viewable_by,omitempty"`
	ManageableBy  string   `yaml:"manageable_by,omitempty"`
	Groups        []string `yaml:"groups,omitempty,flow"`
	Organizations []string `yaml:"organizations,omitempty,flow"`
	RequiredTags  []string `yaml:"required_tags,omitempty,flow"`
	// Articles are ids of those in it whose files do not say where they lie, in
	// their order.
	Articles []string  `yaml:"articles,omitempty"`
	Sections []Section `yaml:"sections,omitempty"`
}

// ParseContents reads a ContentsName. It fails with Problem.
func ParseContents(name string, data []byte) (Contents, error) {
	var c Contents
	if i, bad := wrongByte(data); i >= 0 {
		return c, Problem{name, 1 + bytes.Count(data[:i], []byte("\n")), bad}
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	err := d.Decode(&c)
	if err != nil && !errors.Is(err, io.EOF) {
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		text = strings.TrimSpace(strings.TrimPrefix(text, "unmarshal errors:"))
		line := 0
		if rest, ok := strings.CutPrefix(text, "line "); ok {
			number, said, _ := strings.Cut(rest, ": ")
			line, _ = strconv.Atoi(number)
			text, _, _ = strings.Cut(said, "\n")
		}
		return c, Problem{name, line, text}
	}
	return c, nil
}

// Bytes are the file's.
func (c Contents) Bytes() []byte { return encoded(c) }
