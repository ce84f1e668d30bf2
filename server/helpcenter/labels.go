package helpcenter

import (
	"slices"
	"strings"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
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
// written already.
func (s *Service) labelsTx(tx *gorm.DB, account int64, names models.Strings) (models.Strings, error) {
	as, err := writtenTx(tx, account, names)
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
		if as, err = writtenTx(tx, account, names); err != nil {
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

// writtenTx tells how the labels that there are write these names, whatever their
// case.
func writtenTx(tx *gorm.DB, account int64, names models.Strings) (map[string]string, error) {
	as := map[string]string{}
	if len(names) == 0 {
		return as, nil
	}
	err := postgres.Rows(tx, "SELECT n, l.name FROM unnest(?::text[]) AS n JOIN labels AS l ON l.account_id = ? AND lower(l.name) = lower(n)",
		[]any{names, account}, func(row postgres.Scanned) error {
			var asked, written string
			err := row.Scan(&asked, &written)
			as[asked] = written
			return err
		})
	return as, err
}
