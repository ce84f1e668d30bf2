package attachments

import (
	"mime"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"
)

// sniffed is how much of a file decides on its type: what mimetype looks at.
const sniffed = 3072

// maxType is the length of a content type: RFC 6838 §4.2 allows twice 127.
const maxType = 255

const (
	anyBytes  = "application/octet-stream"
	plainText = "text/plain"
)

// typeOf decides what a file is from its first bytes. What the client declares
// and what the name's extension says can make that more exact (text that is
// CSV, a zip that is a spreadsheet), but not contradict it: HTML that is
// declared to be a picture is HTML. charset is that of text, "" for the rest.
func typeOf(head []byte, declared, name string) (contentType, charset string) {
	found := mimetype.Detect(head)
	contentType, params, err := mime.ParseMediaType(found.String())
	if err != nil {
		contentType = anyBytes
	}
	for _, claim := range []string{declared, mime.TypeByExtension(path.Ext(name))} {
		// An error would be about a parameter; those are not needed.
		claim, _, _ := mime.ParseMediaType(claim)
		if !strings.Contains(claim, "/") || len(claim) > maxType || isVague(claim) {
			continue
		}
		if compatible(claim, found) {
			contentType = claim
			break
		}
	}
	if !inherits(found, plainText) {
		return contentType, ""
	}
	if params["charset"] == "" && isUTF8(head) { // not told of some kinds of text
		return contentType, "utf-8"
	}
	return contentType, params["charset"]
}

// isUTF8 reports whether head is UTF-8, of which the last character may be cut.
func isUTF8(head []byte) bool {
	for range utf8.UTFMax - 1 {
		if utf8.Valid(head) {
			return true
		}
		head = head[:max(0, len(head)-1)]
	}
	return utf8.Valid(head)
}

// isVague reports whether clients send this type for files of any kind.
func isVague(t string) bool {
	switch t {
	case anyBytes, "application/binary", "binary/octet-stream", "application/x-www-form-urlencoded", "application/x-unknown":
		return true
	}
	return strings.HasPrefix(t, "multipart/")
}

func compatible(claim string, found *mimetype.MIME) bool {
	known := mimetype.Lookup(claim)
	switch {
	case found.Is(anyBytes):
		// Not recognised. A type that would have been is contradicted.
		return known == nil && !strings.HasPrefix(claim, "text/")
	case known == nil:
		// Of types that cannot be recognised, text can be any of these.
		return found.Is(plainText) && (strings.HasPrefix(claim, "text/") || strings.HasPrefix(claim, "application/"))
	}
	return inherits(known, found.String()) || inherits(found, claim)
}

// inherits reports whether m is of type t or of a kind of it.
func inherits(m *mimetype.MIME, t string) bool {
	for ; m != nil && !m.Is(anyBytes); m = m.Parent() {
		if m.Is(t) {
			return true
		}
	}
	return false
}
