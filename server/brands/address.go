package brands

import (
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
)

// Host is the host that begins with the subdomain of one of an account's brands, where
// the account is reached at a host: beside that of another brand, below any other.
func Host(host string, account models.Account, all []models.Brand, b models.Brand) string {
	first, rest, ok := strings.Cut(strings.ToLower(host), ".")
	if ok && (first == account.Subdomain || slices.ContainsFunc(all, func(o models.Brand) bool { return o.Subdomain == first })) {
		host = rest
	}
	if isIP(host) {
		host = "localhost"
	}
	return b.Subdomain + "." + host
}

func isIP(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// Address is where a brand is reached, as https://help.example.com, where the account
// is reached at base: at the brand's host mapping, or at the host that begins with its
// subdomain. A base at localhost or at the address of a machine stays what it is; so does
// one at the mapping of another brand, which does not tell where the others are.
func Address(base string, account models.Account, all []models.Brand, b models.Brand) string {
	u, err := url.Parse(base)
	if err != nil || u.Hostname() == "" {
		return base
	}
	host := strings.ToLower(u.Hostname())
	first, _, _ := strings.Cut(host, ".")
	mapped := func(o models.Brand) bool { return o.HostMapping != nil && *o.HostMapping == host }
	own := Host(host, account, all, b)
	switch {
	case host == "localhost" || isIP(host) || mapped(b) || first == b.Subdomain:
		return base
	case b.HostMapping != nil:
		host = *b.HostMapping
	case slices.ContainsFunc(all, mapped), b.Default && own == b.Subdomain+"."+host:
		return base
	default:
		host = own
	}
	if u.Host = host; u.Port() == "" {
		if at, err := url.Parse(base); err == nil && at.Port() != "" {
			u.Host = net.JoinHostPort(host, at.Port())
		}
	}
	return u.String()
}

// ForReaders is Address for links in what is sent: they begin with the brand's host
// mapping wherever the account is reached.
func ForReaders(base string, account models.Account, all []models.Brand, b models.Brand) string {
	switch {
	case b.HostMapping != nil && *b.HostMapping != "":
		return "https://" + *b.HostMapping
	case b.ID == 0: // it is gone
		return base
	}
	return Address(base, account, all, b)
}
