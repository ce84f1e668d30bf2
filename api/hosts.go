package api

import (
	"net"
	"strings"

	"github.com/helpd/helpd/models"
)

// Each brand is at hosts of its own, and so are the links to what belongs to it. How
// they are called is known where the request names one of them; a request to
// localhost, or to the address of a machine, has all links repeat that.

// hosted is the address of a host in the place of the one that was called:
// https://host:port.
func (c call) hosted(host string) string {
	scheme, called, _ := strings.Cut(c.base, "://")
	if _, port, err := net.SplitHostPort(called); err == nil {
		host = net.JoinHostPort(host, port)
	}
	return scheme + "://" + host
}

// baseOf is where a brand is reached: https://help.example.com.
func (c call) baseOf(b models.Brand) string {
	switch {
	case b.ID == c.brand.ID:
		return c.base
	case b.HostMapping != nil:
		return c.hosted(*b.HostMapping)
	case c.brand.Labelled:
		return c.hosted(c.ownHost(b))
	}
	return c.base
}

// ownHost is the host that begins with a brand's subdomain.
func (c call) ownHost(b models.Brand) string {
	name := hostOf(c.base)
	if _, rest, ok := strings.Cut(name, "."); ok && c.brand.Labelled {
		name = rest
	}
	if net.ParseIP(name) != nil {
		name = "localhost"
	}
	return b.Subdomain + "." + name
}
