package rulebook

import (
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/rules"
)

// LastPosition is where a rule goes that names no position, but for triggers,
// which go behind the others of their category.
const LastPosition = 10_000

// kind is what one kind of rules has of its own.
type kind struct {
	use        rules.Use
	conditions bool // or it is for all tickets
	actions    bool
	described  bool       // has a description
	ordered    bool       // in categories
	searches   bool       // looks for tickets among all
	timed      bool       // as time goes by
	personal   bool       // may be for one agent, or for some groups
	columns    bool       // has an output
	files      bool       // has files, for comments
	distinct   bool       // no two active ones do the same
	most       int        // active ones of an account; 0: as many as they like
	byNumber   page.Order // of a listing by number in no order that the caller names
	byCursor   page.Order // the same by cursor
}

// IsKind reports whether there are rules of a kind: models.RuleTrigger and the
// rest.
func IsKind(kind string) bool { _, ok := kinds[kind]; return ok }

var kinds = map[string]kind{
	models.RuleTrigger:    {use: rules.Triggers, conditions: true, actions: true, described: true, ordered: true, most: MaxTriggers, byNumber: running, byCursor: running},
	models.RuleAutomation: {use: rules.Automations, searches: true, timed: true, conditions: true, actions: true, distinct: true, most: MaxAutomations, byNumber: placed, byCursor: placed},
	models.RuleView:       {use: rules.Views, searches: true, conditions: true, described: true, personal: true, columns: true, byNumber: placed, byCursor: byCreation},
	models.RuleMacro:      {use: rules.Macros, actions: true, described: true, personal: true, files: true, byNumber: alphabetical, byCursor: alphabetical},
}
