package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/helpd/helpd/gen/client"
)

// A field of the account for a column of the file. Its title finds it again.
type column struct {
	title, kind, prefix string
	cell                func(row) string
}

var customFields = []column{
	{"Product", "tagger", "product_", func(r row) string { return r.product }},
	{"Request type", "tagger", "request_", func(r row) string { return r.kind }},
	{"Satisfaction (1-5)", "integer", "", func(r row) string { return r.satisfaction }},
	{"Date of purchase", "date", "", func(r row) string { return r.purchased }},
}

// fields are the account's fields, in the order of customFields.
type fields []field

type field struct {
	id      int64
	options map[string]string // value by name, of taggers
}

// values are a row's values of all fields.
func (f fields) values(r row) []map[string]any {
	var out []map[string]any
	for i, c := range customFields {
		value := c.cell(r)
		if value == "" {
			continue
		}
		if f[i].options != nil {
			value = f[i].options[value]
		}
		out = append(out, map[string]any{"id": f[i].id, "value": value})
	}
	return out
}

// ensureFields finds the fields, or makes them, with an option for each word
// that the rows have.
func (a *caller) ensureFields(ctx context.Context, rows []row) (fields, error) {
	r, err := a.ListTicketFields(ctx, nil)
	list, err := answer[client.TicketFieldList](r, err, http.StatusOK)
	if err != nil {
		return nil, fmt.Errorf("list ticket fields: %w", err)
	}
	var out fields
	for _, c := range customFields {
		i := slices.IndexFunc(list.TicketFields, func(f client.TicketField) bool { return f.RawTitle == c.title && f.Type == c.kind && f.Active })
		var f field
		if i >= 0 {
			f, err = a.completeField(ctx, c, list.TicketFields[i], rows)
		} else {
			f, err = a.createField(ctx, c, rows)
		}
		if err != nil {
			return nil, fmt.Errorf("ticket field %q: %w", c.title, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func (a *caller) createField(ctx context.Context, c column, rows []row) (field, error) {
	body := client.TicketFieldBody{TicketField: client.TicketFieldInput{Type: &c.kind, Title: &c.title}}
	for _, word := range c.words(rows) {
		body.TicketField.CustomFieldOptions = append(body.TicketField.CustomFieldOptions, c.option(word))
	}
	r, err := a.CreateTicketField(ctx, body)
	made, err := answer[client.TicketFieldEnvelope](r, err, http.StatusCreated)
	return known(made.TicketField), err
}

// completeField adds the options that an earlier file did not need.
func (a *caller) completeField(ctx context.Context, c column, old client.TicketField, rows []row) (field, error) {
	f := known(old)
	for _, word := range c.words(rows) {
		if _, ok := f.options[word]; ok {
			continue
		}
		r, err := a.CreateOrUpdateTicketFieldOption(ctx, f.id, client.CustomFieldOptionBody{CustomFieldOption: c.option(word)})
		made, err := answer[client.CustomFieldOptionEnvelope](r, err, http.StatusCreated)
		if err != nil {
			return f, err
		}
		f.options[word] = made.CustomFieldOption.Value
	}
	return f, nil
}

func known(f client.TicketField) field {
	out := field{id: f.ID}
	if f.Type == "tagger" {
		out.options = map[string]string{}
		for _, o := range f.CustomFieldOptions {
			out.options[o.RawName] = o.Value
		}
	}
	return out
}

// words are what the rows have in the column, of taggers.
func (c column) words(rows []row) []string {
	if c.kind != "tagger" {
		return nil
	}
	var words []string
	for _, r := range rows {
		if word := c.cell(r); word != "" {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return slices.Compact(words)
}

func (c column) option(word string) client.CustomFieldOptionInput {
	return client.CustomFieldOptionInput{Name: &word, Value: pointer(c.prefix + slug(word))}
}
