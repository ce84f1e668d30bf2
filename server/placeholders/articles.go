package placeholders

import (
	"github.com/helpd/helpd/server/liquid"
)

// Article is an article that may answer a ticket.
type Article struct {
	ID, BrandID int64
	Locale      string
	Title       string
	Excerpt     string // plain text, of the part that answers
	HTMLBody    string
	Score       float64
	// Path is where it is read, and Answer where the requester says what came of it,
	// both behind the account's address.
	Path, Answer string
}

// maxArticle is how long the body of an article is that a mail repeats, in bytes; of
// a longer one there is the excerpt: the links behind it must not be cut.
const maxArticle = 20 << 10

// answers is a member of {{answer_bot}}: of the articles that may answer the ticket.
// The list of them to go through, articles, is ours.
func (v *view) answers(name string) any {
	switch name {
	case "article_count":
		return int64(len(v.Articles))
	case "article_list":
		if len(v.Articles) == 0 {
			return nil
		}
		t, _ := parse(ArticleList[v.html()])
		return v.scope.Embed(t)
	case "article_body", "first_article_body":
		if len(v.Articles) == 0 {
			return nil
		}
		return v.articleBody(&v.Articles[0])
	case "articles":
		l := &liquid.List{}
		for i := range v.Articles {
			l.Items = append(l.Items, v.article(&v.Articles[i]))
		}
		return l
	}
	return nil
}

func (v *view) article(a *Article) *liquid.Object {
	return &liquid.Object{Text: func() any { return a.Title }, Member: func(name string) any {
		switch name {
		case "id":
			return a.ID
		case "title":
			return a.Title
		case "excerpt":
			return a.Excerpt
		case "body":
			return v.articleBody(a)
		case "url":
			return v.readersBase() + a.Path
		case "solved_url":
			return v.Base + a.Answer + "?answer=solved"
		case "rejected_url":
			return v.Base + a.Answer + "?answer=rejected"
		}
		return nil
	}}
}

func (v *view) articleBody(a *Article) any {
	if !v.html() || len(a.HTMLBody) > maxArticle {
		return a.Excerpt
	}
	return liquid.Raw(a.HTMLBody)
}

// ArticleList is what {{answer_bot.article_list}} writes, in HTML and not.
var ArticleList = map[bool]string{
	true: `<ul>{% for article in answer_bot.articles %}<li><p><a href="{{article.url}}">{{article.title}}</a><br>{{article.excerpt}}</p>` +
		`<p><a href="{{article.solved_url}}">{{zd.article_solved}}</a> | <a href="{{article.rejected_url}}">{{zd.article_rejected}}</a></p></li>{% endfor %}</ul>`,
	false: "{% for article in answer_bot.articles %}{{article.title}}\n{{article.url}}\n{{article.excerpt}}\n\n{{zd.article_solved}}:\n{{article.solved_url}}\n" +
		"{{zd.article_rejected}}:\n{{article.rejected_url}}\n\n{% endfor %}",
}
