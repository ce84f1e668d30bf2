package suspended

import (
	"context"
	"strconv"
	"time"

	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/sheets"
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
		FileName: ExportName, ContentType: "text/csv", Body: sheets.New(exportColumns, s.pages(ctx, by)),
	})
}

var exportColumns = []string{"id", "created_at", "author_id", "author_name", "author_email", "subject", "cause_id", "cause", "recipient", "ticket_id", "brand_id", "attachments"}

// pages gives the lines of all suspended tickets, page by page.
func (s *Service) pages(ctx context.Context, by auth.Actor) func() ([][]string, error) {
	next, more := page.First(page.MaxSize), true
	return func() ([][]string, error) {
		if !more {
			return nil, nil
		}
		list, err := s.List(ctx, by, next)
		lines := make([][]string, len(list.Items))
		for i, t := range list.Items {
			lines[i] = exported(t)
		}
		next.After, more = list.After, list.HasMore
		return lines, err
	}
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
		strconv.FormatInt(t.ID, 10), t.CreatedAt.UTC().Format(time.RFC3339), optional(t.AuthorID), sheets.Cell(t.AuthorName), sheets.Cell(t.AuthorEmail),
		sheets.Cell(t.Subject), strconv.Itoa(t.CauseID), t.Cause, sheets.Cell(recipient), optional(t.TicketID), strconv.FormatInt(t.BrandID, 10),
		strconv.Itoa(len(t.Files)),
	}
}
