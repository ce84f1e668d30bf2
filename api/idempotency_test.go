package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func (a *anAPI) keyed(key string) *anAPI { return a.with("Idempotency-Key", key) }

func (r *result) wantLookup(want string) *result {
	r.t.Helper()
	if got := r.header.Get("x-idempotency-lookup"); got != want {
		r.t.Errorf("%s %s: x-idempotency-lookup %q, want %q", r.method, r.path, got, want)
	}
	return r
}

func (a *anAPI) groups() (n int64) {
	a.t.Helper()
	n, err := a.get("/api/v2/groups/count").want(200).member("count", "value").(json.Number).Int64()
	if err != nil {
		a.t.Fatal(err)
	}
	return n
}

const newGroup = `{"group":{"name":"Support"}}`

func TestIdempotentRepetition(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	before := a.groups()
	first := a.keyed("one").post("/api/v2/groups", newGroup).want(201).wantLookup("miss")
	// With and without .json is the same request.
	again := a.keyed("one").post("/api/v2/groups.json", newGroup).want(201).wantLookup("hit")
	if string(first.body) != string(again.body) {
		t.Errorf("answered %s, then %s", first.body, again.body)
	}
	for _, name := range []string{"Location", "Content-Type"} {
		if first.header.Get(name) == "" || first.header.Get(name) != again.header.Get(name) {
			t.Errorf("%s %q, then %q", name, first.header.Get(name), again.header.Get(name))
		}
	}
	if after := a.groups(); after != before+1 {
		t.Errorf("%d groups, then %d", before, after)
	}
	a.post("/api/v2/groups", newGroup).want(201).wantLookup("")
}

func TestIdempotentRepetitionsAtOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	var hits, misses atomic.Int32
	ids := make([]int64, 10)
	var wait sync.WaitGroup
	for i := range ids {
		wait.Go(func() {
			r := a.keyed("one").post("/api/v2/groups", newGroup)
			if r.status != 201 {
				t.Errorf("status %d: %s", r.status, r.body)
				return
			}
			ids[i] = r.id("group")
			switch r.header.Get("x-idempotency-lookup") {
			case "hit":
				hits.Add(1)
			case "miss":
				misses.Add(1)
			}
		})
	}
	wait.Wait()
	if hits.Load() != 9 || misses.Load() != 1 {
		t.Errorf("%d hits, %d misses", hits.Load(), misses.Load())
	}
	for _, id := range ids {
		if id != ids[0] {
			t.Errorf("groups %v", ids)
			break
		}
	}
}

func TestIdempotencyKeyWithAnotherRequest(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.keyed("one").post("/api/v2/groups", newGroup).want(201).id("group")
	path := fmt.Sprintf("/api/v2/groups/%d", id)
	for name, r := range map[string]*result{
		"body":      a.keyed("one").post("/api/v2/groups", `{"group":{"name":"Sales"}}`),
		"parameter": a.keyed("one").post("/api/v2/groups?include=users", newGroup),
		"path":      a.keyed("one").put(path, newGroup),
		"method":    a.keyed("one").delete(path),
	} {
		t.Run(name, func(t *testing.T) {
			r.wantError(400, "IdempotentRequestError").wantLookup("")
		})
	}
	a.another().keyed("one").post("/api/v2/groups", `{"group":{"name":"Sales"}}`).want(201).wantLookup("miss")
}

func TestIdempotencyKeyOfARefusedRequestIsFree(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	before := a.groups()
	a.keyed("one").post("/api/v2/groups", `{"group":{"name":""}}`).wantDetail("name", "Name: cannot be blank").wantLookup("miss")
	a.keyed("two").post("/api/v2/groups", `{"group":`).want(400)
	a.keyed("three").put("/api/v2/groups/404", newGroup).wantMissing()
	a.anonymous().keyed("four").post("/api/v2/groups", newGroup).want(401)
	if after := a.groups(); after != before {
		t.Errorf("%d groups, then %d", before, after)
	}
	a.keyed("one").post("/api/v2/groups", newGroup).want(201).wantLookup("miss")
}

func TestIdempotentDelete(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("/api/v2/groups/%d", a.post("/api/v2/groups", newGroup).want(201).id("group"))
	a.keyed("gone").delete(path).want(204).wantLookup("miss")
	r := a.keyed("gone").delete(path).want(204).wantLookup("hit")
	if len(r.body) != 0 || r.header.Get("Content-Type") != "" {
		t.Errorf("body %q of type %q", r.body, r.header.Get("Content-Type"))
	}
}

func TestIdempotencyKeyIsOnlyForWrites(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.keyed("one").get("/api/v2/groups").want(200).wantLookup("")
	a.keyed("one").post("/api/v2/groups", newGroup).want(201).wantLookup("miss")
}

func TestIdempotencyKeyHasALimit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.keyed(strings.Repeat("k", 256)).post("/api/v2/groups", newGroup).want(400)
	a.keyed(strings.Repeat("k", 255)).post("/api/v2/groups", newGroup).want(201).wantLookup("miss")
}

func TestIdempotencyKeyIsForgottenAfterADay(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.keyed("one").post("/api/v2/groups", newGroup).want(201).wantLookup("miss")
	later := theClock.Add(25 * time.Hour)
	a.now.Store(&later)
	a.keyed("one").post("/api/v2/groups", newGroup).want(201).wantLookup("miss")
}

// A key says nothing where nothing is written, whatever the method.
func TestReadingIsNotRemembered(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"comment":{"body":"B"}}`)
	bodies := map[string]string{
		"rules/explain": fmt.Sprintf(`{"ticket_id":%d}`, id),
		"rules/dry_run": `{"view":{"all":[{"field":"status","operator":"less_than","value":"closed"}]}}`,
		"views/preview": `{"view":{"all":[{"field":"status","operator":"less_than","value":"closed"}]}}`,
	}
	bodies["views/preview/count"] = bodies["views/preview"]
	for _, of := range []string{"users", "organizations", "problems"} {
		bodies[of+"/autocomplete"] = `{"name":"Some","text":"Some"}`
	}
	reading := a.with("Idempotency-Key", "one")
	for path, body := range bodies {
		for range 2 {
			if r := reading.post("/api/v2/"+path, body).want(200); r.header.Get("X-Idempotency-Lookup") != "" {
				t.Errorf("%s is remembered", path)
			}
		}
	}
	if len(bodies) != 7 {
		t.Errorf("%d calls", len(bodies))
	}
	// The key is free for a write.
	if r := reading.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"B"}}}`).want(201); r.header.Get("X-Idempotency-Lookup") != "miss" {
		t.Errorf("%v", r.header)
	}
}
