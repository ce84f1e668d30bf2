package models

// SearchRun are the words of some documents, see package search.
type SearchRun struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	Kind      string `gorm:"primaryKey"` // ticket, user, organization, group
	Section   int64  `gorm:"primaryKey;autoIncrement:false"`
	Run       int64  `gorm:"primaryKey;autoIncrement:false"`
	Docs      int
	IDs       []byte `gorm:"column:ids"`
	Gone      []byte
}

// SearchBlock is a piece of a SearchRun.
type SearchBlock struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	Kind      string `gorm:"primaryKey"`
	Section   int64  `gorm:"primaryKey;autoIncrement:false"`
	Run       int64  `gorm:"primaryKey;autoIncrement:false"`
	Places    bool   `gorm:"primaryKey"`
	First     string `gorm:"primaryKey"`
	Data      []byte
}

// SearchFresh is a document that is in no SearchRun yet.
type SearchFresh struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	Kind      string `gorm:"primaryKey"`
	RecordID  int64  `gorm:"primaryKey;autoIncrement:false"`
	Doc       []byte // nil: the record has none any more
	Erase     bool
}

// TableName is no plural.
func (SearchFresh) TableName() string { return "search_fresh" }

// SearchPending is a record whose document is yet to be made anew.
type SearchPending struct {
	Tenant
	Kind     string `gorm:"primaryKey"`
	RecordID int64
	Erase    bool
}

// TableName is no plural.
func (SearchPending) TableName() string { return "search_pending" }
