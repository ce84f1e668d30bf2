package suspended

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
)

// ExportName is what the file of an export is called.
const ExportName = "suspended_tickets.csv"

// Export writes all suspended tickets into a CSV file, the oldest first, and
// returns the upload that has it: it is there as long as any upload. It fails
// with fault.Forbidden.
func (s *Service) Export(ctx context.Context, by auth.Actor) (attachments.Upload, error) {
	if err := mayManage(by); err != nil {
		return attachments.Upload{}, err
	}
	return s.attachments.Upload(ctx, by, attachments.UploadInput{
		FileName: ExportName, ContentType: "text/csv", Body: &exporter{ctx: ctx, service: s, by: by, next: page.First(page.MaxSize)},
	})
}

// exporter is a file that is written as it is read, a page at a time, so that
// its size takes no memory.
type exporter struct {
	ctx     context.Context
	service *Service
	by      auth.Actor
	next    page.Request
	begun   bool
	done    bool
	text    bytes.Buffer // written and not yet read
}

var exportColumns = []string{"id", "created_at", "author_id", "author_name", "author_email", "subject", "cause_id", "cause", "recipient", "ticket_id", "brand_id", "attachments"}

func (e *exporter) Read(p []byte) (int, error) {
	for e.text.Len() == 0 {
		if e.done {
			return 0, io.EOF
		}
		if err := e.page(); err != nil {
			return 0, err
		}
	}
	return e.text.Read(p)
}

// page writes the next page.
func (e *exporter) page() error {
	list, err := e.service.List(e.ctx, e.by, e.next)
	if err != nil {
		return err
	}
	w := csv.NewWriter(&e.text)
	if !e.begun {
		e.begun = true
		_ = w.Write(exportColumns) // into memory
	}
	for _, t := range list.Items {
		_ = w.Write(exported(t))
	}
	w.Flush()
	e.done, e.next.After = !list.HasMore, list.After
	return w.Error()
}

func exported(t Record) []string {
	optional := func(id *int64) string {
		if id == nil {
			return ""
		}
		return strconv.FormatInt(*id, 10)
	}
	recipient := ""
	if t.Recipient != nil {
		recipient = *t.Recipient
	}
	return []string{
		strconv.FormatInt(t.ID, 10), t.CreatedAt.UTC().Format(time.RFC3339), optional(t.AuthorID), cell(t.AuthorName), cell(t.AuthorEmail),
		cell(t.Subject), strconv.Itoa(t.CauseID), t.Cause, cell(recipient), optional(t.TicketID), strconv.FormatInt(t.BrandID, 10),
		strconv.Itoa(len(t.Files)),
	}
}

// cell keeps spreadsheets from taking a stranger's text for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
