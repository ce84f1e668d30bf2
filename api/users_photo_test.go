package api_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"mime/multipart"
	"strings"
	"testing"
)

func pictureOf(width, height int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, width, height))); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// putPhoto sends a form as clients do, with the picture as a file of this name.
func (a *anAPI) putPhoto(path, name string, picture []byte, fields ...string) *result {
	a.t.Helper()
	return a.putPictureOf("user", path, name, picture, fields...)
}

// putPictureOf is putPhoto for what a form calls a record.
func (a *anAPI) putPictureOf(record, path, name string, picture []byte, fields ...string) *result {
	a.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		if err := form.WriteField(fields[i], fields[i+1]); err != nil {
			a.t.Fatal(err)
		}
	}
	if picture != nil {
		part, err := form.CreateFormFile(record+"[photo][uploaded_data]", name)
		if err != nil {
			a.t.Fatal(err)
		}
		_, _ = part.Write(picture)
	}
	_ = form.Close()
	return a.with("Content-Type", form.FormDataContentType()).do("PUT", path, b.String())
}

func (r *result) text(path ...any) string { r.t.Helper(); return fmt.Sprint(r.member(path...)) }

func TestUserPhotos(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.user("Ann", a.email("ann"), "end-user")
	path := fmt.Sprintf("/api/v2/users/%d", id)
	picture := pictureOf(64, 48)
	r := a.putPhoto(path, "me & you.png", picture, "user[name]", "Ann Lee", "user[nonsense][x]", "y").want(200)
	for member, want := range map[string]string{"file_name": "me & you.png", "content_type": "image/png", "width": "64", "height": "48", "size": fmt.Sprint(len(picture))} {
		if got := r.text("user", "photo", member); got != want {
			t.Errorf("%s is %s, want %s", member, got, want)
		}
	}
	if r.text("user", "name") != "Ann Lee" || r.text("user", "photo", "thumbnails", 0, "width") != "32" || r.text("user", "photo", "thumbnails", 0, "file_name") != "me & you_thumb.png" {
		t.Errorf("user: %s", r.body)
	}
	content := r.text("user", "photo", "content_url")
	if !strings.HasPrefix(content, "http://helpd.test/system/photos/") || !strings.HasSuffix(content, "/me%20%26%20you.png") {
		t.Errorf("content_url %s", content)
	}
	where := strings.TrimPrefix(content, "http://helpd.test")
	served := a.anonymous().get(where).want(200)
	if !bytes.Equal(served.body, picture) || served.header.Get("Content-Type") != "image/png" {
		t.Errorf("served %d bytes of %s", len(served.body), served.header.Get("Content-Type"))
	}
	a.anonymous().get(strings.TrimPrefix(r.text("user", "photo", "thumbnails", 0, "content_url"), "http://helpd.test")).want(200)
	// It is shown wherever the user is.
	for _, read := range []*result{
		a.get(path), a.get("/api/v2/users?external_id=").want(200), a.as(a.email("ann")).get("/api/v2/users/me"), a.as(a.email("ann")).get(fmt.Sprintf("/api/v2/end_users/%d", id)),
	} {
		if !strings.Contains(string(read.body), `"file_name":"me & you.png"`) {
			t.Errorf("%s: %s", read.path, read.body)
		}
	}
	// Another one takes its place; what was there is gone.
	second := a.as(a.email("ann")).putPhoto(fmt.Sprintf("/api/v2/end_users/%d", id), "", pictureOf(10, 10)).want(200).text("user", "photo", "content_url")
	a.anonymous().get(where).want(404)
	a.put(path, `{"user":{"photo":{"id":1},"alias":"A"}}`).want(200) // echoed
	if a.get(path).want(200).text("user", "photo", "content_url") != second {
		t.Error("an echo changed the photo")
	}
	a.put(path, `{"user":{"photo":null}}`).want(200)
	if got := a.get(path).want(200).member("user", "photo"); got != nil {
		t.Errorf("photo %v", got)
	}
	a.anonymous().get(strings.TrimPrefix(second, "http://helpd.test")).want(404)
}

func TestPhotosThatAreNotTaken(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	ann, ben := a.user("Ann", a.email("ann"), "end-user"), a.user("Ben", a.email("ben"), "end-user")
	a.user("Agent", a.email("agent"), "agent")
	path := fmt.Sprintf("/api/v2/users/%d", ann)
	a.putPhoto(path, "a.png", []byte("no picture")).wantDetail("photo", "Photo: is not a picture: PNG, JPEG, GIF or WebP")
	a.putPhoto(path, "a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)).want(422)
	a.putPhoto(path, "a.png", append(pictureOf(4, 4), make([]byte, 6<<20)...)).want(413)
	a.putPhoto(path, "a.png", pictureOf(4, 4), "user[name]", "").wantDetail("name", "Name: is too short (minimum is 1 characters)")
	a.as(a.email("agent")).putPhoto(fmt.Sprintf("/api/v2/users/%d", a.admin.ID), "a.png", pictureOf(4, 4)).wantForbidden()
	a.as(a.email("ann")).putPhoto(fmt.Sprintf("/api/v2/end_users/%d", ben), "a.png", pictureOf(4, 4)).wantMissing()
	a.another().putPhoto(path, "a.png", pictureOf(4, 4)).wantMissing()
	a.with("Content-Type", "multipart/form-data; boundary=x").do("PUT", path, "nonsense").want(400)
	a.put(path, `{"user":{"remote_photo_url":"http://127.0.0.1/x.png"}}`).
		wantDetail("remote_photo_url", "Remote photo url: is not fetched; send the picture as user[photo][uploaded_data] in a form")
	if got := a.get(path).want(200).member("user", "photo"); got != nil {
		t.Errorf("photo %v", got)
	}
	var rows int
	if err := a.db.WithContext(a.ctx()).Raw("SELECT count(*) FROM attachments WHERE account_id = ?", a.account.ID).Row().Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows, %v", rows, err)
	}
	a.anonymous().get("/system/photos/nonsense/a.png").want(404)
	up := a.upload("filename=a.png", "image/png", string(pictureOf(4, 4)))
	token := strings.Split(up.Upload.Attachment.ContentURL, "/")[5]
	a.anonymous().get("/system/photos/" + token + "/a.png").want(404) // a file is no photo
}
