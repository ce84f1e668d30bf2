package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/api"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/jobs"
)

// jobStatus writes a job's status into the account, begun i seconds after the
// clock's time, and returns its id.
func (a *anAPI) jobStatus(i int, change func(*models.JobStatus)) string {
	a.t.Helper()
	at := theClock.Add(time.Duration(i) * time.Second)
	j := models.JobStatus{
		AccountID: a.account.ID, ID: fmt.Sprintf("V3-%032x", a.account.ID<<8+int64(i)), JobType: "Bulk Create Ticket",
		Status: models.JobQueued, Stamps: models.Stamps{CreatedAt: at, UpdatedAt: at},
	}
	if change != nil {
		change(&j)
	}
	if err := a.db.WithContext(a.ctx()).Create(&j).Error; err != nil {
		a.t.Fatal(err)
	}
	return j.ID
}

func ptr[T any](v T) *T { return &v }

func TestJobStatusOnTheWire(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for i, tc := range []struct {
		name   string
		change func(*models.JobStatus)
		want   string
	}{
		{"queued", func(j *models.JobStatus) { j.Total = ptr(2) },
			`"job_type":"Bulk Create Ticket","status":"queued","total":2,"progress":null,"message":null,"results":null`},
		{"working", func(j *models.JobStatus) {
			j.Status, j.Total, j.Progress, j.Message = models.JobWorking, ptr(40), ptr(31), ptr("Creating ticket #31")
		}, `"job_type":"Bulk Create Ticket","status":"working","total":40,"progress":31,"message":"Creating ticket #31","results":null`},
		{"completed", func(j *models.JobStatus) {
			j.Status, j.Total, j.Progress, j.Message = models.JobCompleted, ptr(1), ptr(1), ptr("Completed at 2023-09-18 23:35:12 +0000")
			j.Results = models.JSON(`[{"index":0,"id":4018,"account_id":18525119}]`)
		}, `"job_type":"Bulk Create Ticket","status":"completed","total":1,"progress":1,"message":"Completed at 2023-09-18 23:35:12 +0000",
			"results":[{"index":0,"id":4018,"account_id":18525119}]`},
		{"one alone", func(j *models.JobStatus) { j.Status, j.Results = models.JobCompleted, models.JSON(`{"success":true}`) },
			`"job_type":"Bulk Create Ticket","status":"completed","total":null,"progress":null,"message":null,"results":{"success":true}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id := a.jobStatus(i, tc.change)
			a.get("/api/v2/job_statuses/"+id+".json").want(200).
				wantJSON(`{"job_status":{"id":%q,"url":"http://helpd.test/api/v2/job_statuses/%s.json",%s}}`, id, id, tc.want)
		})
	}
}

func TestJobStatusesAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var want []string
	for i := range 3 {
		want = append([]string{a.jobStatus(i, nil)}, want...)
	}
	var seen []string
	path := "/api/v2/job_statuses.json?page%5Bsize%5D=2"
	for path != "" {
		r := a.get(path).want(200)
		for _, j := range r.member("job_statuses").([]any) {
			seen = append(seen, j.(map[string]any)["id"].(string))
		}
		path, _ = r.member("links", "next").(string)
		path = strings.TrimPrefix(path, "http://helpd.test")
	}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("by cursor: %v, want %v", seen, want)
	}
	if r := a.get("/api/v2/job_statuses?per_page=1").want(200); fmt.Sprint(r.member("count")) != "3" || r.member("job_statuses", 0, "id") != want[0] {
		t.Errorf("by number: %s", r.body)
	}
	r := a.get("/api/v2/job_statuses/show_many?ids=" + want[2] + ",V3-unknown,%00," + want[0]).want(200)
	if len(r.member("job_statuses").([]any)) != 2 || r.member("job_statuses", 1, "id") != want[2] {
		t.Errorf("show many: %s", r.body)
	}
	a.get("/api/v2/job_statuses/show_many?ids="+strings.Repeat("a,", 100)+"a").wantError(400, "TooManyValues")
}

func TestJobStatusesAreForAgentsOfTheAccount(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.jobStatus(0, nil)
	b := a.another()
	b.get("/api/v2/job_statuses/" + id).wantMissing()
	b.get("/api/v2/job_statuses/show_many?ids=" + id).want(200).wantJSON(`{"job_statuses":[]}`)
	b.get("/api/v2/job_statuses").want(200).wantJSON(`{"job_statuses":[],"count":0,"next_page":null,"previous_page":null}`)
	for _, unknown := range []string{"7", "V3-0", "%00"} {
		a.get("/api/v2/job_statuses/" + unknown).wantMissing()
	}
	for _, path := range []string{"/api/v2/job_statuses", "/api/v2/job_statuses/" + id, "/api/v2/job_statuses/show_many?ids=" + id} {
		a.anonymous().get(path).want(401)
	}
}

func TestBulkJobFromItsStartToItsEnd(t *testing.T) {
	t.Parallel()
	var queue *jobs.Service
	a := newWorkingAPI(t, func(s api.Services) {
		queue = s.Jobs
		queue.Register("test", jobs.Operation{
			JobType: "Bulk Update Group", Doing: "Updating group", Action: "update",
			Run: func(_ context.Context, _ auth.Actor, item json.RawMessage, _ int) (any, error) {
				if string(item) == `{"id":9}` {
					return nil, fault.Blank("name")
				}
				return map[string]any{"action": "update", "id": 7, "status": "Updated", "success": true}, nil
			},
		})
	})
	by := auth.Actor{AccountID: a.account.ID, User: a.admin}
	job, err := queue.StartBulk(a.ctx(), by, "test", []json.RawMessage{json.RawMessage(`{"id":7}`), json.RawMessage(`{"id":9}`)})
	if err != nil {
		t.Fatal(err)
	}
	done := a.get("/api/v2/job_statuses/" + job.ID).jobDone(a)
	done.wantJSON(`{"job_status":{"id":%q,"url":"http://helpd.test/api/v2/job_statuses/%s.json","job_type":"Bulk Update Group",
		"status":"completed","total":2,"progress":2,"message":"Completed at 2026-03-04 05:06:07 +0000","results":[
		{"action":"update","id":7,"status":"Updated","success":true},
		{"id":9,"index":1,"action":"update","status":"Failed","success":false,"error":"RecordInvalid","details":"Name: cannot be blank"}]}}`, job.ID, job.ID)
}
