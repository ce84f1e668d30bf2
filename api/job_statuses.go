package api

import (
	"context"

	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/jobs"
)

type jobHandlers struct{ jobs *jobs.Service }

func (h jobHandlers) ListJobStatuses(ctx context.Context, _ gen.ListJobStatusesRequestObject) (gen.ListJobStatusesResponseObject, error) {
	p, err := pageOf(ctx)
	if err != nil {
		return nil, err
	}
	list, err := h.jobs.List(ctx, auth.From(ctx), p)
	if err != nil {
		return nil, err
	}
	return gen.ListJobStatuses200JSONResponse{Listing: listing(ctx, "job_statuses", mapped(ctx, list, jobStatusJSON))}, nil
}

func (h jobHandlers) ShowManyJobStatuses(ctx context.Context, r gen.ShowManyJobStatusesRequestObject) (gen.ShowManyJobStatusesResponseObject, error) {
	found, err := h.jobs.ShowMany(ctx, auth.From(ctx), r.Params.Ids)
	if err != nil {
		return nil, err
	}
	out := make([]gen.JobStatus, len(found))
	for i, job := range found {
		out[i] = jobStatusJSON(ctx, job)
	}
	return gen.ShowManyJobStatuses200JSONResponse{JobStatuses: out}, nil
}

func (h jobHandlers) ShowJobStatus(ctx context.Context, r gen.ShowJobStatusRequestObject) (gen.ShowJobStatusResponseObject, error) {
	job, err := h.jobs.Show(ctx, auth.From(ctx), r.JobStatusID)
	if err != nil {
		return nil, err
	}
	return gen.ShowJobStatus200JSONResponse(jobEnvelope(ctx, job)), nil
}

// jobEnvelope is the answer of every operation that started a bulk job.
func jobEnvelope(ctx context.Context, job models.JobStatus) gen.JobStatusEnvelope {
	return gen.JobStatusEnvelope{JobStatus: jobStatusJSON(ctx, job)}
}

func jobStatusJSON(ctx context.Context, job models.JobStatus) gen.JobStatus {
	return gen.JobStatus{
		ID: job.ID, URL: callOf(ctx).base + "/api/v2/job_statuses/" + job.ID + ".json", JobType: job.JobType,
		Status: gen.JobState(job.Status), Total: wide(job.Total), Progress: wide(job.Progress), Message: job.Message, Results: job.Results,
	}
}

func wide(n *int) *int64 {
	if n == nil {
		return nil
	}
	w := int64(*n)
	return &w
}
