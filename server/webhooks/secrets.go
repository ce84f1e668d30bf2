package webhooks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
)

// Algorithm is how deliveries are signed, as the API names it.
const Algorithm = "SHA256"

// TestSecret signs test requests of what is no webhook yet (contract webhooks.md
// §4).
const TestSecret = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="

const (
	// overlap is how long after a rotation deliveries are signed with the secret
	// before as well.
	overlap = 24 * time.Hour
	// mostEarlier is how many secrets may sign beside the newest one: each makes
	// the header of every delivery longer.
	mostEarlier = 10
)

// EarlierSecret is one that was replaced, and still signs.
type EarlierSecret struct {
	Secret string    `json:"secret"`
	Until  time.Time `json:"until"`
}

// earlier are the secrets before the one that w has which still sign, the newest
// first.
func earlier(w *models.Webhook, now time.Time) []EarlierSecret {
	list := []EarlierSecret{}
	decode(w.EarlierSecrets, &list)
	return slices.DeleteFunc(list, func(s EarlierSecret) bool { return !now.Before(s.Until) })
}

// newSecret is the base64 of 32 random bytes.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// secrets are those that a delivery is signed with, the newest first.
func secrets(w *models.Webhook, now time.Time) []string {
	all := []string{w.Secret}
	for _, s := range earlier(w, now) {
		all = append(all, s.Secret)
	}
	return all
}

// zendeskSignature is that of X-Zendesk-Webhook-Signature: the key is the secret
// as it is shown, the message the time followed by the body.
func zendeskSignature(secret, at, body string) string { return sign([]byte(secret), at, body) }

// standardSignature is that of Standard Webhooks' webhook-signature, one for each
// secret. There the key is what the secret decodes to, so that their libraries
// take the secret as it is shown.
func standardSignature(secrets []string, id, at, body string) string {
	all := make([]string, len(secrets))
	for i, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(secret)
		if err != nil {
			key = []byte(secret)
		}
		all[i] = "v1," + sign(key, id, ".", at, ".", body)
	}
	return strings.Join(all, " ")
}

// sign is the base64 of the HMAC with SHA-256 of the parts, one after the other.
func sign(key []byte, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		mac.Write([]byte(p))
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
