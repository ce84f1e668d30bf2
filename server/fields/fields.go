// Package fields keeps what an account has set up about tickets: their fields
// with options, forms, custom statuses and brands; and the fields of users and
// organizations, which are like those of tickets. It checks values of custom
// fields and keeps them and a record's tags together. It knows no tickets.
package fields

import (
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/jobs"
)

// Service keeps fields, forms, custom statuses and brands.
type Service struct {
	db      *gorm.DB
	now     func() time.Time
	targets Targets
	jobs    *jobs.Service // nil until Follow
	configs accounts.Remembered[*Config]
}

// New makes the service.
func New(db *gorm.DB, now func() time.Time, targets Targets) *Service {
	return &Service{db: db, now: now, targets: targets}
}

// ticketTypes are the types of fields that an account makes for its tickets.
var ticketTypes = map[string]bool{
	models.FieldText: true, models.FieldTextarea: true, models.FieldCheckbox: true, models.FieldDate: true,
	models.FieldInteger: true, models.FieldDecimal: true, models.FieldRegexp: true, models.FieldCreditCard: true,
	models.FieldMultiselect: true, models.FieldTagger: true, models.FieldLookup: true,
}

// keyedTypes are the types of fields of users and organizations.
var keyedTypes = map[string]bool{
	models.FieldText: true, models.FieldTextarea: true, models.FieldCheckbox: true, models.FieldDate: true,
	models.FieldInteger: true, models.FieldDecimal: true, models.FieldRegexp: true,
	models.FieldMultiselect: true, models.FieldDropdown: true, models.FieldLookup: true,
}

// keyed reports whether clients name the field by a key, as those of users and
// organizations, and not by its id.
func (f *Field) keyed() bool { return f.Kind != models.FieldsOfTickets }

// one reports whether a value of the field is one of its options.
func (f *Field) one() bool { return f.Type == models.FieldTagger || f.Type == models.FieldDropdown }
