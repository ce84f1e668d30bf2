package schedules

import (
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/businesshours"
	"github.com/helpd/helpd/server/timezone"
)

// Clock is a schedule to reckon with.
type Clock struct {
	ID    int64
	Hours *businesshours.Hours
}

// Read reads the schedules of the account of tx, the default one first: two
// queries, however many there are.
func Read(tx *gorm.DB) ([]Clock, error) {
	var rows []models.Schedule
	if err := tx.Order("id").Find(&rows).Error; err != nil || len(rows) == 0 {
		return nil, err
	}
	var holidays []models.Holiday
	if err := tx.Find(&holidays).Error; err != nil {
		return nil, err
	}
	off := map[int64][]businesshours.Holiday{}
	for _, h := range holidays {
		off[h.ScheduleID] = append(off[h.ScheduleID], businesshours.Holiday{First: h.StartDate, Last: h.EndDate})
	}
	out := make([]Clock, len(rows))
	for n, r := range rows {
		out[n] = Clock{r.ID, businesshours.New(timezone.Load(r.TimeZone), Intervals(r), off[r.ID])}
	}
	return out, nil
}

// Intervals are the working hours of a schedule, sorted.
func Intervals(r models.Schedule) []businesshours.Interval {
	out := make([]businesshours.Interval, len(r.Intervals)/2)
	for n := range out {
		out[n] = businesshours.Interval{Start: int(r.Intervals[2*n]), End: int(r.Intervals[2*n+1])}
	}
	return out
}
