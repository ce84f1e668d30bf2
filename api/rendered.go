package api

import (
	"context"
	"strings"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/locales"
	"github.com/helpd/helpd/server/placeholders"
)

// Texts that accounts write may name dynamic content, {{dc.welcome}}, and helpd's
// own texts, {{zd.pending_tickets}}. Members such as title have them in the
// reader's language, raw_title as it is stored.

// rendered is a text as the caller reads it.
func rendered(ctx context.Context, text string) string {
	if !strings.Contains(text, "{{") {
		return text
	}
	call := callOf(ctx)
	// Who is not known, or asks for no locale, gets the default variants.
	locale := auth.From(ctx).User.Locale
	if asked, ok := locales.ByCode(call.query.Get("locale")); ok {
		locale = asked.Code
	}
	return placeholders.Title(text, call.setUp.of(ctx).Texts, locale)
}

// renderedSubject is a ticket's subject as the caller reads it.
func renderedSubject(ctx context.Context, t *models.Ticket) *string {
	if t.SubjectLiteral {
		return t.Subject
	}
	return renderedOptional(ctx, t.Subject)
}

func renderedOptional(ctx context.Context, text *string) *string {
	if text == nil || !strings.Contains(*text, "{{") {
		return text
	}
	return new(rendered(ctx, *text))
}

// written is what a caller means who sends a text in both its forms, or in one:
// the plain one, unless it is only what the raw one reads as, in a record that
// is sent back.
func written(ctx context.Context, plain, raw *wire.Text) *string {
	if raw != nil && (plain == nil || string(*plain) == rendered(ctx, string(*raw))) {
		return (*string)(raw)
	}
	return (*string)(plain)
}

// writtenOrNull is written for texts that can be null.
func writtenOrNull(ctx context.Context, plain, raw nullable.Nullable[wire.Text]) nullable.Nullable[string] {
	source, err := raw.Get()
	if err != nil {
		return nullableText(plain)
	}
	text, err := plain.Get()
	if !plain.IsSpecified() || err == nil && string(text) == rendered(ctx, string(source)) {
		return nullable.NewNullableWithValue(string(source))
	}
	return nullableText(plain)
}
