package api

import (
	"context"
	"encoding/json"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fields"
)

// setUp is what an answer is written with beside its records: the caller's
// account's fields. It is read once a call, when the first record asks for it,
// and almost always from memory. One that cannot be read fails the call in the
// end, see guard: what writes a record need not know of failures.
type setUp struct {
	fields *fields.Service
	read   *fields.Config
	err    error
}

// of is the set-up; an empty one after a failure.
func (s *setUp) of(ctx context.Context) *fields.Config {
	if s.read == nil {
		if s.read, s.err = s.fields.SetUp(ctx, auth.From(ctx)); s.err != nil {
			s.read = &fields.Config{}
		}
	}
	return s.read
}

// userFields are the values of a user's fields as they are on the wire.
func userFields(ctx context.Context, stored models.JSON) json.RawMessage {
	return callOf(ctx).setUp.of(ctx).Users.Object(stored)
}

// organizationFields are the values of an organization's.
func organizationFields(ctx context.Context, stored models.JSON) json.RawMessage {
	return callOf(ctx).setUp.of(ctx).Organizations.Object(stored)
}
