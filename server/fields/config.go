package fields

import (
	"context"
	"errors"
	"maps"
	"regexp"
	"slices"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/businesshours"
	"github.com/helpd/helpd/server/dynamiccontent"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/schedules"
)

// Field is a field of tickets, users or organizations with its options in
// position order.
type Field struct {
	models.Field
	Options []models.FieldOption // of taggers, dropdowns and multiselects

	key     string         // the id as values are kept by: "360005657120"
	wire    string         // {"id":360005657120,"value": of a ticket's, "plan": of others
	pattern *regexp.Regexp // of a regexp field; nil takes everything
	options map[string]int // place of each option by its value
}

// offers reports whether value is one of the field's options.
func (f *Field) offers(value string) bool {
	_, ok := f.options[value]
	return ok
}

// Custom reports whether records keep a value of the field among their custom
// fields; the system's fields of tickets are columns.
func (f *Field) Custom() bool { return f.Kind != models.FieldsOfTickets || ticketTypes[f.Type] }

// Definitions are the fields of one kind.
type Definitions struct {
	Fields []Field // in position order, inactive ones too

	fields map[int64]*Field
	custom []*Field          // active custom fields in position order
	index  map[string]int    // of custom, by key
	named  map[string]*Field // custom ones by what clients call them, of users and organizations
	tagged map[string]*Field
}

// Config is what an account has set up that saving and showing tickets depends
// on. It is immutable: nobody may write to what it gives out.
type Config struct {
	Definitions   // of tickets
	Users         Definitions
	Organizations Definitions

	Version        int64
	Account        models.Account
	Settings       accounts.Settings
	Forms          []models.TicketForm   // in position order, inactive ones too
	Statuses       []models.CustomStatus // by id, inactive ones too
	Brands         []models.Brand        // by name, without deleted ones
	DefaultGroupID int64                 // 0: the account has none
	Texts          dynamiccontent.Texts
	Schedules      []schedules.Clock // the default one first
	Webhooks       []models.Webhook  // that rules call, by name, without their secrets
	// Reasons are those of satisfaction, by code, deleted ones too, which tickets go
	// on having.
	Reasons []models.SatisfactionReason

	statuses map[int64]models.CustomStatus
	defaults map[string]models.CustomStatus // by category
	groups   map[int64]bool                 // that are not deleted
}

// Config is the set-up of the account at accounts.config_version. The last one
// read of each account is remembered.
//
// It must not be called in a transaction that has bumped the version itself:
// what is rolled back would be remembered.
func (s *Service) Config(tx *gorm.DB, account, version int64) (*Config, error) {
	return s.configs.At(account, version, func() (*Config, error) {
		c, err := load(tx, account)
		if err == nil {
			c.Version = version
		}
		return c, err
	})
}

// Remembered is the set-up of the account at this version if it was read before,
// else nil.
func (s *Service) Remembered(account, version int64) *Config {
	c, _ := s.configs.Get(account, version)
	return c
}

// SetUp is the set-up of the actor's account.
func (s *Service) SetUp(ctx context.Context, by auth.Actor) (*Config, error) {
	return s.Current(s.db.WithContext(ctx), by.AccountID)
}

// OnlyGroup is the account's group, if there is but one.
func (c *Config) OnlyGroup() (int64, bool) {
	if len(c.groups) != 1 {
		return 0, false
	}
	for id := range c.groups {
		return id, true
	}
	return 0, false
}

// Groups are the account's groups, in no order.
func (c *Config) Groups() []int64 { return slices.Collect(maps.Keys(c.groups)) }

// Current is the set-up of the account as committed now, or as far as tx sees it.
func (s *Service) Current(tx *gorm.DB, account int64) (*Config, error) {
	var version int64
	err := tx.Model(&models.Account{}).Where("id = ?", account).Select("config_version").Take(&version).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return nil, fault.Missing("account", account)
	}
	if err != nil {
		return nil, err
	}
	return s.Config(tx, account, version)
}

// BumpTx makes every later reader of the account's set-up read it anew; see
// accounts.BumpTx.
func BumpTx(tx *gorm.DB, account int64) error { return accounts.BumpTx(tx, account) }

func load(tx *gorm.DB, account int64) (*Config, error) {
	c := &Config{}
	if err := tx.Take(&c.Account, "id = ?", account).Error; err != nil {
		return nil, err
	}
	var err error
	if c.Settings, err = accounts.ReadSettings(c.Account.Settings); err != nil {
		return nil, err
	}
	var fields []models.Field
	var options []models.FieldOption
	for _, q := range []struct {
		rows  any
		order string
	}{
		{&fields, "position, id"},
		{&options, "field_id, position, id"},
		{&c.Forms, "position, id"},
		{&c.Statuses, "id"},
		{&c.Reasons, "reason_code"},
	} {
		if err := tx.Order(q.order).Find(q.rows).Error; err != nil {
			return nil, err
		}
	}
	if err := tx.Where("NOT is_deleted").Order("name, id").Find(&c.Brands).Error; err != nil {
		return nil, err
	}
	var groups []models.Group
	if err := tx.Select("id", "default").Where("NOT deleted").Find(&groups).Error; err != nil {
		return nil, err
	}
	c.groups = make(map[int64]bool, len(groups))
	for _, g := range groups {
		c.groups[g.ID] = true
		if g.Default {
			c.DefaultGroupID = g.ID
		}
	}
	if c.Texts, err = dynamiccontent.Read(tx); err != nil {
		return nil, err
	}
	if c.Schedules, err = schedules.Read(tx); err != nil {
		return nil, err
	}
	err = tx.Select("account_id", "id", "name", "status", "endpoint", "http_method", "request_format").Order("lower(name), id").
		Find(&c.Webhooks, "subscriptions = ?", models.Strings{models.ConditionalEvents}).Error
	if err != nil {
		return nil, err
	}
	c.build(fields, options)
	return c, nil
}

// build derives from the rows what values are looked up by.
func (c *Config) build(fields []models.Field, options []models.FieldOption) {
	c.Definitions = define(models.FieldsOfTickets, fields, options)
	c.Users = define(models.FieldsOfUsers, fields, options)
	c.Organizations = define(models.FieldsOfOrganizations, fields, options)
	c.statuses = make(map[int64]models.CustomStatus, len(c.Statuses))
	c.defaults = map[string]models.CustomStatus{}
	for _, st := range c.Statuses {
		c.statuses[st.ID] = st
		if st.Default {
			c.defaults[st.StatusCategory] = st
		}
	}
}

// SystemField is the system's field of a type: models.FieldPriority and the rest.
func (c *Config) SystemField(kind string) (*Field, bool) {
	for i := range c.Fields {
		if c.Fields[i].Type == kind && !c.Fields[i].Custom() {
			return &c.Fields[i], true
		}
	}
	return nil, false
}

// DefaultHours are the working hours of the default schedule; nil if the account
// has no schedule.
func (c *Config) DefaultHours() *businesshours.Hours {
	if len(c.Schedules) == 0 {
		return nil
	}
	return c.Schedules[0].Hours
}

// Hours are the working hours of a schedule; those of the default one for nil,
// and after the schedule was deleted.
func (c *Config) Hours(schedule *int64) *businesshours.Hours {
	if schedule != nil {
		for _, s := range c.Schedules {
			if s.ID == *schedule {
				return s.Hours
			}
		}
	}
	return c.DefaultHours()
}

// Webhook is a webhook that rules may call, whether it is active or not.
func (c *Config) Webhook(id string) (models.Webhook, bool) {
	for _, w := range c.Webhooks {
		if w.ID == id {
			return w, true
		}
	}
	return models.Webhook{}, false
}

// HasGroup reports whether the account has a group with this id that is not
// deleted.
func (c *Config) HasGroup(id int64) bool { return c.groups[id] }

// Status is the custom status with this id, active or not.
func (c *Config) Status(id int64) (models.CustomStatus, bool) {
	st, ok := c.statuses[id]
	return st, ok
}

// DefaultStatus is the custom status that a plain status stands for. A closed
// ticket has that of a solved one.
func (c *Config) DefaultStatus(category string) models.CustomStatus {
	if category == models.StatusClosed {
		category = models.StatusSolved
	}
	return c.defaults[category]
}

// Form is the ticket form with this id, active or not.
func (c *Config) Form(id int64) (models.TicketForm, bool) {
	for _, f := range c.Forms {
		if f.ID == id {
			return f, true
		}
	}
	return models.TicketForm{}, false
}

// DefaultForm is the form of tickets that name none.
func (c *Config) DefaultForm() (models.TicketForm, bool) {
	for _, f := range c.Forms {
		if f.Default {
			return f, true
		}
	}
	return models.TicketForm{}, false
}

// Brand is the brand with this id, active or not, but not a deleted one.
func (c *Config) Brand(id int64) (models.Brand, bool) {
	for _, b := range c.Brands {
		if b.ID == id {
			return b, true
		}
	}
	return models.Brand{}, false
}

// BrandAt is the brand of new tickets that name none and that are asked for at the host
// of one: that, or for 0 the default brand.
func (c *Config) BrandAt(host int64) int64 {
	if b, ok := c.Brand(host); ok && b.Active {
		return b.ID
	}
	return c.DefaultBrand().ID
}

// DefaultBrand is the brand that others are not.
func (c *Config) DefaultBrand() models.Brand {
	for _, b := range c.Brands {
		if b.Default {
			return b
		}
	}
	return models.Brand{}
}
