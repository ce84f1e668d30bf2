package events

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/helpd/helpd/server/fault"
)

// Cursor is a place in an account's log behind the event with the number seq, as
// callers get it.
func Cursor(account, seq int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte("events|" + ID(account) + "|" + ID(seq)))
}

// ParseCursor reads a Cursor of the account that came as the parameter name. It
// fails with fault.BadCursor.
func ParseCursor(account int64, name, text string) (int64, error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	number, ok := strings.CutPrefix(string(b), "events|"+ID(account)+"|")
	seq, perr := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || perr != nil || seq < 0 || ID(seq) != number {
		return 0, fault.New(fault.BadCursor, "%s is not valid", name)
	}
	return seq, nil
}
