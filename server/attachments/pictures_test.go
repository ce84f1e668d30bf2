package attachments_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"

	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/testdb"
)

func painted(w, h int) image.Image {
	m := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.NRGBA{200, 0, 0, 255}, color.NRGBA{0, 0, 200, 255}})
	for i := range m.Pix {
		m.Pix[i] = uint8(i % 2)
	}
	return m
}

func pngOf(w, h int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, painted(w, h)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func jpegOf(w, h int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, painted(w, h), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func gifOf(w, h int) []byte {
	var b bytes.Buffer
	if err := gif.Encode(&b, painted(w, h), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// webpDot is a picture of one pixel; the standard library writes no WebP.
func webpDot() []byte {
	b, err := base64.StdEncoding.DecodeString("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA")
	if err != nil {
		panic(err)
	}
	return b
}

// pngClaiming is a small file whose header announces a picture of w by h.
func pngClaiming(w, h uint32) []byte {
	b := pngOf(10, 10)
	binary.BigEndian.PutUint32(b[16:], w)
	binary.BigEndian.PutUint32(b[20:], h)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestPictures(t *testing.T) {
	t.Parallel()
	noise := strings.Repeat("\x00\xff\x7f", 100)
	for _, tc := range []struct {
		name, file    string
		body          []byte
		contentType   string
		size          string // of the picture; "" if it is none
		thumb, tsized string // name and size of the thumbnail; "" if it has none
	}{
		{"wide png", "a.png", pngOf(200, 100), "image/png", "200x100", "a_thumb.png", "80x40"},
		{"high jpeg", "photo.of.me.JPG", jpegOf(90, 300), "image/jpeg", "90x300", "photo.of.me_thumb.png", "24x80"},
		{"gif", "a.gif", gifOf(81, 81), "image/gif", "81x81", "a_thumb.png", "80x80"},
		{"webp", "a.webp", webpDot(), "image/webp", "1x1", "a_thumb.png", "1x1"},
		{"never scaled up", "a", pngOf(30, 20), "image/png", "30x20", "a_thumb.png", "30x20"},
		{"a line", "a.png", pngOf(2000, 1), "image/png", "2000x1", "a_thumb.png", "80x1"},
		{"bomb", "a.png", pngClaiming(50_000, 50_000), "image/png", "50000x50000", "", ""},
		{"endless strip", "a.png", pngClaiming(1, 30_000_000), "image/png", "1x30000000", "", ""},
		{"cut off", "a.png", pngOf(300, 300)[:80], "image/png", "300x300", "", ""},
		{"header only", "a.gif", gifOf(9, 9)[:6], "image/gif", "", "", ""},
		{"noise after a signature", "a.jpg", []byte("\xff\xd8\xff" + noise), "image/jpeg", "", "", ""},
		{"noise", "a.png", []byte(noise), "application/octet-stream", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, testdb.Tx(t), attachments.Options{})
			f := w.upload("", tc.file, string(tc.body)).File
			size := ""
			if f.Width != nil {
				size = fmt.Sprintf("%dx%d", *f.Width, *f.Height)
			}
			if f.ContentType != tc.contentType || size != tc.size {
				t.Errorf("%s of %s, want %s of %s", f.ContentType, size, tc.contentType, tc.size)
			}
			if tc.thumb == "" {
				if len(f.Thumbnails) != 0 || len(w.stored()) != 1 {
					t.Errorf("thumbnails %+v, stored %v", f.Thumbnails, w.stored())
				}
				return
			}
			if len(f.Thumbnails) != 1 {
				t.Fatalf("%d thumbnails", len(f.Thumbnails))
			}
			th := f.Thumbnails[0]
			drawn := []byte(w.read(th))
			m, err := png.Decode(bytes.NewReader(drawn))
			if err != nil {
				t.Fatal(err)
			}
			sized := fmt.Sprintf("%dx%d", m.Bounds().Dx(), m.Bounds().Dy())
			if th.FileName != tc.thumb || sized != tc.tsized || sized != fmt.Sprintf("%dx%d", *th.Width, *th.Height) {
				t.Errorf("thumbnail %s of %s, want %s of %s", th.FileName, sized, tc.thumb, tc.tsized)
			}
			if th.ContentType != "image/png" || th.Size != int64(len(drawn)) || *th.ParentID != f.ID || th.Token == f.Token {
				t.Errorf("thumbnail: %+v", th)
			}
		})
	}
}
