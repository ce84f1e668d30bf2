package rulebook

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/rules"
)

// Snapshot is what a trigger was.
type Snapshot struct {
	Title       string           `json:"title"`
	Description *string          `json:"description"`
	Active      bool             `json:"active"`
	Conditions  rules.Conditions `json:"conditions"`
	Actions     []rules.Action   `json:"actions"`
}

// Revision is what a trigger was after a change, and what the change did.
type Revision struct {
	models.TriggerRevision
	Diff Diff
}

// snapshot is a trigger as its revisions keep it.
func snapshot(r models.Rule) models.JSON {
	return models.ToJSON(struct {
		Title       string      `json:"title"`
		Description *string     `json:"description"`
		Active      bool        `json:"active"`
		Conditions  models.JSON `json:"conditions"`
		Actions     models.JSON `json:"actions"`
	}{r.Title, r.Description, r.Active, r.Conditions, r.Actions})
}

// reviseTx adds a revision for each trigger that became another. One that has
// none yet, since it was made with its account, first gets one of what it was.
func (s *Service) reviseTx(tx *gorm.DB, by auth.Actor, drafts []draft) error {
	now := s.now()
	var revisions []models.TriggerRevision
	ids, unknown := models.IDs{}, map[int64]draft{}
	for _, d := range drafts {
		is := snapshot(d.after)
		if !d.fresh {
			if bytes.Equal(is, snapshot(d.before)) {
				continue
			}
			ids, unknown[d.after.ID] = append(ids, d.after.ID), d
		}
		revisions = append(revisions, models.TriggerRevision{TriggerID: d.after.ID, AuthorID: by.ID(), Snapshot: is, CreatedAt: now})
	}
	if len(ids) > 0 {
		var known []int64
		if err := tx.Model(&models.TriggerRevision{}).Where("trigger_id = ANY(?)", ids).Distinct().Pluck("trigger_id", &known).Error; err != nil {
			return err
		}
		for _, id := range known {
			delete(unknown, id)
		}
		for id, d := range unknown {
			revisions = append([]models.TriggerRevision{{
				TriggerID: id, AuthorID: models.SystemUser, Snapshot: snapshot(d.before), CreatedAt: d.before.CreatedAt,
			}}, revisions...)
		}
	}
	if len(revisions) == 0 {
		return nil
	}
	return tx.CreateInBatches(&revisions, 1_000).Error
}

var newestRevision = page.Order{Name: "-created_at,id", Columns: []page.Column{
	{Expr: "v.created_at", Kind: page.Time, Desc: true}, {Expr: "v.id", Kind: page.Int, Desc: true},
}}

const revisionColumns = "v.id, v.trigger_id, v.author_id, v.snapshot, v.created_at"

// precedingRevision leads to the revision before the one called v.
const precedingRevision = ` LEFT JOIN LATERAL (SELECT b.id, b.snapshot FROM trigger_revisions b WHERE b.account_id = v.account_id AND b.trigger_id = v.trigger_id
	AND (b.created_at, b.id) < (v.created_at, v.id) ORDER BY b.created_at DESC, b.id DESC LIMIT 1) AS p ON TRUE`

// Revisions is a page of a trigger's revisions, the newest first, and how many
// there are. It fails with fault.NotFound.
func (s *Service) Revisions(ctx context.Context, by auth.Actor, trigger int64, p page.Request) (page.Result[Revision], int, error) {
	var none page.Result[Revision]
	if _, err := s.Get(ctx, by, models.RuleTrigger, trigger); err != nil {
		return none, 0, err
	}
	q := page.Query{
		Select: revisionColumns + ", p.id, p.snapshot", From: "trigger_revisions v" + precedingRevision, CountFrom: "trigger_revisions v",
		Where: "v.account_id = ? AND v.trigger_id = ?", Args: []any{by.AccountID, trigger}, Order: newestRevision,
	}
	n, _, err := page.CountOf(ctx, s.db, q)
	if err != nil {
		return none, 0, err
	}
	list, err := page.List(ctx, s.db, q, p, func(rows *sql.Rows, order ...any) (Revision, error) {
		return scanRevision(by, func(dest ...any) error { return rows.Scan(append(dest, order...)...) })
	})
	return list, n, err
}

// Revision is a revision of a trigger. It fails with fault.NotFound.
func (s *Service) Revision(ctx context.Context, by auth.Actor, trigger, id int64) (Revision, error) {
	row := s.db.WithContext(ctx).Raw("SELECT "+revisionColumns+", p.id, p.snapshot FROM trigger_revisions v"+precedingRevision+
		" WHERE v.account_id = ? AND v.trigger_id = ? AND v.id = ?", by.AccountID, trigger, id).Row()
	r, err := scanRevision(by, row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, fault.Missing("trigger revision", id)
	}
	return r, err
}

// scanRevision reads a revision and the one before it.
func scanRevision(by auth.Actor, scan func(dest ...any) error) (Revision, error) {
	r := Revision{TriggerRevision: models.TriggerRevision{Tenant: models.Tenant{AccountID: by.AccountID}}}
	var earlier *int64
	var snapshot models.JSON
	if err := scan(&r.ID, &r.TriggerID, &r.AuthorID, &r.Snapshot, &r.CreatedAt, &earlier, &snapshot); err != nil {
		return r, err
	}
	var was, is Snapshot
	if err := json.Unmarshal(r.Snapshot, &is); err != nil {
		return r, err
	}
	if earlier != nil {
		if err := json.Unmarshal(snapshot, &was); err != nil {
			return r, err
		}
	}
	r.Diff = difference(earlier, was, r.ID, is)
	return r, nil
}
