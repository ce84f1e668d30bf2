package fields

import (
	"context"

	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
)

// UpdateSettings changes the settings of the actor's account and returns its
// set-up then. It fails as accounts.UpdateSettings does.
func (s *Service) UpdateSettings(ctx context.Context, by auth.Actor, c accounts.SettingsChange) (*Config, error) {
	if err := accounts.UpdateSettings(ctx, s.db, s.now(), by, c); err != nil {
		return nil, err
	}
	return s.SetUp(ctx, by)
}
