package tickets

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// mergedTag marks tickets that were closed by a merge.
const mergedTag = "closed_by_merge"

// Merge is what a caller asks of a merge: to close the sources in favour of the
// target.
type Merge struct {
	Target  int64
	Sources []int64
	// Comments to add; blank ones tell of the merge.
	TargetComment, SourceComment string
	// Whether the requesters may read them. They may not if one of the tickets is
	// private, or came by a social channel.
	TargetPublic, SourcePublic bool

	Origin // of the request
}

// Merge closes tickets in favour of another, all of them or none: the sources get
// a comment and the tag closed_by_merge, the target a comment with the files of
// the sources. Requesters and CCs of the sources become CCs of the target; nothing
// else is taken over. It fails with fault.NotFound for tickets that by may not
// see, and with fault.Invalid for tickets that cannot be merged.
func (s *Service) Merge(ctx context.Context, by auth.Actor, m Merge) error {
	if !by.Staff() {
		return fault.Denied()
	}
	slices.Sort(m.Sources)
	m.Sources = slices.Compact(m.Sources)
	return s.inTx(ctx, func(tx *gorm.DB) error {
		target, sources, err := s.mergedTx(postgres.WithTx(ctx, tx), by, m)
		if err != nil {
			return err
		}
		m.comments(target, sources)
		if private(append(sources, target)) {
			m.TargetPublic, m.SourcePublic = false, false
		}
		for _, t := range sources {
			if err := s.mergeSourceTx(tx, by, m, target, t.ID); err != nil {
				return err
			}
		}
		return s.mergeTargetTx(tx, by, m, target, sources)
	})
}

// mergedTx locks the tickets of a merge, in the order of their numbers, and holds
// them against its rules.
func (s *Service) mergedTx(ctx context.Context, by auth.Actor, m Merge) (target models.Ticket, sources []models.Ticket, err error) {
	if len(m.Sources) == 0 {
		return target, nil, fault.Blank("ids")
	}
	if slices.Contains(m.Sources, m.Target) {
		return target, nil, fault.InvalidField("ids", "%d cannot be merged into itself", m.Target)
	}
	where, args := Visible(by)
	all := append(models.IDs{m.Target}, m.Sources...)
	list, err := s.read(ctx, by, where+" AND t.id = ANY(?) ORDER BY t.id FOR UPDATE", append(args, all)...)
	if err != nil {
		return target, nil, err
	}
	found := map[int64]models.Ticket{}
	for _, t := range list {
		found[t.ID] = t
	}
	for _, id := range all {
		t, ok := found[id]
		switch {
		case !ok:
			return target, nil, fault.Missing("ticket", id)
		case id == m.Target && t.Status == models.StatusClosed:
			return target, nil, fault.InvalidField("target", "%d is closed", id)
		case id != m.Target && !unsolved(t.Status):
			return target, nil, fault.InvalidField("ids", "%d is %s already", id, t.Status)
		case id != m.Target:
			sources = append(sources, t)
		}
	}
	return found[m.Target], sources, nil
}

// comments fills in what the caller does not say.
func (m *Merge) comments(target models.Ticket, sources []models.Ticket) {
	if strings.TrimSpace(m.SourceComment) == "" {
		m.SourceComment = fmt.Sprintf("This request was closed and merged into request %s.", named(target))
	}
	if strings.TrimSpace(m.TargetComment) == "" {
		var lines []string
		for _, t := range sources {
			lines = append(lines, fmt.Sprintf("Request %s was closed and merged into this request.", named(t)))
		}
		m.TargetComment = strings.Join(lines, "\n")
	}
}

func named(t models.Ticket) string {
	if t.Subject == nil {
		return fmt.Sprintf("#%d", t.ID)
	}
	return fmt.Sprintf("#%d %q", t.ID, *t.Subject)
}

// social are the channels on which a comment would be seen by others than the
// requester.
var social = []string{"facebook", "twitter", "any_channel"}

func private(list []models.Ticket) bool {
	return slices.ContainsFunc(list, func(t models.Ticket) bool {
		return !t.IsPublic || slices.Contains(social, channelOf(t))
	})
}

// channelOf is how a ticket came in.
func channelOf(t models.Ticket) string {
	var via Via
	_ = json.Unmarshal(t.Via, &via) // written by ourselves
	return via.Channel
}

func viaMerge(from map[string]any) *Via {
	rel := "merge"
	return &Via{Channel: "system", Source: ViaSource{From: from, To: map[string]any{}, Rel: &rel}}
}

func (s *Service) mergeSourceTx(tx *gorm.DB, by auth.Actor, m Merge, target models.Ticket, id int64) error {
	sv, err := s.lockTx(tx, by, id)
	if err != nil {
		return err
	}
	closed := models.StatusClosed
	sv.follows = true
	sv.change = Change{
		Status: &closed, AddTags: []string{mergedTag}, Origin: m.Origin,
		Comment: &NewComment{Body: m.SourceComment, Public: &m.SourcePublic},
		Via:     viaMerge(map[string]any{"ticket_id": target.ID, "subject": target.Subject}),
	}
	sv.logEvent("merged", map[string]any{"target_ticket_id": fmt.Sprint(target.ID)})
	_, err = sv.run()
	return err
}

func (s *Service) mergeTargetTx(tx *gorm.DB, by auth.Actor, m Merge, target models.Ticket, sources []models.Ticket) error {
	copied, err := s.copiesTx(tx, by, m)
	if err != nil {
		return err
	}
	people, err := s.copiedTx(tx, by, target, sources)
	if err != nil {
		return err
	}
	sv, err := s.lockTx(tx, by, m.Target)
	if err != nil {
		return err
	}
	sv.follows = true
	sv.change = Change{
		EmailCCs: people, Origin: m.Origin, Via: viaMerge(map[string]any{"ticket_ids": m.Sources}),
		Comment: &NewComment{Body: m.TargetComment, Public: &m.TargetPublic, copied: copied},
	}
	_, err = sv.run()
	return err
}

// copiesTx are the comments whose files the target's comment gets: of a comment
// that the requester reads, those that were for requesters.
func (s *Service) copiesTx(tx *gorm.DB, by auth.Actor, m Merge) (ids []int64, err error) {
	err = tx.Raw("SELECT id FROM comments WHERE account_id = ? AND ticket_id = ANY(?) AND has_attachments AND (public OR NOT ?) ORDER BY created_at, id",
		by.AccountID, models.IDs(m.Sources), m.TargetPublic).Scan(&ids).Error
	return ids, err
}

// copiedTx are the requesters and CCs of the sources, without the target's
// requester, and without those who have left.
func (s *Service) copiedTx(tx *gorm.DB, by auth.Actor, target models.Ticket, sources []models.Ticket) ([]Collaborator, error) {
	var ids models.IDs
	for _, t := range sources {
		for _, id := range append(models.IDs{t.RequesterID}, t.EmailCCIDs...) {
			if id != target.RequesterID && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	var active []int64
	err := tx.Raw("SELECT u.id FROM users u WHERE u.account_id = ? AND u.id = ANY(?) AND u.active AND NOT u.suspended ORDER BY array_position(?::bigint[], u.id)",
		by.AccountID, ids, ids).Scan(&active).Error
	people := make([]Collaborator, len(active))
	for i, id := range active {
		people[i].UserID = id
	}
	return people, err
}
