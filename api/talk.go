package api

import (
	"context"

	"github.com/helpd/helpd/gen"
)

// ListPhoneNumbers answers that there are none: no account has telephony.
func (accountHandlers) ListPhoneNumbers(context.Context, gen.ListPhoneNumbersRequestObject) (gen.ListPhoneNumbersResponseObject, error) {
	return gen.ListPhoneNumbers200JSONResponse{Listing: whole("phone_numbers", []any{})}, nil
}
