package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/helpd/helpd/gen/client"
)

const (
	batchSize = 100 // records in one job, the most that helpd takes
	inFlight  = 8   // jobs at a time, of the 30 that an account may have
	pollEvery = 250 * time.Millisecond
)

// result is what a job tells of one record.
type result struct {
	ID      int64  `json:"id"`
	Status  string `json:"status"`
	Error   string `json:"error"`
	Details string `json:"details"`
}

// importTickets imports the rows, those that helpd refuses left out.
func (a *caller) importTickets(ctx context.Context, m mapping, rows []row) error {
	return inJobs(ctx, a, "Tickets", rows, func(batch []row) (*http.Response, error) {
		body := client.TicketImportsBody{}
		for _, r := range batch {
			body.Tickets = append(body.Tickets, m.ticket(r))
		}
		return a.TicketBulkImport(ctx, nil, body)
	}, func(row, result) {})
}

// people finds or creates the requesters of the missing rows. An address that
// several rows have is one person, called as in the first of them.
func (a *caller) people(ctx context.Context, rows, missing []row) (map[string]int64, error) {
	needed := map[string]bool{}
	for _, r := range missing {
		needed[r.email] = true
	}
	var persons []row
	for _, r := range rows {
		if needed[r.email] {
			needed[r.email] = false
			persons = append(persons, r)
		}
	}
	ids := map[string]int64{}
	err := inJobs(ctx, a, "Requesters", persons, func(batch []row) (*http.Response, error) {
		body := client.UsersBody{}
		for _, r := range batch {
			body.Users = append(body.Users, client.UserInput{Name: &r.name, Email: given(r.email)})
		}
		return a.CreateOrUpdateManyUsers(ctx, body)
	}, func(r row, done result) { ids[r.email] = done.ID })
	return ids, err
}

// inJobs has helpd do something with all the records, in jobs of which several
// are under way at a time, and hands each record's result to done.
func inJobs[T any](ctx context.Context, a *caller, what string, records []T, start func([]T) (*http.Response, error), done func(T, result)) error {
	bar := newBar(what, len(records))
	batches := slices.Collect(slices.Chunk(records, batchSize))
	open := map[string][]T{} // by the job's id
	finished := 0            // records of jobs that have ended
	var failed []string
	for len(batches) > 0 || len(open) > 0 {
		for len(open) < inFlight && len(batches) > 0 {
			r, err := start(batches[0])
			job, err := answer[client.JobStatusEnvelope](r, err, http.StatusOK)
			if err != nil {
				return err
			}
			open[job.JobStatus.ID], batches = batches[0], batches[1:]
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
		jobs, err := a.jobs(ctx, slices.Collect(maps.Keys(open)))
		if err != nil {
			return err
		}
		under := 0 // way: records done of jobs that have not ended
		for _, job := range jobs {
			if !ended(job) {
				if job.Progress != nil {
					under += int(*job.Progress)
				}
				continue
			}
			results, err := resultsOf(job, len(open[job.ID]))
			if err != nil {
				return err
			}
			for i, r := range results {
				if r.Status == "Failed" {
					failed = append(failed, fmt.Sprintf("%s: %s", r.Error, r.Details))
					continue
				}
				done(open[job.ID][i], r)
			}
			finished += len(results)
			delete(open, job.ID)
		}
		_ = bar.Set(finished + under)
	}
	_ = bar.Finish()
	if len(failed) > 0 {
		return fmt.Errorf("%s: %d failed, the first with %s", what, len(failed), failed[0])
	}
	return nil
}

// jobs are the statuses of the jobs with these ids.
func (a *caller) jobs(ctx context.Context, ids []string) ([]client.JobStatus, error) {
	r, err := a.ShowManyJobStatuses(ctx, &client.ShowManyJobStatusesParams{Ids: ids})
	list, err := answer[client.JobStatusesEnvelope](r, err, http.StatusOK)
	if err == nil && len(list.JobStatuses) != len(ids) {
		err = fmt.Errorf("helpd knows %d of %d jobs", len(list.JobStatuses), len(ids))
	}
	return list.JobStatuses, err
}

func ended(j client.JobStatus) bool {
	return j.Status != client.JobStateQueued && j.Status != client.JobStateWorking
}

// resultsOf are the results of a job's n records, in their order.
func resultsOf(j client.JobStatus, n int) ([]result, error) {
	var results []result
	raw, err := json.Marshal(j.Results)
	if err == nil {
		err = json.Unmarshal(raw, &results)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("results of job %s: %w", j.ID, err)
	case j.Status != client.JobStateCompleted || len(results) != n:
		return nil, fmt.Errorf("job %s is %s with %d results of %d", j.ID, j.Status, len(results), n)
	}
	return results, nil
}

// waitForImports waits until helpd has ended the imports of an earlier run.
func (a *caller) waitForImports(ctx context.Context) error {
	size := client.PageSizeParam(100)
	for told := false; ; {
		r, err := a.ListJobStatuses(ctx, &client.ListJobStatusesParams{PageSize: &size})
		list, err := answer[client.JobStatusList](r, err, http.StatusOK)
		if err != nil {
			return fmt.Errorf("list jobs: %w", err)
		}
		// They are listed the newest first, and at most 30 are under way.
		if !slices.ContainsFunc(list.JobStatuses, func(j client.JobStatus) bool { return j.JobType == "Bulk Import Ticket" && !ended(j) }) {
			return nil
		}
		if !told {
			fmt.Fprintln(os.Stderr, "Waiting for the imports of an earlier run ...")
			told = true
		}
		select {
		case <-ctx.Done():
			return errors.New("interrupted; run it again to go on")
		case <-time.After(pollEvery):
		}
	}
}

func newBar(what string, n int) *progressbar.ProgressBar {
	every := 200 * time.Millisecond
	if info, err := os.Stderr.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		every = 10 * time.Second // a log, where each state stays
	}
	bar := progressbar.NewOptions(n,
		progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(fmt.Sprintf("%-10s", what)),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("records"),
		progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(true), progressbar.OptionShowElapsedTimeOnFinish(),
		progressbar.OptionSetWidth(30), progressbar.OptionFullWidth(), progressbar.OptionThrottle(every),
		progressbar.OptionOnCompletion(func() { fmt.Fprintln(os.Stderr) }),
	)
	_ = bar.RenderBlank() // its clock runs from here
	return bar
}
