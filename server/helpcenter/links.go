package helpcenter

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Slug are the words of a title as they stand in addresses: -How-To-Return.
func Slug(title string) string {
	words := strings.FieldsFunc(title, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	if len(words) == 0 {
		return ""
	}
	return "-" + url.PathEscape(strings.Join(words, "-"))
}

// PagePath is where people read a record, behind the account's address:
// /hc/en-us/articles/5-Title.
func PagePath(locale, kind string, id int64, title string) string {
	return "/hc/" + locale + "/" + kind + "/" + strconv.FormatInt(id, 10) + Slug(title)
}

// AnswerPath is where those who were mailed an article say what came of it, before the
// link's own part.
const AnswerPath = "/answers/"

// AnswerLink is the link for the token of a suggestion, behind the account's address.
// Whoever has it answers in the name of him who was sent it.
func AnswerLink(account int64, token string) string {
	return AnswerPath + strconv.FormatInt(account, 10) + "." + token
}
