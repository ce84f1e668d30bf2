package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/postgres"
)

// mails are those that rules have caused about a ticket, oldest first, as
// "to cc: subject: text".
func (a *anAPI) mails(ticket int64) []string {
	a.t.Helper()
	var rows []models.OutboxMail
	ctx := postgres.WithAccount(testContext(a.t), a.account.ID)
	if err := a.db.WithContext(ctx).Where("ticket_id = ?", ticket).Order("id").Find(&rows).Error; err != nil {
		a.t.Fatal(err)
	}
	var out []string
	for _, m := range rows {
		out = append(out, fmt.Sprint(strings.Join(m.Recipients, ","), " cc ", strings.Join(m.CCs, ","), ": ", m.Subject, ": ", m.TextBody))
	}
	return out
}

func TestTriggersNotify(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	group := a.post("/api/v2/groups", `{"group":{"name":"Triage"}}`).want(201).id("group")
	a.triggered("Tell the requester", `{"field":"comment_is_public","operator":"is","value":true},{"field":"update_type","operator":"is","value":"Create"}`,
		`{"field":"notification_user","value":["requester_and_ccs","[{{ticket.account}}] Re: {{ticket.title}}","Hello {{ticket.requester.first_name}}, {{ticket.group.name}} has it, {{nobody.knows}}{{ticket.tags}}"]}`)
	a.triggered("Route", `{"field":"update_type","operator":"is","value":"Create"}`, fmt.Sprintf(`{"field":"group_id","value":"%d"},{"field":"current_tags","value":"routed"}`, group))
	a.triggered("Tell nobody", `{"field":"update_type","operator":"is","value":"Create"}`, `{"field":"notification_user","value":["assignee_id","S","B"]}`)
	a.triggered("Answer", `{"field":"comment_includes_word","operator":"includes","value":"password"}`, `{"field":"reply_public","value":"Dear {{ticket.requester.name}}, see the manual."}`)
	a.triggered("Note", `{"field":"comment_includes_word","operator":"includes","value":"password"}`, `{"field":"reply_internal","value":"{{ticket.latest_comment}}!"}`)
	r := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"Lost","requester":{"name":"Ann Other","email":%q},"comment":{"body":"B"}}}`, a.email("ann"))).want(201)
	id := r.id("ticket")
	// What the last rule did is in it, too.
	want := fmt.Sprintf("%s cc : [%s] Re: Lost: Hello Ann, Triage has it, routed", a.email("ann"), a.account.Name)
	if got := a.mails(id); len(got) != 1 || strings.TrimSpace(got[0]) != want {
		t.Errorf("mails %q, want %q", got, want)
	}
	events := told(r, "audit", "events")
	if !strings.Contains(events, "NotificationWithCcs  <nil> <nil> via rule trigger \"Tell the requester\"") || strings.Contains(events, "Tell nobody") {
		t.Errorf("events\n%s", events)
	}
	for _, e := range r.member("audit", "events").([]any) {
		if e := e.(map[string]any); e["type"] == "NotificationWithCcs" && (fmt.Sprint(e["recipients"]) != fmt.Sprintf("[%v]", r.member("ticket", "requester_id")) || e["subject"] != "[{{ticket.account}}] Re: {{ticket.title}}" || e["body"] == "") {
			t.Errorf("event %v", e)
		}
	}

	r = a.put(a.path(id), `{"ticket":{"comment":{"body":"My password?"}}}`).want(200)
	if got, want := told(r, "audit", "events"), "Comment  <nil> <nil>\nComment  <nil> <nil> via rule trigger \"Answer\"\nComment  <nil> <nil> via rule trigger \"Note\""; got != want {
		t.Errorf("events\n%s\nwant\n%s", got, want)
	}
	comments := a.get(a.path(id) + "/comments").want(200)
	got := ""
	for i := range 4 {
		got += fmt.Sprintln(comments.member("comments", i, "body"), comments.member("comments", i, "public"), comments.member("comments", i, "author_id"))
	}
	if want := fmt.Sprintf("B true %d\nMy password? true %d\nDear Ann Other, see the manual. true -1\nMy password?! false -1\n", a.admin.ID, a.admin.ID); !strings.HasSuffix(got, "false -1\n") || !strings.Contains(got, "Dear Ann Other, see the manual. true -1") {
		t.Errorf("comments\n%s\nwant\n%s", got, want)
	}
	if n := len(a.mails(id)); n != 1 {
		t.Errorf("%d mails after the update", n)
	}
	// The requester reads the reply and not the note.
	ann := a.as(a.email("ann")).get(fmt.Sprintf("/api/v2/requests/%d/comments", id)).want(200)
	if n := len(ann.member("comments").([]any)); n != 3 {
		t.Errorf("the requester reads %d comments: %s", n, ann.body)
	}
}

func TestAutomationsNotifyOnce(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	a.automation("Ask", `{"field":"status","operator":"is","value":"pending"},{"field":"PENDING","operator":"greater_than","value":"24"}`,
		`{"field":"notification_user","value":["requester_id","Still there?","{{ticket.latest_public_comment}} in {{ticket.id}}"]}`)
	id := a.ticket(fmt.Sprintf(`{"status":"pending","requester":{"name":"Ann","email":%q},"comment":{"body":"We wait."}}`, a.email("ann")))
	a.later(25 * 3600e9)
	a.automate()
	a.later(25 * 3600e9)
	a.automate()
	if got := a.mails(id); len(got) != 1 || !strings.HasSuffix(got[0], fmt.Sprintf("Still there?: We wait. in %d", id)) {
		t.Errorf("mails %q", got)
	}
	if got := told(a.get(a.path(id)+"/audits").want(200), "audits", 1, "events"); got != "Notification  <nil> <nil>" {
		t.Errorf("events %s", got)
	}
}
