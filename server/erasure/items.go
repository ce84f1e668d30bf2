package erasure

import (
	"encoding/base64"
	"strings"

	"github.com/helpd/helpd/server/redactions"
)

// coveredItem covers an item of a bulk job, as encode(…, 'base64') gives it:
// in lines, which stay if nothing is found.
func coveredItem(encoded string, one func(member, text string) string) string {
	item, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(encoded, "\n", ""))
	if err != nil {
		return encoded
	}
	now := redactions.JSON(item, one)
	if string(now) == string(item) {
		return encoded
	}
	return base64.StdEncoding.EncodeToString(now)
}
