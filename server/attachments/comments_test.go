package attachments_test

import (
	"context"
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

// claim has comment 50 of ticket 3 take the tokens.
func (w *world) claim(tokens ...string) []attachments.File {
	w.t.Helper()
	var files []attachments.File
	err := w.db.WithContext(w.ctx).Transaction(func(tx *gorm.DB) error {
		var err error
		files, err = w.ClaimTx(tx, w.agent, tokens, 3, 50)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

func (w *world) ofComment(id int64) []attachments.File {
	w.t.Helper()
	files, err := w.OfComments(w.ctx, w.db, []int64{id, 99})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, ok := files[99]; ok {
		w.t.Error("files of a comment that has none")
	}
	return files[id]
}

func (w *world) redact(id int64) (attachments.File, error) {
	var f attachments.File
	err := w.db.WithContext(w.ctx).Transaction(func(tx *gorm.DB) error {
		var err error
		f, _, err = w.RedactTx(tx, 3, 50, id)
		return err
	})
	return f, err
}

func names(files []attachments.File) string {
	var all []string
	for _, f := range files {
		all = append(all, f.FileName)
		for _, t := range f.Thumbnails {
			all = append(all, "("+t.FileName+")")
		}
	}
	return strings.Join(all, " ")
}

func TestCommentTakesTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	one := w.upload("", "a.txt", "a")
	w.upload(one.Token, "b.png", string(pngOf(100, 50)))
	two := w.upload("", "c.txt", "c")
	expired := w.upload("", "d.txt", "d")
	err := w.db.Exec("UPDATE uploads SET expires_at = ? WHERE account_id = ? AND id = ?", w.clock, w.agent.AccountID, expired.ID).Error
	if err != nil {
		t.Fatal(err)
	}

	claimed := w.claim(two.Token, one.Token, "unknown", one.Token, expired.Token)
	if got, want := names(claimed), "a.txt b.png (b_thumb.png) c.txt"; got != want {
		t.Errorf("claimed %s, want %s", got, want)
	}
	for _, f := range claimed {
		if *f.TicketID != 3 || *f.CommentID != 50 || f.UploadID != nil {
			t.Errorf("%s: %+v", f.FileName, f.Attachment)
		}
	}
	if got := names(w.ofComment(50)); got != names(claimed) {
		t.Errorf("of the comment: %s", got)
	}
	if got := w.claim(one.Token, two.Token); len(got) != 0 {
		t.Errorf("taken twice: %s", names(got))
	}
	_, err = w.Upload(w.ctx, w.agent, attachments.UploadInput{Token: one.Token, FileName: "e.txt", Body: strings.NewReader("e")})
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("added to a token that is used up: %v", err)
	}
	w.clock = w.clock.Add(1000 * time.Hour)
	w.sweep()
	if got := names(w.ofComment(50)); got != names(claimed) {
		t.Errorf("after a sweep: %s", got)
	}
}

func TestTokenGoesToOneOfTwoComments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.DB(t), attachments.Options{})
	one, two := w.upload("", "a.txt", "a"), w.upload("", "b.txt", "b")
	type result struct {
		files []attachments.File
		err   error
	}
	results := make(chan result)
	for i, tokens := range [][]string{{one.Token, two.Token}, {two.Token, one.Token}} {
		go func() {
			var r result
			r.err = w.db.WithContext(w.ctx).Transaction(func(tx *gorm.DB) (err error) {
				r.files, err = w.ClaimTx(tx, w.agent, tokens, 3, int64(50+i))
				return err
			})
			results <- r
		}()
	}
	taken := 0
	for range 2 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		taken += len(r.files)
	}
	if taken != 2 {
		t.Errorf("%d files taken of 2", taken)
	}
}

func TestClaimThatIsRolledBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.DB(t), attachments.Options{})
	u := w.upload("", "a.txt", "a")
	tx := w.db.WithContext(w.ctx).Begin()
	if files, err := w.ClaimTx(tx, w.agent, []string{u.Token}, 3, 50); err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	tx.Rollback()
	if got := names(w.claim(u.Token)); got != "a.txt" {
		t.Errorf("claimed after it: %q", got)
	}
}

func TestInline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	u := w.upload("", "a.png", string(pngOf(9, 9)))
	w.upload(u.Token, "b.txt", "b")
	files := w.claim(u.Token)
	html := `<p>see <img src="https://help.example.com/attachments/token/` + files[0].Token + `/?name=a.png">
		and <a href="https://help.example.com/attachments/token/` + files[1].Token + `/?name=b.txt">this</a></p>`
	if err := w.InlineTx(w.db.WithContext(w.ctx), files, html); err != nil {
		t.Fatal(err)
	}
	kept := w.ofComment(50)
	if !files[0].Inline || files[1].Inline || !kept[0].Inline || kept[1].Inline {
		t.Errorf("inline: %v %v, kept: %v %v", files[0].Inline, files[1].Inline, kept[0].Inline, kept[1].Inline)
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	u := w.upload("", "card.png", string(pngOf(200, 100)))
	w.upload(u.Token, "b.txt", "b")
	files := w.claim(u.Token)
	card := files[0]

	if _, err := w.redact(card.Thumbnails[0].ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("a thumbnail alone: %v", err)
	}
	if _, err := w.redact(12); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown: %v", err)
	}
	before, err := w.redact(card.ID)
	if err != nil || before.FileName != "card.png" || len(before.Thumbnails) != 1 {
		t.Fatalf("answered %+v, %v", before, err)
	}
	after := w.ofComment(50)
	if got := names(after); got != "redacted.txt b.txt" {
		t.Errorf("files: %s", got)
	}
	if f := after[0]; !f.Deleted || f.Size != 0 || f.Width != nil || f.Height != nil || f.BlobKey != "" || f.ContentType != "text/plain" {
		t.Errorf("redacted: %+v", f.Attachment)
	}
	for _, token := range []string{card.Token, card.Thumbnails[0].Token} {
		if _, err := w.ByToken(context.Background(), token); !fault.Is(err, fault.NotFound) {
			t.Errorf("still at its address: %v", err)
		}
	}
	if n := w.sweep(); n != 1 {
		t.Errorf("swept %d", n)
	}
	if left := w.stored(); len(left) != 1 || w.count("blob_removals") != 0 {
		t.Errorf("left: %v", left)
	}
	again, err := w.redact(card.ID)
	if err != nil || again.FileName != attachments.Redacted {
		t.Errorf("twice: %+v, %v", again, err)
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, testdb.Tx(t), attachments.Options{})
	mine := person(w.agent.AccountID, 31, models.RoleEndUser)
	visible := attachments.Seen{Comment: func(_ context.Context, ticket, comment int64) error {
		if ticket == 3 && comment == 50 {
			return nil
		}
		return fault.Missing("Comment", comment)
	}}
	hidden := attachments.Seen{Comment: func(context.Context, int64, int64) error { return fault.Missing("Ticket", 3) }}
	u, err := w.Upload(w.ctx, mine, attachments.UploadInput{FileName: "a.png", Body: strings.NewReader(string(pngOf(90, 90)))})
	if err != nil {
		t.Fatal(err)
	}
	show := func(by auth.Actor, id int64, seen attachments.Seen) error {
		_, err := w.Show(auth.With(context.Background(), by), by, id, seen)
		return err
	}
	id, thumb := u.File.ID, u.File.Thumbnails[0].ID
	elsewhere := person(account(t, w.db), 31, models.RoleAdmin)
	for _, tc := range []struct {
		name string
		by   auth.Actor
		id   int64
		ok   bool
	}{
		{"its uploader", mine, id, true},
		{"its uploader, the thumbnail", mine, thumb, true},
		{"an admin", person(w.agent.AccountID, 9, models.RoleAdmin), id, true},
		{"an agent", w.agent, id, false},
		{"another end user", person(w.agent.AccountID, 32, models.RoleEndUser), id, false},
		{"nobody", auth.Actor{AccountID: w.agent.AccountID}, id, false},
		{"another account", elsewhere, id, false},
		{"unknown", mine, 12, false},
	} {
		if err := show(tc.by, tc.id, hidden); tc.ok != (err == nil) || !tc.ok && !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	w.claim(u.Token)
	if err := show(mine, id, hidden); !fault.Is(err, fault.NotFound) {
		t.Errorf("of a hidden comment: %v", err)
	}
	if err := show(mine, id, visible); err != nil {
		t.Errorf("of a comment that may be seen: %v", err)
	}
	if err := show(elsewhere, id, visible); !fault.Is(err, fault.NotFound) {
		t.Errorf("of another account: %v", err)
	}

	yes := true
	if _, err := w.Update(w.ctx, w.agent, id, attachments.Change{MalwareAccessOverride: &yes}, visible); !fault.Is(err, fault.Forbidden) {
		t.Errorf("changed by an agent: %v", err)
	}
	admin := person(w.agent.AccountID, 9, models.RoleAdmin)
	f, err := w.Update(w.ctx, admin, id, attachments.Change{MalwareAccessOverride: &yes}, visible)
	if err != nil || !f.MalwareAccessOverride || !w.ofComment(50)[0].MalwareAccessOverride {
		t.Errorf("changed by an admin: %+v, %v", f, err)
	}
}
