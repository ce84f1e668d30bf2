package richtext

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	unsafe "github.com/yuin/goldmark/renderer/html"
)

// players are the pages that articles may embed: videos, which run no scripts
// in ours.
var players = regexp.MustCompile(`^https://(www\.youtube(-nocookie)?\.com/embed/|player\.vimeo\.com/video/|fast\.wistia\.net/embed/iframe/|www\.loom\.com/embed/)[\w?&=;%.-]+$`)

// article lets through what writers of articles need: headings that are linked
// to, tables, lists, code, pictures, videos. Scripts, handlers and addresses
// that run something are gone.
var article = func() *bluemonday.Policy {
	p := bluemonday.UGCPolicy()
	p.RequireNoFollowOnLinks(false) // writers are staff
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`^(auto|ltr|rtl)$`)).Globally()
	p.AllowAttrs("class").Matching(regexp.MustCompile(`^[\w -]*$`)).Globally()
	p.AllowAttrs("id").Matching(regexp.MustCompile(`^[\pL\pN_:.-]+$`)).Globally()
	p.AllowAttrs("name").Matching(regexp.MustCompile(`^[\pL\pN_:.-]+$`)).OnElements("a")
	p.AllowAttrs("target").Matching(regexp.MustCompile(`^_(blank|self)$`)).OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^[a-z ]*$`)).OnElements("a")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("open").Matching(regexp.MustCompile(`^(open)?$`)).OnElements("details")
	p.AllowAttrs("loading").Matching(regexp.MustCompile(`^(lazy|eager)$`)).OnElements("img")
	p.AllowAttrs("src").Matching(players).OnElements("iframe")
	p.AllowAttrs("width", "height").Matching(bluemonday.NumberOrPercent).OnElements("iframe")
	p.AllowAttrs("allowfullscreen").Matching(regexp.MustCompile(`^(allowfullscreen|true)?$`)).OnElements("iframe")
	p.AllowStyles("text-align").MatchingEnum("left", "right", "center", "justify").Globally()
	p.AllowStyles("width", "height").Matching(regexp.MustCompile(`^\d+(\.\d+)?(px|%|em)$`)).OnElements("img", "table", "td", "th", "col")
	return p
}()

// Article is HTML from outside as it may stand in an article, without what must
// not reach a browser.
func Article(source string) string {
	return strings.TrimSpace(article.Sanitize(source))
}

var articleMarkdown = goldmark.New(goldmark.WithExtensions(extension.GFM),
	goldmark.WithParserOptions(parser.WithAutoHeadingID()), goldmark.WithRendererOptions(unsafe.WithUnsafe()))

// ArticleOfMarkdown is the HTML of an article that is written in Markdown, which
// may have tables and HTML in it. Headings have ids, so that they can be linked to.
func ArticleOfMarkdown(source string) string {
	var b bytes.Buffer
	if err := articleMarkdown.Convert([]byte(source), &b); err != nil {
		return "<pre>" + html.EscapeString(source) + "</pre>" // a writer into memory does not fail
	}
	return Article(b.String())
}

// comment lets through what readers need who answer: text marks, links, lists,
// tables, code, pictures.
var comment = func() *bluemonday.Policy {
	p := bluemonday.UGCPolicy()
	p.RequireNoFollowOnLinks(true)
	return p
}()

// Comment is HTML from outside as it may stand in a reader's comment.
func Comment(source string) string {
	return strings.TrimSpace(comment.Sanitize(source))
}
