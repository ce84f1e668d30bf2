// Package server puts helpd together: it reads the configuration, constructs
// the packages below it and starts and stops them. It knows how none of them
// works.
package server

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/groups"
)

// ServiceOptions are what services need beside the database. BlobURL is where
// attachments are kept: file:///dir or s3://bucket?region=...
type ServiceOptions struct {
	Now     func() time.Time
	Log     *slog.Logger
	BlobURL string
}

// NewServices constructs all that operations ask for on the database db, whose
// address is dsn. Nothing runs yet.
func NewServices(ctx context.Context, db *gorm.DB, dsn string, o ServiceOptions) (api.Services, error) {
	authService := auth.New(db, o.Now)
	return api.Services{
		Auth:   authService,
		Fields: fields.New(db, o.Now),
		Groups: groups.New(db, o.Now),
	}, nil
}
