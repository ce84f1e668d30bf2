package tickets

import (
	"context"
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/richtext"
)

// Marked says what is to go from a comment.
type Marked struct {
	// HTML is the comment's, with <redact> around each text that is to go and
	// an attribute redact on each picture.
	HTML      string
	Addresses []string // of files of the comment, and of pictures and links in its text
}

// RedactMarked takes what is marked out of a comment for good, also on a closed
// ticket. It fails with fault.Invalid if the HTML is not the comment's.
func (s *Service) RedactMarked(ctx context.Context, by auth.Actor, ticket, comment int64, m Marked) (CommentRecord, error) {
	return s.commentSave(ctx, by, ticket, comment, func(sv *save, c *models.Comment) error {
		if strings.TrimSpace(m.HTML) == "" && len(m.Addresses) == 0 {
			return fault.Blank("html_body")
		}
		source, pictures, err := covered(c.HTMLBody, m.HTML)
		if err != nil {
			return err
		}
		addresses := append(slices.Clone(m.Addresses), pictures...)
		if err := sv.redactFiles(comment, addresses); err != nil {
			return err
		}
		for _, address := range addresses {
			source = withoutAddress(source, address)
		}
		if source == c.HTMLBody {
			return nil
		}
		return sv.redact(c, func() {
			c.HTMLBody = source
			c.PlainBody = richtext.Text(source)
			c.Body = c.PlainBody
		})
	})
}

// covered is the HTML source with the texts covered that are marked in a copy of
// it, and the addresses of the pictures that are. An empty copy marks nothing.
func covered(source, copied string) (string, []string, error) {
	if strings.TrimSpace(copied) == "" {
		return source, nil, nil
	}
	var pieces []piece
	var marks []bool
	var pictures []string
	depth := 0
	for _, p := range piecesOf(copied, "") {
		switch {
		case p.tag == "redact" && p.end:
			depth = max(0, depth-1)
			continue
		case p.tag == "redact":
			depth++
			continue
		case p.source != "" && (p.marked || depth > 0):
			pictures = append(pictures, p.source)
		}
		pieces, marks = append(pieces, p), append(marks, depth > 0)
	}
	theirs, at := read(pieces)
	kept := piecesOf(source, "")
	ours, places := read(kept)
	// White space at the ends says nothing.
	first, last := bounds(ours)
	from, to := bounds(theirs)
	if !slices.Equal(ours[first:last], theirs[from:to]) {
		return "", nil, fault.InvalidField("html_body", "is not that of the comment")
	}
	for i := range last - first {
		if marks[at[from+i].piece] {
			cover(kept, places[first+i:first+i+1])
		}
	}
	return joined(kept), pictures, nil
}

// bounds are those of a text without blanks around it.
func bounds(text []rune) (first, last int) {
	first, last = 0, len(text)
	for first < last && text[first] == ' ' {
		first++
	}
	for last > first && text[last-1] == ' ' {
		last--
	}
	return first, last
}

// redactFiles takes those of a comment's files out that are at the addresses.
func (s *save) redactFiles(comment int64, addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	files, err := s.service.attachments.OfComments(s.tx.Statement.Context, s.tx, []int64{comment})
	if err != nil {
		return err
	}
	for _, f := range files[comment] {
		if slices.ContainsFunc(addresses, func(a string) bool { return strings.Contains(a, "/attachments/token/"+f.Token) }) {
			if _, err := s.redactFile(comment, f.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutAddress is HTML without the pictures at an address, and with links to
// it leading nowhere.
func withoutAddress(source, address string) string {
	if address = strings.TrimSpace(address); address == "" {
		return source
	}
	pieces := slices.DeleteFunc(piecesOf(source, ""), func(p piece) bool { return p.source == address })
	return joinedWithout(pieces, address)
}

func joinedWithout(pieces []piece, address string) string {
	var out []piece
	for _, p := range pieces {
		if p.text == nil && strings.Contains(p.raw, address) {
			out = append(out, piecesOf(p.raw, address)...)
			continue
		}
		out = append(out, p)
	}
	return joined(out)
}
