package helpcenter

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/search"
)

const (
	// MaxSuggestions is how many articles are suggested for a question at most.
	MaxSuggestions = 5
	// MaxQuestion is the length of the longest question, in characters. A longer text
	// of a ticket is cut there: what it asks comes first, what it quotes comes last.
	MaxQuestion = 5_000
	// askedWords is how many different words of a question are looked at, and
	// countedWords how many of them count: the rarest.
	askedWords   = 80
	countedWords = 32
	// An article is worth showing if it has worthShare of a question's words, as rare
	// as they are, and if these tell worthStrength: half of the words in its body, or a
	// tenth in its title. Long articles have up to two fifths of any letter in their
	// bodies by chance, and one title word in nonsense is less than a fifth of it.
	worthShare    = 0.2
	worthStrength = 0.5
	// answerable is how long a suggestion can be answered: as long as a survey.
	answerable = 28 * 24 * time.Hour
)

// Ask is a question that articles are to answer. Zero values are none.
type Ask struct {
	Question string
	Locale   string      // empty: that of who asks, if it is enabled, or the default one
	Asker    *auth.Actor // who is to read the answers, beside the caller: a ticket's requester
	TicketID int64       // that is solved by an answer; 0: none
	BrandID  int64       // whose articles they are, as a ticket's; 0: that of the host
}

// Suggestion is an article that may answer a question.
type Suggestion struct {
	FoundArticle
	Score float64 // 0 to 1: a half is what an article has with all words in its body
	Token string  // with which the asker says what came of it
}

// Suggest finds the articles that may answer a question, the best first, notes that
// they were offered, and gives a token for each. None is a draft, and the caller and
// the asker may see all of them. It fails with fault.Invalid without a question, for
// one that is too long, and for a language that is not enabled.
func (s *Service) Suggest(ctx context.Context, by auth.Actor, ask Ask) ([]Suggestion, error) {
	found, err := s.Answers(ctx, by, ask)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		return s.OfferTx(tx, by, ask, found)
	})
	return found, err
}

// Answers is Suggest that notes nothing and gives no tokens.
func (s *Service) Answers(ctx context.Context, by auth.Actor, ask Ask) ([]Suggestion, error) {
	ask.Question = strings.TrimSpace(strings.ToValidUTF8(ask.Question, " "))
	switch {
	case ask.Question == "":
		return nil, fault.Blank("question")
	case utf8.RuneCountInString(ask.Question) > MaxQuestion:
		return nil, fault.TooLong("question", MaxQuestion)
	}
	config, err := s.fields.SetUp(ctx, by)
	if err != nil {
		return nil, err
	}
	if ask.BrandID != 0 {
		of, ok := config.Brand(ask.BrandID)
		if !ok || !of.Active {
			return nil, nil
		}
		by.Brand = auth.BrandOf(of)
		if ask.Asker != nil { // who is at no host
			asker := *ask.Asker
			asker.Brand = by.Brand
			ask.Asker = &asker
		}
	}
	l := localesOf(config, by.Brand.ID)
	if ask.Locale == "" {
		ask.Locale = ask.reads(by, l)
	}
	if ask.Locale, err = l.writing(ask.Locale); err != nil {
		return nil, err
	}
	if err := s.index.CatchUp(ctx, by.AccountID, search.Article); err != nil {
		return nil, err
	}
	var out []Suggestion
	err = s.index.Read(postgres.Planned(ctx), by.AccountID, search.Article, func(tx *gorm.DB) error {
		out, err = s.answersTx(tx, by, ask)
		return err
	})
	return out, err
}

// reads is the language of who is to read the answers, if it is enabled; otherwise
// the default one.
func (a Ask) reads(by auth.Actor, l Locales) string {
	if a.Asker != nil {
		by = *a.Asker
	}
	if own := strings.ToLower(by.User.Locale); slices.Contains(l.Enabled, own) {
		return own
	}
	return l.Default
}

func (s *Service) answersTx(tx *gorm.DB, by auth.Actor, ask Ask) ([]Suggestion, error) {
	words := asked(ask.Question)
	ranked, err := search.Rank(tx, by.AccountID, question(words, ask.Locale))
	if err != nil {
		return nil, err
	}
	ranked = slices.DeleteFunc(ranked, func(r search.Ranked) bool { return r.Share < worthShare || r.Strength < worthStrength })
	if len(ranked) == 0 {
		return nil, nil
	}
	seen, args := SeenArticle(by)
	where, args := "a.account_id = ? AND t.locale = ? AND NOT t.draft AND "+seen, append([]any{by.AccountID, ask.Locale}, args...)
	if ask.Asker != nil {
		seen, more := SeenArticle(*ask.Asker)
		where, args = where+" AND "+seen, append(args, more...)
	}
	ids, _, err := visible(tx, ranked, where, args, MaxSuggestions)
	if err != nil {
		return nil, err
	}
	found, err := s.foundTx(tx, by, ids, strings.Join(words, " "))
	if err != nil {
		return nil, err
	}
	scores := make(map[int64]float64, len(ranked))
	for _, r := range ranked {
		scores[r.ID] = math.Round(1000*r.Strength/(1+r.Strength)) / 1000
	}
	out := make([]Suggestion, len(found))
	for i, f := range found {
		out[i] = Suggestion{FoundArticle: f, Score: scores[f.Text.ID]}
	}
	return out, nil
}

// Shortened is as much of a text as a question may have.
func Shortened(text string) string {
	if letters := []rune(text); len(letters) > MaxQuestion {
		return string(letters[:MaxQuestion])
	}
	return text
}

// question is what the index is asked for words; nothing if they ask nothing.
func question(words []string, locale string) search.Question {
	out := search.Question{Kind: search.Article, Within: search.Whole(search.Locale, locale), Most: countedWords}
	if !slices.ContainsFunc(words, func(word string) bool { return usual(word, locale) < emptyWord }) {
		return out
	}
	for _, word := range words {
		t := term(func(part search.Part) *search.Match {
			return search.Words{Kind: search.Article, Parts: []search.Part{part}, Locale: locale}.Word(word)
		})
		if t != nil {
			out.Terms, out.Usual = append(out.Terms, t), append(out.Usual, usual(word, locale))
		}
	}
	return out
}

// asked are the different words of a question, up to askedWords. What is written
// without spaces is looked for by each two characters that stand side by side, and a
// Korean word by its first two syllables: particles follow.
func asked(text string) []string {
	var out []string
	known := map[string]bool{}
	add := func(word string) {
		folded := search.Fold(word)
		if len(out) < askedWords && !known[folded] {
			known[folded] = true
			out = append(out, word)
		}
	}
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M, unicode.N) }) {
		letters := []rune(word)
		switch {
		case len(letters) > 2 && unicode.Is(unicode.Hangul, letters[0]):
			add(string(letters[:2]))
		case len(letters) > 2 && unicode.In(letters[0], unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai):
			for i := range len(letters) - 1 {
				add(string(letters[i : i+2]))
			}
		default:
			add(word)
		}
	}
	return out
}
