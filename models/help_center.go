package models

import "time"

// What a Translation is of.
const (
	SourceArticle  = "Article"
	SourceSection  = "Section"
	SourceCategory = "Category"
)

// Category is the highest level of the help center. Its names are in Translation.
type Category struct {
	Tenant
	BrandID      int64
	SourceLocale string // lower case: en-us
	Position     int
	Stamps
}

// Orders of a section's articles.
const (
	SortingManual       = "manual" // by position
	SortingTitle        = "title"
	SortingCreationDesc = "creation_desc"
	SortingCreationAsc  = "creation_asc"
)

// Who may see a section, and who may change it.
const (
	ViewableByEverybody = "everybody"
	ViewableBySignedIn  = "signed_in_users"
	ViewableByStaff     = "staff"
	ManageableByStaff   = "staff"
	ManageableByManager = "managers"
)

// Section holds articles and other sections. Its names are in Translation.
type Section struct {
	Tenant
	BrandID         int64
	CategoryID      int64
	ParentSectionID *int64
	SourceLocale    string
	Position        int
	Sorting         string // of its articles: SortingManual and the rest
	ThemeTemplate   string
	UserSegmentID   *int64 // who may see it and what is in it; nil: everybody

	// The older way to say who may: all of it must hold.
	ViewableBy                  string
	ManageableBy                string
	RestrictedToGroupIDs        IDs
	RestrictedToOrganizationIDs IDs
	RequiredTags                Strings

	Restricted bool `gorm:"->"` // whether any of it keeps somebody out; the database tells
	Stamps
}

// Article is what a help center is about. Its texts are in Translation.
type Article struct {
	Tenant
	BrandID           int64
	CategoryID        int64 // of its section
	SectionID         int64 // which may be gone once the article is archived
	AuthorID          int64
	PermissionGroupID int64 // who of the agents may change it
	UserSegmentIDs    IDs   // any of which may see it; empty: everybody
	SourceLocale      string
	Position          int
	Promoted          bool
	CommentsDisabled  bool
	LabelNames        Strings // as in Label
	ContentTagIDs     Strings
	ExternalID        *string // by which an import knows it again; the database gives one to those who come without
	VoteSum           int
	VoteCount         int
	Version           int64 // moves with every write, also of a translation
	Stamps
	EditedAt     time.Time  // when a title or a body last changed
	ArchivedAt   *time.Time // nil: it is in the help center
	ArchivedByID *int64
}

// Translation is what an article, section or category is called in a language.
type Translation struct {
	Tenant
	SourceType  string // SourceArticle and the rest
	SourceID    int64
	Locale      string  // lower case: en-us
	Title       string  // the name of a section or category
	HTMLBody    *string // sanitised; the description of a section or category
	Markdown    *string // that HTMLBody was made from; nil: it came as HTML
	Draft       bool
	Outdated    bool
	CreatedByID int64
	UpdatedByID int64
	Stamps
}

// TranslationRevision is what a translation was after a change of its title or
// body.
type TranslationRevision struct {
	Tenant
	TranslationID int64
	Title         string
	HTMLBody      *string
	AuthorID      int64
	CreatedAt     time.Time `gorm:"autoCreateTime:false"`
}

// Label is a word by which writers group articles.
type Label struct {
	Tenant
	Name string // no two are the same, whatever their case
	Stamps
}

// Redirect is where an article was in a help center before this one.
type Redirect struct {
	Tenant
	BrandID   int64
	Path      string // "/old/how-to-return.html"; no two of a brand are the same
	ArticleID int64
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
}
