package api_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/testdb"
)

// uploaded is the part of an upload's answer that tests look at.
type uploaded struct {
	Upload struct {
		Token       string
		ExpiresAt   string `json:"expires_at"`
		Attachments []file
		Attachment  file
	}
}

type file struct {
	ID          int64
	FileName    string `json:"file_name"`
	ContentURL  string `json:"content_url"`
	ContentType string `json:"content_type"`
	Size        int64
	Thumbnails  []file
}

// upload sends bytes as they are and must succeed.
func (a *anAPI) upload(query, contentType, body string) uploaded {
	a.t.Helper()
	r := a.with("Content-Type", contentType).post("/api/v2/uploads.json?"+query, body).want(201)
	var u uploaded
	r.json(&u)
	return u
}

// download gets a content_url without credentials.
func (a *anAPI) download(method, url string, header ...string) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, url, nil)
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	return w
}

func picture(w, h int) string {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, w, h))); err != nil {
		panic(err)
	}
	return b.String()
}

func TestUploadedFile(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.with("Content-Type", "application/binary").post("/api/v2/uploads.json?filename=my%20cat.png", picture(160, 80)).want(201)
	var u uploaded
	r.json(&u)
	f := u.Upload.Attachment
	th := f.Thumbnails[0]
	token := strings.TrimSuffix(strings.TrimPrefix(f.ContentURL, "http://helpd.test/attachments/token/"), "/?name=my%20cat.png")
	if len(token) != 43 || u.Upload.Token == token {
		t.Errorf("content_url %s", f.ContentURL)
	}
	url := func(id int64) string { return fmt.Sprintf("http://helpd.test/api/v2/attachments/%d.json", id) }
	attachment := fmt.Sprintf(`{"url":%q,"id":%d,"file_name":"my cat.png","content_url":%q,"mapped_content_url":%[3]q,
		"content_type":"image/png","size":%d,"width":160,"height":80,"inline":false,"deleted":false,
		"malware_access_override":false,"malware_scan_result":"not_scanned","thumbnails":[
		{"url":%q,"id":%d,"file_name":"my cat_thumb.png","content_url":%q,"mapped_content_url":%[7]q,
		"content_type":"image/png","size":%d,"width":80,"height":40,"inline":false,"deleted":false,
		"malware_access_override":false,"malware_scan_result":"not_scanned"}]}`,
		url(f.ID), f.ID, f.ContentURL, len(picture(160, 80)), url(th.ID), th.ID, th.ContentURL, th.Size)
	r.wantJSON(`{"upload":{"token":%q,"expires_at":"2026-03-07T05:06:07Z","attachments":[%s],"attachment":%[2]s}}`, u.Upload.Token, attachment)
	if got := r.header.Get("Location"); got != url(f.ID) {
		t.Errorf("Location %s", got)
	}
	order := "url id file_name content_url mapped_content_url content_type size width height inline deleted " +
		"malware_access_override malware_scan_result thumbnails"
	at := bytes.Index(r.body, []byte(`"attachment":`))
	for name := range strings.FieldsSeq(order) {
		next := bytes.Index(r.body[at:], []byte(`"`+name+`":`))
		if next < 0 {
			t.Fatalf("%s is not where it was recorded: %s", name, r.body)
		}
		at += next
	}
	a.get(fmt.Sprintf("/api/v2/attachments/%d.json", f.ID)).want(200).wantJSON(`{"attachment":%s}`, attachment)
}

func TestBodiesOfUploads(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []struct{ name, query, declared, body, wantName, wantType string }{
		{"json is a file like any other", "filename=a.json", "application/json", `{"broken":`, "a.json", "application/json"},
		{"json with a charset", "filename=a.json", "application/json; charset=utf-8", `[1]`, "a.json", "application/json"},
		{"text", "filename=a.txt", "text/plain", "hello", "a.txt", "text/plain"},
		{"by curl", "filename=a.txt", "application/x-www-form-urlencoded", "a=b&c=d", "a.txt", "text/plain"},
		{"page that claims to be a picture", "filename=a.png", "image/png", "<html><script>alert(1)</script></html>", "a.png", "text/html"},
		{"path", "filename=..%2F..%2Fetc%2Fpasswd", "text/plain", "x", "passwd", "text/plain"},
		{"control characters", "filename=a%00b%0A.txt", "text/plain", "x", "ab.txt", "text/plain"},
		{"emoji", "filename=%F0%9F%93%8E%20%E5%A0%B1%E5%91%8A.txt", "text/plain", "x", "📎 報告.txt", "text/plain"},
		{"not UTF-8", "filename=%ff.txt", "text/plain", "x", "\uFFFD.txt", "text/plain"},
		{"empty", "filename=a.txt", "text/plain", "", "a.txt", "text/plain"},
		{"deep JSON, beyond what other bodies may be", "filename=a.json", "application/json", strings.Repeat("[", 20_000), "a.json", "application/json"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := *a
			a.t = t
			f := a.upload(tc.query, tc.declared, tc.body).Upload.Attachment
			if f.FileName != tc.wantName || f.ContentType != tc.wantType || f.Size != int64(len(tc.body)) {
				t.Errorf("%+v", f)
			}
			if got := a.download("GET", f.ContentURL); got.Code != 200 || got.Body.String() != tc.body {
				t.Errorf("downloaded %d %.100q", got.Code, got.Body)
			}
		})
	}
}

func TestUploadWithoutContentType(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := httptest.NewRequest("POST", "http://helpd.test/api/v2/uploads.json?filename=a", strings.NewReader(picture(9, 9)))
	r.Header = a.header.Clone()
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	if w.Code != 201 || !strings.Contains(w.Body.String(), `"content_type":"image/png"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("answered as %s", got)
	}
}

// form is a body as the Ruby client makes it, and its content type.
func form(fields [][2]string, fileName, contentType, content string) (body, bodyType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, f := range fields {
		_ = w.WriteField(f[0], f[1])
	}
	if content != "" {
		h := textproto.MIMEHeader{"Content-Type": {contentType}}
		h.Set("Content-Disposition", `form-data; name="uploaded_data"; filename="`+fileName+`"`)
		part, _ := w.CreatePart(h)
		_, _ = io.WriteString(part, content)
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func TestFormUploads(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	first := a.upload("filename=1.txt", "text/plain", "1").Upload.Token
	for _, tc := range []struct {
		name, query, fileName string
		fields                [][2]string
		want                  string
	}{
		{"named by its part", "", "part.csv", nil, "part.csv"},
		{"named by a field", "", "part.csv", [][2]string{{"filename", "field.csv"}}, "field.csv"},
		{"named in the query", "filename=query.csv", "part.csv", nil, "query.csv"},
		{"under a token", "filename=2.csv", "x", [][2]string{{"token", first}}, "2.csv"},
	} {
		body, contentType := form(tc.fields, tc.fileName, "text/csv", "a,b\n1,2\n")
		u := a.upload(tc.query, contentType, body).Upload
		f := u.Attachment
		if f.FileName != tc.want || f.ContentType != "text/csv" || f.Size != 8 {
			t.Errorf("%s: %+v", tc.name, f)
		}
		if want := tc.fields != nil && tc.fields[0][0] == "token"; want != (u.Token == first && len(u.Attachments) == 2) {
			t.Errorf("%s: %d files under %s", tc.name, len(u.Attachments), u.Token)
		}
	}
	body, contentType := form([][2]string{{"filename", "x"}}, "", "", "")
	a.with("Content-Type", contentType).post("/api/v2/uploads", body).wantError(400, "BadRequest")
	whole, contentType := form(nil, "x.csv", "text/csv", strings.Repeat("a,b\n", 3000))
	a.with("Content-Type", contentType).post("/api/v2/uploads", whole[:len(whole)/2]).wantError(400, "BadRequest")
	a.with("Content-Type", "multipart/form-data").post("/api/v2/uploads?filename=x", whole).wantError(400, "BadRequest")
}

func TestUploadsThatAreRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.post("/api/v2/uploads", "x").wantError(400, "BadRequest")
	a.post("/api/v2/uploads?filename=", "x").wantError(400, "BadRequest")
	a.post("/api/v2/uploads?filename=..%2F", "x").wantError(400, "BadRequest")
	a.post("/api/v2/uploads?filename=a&token=unknown", "x").wantDetail("token", "Token: is unknown, expired or used already")
	a.post("/api/v2/uploads?filename=a&token=%00", "x").wantError(422, "RecordInvalid")
	a.post("/api/v2/uploads?filename=big", strings.Repeat("x", 51<<20)).wantError(413, "RequestEntityTooLarge")

	token := a.upload("filename=a", "", "x").Upload.Token
	a.anonymous().post("/api/v2/uploads?filename=b&token="+token, "x").wantError(422, "RecordInvalid")
	b := a.another()
	b.post("/api/v2/uploads?filename=b&token="+token, "x").wantError(422, "RecordInvalid")
	b.delete("/api/v2/uploads/" + token).wantMissing()
	later := theClock.Add(72 * time.Hour)
	a.now.Store(&later)
	a.post("/api/v2/uploads?filename=b&token="+token, "x").wantError(422, "RecordInvalid")
	a.delete("/api/v2/uploads/" + token).wantMissing()
}

func TestAnonymousUpload(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	nobody := a.anonymous()
	u := nobody.upload("filename=a.txt", "text/plain", "x").Upload
	if more := nobody.upload("filename=b.txt&token="+u.Token, "text/plain", "y").Upload; len(more.Attachments) != 2 {
		t.Errorf("%d files", len(more.Attachments))
	}
	nobody.get(fmt.Sprintf("/api/v2/attachments/%d", u.Attachment.ID)).want(401)
	nobody.delete("/api/v2/uploads/" + u.Token).want(401)
}

func TestUploadIsDeleted(t *testing.T) {
	t.Parallel()
	a, services := buildAPI(t, testdb.DB(t), "postgres://nowhere.invalid/")
	u := a.upload("filename=a.png", "image/png", picture(90, 90)).Upload
	if r := a.delete("/api/v2/uploads/" + u.Token + ".json").want(204); len(r.body) != 0 {
		t.Errorf("body %s", r.body)
	}
	a.delete("/api/v2/uploads/" + u.Token).wantMissing()
	a.delete("/api/v2/uploads/unknown").wantMissing()
	a.get(fmt.Sprintf("/api/v2/attachments/%d", u.Attachment.ID)).wantMissing()
	for _, url := range []string{u.Attachment.ContentURL, u.Attachment.Thumbnails[0].ContentURL} {
		if got := a.download("GET", url); got.Code != 404 || !strings.Contains(got.Body.String(), `"RecordNotFound"`) {
			t.Errorf("%s: %d %s", url, got.Code, got.Body)
		}
	}
	if n := a.queued("sweep_attachments"); n != 1 {
		t.Errorf("%d sweeps queued", n)
	}
	if n, err := services.Attachments.Sweep(context.Background()); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if left := a.stored(); len(left) != 0 {
		t.Errorf("left in the store: %v", left)
	}
}

// queued counts the jobs of a kind.
func (a *anAPI) queued(kind string) (n int) {
	a.t.Helper()
	if err := a.db.Raw("SELECT count(*) FROM river_job WHERE kind = ?", kind).Row().Scan(&n); err != nil {
		a.t.Fatal(err)
	}
	return n
}

// stored lists the files of the blob store.
func (a *anAPI) stored() (files []string) {
	a.t.Helper()
	err := filepath.WalkDir(a.files, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return files
}

func TestUploadWithAKeyIsDoneOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	once := a.with("Idempotency-Key", "cat").with("Content-Type", "application/json")
	first := once.post("/api/v2/uploads?filename=a.json", `{"a":1}`).want(201)
	again := once.post("/api/v2/uploads?filename=a.json", `{"a":1}`).want(201)
	if !bytes.Equal(first.body, again.body) || again.header.Get("Location") != first.header.Get("Location") || len(a.stored()) != 1 {
		t.Errorf("%s\n%s\nstored %v", first.body, again.body, a.stored())
	}
	once.post("/api/v2/uploads?filename=a.json", `{"a":2}`).wantError(400, "IdempotentRequestError")
}

func TestDownload(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	text := "0123456789 zwölf"
	f := a.upload("filename=Grüße%20%22x%22.txt", "text/plain; charset=utf-8", text).Upload.Attachment
	for _, method := range []string{"GET", "HEAD"} {
		got := a.download(method, f.ContentURL)
		body := text
		if method == "HEAD" {
			body = ""
		}
		if got.Code != 200 || got.Body.String() != body {
			t.Errorf("%s: %d %q", method, got.Code, got.Body)
		}
		for name, want := range map[string]string{
			"Content-Type":            "text/plain; charset=utf-8",
			"Content-Length":          fmt.Sprint(len(text)),
			"Content-Disposition":     `inline; filename="Gr__e _x_.txt"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%22x%22.txt`,
			"X-Content-Type-Options":  "nosniff",
			"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; sandbox",
			"Accept-Ranges":           "bytes",
			"ETag":                    fmt.Sprintf(`"%d"`, f.ID),
			"Cache-Control":           "private, no-cache",
			"Last-Modified":           "Wed, 04 Mar 2026 05:06:07 GMT",
		} {
			if got := got.Header().Get(name); got != want {
				t.Errorf("%s: %s %q, want %q", method, name, got, want)
			}
		}
	}
	without, _, _ := strings.Cut(f.ContentURL, "/?")
	for _, tc := range []struct {
		name   string
		header []string
		status int
		body   string
	}{
		{"a range", []string{"Range", "bytes=2-4"}, 206, "234"},
		{"its end", []string{"Range", "bytes=-2"}, 206, "lf"},
		{"beyond it", []string{"Range", "bytes=100-"}, 416, ""},
		{"known already", []string{"If-None-Match", fmt.Sprintf(`"%d"`, f.ID)}, 304, ""},
		{"gzip is not needed", []string{"Accept-Encoding", "gzip"}, 200, text},
	} {
		got := a.download("GET", without, tc.header...)
		if got.Code != tc.status || tc.status != 416 && got.Body.String() != tc.body {
			t.Errorf("%s: %d %q", tc.name, got.Code, got.Body)
		}
	}
	for _, path := range []string{"unknown", "%00", "%ff", "..%2f..%2fetc", strings.Repeat("x", 5000)} {
		got := a.download("GET", "http://helpd.test/attachments/token/"+path+"/?name=a")
		if got.Code != 404 || got.Header().Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

func TestPrivateAttachments(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	url := a.upload("filename=a.txt", "", "x").Upload.Attachment.ContentURL
	err := a.db.Exec(`UPDATE accounts SET settings = jsonb_set(settings, '{tickets,private_attachments}', 'true') WHERE id = ?`, a.account.ID).Error
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		by     string
		status int
	}{
		{"nobody", "", 401},
		{"wrong credentials", "Basic eDp5", 401},
		{"its uploader", a.header.Get("Authorization"), 200},
		{"another account", a.another().header.Get("Authorization"), 404},
	} {
		header := []string{"Host", a.account.Subdomain + ".example.com"}
		if tc.by != "" {
			header = append(header, "Authorization", tc.by)
		}
		if got := a.download("GET", url, header...); got.Code != tc.status {
			t.Errorf("%s: %d %s", tc.name, got.Code, got.Body)
		}
	}
}

func TestDownloadOfJSONIsNotTouched(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	text := `{"list":[` + strings.Repeat("1,", 2000) + `1]}`
	f := a.upload("filename=a.json", "application/json", text).Upload.Attachment
	got := a.download("GET", f.ContentURL, "Accept-Encoding", "gzip")
	if got.Code != 200 || got.Body.String() != text || got.Header().Get("Content-Length") != fmt.Sprint(len(text)) {
		t.Errorf("%d, %v", got.Code, got.Header())
	}
	got = a.download("GET", f.ContentURL, "Accept-Encoding", "gzip", "Range", "bytes=1-6")
	if got.Code != http.StatusPartialContent || got.Body.String() != `"list"` {
		t.Errorf("%d %s, %v", got.Code, got.Body, got.Header())
	}
}

func TestFilesThatBrowsersMustNotRun(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for name, body := range map[string]string{
		"a.html": "<!DOCTYPE html><script>alert(1)</script>",
		"a.svg":  `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`,
		"a.xml":  `<?xml version="1.0"?><a/>`,
		"a.js":   "#!/usr/bin/env node\nalert(1)",
		"a.bin":  "\x00\x01\x02",
	} {
		f := a.upload("filename="+name, "image/png", body).Upload.Attachment
		got := a.download("GET", f.ContentURL).Header()
		if d := got.Get("Content-Disposition"); d != `attachment; filename="`+name+`"` || f.ContentType == "image/png" ||
			got.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(got.Get("Content-Security-Policy"), "sandbox") {
			t.Errorf("%s is a %s: %v", name, f.ContentType, got)
		}
	}
	f := a.upload("filename=a.pdf", "", "%PDF-1.7\n").Upload.Attachment
	got := a.download("GET", f.ContentURL).Header()
	if got.Get("Content-Disposition") != `inline; filename="a.pdf"` || strings.Contains(got.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("PDF: %v", got)
	}
}

func TestAttachmentOfOthers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	f := a.upload("filename=a.txt", "", "x").Upload.Attachment
	path := fmt.Sprintf("/api/v2/attachments/%d", f.ID)
	a.another().get(path).wantMissing()
	a.another().put(path, `{"attachment":{"malware_access_override":true}}`).wantMissing()
	a.get("/api/v2/attachments/9223372036854775807").wantMissing()
	a.get("/api/v2/attachments/abc").want(400)
	a.put(path, `{"attachment":{"malware_access_override":"perhaps"}}`).want(400)
	a.put(path, `{}`).want(400)
	if got := a.put(path, `{"attachment":{"malware_access_override":true,"file_name":"b"}}`).want(200).member("attachment", "malware_access_override"); got != true {
		t.Errorf("malware_access_override %v", got)
	}
	if got := a.get(path).want(200).member("attachment", "file_name"); got != "a.txt" {
		t.Errorf("file_name %v", got)
	}
	var row models.Attachment
	if err := a.db.WithContext(a.ctx()).Take(&row, "id = ?", f.ID).Error; err != nil || !row.MalwareAccessOverride {
		t.Errorf("kept %+v, %v", row, err)
	}
}

// comments are the comments of ticket 1 that the caller may see.
func (a *anAPI) comments(query string) (list []struct {
	ID          int64
	Public      bool
	Attachments []file
}) {
	a.t.Helper()
	var l struct {
		Comments *[]struct {
			ID          int64
			Public      bool
			Attachments []file
		}
	}
	l.Comments = &list
	a.get("/api/v2/tickets/1/comments.json?" + query).want(200).json(&l)
	return list
}

func TestCommentsTakeUploads(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	one := a.upload("filename=a.txt", "text/plain", "a").Upload
	a.upload("filename=b.png&token="+one.Token, "", picture(90, 90))
	two := a.upload("filename=c.txt", "text/plain", "c").Upload
	created := a.post("/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"subject":"Files","comment":{"body":"See","uploads":[%q,"unknown",%q]}}}`,
		two.Token, one.Token)).want(201)
	if got := created.member("audit", "events", 0, "attachments", 1, "thumbnails", 0, "file_name"); got != "b_thumb.png" {
		t.Errorf("thumbnail in the audit: %v", got)
	}
	// One token comes as a string from some clients, and one is used up.
	three := a.upload("filename=d.txt", "text/plain", "d").Upload
	a.put("/api/v2/tickets/1", fmt.Sprintf(`{"ticket":{"comment":{"body":"More","uploads":%q}}}`, three.Token)).want(200)
	a.put("/api/v2/tickets/1", fmt.Sprintf(`{"ticket":{"comment":{"body":"Again","uploads":[%q]}}}`, three.Token)).want(200)
	var got []string
	for _, c := range a.comments("") {
		var names []string
		for _, f := range c.Attachments {
			names = append(names, f.FileName)
			if d := a.download("GET", f.ContentURL); d.Code != 200 {
				t.Errorf("%s: %d", f.ContentURL, d.Code)
			}
		}
		got = append(got, strings.Join(names, " "))
	}
	if want := "a.txt b.png c.txt|d.txt|"; strings.Join(got, "|") != want {
		t.Errorf("files %q, want %q", strings.Join(got, "|"), want)
	}
	a.delete("/api/v2/uploads/" + one.Token).wantMissing()
	a.post("/api/v2/uploads?filename=e&token="+one.Token, "e").wantError(422, "RecordInvalid")
}

func TestInlinePictures(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	u := a.upload("filename=a.png", "", picture(9, 9)).Upload
	a.upload("filename=b.txt&token="+u.Token, "", "b")
	body := fmt.Sprintf(`<p>See <img src=\"%s\" alt=\"a\"></p>`, u.Attachment.ContentURL)
	a.post("/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"comment":{"html_body":"%s","uploads":[%q]}}}`, body, u.Token)).want(201)
	if c := a.comments("")[0]; len(c.Attachments) != 1 || c.Attachments[0].FileName != "b.txt" {
		t.Errorf("without inline images: %+v", c.Attachments)
	}
	if c := a.comments("include_inline_images=true")[0]; len(c.Attachments) != 2 {
		t.Errorf("with them: %+v", c.Attachments)
	}
	a.get(fmt.Sprintf("/api/v2/attachments/%d", u.Attachment.ID)).want(200)
}

func TestWhoSeesAttachments(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Rita", a.email("rita"), "end-user")
	a.user("Otto", a.email("otto"), "end-user")
	public, private := a.upload("filename=public.txt", "", "x").Upload, a.upload("filename=private.txt", "", "y").Upload
	a.post("/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"requester":{"email":%q},"comment":{"body":"See","uploads":[%q]}}}`,
		a.email("rita"), public.Token)).want(201)
	a.put("/api/v2/tickets/1", fmt.Sprintf(`{"ticket":{"comment":{"body":"Hm","public":false,"uploads":[%q]}}}`, private.Token)).want(200)
	path := func(u file) string { return fmt.Sprintf("/api/v2/attachments/%d.json", u.ID) }
	for _, tc := range []struct {
		who             string
		public, private int
	}{
		{"admin", 200, 200}, {"rita", 200, 404}, {"otto", 404, 404},
	} {
		by := a.as(a.email(tc.who))
		if tc.who == "admin" {
			by = a
		}
		by.get(path(public.Attachment)).want(tc.public)
		by.get(path(private.Attachment)).want(tc.private)
	}
	a.another().get(path(public.Attachment)).wantMissing()
	a.as(a.email("rita")).put(path(public.Attachment), `{"attachment":{"malware_access_override":true}}`).wantForbidden()
	a.put(path(public.Attachment), `{"attachment":{"malware_access_override":"true"}}`).want(200)

	own := a.as(a.email("otto")).upload("filename=own.txt", "", "z").Upload
	a.as(a.email("otto")).get(path(own.Attachment)).want(200)
	a.as(a.email("rita")).get(path(own.Attachment)).wantMissing()
	a.as(a.email("rita")).delete("/api/v2/uploads/" + own.Token).wantMissing()
	a.as(a.email("otto")).delete("/api/v2/uploads/" + own.Token).want(204)
}

func TestAttachmentIsRedacted(t *testing.T) {
	t.Parallel()
	a, services := buildAPI(t, testdb.DB(t), "postgres://nowhere.invalid/")
	u := a.upload("filename=card.png", "", picture(90, 90)).Upload
	a.post("/api/v2/tickets.json", fmt.Sprintf(`{"ticket":{"comment":{"body":"My card","uploads":[%q]}}}`, u.Token)).want(201)
	comment, f := a.comments("")[0].ID, u.Attachment
	path := func(ticket, comment, id int64) string {
		return fmt.Sprintf("/api/v2/tickets/%d/comments/%d/attachments/%d/redact.json", ticket, comment, id)
	}
	a.user("Rita", a.email("rita"), "end-user")
	a.as(a.email("rita")).put(path(1, comment, f.ID), `{}`).wantForbidden()
	a.another().put(path(1, comment, f.ID), `{}`).wantMissing()
	a.put(path(2, comment, f.ID), `{}`).wantMissing()
	a.put(path(1, comment+1, f.ID), `{}`).wantMissing()
	a.put(path(1, comment, f.ID+100), `{}`).wantMissing()

	r := a.put(path(1, comment, f.ID), "").want(200) // as it was, which is what was recorded
	if got := r.member("attachment", "file_name"); got != "card.png" {
		t.Errorf("answered %v", got)
	}
	left := a.comments("")[0].Attachments
	if len(left) != 1 || left[0].ID != f.ID || left[0].FileName != "redacted.txt" || left[0].Size != 0 || len(left[0].Thumbnails) != 0 {
		t.Errorf("listed %+v", left)
	}
	r = a.get(fmt.Sprintf("/api/v2/attachments/%d", f.ID)).want(200)
	if r.member("attachment", "deleted") != true || r.member("attachment", "width") != nil {
		t.Errorf("%s", r.body)
	}
	for _, url := range []string{f.ContentURL, f.Thumbnails[0].ContentURL, left[0].ContentURL} {
		if d := a.download("GET", url); d.Code != 404 {
			t.Errorf("%s: %d", url, d.Code)
		}
	}
	if n := a.queued("sweep_attachments"); n != 1 {
		t.Errorf("%d sweeps queued", n)
	}
	if _, err := services.Attachments.Sweep(context.Background()); err != nil || len(a.stored()) != 0 {
		t.Errorf("stored %v, %v", a.stored(), err)
	}

	a.put(path(1, comment, f.ID), `{}`).want(200)
	audits := a.get("/api/v2/tickets/1/audits.json").want(200)
	if n := len(audits.ids("audits")); n != 2 {
		t.Errorf("%d audits", n)
	}
	event := audits.member("audits", 1, "events", 0).(map[string]any)
	if event["type"] != "AttachmentRedactionEvent" || fmt.Sprint(event["attachment_id"]) != fmt.Sprint(f.ID) || fmt.Sprint(event["comment_id"]) != fmt.Sprint(comment) {
		t.Errorf("event %v", event)
	}
	var told string
	err := a.db.Raw("SELECT string_agg(change::text, ' ') FROM events WHERE account_id = ?", a.account.ID).Row().Scan(&told)
	if err != nil || strings.Contains(told, "card.png") || !strings.Contains(told, "redacted.txt") {
		t.Errorf("the event log tells %s, %v", told, err)
	}
}
