package webhooks

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/net/idna"

	"github.com/helpd/helpd/server/placeholders"
)

// maxEndpoint is how long an address may be, in bytes.
const maxEndpoint = 2_048

// guard decides to which addresses helpd may be sent by those who set webhooks
// up: only to those of the public internet, so that nobody reaches what stands
// beside helpd, unless allowed names it.
type guard struct{ allowed []netip.Prefix }

// errPrivate is why an address is refused.
var errPrivate = errors.New("is not an address of the public internet (HELPD_WEBHOOK_ALLOW can allow it)")

// Networks that are not of the public internet, or of no single machine
// (registries of special-purpose addresses, RFC 6890). Those of version 6 lie
// within 2000::/3, outside of which nothing is public; 2002::/16 and the first
// contain addresses of version 4.
var special = prefixes(`0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
	192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
	2001::/23 2001:db8::/32 2002::/16 3fff::/20`)

var public6 = netip.MustParsePrefix("2000::/3")

func prefixes(texts string) (all []netip.Prefix) {
	for text := range strings.FieldsSeq(texts) {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func (g guard) allows(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	has := func(p netip.Prefix) bool { return p.Contains(a) }
	if slices.ContainsFunc(g.allowed, has) {
		return true
	}
	return (a.Is4() || public6.Contains(a)) && !slices.ContainsFunc(special, has)
}

// control is for net.Dialer: it sees the address that is dialled, whatever name
// it was found under and whenever that was.
func (g guard) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !g.allows(to.Addr()) {
		return fmt.Errorf("%s %w", to.Addr(), errPrivate)
	}
	return nil
}

// check tells what is wrong with an endpoint, in words that follow its name.
// The path and the query may have placeholders; where they are, who is called
// is said before them. Which addresses a name has is seen when it is dialled.
func (g guard) check(endpoint string) error {
	if len(endpoint) > maxEndpoint {
		return fmt.Errorf("is longer than %d bytes", maxEndpoint)
	}
	place, rest := splitEndpoint(endpoint)
	u, err := url.Parse(place)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Opaque != "" {
		return errors.New("must be an http or https URL, as https://example.com/hook")
	}
	if u.User != nil {
		return errors.New("must not have a name or a password in it: use authentication")
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("has no port %q", port)
		}
	}
	if err := g.checkHost(u.Hostname()); err != nil {
		return err
	}
	if strings.Contains(rest, "{{") || strings.Contains(rest, "{%") {
		return placeholders.Check(rest)
	}
	if _, err := url.Parse(endpoint); err != nil {
		return errors.New("has a path or a query that is not of a URL")
	}
	return nil
}

// splitEndpoint parts whom to call from what to call there, which may have
// placeholders.
func splitEndpoint(endpoint string) (place, rest string) {
	scheme, after, ok := strings.Cut(endpoint, "://")
	if !ok {
		return endpoint, ""
	}
	at := strings.IndexAny(after, "/?#")
	if at < 0 {
		return endpoint, ""
	}
	return scheme + "://" + after[:at], after[at:]
}

func (g guard) checkHost(host string) error {
	if strings.ContainsRune(host, '%') { // a zone
		return errPrivate
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if !g.allows(a) {
			return errPrivate
		}
		return nil
	}
	name := strings.ToLower(host)
	if strings.ContainsFunc(host, func(r rune) bool { return r > 127 }) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return fmt.Errorf("has no host name %q", host)
		}
		name = ascii
	}
	labels := strings.Split(name, ".")
	last := labels[len(labels)-1]
	bad := func(label string) bool {
		return label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != ""
	}
	switch {
	case last == "" && len(labels) > 1:
		return errors.New("has a host name with a dot at its end")
	case len(name) > 253 || slices.ContainsFunc(labels, bad):
		return fmt.Errorf("has no host name %q", host)
	case isNumber(last):
		// Some resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as 127.0.0.1.
		return fmt.Errorf("has an address %q that is not written as four decimal numbers", host)
	case last == "localhost" && !g.allows(netip.AddrFrom4([4]byte{127, 0, 0, 1})):
		return errPrivate
	}
	return nil
}

// isNumber reports whether resolvers may read the last part of a host name as
// one of the numbers of an address.
func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}

// isPrivate reports whether a request failed because its address is refused.
func isPrivate(err error) bool { return errors.Is(err, errPrivate) }

// dialer reaches what g allows.
func (g guard) dialer() *net.Dialer { return &net.Dialer{Timeout: timeout, Control: g.control} }
