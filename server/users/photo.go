package users

import "github.com/helpd/helpd/server/attachments"

// Photo is what is to become of a user's picture.
type Photo = attachments.PhotoChange
