package events

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// Logged is an event as the log has it.
type Logged struct {
	AccountID  int64
	ID         int64
	Seq        int64
	NumberedAt time.Time
	Type       string // with TypePrefix
	Subject    string // zen:ticket:35
	SubjectID  int64
	ActorID    int64
	SourceID   string // empty: none
	Detail     json.RawMessage
	Change     json.RawMessage
	CreatedAt  time.Time
}

// Filter is which events to read. The zero value reads all.
type Filter struct {
	Types    []string // with TypePrefix; one that ends in * is all that begin so
	Subjects []string // zen:ticket:35; zen:ticket:* is all tickets
	Except   []string // sources whose events are left out
}

// Has reports whether an event is one of those that the filter reads.
func (f Filter) Has(e *Logged) bool {
	return matches(f.Types, e.Type) && matches(f.Subjects, e.Subject) && !slices.Contains(f.Except, e.SourceID)
}

func matches(patterns []string, name string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool {
		start, wild := strings.CutSuffix(p, "*")
		return p == name || wild && strings.HasPrefix(name, start)
	})
}

const loggedColumns = "account_id, id, seq, numbered_at, type, subject, subject_id, actor_id, coalesce(source_id, ''), detail, change, created_at"

func (e *Logged) scan(row postgres.Scanned) error {
	return row.Scan(&e.AccountID, &e.ID, &e.Seq, &e.NumberedAt, &e.Type, &e.Subject, &e.SubjectID, &e.ActorID, &e.SourceID, &e.Detail, &e.Change, &e.CreatedAt)
}

// lookedAt is how many batches of events one call of Read looks at, so that each
// costs the same whatever is left out.
const lookedAt = 2_000

// Read is up to limit events of an account with larger numbers than after, in
// the order of their numbers. next is the number to go on after, and more
// reports whether there may be any behind it.
func (l *Log) Read(ctx context.Context, account int64, f Filter, after int64, limit int) (list []Logged, next int64, more bool, err error) {
	db := l.db.WithContext(ctx)
	where, args := f.where()
	if where != "" {
		var looked int
		if _, err := postgres.Row(db, "SELECT count(*), coalesce(max(seq), ?) FROM (SELECT seq FROM event_numbers WHERE account_id = ? AND seq > ? ORDER BY seq LIMIT ?) AS e",
			[]any{after, account, after, lookedAt}, &looked, &next); err != nil {
			return nil, after, false, err
		}
		where, args, more = where+" AND batch_seq <= ?", append(args, next), looked == lookedAt
	}
	err = postgres.Rows(db, "SELECT "+loggedColumns+" FROM numbered_events WHERE account_id = ? AND batch_seq > ? AND seq > ?"+where+" ORDER BY batch_seq, seq LIMIT ?",
		append(append([]any{account, after, after}, args...), limit+1), collect(&list))
	if err != nil {
		return nil, after, false, err
	}
	if len(list) > limit {
		list = list[:limit]
		return list, list[limit-1].Seq, true, nil
	}
	if len(list) > 0 {
		after = list[len(list)-1].Seq
	}
	return list, max(next, after), more, nil
}

// where is the filter as SQL.
func (f Filter) where() (text string, args []any) {
	for _, c := range []struct {
		column   string
		patterns []string
	}{{"type", f.Types}, {"subject", f.Subjects}} {
		if len(c.patterns) == 0 {
			continue
		}
		like := make(models.Strings, len(c.patterns))
		for i, p := range c.patterns {
			start, wild := strings.CutSuffix(p, "*")
			if like[i] = postgres.EscapeLike(start); wild {
				like[i] += "%"
			}
		}
		text, args = text+" AND "+c.column+" LIKE ANY(?)", append(args, like)
	}
	if len(f.Except) > 0 {
		text, args = text+" AND coalesce(source_id, '') <> ALL(?)", append(args, models.Strings(f.Except))
	}
	return text, args
}

func collect(list *[]Logged) func(postgres.Scanned) error {
	return func(row postgres.Scanned) error {
		*list = append(*list, Logged{})
		return (*list)[len(*list)-1].scan(row)
	}
}

// followedAtOnce is how many numbers a follower passes in one transaction. Events of
// a batch come together, with the number of its last one.
const followedAtOnce = 1_000

// Follower follows the log of all accounts, once for all processes under its name.
type Follower struct {
	Name string
	// Wants is the condition, in SQL, of the numbered_events e that it is given:
	// what nobody wants is not even read.
	Wants string
	// Take gets them in the order of their numbers. What it writes in tx is kept if
	// and only if they do not come again.
	Take func(tx *gorm.DB, list []Logged) error
}

// Follow gives f what it wants of the events that are numbered from now on, until
// ctx is done.
func (l *Log) Follow(ctx context.Context, f Follower) {
	for {
		seen := l.last()
		seq, err := l.follow(ctx, f)
		if ctx.Err() != nil {
			return
		}
		news := l.Beyond(max(seen, seq))
		if err != nil {
			l.log.ErrorContext(ctx, "follow events", "name", f.Name, "error", err)
			news = nil
		}
		select {
		case <-news:
		case <-time.After(time.Second): // somebody else may have stopped
		case <-ctx.Done():
			return
		}
	}
}

// follow gives what there is, and returns the number that f has come to; 0 where
// somebody else is at it.
func (l *Log) follow(ctx context.Context, f Follower) (seq int64, err error) {
	for more := true; more && err == nil; {
		err = l.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
			more = false
			found, err := postgres.Row(tx, "SELECT seq FROM event_readers WHERE name = ? FOR UPDATE SKIP LOCKED", []any{f.Name}, &seq)
			if err != nil {
				return err
			}
			if !found {
				return tx.Exec("INSERT INTO event_readers (name, seq) SELECT ?, seq FROM event_clock ON CONFLICT DO NOTHING", f.Name).Error
			}
			var end int64
			if _, err := postgres.Row(tx, "SELECT seq FROM event_clock", nil, &end); err != nil || end <= seq {
				return err
			}
			if more = end-seq > followedAtOnce; more {
				end = seq + followedAtOnce
			}
			var list []Logged
			err = postgres.Rows(tx, "SELECT "+loggedColumns+" FROM numbered_events AS e WHERE batch_seq > ? AND batch_seq <= ? AND "+f.Wants+" ORDER BY batch_seq, seq", []any{seq, end}, collect(&list))
			if err != nil {
				return err
			}
			if len(list) > 0 {
				if err := f.Take(tx, list); err != nil {
					return err
				}
			}
			seq = end
			return tx.Exec("UPDATE event_readers SET seq = ? WHERE name = ?", seq, f.Name).Error
		})
	}
	return seq, err
}

// Version is the version of the form of events that Envelope makes.
const Version = "2022-11-06"

// Envelope is an event as webhooks, streams and exports send it (contract
// webhooks.md §5), followed by what is ours: actor_id and source_id (null: none).
func (e *Logged) Envelope() json.RawMessage {
	var source *string
	if e.SourceID != "" {
		source = &e.SourceID
	}
	return json.RawMessage(models.ToJSON(envelope{
		AccountID: e.AccountID, ID: UUID(e.AccountID, e.ID), Subject: e.Subject, Time: Time(e.CreatedAt), Type: e.Type, Version: Version,
		Event: e.Change, Detail: e.Detail, ActorID: ID(e.ActorID), SourceID: source,
	}))
}

type envelope struct {
	AccountID int64           `json:"account_id"`
	ID        string          `json:"id"`
	Subject   string          `json:"subject"`
	Time      string          `json:"time"`
	Type      string          `json:"type"`
	Version   string          `json:"zendesk_event_version"`
	Event     json.RawMessage `json:"event"`
	Detail    json.RawMessage `json:"detail"`
	ActorID   string          `json:"actor_id"`
	SourceID  *string         `json:"source_id"`
}
