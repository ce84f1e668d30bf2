package liquid

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/osteele/liquid/expressions"
)

// Scope is what a text is rendered with. It is for one rendering at a time.
type Scope struct {
	Format Format
	// Root is the value of a name that the text has not assigned itself; nil if
	// there is none. It is asked once for each.
	Root func(name string) any
	Now  time.Time
	Zone *time.Location // of dates; nil is UTC

	run    *run // under way
	embeds int
}

// Render renders the template. With an error, ErrTooLong or ErrTooMuch, the text
// is what was made until then. It never panics.
func (t *Template) Render(s *Scope) (string, error) {
	if t.Plain() && s.Format != HTML {
		return t.source, nil
	}
	r := &run{Scope: s, looked: time.Now(), check: lookEvery}
	s.run = r
	defer func() { s.run = nil }()
	// A filter can decode one, and a database takes none.
	return strings.ReplaceAll(r.render(t), "\x00", ""), r.stopped
}

// Embed renders another template within the rendering under way of which a value
// of s was asked for, and counts it as a part of that. It has what the outer one
// has, but for what that has assigned. Outside of a rendering, and too deep
// within embedded ones, it is empty.
func (s *Scope) Embed(t *Template) Raw { return s.embed(t, false) }

// EmbedText is Embed of a template that is plain text: also what its author wrote
// is escaped.
func (s *Scope) EmbedText(t *Template) Raw { return s.embed(t, true) }

func (s *Scope) embed(t *Template, plain bool) Raw {
	if s.run == nil || s.embeds >= maxEmbeds {
		return ""
	}
	outer := *s.run
	s.embeds++
	defer func() {
		s.embeds--
		r := s.run
		r.template, r.vars, r.context, r.plain = outer.template, outer.vars, outer.context, outer.plain
	}()
	s.run.plain = plain
	return Raw(s.run.render(t))
}

// run is one rendering under way.
type run struct {
	*Scope
	template *Template
	plain    bool // what stands in the template is escaped too
	vars     map[string]any
	context  expressions.Context
	work     int
	check    int // when work is this much, the clock is looked at
	looked   time.Time
	took     time.Duration
	stopped  error
}

func (r *run) render(t *Template) string {
	r.template, r.vars = t, map[string]any{"blank": blank{}, "empty": blank{}}
	if r.Root != nil {
		for name := range t.names {
			if v := r.Root(name); v != nil {
				r.vars[name] = r.value(v)
			}
		}
	}
	config := expressions.NewConfig()
	for name := range t.filters {
		config.AddFilter(name, func(in any, args ...any) (any, error) { return r.filter(name, in, args), nil })
	}
	r.context = expressions.NewContext(r.vars, config)
	w := writer{run: r}
	r.body(t.body, &w)
	return w.text.String()
}

// spend counts what is done: about one for what takes as long as writing a
// value, or for 32 bytes that are copied or looked through. It reports false when
// it is enough. The clock stops what is slow in spite of that, such as comparing
// long texts: no small text, and not for the time that the machine was busy with
// something else, or a mail would be cut because of that.
func (r *run) spend(n int) bool {
	if r.work += n; r.work >= r.check && r.stopped == nil {
		now := time.Now()
		r.took += min(now.Sub(r.looked), longestStep)
		r.looked, r.check = now, r.work+lookEvery
		if r.work > maxWork || r.took > MaxTime {
			r.stopped = ErrTooMuch
		}
	}
	return r.stopped == nil
}

const (
	lookEvery   = 50
	longestStep = 5 * time.Millisecond // what 50 can take: more is a pause of the machine
)

func (r *run) stop(err error) {
	if r.stopped == nil {
		r.stopped = err
	}
}

// evaluate is the value of an expression; nil if it fails.
func (r *run) evaluate(e expression) (v any) {
	if !r.spend(e.cost) {
		return nil
	}
	defer func() {
		if recover() != nil { // the library panics where filters and comparisons do
			v = nil
		}
	}()
	v, err := e.Evaluate(r.context)
	if err != nil {
		return nil
	}
	return v
}

func (r *run) holds(e expression) bool {
	switch v := r.evaluate(e).(type) {
	case nil:
		return false
	case bool:
		return v
	case *Object:
		return v.Test()
	}
	return true
}

// writer collects the text of a template, or of a block of it.
type writer struct {
	run  *run
	text strings.Builder
}

// write appends what is written in the text's format.
func (w *writer) write(s string) signal {
	room := MaxOutput - w.text.Len()
	if len(s) > room {
		w.run.stop(ErrTooLong)
		s = cut(s, room)
	}
	w.text.WriteString(s)
	if !w.run.spend(len(s) / 32) {
		return halt
	}
	return next
}

// cut is the beginning of s, of n bytes at most.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
