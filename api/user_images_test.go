package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/testdb"
)

const userImages = "/api/v2/guide/user_images"

// offered asks for an upload of a PNG image, and tells its URL without the host, and its
// token.
func (a *anAPI) offered(size int) (path, token string) {
	a.t.Helper()
	r := a.post(userImages+"/uploads", fmt.Sprintf(`{"content_type":"image/png","file_size":%d}`, size)).want(200)
	return strings.TrimPrefix(r.member("upload", "url").(string), "http://helpd.test"), r.member("upload", "token").(string)
}

// userImage has the caller make a picture a user image, and tells its path.
func (a *anAPI) userImage(picture string) string {
	a.t.Helper()
	path, token := a.offered(len(picture))
	a.anonymous().with("Content-Type", "image/png").do("PUT", path, picture).want(200)
	brand := a.number("SELECT min(id) FROM brands WHERE account_id = ?", a.account.ID)
	return a.post(userImages, fmt.Sprintf(`{"token":%q,"brand_id":%d}`, token, brand)).want(201).member("user_image", "path").(string)
}

func TestUserImages(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.user("Customer", a.email("customer"), "end-user")
	a.user("Other", a.email("other"), "end-user")
	customer, other, nobody := a.as(a.email("customer")), a.as(a.email("other")), a.anonymous()
	png := nobody.with("Content-Type", "image/png")
	brand := a.get("/api/v2/brands").want(200).ids("brands")[0]
	picture := string(pictureOf(9, 7))
	made := func(token string) string { return fmt.Sprintf(`{"token":%q,"brand_id":"%d"}`, token, brand) }

	offer := customer.post(userImages+"/uploads", fmt.Sprintf(`{"content_type":"Image/PNG","file_size":"%d"}`, len(picture))).want(200)
	path, token := strings.TrimPrefix(offer.member("upload", "url").(string), "http://helpd.test"), offer.member("upload", "token").(string)
	if got := canonicalOf(offer.member("upload", "headers")); got != `{"Content-Type":"image/png"}` || !strings.HasPrefix(path, "/hc/user_images/uploads/") {
		t.Errorf("%s", offer.body)
	}
	customer.post(userImages, made(token)).wantField("token", "has no image yet, which is to be sent to the url of its upload")

	// What is sent has to be what was announced, and leaves nothing otherwise.
	for _, tc := range []struct {
		contentType, body string
		status            int
	}{
		{"image/jpeg", picture, 400}, {"", picture, 400}, {"image/png", picture + "x", 413}, {"image/png", picture[:len(picture)-1], 400},
		{"image/png", strings.Repeat("x", len(picture)), 400}, {"image/png", "<html>" + strings.Repeat(" ", len(picture)-6), 400},
		{"image/png", picture[:20] + strings.Repeat("x", len(picture)-20), 400}, {"image/png", "", 400},
	} {
		nobody.with("Content-Type", tc.contentType).do("PUT", path, tc.body).want(tc.status)
	}
	if n := len(a.stored()); n != 0 {
		t.Errorf("%d files are left", n)
	}
	for _, bad := range []string{path + "x", "/hc/user_images/uploads/x", "/hc/user_images/uploads/" + path[strings.Index(path, ".")+1:], strings.Replace(path, fmt.Sprint(a.account.ID, "."), fmt.Sprint(a.another().account.ID, "."), 1)} {
		png.do("PUT", bad, picture).want(404)
	}
	if r := png.do("PUT", path, picture).want(200); len(r.body) != 0 {
		t.Errorf("%s", r.body)
	}
	png.do("PUT", path, picture).want(400) // once

	// A token is its owner's, and for this alone.
	other.post(userImages, made(token)).wantField("token", "is unknown, expired or used already")
	customer.post(userImages, fmt.Sprintf(`{"token":%q,"brand_id":404}`, token)).wantField("brand_id", "404 is not a brand")
	customer.post(userImages, fmt.Sprintf(`{"token":%q}`, token)).wantField("brand_id", "0 is not a brand")
	customer.post(userImages, made("x")).wantField("token", "is unknown, expired or used already")
	customer.do("POST", "/api/v2/uploads?filename=x.png&token="+token, picture).want(422)
	ticket := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"x","comment":{"body":"x","uploads":[%q]}}}`, token))
	if strings.Contains(string(ticket.body), "image.png") {
		t.Errorf("%s", ticket.body)
	}
	plain := a.upload("filename=x.png", "image/png", picture).Upload.Token
	a.post(userImages, made(plain)).wantField("token", "is unknown, expired or used already")
	r := customer.post(userImages, made(token)).want(201)
	shown := r.member("user_image", "path").(string)
	r.wantJSON(`{"user_image":{"path":%q,"content_type":"image/png","size":%d}}`, shown, len(picture))
	customer.post(userImages, made(token)).wantField("token", "is unknown, expired or used already")

	image := nobody.get(shown).want(200)
	if string(image.body) != picture || image.header.Get("Content-Type") != "image/png" || image.header.Get("X-Content-Type-Options") != "nosniff" ||
		image.header.Get("Cache-Control") != "private, max-age=31536000, immutable" || !strings.Contains(image.header.Get("Content-Security-Policy"), "sandbox") ||
		!strings.HasPrefix(image.header.Get("Content-Disposition"), "inline") {
		t.Errorf("%v", image.header)
	}
	nobody.do("HEAD", shown, "").want(200)
	nobody.get("/hc/user_images/x.png").want(404)
	nobody.get("/hc/user_images/" + a.upload("filename=x.png", "image/png", picture).Upload.Attachment.ContentURL[len("http://helpd.test/attachments/token/"):][:43] + ".png").want(404)

	for body, field := range map[string]string{
		`{"content_type":"image/svg+xml","file_size":5}`: "content_type", `{"file_size":5}`: "content_type", `{"content_type":"image/png"}`: "file_size",
		`{"content_type":"image/png","file_size":2000001}`: "file_size", `{"content_type":"image/png","file_size":-1}`: "file_size",
	} {
		if r := customer.post(userImages+"/uploads", body).want(400); r.member("errors", field) == nil {
			t.Errorf("%s: %s", body, r.body)
		}
	}
	customer.post(userImages+"/uploads", `{"content_type":"image/png","file_size":"x"}`).want(400)
	nobody.post(userImages+"/uploads", `{"content_type":"image/png","file_size":5}`).want(401)
	nobody.post(userImages, made(token)).want(401)
}

// An image that nobody makes one goes with its upload; the link ends before that.
func TestUserImagesExpire(t *testing.T) {
	t.Parallel()
	a, services := buildAPI(t, testdb.DB(t), "postgres://nowhere.invalid/")
	picture := string(pictureOf(9, 7))
	late, _ := a.offered(len(picture))
	path, token := a.offered(len(picture))
	png := a.anonymous().with("Content-Type", "image/png")
	png.do("PUT", path, picture).want(200)
	at := theClock.Add(time.Hour)
	a.now.Store(&at)
	png.do("PUT", late, picture).want(404)
	at = theClock.Add(attachments.DefaultExpiry + 2*time.Minute)
	a.now.Store(&at)
	brand := a.get("/api/v2/brands").want(200).ids("brands")[0]
	a.post(userImages, fmt.Sprintf(`{"token":%q,"brand_id":%d}`, token, brand)).wantField("token", "is unknown, expired or used already")
	if n := len(a.stored()); n == 0 {
		t.Error("nothing is stored")
	}
	shown := a.userImage(picture)
	if _, err := services.Attachments.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
	if n := len(a.stored()); n != 2 { // the later one and its thumbnail
		t.Errorf("%d files are left", n)
	}
	a.anonymous().get(shown).want(200)
}
