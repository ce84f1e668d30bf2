package server

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The functions below return how a setting is read into a field of Config, and
// refuse what it cannot be in words that go behind "NAME=value: ".

func text(to *string) func(string) error {
	return func(s string) error { *to = s; return nil }
}

func nonEmpty(to *string) func(string) error {
	return func(s string) error {
		if s == "" {
			return errors.New("must not be empty")
		}
		*to = s
		return nil
	}
}

func longText(to *string, least int) func(string) error {
	return func(s string) error {
		if s != "" && len([]rune(s)) < least {
			return fmt.Errorf("must have at least %d characters", least)
		}
		*to = s
		return nil
	}
}

func oneOf(to *string, words ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(words, s) {
			return fmt.Errorf("must be one of %s", strings.Join(words, ", "))
		}
		*to = s
		return nil
	}
}

func email(to *string) func(string) error {
	return func(s string) error {
		// ParseAddress also takes "Ann <ann@example.com>", which is no bare address.
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			return errors.New("must be an e-mail address")
		}
		*to = s
		return nil
	}
}

func hostPort(to *string) func(string) error {
	return func(s string) error {
		_, port, err := net.SplitHostPort(s)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return errors.New("must be host:port, as 127.0.0.1:8080 or :8080")
		}
		*to = s
		return nil
	}
}

func switchOrAddress(to *string) func(string) error {
	return func(s string) error {
		if s == MetricsOn || s == MetricsOff || hostPort(to)(s) == nil {
			*to = s
			return nil
		}
		return errors.New("must be on, off or host:port")
	}
}

func number(to *int, least, most int) func(string) error {
	return func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return fmt.Errorf("must be a whole number from %d to %d", least, most)
		}
		*to = n
		return nil
	}
}

var sizes = map[string]int64{"": 1, "B": 1, "KB": 1 << 10, "KIB": 1 << 10, "MB": 1 << 20, "MIB": 1 << 20, "GB": 1 << 30, "GIB": 1 << 30}

// size reads 1048576, 1024KB and 1MB as the same.
func size(to *int64) func(string) error {
	return func(s string) error {
		digits := strings.TrimRight(s, "BKMGbkmgi ")
		unit, known := sizes[strings.ToUpper(strings.TrimSpace(s[len(digits):]))]
		n, err := strconv.ParseInt(digits, 10, 32)
		if !known || err != nil || n < 1 {
			return errors.New("must be a number of bytes, or one with KB, MB or GB")
		}
		*to = n * unit
		return nil
	}
}

func duration(to *time.Duration) func(string) error {
	return func(s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return errors.New("must be a duration, as 500ms, 25s or 2m")
		}
		*to = d
		return nil
	}
}

// durations are several that are more than nothing.
func durations(to *[]time.Duration) func(string) error {
	return func(s string) error {
		var all []time.Duration
		for _, w := range words(s) {
			d, err := time.ParseDuration(w)
			if err != nil || d <= 0 {
				return fmt.Errorf("%q is no duration, as 500ms, 25s or 2h", w)
			}
			all = append(all, d)
		}
		if len(all) == 0 {
			return errors.New("must be durations, separated by commas")
		}
		*to = all
		return nil
	}
}

// publicURL is an http address without a path, or none.
func publicURL(to *string) func(string) error {
	return func(s string) error {
		u, err := url.Parse(s)
		if s != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil) {
			return errors.New("must be a URL without a path, as https://desk.example.com")
		}
		*to = strings.TrimSuffix(s, "/")
		return nil
	}
}

// interval is a duration of a second or more.
func interval(to *time.Duration) func(string) error {
	return func(s string) error {
		if err := duration(to)(s); err != nil {
			return err
		}
		if *to < time.Second {
			return errors.New("must be a second or more")
		}
		return nil
	}
}

func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}

func prefixes(to *[]netip.Prefix) func(string) error {
	return func(s string) error {
		for _, w := range words(s) {
			p, err := netip.ParsePrefix(w)
			if addr, aerr := netip.ParseAddr(w); aerr == nil {
				p, err = addr.Prefix(addr.BitLen())
			}
			if err != nil {
				return fmt.Errorf("%q is neither an IP address nor a network like 10.0.0.0/8", w)
			}
			*to = append(*to, p)
		}
		return nil
	}
}

func origins(to *[]string) func(string) error {
	return func(s string) error {
		for _, w := range words(s) {
			u, err := url.Parse(w)
			if w != "*" && (err != nil || (u.Scheme != "http" && u.Scheme != "https") || w != u.Scheme+"://"+u.Host) {
				return fmt.Errorf("%q is no origin like https://shop.example.com", w)
			}
			*to = append(*to, w)
		}
		return nil
	}
}

// masked stands for a secret.
const masked = "xxxxx"

func maskAll(string) string { return masked }

var (
	passwordWord = regexp.MustCompile(`(?i)((?:ssl)?password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)`)
	secretParam  = regexp.MustCompile(`(?i)pass|secret|token|key|credential`)
)

// maskDSN masks the password in a PostgreSQL address of either form.
func maskDSN(dsn string) string {
	if strings.Contains(dsn, "://") {
		return maskURL(dsn)
	}
	return passwordWord.ReplaceAllString(dsn, "${1}"+masked)
}

// maskURL masks the password of a URL and what its query names like a secret.
// What cannot be told apart is masked as a whole.
func maskURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return masked
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return masked
	}
	for name := range query {
		if secretParam.MatchString(name) {
			query.Set(name, masked)
			u.RawQuery = query.Encode()
		}
	}
	return u.Redacted()
}
