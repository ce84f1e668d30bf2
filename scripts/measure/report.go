package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// report is all that was measured. Rates are a second, latencies milliseconds.
type report struct {
	Machine     machine       `json:"machine"`
	Tickets     int           `json:"tickets"`
	Connections int           `json:"connections"`
	Operations  []measurement `json:"operations"`
	Depth       *depth        `json:"depth,omitempty"`
	Bulk        *bulk         `json:"create_many,omitempty"`
	Memory      memory        `json:"memory_mb"`
	Starts      starts        `json:"cold_start"`
}

type machine struct {
	Date       string  `json:"date"`
	CPU        string  `json:"cpu"`
	Cores      int     `json:"cores"`
	MemoryGB   float64 `json:"memory_gb"`
	System     string  `json:"system"`
	Go         string  `json:"go"`
	PostgreSQL string  `json:"postgresql"`
	Load       string  `json:"load"` // of the minute before, from other programs and the filling
}

// measurement is one operation beside pgbench: medians of the rounds.
type measurement struct {
	Operation  string    `json:"operation"`
	Rate       float64   `json:"rate"`
	P50        float64   `json:"p50"`
	P99        float64   `json:"p99"`
	CPU        float64   `json:"cpu"` // milliseconds of processor time that helpd used for one, without PostgreSQL
	Pgbench    float64   `json:"pgbench_rate"`
	Ratio      float64   `json:"ratio"`
	Ratios     []float64 `json:"ratios"` // of the rounds
	Wanted     float64   `json:"wanted"`
	Statements int       `json:"statements"` // that helpd ran for one, with begin and commit
}

// measure has helpd and pgbench take turns.
func measure(ctx context.Context, o options, w *world, h *helpd, pgbench string, op operation) (measurement, error) {
	m := measurement{Operation: op.name, Wanted: op.wanted}
	say("Measuring: %s", titles[op.name])
	list, err := capture(ctx, w, h, op)
	if err != nil {
		return m, err
	}
	m.Statements = len(list[0].statements)
	dir, err := os.MkdirTemp("", "helpd-pgbench-")
	if err != nil {
		return m, err
	}
	defer os.RemoveAll(dir)
	s, err := writeScripts(dir, w, op, list)
	if err != nil {
		return m, err
	}
	var rates, beside, p50, p99, cpu []float64
	for range o.rounds {
		ours, err := drive(ctx, o, w, h, op)
		if err != nil {
			return m, err
		}
		theirs, err := s.run(ctx, pgbench, w.dsn, o)
		if err != nil {
			return m, err
		}
		rates, beside = append(rates, ours.rate), append(beside, theirs)
		m.Ratios = append(m.Ratios, ours.rate/theirs)
		cpu = append(cpu, ours.cpu.Seconds()*1000)
		p50, p99 = append(p50, quantile(ours.latency, 0.5)), append(p99, quantile(ours.latency, 0.99))
	}
	m.Rate, m.Pgbench, m.Ratio = median(rates), median(beside), median(m.Ratios)
	m.P50, m.P99, m.CPU = median(p50), median(p99), median(cpu)
	return m, nil
}

func describe(ctx context.Context, w *world) machine {
	m := machine{
		Date: time.Now().UTC().Format(time.DateOnly), CPU: field("/proc/cpuinfo", "model name"), Cores: runtime.NumCPU(),
		System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
	}
	if kb, err := strconv.ParseFloat(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 64); err == nil {
		m.MemoryGB = float64(int(kb*1024/1e8)) / 10
	}
	_ = w.conn.QueryRow(ctx, "SHOW server_version").Scan(&m.PostgreSQL)
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		m.Load, _, _ = strings.Cut(string(load), " ")
	}
	return m
}

// field is the value of a line "name: value" of a file; empty where there is none.
func field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (m machine) print(out io.Writer, what string) {
	fmt.Fprintf(out, "\n%s; %d cores (%s), %.0f GB, %s, %s, PostgreSQL %s, %s; load before: %s\n\n",
		what, m.Cores, m.CPU, m.MemoryGB, m.System, m.Go, m.PostgreSQL, m.Date, m.Load)
}

func (r report) print(out io.Writer) {
	r.Machine.print(out, fmt.Sprintf("%s tickets, %d connections", thousands(r.Tickets), r.Connections))
	printOperations(out, r.Operations)
	fmt.Fprintln(out)
	if r.Depth != nil {
		r.Depth.print(out)
	}
	if r.Bulk != nil {
		r.Bulk.print(out)
	}
	if r.Memory.Peak > 0 {
		fmt.Fprintf(out, "Resident memory of helpd: %.0f MB under load, %.0f MB at most since its start (wanted < %.0f MB) %s\n",
			r.Memory.Resident, r.Memory.Peak, r.Memory.Wanted, missed(r.Memory.Resident >= r.Memory.Wanted))
	}
	fmt.Fprintf(out, "Cold start with this data directory: %.2f s, median of %d (wanted < %.0f s) %s\n",
		r.Starts.Median/1000, len(r.Starts.Milliseconds), r.Starts.Wanted/1000, missed(r.Starts.Median >= r.Starts.Wanted))
}

func printOperations(out io.Writer, list []measurement) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "operation\thelpd/s\tp50 ms\tp99 ms\tcpu ms\tpgbench/s\tratio\twanted\t\t")
	for _, o := range list {
		fmt.Fprintf(t, "%s\t%.0f\t%.1f\t%.1f\t%.2f\t%.0f\t%.2f\t≥ %.2f\t%s\t\n",
			titles[o.Operation], o.Rate, o.P50, o.P99, o.CPU, o.Pgbench, o.Ratio, o.Wanted, missed(o.Ratio < o.Wanted))
	}
	_ = t.Flush()
}

func missed(yes bool) string {
	if yes {
		return "MISSED"
	}
	return ""
}

// thousands writes 100000 as 100,000.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// write writes the figures to a file, if one is named.
func write(file string, figures any) error {
	if file == "" {
		return nil
	}
	b, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}
