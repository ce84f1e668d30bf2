package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/helpd/helpd/server/testdb"
)

func TestTokensBesideARunningHelpd(t *testing.T) {
	t.Parallel()
	env := []string{"HELPD_DATA_DIR=" + t.TempDir()}
	s := serve(t, env...)

	token := strings.TrimSpace(helpd(t, env, "token", "create", "--description", "for a test").ok(t).out)
	if status, answer := s.get("/api/v2/groups", "admin@example.com/token", token); status != http.StatusOK {
		t.Fatalf("a new API token: status %d: %s", status, answer)
	}
	oauth := strings.TrimSpace(helpd(t, env, "token", "create", "--oauth", "--user", "ADMIN@example.com", "--scopes", "read").ok(t).out)
	if status, answer := s.get("/api/v2/groups?access_token=" + oauth); status != http.StatusOK {
		t.Errorf("a new OAuth token: status %d: %s", status, answer)
	}
	if status, answer := s.send("POST", "/api/v2/groups?access_token="+oauth, `{"group":{"name":"x"}}`); status != http.StatusForbidden {
		t.Errorf("writing with scope read: status %d: %s", status, answer)
	}
	key := helpd(t, env, "token", "create", "--jwt").ok(t).out
	if !regexp.MustCompile(`^kid     [0-9a-f]{24}\nsecret  \w{43}\n$`).MatchString(key) {
		t.Errorf("a new JWT key: %q", key)
	}

	list := helpd(t, env, "token", "list").ok(t).out
	for _, secret := range []string{token, oauth, key[len(key)-44 : len(key)-1]} {
		if strings.Contains(list, secret) {
			t.Errorf("token list tells %s", secret)
		}
	}
	id := regexp.MustCompile(`(?m)^(api:\d+) .*for a test`).FindStringSubmatch(list)
	if id == nil {
		t.Fatalf("token list: %s", list)
	}
	helpd(t, env, "token", "revoke", id[1]).ok(t)
	for { // it is remembered for a second at most
		if status, _ := s.get("/api/v2/groups", "admin@example.com/token", token); status == http.StatusUnauthorized {
			break
		}
	}
	if r := helpd(t, env, "token", "revoke", id[1]); r.code != 1 || r.err != "helpd: credential "+id[1]+" not found\n" {
		t.Errorf("revoking twice: exit code %d, %q", r.code, r.err)
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	env := database(t)
	if r := helpd(t, env, "token", "list"); r.code != 1 || !strings.Contains(r.err, "there is no account yet") {
		t.Errorf("tokens without an account: exit code %d, %q", r.code, r.err)
	}
	made := helpd(t, env, "account", "create", "Acme", "--admin-email", "ann@acme.example", "--name", "Acme Inc").ok(t).out
	if !regexp.MustCompile(`^account    acme\ne-mail     ann@acme.example\npassword   \w{20}\nAPI token  \w{43}\n$`).MatchString(made) {
		t.Errorf("account create: %q", made)
	}
	helpd(t, env, "account", "create", "beta", "--admin-email", "ann@beta.example").ok(t)
	list := helpd(t, env, "account", "list").ok(t).out
	if !regexp.MustCompile(`(?s)^ID +SUBDOMAIN .*\n\d+ +acme +Acme Inc +UTC .*\n\d+ +beta +beta `).MatchString(list) {
		t.Errorf("account list: %s", list)
	}
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"account", "create", "acme", "--admin-email", "bob@acme.example"}, 1, "Subdomain: acme is already taken"},
		{[]string{"account", "create", "no_label", "--admin-email", "bob@acme.example"}, 1, "Subdomain: no_label must consist of letters, digits and hyphens"},
		{[]string{"account", "create", "gamma", "--admin-email", "bob"}, 1, "Email: bob is not properly formatted"},
		{[]string{"account", "create"}, 2, "usage: helpd account create SUBDOMAIN [flags]"},
		{[]string{"account", "create", "gamma"}, 2, "--admin-email is needed: who is to sign in"},
		{[]string{"token", "create"}, 2, "there are several accounts: name one with --account"},
		{[]string{"token", "create", "--account", "delta"}, 1, `there is no account "delta"`},
		{[]string{"token", "create", "--account", "beta", "--oauth", "--user", "ann@acme.example"}, 1, "the account has no user ann@acme.example"},
	} {
		if r := helpd(t, env, tc.args...); r.code != tc.code || r.err != "helpd: "+tc.want+"\n" {
			t.Errorf("%v: exit code %d, %q; want %d, %q", tc.args, r.code, r.err, tc.code, tc.want)
		}
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	env := database(t)
	s := serve(t, env...)
	made := regexp.MustCompile(`^id        \d+\npassword  (\w{20})\n$`).FindStringSubmatch(
		helpd(t, env, "user", "create", "ann@example.com", "--name", "Ann").ok(t).out)
	if made == nil {
		t.Fatal("user create does not tell id and password")
	}
	status, answer := s.get("/api/v2/users/me", "ann@example.com", made[1])
	if status != http.StatusOK || !strings.Contains(answer, `"name":"Ann"`) || !strings.Contains(answer, `"role":"agent"`) {
		t.Errorf("with the password: status %d: %s", status, answer)
	}
	if out := helpd(t, env, "user", "create", "eve@example.com", "--role", "end-user").ok(t).out; strings.Contains(out, "password") {
		t.Errorf("an end user has a password: %s", out)
	}
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"ANN@example.com"}, 1, "Email: ann@example.com is already being used by another user"},
		{[]string{"ann"}, 1, "Email: ann is not properly formatted"},
		{[]string{"bob@example.com", "--role", "owner"}, 2, "--role is one of end-user, agent, admin"},
		{[]string{"bob@example.com", "--password", "short"}, 1, "Password: is too short (minimum is 8 characters)"},
	} {
		if r := helpd(t, env, append([]string{"user", "create"}, tc.args...)...); r.code != tc.code || r.err != "helpd: "+tc.want+"\n" {
			t.Errorf("%v: exit code %d, %q; want %d, %q", tc.args, r.code, r.err, tc.code, tc.want)
		}
	}
}

func TestCommandsRefuseWhatDoesNotGoTogether(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"serv"}, `helpd has no command "serv" (did you mean serve?); see helpd --help`},
		{[]string{"token", "steal"}, `helpd token has no command "steal"; see helpd token --help`},
		{[]string{"serve", "now"}, `helpd serve does not take "now"; see helpd serve --help`},
		{[]string{"serve", "--adr"}, "unknown flag: --adr; see helpd serve --help"},
		{[]string{"token", "create", "--oauth"}, "--oauth needs --user EMAIL"},
		{[]string{"token", "create", "--oauth", "--jwt"}, "--oauth and --jwt are two kinds of credentials"},
		{[]string{"token", "create", "--scopes", "read"}, "--scopes goes with --oauth"},
		{[]string{"token", "create", "--jwt", "--algorithm", "none"}, "--algorithm is one of HS256, RS256, ES256, EdDSA"},
		{[]string{"token", "create", "--jwt", "--algorithm", "ES256"}, "--algorithm ES256 needs --public-key FILE"},
	} {
		if r := helpd(t, nil, tc.args...); r.code != 2 || r.err != "helpd: "+tc.want+"\n" {
			t.Errorf("%v: exit code %d, %q; want 2, %q", tc.args, r.code, r.err, tc.want)
		}
	}
}

func TestConfigIsPrintedWithoutSecrets(t *testing.T) {
	t.Parallel()
	r := helpd(t, []string{"DATABASE_URL=postgres://helpd:s3cret@db/helpd", "HELPD_ADMIN_TOKEN=s3cret-s3cret-s3cret", "HELPD_ADRESS=:1"},
		"config", "--addr", ":9000", "--admin-password", "s3cret-s3cret").ok(t)
	for _, want := range []string{
		`HELPD_ADDR +:9000 +flag +--addr`,
		`DATABASE_URL +postgres://helpd:xxxxx@db/helpd +env +--database-url`,
		`HELPD_ADMIN_PASSWORD +xxxxx +flag +--admin-password`,
		`HELPD_RATE_LIMIT +10000 +default +--rate-limit`,
	} {
		if !regexp.MustCompile(`(?m)^` + want + `$`).MatchString(r.out) {
			t.Errorf("no line %q in %s", want, r.out)
		}
	}
	if strings.Contains(r.out, "s3cret") {
		t.Error("a secret is printed")
	}
	if r.err != "helpd: no such setting, ignored: HELPD_ADRESS\n" {
		t.Errorf("a misspelt variable: %q", r.err)
	}
}

func TestConfiguredDatabaseIsUsedInsteadOfTheEmbedded(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	dsn := testdb.DSN(t)
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	env := []string{"HELPD_DATA_DIR=" + dir, "DATABASE_URL=" + dsn}

	if r := helpd(t, env, "account", "list"); r.code != 1 || !strings.Contains(r.err, "run helpd migrate") {
		t.Errorf("before the migration: exit code %d, %q", r.code, r.err)
	}
	helpd(t, env, "migrate").ok(t)
	helpd(t, env, "account", "create", "acme", "--admin-email", "ann@acme.example").ok(t)
	s := serve(t, env...)
	if !strings.Contains(s.said, "from the database of DATABASE_URL") {
		t.Errorf("an account is there already, and helpd says %s", s.said)
	}
	if status, body := s.get("/readyz"); status != http.StatusOK {
		t.Errorf("readyz: status %d: %s", status, body)
	}
	if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
		t.Error("a PostgreSQL of its own was made")
	}
}

func TestCompletionAndVersion(t *testing.T) {
	t.Parallel()
	if out := helpd(t, nil, "completion", "bash").ok(t).out; !strings.Contains(out, "complete -o default -F __start_helpd helpd") {
		t.Errorf("completion: %.300s", out)
	}
	if out := helpd(t, nil, "version").ok(t).out; !regexp.MustCompile(`^helpd \S+ .*go1\.`).MatchString(out) {
		t.Errorf("version: %q", out)
	}
}
