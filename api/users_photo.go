package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/attachments"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/users"
)

// changeOf reads what is asked of a user, as JSON or as a form with a picture.
func (h userHandlers) changeOf(ctx context.Context, user gen.UserIDParam, body *gen.UserBody, form *multipart.Reader) (users.Change, error) {
	if form == nil && body == nil {
		return users.Change{}, fault.Attribute("user", "an object")
	}
	if form == nil {
		c := userChange(body.User)
		if body.User.Photo.IsNull() {
			c.Photo = &users.Photo{Files: h.files}
		}
		return c, nil
	}
	// Nobody's picture is received who may not be changed.
	by := auth.From(ctx)
	u, err := h.users.Get(ctx, by, int64(user))
	if err != nil {
		return users.Change{}, err
	}
	if !users.AbilitiesOf(by, u).Edit {
		return users.Change{}, fault.Denied()
	}
	read, photo, err := readPhotoForm[gen.UserBody](ctx, h.files, form, "user")
	if err != nil {
		return users.Change{}, err
	}
	c := userChange(read.User)
	c.Photo = photo
	return c, nil
}

// readPhotoForm reads a form as clients send it that has a picture: name[photo][uploaded_data]
// is the picture, and name[member] a member of the record that the body B calls by the name.
func readPhotoForm[B any](ctx context.Context, files *attachments.Service, form *multipart.Reader, name string) (body B, photo *attachments.PhotoChange, err error) {
	photoField := name + "[photo][uploaded_data]"
	members := map[string]string{}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return body, nil, formError(err)
		}
		if part.FormName() == photoField {
			if photo != nil {
				return body, nil, fault.New(fault.BadRequest, "The form has two pictures")
			}
			received, err := files.ReceivePhoto(ctx, auth.From(ctx), attachments.UploadInput{
				FileName: part.FileName(), ContentType: part.Header.Get("Content-Type"), Body: formFile{part},
			})
			if err != nil {
				return body, nil, err
			}
			photo = &attachments.PhotoChange{Files: files, New: received}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, formField))
		if err != nil {
			return body, nil, formError(err)
		}
		member, ok := strings.CutPrefix(part.FormName(), name+"[")
		if member, ok2 := strings.CutSuffix(member, "]"); ok && ok2 && !strings.ContainsAny(member, "[]") {
			members[member] = string(value)
		}
	}
	if photo == nil && len(members) == 0 {
		return body, nil, fault.New(fault.BadRequest, "The form has no fields %s[name] or %s", name, photoField)
	}
	text, err := json.Marshal(map[string]any{name: members})
	if err != nil {
		return body, nil, err
	}
	if err := wire.Check(text, 8); err != nil {
		return body, nil, err
	}
	return body, photo, wire.Decode(text, &body)
}

// photoJSON is a picture as its record keeps it; nil for none.
func photoJSON(ctx context.Context, kept models.JSON) *gen.Attachment {
	var f attachments.File
	if kept == nil || json.Unmarshal(kept, &f) != nil {
		return nil
	}
	photo := attachmentJSON(ctx, f)
	photo.ContentURL = photoLink(ctx, f.Attachment)
	photo.MappedContentURL = photo.ContentURL
	for i, t := range f.Thumbnails {
		photo.Thumbnails[i].ContentURL = photoLink(ctx, t)
		photo.Thumbnails[i].MappedContentURL = photo.Thumbnails[i].ContentURL
	}
	return &photo
}

// photoLink is where a picture is served. The unguessable token stands in the
// place of an id, which would let anybody go through the pictures of all.
func photoLink(ctx context.Context, a models.Attachment) string {
	return callOf(ctx).base + "/system/photos/" + a.Token + "/" + percentEncoded(a.FileName)
}

// photo serves a picture at its address, to whoever has that.
func (h attachmentHandlers) photo(c echo.Context) error {
	a, err := h.attachments.PhotoByToken(c.Request().Context(), c.Param("token"))
	if err != nil {
		return err
	}
	return h.serve(c, a)
}
