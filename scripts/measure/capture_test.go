package main

import (
	"reflect"
	"strings"
	"testing"
)

// theLog is what PostgreSQL writes with log_statement = all: further lines of
// an entry begin with a tab, quotes in values are doubled.
const theLog = `2026-11-22 02:17:21.966 UTC [539] LOG:  execute stmtcache_c7eb: SELECT * FROM
	    river_job
2026-11-22 02:17:21.978 UTC [514] LOG:  statement: begin
2026-11-22 02:17:21.978 UTC [514] LOG:  execute stmtcache_ce07: SELECT t.id, nextval('audit_ids')
	FROM tickets t WHERE t.id = $1 AND t.type = $2
2026-11-22 02:17:21.978 UTC [514] DETAIL:  parameters: $1 = '77', $2 = NULL
2026-11-22 02:17:21.979 UTC [514] LOG:  execute stmtcache_2c74: UPDATE tickets SET subject = $1, type = $2, external_id = $3 WHERE id = $4
2026-11-22 02:17:21.979 UTC [514] DETAIL:  parameters: $1 = 'it''s $2 = 
	a', $2 = NULL, $3 = '', $4 = '77'
2026-11-22 02:17:21.980 UTC [514] LOG:  statement: commit
`

func TestReadsStatementsOfOneRequestFromTheLog(t *testing.T) {
	t.Parallel()
	want := []statement{
		{514, "begin", nil},
		{514, "SELECT t.id, nextval('audit_ids')\nFROM tickets t WHERE t.id = $1 AND t.type = $2", []parameter{{value: "77"}, {null: true}}},
		{514, "UPDATE tickets SET subject = $1, type = $2, external_id = $3 WHERE id = $4",
			[]parameter{{value: "it's $2 = \na"}, {null: true}, {}, {value: "77"}}},
		{514, "commit", nil},
	}
	if got := ofRequest(parseLog([]byte(theLog))); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestRendersStatementsForPgbench(t *testing.T) {
	t.Parallel()
	var s scripts
	var b strings.Builder
	for _, st := range ofRequest(parseLog([]byte(theLog))) {
		b.WriteString(s.render(st, map[string]string{"77": "ticket"}, "p"))
	}
	want := `begin;
SELECT t.id, nextval('audit_ids')
FROM tickets t WHERE t.id = :ticket AND t.type = NULL \gset
\set comment :nextval + 1
UPDATE tickets SET subject = :p_1, type = NULL, external_id = '' WHERE id = :ticket;
commit;
`
	if b.String() != want {
		t.Errorf("got  %s\nwant %s", b.String(), want)
	}
	if want := []string{"-D", "p_1=it's $2 = \na"}; !reflect.DeepEqual(s.values, want) {
		t.Errorf("got %q, want %q", s.values, want)
	}
}
