package helpcenter

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/postgres"
)

// maxLabels is how many labels an article may have.
const maxLabels = 100

// cleanLabels are names of labels without spaces around them, each once, whatever
// its case.
func cleanLabels(names []string) (models.Strings, error) {
	out := models.Strings{}
	for _, n := range names {
		n = strings.TrimSpace(n)
		if n == "" || slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, n) }) {
			continue
		}
		if utf8.RuneCountInString(n) > maxTitle || strings.Contains(n, ",") { // which parts names in queries
			return nil, fault.InvalidField("label_names", "%.50s is no label: up to %d characters, and no comma", n, maxTitle)
		}
		out = append(out, n)
	}
	if len(out) > maxLabels {
		return nil, fault.InvalidField("label_names", "cannot be more than %d", maxLabels)
	}
	return out, nil
}

// labelsTx makes the labels that are not there yet, and gives names as they are
// written already. The labels are held: they cannot go before tx ends.
func (s *Service) labelsTx(tx *gorm.DB, account int64, names models.Strings) (models.Strings, error) {
	as, err := heldTx(tx, account, names)
	if err != nil {
		return nil, err
	}
	var fresh []models.Label
	for _, n := range slices.Sorted(slices.Values(names)) { // two articles with the same new labels must not wait for each other
		if as[n] == "" {
			fresh = append(fresh, models.Label{Name: n, Stamps: stamps(s.now())})
		}
	}
	if len(fresh) > 0 {
		if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&fresh).Error; err != nil {
			return nil, err
		}
		if as, err = heldTx(tx, account, names); err != nil {
			return nil, err
		}
	}
	out := models.Strings{}
	for _, n := range names {
		if !slices.Contains(out, as[n]) {
			out = append(out, as[n])
		}
	}
	return out, nil
}

// heldTx is writtenTx, and keeps others from deleting the labels.
func heldTx(tx *gorm.DB, account int64, names models.Strings) (map[string]string, error) {
	return spellingsTx(tx, account, names, " FOR KEY SHARE OF l")
}

// writtenTx tells how the labels that there are write these names, whatever their
// case.
func writtenTx(tx *gorm.DB, account int64, names models.Strings) (map[string]string, error) {
	return spellingsTx(tx, account, names, "")
}

func spellingsTx(tx *gorm.DB, account int64, names models.Strings, lock string) (map[string]string, error) {
	as := map[string]string{}
	if len(names) == 0 {
		return as, nil
	}
	err := postgres.Rows(tx, "SELECT n, l.name FROM unnest(?::text[]) AS n JOIN labels AS l ON l.account_id = ? AND lower(l.name) = lower(n)"+lock,
		[]any{names, account}, func(row postgres.Scanned) error {
			var asked, written string
			err := row.Scan(&asked, &written)
			as[asked] = written
			return err
		})
	return as, err
}

const (
	labelColumns = "l.account_id, l.id, l.name, l.created_at, l.updated_at"
	labelFrom    = "labels AS l"
)

var labelsByName = page.By("name,id", page.Column{Expr: "lower(l.name)", Kind: page.Text}, page.Column{Expr: "l.id", Kind: page.Int})

func scanLabel(row postgres.Scanned, order ...any) (l models.Label, err error) {
	return l, row.Scan(append([]any{&l.AccountID, &l.ID, &l.Name, &l.CreatedAt, &l.UpdatedAt}, order...)...)
}

// labelHere is the condition of the labels l of a brand's help center: those that its
// articles have, and those that are of no other's.
func labelHere(by auth.Actor) (string, []any) {
	if by.Brand.ID == 0 {
		return "TRUE", nil
	}
	const has = "EXISTS (SELECT FROM articles AS a WHERE a.account_id = l.account_id AND a.label_names @> ARRAY[l.name] AND "
	of, args := ofBrand(by, "a.brand_id")
	return "(" + has + of + ") OR NOT " + has + "a.brand_id <> ?))", append(args, by.Brand.ID)
}

// Labels is a page of the help center's labels by name, of those that begin with a
// prefix, in any letter case. Staff may ask: there may be articles behind a label
// that others may not see.
func (s *Service) Labels(ctx context.Context, by auth.Actor, prefix string, r page.Request) (page.Result[models.Label], error) {
	if !by.Staff() {
		return page.Result[models.Label]{}, fault.Denied()
	}
	here, args := labelHere(by)
	q := page.Query{Select: labelColumns, From: labelFrom, Where: "l.account_id = ? AND " + here, Args: append([]any{by.AccountID}, args...), Order: labelsByName}
	if prefix != "" {
		begins, args := postgres.Begins("l.name", prefix)
		q.Where, q.Args = q.Where+" AND "+begins, append(q.Args, args...)
	}
	return page.ListRows(ctx, s.db, q, r, scanLabel)
}

// LabelsOf is a page of the labels of an article that by may see, by name. It
// fails with fault.NotFound.
func (s *Service) LabelsOf(ctx context.Context, by auth.Actor, article int64, r page.Request) (page.Result[models.Label], error) {
	if _, err := s.seesTx(s.db.WithContext(ctx), by, models.SourceArticle, article); err != nil {
		return page.Result[models.Label]{}, err
	}
	return page.ListRows(ctx, s.db, page.Query{
		Select: labelColumns, From: labelFrom, Order: labelsByName,
		Where: "l.account_id = ? AND lower(l.name) IN (SELECT lower(n) FROM articles AS a, unnest(a.label_names) AS n WHERE a.account_id = ? AND a.id = ?)",
		Args:  []any{by.AccountID, by.AccountID, article},
	}, r, scanLabel)
}

// Label is a label. Staff may ask. It fails with fault.NotFound.
func (s *Service) Label(ctx context.Context, by auth.Actor, id int64) (models.Label, error) {
	if !by.Staff() {
		return models.Label{}, fault.Denied()
	}
	return labelTx(s.db.WithContext(ctx), by, id)
}

func labelTx(tx *gorm.DB, by auth.Actor, id int64) (models.Label, error) {
	var found []models.Label
	here, args := labelHere(by)
	err := tx.Table("labels AS l").Limit(1).Where(here, args...).Find(&found, "l.id = ?", id).Error
	return only(found, err, "label", id)
}

// AddLabel gives an article a label, which is made unless it is there already. It
// fails with fault.NotFound, fault.Forbidden, and with fault.Invalid naming name.
func (s *Service) AddLabel(ctx context.Context, by auth.Actor, article int64, name string) (models.Label, error) {
	var out models.Label
	err := s.changeArticle(ctx, by, article, func(tx *gorm.DB, row *models.Article) error {
		names, err := cleanLabels([]string{name})
		if err == nil && len(names) == 0 {
			err = fault.Blank("name")
		}
		if err != nil {
			return renamed(err, "label_names", "name")
		}
		if names, err = s.labelsTx(tx, by.AccountID, names); err != nil {
			return err
		}
		if err := tx.Take(&out, "name = ?", names[0]).Error; err != nil || slices.Contains(row.LabelNames, names[0]) {
			return err
		}
		all, err := cleanLabels(append(row.LabelNames, names[0]))
		if err != nil {
			return renamed(err, "label_names", "name")
		}
		return s.labelTx(tx, row, all)
	})
	return out, err
}

// RemoveLabel takes a label from an article. It fails with fault.NotFound, also
// for a label that the article does not have, and with fault.Forbidden.
func (s *Service) RemoveLabel(ctx context.Context, by auth.Actor, article, id int64) error {
	return s.changeArticle(ctx, by, article, func(tx *gorm.DB, row *models.Article) error {
		l, err := postgres.One[models.Label](tx, "label", id)
		if err != nil {
			return err
		}
		i := slices.Index(row.LabelNames, l.Name)
		if i < 0 {
			return fault.Missing("label", id)
		}
		return s.labelTx(tx, row, slices.Delete(row.LabelNames, i, i+1))
	})
}

func (s *Service) labelTx(tx *gorm.DB, row *models.Article, names models.Strings) error {
	row.LabelNames, row.UpdatedAt = names, s.now()
	return tx.Select("label_names", "updated_at").Updates(row).Error
}

// DeleteLabel takes a label from all articles of the help center, and removes it unless
// those of another brand have it. Admins may. It fails with fault.NotFound.
func (s *Service) DeleteLabel(ctx context.Context, by auth.Actor, id int64) error {
	if !by.Admin() {
		return fault.Denied()
	}
	return s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		l, err := labelTx(tx, by, id)
		if err != nil {
			return err
		}
		of, more := ofBrand(by, "brand_id")
		args := append([]any{by.AccountID, l.Name}, more...)
		having := "WHERE account_id = ? AND label_names @> ARRAY[?::text] AND " + of
		// Articles come before their labels, as for those who change both.
		if err := tx.Exec("SELECT FROM articles "+having+" ORDER BY id FOR NO KEY UPDATE", args...).Error; err != nil {
			return err
		}
		if err := lockTx(tx, "label", id, &l); err != nil {
			return err
		}
		err = tx.Exec("UPDATE articles SET label_names = array_remove(label_names, ?), updated_at = ? "+having, append([]any{l.Name, s.now()}, args...)...).Error
		if err != nil {
			return err
		}
		return tx.Where("NOT EXISTS (SELECT FROM articles WHERE account_id = ? AND label_names @> ARRAY[?::text])", by.AccountID, l.Name).Delete(&l).Error
	})
}

// spelledTx are labels that are looked for as they are written. One that there is not
// stays as it is; no article has it.
func spelledTx(tx *gorm.DB, account int64, names models.Strings) (models.Strings, error) {
	as, err := writtenTx(tx, account, names)
	out := models.Strings{}
	for _, n := range names {
		out = append(out, cmp.Or(as[n], n))
	}
	return out, err
}
