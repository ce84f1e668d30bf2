package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"
)

// depth compares the first page of a cursor walk with a deep one.
type depth struct {
	Number int     `json:"number"` // of the deep page
	First  float64 `json:"first"`  // milliseconds, median
	Deep   float64 `json:"deep"`
	Ratio  float64 `json:"ratio"`
	Wanted float64 `json:"wanted"`
}

func measureDepth(ctx context.Context, w *world, addr string) (*depth, error) {
	d := &depth{Number: len(w.pages), Wanted: 1.5}
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.conn.Close()
	var first, deep []float64
	for range 300 {
		for _, one := range []struct {
			path string
			took *[]float64
		}{{w.pages[0], &first}, {w.pages[len(w.pages)-1], &deep}} {
			begun := time.Now()
			if err := c.do(w, request{method: "GET", path: one.path}, http.StatusOK, nil); err != nil {
				return nil, err
			}
			*one.took = append(*one.took, float64(time.Since(begun).Microseconds())/1000)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	d.First, d.Deep = median(first), median(deep)
	d.Ratio = d.Deep / d.First
	return d, nil
}

func (d depth) print(out io.Writer) {
	fmt.Fprintf(out, "Page 1 takes %.2f ms, page %s %.2f ms: ratio %.2f (wanted ≤ %.1f) %s\n",
		d.First, thousands(d.Number), d.Deep, d.Ratio, d.Wanted, missed(d.Ratio > d.Wanted))
}
