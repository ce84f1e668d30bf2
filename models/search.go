package models

// Vector is the text of a tsvector.
type Vector = string

// SearchDoc is what a record is found by, see package search.
type SearchDoc struct {
	AccountID int64  `gorm:"primaryKey;autoIncrement:false"`
	Kind      string `gorm:"primaryKey"` // ticket, user, organization, group
	RecordID  int64  `gorm:"primaryKey;autoIncrement:false"`
	TSV       Vector `gorm:"column:tsv"`
}

// SearchPending is a record whose SearchDoc is yet to be made anew.
type SearchPending struct {
	Tenant
	Kind     string
	RecordID int64
}

// TableName is no plural.
func (SearchPending) TableName() string { return "search_pending" }
