package placeholders

import (
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/liquid"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/timezone"
)

// Related is what texts can name that is in other rows than the ticket's. A map
// that is not nil counts as read, but for whom it lacks.
type Related struct {
	Users         map[int64]models.User
	Organizations map[int64]models.Organization
	Groups        map[int64]models.Group
	// Comments are the stored comments, the newest first: the newest ones, and the
	// newest public ones.
	Comments    []models.Comment
	Files       map[int64][]models.Attachment // by comment
	FirstPublic *string                       // the text of the first public comment that is stored
	Holiday     string                        // that today is in the ticket's schedule

	loaded Needs
}

// Needs are the parts of Related that texts use. Those of several texts add up.
type Needs struct {
	Users, Organizations, Groups, Files, FirstPublic, Holiday bool
	Comments                                                  int  // how many
	Survey                                                    bool // Context.SurveyURL, which Load does not make
}

// Needs are what texts use of a ticket's surroundings, and what the dynamic
// content uses that they name.
func (c *Context) Needs(texts ...string) Needs {
	var n Needs
	for depth := 0; len(texts) > 0 && depth < 5; depth++ { // content may name content
		var content []string
		for _, text := range texts {
			t, _ := parse(text)
			if t.Plain() {
				continue
			}
			n.add(t)
			if t.Mentions("dc") {
				content = append(content, c.Config.Texts.Variants(t.Mentions)...)
			}
		}
		texts = content
	}
	return n
}

// people are the placeholders of users.
var people = []string{"requester", "assignee", "submitter", "current_user", "agent", "ccs", "email_ccs", "followers", "cc_names", "email_cc_names", "follower_names"}

func (n *Needs) add(t *liquid.Template) {
	switch {
	case t.MentionsLike(func(name string) bool { return strings.Contains(name, "comments") }):
		n.Comments = MaxComments
	case t.MentionsLike(func(name string) bool {
		return strings.HasPrefix(name, "latest_") || name == "follower_reply_type_message"
	}):
		n.Comments = max(n.Comments, 1)
	}
	n.Users = n.Users || n.Comments > 0 || slices.ContainsFunc(people, t.Mentions)
	n.Organizations = n.Organizations || t.Mentions("organization")
	n.Groups = n.Groups || t.Mentions("group")
	n.Files = n.Files || t.MentionsLike(func(name string) bool {
		return name == "attachments" || strings.HasSuffix(name, "comments") || strings.HasSuffix(name, "_html") || strings.HasSuffix(name, "_formatted")
	})
	n.FirstPublic = n.FirstPublic || t.Mentions("description") || t.Mentions("verbatim_description")
	n.Holiday = n.Holiday || t.Mentions("current_holiday_name")
	n.Survey = n.Survey || t.Mentions("satisfaction")
}

// Load reads what is needed and not there yet: seven statements at most, however
// many there are of anything. db is of the ticket's account.
func (c *Context) Load(db *gorm.DB, n Needs) error {
	r := &c.Related
	stored := !c.Created
	for _, step := range []struct {
		wanted bool
		load   func(*gorm.DB) error
	}{
		{stored && n.Comments > r.loaded.Comments, func(db *gorm.DB) error { return c.loadComments(db, n.Comments) }},
		{stored && n.FirstPublic && !r.loaded.FirstPublic, c.loadFirstPublic},
		{n.Users, c.loadUsers},
		{n.Organizations, c.loadOrganizations},
		{n.Groups && c.Ticket.GroupID != nil, c.loadGroup},
		{n.Files, c.loadFiles},
		{n.Holiday && !r.loaded.Holiday && len(c.Config.Schedules) > 0, c.loadHoliday},
	} {
		if !step.wanted {
			continue
		}
		if err := step.load(db); err != nil {
			return err
		}
	}
	r.loaded.Comments = max(r.loaded.Comments, n.Comments)
	r.loaded.FirstPublic, r.loaded.Holiday = r.loaded.FirstPublic || n.FirstPublic, r.loaded.Holiday || n.Holiday
	return nil
}

// loadComments reads the newest comments, and the newest public ones, which
// others may not see beyond.
func (c *Context) loadComments(db *gorm.DB, limit int) error {
	const newest = `(SELECT id, author_id, public, html_body, plain_body, has_attachments, created_at FROM comments
		WHERE account_id = ? AND ticket_id = ?`
	const few = ` ORDER BY created_at DESC, id DESC LIMIT ?)`
	c.Related.Comments = nil
	return postgres.Rows(db, "SELECT * FROM ("+newest+few+" UNION "+newest+" AND public"+few+") AS c ORDER BY created_at DESC, id DESC",
		[]any{c.Ticket.AccountID, c.Ticket.ID, limit, c.Ticket.AccountID, c.Ticket.ID, limit}, func(row postgres.Scanned) error {
			var one models.Comment
			err := row.Scan(&one.ID, &one.AuthorID, &one.Public, &one.HTMLBody, &one.PlainBody, &one.HasAttachments, &one.CreatedAt)
			c.Related.Comments = append(c.Related.Comments, one)
			return err
		})
}

func (c *Context) loadFirstPublic(db *gorm.DB) error {
	var text string
	found, err := postgres.Row(db, "SELECT plain_body FROM comments WHERE account_id = ? AND ticket_id = ? AND public ORDER BY created_at, id LIMIT 1",
		[]any{c.Ticket.AccountID, c.Ticket.ID}, &text)
	if found {
		c.Related.FirstPublic = &text
	}
	return err
}

func (c *Context) loadUsers(db *gorm.DB) error {
	t := &c.Ticket
	ids := slices.Concat([]int64{t.RequesterID, t.SubmitterID, c.ActorID}, t.EmailCCIDs, t.FollowerIDs)
	if t.AssigneeID != nil {
		ids = append(ids, *t.AssigneeID)
	}
	if c.Comment != nil {
		ids = append(ids, c.Comment.AuthorID)
	}
	for i := range c.Related.Comments {
		ids = append(ids, c.Related.Comments[i].AuthorID)
	}
	return load(db, &c.Related.Users, ids, func(u *models.User) int64 { return u.ID },
		"id", "account_id", "name", "email", "role", "role_type", "external_id", "phone", "alias", "details", "notes", "signature", "time_zone", "locale",
		"tags", "user_fields", "organization_id")
}

func (c *Context) loadOrganizations(db *gorm.DB) error {
	var ids []int64
	if id := c.Ticket.OrganizationID; id != nil {
		ids = append(ids, *id)
	}
	for _, u := range c.Related.Users {
		if u.OrganizationID != nil {
			ids = append(ids, *u.OrganizationID)
		}
	}
	return load(db.Where("deleted_at IS NULL"), &c.Related.Organizations, ids, func(o *models.Organization) int64 { return o.ID })
}

func (c *Context) loadGroup(db *gorm.DB) error {
	return load(db, &c.Related.Groups, []int64{*c.Ticket.GroupID}, func(g *models.Group) int64 { return g.ID })
}

func (c *Context) loadFiles(db *gorm.DB) error {
	var ids []int64
	for i := range c.Related.Comments {
		one := &c.Related.Comments[i]
		if _, there := c.Related.Files[one.ID]; one.HasAttachments && !there {
			ids = append(ids, one.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []models.Attachment
	if err := db.Where("comment_id = ANY(?) AND parent_id IS NULL", models.IDs(ids)).Order("id").Find(&rows).Error; err != nil {
		return err
	}
	if c.Related.Files == nil {
		c.Related.Files = map[int64][]models.Attachment{}
	}
	for _, a := range rows {
		c.Related.Files[*a.CommentID] = append(c.Related.Files[*a.CommentID], a)
	}
	return nil
}

func (c *Context) loadHoliday(db *gorm.DB) error {
	schedule := c.Config.Schedules[0].ID
	if c.Ticket.ScheduleID != nil {
		schedule = *c.Ticket.ScheduleID
	}
	// Where a zone is ahead or behind, its date is another one.
	from, to := c.Now.UTC().AddDate(0, 0, -1), c.Now.UTC().AddDate(0, 0, 1)
	return postgres.Rows(db, `SELECT h.name, h.start_date, h.end_date, s.time_zone FROM holidays h
		JOIN schedules s ON s.account_id = h.account_id AND s.id = h.schedule_id
		WHERE h.account_id = ? AND h.schedule_id = ? AND h.start_date <= ?::date AND h.end_date >= ?::date ORDER BY h.start_date, h.id`,
		[]any{c.Ticket.AccountID, schedule, to, from}, func(row postgres.Scanned) error {
			var name, zone string
			var first, last time.Time
			if err := row.Scan(&name, &first, &last, &zone); err != nil {
				return err
			}
			today := c.Now.In(timezone.Load(zone)).Format(time.DateOnly)
			if c.Related.Holiday == "" && first.Format(time.DateOnly) <= today && today <= last.Format(time.DateOnly) {
				c.Related.Holiday = name
			}
			return nil
		})
}

// load reads the rows with ids that into does not have yet.
func load[T any](db *gorm.DB, into *map[int64]T, ids []int64, idOf func(*T) int64, columns ...string) error {
	ids = slices.DeleteFunc(ids, func(id int64) bool { _, there := (*into)[id]; return there || id <= 0 })
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil
	}
	var rows []T
	if len(columns) > 0 {
		db = db.Select(columns)
	}
	if err := db.Where("id = ANY(?)", models.IDs(ids)).Find(&rows).Error; err != nil {
		return err
	}
	if *into == nil {
		*into = make(map[int64]T, len(rows))
	}
	for i := range rows {
		(*into)[idOf(&rows[i])] = rows[i]
	}
	return nil
}
