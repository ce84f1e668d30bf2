package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

// exportsReport is what leaves helpd by exports beside what PostgreSQL copies.
type exportsReport struct {
	Machine machine     `json:"machine"`
	Tickets int         `json:"tickets"`
	Ways    []exportWay `json:"ways"`
	First   float64     `json:"first_pages_ms"` // median of the first tenth
	Last    float64     `json:"last_pages_ms"`
	Slope   float64     `json:"last_to_first"`   // medians of the rounds, all three
	Memory  float64     `json:"files_memory_mb"` // of helpd export, at most
	Serving float64     `json:"pages_memory_mb"` // of helpd while pages are read, at most
}

// exportWay is one way to read all tickets, in rows a second.
type exportWay struct {
	Way    string  `json:"way"`
	Rate   float64 `json:"rate"`
	Ratio  float64 `json:"ratio"` // to that of COPY
	Wanted float64 `json:"wanted,omitempty"`
}

// measureExports reads all tickets in each way, in turns, and keeps each way's
// median.
func measureExports(ctx context.Context, o options, h *helpd) (outcome, error) {
	w, err := h.account(ctx, account, o.tickets)
	if err != nil {
		return nil, err
	}
	defer w.close()
	r := exportsReport{Machine: describe(ctx, w), Tickets: o.tickets}
	var first, last, slope []float64
	ways := []struct {
		name   string
		wanted float64
		read   func() (rows int, err error)
	}{
		{"COPY (SELECT row_to_json …)", 0, func() (int, error) { return w.copied(ctx) }},
		{"incremental tickets by cursor", 0.8, func() (int, error) {
			memory := h.watchMemory()
			took, err := w.paged(ctx, h.addr)
			r.Serving = max(r.Serving, memory().Resident)
			if err != nil {
				return 0, err
			}
			part := max(len(took)/10, 1)
			f, l := median(slices.Clone(took[:part])), median(slices.Clone(took[len(took)-part:]))
			first, last, slope = append(first, f), append(last, l), append(slope, l/f)
			return o.tickets, nil
		}},
		{"Parquet file of tickets", 0.6, func() (int, error) {
			memory, err := h.exported(ctx, o)
			r.Memory = max(r.Memory, memory)
			return o.tickets, err
		}},
	}
	rates := make([][]float64, len(ways))
	for round := range o.rounds {
		for i, way := range ways {
			say("Measuring: %s, round %d", way.name, round+1)
			began := time.Now()
			n, err := way.read()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", way.name, err)
			}
			rates[i] = append(rates[i], float64(n)/time.Since(began).Seconds())
		}
	}
	for i, way := range ways {
		var ratios []float64
		for round, rate := range rates[i] {
			ratios = append(ratios, rate/rates[0][round])
		}
		r.Ways = append(r.Ways, exportWay{way.name, median(rates[i]), median(ratios), way.wanted})
	}
	r.First, r.Last, r.Slope = median(first), median(last), median(slope)
	return r, nil
}

// copied has PostgreSQL write what exports show of tickets.
func (w *world) copied(ctx context.Context) (rows int, err error) {
	tag, err := w.conn.PgConn().CopyTo(ctx, io.Discard, fmt.Sprintf(`COPY (SELECT row_to_json(r) FROM (SELECT id, external_id, via, created_at, updated_at, type, subject,
		description, priority, status, recipient, requester_id, submitter_id, assignee_id, organization_id, group_id, follower_ids, email_cc_ids, problem_id,
		incident_count > 0 AS has_incidents, is_public, due_at, tags, custom_fields, satisfaction, custom_status_id, followup_ids, ticket_form_id, brand_id, generated_at
		FROM tickets WHERE account_id = %d) AS r) TO STDOUT`, w.account))
	return int(tag.RowsAffected()), err
}

// paged reads all tickets by cursor, and returns what each full page took.
func (w *world) paged(ctx context.Context, addr string) (took []float64, err error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	path := "/api/v2/incremental/tickets/cursor.json?start_time=0"
	var body bytes.Buffer
	for path != "" && ctx.Err() == nil {
		body.Reset()
		began := time.Now()
		if err := c.do(w, request{method: "GET", path: path}, http.StatusOK, &body); err != nil {
			return nil, err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
		tail := body.Bytes()[bytes.LastIndex(body.Bytes(), []byte(`,"after_url"`)):]
		tail[0] = '{'
		var paging struct {
			AfterURL    string `json:"after_url"`
			EndOfStream bool   `json:"end_of_stream"`
		}
		if err := json.Unmarshal(tail, &paging); err != nil {
			return nil, err
		}
		u, err := url.Parse(paging.AfterURL)
		if err != nil {
			return nil, err
		}
		if path = u.RequestURI(); paging.EndOfStream {
			path = ""
		}
	}
	return took[:max(len(took)-1, 1)], ctx.Err() // the last one is shorter
}

// exported runs helpd export beside the server, and returns how many megabytes of
// memory it had at most.
func (h *helpd) exported(ctx context.Context, o options) (float64, error) {
	out := filepath.Join(o.dataDir, "exported")
	defer os.RemoveAll(out)
	cmd := exec.CommandContext(ctx, o.helpd, "export", "--data-dir", o.dataDir, "--account", account, "--resources", "tickets", "--format", "parquet", "--out", out)
	cmd.Env = environment()
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, said.String())
	}
	usage, _ := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if usage == nil {
		return 0, nil
	}
	return float64(usage.Maxrss) / 1024, nil
}

func (r exportsReport) print(out io.Writer) {
	r.Machine.print(out, fmt.Sprintf("All of %s tickets, read in turns", thousands(r.Tickets)))
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "way\trows/s\tratio\twanted\t")
	for _, way := range r.Ways {
		wanted := ""
		if way.Wanted > 0 {
			wanted = fmt.Sprintf("≥ %.2f\t%s", way.Wanted, missed(way.Ratio < way.Wanted))
		}
		fmt.Fprintf(t, "%s\t%.0f\t%.2f\t%s\n", way.Way, way.Rate, way.Ratio, wanted)
	}
	_ = t.Flush()
	fmt.Fprintf(out, "\nPages of 1,000: the first tenth %.1f ms, the last %.1f ms (ratio %.2f, wanted 0.8 to 1.2) %s\n",
		r.First, r.Last, r.Slope, missed(r.Slope > 1.2 || r.Slope < 0.8))
	fmt.Fprintf(out, "Memory: helpd export %.0f MB at most, helpd while pages are read %.0f MB (wanted < 150) %s\n", r.Memory, r.Serving, missed(max(r.Memory, r.Serving) >= 150))
}

func (r exportsReport) verdicts() (list []verdict) {
	for _, way := range r.Ways {
		if way.Wanted > 0 {
			list = append(list, atLeast(way.Way+", of COPY's rows a second", way.Ratio, way.Wanted, "%.2f"))
		}
	}
	return append(list, verdict{"last pages of tickets, of the first ones' time", fmt.Sprintf("%.2f", r.Slope), "0.80 to 1.20", r.Slope < 0.8 || r.Slope > 1.2},
		lessThan("memory of helpd export", r.Memory, 150, "%.0f MB"), lessThan("memory of helpd while pages are read", r.Serving, 150, "%.0f MB"))
}
