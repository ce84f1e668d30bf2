package main

import "testing"

func TestUnloggedLeavesTheRestOfAStatement(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ sql, want string }{
		{"WITH a AS (UPDATE t SET x = ($1)), new_2 AS (INSERT INTO event_batches (a) SELECT (f($2)) FROM (SELECT 1) x), b AS (SELECT 2) SELECT 1", "WITH a AS (UPDATE t SET x = ($1)), b AS (SELECT 2) SELECT 1"},
		{"WITH new_1 AS (INSERT INTO event_batches (a) VALUES ($1)), b AS (SELECT 2), new_2 AS (INSERT INTO event_batches (a) VALUES ($1)) SELECT 1", "WITH b AS (SELECT 2) SELECT 1"},
		{"WITH new_2 AS (INSERT INTO event_batches (a) VALUES ($1)), b AS (SELECT 2) SELECT 1", "WITH b AS (SELECT 2) SELECT 1"},
		{"WITH a AS (SELECT 2), new_2 AS (INSERT INTO event_batches (a) VALUES ($1)) SELECT 1", "WITH a AS (SELECT 2) SELECT 1"},
	} {
		got, err := captured{statements: []statement{{sql: "begin"}, {sql: tc.sql}}}.unlogged()
		if err != nil || len(got.statements) != 2 || got.statements[1].sql != tc.want {
			t.Errorf("%s: %v, %v", tc.sql, got.statements, err)
		}
	}
	if _, err := (captured{statements: []statement{{sql: "SELECT 1"}}}).unlogged(); err == nil {
		t.Error("what writes no events is compared with itself")
	}
}
