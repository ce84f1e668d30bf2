package helpcenter

import (
	"fmt"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/auth"
)

// shelf are the categories and sections of a help center, as files name them.
type shelf struct {
	categories []*shelfCategory
	listed     map[string]listed // articles that the contents list, by id
}

// listed is where contents have an article.
type listed struct {
	section  *shelfSection
	position int64
}

type shelfCategory struct {
	models.Category
	texts    map[string]models.Translation // by language
	sections []*shelfSection               // those that lie in none
	make     *articlefiles.Category        // as which it will be made; nil: it is there
}

type shelfSection struct {
	models.Section
	texts    map[string]models.Translation
	category *shelfCategory
	parent   *shelfSection
	sections []*shelfSection
	make     *articlefiles.Section
}

func named(texts map[string]models.Translation, name string) bool {
	for _, t := range texts {
		if t.Title == name {
			return true
		}
	}
	return false
}

// name is what it is called in its own language.
func (c *shelfCategory) name() string { return c.texts[c.SourceLocale].Title }

// path are the names of a section and of those that it lies in.
func (s *shelfSection) path() []string {
	if s == nil {
		return nil
	}
	return append(s.parent.path(), s.texts[s.SourceLocale].Title)
}

// shelfTx reads all categories and sections of the help center. Sections that lie in none that there is
// are left out, and so are texts without an owner. tx must be one as search.OneState
// says.
func shelfTx(tx *gorm.DB, by auth.Actor) (*shelf, error) {
	var categories []models.Category
	var sections []models.Section
	var texts []models.Translation
	err := hereTx(tx, by).Order("position, id").Find(&categories).Error
	if err == nil {
		err = hereTx(tx, by).Order("position, id").Find(&sections).Error
	}
	if err == nil {
		err = tx.Order("id").Find(&texts, "source_type <> ?", models.SourceArticle).Error
	}
	if err != nil {
		return nil, err
	}
	out := &shelf{listed: map[string]listed{}}
	categoryOf, sectionOf := map[int64]*shelfCategory{}, map[int64]*shelfSection{}
	for _, c := range categories {
		categoryOf[c.ID] = &shelfCategory{Category: c, texts: map[string]models.Translation{}}
		out.categories = append(out.categories, categoryOf[c.ID])
	}
	for _, s := range sections {
		sectionOf[s.ID] = &shelfSection{Section: s, texts: map[string]models.Translation{}}
	}
	for _, s := range sections {
		one := sectionOf[s.ID]
		if one.category = categoryOf[s.CategoryID]; one.category == nil {
			continue
		}
		if s.ParentSectionID == nil {
			one.category.sections = append(one.category.sections, one)
		} else if one.parent = sectionOf[*s.ParentSectionID]; one.parent != nil {
			one.parent.sections = append(one.parent.sections, one)
		}
	}
	for _, t := range texts {
		if c := categoryOf[t.SourceID]; c != nil && t.SourceType == models.SourceCategory {
			c.texts[t.Locale] = t
		}
		if s := sectionOf[t.SourceID]; s != nil && t.SourceType == models.SourceSection {
			s.texts[t.Locale] = t
		}
	}
	return out, nil
}

// category is the one with a name in any language; nil for none.
func (s *shelf) category(name string) (*shelfCategory, error) {
	var found *shelfCategory
	for _, c := range s.categories {
		if named(c.texts, name) {
			if found != nil {
				return nil, fmt.Errorf("there are several categories %q", name)
			}
			found = c
		}
	}
	return found, nil
}

// under are the sections behind a path of names in any language.
func under(sections []*shelfSection, path []string) (found []*shelfSection) {
	for _, s := range sections {
		if !named(s.texts, path[0]) {
			continue
		}
		if len(path) == 1 {
			found = append(found, s)
		} else {
			found = append(found, under(s.sections, path[1:])...)
		}
	}
	return found
}

// section is the one behind a path of names, in a category or, for none, in any.
// It is nil where there is none.
func (s *shelf) section(in *shelfCategory, path []string) (*shelfSection, error) {
	var found []*shelfSection
	for _, c := range s.categories {
		if in == nil || c == in {
			found = append(found, under(c.sections, path)...)
		}
	}
	switch len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("there are several sections %q: name the category", strings.Join(path, " / "))
}
