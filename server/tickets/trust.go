package tickets

import (
	"context"
	"encoding/json"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
)

// TrustAudit says that an audit is by whom it seems to be: the flags of what
// looked suspicious go from it and from its comment, which are marked as trusted.
// It fails with fault.NotFound.
func (s *Service) TrustAudit(ctx context.Context, by auth.Actor, ticket, audit int64) error {
	a, err := s.Audit(ctx, by, ticket, audit)
	if err != nil {
		return err
	}
	metadata := map[string]json.RawMessage{}
	if err := json.Unmarshal(a.Metadata, &metadata); err != nil {
		return err
	}
	metadata["flags"], metadata["flags_options"], metadata["trusted"] = json.RawMessage("[]"), json.RawMessage("{}"), json.RawMessage("true")
	trusted := models.ToJSON(metadata)
	return s.db.WithContext(ctx).Exec(`WITH trusted AS (UPDATE audits SET metadata = ? WHERE account_id = ? AND id = ?)
		UPDATE comments SET metadata = ? WHERE account_id = ? AND audit_id = ?`,
		trusted, by.AccountID, audit, trusted, by.AccountID, audit).Error
}
