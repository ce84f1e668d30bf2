package attachments

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

const (
	// thumbSide is the longer side of a thumbnail, in pixels.
	thumbSide = 80
	// photoSide is that of the photo of a user, as recorded answers have it.
	photoSide = 32
	// maxPixels is the size of the largest picture that is decoded, and of all
	// those that are decoded at a time: a few bytes can announce gigabytes.
	maxPixels = 40_000_000
	// maxSide is the longest side of a picture that is decoded. Scaling a
	// narrower strip than that would take memory by its length.
	maxSide = 65_535
	// drawTime bounds the making of a thumbnail, with the waiting for others'.
	drawTime = 10 * time.Second
)

// picture is what there is to know of one. A thumb of nil says that it cannot
// be drawn: broken, too large, or too slow.
type picture struct {
	width, height int
	thumb         []byte // PNG
	bounds        image.Point
}

type format struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var formats = map[string]format{
	"image/png":  {png.DecodeConfig, png.Decode},
	"image/jpeg": {jpeg.DecodeConfig, jpeg.Decode},
	"image/gif":  {gif.DecodeConfig, gif.Decode}, // the first frame
	"image/webp": {webp.DecodeConfig, webp.Decode},
}

// look measures the picture in the blob and draws its thumbnail. It returns
// nil for what is no picture. A failure to read it is no failure of the upload:
// broken files may be attached.
func (s *Service) look(ctx context.Context, key, contentType string, side int) *picture {
	f, ok := formats[contentType]
	if !ok {
		return nil
	}
	r, err := s.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil
	}
	defer r.Close()
	config, err := safely(f.config, r)
	if err != nil || config.Width < 1 || config.Height < 1 {
		return nil
	}
	p := &picture{width: config.Width, height: config.Height}
	if max(config.Width, config.Height) > maxSide || config.Width*config.Height > maxPixels {
		return p
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return p
	}
	ctx, cancel := context.WithTimeout(ctx, drawTime)
	defer cancel()
	pixels := int64(config.Width * config.Height)
	if s.pixels.Acquire(ctx, pixels) != nil {
		return p
	}
	defer s.pixels.Release(pixels)
	m, err := safely(f.decode, untilDone{ctx, r})
	if err != nil {
		return p
	}
	p.thumb, p.bounds = thumbnail(m, side)
	return p
}

// safely calls a decoder, for which any bytes are an error at worst.
func safely[T any](decode func(io.Reader) (T, error), r io.Reader) (v T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoder panicked: %v", p)
		}
	}()
	return decode(bufio.NewReader(r))
}

// untilDone ends a file when ctx is done, since decoders know of no context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// thumbnail scales m to a longer side of at most side; never up.
func thumbnail(m image.Image, side int) ([]byte, image.Point) {
	from := m.Bounds()
	to := image.Pt(from.Dx(), from.Dy())
	if longer := max(to.X, to.Y); longer > side {
		to = image.Pt(max(1, to.X*side/longer), max(1, to.Y*side/longer))
	}
	small := image.NewNRGBA(image.Rectangle{Max: to})
	draw.BiLinear.Scale(small, small.Bounds(), m, from, draw.Src, nil)
	var b bytes.Buffer
	if err := png.Encode(&b, small); err != nil {
		return nil, image.Point{} // cannot happen: b takes all
	}
	return b.Bytes(), to
}
