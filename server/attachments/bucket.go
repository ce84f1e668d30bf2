package attachments

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // the scheme s3
	"gocloud.dev/gcerrors"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// OpenBucket opens the blob store at address: a directory, as a path or as
// file:///path, which is made if need be; or an S3 bucket, as
// s3://name?region=eu-central-1 with the parameters of gocloud.dev's s3blob
// (endpoint and use_path_style for stores that speak S3's protocol).
func OpenBucket(ctx context.Context, address string) (*blob.Bucket, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("blob store: %w", err)
	}
	switch u.Scheme {
	case "s3":
		return blob.OpenBucket(ctx, address)
	case "file":
		return openDir(u.Path)
	case "":
		return openDir(address)
	}
	return nil, fmt.Errorf("blob store: %s is neither a directory nor an s3:// address", address)
}

func openDir(dir string) (*blob.Bucket, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return fileblob.OpenBucket(dir, &fileblob.Options{
		CreateDir:   true,
		DirFileMode: 0o700,
		// Beside the blob, and so on the same disk, and found by the blob's key
		// if a crash leaves it behind.
		NoTempDir: true,
		// What there is to know of a blob is in its row.
		Metadata: fileblob.MetadataDontWrite,
	})
}

const (
	// writeTime is how long the sender of a file may take.
	writeTime = 30 * time.Minute
	// pendingTime is when a blob that nothing refers to counts as left behind.
	// It is longer than writeTime, so that nobody is still writing to it.
	pendingTime = time.Hour
	// removeTime bounds the removing of what an upload that failed has written.
	removeTime = 10 * time.Second
)

// newKey names a new blob. All blobs of one file begin with its key: that of
// its thumbnail, and temporary files of the blob store.
func newKey(account int64) string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	h := hex.EncodeToString(b)
	return fmt.Sprintf("%d/%s/%s/%s", account, h[:2], h[2:4], h)
}

func thumbKey(key string) string { return key + "-thumb" }

// expect notes that blobs are about to be written, so that they are removed
// unless their attachments come to be.
func (s *Service) expect(ctx context.Context, keys ...string) error {
	ctx = postgres.WithoutTx(ctx) // or a crash would undo the note and leave the blob
	notes := make([]models.BlobRemoval, len(keys))
	for i, key := range keys {
		notes[i] = models.BlobRemoval{Key: key, DueAt: s.now().Add(pendingTime)}
	}
	return s.db.WithContext(ctx).Create(&notes).Error
}

// write streams r into the blob, and fails with fault.TooLarge beyond limit
// bytes. After a failure nothing is kept.
func (s *Service) write(ctx context.Context, key, contentType string, r io.Reader, limit int64) (int64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var file *os.File
	w, err := s.bucket.NewWriter(ctx, key, &blob.WriterOptions{
		ContentType: contentType,
		BeforeWrite: func(as func(any) bool) error { as(&file); return nil },
	})
	if err != nil {
		return 0, err
	}
	size, err := io.Copy(w, io.LimitReader(r, limit+1))
	if err == nil && size > limit {
		err = fault.New(fault.TooLarge, "The file is larger than %d bytes", limit)
	}
	if err == nil && file != nil {
		// A row must not outlive its bytes in a power failure.
		err = file.Sync()
	}
	if err != nil {
		cancel() // which makes Close drop what was written
		_ = w.Close()
		return 0, err
	}
	return size, w.Close()
}

// discard removes a blob whose attachment did not come to be. If that fails, a
// sweep does it later.
func (s *Service) discard(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(postgres.WithoutTx(ctx)), removeTime)
	defer cancel()
	// Where the row is gone the attachment did come to be after all: a commit
	// of which the answer was lost.
	doomed := s.db.WithContext(ctx).Model(&models.BlobRemoval{}).Where("key = ? AND NOT doomed", key).Update("doomed", true)
	if doomed.Error == nil && doomed.RowsAffected == 1 {
		_ = s.remove(ctx, postgres.Account(ctx), key)
	}
}

// remove removes a doomed blob with all that begins with its key, and then its
// note. It may be done twice.
func (s *Service) remove(ctx context.Context, account int64, key string) error {
	blobs := s.bucket.List(&blob.ListOptions{Prefix: key})
	for {
		b, err := blobs.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = s.bucket.Delete(ctx, b.Key)
		}
		if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return fmt.Errorf("remove blob %s: %w", key, err)
		}
	}
	return s.db.WithContext(ctx).Exec("DELETE FROM blob_removals WHERE account_id = ? AND key = ? AND doomed", account, key).Error
}
