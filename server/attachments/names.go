package attachments

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the length of a file name in characters.
const maxName = 255

// cleanName makes of what a client calls a file a name that can be shown and
// saved: no directories, no control characters, no marks that turn the
// direction of writing (they make "gpj.exe" look like "exe.jpg"), at most 255
// characters with the extension kept. It is empty if nothing is left.
func cleanName(name string) string {
	name = strings.ToValidUTF8(name, "\uFFFD")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, name)
	name = strings.TrimSpace(name)
	if name == "." || name == ".." {
		return ""
	}
	ext := path.Ext(name)
	if utf8.RuneCountInString(ext) > 32 { // no extension, but a sentence with a dot in it
		ext = ""
	}
	return cut(strings.TrimSuffix(name, ext), maxName-utf8.RuneCountInString(ext)) + ext
}

// thumbName is what the thumbnail of a picture is called: x.jpg has x_thumb.png.
func thumbName(name string) string {
	const suffix = "_thumb.png"
	return cut(strings.TrimSuffix(name, path.Ext(name)), maxName-len(suffix)) + suffix
}

// cut leaves at most n characters of s.
func cut(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}
