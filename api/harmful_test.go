package api_test

import (
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// harmful names what in a piece of HTML a browser would run; empty for nothing.
// It reads as browsers do, and knows nothing of how the HTML was cleaned.
func harmful(source string) string {
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		return err.Error()
	}
	var walk func(n *html.Node) string
	walk = func(n *html.Node) string {
		if n.Type == html.ElementNode && slices.Contains([]string{"script", "style", "object", "embed", "link", "meta", "base", "svg", "math", "form", "input",
			"button", "frame", "frameset", "applet", "template", "noscript", "textarea", "select"}, n.Data) && (n.Data != "meta" || n.Parent.Data != "head") {
			return "<" + n.Data + ">"
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.Map(func(r rune) rune {
				if r <= ' ' {
					return -1
				}
				return r
			}, a.Val))
			address := slices.Contains([]string{"href", "src", "action", "formaction", "background", "poster", "data", "cite", "longdesc"}, a.Key)
			u, err := url.Parse(a.Val)
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "srcdoc", a.Key == "style" && (strings.Contains(value, "(") || strings.Contains(value, "\\")):
				return a.Key + "=" + a.Val
			case address && (err != nil || !slices.Contains([]string{"", "http", "https", "mailto"}, u.Scheme) || strings.Contains(value, "script:")):
				return a.Key + "=" + a.Val
			case n.Data == "iframe" && a.Key == "src" && u.Host != "www.youtube.com":
				return "iframe " + a.Val
			}
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if bad := walk(c); bad != "" {
				return bad
			}
		}
		return ""
	}
	return walk(root)
}
