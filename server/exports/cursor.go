package exports

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/server/fault"
)

// Cursor is the place as a cursor of an account's kind of records. It looks as
// recorded ones do (contract exports.md): the base64 of time||number|, here with a
// sum behind it, by which those of other accounts and kinds are told apart.
func (p Place) Cursor(account int64, kind string) string {
	text := instant(p.At) + "||" + strconv.FormatInt(p.Seq, 10) + "|"
	return base64.StdEncoding.EncodeToString([]byte(text + sum(account, kind, text)))
}

// instant is a time in seconds since 1970 with a fraction, if only of .0.
func instant(t time.Time) string {
	fraction := strings.TrimRight(fmt.Sprintf("%06d", t.Nanosecond()/1000), "0")
	if fraction == "" {
		fraction = "0"
	}
	return strconv.FormatInt(t.Unix(), 10) + "." + fraction
}

func sum(account int64, kind, text string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%d %s %s", account, kind, text))
	return hex.EncodeToString(h[:4])
}

// ParseCursor is the place that a cursor of an account's kind of records stands
// for. It fails with fault.BadCursor for any other text.
func ParseCursor(account int64, kind, cursor string) (Place, error) {
	bad := fault.New(fault.BadCursor, "cursor is not one of this export")
	// A plus that was not encoded arrives as a space.
	raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(cursor, " ", "+"))
	if err != nil {
		return Place{}, bad
	}
	parts := strings.Split(string(raw), "|")
	if len(parts) != 4 {
		return Place{}, bad
	}
	whole, fraction, _ := strings.Cut(parts[0], ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || len(fraction) < 1 || len(fraction) > 6 {
		return Place{}, bad
	}
	micros, err := strconv.ParseInt((fraction + "00000")[:6], 10, 64)
	if err != nil || micros < 0 {
		return Place{}, bad
	}
	seq, err := strconv.ParseInt(parts[2], 10, 64)
	p := Place{At: time.Unix(seconds, micros*1000).UTC(), Seq: seq}
	// Written again it is the same, or it was made up.
	if err != nil || p.Cursor(account, kind) != base64.StdEncoding.EncodeToString(raw) {
		return Place{}, bad
	}
	return p, nil
}
