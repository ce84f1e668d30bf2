package attachments_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

func TestSweepDropsExpiredUploads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{Expiry: time.Hour})
	for range 120 { // more than a batch
		w.upload("", "a.txt", "a")
	}
	u := w.upload("", "a.png", string(pngOf(100, 100)))
	w.upload(u.Token, "b.txt", "b")
	w.clock = w.clock.Add(30 * time.Minute)
	later := w.upload("", "later.txt", "x")
	w.clock = w.clock.Add(31 * time.Minute)
	if n := w.sweep(); n != 122 {
		t.Errorf("removed the blobs of %d files", n)
	}
	if len(w.stored()) != 1 || w.count("uploads") != 1 || w.count("attachments") != 1 || w.count("blob_removals") != 0 {
		t.Errorf("left: %v, %d uploads, %d attachments", w.stored(), w.count("uploads"), w.count("attachments"))
	}
	if err := w.DeleteUpload(w.ctx, w.agent, later.Token); err != nil {
		t.Errorf("the one that is not expired: %v", err)
	}
	w.sweep()
	w.empty()
}

// What a process leaves that is killed in an upload: the note, and a part of
// the file under a temporary name, or the whole one.
func TestSweepRemovesWhatACrashLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	w.upload("", "kept.txt", "kept")
	dir := filepath.Join(w.dir, "1", "ab", "cd")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"abcd01", "abcd01-thumb.18a2.tmp", "abcd02.18a2.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"1/ab/cd/abcd01", "1/ab/cd/abcd02", "1/ab/cd/abcd03"} {
		err := w.db.WithContext(w.ctx).Create(&models.BlobRemoval{Key: key, DueAt: w.clock.Add(time.Hour)}).Error
		if err != nil {
			t.Fatal(err)
		}
	}
	if n := w.sweep(); n != 0 || len(w.stored()) != 4 {
		t.Errorf("removed %d while they may still be written", n)
	}
	w.clock = w.clock.Add(time.Hour)
	if n := w.sweep(); n != 3 {
		t.Errorf("removed %d", n)
	}
	if left := w.stored(); len(left) != 1 || strings.Contains(left[0], "abcd0") || w.count("blob_removals") != 0 {
		t.Errorf("left: %v", left)
	}
}

// slowly lets a sweep happen in the middle of a file.
type slowly struct {
	meanwhile func()
	read      bool
}

func (s *slowly) Read(p []byte) (int, error) {
	if !s.read {
		s.read = true
		return copy(p, strings.Repeat("x", 4000)), nil
	}
	s.meanwhile()
	return 0, os.ErrDeadlineExceeded
}

func TestSweepDuringAnUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	_, err := w.Upload(w.ctx, w.agent, attachments.UploadInput{FileName: "a.txt", Body: &slowly{meanwhile: func() {
		if n := w.sweep(); n != 0 || w.count("blob_removals") != 1 {
			t.Errorf("removed %d", n)
		}
		w.clock = w.clock.Add(2 * time.Hour)
		if n := w.sweep(); n != 1 {
			t.Errorf("removed %d after two hours", n)
		}
	}}})
	if err == nil {
		t.Error("kept")
	}
	w.empty()
}

func TestBlobThatCannotBeRemovedIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{Expiry: time.Hour})
	w.upload("", "a.txt", "a")
	w.upload("", "b.txt", "b")
	w.clock = w.clock.Add(2 * time.Hour)
	closed, err := attachments.OpenBucket(context.Background(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	broken := attachments.New(w.db, closed, func() time.Time { return w.clock }, attachments.Options{})
	if n, err := broken.Sweep(context.Background()); err == nil || n != 0 {
		t.Errorf("removed %d from a store that is out: %v", n, err)
	}
	if n := w.sweep(); n != 0 || w.count("blob_removals") != 2 {
		t.Errorf("tried again at once: %d", n)
	}
	w.clock = w.clock.Add(time.Hour)
	if n := w.sweep(); n != 2 {
		t.Errorf("removed %d later", n)
	}
	w.empty()
}

func TestUploadInATransactionThatIsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.DB(t), attachments.Options{})
	tx := w.db.WithContext(w.ctx).Begin()
	_, err := w.Upload(postgres.WithTx(w.ctx, tx), w.agent, attachments.UploadInput{FileName: "a.txt", Body: strings.NewReader("a")})
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Rollback().Error; err != nil {
		t.Fatal(err)
	}
	if w.count("attachments") != 0 || len(w.stored()) != 1 {
		t.Errorf("%d rows, stored %v", w.count("attachments"), w.stored())
	}
	w.clock = w.clock.Add(time.Hour)
	w.sweep()
	w.empty()
}
