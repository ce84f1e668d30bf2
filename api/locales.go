package api

import (
	"context"
	"slices"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/locales"
)

type localeHandlers struct{ fields *fields.Service }

// offered are the languages of the caller's account, its own first, and the
// form in which they are answered.
func (h localeHandlers) offered(ctx context.Context) ([]locales.Locale, func(locales.Locale) gen.Locale, error) {
	setUp, err := h.fields.SetUp(ctx, auth.From(ctx))
	if err != nil {
		return nil, nil, err
	}
	var of []locales.Locale
	for _, id := range setUp.Settings.Localization.LocaleIDs {
		if l, ok := locales.ByID(id); ok {
			of = append(of, l)
		}
	}
	if len(of) == 0 {
		own, _ := locales.ByCode(locales.Default)
		of = append(of, own)
	}
	since := wire.Time(setUp.Account.CreatedAt) // the table of languages has no times of its own
	return of, func(l locales.Locale) gen.Locale {
		return gen.Locale{
			URL: callOf(ctx).base + "/api/v2/locales/" + l.Code + ".json", ID: l.ID, Locale: l.Code, Name: l.Name(), NativeName: l.Native,
			PresentationName: l.Presentation(), Rtl: l.RTL, Default: l.ID == of[0].ID, CreatedAt: since, UpdatedAt: since,
		}
	}, nil
}

func (h localeHandlers) ListLocales(ctx context.Context, _ gen.ListLocalesRequestObject) (gen.ListLocalesResponseObject, error) {
	of, show, err := h.offered(ctx)
	if err != nil {
		return nil, err
	}
	return gen.ListLocales200JSONResponse{Listing: whole("locales", each(of, show))}, nil
}

func (h localeHandlers) ListLocalesForAgent(ctx context.Context, _ gen.ListLocalesForAgentRequestObject) (gen.ListLocalesForAgentResponseObject, error) {
	_, show, err := h.offered(ctx)
	if err != nil {
		return nil, err
	}
	return gen.ListLocalesForAgent200JSONResponse{Listing: whole("locales", each(locales.All(), show))}, nil
}

func (h localeHandlers) ListAvailablePublicLocales(ctx context.Context, _ gen.ListAvailablePublicLocalesRequestObject) (gen.ListAvailablePublicLocalesResponseObject, error) {
	_, show, err := h.offered(ctx)
	if err != nil {
		return nil, err
	}
	return gen.ListAvailablePublicLocales200JSONResponse{Listing: whole("locales", each(locales.All(), show))}, nil
}

func (h localeHandlers) ShowCurrentLocale(ctx context.Context, _ gen.ShowCurrentLocaleRequestObject) (gen.ShowCurrentLocaleResponseObject, error) {
	of, show, err := h.offered(ctx)
	if err != nil {
		return nil, err
	}
	current, ok := locales.ByCode(auth.From(ctx).User.Locale)
	if !ok {
		current = of[0]
	}
	return gen.ShowCurrentLocale200JSONResponse{Locale: show(current)}, nil
}

// DetectBestLocale lets the language of a caller who has signed in weigh more
// than the browser's.
func (h localeHandlers) DetectBestLocale(ctx context.Context, r gen.DetectBestLocaleRequestObject) (gen.DetectBestLocaleResponseObject, error) {
	of, show, err := h.offered(ctx)
	if err != nil {
		return nil, err
	}
	var among []locales.Locale
	for _, code := range r.Params.AvailableLocales {
		if l, ok := locales.ByCode(code); ok {
			among = append(among, l)
		}
	}
	if len(among) == 0 {
		among = slices.Clone(of)
	}
	wanted := []string{auth.From(ctx).User.Locale}
	if r.Params.AcceptLanguage != nil {
		wanted = append(wanted, *r.Params.AcceptLanguage)
	}
	return gen.DetectBestLocale200JSONResponse{Locale: show(locales.Best(among, wanted...))}, nil
}

func (h localeHandlers) ShowLocaleByID(ctx context.Context, r gen.ShowLocaleByIDRequestObject) (gen.ShowLocaleByIDResponseObject, error) {
	_, show, err := h.offered(ctx)
	if err != nil {
		return nil, err
	}
	l, ok := locales.ByCode(r.LocaleID)
	if id, err := strconv.ParseInt(r.LocaleID, 10, 64); err == nil {
		l, ok = locales.ByID(id)
	}
	if !ok {
		return nil, fault.Missing("locale", r.LocaleID)
	}
	return gen.ShowLocaleByID200JSONResponse{Locale: show(l)}, nil
}
