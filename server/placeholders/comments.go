package placeholders

import (
	"html"
	"net/url"
	"slices"
	"strings"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/liquid"
)

// all are the ticket's comments that the reader may see, the newest first; with
// public only the public ones.
func (v *view) all(public bool) []*models.Comment {
	if !v.read {
		v.read = true
		if v.Comment != nil {
			v.comments = append(v.comments, v.Comment)
		}
		for i := range v.Related.Comments {
			v.comments = append(v.comments, &v.Related.Comments[i])
		}
		slices.SortStableFunc(v.comments, func(a, b *models.Comment) int { return b.CreatedAt.Compare(a.CreatedAt) })
	}
	var out []*models.Comment
	for _, c := range v.comments {
		if len(out) < MaxComments && (c.Public || !public && !v.Public) {
			out = append(out, c)
		}
	}
	return out
}

// latest is the newest of all; nil if there is none.
func (v *view) latest(public bool) *models.Comment {
	if list := v.all(public); len(list) > 0 {
		return list[0]
	}
	return nil
}

// description is what the ticket began with. To an end user that is the first
// comment that he may read.
func (v *view) description() any {
	switch {
	case !v.Public:
		return optional(&v.Ticket.Description)
	case v.Related.FirstPublic != nil:
		return optional(v.Related.FirstPublic)
	case v.Comment != nil && v.Comment.Public:
		return optional(&v.Comment.PlainBody)
	}
	return nil
}

func (v *view) commentList(list []*models.Comment) any {
	l := &liquid.List{Text: func() any { return v.formattedAll(list) }}
	for _, c := range list {
		l.Items = append(l.Items, v.commentObject(c))
	}
	return l
}

func (v *view) commentObject(c *models.Comment) any {
	if c == nil {
		return nil
	}
	return &liquid.Object{Text: func() any { return c.PlainBody }, Member: func(name string) any {
		switch name {
		case "id":
			return c.ID
		case "value":
			return c.PlainBody
		case "value_rich", "rich":
			if v.Suppress && v.trusted == 0 {
				return nil
			}
			return v.rich(c)
		case "author":
			return v.user(c.AuthorID)
		case "created_at":
			return v.date(&c.CreatedAt, false)
		case "created_at_with_time":
			return v.date(&c.CreatedAt, true)
		case "created_at_with_timestamp":
			return v.timestamp(&c.CreatedAt)
		case "is_public":
			return c.Public
		case "attachments":
			l := &liquid.List{}
			for i := range v.files(c) {
				l.Items = append(l.Items, v.file(&v.files(c)[i]))
			}
			return l
		}
		return nil
	}}
}

func (v *view) files(c *models.Comment) []models.Attachment {
	if c == v.Comment {
		return v.Files
	}
	return v.Related.Files[c.ID]
}

func (v *view) file(a *models.Attachment) *liquid.Object {
	return &liquid.Object{Text: func() any { return a.FileName }, Member: func(name string) any {
		switch name {
		case "id":
			return a.ID
		case "filename", "file_name":
			return a.FileName
		case "url":
			return v.address(a)
		case "content_type":
			return a.ContentType
		case "size":
			return a.Size
		}
		return nil
	}}
}

// address is where a file is read, as the API has it.
func (v *view) address(a *models.Attachment) string {
	return v.Base + "/attachments/token/" + a.Token + "/?name=" + strings.ReplaceAll(url.QueryEscape(a.FileName), "+", "%20")
}

// html reports whether HTML is asked for.
func (v *view) html() bool { return v.scope.Format == liquid.HTML }

// rich is the comment as it is formatted.
func (v *view) rich(c *models.Comment) any {
	if c == nil {
		return nil
	}
	if !v.html() {
		return c.PlainBody
	}
	return liquid.Raw(c.HTMLBody)
}

// withFiles is the comment as it is formatted, with its files and in HTML, which
// is what mails are in, with the signature of the agent who wrote it.
func (v *view) withFiles(c *models.Comment) any {
	if c == nil {
		return nil
	}
	files := v.files(c)
	if !v.html() {
		var b strings.Builder
		b.WriteString(c.PlainBody)
		for i := range files {
			b.WriteString(map[bool]string{true: "\n\n" + v.text("attachments") + ":"}[i == 0])
			b.WriteString("\n" + files[i].FileName + " - " + v.address(&files[i]))
		}
		return b.String()
	}
	var b strings.Builder
	b.WriteString(c.HTMLBody)
	b.WriteString(string(v.signed(c)))
	for i := range files {
		b.WriteString(map[bool]string{true: "<p>" + html.EscapeString(v.text("attachments")) + ":</p>"}[i == 0])
		b.WriteString(`<p><a href="` + html.EscapeString(v.address(&files[i])) + `">` + html.EscapeString(files[i].FileName) + "</a></p>")
	}
	return liquid.Raw(b.String())
}

// signed is the signature of a public comment: what the brand makes of its
// agent's.
func (v *view) signed(c *models.Comment) liquid.Raw {
	author, template := v.Related.Users[c.AuthorID], v.brand().SignatureTemplate
	if !c.Public || !author.Staff() || template == "" {
		return ""
	}
	t, _ := parse(template)
	// The agent of a signature is whose it is.
	root := v.scope.Root
	defer func() { v.scope.Root = root }()
	v.scope.Root = func(name string) any {
		if name == "agent" {
			return v.user(c.AuthorID)
		}
		return root(name)
	}
	text := v.scope.Embed(t)
	if strings.TrimSpace(string(text)) == "" {
		return ""
	}
	return `<div class="signature">` + text + `</div>`
}

// formatted is the comment with who wrote it and when above it.
func (v *view) formatted(c *models.Comment) any {
	if c == nil {
		return nil
	}
	var author string
	if u, ok := v.Related.Users[c.AuthorID]; ok {
		author = v.nameOf(&u)
	}
	when := v.written(c.CreatedAt, true)
	private := ""
	if !c.Public {
		private = " (" + v.text("internal_note") + ")"
	}
	if !v.html() {
		return strings.Repeat("-", 46) + "\n\n" + author + ", " + when + private + "\n\n" + v.withFiles(c).(string) + "\n\n"
	}
	return liquid.Raw(`<div class="comment"><p><strong>`+html.EscapeString(author)+`</strong>, `+html.EscapeString(when+private)+"</p>") +
		v.withFiles(c).(liquid.Raw) + "</div>"
}

func (v *view) formattedAll(list []*models.Comment) any {
	if len(list) == 0 {
		return nil
	}
	var b strings.Builder
	for _, c := range list {
		switch text := v.formatted(c).(type) {
		case string:
			b.WriteString(text)
		case liquid.Raw:
			b.WriteString(string(text))
		}
		if b.Len() > liquid.MaxOutput {
			break
		}
	}
	if v.html() {
		return liquid.Raw(b.String())
	}
	return b.String()
}

// text is a system text in the reader's language.
func (v *view) text(key string) string {
	text, _ := system(v.lang, key)
	return text
}
