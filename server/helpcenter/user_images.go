package helpcenter

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

const (
	imagePurpose = "user image"
	// imageLife is how long a link is good to send a picture to, as Zendesk's are.
	imageLife = time.Hour
)

// imageOffer is what the link of an upload says.
type imageOffer struct {
	Upload int64  `json:"i"`
	Type   string `json:"t"`
	Size   int64  `json:"s"`
}

// OfferedImage is what by is told who asks for an upload.
type OfferedImage struct {
	Link        string // for PutImage
	Token       string // for MakeImage
	ContentType string
}

// OfferImage makes an upload for a picture of a type and size, in bytes: whoever has signed
// in may. It fails with fault.Invalid naming content_type or file_size.
func (s *Service) OfferImage(ctx context.Context, by auth.Actor, contentType string, size int64) (OfferedImage, error) {
	contentType = strings.ToLower(strings.TrimSpace(contentType))
	if by.Anonymous() {
		return OfferedImage{}, fault.Denied()
	}
	var errs []error
	if !slices.Contains(attachments.ImageTypes, contentType) {
		errs = append(errs, fault.InvalidField("content_type", "is none of %s", strings.Join(attachments.ImageTypes, ", ")))
	}
	if size < 1 || size > attachments.MaxImage {
		errs = append(errs, fault.InvalidField("file_size", "must be between 1 and %d bytes", attachments.MaxImage))
	}
	if err := fault.Join(errs...); err != nil {
		return OfferedImage{}, err
	}
	up, err := s.files.OfferImage(ctx, by)
	if err != nil {
		return OfferedImage{}, err
	}
	signed, err := token(ctx, s, imagePurpose, imageOffer{up.ID, contentType, size}, s.now().Add(imageLife))
	return OfferedImage{linkOf(by.AccountID, signed), up.Token, contentType}, err
}

// PutImage takes the picture that is sent to a link, once. It fails with fault.NotFound for
// a link that is not ours or has expired, and as attachments.PutImage does.
func (s *Service) PutImage(ctx context.Context, link, contentType string, body io.Reader) error {
	ctx, of, err := followed[imageOffer](ctx, s, imagePurpose, link)
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(contentType), of.Type) {
		return fault.New(fault.BadRequest, "The Content-Type must be %s", of.Type)
	}
	return s.files.PutImage(ctx, of.Upload, of.Type, of.Size, body)
}

// MakeImage makes the picture that came under a token of by one that a brand shows to
// everybody who has its address. It fails with fault.Invalid naming token or brand_id.
func (s *Service) MakeImage(ctx context.Context, by auth.Actor, token string, brand int64) (models.Attachment, error) {
	var out models.Attachment
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		config, err := s.fields.Current(tx, by.AccountID)
		if err != nil {
			return err
		}
		if _, ok := config.Brand(brand); !ok {
			return fault.InvalidField("brand_id", "%d is not a brand", brand)
		}
		out, err = s.files.MakeImageTx(tx, by, token, brand)
		return err
	})
	return out, err
}
