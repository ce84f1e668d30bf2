package api_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/server/exports"
)

// exported waits for an export and returns it as it is then.
func (a *anAPI) exported(body string) *result {
	a.t.Helper()
	made := a.post("/api/v2/exports", body).want(202)
	path := a.here(made.member("export", "url"))
	if made.member("export", "status") != "queued" || a.here(made.header.Get("Location")) != path || len(made.member("export", "files").([]any)) != 0 {
		a.t.Errorf("queued: %s", made.body)
	}
	var r *result
	a.until("end of the export", func() bool {
		r = a.get(path).want(200)
		return r.member("export", "status") == "completed" || r.member("export", "status") == "failed"
	})
	if r.member("export", "status") != "completed" {
		a.t.Fatalf("failed: %s", r.body)
	}
	return r
}

// file downloads a file of an export, holds it against what is told of it, and
// returns its rows, as objects.
func (r *result) file(a *anAPI, resource string) (rows []map[string]any) {
	r.t.Helper()
	for i := range r.member("export", "files").([]any) {
		of := func(member string) any { return r.member("export", "files", i, member) }
		if of("resource") != resource {
			continue
		}
		got := a.anonymous().get(a.here(of("url"))).want(200)
		sum := sha256.Sum256(got.body)
		if hex.EncodeToString(sum[:]) != of("sha256") || fmt.Sprint(len(got.body)) != fmt.Sprint(of("bytes")) {
			r.t.Errorf("%s: %d bytes, %v told with the sum %v", resource, len(got.body), of("bytes"), of("sha256"))
		}
		rows = decoded(r.t, of("name").(string), got.body)
		if fmt.Sprint(len(rows)) != fmt.Sprint(of("rows")) {
			r.t.Errorf("%s: %d rows, %v told", resource, len(rows), of("rows"))
		}
		return rows
	}
	r.t.Fatalf("no file of %s: %s", resource, r.body)
	return nil
}

// decoded are the rows of a file of any format. Texts of CSV stay texts.
func decoded(t *testing.T, name string, body []byte) (rows []map[string]any) {
	t.Helper()
	fail := func(err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if strings.HasSuffix(name, ".parquet") {
		file, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
		fail(err)
		columns := file.Schema().Columns()
		for _, group := range file.RowGroups() {
			reader := group.Rows()
			for {
				buffer := make([]parquet.Row, 10)
				n, err := reader.ReadRows(buffer)
				for _, row := range buffer[:n] {
					object := map[string]any{}
					for _, v := range row {
						object[columns[v.Column()][0]] = plain(v)
					}
					rows = append(rows, object)
				}
				if err == io.EOF {
					break
				}
				fail(err)
			}
			fail(reader.Close())
		}
		return rows
	}
	zip, err := gzip.NewReader(bytes.NewReader(body))
	fail(err)
	if strings.HasSuffix(name, ".csv.gz") {
		lines, err := csv.NewReader(zip).ReadAll()
		fail(err)
		for _, line := range lines[1:] {
			object := map[string]any{}
			for i, value := range line {
				object[lines[0][i]] = value
			}
			rows = append(rows, object)
		}
		return rows
	}
	d := json.NewDecoder(zip)
	d.UseNumber()
	for {
		var object map[string]any
		if err := d.Decode(&object); err == io.EOF {
			return rows
		} else {
			fail(err)
		}
		rows = append(rows, object)
	}
}

func plain(v parquet.Value) any {
	switch {
	case v.IsNull():
		return nil
	case v.Kind() == parquet.ByteArray:
		return string(v.ByteArray())
	}
	return v.String()
}

func TestExportsAreWrittenIntoFiles(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	odd := "Größe, \"quoted\"\\n<b>&\u2028 日本"
	one := a.post("/api/v2/tickets", text(t, map[string]any{"ticket": map[string]any{"subject": odd, "tags": []string{"a", "b"}, "comment": map[string]any{"body": odd}}})).want(201).id("ticket")
	two := a.ticket(`{"subject":"","priority":"high","comment":{"body":"B"}}`)
	org := a.post("/api/v2/organizations", `{"organization":{"name":"Org"}}`).want(201).id("organization")
	a.delete(a.path(two)).want(204)
	for _, format := range []string{"ndjson", "csv", "parquet"} {
		r := a.exported(`{"export":{"format":"` + format + `"}}`)
		rows := r.file(a, "tickets")
		slices.SortFunc(rows, func(a, b map[string]any) int { return strings.Compare(fmt.Sprint(a["id"]), fmt.Sprint(b["id"])) })
		if len(rows) != 2 || fmt.Sprint(rows[0]["id"]) != fmt.Sprint(one) || rows[0]["subject"] != odd || fmt.Sprint(rows[0]["deleted"]) != "false" {
			t.Fatalf("%s: tickets %v", format, rows)
		}
		if tags := rows[0]["tags"]; format != "ndjson" && tags != `["a","b"]` || format == "ndjson" && fmt.Sprint(tags) != "[a b]" {
			t.Errorf("%s: tags %v", format, tags)
		}
		if fmt.Sprint(rows[1]["deleted"]) != "true" || rows[1]["status"] != "deleted" || rows[1]["priority"] != "high" || format != "csv" && rows[0]["priority"] != nil {
			t.Errorf("%s: the deleted one: %v", format, rows[1])
		}
		for resource, n := range map[string]int{"comments": 2, "users": 1, "organizations": 1, "ratings": 0} {
			if rows := r.file(a, resource); len(rows) != n {
				t.Errorf("%s: %d %s", format, len(rows), resource)
			}
		}
		if fmt.Sprint(r.file(a, "organizations")[0]["id"]) != fmt.Sprint(org) || r.file(a, "users")[0]["name"] != "Ada Admin" {
			t.Errorf("%s: organizations or users", format)
		}
		if events := r.file(a, "events"); len(events) < 4 || !strings.HasPrefix(events[0]["type"].(string), "zen:event-type:") {
			t.Errorf("%s: %d events", format, len(events))
		}
		manifest := a.anonymous().get(a.here(r.member("export", "manifest_url"))).want(200)
		if manifest.member("cursor") != r.member("export", "cursor") || len(manifest.member("files").([]any)) != 6 || manifest.member("since") != nil {
			t.Errorf("manifest %s", manifest.body)
		}
	}
}

func TestExportsSinceACursorHaveWhatChanged(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	ids := []int64{a.ticket(`{"comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`)}
	lost := a.get(a.path(ids[2]) + "/comments").want(200).ids("comments")[0]
	first := a.exported(`{"export":{"resources":["tickets","comments"]}}`)
	since := func(cursor any) string { return text(t, map[string]any{"export": map[string]any{"since": cursor}}) }
	a.put(a.path(ids[1]), `{"ticket":{"status":"open"}}`).want(200)
	if err := a.db.WithContext(a.ctx()).Exec("DELETE FROM comments WHERE account_id = ? AND id = ?", a.account.ID, lost).Error; err != nil {
		t.Fatal(err)
	}
	second := a.exported(since(first.member("export", "cursor")))
	if rows := second.file(a, "tickets"); len(rows) != 1 || fmt.Sprint(rows[0]["id"]) != fmt.Sprint(ids[1]) || rows[0]["status"] != "open" {
		t.Errorf("tickets: %v", rows)
	}
	if rows := second.file(a, "comments"); len(rows) != 1 || fmt.Sprint(rows[0]["id"]) != fmt.Sprint(lost) || rows[0]["deleted"] != true || rows[0]["body"] != nil {
		t.Errorf("comments: %v", rows)
	}
	if rows := second.file(a, "events"); len(rows) != 2 || rows[1]["type"] != "zen:event-type:ticket.status_changed" {
		t.Errorf("events: %v", rows)
	}
	third := a.exported(since(second.member("export", "cursor")))
	for _, resource := range exports.Tables {
		if rows := third.file(a, resource); len(rows) != 0 {
			t.Errorf("nothing changed, and yet there are %s: %v", resource, rows)
		}
	}
	// Comments that are gone are not told to whom did not have them.
	if rows := a.exported(`{}`).file(a, "comments"); len(rows) != 2 {
		t.Errorf("all comments: %v", rows)
	}
}

func TestExportsIntoFilesRefuse(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	other := a.another()
	for body, detail := range map[string][2]string{
		`{"export":{"format":"xlsx"}}`:                   {"format", "Format: xlsx is not a format: ndjson, csv or parquet"},
		`{"export":{"resources":["tickets","macros"]}}`:  {"resources", "Resources: macros is not a resource: tickets, comments, users, organizations, events or ratings"},
		`{"export":{"resources":["tickets","tickets"]}}`: {"resources", "Resources: tickets is there twice"},
	} {
		a.post("/api/v2/exports", body).wantDetail(detail[0], detail[1])
	}
	for _, since := range []string{"x", other.get(incremental + "tickets/cursor?start_time=0").want(200).member("after_cursor").(string)} {
		a.post("/api/v2/exports", `{"export":{"since":"`+since+`"}}`).want(400).
			wantJSON(`{"errors":[{"code":"InvalidPaginationParameter","title":"since is not the cursor of an export of this account"}]}`)
	}
	a.post("/api/v2/exports", `{"export":[]}`).want(400)
	var paths []string
	for range 5 {
		paths = append(paths, a.here(a.post("/api/v2/exports", `{"export":{"format":"csv"}}`).want(202).member("export", "url")))
	}
	a.post("/api/v2/exports", `{}`).want(429)
	if got := a.get("/api/v2/exports?per_page=2").want(200); len(got.ids("exports")) != 2 || fmt.Sprint(got.member("count")) != "5" || got.member("exports", 0, "format") != "csv" {
		t.Errorf("list: %s", got.body)
	}
	other.get(paths[0]).wantMissing()
	other.delete(paths[0]).wantMissing()
	a.delete(paths[0]).want(204)
	a.delete(paths[0]).wantMissing()
	a.get(paths[0]).wantMissing()
	a.post("/api/v2/exports", `{}`).want(202)
	a.user("Al", a.email("al"), "agent")
	agent := a.as(a.email("al"))
	agent.post("/api/v2/exports", `{}`).wantForbidden()
	agent.get("/api/v2/exports").wantForbidden()
	agent.get(paths[1]).wantForbidden()
	agent.delete(paths[1]).wantForbidden()
}

func TestFilesOfExportsGo(t *testing.T) {
	t.Parallel()
	var files *exports.Files
	a := newWorkingAPI(t, func(s api.Services) { files = s.ExportFiles })
	kept := func() (n int) {
		_ = filepath.WalkDir(filepath.Join(a.files, "exports"), func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return nil
		})
		return n
	}
	deleted, expired := a.exported(`{}`), a.exported(`{"export":{"resources":["users"]}}`)
	file := func(r *result) *result { return a.anonymous().get(a.here(r.member("export", "files", 0, "url"))) }
	file(deleted).want(200)
	a.anonymous().get(strings.Replace(a.here(deleted.member("export", "manifest_url")), "manifest.json", "other.json", 1)).wantError(403, "InvalidLink")
	a.delete(a.here(deleted.member("export", "url"))).want(204)
	file(deleted).wantMissing()
	if err := files.Sweep(t.Context()); err != nil || kept() != 2 {
		t.Errorf("%d files are left, %v", kept(), err)
	}
	a.tick(8 * 24 * time.Hour)
	file(expired).wantMissing()
	file(a.get(a.here(expired.member("export", "url"))).want(200)).wantMissing() // with a new link
	if err := files.Sweep(t.Context()); err != nil || kept() != 0 {
		t.Errorf("%d files are left, %v", kept(), err)
	}
	a.get(a.here(expired.member("export", "url"))).wantMissing()
}

// A link is good for its file, for an hour, and as it was signed.
func TestFilesOfExportsHaveSignedLinks(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	a.ticket(`{"comment":{"body":"B"}}`)
	wanted := `{"export":{"resources":["tickets","users"]}}`
	r := a.exported(wanted)
	link := func(r *result, file int) *url.URL {
		t.Helper()
		u, err := url.Parse(a.here(r.member("export", "files", file, "url")))
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	get := func(path string, q url.Values) *result { return a.anonymous().get(path + "?" + q.Encode()) }
	refused := func(path string, q url.Values, why string) {
		t.Helper()
		get(path, q).want(403).wantJSON(`{"error":"InvalidLink","description":%q}`, why)
	}
	const altered = "The link is not as it was given: its signature does not fit"
	tickets, users := link(r, 0), link(r, 1)
	q := tickets.Query()
	get(tickets.Path, q).want(200)
	refused(users.Path, q, altered)
	refused(strings.Replace(tickets.Path, "/exports/", "/exports/0", 1), q, altered)
	end, err := strconv.ParseInt(q.Get("expires"), 10, 64)
	if err != nil || end != theClock.Add(time.Hour).Unix() {
		t.Errorf("it expires %v, %v", q["expires"], err)
	}
	first := q.Get("signature")[:1]
	for name, values := range map[string][]string{
		"expires":   {fmt.Sprint(end + 1), fmt.Sprint(end - 1), fmt.Sprint(end) + ".0", "-1", "x", ""},
		"signature": {"", "x", q.Get("signature") + "A", strings.Replace(q.Get("signature"), first, map[bool]string{true: "B", false: "A"}[first == "A"], 1), users.Query().Get("signature")},
	} {
		for _, value := range values {
			changed := tickets.Query()
			changed.Set(name, value)
			refused(tickets.Path, changed, altered)
		}
		left := tickets.Query()
		left.Del(name)
		refused(tickets.Path, left, altered)
	}

	// The other account's own link is good, and its signature for nothing here.
	other := a.another()
	theirs := other.exported(wanted)
	stolen := link(theirs, 0)
	get(stolen.Path, stolen.Query()).want(200)
	refused(tickets.Path, stolen.Query(), altered)
	refused(stolen.Path, q, altered)

	a.tick(time.Hour)
	refused(tickets.Path, q, "The link has expired. Show the export again for a new one")
	again := link(a.get(a.here(r.member("export", "url"))).want(200), 0)
	if again.Path != tickets.Path || again.RawQuery == tickets.RawQuery {
		t.Errorf("shown again it is %s", again)
	}
	get(again.Path, again.Query()).want(200)
	listed, err := url.Parse(a.here(a.get("/api/v2/exports").want(200).member("exports", 0, "files", 0, "url")))
	if err != nil || *listed != *again {
		t.Errorf("in the list it is %s, %v", listed, err)
	}
}

// A run that was cut off is done again, and nothing of it is left.
func TestExportGoesOnAfterARunThatWasCutOff(t *testing.T) {
	t.Parallel()
	a, services, _ := idleAPI(t)
	a.ticket(`{"comment":{"body":"B"}}`)
	made := a.post("/api/v2/exports", `{"export":{"resources":["tickets"]}}`).want(202)
	dir := filepath.Join(a.files, "exports", fmt.Sprint(a.account.ID), fmt.Sprint(made.id("export")))
	half := filepath.Join(dir, "dead", "tickets.ndjson.gz")
	if err := os.MkdirAll(filepath.Dir(half), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(half, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := a.db.WithContext(a.ctx()).Exec("UPDATE exports SET status = 'working', run = 'dead', progress = 1 WHERE account_id = ?", a.account.ID).Error; err != nil {
		t.Fatal(err)
	}
	if err := services.Jobs.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	var r *result
	a.until("end of the export", func() bool {
		r = a.get(a.here(made.member("export", "url"))).want(200)
		return r.member("export", "status") == "completed"
	})
	if rows := r.file(a, "tickets"); len(rows) != 1 {
		t.Errorf("tickets: %v", rows)
	}
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("the half file is there: %v", err)
	}
}
