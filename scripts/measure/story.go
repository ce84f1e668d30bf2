package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
)

var (
	priorities = []string{"low", "normal", "normal", "normal", "high", "urgent"}
	kinds      = []string{models.TypeQuestion, models.TypeQuestion, models.TypeIncident, models.TypeProblem, models.TypeTask}
	products   = []string{"camera", "printer", "router", "scanner", "phone", "tablet"}
	words      = strings.Fields(`the a we you it of to in for with on is was not order account password printer invoice delivery screen
		update error message please help since yesterday again customer reset login page report device battery cable refund address
		shipment missing broken late charged twice cannot open file format server slow timeout connection license key expired renew
		upgrade plan cancel subscription contact team manager question about new version feature works before after install`)
)

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func sentence(r *rand.Rand, n int) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(pick(r, words))
	}
	return b.String()
}

// paragraph is of 20 to 100 words, about 330 letters on average.
func paragraph(r *rand.Rand) string { return sentence(r, 20+r.IntN(80)) + "." }

// someTags are up to n tags, of which a few are on many tickets.
func someTags(r *rand.Rand, n int) []string {
	tags := []string{}
	for range r.IntN(n + 1) {
		tag := fmt.Sprintf("topic_%d", int(math.Pow(r.Float64(), 3)*tagCount))
		if !contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

func contains(list []string, s string) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

func text(id int64) string { return strconv.FormatInt(id, 10) }

// story is what happens with one ticket: a program enters what the requester
// asks, an agent answers and mostly takes it, a third comment brings it to its
// status, and the agent closes it.
type story struct {
	ticket                     int64
	asked, answered, last      time.Time
	closed                     time.Time // the zero time: it is not closed
	requester, agent           int64
	copied                     []int64 // users with a copy
	organization, group        int64
	assigned                   bool
	status                     string // with the third comment
	publicly                   bool   // the third comment is
	subject                    string
	question, answer, thirdOne string
	kind, priority, external   *string
	tags                       []string // without those of fields
	fields                     object
	due                        *time.Time
}

// story draws one. The age of a ticket is that of its number.
func (f *filler) story(id int64) story {
	r := f.r
	s := story{ticket: id, tags: someTags(r, 4), fields: object{}, subject: sentence(r, 4+r.IntN(8))}
	s.question, s.answer, s.thirdOne, s.publicly = paragraph(r), paragraph(r), paragraph(r), r.IntN(4) > 0
	s.asked = f.now.Add(-time.Duration(float64(2*365*24*time.Hour) * (1 - float64(id)/float64(f.count+1)))).Truncate(time.Microsecond)
	s.answered = s.asked.Add(time.Duration(1+r.IntN(300)) * time.Minute)
	s.last = s.answered.Add(time.Duration(1+r.IntN(3000)) * time.Minute)
	if s.last.After(f.now) {
		s.answered, s.last = s.asked, f.now
	}
	f.drawPeople(&s)
	f.drawStatus(&s)
	f.drawFields(&s)
	return s
}

func (f *filler) drawPeople(s *story) {
	r := f.r
	s.requester = f.anyUser()
	s.organization = *f.organizationOf(s.requester)
	s.agent = f.agents[int(math.Pow(r.Float64(), 2)*agentCount)]
	s.group = *f.groupOf(s.agent)
	if other := f.anyUser(); r.IntN(8) == 0 && other != s.requester {
		s.copied = []int64{other}
	}
}

func (f *filler) anyUser() int64 { return f.firstUser + f.r.Int64N(int64(usersFor(f.count))) }

// How many of the tickets, of the oldest, are closed, and closed or solved.
const (
	closedShare = 0.6
	solvedShare = 0.7
)

func (f *filler) drawStatus(s *story) {
	switch age, p := float64(s.ticket)/float64(f.count), f.r.Float64(); {
	case age <= closedShare:
		s.status, s.closed = models.StatusSolved, s.last.AddDate(0, 0, 4)
		if s.closed.After(f.now) {
			s.closed = f.now
		}
	case age <= solvedShare:
		s.status = models.StatusSolved
	case p < 0.15:
		s.status = models.StatusNew
	case p < 0.6:
		s.status = models.StatusOpen
	case p < 0.9:
		s.status = models.StatusPending
	default:
		s.status = models.StatusHold
	}
	s.assigned = s.status != models.StatusNew
}

func (f *filler) drawFields(s *story) {
	r := f.r
	if r.IntN(4) > 0 {
		s.kind = new(pick(r, kinds))
	}
	if r.IntN(5) > 0 {
		s.priority = new(pick(r, priorities))
	}
	if r.IntN(4) == 0 {
		s.external = new(externalID(s.ticket))
	}
	if r.IntN(2) == 0 {
		s.fields[text(f.fields.order)] = fmt.Sprintf("A-%d", r.IntN(1e6))
	}
	if r.IntN(2) == 0 {
		s.fields[text(f.fields.product)] = pick(r, products)
	}
	if r.IntN(4) == 0 {
		s.fields[text(f.fields.urgent)] = true
	}
	if r.IntN(4) == 0 {
		s.fields[text(f.fields.seats)] = strconv.Itoa(r.IntN(500)) // numbers are kept as texts
	}
	if s.kind != nil && *s.kind == models.TypeTask {
		s.due = new(s.asked.AddDate(0, 0, 7).Truncate(time.Second))
	}
}

// externalID is that of a ticket, which a quarter of them have.
func externalID(ticket int64) string { return fmt.Sprintf("CRM-%d", ticket) }
