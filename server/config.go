package server

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/server/accounts"
)

// Config is all that can be set of helpd. LoadConfig makes one.
type Config struct {
	Addr      string // host:port
	PublicURL string // without a slash at the end; empty: not known
	Metrics   string // MetricsOn, MetricsOff or a host:port of their own

	DataDir     string // the embedded PostgreSQL and, unless BlobURL names another place, attachments
	DatabaseURL string // empty: the embedded PostgreSQL
	PGBin       string // directory of initdb and postgres; empty: looked for
	DBConns     int    // 0: four for each core
	BlobURL     string // never empty

	Account       string // subdomain of the first account
	AdminEmail    string
	AdminPassword string // empty: made at the first start
	AdminToken    string // empty: made at the first start

	TrustedProxies     []netip.Prefix
	CORSOrigins        []string // nil: any
	RateLimit          int      // requests a minute of an account; 0: no limit
	RateLimitAnonymous int      // requests a minute of an address; 0: no limit
	MaxInFlight        int      // 0: no limit
	MaxUpload          int64    // bytes

	AutomationInterval time.Duration // at least a second
	WebhookAllow       []netip.Prefix
	WebhookRetries     []time.Duration // never empty

	LogLevel        string
	LogFormat       string
	OTLPEndpoint    string
	ShutdownDelay   time.Duration
	ShutdownTimeout time.Duration
}

// What Config.Metrics may be besides an address.
const (
	MetricsOn  = "on"
	MetricsOff = "off"
)

// Setting is one thing that can be set: by a variable of the environment or,
// with precedence, by a flag of serve.
type Setting struct {
	Env     string
	Default string
	Help    string
	// Database is set on what every command needs that uses the database.
	Database bool

	read func(text string) error
	mask func(text string) string // how it is shown; nil: as it is
}

// Flag is the name of the setting's flag: addr for HELPD_ADDR.
func (s Setting) Flag() string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s.Env, "HELPD_")), "_", "-")
}

// Settings are all settings, in the order in which they are explained.
func Settings() []Setting { return new(Config).settings() }

// settings are those of Settings; their values are read into c.
func (c *Config) settings() []Setting {
	return []Setting{
		{Env: "HELPD_ADDR", Default: "127.0.0.1:8080", read: hostPort(&c.Addr),
			Help: "host:port to serve on; port 0 takes a free one"},
		{Env: "HELPD_PUBLIC_URL", read: publicURL(&c.PublicURL),
			Help: "where clients reach helpd, as https://desk.example.com, for links in mails; empty: as the request that causes a mail has it"},
		{Env: "HELPD_DATA_DIR", Default: "./.helpd", Database: true, read: nonEmpty(&c.DataDir),
			Help: "directory of the embedded PostgreSQL and of attachments"},
		{Env: "DATABASE_URL", Database: true, read: text(&c.DatabaseURL), mask: maskDSN,
			Help: "PostgreSQL to use instead of the embedded one: postgres://user:password@host/database"},
		{Env: "HELPD_PG_BIN", Database: true, read: text(&c.PGBin),
			Help: "directory of initdb and postgres for the embedded PostgreSQL; empty: the newest that is installed"},
		{Env: "HELPD_DB_CONNS", Default: "0", read: number(&c.DBConns, 0, 10_000),
			Help: "database connections of the process; 0: four for each core"},
		{Env: "HELPD_BLOB_URL", read: text(&c.BlobURL), mask: maskURL,
			Help: "where attachments are kept: a directory, file:///dir or s3://bucket?region=eu-central-1; empty: attachments in the data directory"},
		{Env: "HELPD_ACCOUNT", Default: "support", read: nonEmpty(&c.Account),
			Help: "subdomain of the account that the first start makes"},
		{Env: "HELPD_ADMIN_EMAIL", Default: "admin@example.com", read: email(&c.AdminEmail),
			Help: "e-mail address of the first account's admin"},
		{Env: "HELPD_ADMIN_PASSWORD", read: longText(&c.AdminPassword, accounts.MinPassword), mask: maskAll,
			Help: "password of that admin; empty: made and shown at the first start (prefer the variable: flags are seen by other users)"},
		{Env: "HELPD_ADMIN_TOKEN", read: longText(&c.AdminToken, minToken), mask: maskAll,
			Help: "API token of the first account; empty: made and shown at the first start (prefer the variable)"},
		{Env: "HELPD_TRUSTED_PROXIES", read: prefixes(&c.TrustedProxies),
			Help: "addresses or networks, separated by commas, whose X-Forwarded headers are believed besides loopback's"},
		{Env: "HELPD_CORS_ORIGINS", read: origins(&c.CORSOrigins),
			Help: "origins, separated by commas, whose pages may call the API from a browser; empty: any"},
		{Env: "HELPD_RATE_LIMIT", Default: "10000", read: number(&c.RateLimit, 0, math.MaxInt32),
			Help: "requests a minute of an account; 0: no limit"},
		{Env: "HELPD_RATE_LIMIT_ANONYMOUS", Default: "600", read: number(&c.RateLimitAnonymous, 0, math.MaxInt32),
			Help: "requests a minute of an address without credentials; 0: no limit"},
		{Env: "HELPD_MAX_IN_FLIGHT", Default: "256", read: number(&c.MaxInFlight, 0, math.MaxInt32),
			Help: "requests worked on at the same time, beyond which 503 is answered; 0: no limit"},
		{Env: "HELPD_MAX_UPLOAD", Default: "50MB", read: size(&c.MaxUpload),
			Help: "size of the largest attachment, in bytes or with KB, MB or GB"},
		{Env: "HELPD_AUTOMATION_INTERVAL", Default: "1h", read: interval(&c.AutomationInterval),
			Help: "how often automations run, as 1h or 20s"},
		{Env: "HELPD_WEBHOOK_ALLOW", read: prefixes(&c.WebhookAllow),
			Help: "addresses or networks, separated by commas, that webhooks may reach besides the public internet, as 127.0.0.0/8"},
		{Env: "HELPD_WEBHOOK_RETRIES", Default: "5s,30s,5m,30m,2h,5h,10h,10h", read: durations(&c.WebhookRetries),
			Help: "how long a delivery of a webhook that failed waits for its second try, its third and so on"},
		{Env: "HELPD_LOG_LEVEL", Default: "info", read: oneOf(&c.LogLevel, "debug", "info", "warn", "error"),
			Help: "least level that is logged: debug, info, warn or error"},
		{Env: "HELPD_LOG_FORMAT", Default: "json", read: oneOf(&c.LogFormat, "json", "text"),
			Help: "json or text, on standard error"},
		{Env: "HELPD_METRICS", Default: MetricsOn, read: switchOrAddress(&c.Metrics),
			Help: "on: /metrics beside the API; off; or a host:port of their own, with the probes"},
		{Env: "HELPD_OTLP_ENDPOINT", read: text(&c.OTLPEndpoint), mask: maskURL,
			Help: "URL that traces go to, as http://127.0.0.1:4318/v1/traces; empty: the standard OTEL_EXPORTER_OTLP_ variables"},
		{Env: "HELPD_SHUTDOWN_DELAY", Default: "0s", read: duration(&c.ShutdownDelay),
			Help: "how long /readyz says no before connections are refused, for load balancers to notice"},
		{Env: "HELPD_SHUTDOWN_TIMEOUT", Default: "25s", read: duration(&c.ShutdownTimeout),
			Help: "how long requests in flight may take to finish at the end"},
	}
}

// minToken is the least length of an API token, in characters (package auth).
const minToken = 16

// Value is what a setting is set to.
type Value struct {
	Env    string
	Flag   string // empty for variables that the libraries under helpd read
	Text   string // secrets masked
	Source string // default, env or flag
}

// LoadConfig reads the configuration: flags holds those that were given, by
// name; lookup reads the environment (os.LookupEnv), where an empty variable
// counts as none. The error names every wrong value; the values are complete
// all the same.
func LoadConfig(flags map[string]string, lookup func(string) (string, bool)) (Config, []Value, error) {
	var c Config
	var values []Value
	var errs []error
	for _, s := range c.settings() {
		v := Value{Env: s.Env, Flag: s.Flag(), Text: s.Default, Source: "default"}
		name := s.Env
		if env, _ := lookup(s.Env); env != "" {
			v.Text, v.Source = env, "env"
		}
		if given, ok := flags[v.Flag]; ok {
			v.Text, v.Source, name = given, "flag", "--"+v.Flag
		}
		err := s.read(v.Text)
		if s.mask != nil && v.Text != "" {
			v.Text = s.mask(v.Text)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s=%s: %w", name, v.Text, err))
		}
		values = append(values, v)
	}
	if c.BlobURL == "" && c.DataDir != "" {
		dir, err := filepath.Abs(filepath.Join(c.DataDir, "attachments"))
		errs = append(errs, err)
		c.BlobURL = (&url.URL{Scheme: "file", Path: dir}).String()
	}
	return c, append(values, underneath(lookup)...), errors.Join(errs...)
}

// underneath are variables that change how helpd works without being its own,
// where they are set.
func underneath(lookup func(string) (string, bool)) []Value {
	var values []Value
	for _, s := range []Setting{
		{Env: "GOGC"}, {Env: "GOMEMLIMIT"}, {Env: "GOMAXPROCS"},
		{Env: "OTEL_SERVICE_NAME"},
		{Env: "OTEL_EXPORTER_OTLP_ENDPOINT", mask: maskURL}, {Env: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", mask: maskURL},
		{Env: "OTEL_EXPORTER_OTLP_HEADERS", mask: maskAll}, {Env: "OTEL_EXPORTER_OTLP_TRACES_HEADERS", mask: maskAll},
	} {
		value, _ := lookup(s.Env)
		if value == "" {
			continue
		}
		if s.mask != nil {
			value = s.mask(value)
		}
		values = append(values, Value{Env: s.Env, Text: value, Source: "env"})
	}
	return values
}

// UnknownVariables are the names in environ (os.Environ) that look like
// settings and are none: misspelt ones.
func UnknownVariables(environ []string) []string {
	var unknown []string
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "HELPD_") && !strings.HasPrefix(name, "HELPD_TEST_") &&
			!slices.ContainsFunc(Settings(), func(s Setting) bool { return s.Env == name }) {
			unknown = append(unknown, name)
		}
	}
	return unknown
}
