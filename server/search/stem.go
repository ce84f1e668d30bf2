package search

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/tamil"
)

// language is one whose words we find by their stems.
type language struct {
	code   string // as locales begin: "de"
	mark   string // of its stems in the index; never to be changed
	script *unicode.RangeTable
	stem   func(*snowballstem.Env) bool
	common string // words by which a text is recognised; letters alone stand for anything

	mu    sync.Mutex
	known map[string]string // stems that were made
}

var languages = []*language{
	{code: "en", mark: "%e", script: unicode.Latin, stem: english.Stem, common: "the and you your for with have this that is are was not it of to in my can when please from be has on if"},
	{code: "de", mark: "%d", script: unicode.Latin, stem: german.Stem, common: "der die das und ich ist nicht ein eine einen mit auf für sie wir von zu den dem des im wie wurde kann mein meine bitte auch noch"},
	{code: "fr", mark: "%f", script: unicode.Latin, stem: french.Stem, common: "le la les des une et est pas je vous nous mon ma mes pour dans avec sur du au ce cette qui que ne votre été sont"},
	{code: "es", mark: "%s", script: unicode.Latin, stem: spanish.Stem, common: "el la los las una no es que en mi por para con del al se su está pero como he ha cuando desde puedo"},
	{code: "it", mark: "%i", script: unicode.Latin, stem: italian.Stem, common: "il lo la gli le una non che di per con del della sono ho mi questo quando come nel alla più ma"},
	{code: "pt", mark: "%p", script: unicode.Latin, stem: portuguese.Stem, common: "os as uma não que em do da meu minha para com por no na está você como ao mas quando dos das"},
	{code: "nl", mark: "%n", script: unicode.Latin, stem: dutch.Stem, common: "de het een en ik niet is van op te dat met voor zijn mijn maar kan wordt bij ook aan dit wij naar geen"},
	{code: "cs", mark: "%c", script: unicode.Latin, common: "je se na že jsem pro to ale jak si při nebo jsou není můj moje jsme byl bylo ve ke už mi které který"},
	{code: "ru", mark: "%r", script: unicode.Cyrillic, stem: russian.Stem},
	{code: "ta", mark: "%t", script: unicode.Tamil, stem: tamil.Stem},
}

// knownStems is how many stems of a language are remembered.
const knownStems = 20_000

// of is the stem of a folded word, without marks; the word itself where the
// language has none for it.
func (l *language) of(word string) string {
	if l.stem == nil || !l.writes(word) {
		return bare(word)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if stem, ok := l.known[word]; ok {
		return stem
	}
	env := snowballstem.NewEnv(word)
	l.stem(env)
	stem := bare(env.Current())
	if stem == "" {
		stem = bare(word)
	}
	if l.known == nil || len(l.known) >= knownStems {
		l.known = make(map[string]string, 1024)
	}
	l.known[strings.Clone(word)] = stem // not with the text that it is a piece of
	return stem
}

// writes reports whether a word is of the language's letters alone.
func (l *language) writes(word string) bool {
	for _, r := range word {
		if r < utf8.RuneSelf && (l.script != unicode.Latin || r < 'a' || r > 'z') || r >= utf8.RuneSelf && !unicode.Is(l.script, r) {
			return false
		}
	}
	return true
}

// commonIn are, of each common word, the languages that have it, one bit each.
var commonIn = func() map[string]uint16 {
	out := map[string]uint16{}
	for i, l := range languages {
		for _, w := range strings.Fields(l.common) {
			out[fold(w)] |= 1 << i
		}
	}
	return out
}()

// tongue finds out what language a text is in.
type tongue struct{ hits [16]int }

func (t *tongue) hear(word string) {
	if in, ok := commonIn[word]; ok {
		for i := range languages {
			if in>>i&1 == 1 {
				t.hits[i]++
			}
		}
	}
}

// latin is the language of the text's Latin words: the one with most common
// words, else that of the locale, else English. One common word may be any
// language's.
func (t *tongue) latin(locale string) *language {
	best, second := 0, 0
	for i := range languages {
		switch {
		case t.hits[i] > t.hits[best]:
			best, second = i, t.hits[best]
		case i != best && t.hits[i] > second:
			second = t.hits[i]
		}
	}
	if t.hits[best] >= 2 && t.hits[best] > second {
		return languages[best]
	}
	code, _, _ := strings.Cut(strings.ToLower(locale), "-")
	for _, l := range languages {
		if l.code == code && l.script == unicode.Latin {
			return l
		}
	}
	return languages[0]
}

// languageOf is the language of a word in a text whose Latin words are of a
// language; nil for a word that has no stem.
func languageOf(word string, latin *language) *language {
	r, _ := utf8.DecodeRuneInString(word)
	switch {
	case unicode.Is(unicode.Latin, r):
		return latin
	case unicode.Is(unicode.Cyrillic, r):
		return inScript(unicode.Cyrillic)
	case unicode.Is(unicode.Tamil, r):
		return inScript(unicode.Tamil)
	}
	return nil
}

func inScript(script *unicode.RangeTable) *language {
	for _, l := range languages {
		if l.script == script {
			return l
		}
	}
	return nil
}
