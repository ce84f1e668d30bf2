package exports

import (
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/tickets"
)

// The columns have the names and the forms that the API has for them.

var ticketColumns = []column[models.Ticket]{
	{"external_id", Text, func(t *models.Ticket, _ *fields.Config) cell { return optionalText(t.ExternalID) }},
	{"via", JSON, func(t *models.Ticket, _ *fields.Config) cell { return document(t.Via) }},
	{"created_at", Timestamp, func(t *models.Ticket, _ *fields.Config) cell { return timestamp(t.CreatedAt) }},
	{"updated_at", Timestamp, func(t *models.Ticket, _ *fields.Config) cell { return timestamp(t.UpdatedAt) }},
	{"solved_at", Timestamp, func(t *models.Ticket, _ *fields.Config) cell { return optionalTimestamp(t.SolvedAt) }},
	{"deleted_at", Timestamp, func(t *models.Ticket, _ *fields.Config) cell { return optionalTimestamp(t.DeletedAt) }},
	{"type", Text, func(t *models.Ticket, _ *fields.Config) cell { return optionalText(t.Type) }},
	{"subject", Text, func(t *models.Ticket, _ *fields.Config) cell { return optionalText(t.Subject) }},
	{"description", Text, func(t *models.Ticket, _ *fields.Config) cell { return text(t.Description) }},
	{"priority", Text, func(t *models.Ticket, _ *fields.Config) cell { return optionalText(t.Priority) }},
	{"status", Text, func(t *models.Ticket, _ *fields.Config) cell {
		if t.DeletedAt != nil {
			return text("deleted")
		}
		return text(t.Status)
	}},
	{"custom_status_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return integer(t.CustomStatusID) }},
	{"recipient", Text, func(t *models.Ticket, _ *fields.Config) cell { return optionalText(t.Recipient) }},
	{"requester_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return integer(t.RequesterID) }},
	{"submitter_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return integer(t.SubmitterID) }},
	{"assignee_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return optionalInteger(t.AssigneeID) }},
	{"organization_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return optionalInteger(t.OrganizationID) }},
	{"group_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return optionalInteger(t.GroupID) }},
	{"follower_ids", JSON, func(t *models.Ticket, _ *fields.Config) cell { return ids(t.FollowerIDs) }},
	{"email_cc_ids", JSON, func(t *models.Ticket, _ *fields.Config) cell { return ids(t.EmailCCIDs) }},
	{"followup_ids", JSON, func(t *models.Ticket, _ *fields.Config) cell { return ids(t.FollowupIDs) }},
	{"problem_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return optionalInteger(t.ProblemID) }},
	{"has_incidents", Boolean, func(t *models.Ticket, _ *fields.Config) cell { return boolean(t.IncidentCount > 0) }},
	{"is_public", Boolean, func(t *models.Ticket, _ *fields.Config) cell { return boolean(t.IsPublic) }},
	{"archived", Boolean, func(t *models.Ticket, _ *fields.Config) cell { return boolean(t.Archived) }},
	{"comment_count", Integer, func(t *models.Ticket, _ *fields.Config) cell { return integer(int64(t.CommentCount)) }},
	{"due_at", Timestamp, func(t *models.Ticket, _ *fields.Config) cell { return optionalTimestamp(t.DueAt) }},
	{"tags", JSON, func(t *models.Ticket, _ *fields.Config) cell { return texts(t.Tags) }},
	{"custom_fields", JSON, func(t *models.Ticket, set *fields.Config) cell { return document(set.AppendJSON(nil, t.CustomFields)) }},
	{"satisfaction_rating", JSON, func(t *models.Ticket, _ *fields.Config) cell { return document(t.Satisfaction) }},
	{"ticket_form_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return optionalInteger(t.TicketFormID) }},
	{"brand_id", Integer, func(t *models.Ticket, _ *fields.Config) cell { return integer(t.BrandID) }},
}

var commentColumns = []column[tickets.CommentRecord]{
	{"ticket_id", Integer, func(c *tickets.CommentRecord, _ *fields.Config) cell { return integer(c.TicketID) }},
	{"audit_id", Integer, func(c *tickets.CommentRecord, _ *fields.Config) cell { return integer(c.AuditID) }},
	{"type", Text, func(c *tickets.CommentRecord, _ *fields.Config) cell { return text(c.Type) }},
	{"author_id", Integer, func(c *tickets.CommentRecord, _ *fields.Config) cell { return integer(c.AuthorID) }},
	{"public", Boolean, func(c *tickets.CommentRecord, _ *fields.Config) cell { return boolean(c.Public) }},
	{"body", Text, func(c *tickets.CommentRecord, _ *fields.Config) cell { return text(c.Body) }},
	{"html_body", Text, func(c *tickets.CommentRecord, _ *fields.Config) cell { return text(c.HTMLBody) }},
	{"plain_body", Text, func(c *tickets.CommentRecord, _ *fields.Config) cell { return text(c.PlainBody) }},
	{"via", JSON, func(c *tickets.CommentRecord, _ *fields.Config) cell { return document(c.Via) }},
	{"metadata", JSON, func(c *tickets.CommentRecord, _ *fields.Config) cell { return document(c.Metadata) }},
	{"attachments", JSON, func(c *tickets.CommentRecord, _ *fields.Config) cell { return attached(c) }},
	{"created_at", Timestamp, func(c *tickets.CommentRecord, _ *fields.Config) cell { return timestamp(c.CreatedAt) }},
}

// attached are the files of a comment; who may see them downloads them by the API.
func attached(c *tickets.CommentRecord) cell {
	if len(c.Files) == 0 {
		return text("[]")
	}
	type file struct {
		ID          int64  `json:"id"`
		FileName    string `json:"file_name"`
		ContentType string `json:"content_type"`
		Size        int64  `json:"size"`
		Inline      bool   `json:"inline"`
		Deleted     bool   `json:"deleted"`
	}
	list := make([]file, len(c.Files))
	for i, f := range c.Files {
		list[i] = file{f.ID, f.FileName, f.ContentType, f.Size, f.Inline, f.Deleted}
	}
	return document(models.ToJSON(list))
}

var userColumns = []column[models.User]{
	{"name", Text, func(u *models.User, _ *fields.Config) cell { return text(u.Name) }},
	{"email", Text, func(u *models.User, _ *fields.Config) cell { return optionalText(u.Email) }},
	{"created_at", Timestamp, func(u *models.User, _ *fields.Config) cell { return timestamp(u.CreatedAt) }},
	{"updated_at", Timestamp, func(u *models.User, _ *fields.Config) cell { return timestamp(u.UpdatedAt) }},
	{"role", Text, func(u *models.User, _ *fields.Config) cell { return text(u.Role) }},
	{"active", Boolean, func(u *models.User, _ *fields.Config) cell { return boolean(u.Active) }},
	{"permanently_deleted", Boolean, func(u *models.User, _ *fields.Config) cell { return boolean(u.PermanentlyDeleted) }},
	{"suspended", Boolean, func(u *models.User, _ *fields.Config) cell { return boolean(u.Suspended) }},
	{"verified", Boolean, func(u *models.User, _ *fields.Config) cell { return boolean(u.Verified) }},
	{"external_id", Text, func(u *models.User, _ *fields.Config) cell { return optionalText(u.ExternalID) }},
	{"phone", Text, func(u *models.User, _ *fields.Config) cell { return optionalText(u.Phone) }},
	{"shared_phone_number", Boolean, func(u *models.User, _ *fields.Config) cell { return optionalBoolean(u.SharedPhoneNumber) }},
	{"alias", Text, func(u *models.User, _ *fields.Config) cell { return optionalText(u.Alias) }},
	{"details", Text, func(u *models.User, _ *fields.Config) cell { return optionalText(u.Details) }},
	{"notes", Text, func(u *models.User, _ *fields.Config) cell { return optionalText(u.Notes) }},
	{"signature", Text, func(u *models.User, _ *fields.Config) cell { return optionalText(u.Signature) }},
	{"time_zone", Text, func(u *models.User, _ *fields.Config) cell { return text(u.TimeZone) }},
	{"locale", Text, func(u *models.User, _ *fields.Config) cell { return text(u.Locale) }},
	{"organization_id", Integer, func(u *models.User, _ *fields.Config) cell { return optionalInteger(u.OrganizationID) }},
	{"default_group_id", Integer, func(u *models.User, _ *fields.Config) cell { return optionalInteger(u.DefaultGroupID) }},
	{"ticket_restriction", Text, func(u *models.User, _ *fields.Config) cell { return optionalText(u.TicketRestriction) }},
	{"tags", JSON, func(u *models.User, _ *fields.Config) cell { return texts(u.Tags) }},
	{"user_fields", JSON, func(u *models.User, set *fields.Config) cell { return document(set.Users.Object(u.UserFields)) }},
	{"last_login_at", Timestamp, func(u *models.User, _ *fields.Config) cell { return optionalTimestamp(u.LastLoginAt) }},
}

var organizationColumns = []column[models.Organization]{
	{"name", Text, func(o *models.Organization, _ *fields.Config) cell { return text(o.Name) }},
	{"external_id", Text, func(o *models.Organization, _ *fields.Config) cell { return optionalText(o.ExternalID) }},
	{"created_at", Timestamp, func(o *models.Organization, _ *fields.Config) cell { return timestamp(o.CreatedAt) }},
	{"updated_at", Timestamp, func(o *models.Organization, _ *fields.Config) cell { return timestamp(o.UpdatedAt) }},
	{"deleted_at", Timestamp, func(o *models.Organization, _ *fields.Config) cell { return optionalTimestamp(o.DeletedAt) }},
	{"shared_tickets", Boolean, func(o *models.Organization, _ *fields.Config) cell { return boolean(o.SharedTickets) }},
	{"shared_comments", Boolean, func(o *models.Organization, _ *fields.Config) cell { return boolean(o.SharedComments) }},
	{"domain_names", JSON, func(o *models.Organization, _ *fields.Config) cell { return texts(o.DomainNames) }},
	{"details", Text, func(o *models.Organization, _ *fields.Config) cell { return optionalText(o.Details) }},
	{"notes", Text, func(o *models.Organization, _ *fields.Config) cell { return optionalText(o.Notes) }},
	{"group_id", Integer, func(o *models.Organization, _ *fields.Config) cell { return optionalInteger(o.GroupID) }},
	{"tags", JSON, func(o *models.Organization, _ *fields.Config) cell { return texts(o.Tags) }},
	{"organization_fields", JSON, func(o *models.Organization, set *fields.Config) cell {
		return document(set.Organizations.Object(o.OrganizationFields))
	}},
}

var ratingColumns = []column[models.SatisfactionRating]{
	{"ticket_id", Integer, func(r *models.SatisfactionRating, _ *fields.Config) cell { return integer(r.TicketID) }},
	{"requester_id", Integer, func(r *models.SatisfactionRating, _ *fields.Config) cell { return integer(r.RequesterID) }},
	{"assignee_id", Integer, func(r *models.SatisfactionRating, _ *fields.Config) cell { return optionalInteger(r.AssigneeID) }},
	{"group_id", Integer, func(r *models.SatisfactionRating, _ *fields.Config) cell { return optionalInteger(r.GroupID) }},
	{"score", Text, func(r *models.SatisfactionRating, _ *fields.Config) cell { return text(r.Score) }},
	{"comment", Text, func(r *models.SatisfactionRating, _ *fields.Config) cell { return optionalText(r.Comment) }},
	{"reason_id", Integer, func(r *models.SatisfactionRating, _ *fields.Config) cell { return optionalInteger(r.ReasonID) }},
	{"created_at", Timestamp, func(r *models.SatisfactionRating, _ *fields.Config) cell { return timestamp(r.CreatedAt) }},
	{"updated_at", Timestamp, func(r *models.SatisfactionRating, _ *fields.Config) cell { return timestamp(r.UpdatedAt) }},
}
