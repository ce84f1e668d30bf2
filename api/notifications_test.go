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
	if want := fmt.Sprintf("B true %d\nMy password? true %d\nDear Ann Other, see the manual. true -1\nMy password?! false -1\n", a.admin.ID, a.admin.ID); got != want {
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

func TestATriggerChangesTheRequestersLanguage(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noTriggers()
	a.post("/api/v2/dynamic_content/items", `{"item":{"name":"Hello","default_locale_id":1,"variants":[{"locale_id":1,"default":true,"content":"Hello"},{"locale_id":8,"default":false,"content":"Hallo"}]}}`).want(201)
	a.triggered("Speaks German", `{"field":"locale_id","operator":"is","value":"8"}`, `{"field":"current_tags","value":"german"}`)
	a.triggered("Writes German", `{"field":"comment_includes_word","operator":"includes","value":"Grüße"}`,
		`{"field":"locale_id","value":"8"},{"field":"notification_user","value":["requester_id","{{dc.hello}}","{{ticket.updated_at_with_timestamp}}"]},{"field":"reply_public","value":"{{dc.hello}}!"}`)
	id := a.ticket(fmt.Sprintf(`{"requester":{"name":"Ann","email":%q},"comment":{"body":"Hi"}}`, a.email("ann")))
	a.later(24 * 3600e9)
	r := a.put(a.path(id), `{"ticket":{"comment":{"body":"Viele Grüße"}}}`).want(200)
	if got := fmt.Sprint(r.member("ticket", "tags")); got != "[german]" {
		t.Errorf("a trigger on the new language gave tags %s", got)
	}
	if got, want := a.mails(id), a.email("ann")+" cc : Hallo: 2026-03-05T05:06:07Z"; len(got) != 1 || got[0] != want {
		t.Errorf("mails %q, want %q", got, want)
	}
	if got := a.get(a.path(id)+"/comments").want(200).member("comments", 2, "body"); got != "Hallo!" {
		t.Errorf("the reply is %v", got)
	}
	if got := a.get(fmt.Sprintf("/api/v2/users/%v", r.member("ticket", "requester_id"))).want(200).member("user", "locale_id"); fmt.Sprint(got) != "8" {
		t.Errorf("the requester's language is %v", got)
	}
}

func TestAnAutomationThatChangesTheLanguageAlone(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noAutomations()
	a.automation("German", `{"field":"status","operator":"is","value":"new"},{"field":"NEW","operator":"greater_than","value":"1"}`, `{"field":"locale_id","value":"8"}`)
	id := a.ticket(fmt.Sprintf(`{"requester":{"name":"Ann","email":%q},"comment":{"body":"Hi"}}`, a.email("ann")))
	a.later(2 * 3600e9)
	if n := a.automate(); n != 1 {
		t.Errorf("acted on %d", n)
	}
	requester := a.get(a.path(id)).want(200).member("ticket", "requester_id")
	if got := a.get(fmt.Sprintf("/api/v2/users/%v", requester)).want(200).member("user", "locale_id"); fmt.Sprint(got) != "8" {
		t.Errorf("the requester's language is %v", got)
	}
}

func TestCopiesOfAMailHaveNoVote(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noTriggers()
	a.triggered("Ask", `{"field":"comment_includes_word","operator":"includes","value":"ask"}`, `{"field":"notification_user","value":["requester_and_ccs","S","[{{satisfaction.rating_url}}]"]}`)
	for _, tc := range []struct {
		ccs  string
		link bool
	}{{"", true}, {fmt.Sprintf(`,"email_ccs":[{"user_email":%q,"user_name":"Cem"}]`, a.email("cem")), false}} {
		id := a.ticket(fmt.Sprintf(`{"requester":{"name":"Ann","email":%q}%s,"comment":{"body":"ask"}}`, a.email("ann"), tc.ccs))
		if got := a.mails(id); len(got) != 1 || strings.Contains(got[0], "/satisfaction/") != tc.link {
			t.Errorf("with%s: %q, a link: %v", tc.ccs, got, tc.link)
		}
	}
}

func TestMailsLinkToWhereARequestCameTo(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.noTriggers()
	a.triggered("Tell", `{"field":"update_type","operator":"is","value":"Change"}`, fmt.Sprintf(`{"field":"notification_user","value":["%d","S","{{ticket.url_with_protocol}}"]}`, a.admin.ID))
	a.user("Ann", a.email("ann"), "end-user")
	ann := a.as(a.email("ann"))
	id := ann.post("/api/v2/requests", `{"request":{"subject":"S","comment":{"body":"B"}}}`).want(201).id("request")
	ann.put(fmt.Sprintf("/api/v2/requests/%d", id), `{"request":{"comment":{"body":"C"}}}`).want(200)
	if got := a.mails(id); len(got) != 1 || !strings.Contains(got[0], "http://helpd.test/") {
		t.Errorf("mails %q", got)
	}
}
