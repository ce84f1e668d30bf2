package tickets

import (
	"strconv"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/placeholders"
	"github.com/helpd/helpd/server/rulebook"
)

// tellMacros tells of the macros that an agent has applied, and counts them. One
// that is gone, or that he does not see, is passed over: what the agent wrote
// with it is worth more than the note.
func (s *save) tellMacros() error {
	ids := s.change.MacroIDs
	if len(ids) == 0 || s.silent || !s.by.Staff() {
		return nil
	}
	if len(ids) > rulebook.MaxMany {
		return fault.InvalidField("macros", "are too many (maximum is %d)", rulebook.MaxMany)
	}
	var found map[int64]models.Rule
	if s.together != nil {
		found = s.together.macros
	} else {
		var err error
		if found, err = macrosAmong(s.tx, s.by, ids); err != nil {
			return err
		}
	}
	told := map[int64]bool{}
	for _, id := range ids {
		m, ok := found[id]
		if !ok || told[id] {
			continue
		}
		told[id] = true
		title := placeholders.Title(m.Title, s.config.Texts, s.by.User.Locale)
		if err := s.tell(auditEvent{Type: "AgentMacroReference", MacroID: strconv.FormatInt(id, 10), MacroTitle: title}); err != nil {
			return err
		}
		s.uses = append(s.uses, id)
	}
	return nil
}

// macrosAmong are those of the macros that by, an agent, sees.
func macrosAmong(tx *gorm.DB, by auth.Actor, ids models.IDs) (map[int64]models.Rule, error) {
	if len(ids) == 0 || !by.Staff() {
		return nil, nil
	}
	list, err := rulebook.ManyTx(tx, by, models.RuleMacro, ids)
	found := make(map[int64]models.Rule, len(list))
	for _, m := range list {
		found[m.ID] = m
	}
	return found, err
}
