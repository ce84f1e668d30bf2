package tickets

import (
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/outbox"
)

// successionBatch is how many tickets are in memory at a time.
const successionBatch = 500

// SucceedUserTx puts a user in the place of another on every ticket, closed and
// deleted ones too: as requester, submitter, assignee, CC and follower, and as
// the author of comments and audits. Each ticket that changes so has an audit
// and events of it by by. Both users are locked and still have their addresses.
// The number of statements grows with every 500 tickets only.
func (s *Service) SucceedUserTx(tx *gorm.DB, by auth.Actor, from, to int64) error {
	account := by.AccountID
	var ids []int64
	// A submitter who is nothing else on the ticket has written on it.
	err := tx.Raw(`SELECT id FROM tickets WHERE account_id = @account AND id IN (
			SELECT id FROM tickets WHERE account_id = @account AND requester_id = @from
			UNION SELECT id FROM tickets WHERE account_id = @account AND assignee_id = @from
			UNION SELECT id FROM tickets WHERE account_id = @account AND email_cc_ids @> ARRAY[CAST(@from AS bigint)] AND email_cc_ids <> '{}'
			UNION SELECT id FROM tickets WHERE account_id = @account AND follower_ids @> ARRAY[CAST(@from AS bigint)] AND follower_ids <> '{}'
			UNION SELECT ticket_id FROM comments WHERE account_id = @account AND author_id = @from)
		ORDER BY id FOR UPDATE`, map[string]any{"account": account, "from": from}).Scan(&ids).Error
	if err != nil {
		return err
	}
	replace := func(t *models.Ticket) {
		swap := func(id *int64) {
			if *id == from {
				*id = to
			}
		}
		swap(&t.RequesterID)
		swap(&t.SubmitterID)
		if t.AssigneeID != nil {
			t.AssigneeID = new(*t.AssigneeID)
			swap(t.AssigneeID)
		}
		t.EmailCCIDs, t.FollowerIDs = succeeded(t.EmailCCIDs, from, to), succeeded(t.FollowerIDs, from, to)
	}
	for part := range slices.Chunk(ids, successionBatch) {
		if err := s.changeAllTx(tx, by, part, replace); err != nil {
			return err
		}
		err := tx.Exec("UPDATE audits SET author_id = ? WHERE account_id = ? AND ticket_id = ANY(?) AND author_id = ?",
			to, account, models.IDs(part), from).Error
		if err != nil {
			return err
		}
	}
	if err := tx.Exec("UPDATE comments SET author_id = ? WHERE account_id = ? AND author_id = ?", to, account, from).Error; err != nil {
		return err
	}
	if err := outbox.SucceedUserTx(tx, account, from, to); err != nil {
		return err
	}
	return tx.Exec(`WITH gone AS (DELETE FROM ticket_visits WHERE account_id = ? AND user_id = ? RETURNING ticket_id, visited_at)
		INSERT INTO ticket_visits AS v (account_id, user_id, ticket_id, visited_at)
		SELECT ?, ?, ticket_id, visited_at FROM gone
		ON CONFLICT (account_id, user_id, ticket_id) DO UPDATE SET visited_at = greatest(v.visited_at, excluded.visited_at)`,
		account, from, account, to).Error
}

// succeeded is a list with to in the place of from, once.
func succeeded(list models.IDs, from, to int64) models.IDs {
	if !slices.Contains(list, from) {
		return list
	}
	out := models.IDs{}
	for _, id := range list {
		if id == from {
			id = to
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// SucceedOrganizationTx puts an organization in the place of another on the
// tickets, closed and deleted ones too, of up to limit after the ticket last.
// It returns the last ticket that was changed; 0 when there are no more.
func (s *Service) SucceedOrganizationTx(tx *gorm.DB, by auth.Actor, from, to, last int64) (int64, error) {
	var ids []int64
	err := tx.Raw("SELECT id FROM tickets WHERE account_id = ? AND organization_id = ? AND id > ? ORDER BY id LIMIT ? FOR UPDATE",
		by.AccountID, from, last, successionBatch).Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	err = s.changeAllTx(tx, by, ids, func(t *models.Ticket) { t.OrganizationID = &to })
	return ids[len(ids)-1], err
}

// changeAllTx changes locked tickets alike, past the rules that hold for single
// ones: nobody is asked, and closed ones change too. What it writes is what
// saves would write, in as many statements as for one.
func (s *Service) changeAllTx(tx *gorm.DB, by auth.Actor, ids []int64, change func(t *models.Ticket)) error {
	saves, err := s.beginAllTx(tx, by, ids)
	if err != nil {
		return err
	}
	// Audits show the addresses of all who are copied; they are read at once.
	known := people{byID: map[int64]person{}, byEmail: map[string]int64{}}
	var shown models.IDs
	for _, sv := range saves {
		sv.people = known
		change(&sv.after)
		for _, list := range []models.IDs{sv.before.EmailCCIDs, sv.after.EmailCCIDs, sv.before.FollowerIDs, sv.after.FollowerIDs} {
			shown = append(shown, list...)
		}
	}
	if len(shown) > 0 {
		if err := saves[0].readPeople(shown, nil); err != nil {
			return err
		}
	}
	changed := saves[:0]
	for _, sv := range saves {
		if err := sv.tellChanges(); err != nil {
			return err
		}
		if len(sv.auditEvents) == 0 && sv.before.SubmitterID == sv.after.SubmitterID {
			continue
		}
		if len(sv.auditEvents) > 0 {
			sv.after.UpdatedAt = sv.now
		}
		sv.logChanges()
		sv.after.GeneratedAt = sv.now
		changed = append(changed, sv)
	}
	return writeAllTx(tx, by, changed)
}

// beginAllTx begins a save of each ticket.
func (s *Service) beginAllTx(tx *gorm.DB, by auth.Actor, ids []int64) ([]*save, error) {
	var version int64
	if err := tx.Raw("SELECT config_version FROM accounts WHERE id = ?", by.AccountID).Row().Scan(&version); err != nil {
		return nil, err
	}
	config, err := s.fields.Config(tx, by.AccountID, version)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Raw("SELECT "+columns+", nextval('audit_ids') FROM tickets t WHERE t.account_id = ? AND t.id = ANY(?) ORDER BY t.id",
		by.AccountID, models.IDs(ids)).Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []*save
	for rows.Next() {
		sv := &save{service: s, tx: tx, by: by, config: config, now: s.now()}
		sv.before.AccountID = by.AccountID
		if err := rows.Scan(append(dest(&sv.before), &sv.auditID)...); err != nil {
			return nil, err
		}
		if sv.now.Before(sv.before.GeneratedAt) { // see lockWhereTx
			sv.now = sv.before.GeneratedAt
		}
		sv.begin()
		out = append(out, sv)
	}
	return out, rows.Err()
}

// writeAllTx stores people and organizations of tickets, their audits and their
// entries in the event log.
func writeAllTx(tx *gorm.DB, by auth.Actor, saves []*save) error {
	type ticketRow struct {
		ID             int64      `json:"id"`
		RequesterID    int64      `json:"requester_id"`
		SubmitterID    int64      `json:"submitter_id"`
		AssigneeID     *int64     `json:"assignee_id"`
		OrganizationID *int64     `json:"organization_id"`
		EmailCCIDs     models.IDs `json:"email_cc_ids"`
		FollowerIDs    models.IDs `json:"follower_ids"`
		UpdatedAt      time.Time  `json:"updated_at"`
		GeneratedAt    time.Time  `json:"generated_at"`
	}
	type auditRow struct {
		ID        int64           `json:"id"`
		TicketID  int64           `json:"ticket_id"`
		AuthorID  int64           `json:"author_id"`
		Via       json.RawMessage `json:"via"`
		Metadata  json.RawMessage `json:"metadata"`
		Events    json.RawMessage `json:"events"`
		CreatedAt time.Time       `json:"created_at"`
		Archived  bool            `json:"archived"`
	}
	var ticketRows []ticketRow
	var auditRows []auditRow
	var log []events.About
	for _, sv := range saves {
		t := &sv.after
		ticketRows = append(ticketRows, ticketRow{t.ID, t.RequesterID, t.SubmitterID, t.AssigneeID, t.OrganizationID,
			append(models.IDs{}, t.EmailCCIDs...), append(models.IDs{}, t.FollowerIDs...), t.UpdatedAt, t.GeneratedAt})
		if len(sv.auditEvents) > 0 { // no audit tells of submitters
			a := sv.audit().Audit
			auditRows = append(auditRows, auditRow{a.ID, a.TicketID, a.AuthorID, json.RawMessage(a.Via), json.RawMessage(a.Metadata), json.RawMessage(a.Events), a.CreatedAt, t.Archived})
		}
		detail := models.ToJSON(sv.eventDetail())
		for _, e := range sv.log {
			e.Detail = detail
			log = append(log, events.About{ID: t.ID, Event: e})
		}
	}
	if len(ticketRows) == 0 {
		return nil
	}
	err := tx.Exec(`UPDATE tickets t SET requester_id = x.requester_id, submitter_id = x.submitter_id, assignee_id = x.assignee_id,
			organization_id = x.organization_id, email_cc_ids = x.email_cc_ids, follower_ids = x.follower_ids,
			updated_at = x.updated_at, generated_at = x.generated_at
		FROM json_to_recordset(?::json) AS x (id bigint, requester_id bigint, submitter_id bigint, assignee_id bigint, organization_id bigint,
			email_cc_ids bigint[], follower_ids bigint[], updated_at timestamptz, generated_at timestamptz)
		WHERE t.account_id = ? AND t.id = x.id`, models.ToJSON(ticketRows), by.AccountID).Error
	if err != nil {
		return err
	}
	if len(auditRows) > 0 {
		err = tx.Exec(`INSERT INTO audits (account_id, id, ticket_id, author_id, via, metadata, events, created_at, archived)
			SELECT ?, x.id, x.ticket_id, x.author_id, x.via, x.metadata, x.events, x.created_at, x.archived
			FROM json_to_recordset(?::json) AS x (id bigint, ticket_id bigint, author_id bigint, via json, metadata json, events json, created_at timestamptz, archived boolean)`,
			by.AccountID, models.ToJSON(auditRows)).Error
		if err != nil {
			return err
		}
	}
	return events.AppendAllTx(tx, events.By{AccountID: by.AccountID, ActorID: by.ID(), At: saves[0].now}, "ticket", log)
}
