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
	return h.readUserForm(ctx, by, form)
}

// photoField is the field of a form that has the picture.
const photoField = "user[photo][uploaded_data]"

// readUserForm reads fields user[name] and so on as the members of a user.
func (h userHandlers) readUserForm(ctx context.Context, by auth.Actor, form *multipart.Reader) (users.Change, error) {
	members := map[string]string{}
	var photo *users.Photo
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return users.Change{}, formError(err)
		}
		if part.FormName() == photoField {
			if photo != nil {
				return users.Change{}, fault.New(fault.BadRequest, "The form has two pictures")
			}
			received, err := h.files.ReceivePhoto(ctx, by, attachments.UploadInput{
				FileName: part.FileName(), ContentType: part.Header.Get("Content-Type"), Body: formFile{part},
			})
			if err != nil {
				return users.Change{}, err
			}
			photo = &users.Photo{Files: h.files, New: received}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(part, formField))
		if err != nil {
			return users.Change{}, formError(err)
		}
		name, ok := strings.CutPrefix(part.FormName(), "user[")
		if name, ok2 := strings.CutSuffix(name, "]"); ok && ok2 && !strings.ContainsAny(name, "[]") {
			members[name] = string(value)
		}
	}
	if photo == nil && len(members) == 0 {
		return users.Change{}, fault.New(fault.BadRequest, "The form has no fields user[name] or "+photoField)
	}
	text, err := json.Marshal(map[string]any{"user": members})
	if err != nil {
		return users.Change{}, err
	}
	if err := wire.Check(text, 8); err != nil {
		return users.Change{}, err
	}
	var body gen.UserBody
	if err := wire.Decode(text, &body); err != nil {
		return users.Change{}, err
	}
	c := userChange(body.User)
	c.Photo = photo
	return c, nil
}

// photoJSON is a user's picture; nil for none.
func photoJSON(ctx context.Context, u models.User) *gen.Attachment {
	var f attachments.File
	if u.Photo == nil || json.Unmarshal(u.Photo, &f) != nil {
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
