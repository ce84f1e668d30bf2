package server

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"
)

func environment(kv map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := kv[name]
		return v, ok
	}
}

func TestConfigIsReadFromTheEnvironment(t *testing.T) {
	t.Parallel()
	prefix := netip.MustParsePrefix
	for _, tc := range []struct {
		name, value string
		got         func(Config) any
		want        any
	}{
		{"HELPD_ADDR", ":9000", func(c Config) any { return c.Addr }, ":9000"},
		{"HELPD_ADDR", "[::1]:0", func(c Config) any { return c.Addr }, "[::1]:0"},
		{"HELPD_ADDR", "", func(c Config) any { return c.Addr }, "127.0.0.1:8080"},
		{"HELPD_DATA_DIR", "/srv/helpd", func(c Config) any { return c.BlobURL }, "file:///srv/helpd/attachments"},
		{"HELPD_DATA_DIR", "/srv/100% ours", func(c Config) any { return c.BlobURL }, "file:///srv/100%25%20ours/attachments"},
		{"HELPD_BLOB_URL", "s3://files?region=eu-central-1", func(c Config) any { return c.BlobURL }, "s3://files?region=eu-central-1"},
		{"HELPD_TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7", func(c Config) any { return c.TrustedProxies },
			[]netip.Prefix{prefix("10.0.0.0/8"), prefix("192.0.2.7/32")}},
		{"HELPD_CORS_ORIGINS", "https://shop.example.com,http://localhost:3000", func(c Config) any { return c.CORSOrigins },
			[]string{"https://shop.example.com", "http://localhost:3000"}},
		{"HELPD_CORS_ORIGINS", "", func(c Config) any { return c.CORSOrigins == nil }, true},
		{"HELPD_RATE_LIMIT", "0", func(c Config) any { return c.RateLimit }, 0},
		{"HELPD_RATE_LIMIT", "", func(c Config) any { return c.RateLimit }, 10_000},
		{"HELPD_RATE_LIMIT_ANONYMOUS", "", func(c Config) any { return c.RateLimitAnonymous }, 600},
		{"HELPD_MAX_UPLOAD", "", func(c Config) any { return c.MaxUpload }, int64(50 << 20)},
		{"HELPD_MAX_UPLOAD", "1000", func(c Config) any { return c.MaxUpload }, int64(1000)},
		{"HELPD_MAX_UPLOAD", "2 GiB", func(c Config) any { return c.MaxUpload }, int64(2 << 30)},
		{"HELPD_SHUTDOWN_TIMEOUT", "1m30s", func(c Config) any { return c.ShutdownTimeout }, 90 * time.Second},
		{"HELPD_METRICS", "127.0.0.1:9090", func(c Config) any { return c.Metrics }, "127.0.0.1:9090"},
		{"HELPD_ADMIN_PASSWORD", "åäöåäöåä", func(c Config) any { return c.AdminPassword }, "åäöåäöåä"},
	} {
		c, _, err := LoadConfig(nil, environment(map[string]string{tc.name: tc.value}))
		if err != nil {
			t.Errorf("%s=%s: %v", tc.name, tc.value, err)
			continue
		}
		if got := tc.got(c); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s=%s: %v, want %v", tc.name, tc.value, got, tc.want)
		}
	}
}

func TestConfigRefusesWrongValues(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, value, want string }{
		{"HELPD_ADDR", "8080", "HELPD_ADDR=8080: must be host:port, as 127.0.0.1:8080 or :8080"},
		{"HELPD_ADDR", "x:70000", "HELPD_ADDR=x:70000: must be host:port, as 127.0.0.1:8080 or :8080"},
		{"HELPD_RATE_LIMIT", "-1", "HELPD_RATE_LIMIT=-1: must be a whole number from 0 to 2147483647"},
		{"HELPD_DB_CONNS", "many", "HELPD_DB_CONNS=many: must be a whole number from 0 to 10000"},
		{"HELPD_MAX_UPLOAD", "0", "HELPD_MAX_UPLOAD=0: must be a number of bytes, or one with KB, MB or GB"},
		{"HELPD_MAX_UPLOAD", "1MBK", "HELPD_MAX_UPLOAD=1MBK: must be a number of bytes, or one with KB, MB or GB"},
		{"HELPD_SHUTDOWN_TIMEOUT", "25", "HELPD_SHUTDOWN_TIMEOUT=25: must be a duration, as 500ms, 25s or 2m"},
		{"HELPD_SHUTDOWN_DELAY", "-1s", "HELPD_SHUTDOWN_DELAY=-1s: must be a duration, as 500ms, 25s or 2m"},
		{"HELPD_LOG_LEVEL", "loud", "HELPD_LOG_LEVEL=loud: must be one of debug, info, warn, error"},
		{"HELPD_METRICS", "yes", "HELPD_METRICS=yes: must be on, off or host:port"},
		{"HELPD_ADMIN_EMAIL", "Ann <ann@example.com>", "HELPD_ADMIN_EMAIL=Ann <ann@example.com>: must be an e-mail address"},
		{"HELPD_ADMIN_PASSWORD", "1234567", "HELPD_ADMIN_PASSWORD=xxxxx: must have at least 8 characters"},
		{"HELPD_ADMIN_TOKEN", "short", "HELPD_ADMIN_TOKEN=xxxxx: must have at least 16 characters"},
		{"HELPD_TRUSTED_PROXIES", "10.0.0.0/8,proxy", `HELPD_TRUSTED_PROXIES=10.0.0.0/8,proxy: "proxy" is neither an IP address nor a network like 10.0.0.0/8`},
		{"HELPD_CORS_ORIGINS", "https://shop.example.com/", `HELPD_CORS_ORIGINS=https://shop.example.com/: "https://shop.example.com/" is no origin like https://shop.example.com`},
	} {
		_, _, err := LoadConfig(nil, environment(map[string]string{tc.name: tc.value}))
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s=%s: error %v, want %s", tc.name, tc.value, err, tc.want)
		}
	}
}

func TestConfigNamesAllWrongValuesAtOnce(t *testing.T) {
	t.Parallel()
	_, _, err := LoadConfig(map[string]string{"addr": "x"}, environment(map[string]string{"HELPD_LOG_FORMAT": "xml"}))
	const want = "--addr=x: must be host:port, as 127.0.0.1:8080 or :8080\nHELPD_LOG_FORMAT=xml: must be one of json, text"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestConfigValuesSayTheirSource(t *testing.T) {
	t.Parallel()
	_, values, err := LoadConfig(map[string]string{"addr": ":1"}, environment(map[string]string{
		"HELPD_ADDR": ":2", "HELPD_ACCOUNT": "acme", "GOGC": "50", "HELPD_LOG_LEVEL": "",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Value{
		"HELPD_ADDR":      {"HELPD_ADDR", "addr", ":1", "flag"},
		"HELPD_ACCOUNT":   {"HELPD_ACCOUNT", "account", "acme", "env"},
		"HELPD_LOG_LEVEL": {"HELPD_LOG_LEVEL", "log-level", "info", "default"},
		"DATABASE_URL":    {"DATABASE_URL", "database-url", "", "default"},
		"GOGC":            {"GOGC", "", "50", "env"},
	}
	for _, v := range values {
		if w, ok := want[v.Env]; ok && v != w {
			t.Errorf("%+v, want %+v", v, w)
		}
		delete(want, v.Env)
	}
	if len(want) > 0 {
		t.Errorf("not among the values: %v", want)
	}
}

func TestConfigValuesMaskSecrets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, value, want string }{
		{"HELPD_ADMIN_PASSWORD", "s3cret-s3cret", "xxxxx"},
		{"HELPD_ADMIN_TOKEN", "s3cret-s3cret-s3cret", "xxxxx"},
		{"DATABASE_URL", "postgres://helpd:s3cret@db:5432/helpd?sslmode=require", "postgres://helpd:xxxxx@db:5432/helpd?sslmode=require"},
		{"DATABASE_URL", "postgres://db/helpd?user=helpd&password=s3cret", "postgres://db/helpd?password=xxxxx&user=helpd"},
		{"DATABASE_URL", "postgres://helpd@db/helpd", "postgres://helpd@db/helpd"},
		{"DATABASE_URL", "postgres://helpd:s3cret%@db/helpd", "xxxxx"},
		{"DATABASE_URL", "host=db user=helpd password=s3cret dbname=helpd", "host=db user=helpd password=xxxxx dbname=helpd"},
		{"DATABASE_URL", `host=db password = 'a \' s3cret' sslpassword=s3cret`, "host=db password = xxxxx sslpassword=xxxxx"},
		{"HELPD_BLOB_URL", "s3://files?region=x&secret_access_key=s3cret", "s3://files?region=x&secret_access_key=xxxxx"},
		{"HELPD_OTLP_ENDPOINT", "https://me:s3cret@traces.example.com/v1/traces", "https://me:xxxxx@traces.example.com/v1/traces"},
		{"OTEL_EXPORTER_OTLP_HEADERS", "authorization=s3cret", "xxxxx"},
	} {
		_, values, err := LoadConfig(nil, environment(map[string]string{tc.name: tc.value}))
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		for _, v := range values {
			if v.Env == tc.name && v.Text != tc.want {
				t.Errorf("%s=%s is shown as %s, want %s", tc.name, tc.value, v.Text, tc.want)
			}
		}
	}
}

func TestEverySettingHasAFlagAndAHelp(t *testing.T) {
	t.Parallel()
	flags := map[string]string{}
	for _, s := range Settings() {
		if s.Help == "" || strings.Contains(s.Flag(), "_") {
			t.Errorf("%s: flag %q, help %q", s.Env, s.Flag(), s.Help)
		}
		if other, ok := flags[s.Flag()]; ok {
			t.Errorf("%s and %s have the same flag", s.Env, other)
		}
		flags[s.Flag()] = s.Env
	}
}

func TestUnknownVariablesAreFound(t *testing.T) {
	t.Parallel()
	got := UnknownVariables([]string{"HELPD_ADDR=:1", "HELPD_ADRESS=:1", "PATH=/bin", "HELPD_TEST_DATABASE_URL=x", "DATABASE_URL=y"})
	if want := []string{"HELPD_ADRESS"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
