package segments

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// PermissionChange is what a caller asks of a permission group. What is nil is
// left alone; an empty list clears.
type PermissionChange struct {
	Name    *string
	Edit    []int64 // segments
	Publish []int64
}

var (
	ofPermission     = page.Column{Expr: "id", Kind: page.Int}
	permissionOrders = map[string]page.Order{
		"":           page.By("id", ofPermission),
		"name":       page.By("name,id", page.Column{Expr: "lower(name)", Kind: page.Text}, ofPermission),
		"created_at": page.By("created_at,id", page.Column{Expr: "created_at", Kind: page.Time}, ofPermission),
		"updated_at": page.By("updated_at,id", page.Column{Expr: "updated_at", Kind: page.Time}, ofPermission),
	}
)

// PermissionGroups lists the permission groups, by id unless the page says
// otherwise. Staff may.
func (s *Service) PermissionGroups(ctx context.Context, by auth.Actor, r page.Request) (page.Result[models.PermissionGroup], error) {
	if !by.Staff() {
		return page.Result[models.PermissionGroup]{}, fault.Denied()
	}
	return page.List(ctx, s.db, page.Query{
		Select: "id, name, edit_ids, publish_ids, built_in, created_at, updated_at", From: "permission_groups",
		Where: "account_id = ?", Args: []any{by.AccountID}, Order: sorted(permissionOrders, r),
	}, r, func(rows *sql.Rows, order ...any) (models.PermissionGroup, error) {
		var g models.PermissionGroup
		g.AccountID = by.AccountID
		return g, rows.Scan(append([]any{&g.ID, &g.Name, &g.EditIDs, &g.PublishIDs, &g.BuiltIn, &g.CreatedAt, &g.UpdatedAt}, order...)...)
	})
}

// PermissionGroup is one. Staff may. It fails with fault.NotFound.
func (s *Service) PermissionGroup(ctx context.Context, by auth.Actor, id int64) (models.PermissionGroup, error) {
	if !by.Staff() {
		return models.PermissionGroup{}, fault.Denied()
	}
	return postgres.One[models.PermissionGroup](s.db.WithContext(ctx), "permission group", id)
}

// CreatePermissionGroup makes one. Admins may. It fails with fault.Invalid naming
// the field.
func (s *Service) CreatePermissionGroup(ctx context.Context, by auth.Actor, c PermissionChange) (models.PermissionGroup, error) {
	now := s.now()
	made := models.PermissionGroup{Stamps: models.Stamps{CreatedAt: now, UpdatedAt: now}}
	if !by.Admin() {
		return made, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		c.apply(&made)
		if err := checkPermissionsTx(tx, made); err != nil {
			return err
		}
		return taken(tx.Create(&made).Error, made.Name)
	})
	return made, err
}

// UpdatePermissionGroup changes one that is not built in. Admins may. It fails
// with fault.NotFound, or with fault.Invalid naming the field.
func (s *Service) UpdatePermissionGroup(ctx context.Context, by auth.Actor, id int64, c PermissionChange) (models.PermissionGroup, error) {
	var g models.PermissionGroup
	if !by.Admin() {
		return g, fault.Denied()
	}
	err := s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) (err error) {
		if g, err = ownPermissions(postgres.One[models.PermissionGroup](locked(tx), "permission group", id)); err != nil {
			return err
		}
		c.apply(&g)
		if err := checkPermissionsTx(tx, g); err != nil {
			return err
		}
		g.UpdatedAt = s.now()
		return taken(tx.Select("name", "edit_ids", "publish_ids", "updated_at").Updates(&g).Error, g.Name)
	})
	return g, err
}

// DeletePermissionGroup removes one that is not built in. Admins may. It fails
// with fault.NotFound, or with fault.Invalid for one that is of articles.
func (s *Service) DeletePermissionGroup(ctx context.Context, by auth.Actor, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		g, err := ownPermissions(postgres.One[models.PermissionGroup](locked(tx), "permission group", id))
		if err != nil {
			return err
		}
		err = tx.Delete(&g).Error
		if errors.Is(err, gorm.ErrForeignKeyViolated) {
			return fault.Base(fault.CodeInvalid, "Permission group: is in use and cannot be deleted")
		}
		return err
	})
}

func ownPermissions(g models.PermissionGroup, err error) (models.PermissionGroup, error) {
	if err == nil && g.BuiltIn {
		err = fault.Base(fault.CodeInvalid, "Built-in permission groups cannot be changed or deleted")
	}
	return g, err
}

func (c PermissionChange) apply(g *models.PermissionGroup) {
	if c.Name != nil {
		g.Name = strings.TrimSpace(*c.Name)
	}
	if c.Edit != nil {
		g.EditIDs = once(c.Edit)
	}
	if c.Publish != nil {
		g.PublishIDs = once(c.Publish)
	}
}

func checkPermissionsTx(tx *gorm.DB, g models.PermissionGroup) error {
	err := fault.Join(checkName(g.Name), CheckSize("edit", len(g.EditIDs)), CheckSize("publish", len(g.PublishIDs)))
	if err != nil {
		return err
	}
	return fault.Join(CheckTx(tx, "edit", g.EditIDs...), CheckTx(tx, "publish", g.PublishIDs...))
}

// taken says so if err is that of another permission group with the name.
func taken(err error, name string) error {
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return fault.Duplicate("name", "%s has already been taken", name)
	}
	return err
}

// CheckTx fails with fault.Invalid, which names the field, unless all ids are
// segments of the account. Those are held: they cannot go before tx ends.
func CheckTx(tx *gorm.DB, field string, ids ...int64) error {
	return ExistTx(tx, field, "a user segment", &models.UserSegment{}, "TRUE", nil, ids)
}

// CheckPermissionGroupTx is CheckTx for a permission group.
func CheckPermissionGroupTx(tx *gorm.DB, field string, id int64) error {
	return ExistTx(tx, field, "a permission group", &models.PermissionGroup{}, "TRUE", nil, []int64{id})
}

// AdministratorsTx is the permission group of articles that name none: the one
// that is built in, by which admins alone may edit and publish.
func AdministratorsTx(tx *gorm.DB) (id int64, err error) {
	err = tx.Model(&models.PermissionGroup{}).Where("built_in").Order("id").Limit(1).Pluck("id", &id).Error
	if err == nil && id == 0 {
		err = errors.New("the account has no permission group that is built in")
	}
	return id, err
}
