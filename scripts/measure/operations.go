package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
)

// operation is one thing that is measured.
type operation struct {
	name    string
	wanted  float64 // of pgbench's rate
	status  int
	request func(w *world, r *rand.Rand) request
	// variants is how many requests' statements pgbench takes turns with, so
	// that a row that is written twice gets other values.
	variants int
}

var operations = []operation{
	{"show", 0.30, http.StatusOK, show, 1},
	{"list", 0.30, http.StatusOK, list, 1},
	{"create", 0.60, http.StatusCreated, create, 4},
	{"update", 0.60, http.StatusOK, update, 4},
	{"comment", 0.60, http.StatusOK, comment, 4},
}

// titles say in the report what the operations are.
var titles = map[string]string{
	"show": "show a ticket", "list": "list 100 tickets", "create": "create with a comment",
	"update": "update three fields", "comment": "update with a comment",
	"article": "show an article to nobody", "unchanged": "the same, which he has already",
}

func operationNames() []string {
	var names []string
	for _, op := range operations {
		names = append(names, op.name)
	}
	return append(names, "create_many")
}

func show(w *world, r *rand.Rand) request {
	return request{method: "GET", path: "/api/v2/tickets/" + strconv.FormatInt(w.anyTicket(r), 10)}
}

func list(w *world, r *rand.Rand) request {
	return request{method: "GET", path: w.pages[r.IntN(len(w.pages))]}
}

type object map[string]any

func create(w *world, r *rand.Rand) request {
	return ofTicket("POST", "/api/v2/tickets", newTicket(w, r))
}

func newTicket(w *world, r *rand.Rand) object {
	return object{
		"subject": sentence(r, 7), "priority": pick(r, priorities), "type": pick(r, kinds), "tags": someTags(r, 3),
		"requester_id": w.anyUser(r), "group_id": w.groups[r.IntN(len(w.groups))],
		"comment": object{"body": paragraph(r)},
	}
}

func update(w *world, r *rand.Rand) request {
	return ofTicket("PUT", "/api/v2/tickets/"+strconv.FormatInt(w.openTicket(r), 10), changes(r))
}

func comment(w *world, r *rand.Rand) request {
	c := changes(r)
	c["comment"] = object{"body": paragraph(r), "public": r.IntN(4) > 0}
	return ofTicket("PUT", "/api/v2/tickets/"+strconv.FormatInt(w.openTicket(r), 10), c)
}

// changes are of status, priority and tags; most tickets have others.
func changes(r *rand.Rand) object {
	return object{"status": pick(r, []string{"open", "pending", "hold"}), "priority": pick(r, priorities), "tags": someTags(r, 4)}
}

func ofTicket(method, path string, ticket object) request {
	return writing(method, path, object{"ticket": ticket})
}

func writing(method, path string, body any) request {
	text, err := json.Marshal(body)
	if err != nil {
		panic(fmt.Sprintf("encode %v: %v", body, err))
	}
	return request{method: method, path: path, body: text}
}
