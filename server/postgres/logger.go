package postgres

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// slowStatement is how long a statement may take before it is logged.
const slowStatement = 500 * time.Millisecond

// quietLogger logs what is slow. Errors are returned, and logged once where
// they stop. Statements are logged with placeholders, never with values.
type quietLogger struct{ log *slog.Logger }

func (l quietLogger) LogMode(logger.LogLevel) logger.Interface   { return l }
func (l quietLogger) Info(context.Context, string, ...any)       {}
func (l quietLogger) Warn(_ context.Context, s string, _ ...any) { l.log.Warn(s) }
func (l quietLogger) Error(context.Context, string, ...any)      {}

// ParamsFilter keeps values out of the logged statements.
func (l quietLogger) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

func (l quietLogger) Trace(ctx context.Context, begin time.Time, fc func() (string, int64), err error) {
	took := time.Since(begin)
	if took < slowStatement || errors.Is(err, gorm.ErrRecordNotFound) {
		return
	}
	sql, rows := fc()
	l.log.WarnContext(ctx, "slow statement", "ms", took.Milliseconds(), "rows", rows, "sql", sql)
}
