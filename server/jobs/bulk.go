package jobs

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/riverqueue/river"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// Limits of bulk operations, the contract's.
const (
	MaxItems    = 100 // in one call
	MaxOpenJobs = 30  // queued or working, in an account
)

// Operation is what a bulk job does with each of its items.
type Operation struct {
	JobType string // as job statuses show it: "Bulk Create Ticket"
	Doing   string // the message while it works, before a number: "Creating ticket"
	Action  string // in the result of an item that failed: "create", "update", "delete"

	// Run does one item, the index-th from 0, and returns its result, which
	// becomes JSON. What ctx touches is in the transaction that also notes the
	// result: the item is done exactly once, however often the process dies.
	//
	// A fault becomes the item's result and undoes what Run did. Any other
	// error is taken for an outage: the job waits and comes back to this item,
	// eight times in about two minutes; then the item has failed.
	Run func(ctx context.Context, by auth.Actor, item json.RawMessage, index int) (result any, err error)
	// RunMany, if there is one, does all items that are left, in their order, and
	// returns what came of each. What ctx touches is in the transaction that also
	// ends the job.
	//
	// An item with a fault must have left nothing behind; it does not keep the others
	// from being done. An error, whatever it is, undoes all of them, and Run
	// does them one by one. So RunMany may give up where Run would not.
	RunMany func(ctx context.Context, by auth.Actor, items []Item) ([]Result, error)

	// Single jobs have one item, whose result stands alone and not in a list,
	// and show no numbers.
	Single bool
	// TooMany is the error for more than MaxItems; nil is fault.Exceeds.
	TooMany *fault.Error
}

// Item is one of several that are done at once.
type Item struct {
	Index int // from 0
	JSON  json.RawMessage
}

// Result is what came of an item: what becomes JSON, or a fault.
type Result struct {
	Value any
	Err   error
}

// bulkArgs is a bulk job in the queue. The items are not in it: the queue's
// table has an index over all that arguments contain.
type bulkArgs struct {
	AccountID int64    `json:"account_id"`
	ID        string   `json:"id"` // of the job status
	Operation string   `json:"operation"`
	UserID    int64    `json:"user_id"`
	Scopes    []string `json:"scopes"` // null: not limited
	Via       string   `json:"via"`
}

func (bulkArgs) Kind() string { return "bulk" }

// Register makes an operation known under a name. It comes before Start. The
// name is kept with jobs that are under way: it must outlive a new version.
func (s *Service) Register(name string, o Operation) { s.operations[name] = o }

// StartBulk has an operation done with each of the items, in their order, with
// the rights of by, and returns the job's status as it is now: queued. It fails
// with fault.TooMany for over MaxItems items, with fault.BadRequest for none, and
// with fault.TooManyJobs.
func (s *Service) StartBulk(ctx context.Context, by auth.Actor, name string, items []json.RawMessage) (models.JobStatus, error) {
	op, ok := s.operations[name]
	if !ok {
		panic("no bulk operation " + name)
	}
	if len(items) > MaxItems {
		if op.TooMany != nil {
			return models.JobStatus{}, op.TooMany
		}
		return models.JobStatus{}, fault.Exceeds(MaxItems)
	}
	if len(items) == 0 {
		return models.JobStatus{}, fault.New(fault.BadRequest, "Name at least one record")
	}
	job := models.JobStatus{
		AccountID: by.AccountID, ID: newJobID(), JobType: op.JobType, Status: models.JobQueued, UserID: by.ID(),
		Stamps: models.Stamps{CreatedAt: s.now(), UpdatedAt: s.now()},
	}
	if n := len(items); !op.Single {
		job.Total = &n
	}
	args := bulkArgs{by.AccountID, job.ID, name, by.ID(), by.Scopes, by.Via}
	err := s.db.WithContext(postgres.WithAccount(ctx, by.AccountID)).Transaction(func(tx *gorm.DB) error {
		open, err := openJobsTx(tx, by.AccountID)
		if err != nil {
			return err
		}
		if open >= MaxOpenJobs {
			return fault.New(fault.TooManyJobs, "Too many jobs are currently queued or running. Try again later.")
		}
		if err := tx.Create(&job).Error; err != nil {
			return err
		}
		rows := postgres.NewCopied("job_items", "account_id, job_id, index, item")
		for i, item := range items {
			rows.Add(by.AccountID, job.ID, i, []byte(item))
		}
		if err := postgres.Copy(tx, rows); err != nil {
			return err
		}
		return s.EnqueueTx(tx, args, river.InsertOpts{Queue: bulkQueue, MaxAttempts: bulkAttempts, Priority: priority(open)})
	})
	return job, err
}

// openJobsTx counts the account's jobs under way. Those that start jobs of one
// account take turns from here on, or many at once would pass the limit.
func openJobsTx(tx *gorm.DB, account int64) (int, error) {
	const startClass = 0x6a6f6273 // "jobs"
	if err := tx.Exec("SELECT pg_advisory_xact_lock(?, ?)", startClass, int32(account)).Error; err != nil {
		return 0, err
	}
	var open int
	err := tx.Raw("SELECT count(*) FROM job_statuses WHERE account_id = ? AND status IN ('queued', 'working')", account).Row().Scan(&open)
	return open, err
}

// priority lets an account's first jobs pass those of one that has many: 1 is
// worked before 4.
func priority(open int) int {
	switch {
	case open < 2:
		return 1
	case open < 5:
		return 2
	case open < 15:
		return 3
	}
	return 4
}

func newJobID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return "V3-" + hex.EncodeToString(b[:])
}

// failure is the result of an item that could not be done.
type failure struct {
	ID      json.RawMessage `json:"id,omitempty"`
	Index   int             `json:"index"`
	Action  string          `json:"action,omitempty"`
	Status  string          `json:"status"`
	Success bool            `json:"success"`
	Error   string          `json:"error"`
	Details string          `json:"details"`
}

// Culprit is the failure of one of several records that an item names, all of
// which are done or none. The result tells of that one.
type Culprit struct {
	ID    int64
	Index int // among the item's records
	Err   error
}

func (c *Culprit) Error() string { return c.Err.Error() }

// Unwrap gives the kind of the failure to those who ask for it.
func (c *Culprit) Unwrap() error { return c.Err }

func failed(op Operation, item json.RawMessage, index int, err error) failure {
	id := idOf(item)
	if culprit := (*Culprit)(nil); errors.As(err, &culprit) {
		id, index = json.RawMessage(strconv.FormatInt(culprit.ID, 10)), culprit.Index
	}
	f := failure{ID: id, Index: index, Action: op.Action, Status: "Failed", Error: "InternalServerError", Details: "An unexpected error occurred"}
	if known := fault.Of(err); known != nil {
		f.Error, f.Details = names[known.Kind], known.Error()
		if f.Error == "" {
			f.Error = "RecordInvalid"
		}
	}
	return f
}

// names are the errors of items that failed; any other kind is RecordInvalid.
var names = map[fault.Kind]string{
	fault.NotFound:        "RecordNotFound",
	fault.Forbidden:       "Forbidden",
	fault.MissingScope:    "Forbidden",
	fault.Unauthenticated: "Forbidden",
	fault.BadAttribute:    "InvalidValue",
	fault.BadRequest:      "InvalidValue",
	fault.Outdated:        "UpdateConflict",
	fault.Busy:            "DatabaseConflict",
	fault.TooLarge:        "RequestEntityTooLarge",
}

// idOf is the id that an item names: the item itself or its member "id", when
// that is a number or a string.
func idOf(item json.RawMessage) json.RawMessage {
	var id any
	if json.Unmarshal(item, &id) != nil {
		return nil
	}
	if object, ok := id.(map[string]any); ok {
		if id, ok = object["id"]; !ok {
			return nil
		}
		var raw struct {
			ID json.RawMessage `json:"id"`
		}
		_ = json.Unmarshal(item, &raw) // it was read just now
		item = raw.ID
	}
	switch id.(type) {
	case float64, string:
		return item
	}
	return nil
}

// doing is the message of a job at its n-th item.
func (o Operation) doing(n int) string {
	if o.Single {
		return o.Doing
	}
	return fmt.Sprintf("%s #%d", o.Doing, n)
}
