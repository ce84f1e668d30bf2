package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
)

// findPgbench finds the program beside PostgreSQL's others.
func findPgbench() (string, error) {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path, nil
	}
	dirs := []string{os.Getenv("HELPD_PG_BIN")}
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"} {
		found, _ := filepath.Glob(pattern) // fails only for a bad pattern
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, "pgbench")
		if _, err := os.Stat(path); err == nil && dir != "" {
			return path, nil
		}
	}
	return "", errors.New("pgbench was not found; Debian has it in the package postgresql-contrib or postgresql")
}

// scripts are files for pgbench, and the values of the variables in them.
type scripts struct {
	dir    string
	files  []string
	values []string // -D name=value ...
}

// writeScripts writes a script for each captured request. It runs the same
// statements with the same parameters, but for the ids, which are drawn as the
// requests draw theirs.
func writeScripts(dir string, w *world, op operation, list []captured) (scripts, error) {
	s := scripts{dir: dir}
	for i, c := range list {
		var b strings.Builder
		b.WriteString(draw(w, op))
		for j, st := range c.statements {
			b.WriteString(s.render(st, c.bind, fmt.Sprintf("p%d_%d", i, j)))
		}
		file := filepath.Join(dir, fmt.Sprintf("%s-%d.sql", op.name, i))
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			return s, err
		}
		s.files = append(s.files, file)
	}
	return s, nil
}

// draw sets the variables that requests choose by chance.
func draw(w *world, op operation) string {
	switch op.name {
	case "show":
		return fmt.Sprintf("\\set ticket random(1, %d)\n", w.tickets)
	case "article":
		return fmt.Sprintf("\\set article random(1, %d)\n", len(w.articles))
	case "list":
		return fmt.Sprintf("\\set cursor 100 * random(1, %d)\n", len(w.pages)-1)
	case "create":
		return fmt.Sprintf("\\set requester random(%d, %d)\n", w.firstUser, w.lastUser)
	}
	return fmt.Sprintf("\\set ticket random(%d, %d)\n", w.firstOpen, w.tickets)
}

var placeholder = regexp.MustCompile(`\$\d+`)

func (s *scripts) render(st statement, bind map[string]string, prefix string) string {
	sql := placeholder.ReplaceAllStringFunc(st.sql, func(mark string) string {
		n, _ := strconv.Atoi(mark[1:])
		p := st.params[n-1]
		switch name, bound := bind[p.value]; {
		case p.null:
			return "NULL" // a variable cannot be null
		case p.value == "":
			return "''" // nor empty
		case bound:
			return ":" + name
		}
		name := prefix + "_" + mark[1:]
		if value := name + "=" + p.value; !contains(s.values, value) {
			s.values = append(s.values, "-D", value)
		}
		return ":" + name
	})
	// The ids that a save takes come from the first of its statements.
	if strings.Contains(sql, "nextval('audit_ids')") {
		return sql + " \\gset\n\\set comment :nextval + 1\n"
	}
	return sql + ";\n"
}

var tps = regexp.MustCompile(`(?m)^tps = ([\d.]+)`)

// run runs the scripts in turns for the given time, on as many connections as
// helpd is asked on, and returns how many a second were done.
func (s scripts) run(ctx context.Context, pgbench, dsn string, o options) (float64, error) {
	args := []string{"--no-vacuum", "--protocol=prepared", "--client", strconv.Itoa(o.connections),
		"--jobs", strconv.Itoa(min(o.connections, runtime.NumCPU())), "--time", strconv.Itoa(o.seconds)}
	for _, file := range s.files {
		args = append(args, "--file", file)
	}
	cmd := exec.CommandContext(ctx, pgbench, append(append(args, s.values...), dsn)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	m := tps.FindSubmatch(out)
	if err != nil || m == nil || strings.Contains(stderr.String(), "ERROR") {
		return 0, fmt.Errorf("pgbench (%s): %w\n%.2000s", strings.Join(s.files, ", "), err, stderr.String())
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
