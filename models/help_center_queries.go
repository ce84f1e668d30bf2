package models

import "time"

// HelpCenterQuery is what readers of the help center looked for on a day, and what
// came of it.
type HelpCenterQuery struct {
	AccountID int64     `gorm:"primaryKey;autoIncrement:false"`
	BrandID   int64     `gorm:"primaryKey;autoIncrement:false"`
	Day       time.Time `gorm:"primaryKey;type:date"`
	Locale    string    `gorm:"primaryKey"`
	Query     string    `gorm:"primaryKey"`
	Searches  int64
	Empty     int64
	Clicks    int64
	LastAt    time.Time
}
