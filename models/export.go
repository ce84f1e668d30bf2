package models

import "time"

// Export is a set of files that are written, or can be downloaded.
type Export struct {
	Tenant
	Token     string // the unguessable part of the files' addresses
	Run       string // who writes, or wrote, the files; empty: nobody yet
	UserID    int64  // who asked for them
	Format    string
	Resources Strings
	Since     *string // a cursor; nil: all
	Status    string  // JobQueued and the rest
	Progress  int64   // rows
	Total     *int64
	Message   *string
	Failures  int
	Manifest  JSON // once completed
	ExpiresAt time.Time
	Doomed    bool // deleted; the files go soon
	Stamps
}
