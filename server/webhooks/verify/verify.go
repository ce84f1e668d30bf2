// Package verify tells receivers of webhooks whether a request comes from helpd.
// It needs the webhook's signing secret, as GET
// /api/v2/webhooks/{id}/signing_secret shows it, the request's headers and its
// body, byte for byte as it came.
//
// Each request is signed twice: in Zendesk's way (Request) and in that of
// Standard Webhooks (Standard), for which there are libraries in many languages.
// Either will do. After the secret was rotated, Standard takes the old one for
// another day.
package verify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Tolerance is how old a request may be, and how far ahead of the receiver's
// clock: whoever has got hold of one cannot send it again later.
const Tolerance = 5 * time.Minute

// Why a request is not believed.
var (
	ErrUnsigned = errors.New("the request is not signed")
	ErrTime     = errors.New("the request is too old, or of a time to come")
	ErrWrong    = errors.New("the signature is not that of the request")
)

// Request checks the headers X-Zendesk-Webhook-Signature and -Timestamp: the
// base64 of the HMAC with SHA-256 of the timestamp followed by the body, whose key
// is the text of the secret.
func Request(secret string, header http.Header, body []byte, now time.Time) error {
	at, signature := header.Get("X-Zendesk-Webhook-Signature-Timestamp"), header.Get("X-Zendesk-Webhook-Signature")
	if at == "" || signature == "" {
		return ErrUnsigned
	}
	sent, err := time.Parse(time.RFC3339, at)
	if err != nil || apart(sent, now) > Tolerance {
		return ErrTime
	}
	if !hmac.Equal([]byte(signature), []byte(sign([]byte(secret), []byte(at), body))) {
		return ErrWrong
	}
	return nil
}

// Standard checks the headers webhook-id, webhook-timestamp and webhook-signature
// (https://www.standardwebhooks.com). One of several signatures is enough. The key
// is what the secret decodes to; it may begin with "whsec_".
func Standard(secret string, header http.Header, body []byte, now time.Time) error {
	id, at, signatures := header.Get("webhook-id"), header.Get("webhook-timestamp"), header.Get("webhook-signature")
	if id == "" || at == "" || signatures == "" {
		return ErrUnsigned
	}
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || apart(time.Unix(seconds, 0), now) > Tolerance {
		return ErrTime
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return err
	}
	want := "v1," + sign(key, []byte(id+"."+at+"."), body)
	for signature := range strings.FieldsSeq(signatures) {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return nil
		}
	}
	return ErrWrong
}

func apart(a, b time.Time) time.Duration { return a.Sub(b).Abs() }

func sign(key []byte, parts ...[]byte) string {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write(p)
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
