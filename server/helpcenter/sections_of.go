package helpcenter

import (
	"context"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// SectionsOf is a page of the sections that by may see in a language and that are
// restricted to a user segment. Staff may. It fails as ListSections does, and with
// fault.NotFound for the segment.
func (s *Service) SectionsOf(ctx context.Context, by auth.Actor, locale string, segment int64, r page.Request) (page.Result[Section], error) {
	none := page.Result[Section]{}
	if !by.Staff() {
		return none, fault.Denied()
	}
	locale, err := s.reading(ctx, by, locale)
	if err != nil {
		return none, err
	}
	if _, err := postgres.One[models.UserSegment](s.db.WithContext(ctx), "user segment", segment); err != nil {
		return none, err
	}
	o, err := orders("s", r.Sort, r.Desc)
	if err != nil {
		return none, err
	}
	seen, args := seenSection(by)
	return page.ListRows(ctx, s.db, page.Query{
		Select: sectionColumns, From: sectionFrom, Order: o, Where: "s.account_id = ? AND s.user_segment_id = ? AND t.locale = ? AND " + seen,
		Args: append([]any{by.AccountID, segment, locale}, args...),
	}, r, scanSection)
}
