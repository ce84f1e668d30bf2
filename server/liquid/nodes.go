package liquid

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/osteele/liquid/values"
)

// node is a part of a template.
type node interface{ render(*run, *writer) signal }

// signal is what comes after a node.
type signal int

const (
	next  signal = iota
	leave        // the loop
	again        // its next round
	halt         // the rendering was cut
)

func (r *run) body(nodes []node, w *writer) signal {
	for _, n := range nodes {
		if !r.spend(1) {
			return halt
		}
		if s := n.render(r, w); s != next {
			return s
		}
	}
	return next
}

type textNode string

func (n textNode) render(r *run, w *writer) signal {
	s := string(n)
	if r.plain {
		s = r.escape(s)
	} else if r.Format == HTML && !r.template.blocks {
		// The author writes lines, and not HTML that has lines of its own.
		s = strings.ReplaceAll(s, "\n", "<br>\n")
	}
	return w.write(s)
}

type outputNode struct{ expression }

func (n outputNode) render(r *run, w *writer) signal {
	return w.write(r.escaped(r.text(r.evaluate(n.expression))))
}

type assignNode struct {
	name  string
	value expression
}

func (n assignNode) render(r *run, _ *writer) signal {
	r.vars[n.name] = r.evaluate(n.value)
	return next
}

type captureNode struct {
	name string
	body []node
}

func (n captureNode) render(r *run, _ *writer) signal {
	inner := writer{run: r}
	s := r.body(n.body, &inner)
	r.vars[n.name] = r.value(Raw(inner.text.String()))
	return s
}

type countNode struct {
	name string
	up   bool
}

// render counts apart from what is assigned, as Shopify's does.
func (n countNode) render(r *run, w *writer) signal {
	key := "count " + n.name // no name that can be written
	v, _ := r.vars[key].(int)
	if !n.up {
		v--
	}
	s := w.write(strconv.Itoa(v))
	if n.up {
		v++
	}
	r.vars[key] = v
	return s
}

type branch struct {
	cond    expression
	negated bool
	body    []node
}

type ifNode struct {
	branches  []branch
	otherwise []node
}

func (n ifNode) render(r *run, w *writer) signal {
	for _, b := range n.branches {
		if r.holds(b.cond) != b.negated {
			return r.body(b.body, w)
		}
	}
	return r.body(n.otherwise, w)
}

type option struct {
	values    []expression
	otherwise bool
	body      []node
}

type caseNode struct {
	value   expression
	options []option
}

func (n caseNode) render(r *run, w *writer) signal {
	value, found := values.ValueOf(r.evaluate(n.value)), false
	for _, o := range n.options {
		matches := o.otherwise && !found
		for _, e := range o.values {
			matches = matches || value.Equal(values.ValueOf(r.evaluate(e)))
		}
		if !matches {
			continue
		}
		found = true
		if s := r.body(o.body, w); s != next {
			return s
		}
	}
	return next
}

type signalNode signal

func (n signalNode) render(*run, *writer) signal { return signal(n) }

type cycleNode struct {
	group  string
	values []expression
}

func (n cycleNode) render(r *run, w *writer) signal {
	key := "cycle " + n.group
	turn, _ := r.vars[key].(int)
	r.vars[key] = turn + 1
	return w.write(r.escaped(r.text(r.evaluate(n.values[turn%len(n.values)]))))
}

type forNode struct {
	loop
	table           bool
	body, otherwise []node
}

func (n forNode) render(r *run, w *writer) signal {
	item, count := r.items(n.loop)
	if count <= 0 {
		return r.body(n.otherwise, w)
	}
	outer := maps.Clone(map[string]any{n.Variable: r.vars[n.Variable], "forloop": r.vars["forloop"]})
	defer maps.Copy(r.vars, outer)
	columns := count
	if n.table && n.Cols != nil {
		if c, ok := r.evaluate(expression{n.Cols, 1}).(int); ok && c > 0 {
			columns = c
		}
	}
	for i := range count {
		r.vars[n.Variable], r.vars["forloop"] = item(i), forloop(i, count, outer["forloop"])
		if n.table {
			if i%columns == 0 {
				w.write(fmt.Sprintf(`<tr class="row%d">`, i/columns+1))
			}
			w.write(fmt.Sprintf(`<td class="col%d">`, i%columns+1))
		}
		s := halt
		if r.spend(n.cost) {
			s = r.body(n.body, w)
		}
		if n.table {
			w.write("</td>")
			if i%columns == columns-1 || i == count-1 {
				w.write("</tr>")
			}
		}
		switch s {
		case halt:
			return halt
		case leave:
			return next
		}
	}
	return next
}

// items are what a loop goes through: how many, and each by its place.
func (r *run) items(l loop) (item func(int) any, count int) {
	if l.from != nil {
		from, to := toNumber(r.evaluate(*l.from)).int(), toNumber(r.evaluate(*l.to)).int()
		// No rendering gets so far, and nothing overflows.
		from, to = min(max(from, -1<<40), 1<<40), min(max(to, -1<<40), 1<<40)
		item, count = func(i int) any { return from + i }, to-from+1
	} else {
		list := toList(r.evaluate(expression{l.Expr, l.cost}))
		item, count = func(i int) any { return list[i] }, len(list)
	}
	count = max(count, 0)
	if l.Offset != nil {
		offset := min(max(toNumber(r.evaluate(expression{l.Offset, 1})).int(), 0), count)
		all := item
		item, count = func(i int) any { return all(i + offset) }, count-offset
	}
	if l.Limit != nil {
		count = min(max(toNumber(r.evaluate(expression{l.Limit, 1})).int(), 0), count)
	}
	if l.Reversed {
		all, last := item, count-1
		item = func(i int) any { return all(last - i) }
	}
	return item, count
}

func forloop(i, count int, parent any) *Object {
	return &Object{Member: func(name string) any {
		switch name {
		case "first":
			return i == 0
		case "last":
			return i == count-1
		case "index":
			return i + 1
		case "index0":
			return i
		case "rindex":
			return count - i
		case "rindex0":
			return count - i - 1
		case "length":
			return count
		case "parentloop":
			return parent
		}
		return nil
	}}
}
