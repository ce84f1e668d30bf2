package richtext

import "testing"

func TestHTMLAsPlainText(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, html, text string }{
		{"paragraphs", "<p>One</p><p>Two</p>", "One\n\nTwo"},
		{"breaks", "One<br>Two<br/>Three", "One\nTwo\nThree"},
		{"boxes", "<div>One</div><div>Two</div>", "One\n\nTwo"},
		{"a list", "<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"},
		{"a table", "<table><tr><td>a</td><td>b</td></tr></table>", "a b"},
		{"marks within a word", "f<b>oo</b>", "foo"},
		{"escaped marks", "a &lt;b&gt; &amp; &nbsp;c", "a <b> &  c"},
		{"line ends mean nothing", "One\ntwo\r\nthree", "One two three"},
		{"what is not closed", "<p>One<b>two", "Onetwo"},
	} {
		if got := Text(tc.html); got != tc.text {
			t.Errorf("%s: %q", tc.name, got)
		}
	}
}
