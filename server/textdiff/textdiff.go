// Package textdiff tells what became another between two texts.
package textdiff

import "strings"

// Edit is a part of a text that stayed (=), came (+) or went (-).
type Edit struct {
	Change  string `json:"change"`
	Content string `json:"content"`
}

// most is how many pairs of parts are compared: beyond it, what lies between the
// first and the last difference counts as new.
const most = 4 << 20

// HTML compares the sources of two HTML texts, line by line and block by block.
// Parts of one kind that follow each other are one.
func HTML(before, after string) []Edit {
	a, b := blocks(before), blocks(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var e edits
	e.add("=", a[:head]...)
	e.between(a[head:len(a)-tail], b[head:len(b)-tail])
	e.add("=", a[len(a)-tail:]...)
	e.end()
	return e.done
}

// ends are what a part of HTML ends behind, beside the ends of lines.
var ends = []string{"</p>", "</li>", "</h1>", "</h2>", "</h3>", "</h4>", "</h5>", "</h6>", "</tr>", "</td>", "</th>", "</div>", "</pre>", "</ul>", "</ol>", "</table>", "</blockquote>", "<br>", "<br/>", "<br />"}

// blocks are the parts of a source, which together are the source.
func blocks(source string) (parts []string) {
	start := 0
	for i := 0; i < len(source); i++ {
		if source[i] == '\n' {
			parts, start = append(parts, source[start:i+1]), i+1
			continue
		}
		if source[i] != '<' {
			continue
		}
		for _, end := range ends {
			if to := i + len(end); strings.HasPrefix(source[i:], end) {
				if to < len(source) && source[to] == '\n' {
					to++
				}
				parts, start = append(parts, source[start:to]), to
				i = to - 1
				break
			}
		}
	}
	if start < len(source) {
		parts = append(parts, source[start:])
	}
	return parts
}

// edits gathers parts. Those of one kind that follow each other are joined once, at
// the end of them: a text may have a million.
type edits struct {
	done   []Edit
	change string
	parts  []string
}

func (e *edits) add(change string, parts ...string) {
	if len(parts) == 0 {
		return
	}
	if change != e.change {
		e.end()
		e.change = change
	}
	e.parts = append(e.parts, parts...)
}

// end ends an edit.
func (e *edits) end() {
	if len(e.parts) > 0 {
		e.done = append(e.done, Edit{e.change, strings.Join(e.parts, "")})
		e.parts = e.parts[:0]
	}
}

// between adds what became another between two lists of parts: the fewest edits,
// found by the longest list of parts that both have in order.
func (e *edits) between(a, b []string) {
	if len(a) == 0 || len(b) == 0 || len(a) > most/len(b) {
		e.add("-", a...)
		e.add("+", b...)
		return
	}
	// common[i*w+j] is how long that list is for a[i:] and b[j:].
	w := len(b) + 1
	common := make([]int32, (len(a)+1)*w)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i*w+j] = common[(i+1)*w+j+1] + 1
			} else {
				common[i*w+j] = max(common[(i+1)*w+j], common[i*w+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			e.add("=", a[i])
			i, j = i+1, j+1
		case common[(i+1)*w+j] >= common[i*w+j+1]:
			e.add("-", a[i])
			i++
		default:
			e.add("+", b[j])
			j++
		}
	}
	e.add("-", a[i:]...)
	e.add("+", b[j:]...)
}
