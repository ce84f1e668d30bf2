package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func (a *anAPI) path(id int64) string { return fmt.Sprintf("/api/v2/tickets/%d", id) }

// swept waits until nothing is left to remove from the blob store.
func (a *anAPI) swept() {
	a.t.Helper()
	a.until("sweep", func() bool {
		return a.number("SELECT count(*) FROM blob_removals WHERE account_id = ?", a.account.ID) == 0
	})
}

// number reads one number from the database.
func (a *anAPI) number(query string, args ...any) (n int) {
	a.t.Helper()
	if err := a.db.WithContext(a.ctx()).Raw(query, args...).Row().Scan(&n); err != nil {
		a.t.Fatal(err)
	}
	return n
}

func TestTicketsAreMerged(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	bo, cy, di := a.user("Bo", a.email("bo"), "end-user"), a.user("Cy", a.email("cy"), "end-user"), a.user("Di", a.email("di"), "end-user")
	file, secret := a.upload("filename=log.txt", "text/plain", "the log"), a.upload("filename=secret.txt", "text/plain", "a secret")
	target := a.ticket(fmt.Sprintf(`{"subject":"Main","requester_id":%d,"priority":"low","tags":["kept"],"comment":{"body":"Help"}}`, bo))
	first := a.ticket(fmt.Sprintf(`{"subject":"Same","requester_id":%d,"priority":"urgent","type":"question","tags":["lost"],"email_ccs":[{"user_id":%d}],
		"comment":{"body":"Help me","uploads":["%s"]}}`, cy, di, file.Upload.Token))
	a.put(a.path(first), `{"ticket":{"comment":{"body":"among us","public":false,"uploads":["`+secret.Upload.Token+`"]}}}`).want(200)
	second := a.ticket(fmt.Sprintf(`{"requester_id":%d,"comment":{"body":"Once more"}}`, bo))

	started := a.post(a.path(target)+"/merge.json", fmt.Sprintf(`{"ids":[%d,"%d",%d],"target_comment":"Merged.","source_comment":"See the other.",
		"target_comment_is_public":true,"source_comment_is_public":true}`, second, first, second)).want(200)
	if started.member("job_status", "status") != "queued" || started.member("job_status", "results") != nil {
		t.Errorf("the first answer: %s", started.body)
	}
	done := started.jobDone(a)
	if got, want := fmt.Sprint(done.member("job_status", "results")), fmt.Sprintf("[map[action:update id:%d status:Updated success:true]]", target); got != want {
		t.Fatalf("results %s, want %s", got, want)
	}

	r := a.get(a.path(target)).want(200)
	for member, want := range map[string]string{
		"status": "new", "priority": "low", "type": "<nil>", "tags": "[kept]", "email_cc_ids": fmt.Sprint([]int64{cy, di}), "requester_id": fmt.Sprint(bo),
	} {
		if got := fmt.Sprint(r.member("ticket", member)); got != want {
			t.Errorf("target's %s: %s, want %s", member, got, want)
		}
	}
	comments := a.get(a.path(target) + "/comments").want(200)
	if n := len(comments.member("comments").([]any)); n != 2 || comments.member("comments", 1, "body") != "Merged." || comments.member("comments", 1, "public") != true {
		t.Errorf("comments of the target: %s", comments.body)
	}
	files := comments.member("comments", 1, "attachments").([]any)
	if len(files) != 1 || files[0].(map[string]any)["file_name"] != "log.txt" {
		t.Fatalf("a public comment has the files %v", files)
	}
	if got, want := fmt.Sprint(comments.member("comments", 1, "via")), fmt.Sprintf("map[channel:system source:map[from:map[ticket_ids:[%d %d]] rel:merge to:map[]]]", first, second); got != want {
		t.Errorf("via %s, want %s", got, want)
	}

	for _, id := range []int64{first, second} {
		r := a.get(a.path(id)).want(200)
		if r.member("ticket", "status") != "closed" || !strings.Contains(fmt.Sprint(r.member("ticket", "tags")), "closed_by_merge") {
			t.Errorf("source %d: %s", id, r.body)
		}
		comments := a.get(a.path(id) + "/comments?sort_order=desc").want(200)
		if comments.member("comments", 0, "body") != "See the other." || comments.member("comments", 0, "public") != true {
			t.Errorf("comments of source %d: %s", id, comments.body)
		}
		if got, want := fmt.Sprint(comments.member("comments", 0, "via", "source", "from")), fmt.Sprintf("map[subject:Main ticket_id:%d]", target); got != want {
			t.Errorf("via of source %d: from %s, want %s", id, got, want)
		}
	}

	if n := len(a.stored()); n != 2 {
		t.Errorf("%d blobs", n)
	}
}

// Whichever of a file and its copy is redacted, the bytes are nowhere then.
func TestRedactionReachesTheCopiesOfAMerge(t *testing.T) {
	t.Parallel()
	for _, redactCopy := range []bool{false, true} {
		a := newWorkingAPI(t, nil)
		file := a.upload("filename=passport.png", "image/png", picture(400, 300))
		source := a.ticket(`{"subject":"S","comment":{"body":"B","uploads":["` + file.Upload.Token + `"]}}`)
		middle, target := a.ticket(`{"subject":"M","comment":{"body":"B"}}`), a.ticket(`{"subject":"T","comment":{"body":"B"}}`)
		for _, m := range [][2]int64{{middle, source}, {target, middle}} { // the second takes a copy of a copy along
			a.post(a.path(m[0])+"/merge", fmt.Sprintf(`{"ids":[%d]}`, m[1])).want(200).jobDone(a)
		}
		first, last := source, target
		if redactCopy {
			first, last = target, source
		}
		at := func(ticket int64) (comment, id, url any) {
			list := a.get(a.path(ticket) + "/comments").want(200)
			for i := range list.member("comments").([]any) {
				if files := list.member("comments", i, "attachments").([]any); len(files) > 0 {
					file := files[0].(map[string]any)
					return list.member("comments", i, "id"), file["id"], file["content_url"]
				}
			}
			t.Fatalf("ticket %d has no file: %s", ticket, list.body)
			return nil, nil, nil
		}
		comment, id, _ := at(first)
		otherComment, other, url := at(last)
		a.later(time.Minute)
		a.put(fmt.Sprintf("%s/comments/%v/attachments/%v/redact", a.path(first), comment, id), "").want(200)
		a.swept()
		if left := a.stored(); len(left) > 0 {
			t.Errorf("bytes are left in %v", left)
		}
		for _, ticket := range []int64{source, middle, target} {
			list := a.get(a.path(ticket) + "/comments").want(200)
			if strings.Contains(string(list.body), "passport") || !strings.Contains(string(list.body), "redacted.txt") {
				t.Errorf("ticket %d shows %s", ticket, list.body)
			}
		}
		if got := a.download("GET", url.(string)); strings.Contains(got.Body.String(), "PNG") {
			t.Errorf("the copy can be read: %d", got.Code)
		}
		audits := a.get(a.path(last) + "/audits").want(200)
		if got, want := fmt.Sprint(audits.member("audits", len(audits.ids("audits"))-1, "events", 0)),
			fmt.Sprintf("map[attachment_id:%v comment_id:%v", other, otherComment); !strings.HasPrefix(got, want) {
			t.Errorf("the other ticket's last audit tells %s, want %s", got, want)
		}
		if r := a.get(a.path(last)).want(200); r.member("ticket", "updated_at") == clockText {
			t.Error("the other ticket has not changed")
		}
		if tables := a.rowsWith("passport"); len(tables) > 0 {
			t.Errorf("the file's name is left in %v", tables)
		}
	}
}

func TestMergeIsPrivateIfATicketIs(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	for name, source := range map[string]string{
		"a private ticket":        `{"comment":{"body":"B","public":false}}`,
		"one of a social channel": `{"comment":{"body":"B"},"via":{"channel":"twitter"}}`,
	} {
		file := a.upload("filename=note.txt", "text/plain", "a note")
		target, other := a.ticket(`{"subject":"Main","comment":{"body":"B"}}`), a.ticket(source)
		a.put(a.path(other), `{"ticket":{"comment":{"body":"C","public":false,"uploads":["`+file.Upload.Token+`"]}}}`).want(200)
		a.post(a.path(target)+"/merge", fmt.Sprintf(`{"ids":[%d],"target_comment_is_public":true,"source_comment_is_public":true}`, other)).want(200).jobDone(a)
		told := a.get(a.path(target) + "/comments?sort_order=desc").want(200)
		if told.member("comments", 0, "public") != false || len(told.member("comments", 0, "attachments").([]any)) != 1 ||
			!strings.HasSuffix(told.member("comments", 0, "body").(string), "was closed and merged into this request.") {
			t.Errorf("%s: the target's comment: %s", name, told.body)
		}
		told = a.get(a.path(other) + "/comments?sort_order=desc").want(200)
		if told.member("comments", 0, "public") != false || told.member("comments", 0, "body") != fmt.Sprintf(`This request was closed and merged into request #%d "Main".`, target) {
			t.Errorf("%s: the source's comment: %s", name, told.body)
		}
	}
}

func TestWhatCannotBeMerged(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	open := func() int64 { return a.ticket(`{"comment":{"body":"B"}}`) }
	solved := a.ticket(fmt.Sprintf(`{"status":"solved","assignee_id":%d,"comment":{"body":"B"}}`, a.admin.ID))
	closed := a.ticket(fmt.Sprintf(`{"status":"solved","assignee_id":%d,"comment":{"body":"B"}}`, a.admin.ID))
	a.put(a.path(closed), `{"ticket":{"status":"closed"}}`).want(200)
	target, fine := open(), open()
	for _, tc := range []struct {
		target  int64
		sources string
		kind    string
		details string
	}{
		{target, fmt.Sprintf("%d,%d", fine, solved), "RecordInvalid", fmt.Sprintf("Ids: %d is solved already", solved)},
		{target, fmt.Sprintf("%d,%d", fine, closed), "RecordInvalid", fmt.Sprintf("Ids: %d is closed already", closed)},
		{target, fmt.Sprintf("%d,%d", fine, target), "RecordInvalid", fmt.Sprintf("Ids: %d cannot be merged into itself", target)},
		{closed, fmt.Sprint(fine), "RecordInvalid", fmt.Sprintf("Target: %d is closed", closed)},
		{target, fmt.Sprintf("%d,404", fine), "RecordNotFound", "ticket 404 not found"},
	} {
		r := a.post(a.path(tc.target)+"/merge", `{"ids":[`+tc.sources+`]}`).want(200).jobDone(a)
		want := fmt.Sprintf("map[action:update details:%s error:%s id:%d index:0 status:Failed success:false]", tc.details, tc.kind, tc.target)
		if got := fmt.Sprint(r.member("job_status", "results", 0)); got != want {
			t.Errorf("%s into %d: %s, want %s", tc.sources, tc.target, got, want)
		}
	}
	if r := a.get(a.path(fine)).want(200); r.member("ticket", "status") != "new" {
		t.Errorf("a merge that failed closed %d", fine)
	}
	a.post(a.path(404)+"/merge", `{"ids":[1]}`).wantMissing()
	a.post(a.path(target)+"/merge", `{}`).want(400)
	a.post(a.path(target)+"/merge", `{"ids":[]}`).want(400)
	a.post(a.path(target)+"/merge", `{"ids":[`+strings.Repeat("1,", 100)+`1]}`).wantError(400, "TooManyValues")
	a.user("Bo", a.email("bo"), "end-user")
	a.as(a.email("bo")).post(a.path(target)+"/merge", fmt.Sprintf(`{"ids":[%d]}`, fine)).wantForbidden()

	// A solved target stays solved.
	a.post(a.path(solved)+"/merge", fmt.Sprintf(`{"ids":[%d]}`, fine)).want(200).jobDone(a)
	if r := a.get(a.path(solved)).want(200); r.member("ticket", "status") != "solved" {
		t.Errorf("the target is %v", r.member("ticket", "status"))
	}
	if r := a.get(a.path(fine) + "/metrics").want(200); r.member("ticket_metric", "solved_at") == nil {
		t.Error("a ticket that a merge closed has no solved_at")
	}
}
