package models

// SuspendedTicket is what came in and became no ticket, for a while.
type SuspendedTicket struct {
	Tenant
	AuthorID      *int64 // nil: nobody we know
	AuthorName    string
	AuthorEmail   string // empty: none told
	Subject       string
	Content       string  // plain text
	CauseID       int     // one of suspended.Causes
	Cause         string  // and its text
	ErrorMessages Strings // why it could not be recovered
	MessageID     *string
	TicketID      *int64 // the one that it would add a comment to
	Recipient     *string
	Via           JSON
	BrandID       int64
	Change        JSON // all that was asked, as package tickets takes it again
	Stamps
}
