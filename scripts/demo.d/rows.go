package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// row is a line of the file.
type row struct {
	number                   string // Ticket ID
	name, email              string
	product, kind            string
	subject, text            string
	state, priority, channel string
	resolution, satisfaction string
	purchased                string
	responded, resolved      time.Time // zero: not told
}

// externalID is by what a row's ticket is found again.
func (r row) externalID() string { return "demo-" + r.number }

var columns = []string{
	"Ticket ID", "Customer Name", "Customer Email", "Product Purchased", "Ticket Type", "Ticket Subject", "Ticket Description", "Ticket Status",
	"Ticket Priority", "Ticket Channel", "Resolution", "Customer Satisfaction Rating", "Date of Purchase", "First Response Time", "Time to Resolution",
}

func readFile(name string) ([]row, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := readRows(f)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return rows, nil
}

func readRows(in io.Reader) ([]row, error) {
	lines := csv.NewReader(in)
	head, err := lines.Read()
	if err != nil {
		return nil, err
	}
	at := map[string]int{}
	for i, name := range head {
		at[strings.TrimPrefix(strings.TrimSpace(name), "\uFEFF")] = i
	}
	for _, name := range columns {
		if _, ok := at[name]; !ok {
			return nil, fmt.Errorf("there is no column %q", name)
		}
	}
	var rows []row
	seen := map[string]bool{}
	for {
		line, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		r, err := readRow(func(column string) string { return strings.TrimSpace(line[at[column]]) })
		if err == nil && seen[r.number] {
			err = errors.New("the number is there twice")
		}
		if err != nil {
			return nil, fmt.Errorf("ticket %s: %w", r.number, err)
		}
		seen[r.number] = true
		rows = append(rows, r)
	}
}

func readRow(cell func(column string) string) (row, error) {
	r := row{
		number: cell("Ticket ID"), name: cell("Customer Name"), email: strings.ToLower(cell("Customer Email")),
		product: cell("Product Purchased"), kind: cell("Ticket Type"), subject: cell("Ticket Subject"),
		state: cell("Ticket Status"), priority: cell("Ticket Priority"), channel: cell("Ticket Channel"), resolution: cell("Resolution"),
		satisfaction: strings.TrimSuffix(cell("Customer Satisfaction Rating"), ".0"), purchased: cell("Date of Purchase"),
	}
	r.text = strings.ReplaceAll(cell("Ticket Description"), "{product_purchased}", r.product)
	for _, needed := range []string{r.number, r.email, r.name, r.text} {
		if needed == "" {
			return r, errors.New("number, name, e-mail address and description must not be empty")
		}
	}
	if r.status() == "" {
		return r, fmt.Errorf("unknown status %q", r.state)
	}
	var err error
	if r.responded, err = moment(cell("First Response Time")); err != nil {
		return r, err
	}
	r.resolved, err = moment(cell("Time to Resolution"))
	return r, err
}

// moment reads a time, of which the file does not say where it was so late.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateTime, text)
}
