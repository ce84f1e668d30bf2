package verify_test

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/helpd/helpd/server/webhooks/verify"
)

// A receiver takes what comes from helpd, and does what it says once.
func Example() {
	const secret = "bmV3" // of GET /api/v2/webhooks/{id}/signing_secret
	http.HandleFunc("POST /hook", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 256<<10))
		if err == nil {
			err = verify.Standard(secret, r.Header, body, time.Now())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		// The member id of an event, and the header webhook-id, are the same each
		// time that it comes.
		w.WriteHeader(http.StatusNoContent)
	})
}

var at = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

const body = `{"a":"ü"}`

// As helpd sends them (package webhooks): signed with the secrets bmV3 and b2xk.
func headers() http.Header {
	h := http.Header{}
	h.Set("X-Zendesk-Webhook-Signature-Timestamp", "2026-03-04T05:06:07Z")
	h.Set("X-Zendesk-Webhook-Signature", "RGfloqFbvCSEPn1huSAg0mcmfq/ho9PrCGYoPxkRvik=")
	h.Set("webhook-id", "01M")
	h.Set("webhook-timestamp", "1772600767")
	h.Set("webhook-signature", "v1,B1XFNr+9xO+HzVguk1HERNDy1yY2oYb9N4EW7QOgfdY= v1,cwyVZqE7a0hff6cEyomNWvCb9MiEMPy4djqm57L45Z0=")
	return h
}

func TestRequests(t *testing.T) {
	t.Parallel()
	type check func(string, http.Header, []byte, time.Time) error
	for name, f := range map[string]check{"Zendesk": verify.Request, "Standard": verify.Standard} {
		without := headers()
		without.Del("X-Zendesk-Webhook-Signature")
		without.Del("webhook-signature")
		odd := headers()
		odd.Set("X-Zendesk-Webhook-Signature-Timestamp", "now")
		odd.Set("webhook-timestamp", "now")
		for _, tc := range []struct {
			about, secret string
			header        http.Header
			body          string
			now           time.Time
			want          error
		}{
			{"right", "bmV3", headers(), body, at, nil},
			{"in time", "bmV3", headers(), body, at.Add(verify.Tolerance), nil},
			{"late", "bmV3", headers(), body, at.Add(verify.Tolerance + time.Second), verify.ErrTime},
			{"early", "bmV3", headers(), body, at.Add(-verify.Tolerance - time.Second), verify.ErrTime},
			{"another secret", base64.StdEncoding.EncodeToString([]byte("other")), headers(), body, at, verify.ErrWrong},
			{"another body", "bmV3", headers(), body + " ", at, verify.ErrWrong},
			{"unsigned", "bmV3", without, body, at, verify.ErrUnsigned},
			{"no time", "bmV3", odd, body, at, verify.ErrTime},
		} {
			if err := f(tc.secret, tc.header, []byte(tc.body), tc.now); !errors.Is(err, tc.want) || err != nil && tc.want == nil {
				t.Errorf("%s, %s: %v, want %v", name, tc.about, err, tc.want)
			}
		}
	}
	for _, secret := range []string{"b2xk", "whsec_bmV3"} { // the one before, and in the form of other senders
		if err := verify.Standard(secret, headers(), []byte(body), at); err != nil {
			t.Errorf("%s: %v", secret, err)
		}
	}
	if err := verify.Request("b2xk", headers(), []byte(body), at); !errors.Is(err, verify.ErrWrong) {
		t.Errorf("Zendesk's signature is not that of the secret before: %v", err)
	}
}
