package users

import (
	"context"
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
	"github.com/helpd/helpd/server/testdb"
)

func TestChangeOutlivesTheQueue(t *testing.T) {
	t.Parallel()
	c := Change{
		Name: new("A"), Email: str("a@x.test"), Notes: nullable.NewNullNullable[string](), Tags: []string{}, OrganizationID: num(5),
		SharedPhoneNumber: flag(false), Identities: []NewIdentity{{Type: "email", Value: "b@x.test"}}, Suspended: new(false),
	}
	var back Change
	if err := json.Unmarshal(models.ToJSON(c), &back); err != nil || !reflect.DeepEqual(back, c) {
		t.Errorf("back came %+v, %v", back, err)
	}
	c = Change{Password: new("secret")}
	if got := string(models.ToJSON(c)); got != "{}" {
		t.Errorf("a password lies in the queue: %s", got)
	}
}

func TestBulkJobs(t *testing.T) {
	t.Parallel()
	dsn := testdb.DSN(t)
	w := newWorldOn(t, testdb.Open(t, dsn))
	queue, err := jobs.New(w.tx, dsn, w.auth, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	w.Register(queue)
	if err := queue.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer queue.Stop(context.WithoutCancel(t.Context())) // the end of the test

	results := func(job models.JobStatus, err error) []map[string]any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		late, tick := time.After(30*time.Second), time.NewTicker(2*time.Millisecond)
		defer tick.Stop()
		for job.Status == models.JobQueued || job.Status == models.JobWorking {
			select {
			case <-late:
				t.Fatalf("the job is still %s", job.Status)
			case <-tick.C:
			}
			if job, err = queue.Show(w.ctx, w.admin, job.ID); err != nil {
				t.Fatal(err)
			}
		}
		var out []map[string]any
		if err := json.Unmarshal(job.Results, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	made := results(w.CreateMany(w.ctx, w.admin, []Change{{Name: new("Bob"), ExternalID: str("b")}, {Name: new("")}}))
	if made[0]["status"] != "Created" || made[0]["external_id"] != "b" || made[1]["status"] != "Failed" || made[1]["error"] != "RecordInvalid" {
		t.Errorf("created: %v", made)
	}
	id := made[0]["id"].(float64)
	saved := results(w.CreateOrUpdateMany(w.ctx, w.admin, []Change{{Name: new("Bobby"), ExternalID: str("B")}, {Name: new("Eve"), Email: str("eve@x.test")}}))
	if saved[0]["status"] != "Updated" || saved[0]["id"] != id || saved[1]["status"] != "Created" || saved[1]["email"] != "eve@x.test" {
		t.Errorf("saved: %v", saved)
	}
	updated := results(w.UpdateMany(w.ctx, w.admin, []Item{{ExternalID: "b", Change: Change{Notes: str("x")}}, {ID: 404, Change: Change{Notes: str("x")}}}))
	if updated[0]["status"] != "Updated" || updated[0]["id"] != id || updated[0]["success"] != true || updated[1]["error"] != "RecordNotFound" {
		t.Errorf("updated: %v", updated)
	}
	deleted := results(w.DeleteMany(w.ctx, w.admin, []Item{{ID: int64(id)}, {ExternalID: "nobody"}}))
	if deleted[0]["status"] != "Deleted" || deleted[0]["action"] != "delete" || deleted[1]["status"] != "Failed" {
		t.Errorf("deleted: %v", deleted)
	}
	_, err = w.CreateMany(w.ctx, w.admin, make([]Change, 101))
	w.refused(err, fault.TooMany, "Maximum 100 users may be created per call")
	_, err = w.CreateMany(w.ctx, w.as(w.ann), []Change{{Name: new("X")}})
	w.refused(err, fault.Forbidden, "")
}
