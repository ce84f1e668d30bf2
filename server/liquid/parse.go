package liquid

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// parser makes a tree of tokens.
type parser struct {
	t      *Template
	tokens []token
	at     int
	depth  int
}

func (p *parser) all() ([]node, error) {
	body, end, err := p.block()
	if err == nil && end.name != "" {
		err = &SyntaxError{end.line, end.name + " has nothing to end"}
	}
	return body, err
}

// closing are tags that end a block, or a part of one.
var closing = []string{"else", "elsif", "when", "endif", "endunless", "endcase", "endfor", "endtablerow", "endcapture"}

// block reads up to a closing tag, which it returns; at the end of the text one
// without a name.
func (p *parser) block() (body []node, end token, err error) {
	for p.at < len(p.tokens) {
		tok := p.tokens[p.at]
		p.at++
		switch {
		case tok.kind == textToken:
			body = append(body, textNode(tok.text))
			continue
		case tok.kind == tagToken && slices.Contains(closing, tok.name):
			return body, tok, nil
		}
		var n node
		if tok.kind == outputToken {
			var e expression
			e, err = p.t.compile(tok.text)
			n = outputNode{e}
		} else {
			n, err = p.tag(tok)
		}
		if err != nil {
			if _, placed := err.(*SyntaxError); !placed {
				err = &SyntaxError{tok.line, err.Error()}
			}
			return nil, token{}, err
		}
		body = append(body, n)
	}
	return body, token{}, nil
}

// until reads a block that one of the tags closes.
func (p *parser) until(start token, ends ...string) ([]node, token, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, token{}, &SyntaxError{start.line, fmt.Sprintf("blocks are nested more than %d deep", maxDepth)}
	}
	defer func() { p.depth-- }()
	body, end, err := p.block()
	switch {
	case err != nil:
		return nil, end, err
	case end.name == "":
		return nil, end, &SyntaxError{start.line, start.name + " is not closed"}
	case !slices.Contains(ends, end.name):
		return nil, end, &SyntaxError{end.line, end.name + " is not within its block: that of " + start.name + " is open"}
	}
	return body, end, nil
}

func (p *parser) tag(tok token) (node, error) {
	switch tok.name {
	case "assign":
		return p.assign(tok)
	case "capture":
		name := strings.Trim(tok.text, `"'`)
		if !simpleName.MatchString(name) {
			return nil, fmt.Errorf("%q cannot be captured into", tok.text)
		}
		body, _, err := p.until(tok, "endcapture")
		return captureNode{name, body}, err
	case "if", "unless":
		return p.condition(tok)
	case "case":
		return p.choice(tok)
	case "for", "tablerow":
		return p.loop(tok)
	case "cycle":
		return p.cycle(tok)
	case "break":
		return signalNode(leave), nil
	case "continue":
		return signalNode(again), nil
	case "increment", "decrement":
		if !simpleName.MatchString(tok.text) {
			return nil, fmt.Errorf("%q cannot be counted", tok.text)
		}
		return countNode{tok.text, tok.name == "increment"}, nil
	case "echo":
		e, err := p.t.compile(tok.text)
		return outputNode{e}, err
	}
	return nil, fmt.Errorf("there is no tag %s", tok.name)
}

func (p *parser) assign(tok token) (node, error) {
	name, value, ok := strings.Cut(tok.text, "=")
	name = strings.TrimSpace(name)
	if !ok || !simpleName.MatchString(name) {
		return nil, fmt.Errorf("%q is no assignment", tok.text)
	}
	e, err := p.t.compile(value)
	return assignNode{name, e}, err
}

func (p *parser) condition(tok token) (node, error) {
	n := ifNode{}
	for first := true; ; first = false {
		e, err := p.t.compile(tok.text)
		if err != nil {
			return nil, &SyntaxError{tok.line, err.Error()}
		}
		b := branch{cond: e, negated: first && tok.name == "unless"}
		start, end := tok, token{}
		if b.body, end, err = p.until(start, "elsif", "else", "endif", "endunless"); err != nil {
			return nil, err
		}
		n.branches = append(n.branches, b)
		if end.name == "elsif" {
			tok = end
			continue
		}
		if end.name == "else" {
			n.otherwise, _, err = p.until(end, "endif", "endunless")
		}
		return n, err
	}
}

var (
	commas     = regexp.MustCompile(`,`)
	commasOrOr = regexp.MustCompile(`,|\s+or\s+`)
)

func (p *parser) choice(tok token) (node, error) {
	n := caseNode{}
	var err error
	if n.value, err = p.t.compile(tok.text); err != nil {
		return nil, err
	}
	_, end, err := p.until(tok, "when", "else", "endcase") // what stands before the first is nothing
	for err == nil && end.name != "endcase" {
		var o option
		if end.name == "when" {
			for _, source := range split(end.text, commasOrOr) {
				e, err := p.t.compile(source)
				if err != nil {
					return nil, &SyntaxError{end.line, err.Error()}
				}
				o.values = append(o.values, e)
			}
		}
		o.otherwise = end.name == "else"
		if o.body, end, err = p.until(end, "when", "else", "endcase"); err == nil {
			n.options = append(n.options, o)
		}
	}
	return n, err
}

func (p *parser) loop(tok token) (node, error) {
	l, err := p.t.compileLoop(tok.text)
	if err != nil {
		return nil, err
	}
	n := forNode{loop: l, table: tok.name == "tablerow"}
	end := token{}
	if n.body, end, err = p.until(tok, "else", "end"+tok.name); err == nil && end.name == "else" {
		n.otherwise, _, err = p.until(end, "end"+tok.name)
	}
	return n, err
}

var cycleGroup = regexp.MustCompile(`^\s*("[^"]*"|'[^']*'|[\w.]+)\s*:(.*)$`)

func (p *parser) cycle(tok token) (node, error) {
	n := cycleNode{group: tok.text}
	list := tok.text
	if m := cycleGroup.FindStringSubmatch(list); m != nil {
		n.group, list = m[1], m[2]
	}
	for _, source := range split(list, commas) {
		e, err := p.t.compile(source)
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, e)
	}
	return n, nil
}
