package helpcenter

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/positions"
	"github.com/helpd/helpd/server/richtext"
	"github.com/helpd/helpd/server/search"
	"github.com/helpd/helpd/server/segments"
)

// ImportOptions are what an import of files is told beside them.
type ImportOptions struct {
	Category string // of sections that are named without one; empty: any
	Section  string // of new articles that name none
	Create   bool   // make the categories and sections that files name and that are not there
	DryRun   bool   // tell what would be done
	Contents articlefiles.Contents
}

// Import makes and changes articles as files say. First all files are checked, each
// with Check; then Ready makes the sections that they need; then Write writes them.
// Those of source languages come first.
type Import struct {
	svc     *Service
	by      auth.Actor
	o       ImportOptions
	locales Locales
	shelf   *shelf

	administrators int64
	segments       map[string]int64 // by name; 0: several have it
	groups         map[string]int64
	tags           map[string]string

	files     map[string]map[string]string // paths by article and language
	redirects map[string]string            // articles by old path
	there     map[string]string            // languages of articles that are there, or of their first files
}

// NewImport begins an import by an admin into the help center of the brand that by is at,
// or of the default one. It fails with what is wrong with the
// options.
func (s *Service) NewImport(ctx context.Context, by auth.Actor, o ImportOptions) (*Import, error) {
	if !by.Admin() {
		return nil, fault.Denied()
	}
	i := &Import{
		svc: s, by: by, o: o, files: map[string]map[string]string{}, redirects: map[string]string{},
		there: map[string]string{},
	}
	return i, s.db.WithContext(ctx).Transaction(i.readTx, search.OneState)
}

// readTx reads what there is, and adds what the contents describe.
func (i *Import) readTx(tx *gorm.DB) (err error) {
	if i.by, err = i.svc.atHelpCenterTx(tx, i.by); err != nil {
		return err
	}
	if i.locales, err = i.svc.localesTx(tx, i.by); err != nil {
		return err
	}
	if i.shelf, err = shelfTx(tx, i.by); err != nil {
		return err
	}
	if err := i.shelf.addContents(i.o.Contents, i.locales); err != nil {
		return fmt.Errorf("%s: %w", articlefiles.ContentsName, err)
	}
	if i.administrators, err = segments.AdministratorsTx(tx); err != nil {
		return err
	}
	if i.segments, err = byName(tx.Model(&models.UserSegment{})); err != nil {
		return err
	}
	if i.groups, err = byName(tx.Model(&models.PermissionGroup{})); err != nil {
		return err
	}
	var articles []struct{ ExternalID, SourceLocale string }
	if err := hereTx(tx, i.by).Model(&models.Article{}).Where("archived_at IS NULL").Select("external_id", "source_locale").Find(&articles).Error; err != nil {
		return err
	}
	for _, a := range articles {
		i.there[a.ExternalID] = a.SourceLocale
	}
	var tags []models.ContentTag
	err = tx.Find(&tags).Error
	i.tags = map[string]string{}
	for _, t := range tags {
		i.tags[t.Name] = t.ID
	}
	return err
}

func byName(q *gorm.DB) (map[string]int64, error) {
	var rows []struct {
		ID   int64
		Name string
	}
	out := map[string]int64{}
	err := q.Select("id", "name").Find(&rows).Error
	for _, r := range rows {
		if _, several := out[r.Name]; several {
			r.ID = 0
		}
		out[r.Name] = r.ID
	}
	return out, err
}

// Locales are the languages that files may be in.
func (i *Import) Locales() Locales { return i.locales }

// maxExternalID is how long the id of an article may be, in bytes.
const maxExternalID = 255

// Check notes a file and tells what is wrong with it: articlefiles.Problem.
func (i *Import) Check(f articlefiles.File) error {
	if !slices.Contains(i.locales.Enabled, f.Locale) {
		return f.Wrong("", "the language %.50s is not enabled (there are %s)", f.Locale, strings.Join(i.locales.Enabled, ", "))
	}
	if len(f.ID) > maxExternalID {
		return f.Wrong("id", "the id is too long (maximum is %d bytes)", maxExternalID)
	}
	if other, twice := i.files[f.ID][f.Locale]; twice {
		return f.Wrong("id", "the id %q is that of %s, too", f.ID, other)
	}
	if i.files[f.ID] == nil {
		i.files[f.ID] = map[string]string{}
	}
	i.files[f.ID][f.Locale] = f.Path
	if err := i.checkText(f); err != nil {
		return err
	}
	for _, path := range f.Redirects {
		if err := checkPath(path); err != nil {
			return f.Wrong("redirects", "%s: %s", path, said(err))
		}
		path = plainPath(path)
		if other, taken := i.redirects[path]; taken && other != f.ID {
			return f.Wrong("redirects", "%s leads to the article %q, too", path, other)
		}
		i.redirects[path] = f.ID
	}
	if f.Position != nil {
		if err := positions.Check(*f.Position); err != nil {
			return f.Wrong("position", "position %s", said(err))
		}
	}
	if f.Labels != nil {
		if _, err := cleanLabels(f.Labels); err != nil {
			return f.Wrong("labels", "labels: %s", said(err))
		}
	}
	if err := i.checkNames(f); err != nil {
		return err
	}
	if err := i.checkPlace(f); err != nil {
		return err
	}
	if _, there := i.there[f.ID]; !there {
		i.there[f.ID] = f.Locale
	}
	return nil
}

// mayGrow is about how long Markdown becomes at most as HTML: its text twice, since
// headings are their own ids, and tags for each character that may mean some.
func mayGrow(body string) int {
	marks := 0
	for n := range len(body) {
		if strings.IndexByte("\n*_`#|[<>&\"~-+=:", body[n]) >= 0 {
			marks++
		}
	}
	return 2*len(body) + 20*marks
}

func (i *Import) checkText(f articlefiles.File) error {
	if err := checkTitle("title", f.Title); err != nil {
		return f.Wrong("title", "the title %s", said(err))
	}
	if err := checkBody("body", &f.Body); err != nil {
		return f.Wrong("body", "the body %s", said(err))
	}
	if f.Markdown && mayGrow(f.Body) > MaxBody && len(richtext.ArticleOfMarkdown(f.Body)) > MaxBody {
		return f.Wrong("body", "the body as HTML is too long (maximum is %d bytes)", MaxBody)
	}
	return nil
}

// said is what an error says of its field.
func said(err error) string {
	if e := fault.Of(err); e != nil {
		for field, details := range e.Details {
			return strings.TrimPrefix(details[0].Description, fault.Title(field)+": ")
		}
	}
	return err.Error()
}

func (i *Import) checkNames(f articlefiles.File) error {
	for _, name := range f.UserSegments {
		if i.segments[name] == 0 {
			return f.Wrong("user_segments", "%q is not the name of one user segment", name)
		}
	}
	if f.PermissionGroup != nil && i.groups[*f.PermissionGroup] == 0 {
		return f.Wrong("permission_group", "%q is not the name of one permission group", *f.PermissionGroup)
	}
	for _, name := range f.ContentTags {
		if i.tags[name] == "" {
			return f.Wrong("content_tags", "there is no content tag %q", name)
		}
	}
	return nil
}

// checkPlace sees to it that there is the section that a file names, and that a new
// article has one.
func (i *Import) checkPlace(f articlefiles.File) error {
	source, there := i.there[f.ID]
	if there && source != f.Locale {
		return nil // a translation says nothing of where the article lies
	}
	in, position, err := i.place(f)
	if err != nil || in != nil || there {
		return err
	}
	if i.o.Section == "" {
		return f.Wrong("section", "the article is new and has no section: it stands in no folder, in no front matter and in no %s", articlefiles.ContentsName)
	}
	f.Section = []string{i.o.Section}
	if in, _, err = i.place(f); err != nil {
		return err
	}
	i.shelf.listed[f.ID] = listed{in, *cmp.Or(position, new(int64))}
	return nil
}

// place is where a file says that its article lies; nil where it does not.
func (i *Import) place(f articlefiles.File) (*shelfSection, *int64, error) {
	if f.Section == nil {
		l, ok := i.shelf.listed[f.ID]
		if !ok {
			return nil, f.Position, nil
		}
		return l.section, cmp.Or(f.Position, &l.position), nil
	}
	if len(f.Section) == 0 {
		return nil, nil, f.Wrong("section", "the section is empty")
	}
	if l, ok := i.shelf.listed[f.ID]; ok && !f.Says("section") { // its folder may be called as it will
		return l.section, cmp.Or(f.Position, &l.position), nil
	}
	name := cmp.Or(f.Category, i.o.Category)
	in, err := i.category(f, name)
	if err != nil {
		return nil, nil, err
	}
	found, err := i.shelf.section(in, f.Section)
	if err != nil {
		return nil, nil, f.Wrong("section", "%v", err)
	}
	if found == nil && i.o.Create && in != nil {
		if len(f.Section) > MaxDepth {
			return nil, nil, f.Wrong("section", "sections cannot be nested more than %d levels deep", MaxDepth)
		}
		found = i.shelf.ensure(in, f.Section, f.Locale)
	}
	if found == nil {
		where := ""
		if name != "" {
			where = fmt.Sprintf(" in the category %q", name)
		}
		return nil, nil, f.Wrong("section", "there is no section %q%s", strings.Join(f.Section, " / "), where)
	}
	return found, f.Position, nil
}

// category is the one with a name; nil for no name.
func (i *Import) category(f articlefiles.File, name string) (*shelfCategory, error) {
	if name == "" {
		return nil, nil
	}
	found, err := i.shelf.category(name)
	if err != nil {
		return nil, f.Wrong("category", "%v", err)
	}
	if found == nil && i.o.Create {
		return i.shelf.addCategory(articlefiles.Category{Heading: articlefiles.Heading{Name: name, Locale: f.Locale}}), nil
	}
	if found == nil {
		return nil, f.Wrong("category", "there is no category %q", name)
	}
	return found, nil
}

// Missing are the categories and sections that the files need and that are not there,
// once each was checked: paths of names, as category / section. Ready makes them.
func (i *Import) Missing() (categories, sections []string) {
	for _, c := range i.shelf.categories {
		if c.make != nil {
			categories = append(categories, c.name())
		}
		sections = append(sections, missing(c.sections)...)
	}
	return categories, sections
}

func missing(list []*shelfSection) (paths []string) {
	for _, s := range list {
		if s.make != nil {
			paths = append(paths, strings.Join(append([]string{s.category.name()}, s.path()...), " / "))
		}
		paths = append(paths, missing(s.sections)...)
	}
	return paths
}

// Index has what was written so far be found. An import that goes on without leaves
// thousands of articles behind for which a search has to wait.
func (i *Import) Index(ctx context.Context) error {
	return i.svc.index.Settle(ctx, i.by.AccountID, search.Article)
}

// namesOfIDs are the names of user segments and the like, sorted; of one whose name
// others have, too, its id.
func namesOfIDs[T comparable](byName map[string]T, ids ...T) []string {
	names := map[T]string{}
	for name, id := range byName {
		names[id] = name
	}
	out := []string{}
	for _, id := range ids {
		out = append(out, cmp.Or(names[id], fmt.Sprint(id)))
	}
	slices.Sort(out)
	return out
}

// Ready makes the categories and sections that the files need, once each was
// checked.
func (i *Import) Ready(ctx context.Context) error {
	if i.o.DryRun {
		return nil
	}
	return i.shelf.fill(ctx, i.svc, i.by)
}
