package attachments_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/testdb"
)

// world is an account with its files in a directory of the test.
type world struct {
	*attachments.Service
	t     *testing.T
	db    *gorm.DB
	dir   string
	clock time.Time
	ctx   context.Context // of nobody we know, in the account
	agent auth.Actor
}

func newWorld(t *testing.T, db *gorm.DB, o attachments.Options) *world {
	t.Helper()
	w := &world{t: t, db: db, dir: t.TempDir(), clock: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	bucket, err := attachments.OpenBucket(context.Background(), w.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	w.Service = attachments.New(db, bucket, func() time.Time { return w.clock }, o)
	w.agent = person(account(t, db), 7, models.RoleAgent)
	w.ctx = auth.With(context.Background(), auth.Actor{AccountID: w.agent.AccountID})
	return w
}

func account(t *testing.T, db *gorm.DB) int64 {
	t.Helper()
	now := time.Now()
	a := models.Account{
		Subdomain: strings.ToLower(auth.NewToken()[:12]), Name: "Test", TimeZone: "UTC", Settings: models.JSON("{}"),
		Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}
	if err := db.Create(&a).Error; err != nil {
		t.Fatal(err)
	}
	return a.ID
}

func person(account, id int64, role string) auth.Actor {
	return auth.Actor{AccountID: account, User: models.User{Tenant: models.Tenant{AccountID: account, ID: id}, Role: role, Active: true}}
}

// upload uploads as the agent and must succeed.
func (w *world) upload(token, name, body string) attachments.Upload {
	w.t.Helper()
	u, err := w.Upload(w.ctx, w.agent, attachments.UploadInput{Token: token, FileName: name, Body: strings.NewReader(body)})
	if err != nil {
		w.t.Fatalf("upload %s: %v", name, err)
	}
	return u
}

// stored lists the files of the blob store.
func (w *world) stored() []string {
	w.t.Helper()
	var files []string
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

// empty fails the test if any file, row or note is left.
func (w *world) empty() {
	w.t.Helper()
	if left := w.stored(); len(left) > 0 {
		w.t.Errorf("left in the blob store: %v", left)
	}
	for _, table := range []string{"uploads", "attachments", "blob_removals"} {
		if n := w.count(table); n != 0 {
			w.t.Errorf("%d rows left in %s", n, table)
		}
	}
}

func (w *world) count(table string) (n int) {
	w.t.Helper()
	err := w.db.Raw("SELECT count(*) FROM "+table+" WHERE account_id = ?", w.agent.AccountID).Row().Scan(&n)
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) sweep() int {
	w.t.Helper()
	n, err := w.Sweep(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) read(a models.Attachment) string {
	w.t.Helper()
	r, err := w.Open(w.ctx, a)
	if err != nil {
		w.t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

func TestUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	u := w.upload("", "order.txt", "two lamps\n")
	if len(u.Token) != 43 || !u.ExpiresAt.Equal(w.clock.Add(72*time.Hour)) || len(u.Files) != 1 || u.Files[0].ID != u.File.ID {
		t.Errorf("upload: %+v", u)
	}
	f := u.File
	if f.FileName != "order.txt" || f.ContentType != "text/plain" || f.Charset != "utf-8" || f.Size != 10 || f.Width != nil ||
		f.Inline || f.Deleted || f.MalwareScanResult != "not_scanned" || len(f.Token) != 43 || f.Token == u.Token {
		t.Errorf("file: %+v", f)
	}
	if got := w.read(f.Attachment); got != "two lamps\n" {
		t.Errorf("contents: %q", got)
	}
	var kept []byte
	if err := w.db.Raw("SELECT token_hash FROM uploads WHERE account_id = ?", w.agent.AccountID).Row().Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, auth.Hash(u.Token)) {
		t.Error("kept is not the SHA-256 of the token")
	}
	if n := w.count("blob_removals"); n != 0 {
		t.Errorf("%d blobs noted for removal", n)
	}
}

func TestUploadsOfOneToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	first := w.upload("", "a.txt", "a")
	second := w.upload(first.Token, "b.txt", "")
	if second.Token != first.Token || second.ID != first.ID || !second.ExpiresAt.Equal(first.ExpiresAt) {
		t.Errorf("second upload: %+v", second)
	}
	if len(second.Files) != 2 || second.Files[0].FileName != "a.txt" || second.File.FileName != "b.txt" || second.File.Size != 0 {
		t.Errorf("files: %+v", second.Files)
	}
	if got := w.read(second.File.Attachment); got != "" {
		t.Errorf("contents of the empty file: %q", got)
	}
}

func TestTokensThatAreNotGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{Expiry: time.Hour})
	u := w.upload("", "a.txt", "a")
	elsewhere := person(account(t, w.db), 7, models.RoleAdmin)
	for _, tc := range []struct {
		name  string
		by    auth.Actor
		token string
		later time.Duration
	}{
		{"unknown", w.agent, "nonsense", 0},
		{"another's", person(w.agent.AccountID, 8, models.RoleAdmin), u.Token, 0},
		{"nobody's", auth.Actor{AccountID: w.agent.AccountID}, u.Token, 0},
		{"another account's", elsewhere, u.Token, 0},
		{"expired", w.agent, u.Token, time.Hour},
	} {
		w.clock = w.clock.Add(tc.later)
		ctx := auth.With(context.Background(), tc.by)
		_, err := w.Upload(ctx, tc.by, attachments.UploadInput{Token: tc.token, FileName: "b.txt", Body: strings.NewReader("b")})
		if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || f.Details["token"] == nil {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if len(w.stored()) != 1 || w.count("attachments") != 1 {
		t.Errorf("kept %v", w.stored())
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestUploadsThatKeepNothing(t *testing.T) {
	t.Parallel()
	broken := errors.New("the cable is out")
	for _, tc := range []struct {
		name, file string
		body       io.Reader
		want       func(error) bool
	}{
		{"51 MB", "big.bin", io.LimitReader(zeros{}, 51<<20), is(fault.TooLarge)},
		{"endless", "big.bin", zeros{}, is(fault.TooLarge)},
		{"breaks off at once", "a.txt", failing{broken}, func(err error) bool { return errors.Is(err, broken) }},
		{"breaks off", "a.txt", io.MultiReader(strings.NewReader(strings.Repeat("x", 100_000)), failing{broken}), func(err error) bool { return errors.Is(err, broken) }},
		{"breaks off as bodies do", "a.txt", io.MultiReader(strings.NewReader("x"), failing{io.ErrUnexpectedEOF}), func(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"no name", "", strings.NewReader("x"), is(fault.BadRequest)},
		{"no name but a path", "../", strings.NewReader("x"), is(fault.BadRequest)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testdb.Tx(t), attachments.Options{})
			_, err := w.Upload(w.ctx, w.agent, attachments.UploadInput{FileName: tc.file, Body: tc.body})
			if !tc.want(err) {
				t.Errorf("error: %v", err)
			}
			w.empty()
		})
	}
}

func is(kind fault.Kind) func(error) bool { return func(err error) bool { return fault.Is(err, kind) } }

func TestLargestFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{MaxSize: 5000})
	if f := w.upload("", "a.txt", strings.Repeat("a", 5000)).File; f.Size != 5000 {
		t.Errorf("size %d", f.Size)
	}
	_, err := w.Upload(w.ctx, w.agent, attachments.UploadInput{FileName: "b.txt", Body: strings.NewReader(strings.Repeat("b", 5001))})
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("one byte more: %v", err)
	}
	err = w.db.Exec(`UPDATE accounts SET settings = '{"limits":{"attachment_size":10}}' WHERE id = ?`, w.agent.AccountID).Error
	if err != nil {
		t.Fatal(err)
	}
	if f := w.upload("", "c.txt", "ten bytes!").File; f.Size != 10 {
		t.Errorf("size %d", f.Size)
	}
	_, err = w.Upload(w.ctx, w.agent, attachments.UploadInput{FileName: "d.txt", Body: strings.NewReader("ten bytes!!")})
	if !fault.Is(err, fault.TooLarge) {
		t.Errorf("over the account's own limit: %v", err)
	}
}

func TestConcurrentUploadsOfOneToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.DB(t), attachments.Options{})
	first := w.upload("", "0.txt", "0")
	const n = 8
	errs := make(chan error, n)
	for i := range n {
		go func() {
			_, err := w.Upload(w.ctx, w.agent, attachments.UploadInput{
				Token: first.Token, FileName: fmt.Sprintf("%d.txt", i+1), Body: strings.NewReader("x"),
			})
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	last := w.upload(first.Token, "last.txt", "x")
	if len(last.Files) != n+2 || len(w.stored()) != n+2 || w.count("blob_removals") != 0 {
		t.Errorf("%d files in rows, %d in the store", len(last.Files), len(w.stored()))
	}
}

func TestDeleteUpload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	u := w.upload("", "a.txt", "a")
	w.upload(u.Token, "a.png", string(pngOf(200, 100)))
	for name, by := range map[string]auth.Actor{
		"another agent":   person(w.agent.AccountID, 8, models.RoleAgent),
		"nobody":          {AccountID: w.agent.AccountID},
		"another account": person(account(t, w.db), 7, models.RoleAdmin),
	} {
		if err := w.DeleteUpload(auth.With(context.Background(), by), by, u.Token); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(w.stored()) != 3 {
		t.Fatalf("stored before: %v", w.stored())
	}
	if err := w.DeleteUpload(w.ctx, w.agent, u.Token); err != nil {
		t.Fatal(err)
	}
	w.sweep()
	w.empty()
	if err := w.DeleteUpload(w.ctx, w.agent, u.Token); !fault.Is(err, fault.NotFound) {
		t.Errorf("twice: %v", err)
	}
	other := w.upload("", "b.txt", "b")
	if err := w.DeleteUpload(w.ctx, person(w.agent.AccountID, 9, models.RoleAdmin), other.Token); err != nil {
		t.Errorf("by an admin: %v", err)
	}
	w.sweep()
	w.empty()
}

func TestOpenBucketRefusesOtherStores(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"gs://files", "https://example.com/files", "mem://"} {
		if _, err := attachments.OpenBucket(context.Background(), address); err == nil {
			t.Errorf("opened %s", address)
		}
	}
	b, err := attachments.OpenBucket(context.Background(), "file://"+t.TempDir()+"/new/files")
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
}
