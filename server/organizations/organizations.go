// Package organizations keeps organizations and who is a member of them.
package organizations

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/oapi-codegen/nullable"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/fields"
	"github.com/helpd/helpd/server/jobs"
)

// Limits of an organization's members, in characters and entries.
const (
	maxName    = 255
	maxDomains = 1000
)

// Service keeps the organizations of all accounts.
type Service struct {
	db     *gorm.DB
	auth   *auth.Service
	fields *fields.Service
	jobs   *jobs.Service
	now    func() time.Time
}

// New makes the service. f knows the fields that organizations have. The queue
// must know what to do with a Left.
func New(db *gorm.DB, auth *auth.Service, f *fields.Service, queue *jobs.Service, now func() time.Time) *Service {
	s := &Service{db: db, auth: auth, fields: f, jobs: queue, now: now}
	s.work()
	return s
}

// Change is what a caller asks of an organization. A nil or unspecified field
// is left alone; a null one is cleared. The two lists replace the old ones.
type Change struct {
	Name           *string
	SharedTickets  *bool
	SharedComments *bool
	ExternalID     nullable.Nullable[string]
	Details        nullable.Nullable[string]
	Notes          nullable.Nullable[string]
	GroupID        nullable.Nullable[int64]
	DomainNames    []string // domains or whole addresses, in any case
	Tags           []string
	// Fields are values of the account's organization fields by key; others are
	// ignored.
	Fields map[string]json.RawMessage
}

// Create makes an organization. Admins may; it fails with fault.Invalid when
// the name is blank or taken, whatever its case.
func (s *Service) Create(ctx context.Context, by auth.Actor, c Change) (models.Organization, error) {
	var o models.Organization
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		o, err = s.createTx(tx, by, c)
		return err
	})
	return o, err
}

func (s *Service) createTx(tx *gorm.DB, by auth.Actor, c Change) (models.Organization, error) {
	if !by.Admin() {
		return models.Organization{}, fault.Denied()
	}
	now := s.now()
	o := models.Organization{
		DomainNames: models.Strings{}, Tags: models.Strings{}, OrganizationFields: models.JSON("{}"),
		Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now},
	}
	apply(&o, c)
	err := s.fieldsTx(tx, &o, by, c)
	if err = fault.Join(err, check(tx, models.Organization{}, o)); err != nil {
		return o, err
	}
	if err := tx.Create(&o).Error; err != nil {
		return o, taken(err, o)
	}
	if err := s.domainsTx(tx, models.Organization{}, o); err != nil {
		return o, err
	}
	return o, s.recordTx(tx, by, "created", o)
}

// Update changes an organization. Admins may change everything, agents its
// notes alone: fault.Forbidden when c would change more for them.
func (s *Service) Update(ctx context.Context, by auth.Actor, id int64, c Change) (models.Organization, error) {
	var o models.Organization
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if o, err = s.lockTx(tx, by, id); err != nil {
			return err
		}
		return s.updateTx(tx, by, &o, c)
	})
	return o, err
}

// updateTx changes o, which the caller has locked.
func (s *Service) updateTx(tx *gorm.DB, by auth.Actor, o *models.Organization, c Change) error {
	before := *o
	apply(o, c)
	if err := s.fieldsTx(tx, o, by, c); err != nil {
		return err
	}
	columns := changed(before, *o)
	if len(columns) == 0 {
		return nil
	}
	// An agent may send a whole organization back, as clients do, as long as
	// nothing but the notes differs.
	if !by.Admin() && !slices.Equal(columns, []string{"notes"}) {
		return fault.Denied()
	}
	if err := check(tx, before, *o); err != nil {
		return err
	}
	o.UpdatedAt = s.now()
	if err := tx.Select(append(columns, "updated_at")).Updates(o).Error; err != nil {
		return taken(err, *o)
	}
	if err := s.domainsTx(tx, before, *o); err != nil {
		return err
	}
	return s.changedTx(tx, by, before, *o)
}

// CreateOrUpdate changes the organization with the id, or else with the
// external id in c, and creates one where there is none; created tells which.
// An id that no organization has is fault.NotFound.
func (s *Service) CreateOrUpdate(ctx context.Context, by auth.Actor, id int64, c Change) (o models.Organization, created bool, err error) {
	if !by.Admin() {
		return o, false, fault.Denied()
	}
	external := ""
	if v, err := c.ExternalID.Get(); err == nil {
		external = strings.TrimSpace(v)
	}
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		// Two calls with one external id may both find nothing. The second to
		// create then fails, in a savepoint of its own, and finds the first's.
		for range 2 {
			found := id
			if found == 0 && external != "" {
				err := tx.Model(&models.Organization{}).Select("id").
					Where("lower(external_id) = lower(?) AND deleted_at IS NULL", external).Limit(1).Scan(&found).Error
				if err != nil {
					return err
				}
			}
			if found != 0 {
				if o, err = s.lockTx(tx, by, found); err != nil {
					return err
				}
				return s.updateTx(tx, by, &o, c)
			}
			created = true
			err = tx.Transaction(func(tx *gorm.DB) (err error) {
				o, err = s.createTx(tx, by, c)
				return err
			})
			if e := fault.Of(err); e == nil || e.Details["external_id"] == nil || external == "" {
				return err
			}
			created = false
		}
		return err
	})
	return o, created && err == nil, err
}

// Delete removes an organization. Its members and its tickets that are not
// closed lose it by and by (see Left), however many there are.
func (s *Service) Delete(ctx context.Context, by auth.Actor, id int64) error {
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return s.deleteTx(tx, by, id) })
}

func (s *Service) deleteTx(tx *gorm.DB, by auth.Actor, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	o, err := s.lockTx(tx, by, id)
	if err != nil {
		return err
	}
	now := s.now()
	o.DeletedAt, o.UpdatedAt = &now, now
	if err := tx.Select("deleted_at", "updated_at").Updates(&o).Error; err != nil {
		return err
	}
	if err := s.recordTx(tx, by, "deleted", o); err != nil {
		return err
	}
	return s.jobs.EnqueueTx(tx, Left{AccountID: by.AccountID, OrganizationID: id})
}

// lockTx reads an organization that by may see and makes other writers of it wait.
func (s *Service) lockTx(tx *gorm.DB, by auth.Actor, id int64) (models.Organization, error) {
	var o models.Organization
	if !by.Staff() {
		return o, fault.Denied()
	}
	cond, args := scope(by)
	err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).
		Table("organizations AS o").Where("o.id = ? AND o.deleted_at IS NULL", id).
		Where(cond, args...).Take(&o).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return o, fault.Missing("organization", id)
	}
	return o, err
}

func apply(o *models.Organization, c Change) {
	if c.Name != nil {
		o.Name = strings.TrimSpace(*c.Name)
	}
	if c.SharedTickets != nil {
		o.SharedTickets = *c.SharedTickets
	}
	if c.SharedComments != nil {
		o.SharedComments = *c.SharedComments
	}
	setText(&o.ExternalID, c.ExternalID, true)
	setText(&o.Details, c.Details, false)
	setText(&o.Notes, c.Notes, false)
	if c.GroupID.IsNull() {
		o.GroupID = nil
	} else if v, err := c.GroupID.Get(); err == nil {
		o.GroupID = &v
	}
	if c.DomainNames != nil {
		o.DomainNames = normalise(c.DomainNames)
	}
	if c.Tags != nil {
		o.Tags = normalise(c.Tags)
	}
}

// setText sets a text column. An external id is trimmed, and an empty one is
// none: otherwise only one organization could be without.
func setText(to **string, v nullable.Nullable[string], id bool) {
	if v.IsNull() {
		*to = nil
		return
	}
	text, err := v.Get()
	if err != nil {
		return // absent
	}
	if id {
		if text = strings.TrimSpace(text); text == "" {
			*to = nil
			return
		}
	}
	*to = &text
}

// normalise gives the words of the list in lower case, each once. Clients send
// lists, and texts with commas or spaces in between.
func normalise(list []string) models.Strings {
	out := models.Strings{}
	for _, text := range list {
		for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' }) {
			if !slices.Contains(out, word) {
				out = append(out, word)
			}
		}
	}
	return out
}

// domain is a host name, also an international one, or an address at it.
var domain = regexp.MustCompile(`^([^@\s]+@)?[\pL\pN_]([\pL\pN\pM_-]*[\pL\pN\pM_])?(\.[\pL\pN_]([\pL\pN\pM_-]*[\pL\pN\pM_])?)*$`)

func check(tx *gorm.DB, before, o models.Organization) error {
	var errs []error
	if o.Name == "" {
		errs = append(errs, fault.Blank("name"))
	}
	if utf8.RuneCountInString(o.Name) > maxName {
		errs = append(errs, fault.TooLong("name", maxName))
	}
	if o.ExternalID != nil && utf8.RuneCountInString(*o.ExternalID) > maxName {
		errs = append(errs, fault.TooLong("external_id", maxName))
	}
	if len(o.DomainNames) > maxDomains {
		errs = append(errs, fault.InvalidField("domain_names", "cannot be more than %d", maxDomains))
	}
	for _, d := range o.DomainNames {
		if len(d) > maxName || !domain.MatchString(d) {
			errs = append(errs, fault.Malformed("domain_names", "%.100s is not a domain", d))
			break
		}
	}
	errs = append(errs, checkTags(o.Tags), checkGroup(tx, before, o))
	return fault.Join(errs...)
}

func checkTags(tags []string) error {
	for _, t := range tags {
		if utf8.RuneCountInString(t) > maxName {
			return fault.TooLong("tags", maxName)
		}
	}
	return nil
}

// checkGroup looks for the group that new tickets of members go to, when it is
// another than before: one deleted since then must not stand in the way.
func checkGroup(tx *gorm.DB, before, o models.Organization) error {
	if o.GroupID == nil || before.GroupID != nil && *before.GroupID == *o.GroupID {
		return nil
	}
	var n int64
	err := tx.Model(&models.Group{}).Where("id = ? AND NOT deleted", *o.GroupID).Count(&n).Error
	if err == nil && n == 0 {
		return fault.InvalidField("group_id", "%d is not a group", *o.GroupID)
	}
	return err
}

// changed names the columns in which the two differ, in the table's order.
func changed(a, b models.Organization) []string {
	var out []string
	note := func(column string, differs bool) {
		if differs {
			out = append(out, column)
		}
	}
	note("name", a.Name != b.Name)
	note("shared_tickets", a.SharedTickets != b.SharedTickets)
	note("shared_comments", a.SharedComments != b.SharedComments)
	note("external_id", !equal(a.ExternalID, b.ExternalID))
	note("domain_names", !slices.Equal(a.DomainNames, b.DomainNames))
	note("details", !equal(a.Details, b.Details))
	note("notes", !equal(a.Notes, b.Notes))
	note("group_id", !equal(a.GroupID, b.GroupID))
	note("tags", !slices.Equal(a.Tags, b.Tags))
	note("organization_fields", !bytes.Equal(a.OrganizationFields, b.OrganizationFields))
	return out
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// taken says which unique value an organization shares with another one.
func taken(err error, o models.Organization) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch pg.ConstraintName {
	case "organizations_name":
		return fault.Duplicate("name", "%s has already been taken", o.Name)
	case "organizations_external_id":
		return fault.Duplicate("external_id", "%s has already been taken", *o.ExternalID)
	}
	return err
}
