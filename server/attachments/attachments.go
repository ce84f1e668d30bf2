// Package attachments keeps files: uploads that wait for a comment to take
// them, attachments of comments, and their bytes in a blob store.
//
// Nothing is in the blob store that no row knows of, whatever crashes when. A
// blob that is about to be written is first noted in blob_removals, and struck
// off there by the transaction that makes its attachment. A blob that is to go
// is noted there by the transaction that drops its attachment. Sweep removes
// what is noted and due.
package attachments

import (
	"time"

	"gocloud.dev/blob"
	"golang.org/x/sync/semaphore"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/jobs"
)

// Defaults of Options.
const (
	// DefaultMaxSize is the largest attachment clients know from Zendesk.
	DefaultMaxSize int64 = 50 << 20
	// DefaultExpiry is how long recorded uploads wait; the documentation says
	// an hour, which a form left open overnight exceeds.
	DefaultExpiry = 3 * 24 * time.Hour
)

// Options of the service. The zero value is good.
type Options struct {
	MaxSize int64         // of a file, in bytes; 0 is DefaultMaxSize. An account's settings may say less
	Expiry  time.Duration // of an upload no comment takes; 0 is DefaultExpiry
	Jobs    *jobs.Service // sweeps every minute and when there is something to; nil leaves it to the caller
}

// Service keeps uploads and attachments.
type Service struct {
	db      *gorm.DB
	bucket  *blob.Bucket
	now     func() time.Time
	options Options
	pixels  *semaphore.Weighted // being decoded, see picture
}

// New makes the service, before the jobs are started. The bucket comes from OpenBucket, and is closed by
// the caller.
func New(db *gorm.DB, bucket *blob.Bucket, now func() time.Time, o Options) *Service {
	if o.MaxSize == 0 {
		o.MaxSize = DefaultMaxSize
	}
	if o.Expiry == 0 {
		o.Expiry = DefaultExpiry
	}
	s := &Service{db: db, bucket: bucket, now: now, options: o, pixels: semaphore.NewWeighted(maxPixels)}
	if o.Jobs != nil {
		s.work(o.Jobs)
	}
	return s
}

// File is an attachment with its thumbnails, of which only pictures have any.
type File struct {
	models.Attachment
	Thumbnails []models.Attachment
}

// group puts thumbnails to their pictures, and keeps the pictures' order.
func group(rows []models.Attachment) []File {
	files := make([]File, 0, len(rows))
	at := make(map[int64]int, len(rows))
	for _, row := range rows {
		if row.ParentID == nil {
			at[row.ID] = len(files)
			files = append(files, File{Attachment: row})
		}
	}
	for _, row := range rows {
		if row.ParentID == nil {
			continue
		}
		if i, ok := at[*row.ParentID]; ok {
			files[i].Thumbnails = append(files[i].Thumbnails, row)
		}
	}
	return files
}
