package accounts

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
)

// ticketDefaultsTx makes the statuses, the system fields and the form of a
// fresh account.
func ticketDefaultsTx(tx *gorm.DB, stamps models.Stamps) error {
	statuses := defaultStatuses()
	for i := range statuses {
		statuses[i].Stamps = stamps
	}
	if err := tx.Create(&statuses).Error; err != nil {
		return err
	}
	fields := systemFields()
	for i := range fields {
		fields[i].Stamps = stamps
	}
	if err := tx.Create(&fields).Error; err != nil {
		return err
	}
	form := models.TicketForm{
		Name: "Default Ticket Form", DisplayName: "Default Ticket Form", Position: 1,
		Active: true, EndUserVisible: true, Default: true, InAllBrands: true,
		AgentConditions: models.JSON("[]"), EndUserConditions: models.JSON("[]"), Stamps: stamps,
	}
	for _, f := range fields {
		form.TicketFieldIDs = append(form.TicketFieldIDs, f.ID)
	}
	return tx.Create(&form).Error
}

// audiencesTx makes the user segments that every account has, and the permission
// group of articles that admins alone edit.
func audiencesTx(tx *gorm.DB, stamps models.Stamps) error {
	segments := []models.UserSegment{
		{Name: "Signed-in users", UserType: models.SegmentSignedIn, BuiltIn: true, Stamps: stamps},
		{Name: "Agents and admins", UserType: models.SegmentStaff, BuiltIn: true, Stamps: stamps},
	}
	if err := tx.Create(&segments).Error; err != nil {
		return err
	}
	return tx.Create(&models.PermissionGroup{Name: "Administrators", BuiltIn: true, Stamps: stamps}).Error
}

// defaultStatuses are the statuses that the plain ones stand for. An end user
// is not told whether an agent has looked at the ticket: new reads as open,
// and hold as open.
func defaultStatuses() []models.CustomStatus {
	status := func(category, label, endUserLabel, description, endUserDescription string) models.CustomStatus {
		return models.CustomStatus{
			StatusCategory: category, AgentLabel: label, EndUserLabel: endUserLabel,
			Description: &description, EndUserDescription: &endUserDescription, Active: true, Default: true,
		}
	}
	return []models.CustomStatus{
		status(models.StatusNew, "New", "Open", "Ticket is awaiting assignment to an agent", "We are working on a response for you"),
		status(models.StatusOpen, "Open", "Open", "Staff is working on the ticket", "We are working on a response for you"),
		status(models.StatusPending, "Pending", "Awaiting your reply", "Staff is waiting for the requester to reply", "We are waiting for you to respond"),
		status(models.StatusHold, "On-hold", "Open", "Staff is waiting for a third party", "We are working on a response for you"),
		status(models.StatusSolved, "Solved", "Solved", "The ticket has been solved", "This ticket has been solved"),
	}
}

// systemFields are the fields that every ticket has, in position order.
func systemFields() []models.Field {
	fields := []models.Field{
		{Type: models.FieldSubject, Title: "Subject", VisibleInPortal: true, EditableInPortal: true, RequiredInPortal: true},
		{Type: models.FieldDescription, Title: "Description", VisibleInPortal: true, EditableInPortal: true, RequiredInPortal: true,
			Description: "Please enter the details of your request. A member of our support staff will respond as soon as possible."},
		{Type: models.FieldStatus, Title: "Status", Description: "Request status", SubTypeID: new(1)}, // with hold
		{Type: models.FieldTicketType, Title: "Type", Description: "Request type, select from available options."},
		{Type: models.FieldPriority, Title: "Priority", Description: "Request priority, select from available options.", SubTypeID: new(0)},
		{Type: models.FieldGroup, Title: "Group", Description: "Request group"},
		{Type: models.FieldAssignee, Title: "Assignee", Description: "Agent assigned to your request", Required: true},
		{Type: models.FieldCustomStatus, Title: "Ticket status", Description: "Request ticket status"},
	}
	for i := range fields {
		fields[i].Kind = models.FieldsOfTickets
		fields[i].Position = i + 1
		fields[i].Active = true
		fields[i].TitleInPortal = fields[i].Title
	}
	return fields
}

// satisfactionReasons are the reasons that every account offers, by the codes
// that clients know.
func satisfactionReasons(stamps models.Stamps) []models.SatisfactionReason {
	reason := func(code int, value string) models.SatisfactionReason {
		return models.SatisfactionReason{ReasonCode: code, Value: value, Stamps: stamps}
	}
	return []models.SatisfactionReason{
		reason(0, "No reason provided"),
		reason(5, "The issue took too long to resolve"),
		reason(6, "The issue was not resolved"),
		reason(7, "The agent's knowledge is unsatisfactory"),
		reason(8, "The agent's attitude is unsatisfactory"),
		reason(100, "Some other reason"),
	}
}
