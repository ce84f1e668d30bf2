package helpcenter

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/postgres"
)

// write writes what was planned, in few statements.
func (b *batch) write() error {
	var fresh []*importedArticle
	var changed []*importedArticle
	for _, a := range b.order {
		if a.fresh {
			fresh = append(fresh, a)
		} else if a.changed || a.touched {
			changed = append(changed, a)
		}
	}
	for _, step := range []func() error{
		b.lockSections, b.writeLabels,
		func() error { return b.writeFresh(fresh) }, func() error { return b.writeChanged(changed) },
		b.writeTexts, b.writeRedirects, b.endReviews,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return b.writeEvents()
}

// lockSections keeps others from deleting and moving the sections that articles
// are put into.
func (b *batch) lockSections() error {
	ids := models.IDs{}
	for _, a := range b.order {
		if a.in != nil && !slices.Contains(ids, a.in.ID) {
			ids = append(ids, a.in.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []models.Section
	if err := b.tx.Clauses(clause.Locking{Strength: "SHARE"}).Order("id").Find(&rows, "id = ANY(?::bigint[])", ids).Error; err != nil {
		return err
	}
	there := map[int64]models.Section{}
	for _, s := range rows {
		there[s.ID] = s
	}
	for _, a := range b.order {
		if a.in == nil {
			continue
		}
		s, ok := there[a.in.ID]
		if !ok {
			return fmt.Errorf("the section %q was deleted meanwhile", strings.Join(a.in.path(), " / "))
		}
		a.now.CategoryID, a.now.BrandID = s.CategoryID, s.BrandID
	}
	return nil
}

func (b *batch) writeLabels() error {
	if len(b.labels) == 0 {
		return nil
	}
	_, err := b.svc.labelsTx(b.tx, b.by.AccountID, slices.Sorted(maps.Values(b.labels)))
	return err
}

func (b *batch) writeFresh(list []*importedArticle) error {
	if len(list) == 0 {
		return nil
	}
	rows, ids := make([]models.Article, len(list)), make(models.Strings, len(list))
	for n, a := range list {
		rows[n], ids[n] = a.now, *a.now.ExternalID
	}
	// What is archived gives its id to what comes in its place.
	err := b.tx.Exec("UPDATE articles SET external_id = gen_random_uuid()::text WHERE account_id = ? AND brand_id = ? AND external_id = ANY(?::text[]) AND archived_at IS NOT NULL",
		b.by.AccountID, b.by.Brand.ID, ids).Error
	if err != nil {
		return err
	}
	if err := b.tx.Create(&rows).Error; err != nil {
		return err
	}
	for n, a := range list {
		a.now.ID = rows[n].ID
	}
	return nil
}

// writeChanged writes the columns of articles that UpdateArticle writes, too.
func (b *batch) writeChanged(list []*importedArticle) error {
	if len(list) == 0 {
		return nil
	}
	type row struct {
		ID                int64          `json:"id"`
		BrandID           int64          `json:"brand_id"`
		CategoryID        int64          `json:"category_id"`
		SectionID         int64          `json:"section_id"`
		PermissionGroupID int64          `json:"permission_group_id"`
		UserSegmentIDs    models.IDs     `json:"user_segment_ids"`
		Position          int            `json:"position"`
		Promoted          bool           `json:"promoted"`
		CommentsDisabled  bool           `json:"comments_disabled"`
		LabelNames        models.Strings `json:"label_names"`
		ContentTagIDs     models.Strings `json:"content_tag_ids"`
		Written           bool           `json:"written"`
	}
	rows := make([]row, len(list))
	for n, a := range list {
		r := a.now
		rows[n] = row{r.ID, r.BrandID, r.CategoryID, r.SectionID, r.PermissionGroupID, r.UserSegmentIDs, r.Position, r.Promoted, r.CommentsDisabled,
			r.LabelNames, r.ContentTagIDs, a.written}
	}
	return b.tx.Exec(`UPDATE articles AS a SET brand_id = n.brand_id, category_id = n.category_id, section_id = n.section_id, permission_group_id = n.permission_group_id,
			user_segment_ids = n.user_segment_ids, position = n.position, promoted = n.promoted, comments_disabled = n.comments_disabled,
			label_names = n.label_names, content_tag_ids = n.content_tag_ids, updated_at = ?, edited_at = CASE WHEN n.written THEN ? ELSE a.edited_at END
		FROM jsonb_to_recordset(?::jsonb) AS n (id bigint, brand_id bigint, category_id bigint, section_id bigint, permission_group_id bigint, user_segment_ids bigint[],
			position int, promoted boolean, comments_disabled boolean, label_names text[], content_tag_ids text[], written boolean)
		WHERE a.account_id = ? AND a.id = n.id`, b.svc.now(), b.svc.now(), models.ToJSON(rows), b.by.AccountID).Error
}

func (b *batch) writeTexts() error {
	type row struct {
		ID       int64   `json:"id"`
		Title    string  `json:"title"`
		HTMLBody *string `json:"html_body"`
		Markdown *string `json:"markdown"`
		Draft    bool    `json:"draft"`
		Outdated bool    `json:"outdated"`
	}
	var fresh []models.Translation
	var changed []row
	written := models.IDs{}
	for _, a := range b.order {
		for n := range a.texts {
			t := &a.texts[n]
			if t.now.SourceID = a.now.ID; t.fresh {
				fresh = append(fresh, t.now)
				continue
			}
			changed = append(changed, row{t.now.ID, t.now.Title, t.now.HTMLBody, t.now.Markdown, t.now.Draft, t.now.Outdated})
			if t.written {
				written = append(written, t.now.ID)
			}
		}
	}
	made, err := b.writeFreshTexts(fresh)
	if err != nil {
		return err
	}
	written = append(written, made...)
	if len(changed) > 0 {
		err := b.tx.Exec(`UPDATE translations AS t SET title = n.title, html_body = n.html_body, markdown = n.markdown, draft = n.draft, outdated = n.outdated,
				updated_at = ?, updated_by_id = ?
			FROM jsonb_to_recordset(?::jsonb) AS n (id bigint, title text, html_body text, markdown text, draft boolean, outdated boolean)
			WHERE t.account_id = ? AND t.id = n.id`, b.svc.now(), b.by.ID(), models.ToJSON(changed), b.by.AccountID).Error
		if err != nil {
			return err
		}
	}
	if len(written) == 0 {
		return nil
	}
	return b.tx.Exec(`INSERT INTO translation_revisions (account_id, translation_id, title, html_body, author_id, created_at)
		SELECT account_id, id, title, html_body, updated_by_id, updated_at FROM translations WHERE account_id = ? AND id = ANY(?::bigint[]) ORDER BY id`,
		b.by.AccountID, written).Error
}

// writeFreshTexts writes new texts, by COPY since they are long, and tells their ids.
func (b *batch) writeFreshTexts(list []models.Translation) (ids models.IDs, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	err = postgres.Rows(b.tx, "SELECT nextval(pg_get_serial_sequence('translations', 'id')) FROM generate_series(1, ?)", []any{len(list)}, func(row postgres.Scanned) error {
		ids = append(ids, 0)
		return row.Scan(&ids[len(ids)-1])
	})
	if err != nil {
		return nil, err
	}
	rows := postgres.NewCopied("translations", "account_id, id, source_type, source_id, locale, title, html_body, markdown, draft, outdated, created_by_id, updated_by_id, created_at, updated_at")
	for n, t := range list {
		rows.Add(b.by.AccountID, ids[n], t.SourceType, t.SourceID, t.Locale, t.Title, t.HTMLBody, t.Markdown, t.Draft, t.Outdated, t.CreatedByID, t.UpdatedByID, t.CreatedAt, t.UpdatedAt)
	}
	return ids, postgres.Copy(b.tx, rows)
}

func (b *batch) writeRedirects() error {
	paths, ids := models.Strings{}, models.IDs{}
	for _, a := range b.order {
		for _, path := range a.paths {
			paths, ids = append(paths, path), append(ids, a.now.ID)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	return postgres.Exec(b.tx, `INSERT INTO redirects (account_id, brand_id, path, article_id, created_at) SELECT ?, ?, path, article_id, ? FROM unnest(?::text[], ?::bigint[]) AS n (path, article_id)
		ON CONFLICT (account_id, brand_id, path) DO UPDATE SET article_id = excluded.article_id`, []any{b.by.AccountID, b.by.Brand.ID, b.svc.now(), paths, ids})
}

// endReviews ends the reviews of drafts that are published.
func (b *batch) endReviews() error {
	drafts := map[int64]*importedArticle{}
	ids := models.IDs{}
	for _, a := range b.order {
		for _, t := range a.texts {
			if !t.fresh && t.was.Draft && !t.now.Draft {
				ids, drafts[t.now.ID] = append(ids, t.now.ID), a
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var open []int64
	err := b.tx.Model(&models.ArticleReview{}).Where("translation_id = ANY(?::bigint[]) AND status = ?", ids, models.ReviewOpen).Order("id").Pluck("translation_id", &open).Error
	for _, id := range open { // few, of a hundred
		err = errors.Join(err, b.svc.passedTx(b.tx, b.by, drafts[id].now, models.Translation{Tenant: models.Tenant{ID: id}}))
	}
	return err
}

// writeEvents tells of what can be read from now on, and what no longer. Those who
// subscribed get no mail of what is imported.
func (b *batch) writeEvents() error {
	var list []events.About
	for _, a := range b.order {
		for _, t := range a.texts {
			shown := !t.now.Draft
			if t.fresh && !shown || !t.fresh && t.was.Draft == t.now.Draft {
				continue
			}
			e := published(a.now, t.now)
			if !shown {
				e = unpublished(brandArticle{a.now.ID, a.now.BrandID})
			}
			list = append(list, events.About{ID: a.now.ID, Event: e})
		}
	}
	return events.AppendAllTx(b.tx, b.svc.by(b.by), "article", list)
}
