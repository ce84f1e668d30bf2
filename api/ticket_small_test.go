package api_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestSkipsOfTickets(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	al := a.user("Al", a.email("al"), "agent")
	first, second := a.ticket(`{"subject":"One","comment":{"body":"B"}}`), a.ticket(`{"comment":{"body":"B"}}`)
	r := a.as(a.email("al")).post("/api/v2/skips.json", fmt.Sprintf(`{"skip":{"ticket_id":"%d","reason":"I have no idea"}}`, first)).want(201)
	for member, want := range map[string]string{
		"ticket_id": fmt.Sprint(first), "user_id": fmt.Sprint(al), "reason": "I have no idea", "created_at": clockText, "updated_at": clockText,
	} {
		if got := fmt.Sprint(r.member("skip", member)); got != want {
			t.Errorf("%s: %s, want %s", member, got, want)
		}
	}
	if got := r.member("skip", "ticket", "subject"); got != "One" {
		t.Errorf("the skip shows the ticket %v", got)
	}
	later := a.post("/api/v2/skips", fmt.Sprintf(`{"skip":{"ticket_id":%d}}`, second)).want(201).id("skip")
	for path, want := range map[string][]int64{
		"/api/v2/skips":                                        {r.id("skip"), later},
		"/api/v2/skips?sort_order=desc":                        {later, r.id("skip")},
		"/api/v2/skips?page%5Bsize%5D=1":                       {r.id("skip")},
		fmt.Sprintf("/api/v2/tickets/%d/skips", second):        {later},
		fmt.Sprintf("/api/v2/users/%d/skips", al):              {r.id("skip")},
		fmt.Sprintf("/api/v2/users/%d/skips.json", a.admin.ID): {later},
	} {
		if got := a.get(path).want(200).ids("skips"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	a.delete(fmt.Sprintf("/api/v2/tickets/%d", second)).want(204)
	if got := a.get("/api/v2/skips").want(200).ids("skips"); len(got) != 1 {
		t.Errorf("skips of a deleted ticket are listed: %v", got)
	}
	a.post("/api/v2/skips", fmt.Sprintf(`{"skip":{"ticket_id":%d}}`, second)).wantMissing()
	a.post("/api/v2/skips", `{"skip":{}}`).wantMissing()
	a.post("/api/v2/skips", `{}`).want(400)
	a.post("/api/v2/skips", fmt.Sprintf(`{"skip":{"ticket_id":%d,"reason":%q}}`, first, strings.Repeat("x", 1001))).
		wantDetail("reason", "Reason: is too long (maximum is 1000 characters)")
	a.get("/api/v2/users/404/skips").wantMissing()
	a.user("Bo", a.email("bo"), "end-user")
	a.as(a.email("bo")).get("/api/v2/skips").wantForbidden()
}

func TestProblemsByTheirSubject(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	fire := a.ticket(`{"subject":"The FIRE alarm","type":"problem","comment":{"body":"B"}}`)
	a.ticket(`{"subject":"Fire, but no problem","comment":{"body":"B"}}`)
	percent := a.ticket(`{"subject":"100% load","type":"problem","comment":{"body":"B"}}`)
	for path, tc := range map[string]struct {
		body string
		want []int64
	}{
		"/api/v2/problems/autocomplete.json":           {`{"text":"fire"}`, []int64{fire}},
		"/api/v2/problems/autocomplete?text=larm":      {"", []int64{fire}},
		"/api/v2/problems/autocomplete?text=0%25%20lo": {`{}`, []int64{percent}},
		"/api/v2/problems/autocomplete?text=%25":       {"", []int64{percent}},
		"/api/v2/problems/autocomplete?text=nothing":   {"", []int64{}},
		"/api/v2/problems/autocomplete":                {"", []int64{percent, fire}},
	} {
		if got := a.post(path, tc.body).want(200).ids("tickets"); fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("%s %s: %v, want %v", path, tc.body, got, tc.want)
		}
	}
	a.post("/api/v2/problems/autocomplete", `{"text":{}}`).want(400)
	a.anonymous().post("/api/v2/problems/autocomplete", `{"text":"fire"}`).want(401)
}

func TestMetricSetByItsOwnID(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.ticket(`{"comment":{"body":"B"}}`)
	set := a.get(fmt.Sprintf("/api/v2/tickets/%d/metrics", id)).want(200)
	r := a.get(fmt.Sprintf("/api/v2/ticket_metrics/%d.json", set.id("ticket_metric"))).want(200)
	if got := r.member("ticket_metric", 0, "ticket_id"); fmt.Sprint(got) != fmt.Sprint(id) {
		t.Errorf("of ticket %v, want %d", got, id)
	}
	a.get("/api/v2/ticket_metrics/404").wantMissing()
	a.delete(fmt.Sprintf("/api/v2/tickets/%d", id)).want(204)
	a.get(fmt.Sprintf("/api/v2/ticket_metrics/%d", set.id("ticket_metric"))).wantMissing()
}

func TestLinksAreWrittenPlainly(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.ticket(`{"subject":"a & b <c>","comment":{"body":"B"}}`)
	a.ticket(`{"subject":"d","comment":{"body":"B"}}`)
	for _, path := range []string{
		"/api/v2/tickets?per_page=1&include=users,sharing_agreements", "/api/v2/tickets?page%5Bsize%5D=1&sort=id", "/api/v2/ticket_metrics?per_page=1&page=1",
		"/api/v2/skips?per_page=1",
	} {
		if body := string(a.get(path).want(200).body); strings.Contains(body, `\u00`) {
			t.Errorf("%s: %s", path, body)
		}
	}
	if got := a.get("/api/v2/tickets?include=sharing_agreements").want(200).member("sharing_agreements"); fmt.Sprint(got) != "[]" {
		t.Errorf("sharing_agreements %v", got)
	}
}

func TestViaKeepsItsOrder(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	r := a.post("/api/v2/tickets", `{"ticket":{"comment":{"body":"B"},"via":{"channel":"email","source":{"from":{"address":"a@b.example","name":"A"},"to":{}}}}}`).want(201)
	const via = `"via":{"channel":"email","source":{"from":{"address":"a@b.example","name":"A"},"to":{},"rel":null}}`
	for _, body := range [][]byte{r.body, a.get(fmt.Sprintf("/api/v2/tickets/%d", r.id("ticket"))).want(200).body} {
		if !strings.Contains(string(body), via) {
			t.Errorf("no %s in %s", via, body)
		}
	}
}

func TestTrustOfAnAudit(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	path := fmt.Sprintf("/api/v2/tickets/%d", a.ticket(`{"comment":{"body":"B"}}`))
	audit := a.get(path + "/audits").want(200).ids("audits")[0]
	if err := a.db.WithContext(a.ctx()).Exec(`UPDATE audits SET metadata = '{"system":{},"custom":{"a":1},"flags":[2],"flags_options":{"2":{"trusted":false}}}'
		WHERE account_id = ? AND id = ?`, a.account.ID, audit).Error; err != nil {
		t.Fatal(err)
	}
	a.put(fmt.Sprintf("%s/audits/%d/trust.json", path, audit), "").want(200)
	const want = "map[custom:map[a:1] flags:[] flags_options:map[] system:map[] trusted:true]"
	if got := fmt.Sprint(a.get(fmt.Sprintf("%s/audits/%d", path, audit)).want(200).member("audit", "metadata")); got != want {
		t.Errorf("metadata %s", got)
	}
	if got := fmt.Sprint(a.get(path+"/comments").want(200).member("comments", 0, "metadata")); got != want {
		t.Errorf("metadata of the comment %s", got)
	}
	a.put(path+"/audits/404/trust", "").wantMissing()
}

func TestOffsetPagesEndWhereTheyAreRefused(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	if err := a.db.WithContext(a.ctx()).Exec(`INSERT INTO groups (account_id, name, description, is_public, "default", deleted, created_at, updated_at)
		SELECT ?, 'g' || i, '', true, false, false, now(), now() FROM generate_series(1, 10050) i`, a.account.ID).Error; err != nil {
		t.Fatal(err)
	}
	if got := a.get("/api/v2/groups?page=99&per_page=100").want(200).member("next_page"); got == nil {
		t.Error("page 99 has no next")
	}
	if got := a.get("/api/v2/groups?page=100&per_page=100").want(200).member("next_page"); got != nil {
		t.Errorf("page 100 leads to %v", got)
	}
	a.get("/api/v2/groups?page=101&per_page=100").want(400)
}
