package edge

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/server/fault"
)

// Forwarded finds the address of the client and the URL he used, for ClientIP
// and BaseURL. X-Forwarded-For, -Proto and -Host are believed from loopback
// and from trusted, and from nobody else. Of a list, the last value counts,
// since that is the one the trusted proxy wrote. A host that is none is
// refused, for it would end up in the URLs of answers.
func Forwarded(trusted []netip.Prefix) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, known := c.Request(), of(c)
			peer := peerOf(r)
			scheme, host := "http", r.Host
			if r.TLS != nil {
				scheme = "https"
			}
			known.client = peer
			if isTrusted(peer, trusted) {
				known.client = clientOf(r, peer, trusted)
				switch last(r.Header["X-Forwarded-Proto"]) {
				case "https":
					scheme = "https"
				case "http":
					scheme = "http"
				}
				if h := last(r.Header["X-Forwarded-Host"]); h != "" {
					host = h
				}
			}
			if host == "" { // HTTP/1.0
				host = localHost(r)
			}
			if !isHost(host) {
				return fault.New(fault.BadRequest, "the request's host is not a valid host name")
			}
			known.base = scheme + "://" + host
			return next(c)
		}
	}
}

func peerOf(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	if a.IsLoopback() {
		return true
	}
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// clientOf walks X-Forwarded-For from its end, past proxies that are trusted,
// to the first address that is not. What is left of that one could have been
// written by anybody.
func clientOf(r *http.Request, peer netip.Addr, trusted []netip.Prefix) netip.Addr {
	client := peer
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		rest := lines[i]
		for rest != "" {
			var hop string
			if j := strings.LastIndexByte(rest, ','); j >= 0 {
				rest, hop = rest[:j], rest[j+1:]
			} else {
				rest, hop = "", rest
			}
			a, ok := hopAddr(strings.TrimSpace(hop))
			if !ok {
				return client
			}
			if client = a; !isTrusted(a, trusted) {
				return client
			}
		}
	}
	return client
}

// hopAddr reads an address as proxies write it, some of them with a port.
func hopAddr(s string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		ap, err := netip.ParseAddrPort(s)
		if err != nil {
			return a, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true
}

func last(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	s := lines[len(lines)-1]
	return strings.TrimSpace(s[strings.LastIndexByte(s, ',')+1:])
}

func localHost(r *http.Request) string {
	if a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return a.String()
	}
	return "localhost"
}

// isHost reports whether s is a name or an address, perhaps with a port.
// Underscores are no part of host names, but of names in container networks.
func isHost(s string) bool {
	name, port := s, ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return false
		}
		if a, err := netip.ParseAddr(s[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return false
		}
		name, port = "v6", s[end+1:]
	} else if i := strings.IndexByte(s, ':'); i >= 0 {
		name, port = s[:i], s[i:]
	}
	if port != "" {
		if n, err := strconv.ParseUint(port[1:], 10, 16); port[0] != ':' || err != nil || n == 0 {
			return false
		}
	}
	if name == "" || len(name) > 253 {
		return false
	}
	for i := range len(name) {
		switch b := name[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '-', b == '_', b == '.':
		default:
			return false
		}
	}
	return true
}
