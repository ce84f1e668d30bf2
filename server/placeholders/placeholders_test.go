package placeholders

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/liquid"
)

// TestEveryPlaceholder has all of contract rules.md §10, in plain text as an
// agent reads it.
func TestEveryPlaceholder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := "https://acme.test/attachments/token/" + w.file.Token + "/?name=plan%20b.pdf"
	line := strings.Repeat("-", 46)
	reply := line + "\n\nGus Agent, March 4, 2026 13:07\n\nPut it out & wait.\n\nAttachments:\nplan b.pdf - " + file + "\n\n"
	note := line + "\n\nGus Agent, March 4, 2026 13:08 (internal note)\n\nSecret note.\n\n"
	first := line + "\n\nAnn Lee Smith, March 4, 2026 13:05\n\nIt smokes.\n\n"
	second := line + "\n\nGus Agent, March 4, 2026 13:06 (internal note)\n\nShe is\nright.\n\n"
	want := map[string]string{
		"ticket.id": "35", "ticket.encoded_id": EncodedID(w.account.ID, 35), "ticket.title": `"Smoke" & <fire>`, "ticket.description": "It smokes.",
		"ticket.verbatim_description": "It smokes.", "ticket.status": "Open", "ticket.priority": "High", "ticket.ticket_type": "Incident",
		"ticket.url": "acme.test/agent/tickets/35", "ticket.url_with_protocol": "https://acme.test/agent/tickets/35", "ticket.link": "https://acme.test/agent/tickets/35",
		"ticket.via": "Mail", "ticket.tags": "hot vip", "ticket.external_id": "ext-35", "ticket.account": "Acme & Co", "ticket.score": "Good",
		"ticket.due_date": "March 7, 2026", "ticket.due_date_with_timestamp": "2026-03-07T12:05:00Z",
		"ticket.created_at": "March 4, 2026", "ticket.created_at_with_time": "March 4, 2026 13:05", "ticket.created_at_with_timestamp": "2026-03-04T12:05:00Z",
		"ticket.updated_at": "March 4, 2026", "ticket.updated_at_with_time": "March 4, 2026 13:05", "ticket.updated_at_with_timestamp": "2026-03-04T12:05:00Z",
		"ticket.group.name": "Billing", "ticket.group.id": fmt.Sprint(*w.Ticket.GroupID), "ticket.group": "Billing",
		"ticket.organization.name": "Initech", "ticket.organization.id": fmt.Sprint(*w.Ticket.OrganizationID), "ticket.organization.external_id": "org-1",
		"ticket.organization.custom_fields.seats": "12", "ticket.organization.is_shared": "true", "ticket.organization.is_shared_comments": "false",
		"ticket.organization.details": "makes software", "ticket.organization.notes": "pays late", "ticket.organization.tags": "b2b big",
		"ticket.brand.name": "Acme & Co", "ticket.brand.id": fmt.Sprint(w.Ticket.BrandID), "ticket.ticket_form": "Complaint",
		"ticket.custom_status.name": "Open", "ticket.custom_status": "Open",
		"ticket.cc_names": "Cem Copy, Gus Agent", "ticket.ccs": "cem@initech.test, gus@acme.test", "ticket.email_cc_names": "Cem Copy, Gus Agent",
		"ticket.email_ccs": "cem@initech.test, gus@acme.test", "ticket.follower_names": "Ada", "ticket.followers": "ada@acme.test",
		"ticket.ccs.first.email":             "cem@initech.test",
		"ticket.follower_reply_type_message": "Reply to this email to add an internal note to the request.",
		"ticket.in_business_hours":           "true", "ticket.current_holiday_name": "",
		"ticket.comments": note + reply + second + first, "ticket.comments_formatted": note + reply + second + first,
		"ticket.public_comments": reply + first, "ticket.public_comments_formatted": reply + first,
		"ticket.latest_comment": "Secret note.", "ticket.latest_public_comment": "Put it out & wait.",
		"ticket.latest_comment_formatted": note, "ticket.latest_public_comment_formatted": reply,
		"ticket.latest_comment_rich": "Secret note.", "ticket.latest_public_comment_rich": "Put it out & wait.",
		"ticket.latest_comment_html": "Secret note.", "ticket.latest_public_comment_html": "Put it out & wait.\n\nAttachments:\nplan b.pdf - " + file,
		"ticket.latest_public_comment.value": "Put it out & wait.", "ticket.latest_public_comment.author.name": "Gus Agent",
		"ticket.latest_public_comment.created_at": "March 4, 2026", "ticket.latest_public_comment.created_at_with_time": "March 4, 2026 13:07",
		"ticket.latest_public_comment.created_at_with_timestamp": "2026-03-04T12:07:00Z", "ticket.latest_public_comment.is_public": "true",
		"ticket.latest_comment.is_public": "false", "ticket.latest_public_comment.id": "3", "ticket.latest_public_comment.value_rich": "Put it out & wait.",
		"ticket.latest_public_comment.rich": "Put it out & wait.", "ticket.latest_public_comment.attachments": "plan b.pdf",
		"ticket.latest_public_comment.attachments.first.url": file, "ticket.latest_public_comment.attachments.first.filename": "plan b.pdf",
		"ticket.comments.size": "4", "ticket.comments.first.value": "Secret note.", "ticket.public_comments.last.author.email": "ann@initech.test",
		fmt.Sprintf("ticket.ticket_field_%d", w.fields["choice"].ID):              "car",
		fmt.Sprintf("ticket.ticket_field_option_title_%d", w.fields["choice"].ID): "The car",
		fmt.Sprintf("ticket.ticket_field_%d", w.fields["many"].ID):                "red green",
		fmt.Sprintf("ticket.ticket_field_option_title_%d", w.fields["many"].ID):   "The red, The green",
		fmt.Sprintf("ticket.ticket_field_%d", w.fields["tick"].ID):                "1",
		fmt.Sprintf("ticket.ticket_field_%d", w.fields["text"].ID):                "a < b",
		"satisfaction.rating_url":          "https://acme.test/satisfaction/token",
		"satisfaction.positive_rating_url": "https://acme.test/satisfaction/token?score=good", "satisfaction.negative_rating_url": "https://acme.test/satisfaction/token?score=bad",
		"satisfaction.current_rating": "Good", "satisfaction.current_comment": "Thanks & bye",
		"satisfaction.rating_section": "How would you rate the support you received?\n\nGood, I'm satisfied:\nhttps://acme.test/satisfaction/token?score=good\n\n" +
			"Bad, I'm unsatisfied:\nhttps://acme.test/satisfaction/token?score=bad\n",
		"dc.greeting": "Hello Ann", "account.incoming_phone_number_1": "", "agent.signature": "Best & regards,\nGus of Acme & Co",
		"agent.name": "Gus Agent", "zd.pending_tickets": "Pending tickets",
	}
	for member, value := range map[string]string{
		"id": fmt.Sprint(w.ann.ID), "name": "Ann Lee Smith", "first_name": "Ann", "last_name": "Lee Smith", "email": "ann@initech.test", "language": "German", "locale": "de",
		"phone": "+49301234", "external_id": "ann-1", "details": "likes <b>tea</b>", "notes": "be kind", "time_zone": "Berlin", "role": "End user",
		"extended_role": "End user", "signature": "", "tags": "vip eu", "custom_fields.plan": "gold", "custom_fields.plan.title": "The gold",
		"organization.id": fmt.Sprint(*w.ann.OrganizationID), "organization.name": "Initech", "organization.is_shared": "true", "organization.is_shared_comments": "false",
		"organization.details": "makes software", "organization.notes": "pays late", "organization.tags": "b2b big", "organization.external_id": "org-1",
		"organization.custom_fields.seats": "12",
	} {
		want["ticket.requester."+member] = value
	}
	for _, who := range []string{"ticket.assignee", "current_user", "agent"} {
		want[who+".email"], want[who+".role"], want[who+".extended_role"], want[who+".organization.name"] = "gus@acme.test", "Agent", "Light agent", ""
	}
	want["ticket.submitter.name"] = "Cem Copy"
	for name, text := range want {
		if got := w.render("{{"+name+"}}", liquid.Text); got != text {
			t.Errorf("%s is %q and should be %q", name, got, text)
		}
	}
	for member := range ticketMembers {
		found := false
		for name := range want {
			found = found || name == "ticket."+member || strings.HasPrefix(name, "ticket."+member+".")
		}
		if !found {
			t.Errorf("ticket.%s is not tested", member)
		}
	}
}

func TestUnknownPlaceholdersAreEmpty(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Ticket.AssigneeID, w.Ticket.OrganizationID, w.Ticket.GroupID, w.Ticket.Priority, w.Ticket.DueAt = nil, nil, nil, nil, nil
	w.Ticket.CustomFields, w.Ticket.Satisfaction, w.SurveyURL = models.JSON("{}"), nil, ""
	for _, name := range []string{
		"ticket.assignee.name", "ticket.organization.name", "ticket.group.name", "ticket.priority", "ticket.due_date", "ticket.nothing", "Ticket.id",
		"ticket.Title", "nothing", "nothing.more", "dc.nothing", "zd.nothing", "satisfaction.current_rating", "satisfaction.rating_section",
		"satisfaction.positive_rating_url", "ticket.ticket_field_1", "ticket.ticket_field_option_title_1", "ticket.ticket_field_x",
		fmt.Sprintf("ticket.ticket_field_%d", w.fields["choice"].ID), "ticket.requester.custom_fields.nothing", "ticket.requester.password_hash", "ticket.AccountID",
	} {
		if got := w.render("{{"+name+"}}", liquid.HTML); got != "" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestHTMLValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	file := "https://acme.test/attachments/token/" + w.file.Token + "/?name=plan%20b.pdf"
	for text, want := range map[string]string{
		"{{ticket.title}}":                       "&#34;Smoke&#34; &amp; &lt;fire&gt;",
		"{{ticket.requester.details}}":           "likes &lt;b&gt;tea&lt;/b&gt;",
		"{{ticket.latest_comment_rich}}":         "<p>Secret note.</p>",
		"{{ticket.latest_public_comment_rich}}":  "<p>Put it out &amp; wait.</p>",
		"{{ticket.latest_public_comment.value}}": "Put it out &amp; wait.",
		"{{ticket.latest_public_comment_html}}": "<p>Put it out &amp; wait.</p>" + `<div class="signature">Best &amp; regards,<br>` + "\nGus of Acme &amp; Co</div>" +
			`<p>Attachments:</p><p><a href="` + file + `">plan b.pdf</a></p>`,
		"{{ticket.latest_comment_formatted}}":                    `<div class="comment"><p><strong>Gus Agent</strong>, March 4, 2026 13:08 (internal note)</p><p>Secret note.</p></div>`,
		"{{agent.signature}}":                                    "Best &amp; regards,<br>\nGus of Acme &amp; Co",
		"{% for c in ticket.comments %}{{c.value}}|{% endfor %}": "Secret note.|Put it out &amp; wait.|She is<br>\nright.|It smokes.|",
		"{{satisfaction.rating_section}}": `<p>How would you rate the support you received?</p><p><a href="https://acme.test/satisfaction/token?score=good">Good, I&#39;m satisfied</a></p>` +
			`<p><a href="https://acme.test/satisfaction/token?score=bad">Bad, I&#39;m unsatisfied</a></p>`,
	} {
		if got := w.render(text, liquid.HTML); got != want {
			t.Errorf("%s is\n%s\nand should be\n%s", text, got, want)
		}
	}
	const body = `{"title":"{{ticket.title}}","text":{{ticket.latest_public_comment_html | json}},"tags":{{ticket.tags | split: ' ' | json}}}`
	want := `{"title":"\"Smoke\" & <fire>","text":"Put it out & wait.\n\nAttachments:\nplan b.pdf - ` + file + `","tags":["hot","vip"]}`
	if got := w.render(body, liquid.JSON); got != want {
		t.Errorf("the webhook's body is\n%s\nand should be\n%s", got, want)
	}
}

func TestConditionsReadValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, condition := range []string{
		"ticket.status == 'open'", "ticket.status == 'Open'", "ticket.status == 'Offen'", "ticket.status != 'New'", "ticket.priority == 'high'",
		"ticket.tags contains 'vip'", "ticket.requester.organization.is_shared", "ticket.in_business_hours == 'true'", "ticket.in_business_hours",
		"ticket.requester.role == 'end-user'", "ticket.current_holiday_name == blank", "ticket.created_at < ticket.due_date", "ticket.title contains '& <f'",
		fmt.Sprintf("ticket.ticket_field_%d == 'true'", w.fields["tick"].ID), fmt.Sprintf("ticket.ticket_field_%d == '1'", w.fields["tick"].ID),
		fmt.Sprintf("ticket.ticket_field_%d == 'car'", w.fields["choice"].ID), "ticket.id == 35", "ticket.latest_public_comment.is_public == true",
		"ticket.latest_public_comment contains 'wait'",
	} {
		for format := liquid.Text; format <= liquid.XML; format++ {
			if got := w.render("{% if "+condition+" %}yes{% endif %}", format, func(c *Context) { c.Locale = "de" }); got != "yes" {
				t.Errorf("%s does not hold in format %d", condition, format)
			}
		}
	}
}

func TestReadersLanguage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for locale, want := range map[string]string{
		"en-US": "Open, High, March 4, 2026 13:05, Pending tickets", "en-GB": "Open, High, 4 March 2026 13:05, Pending tickets",
		"de": "Offen, Hoch, 4. März 2026 13:05, Wartende Tickets", "fr-CA": "Ouvert, Élevée, 4 mars 2026 13:05, Tickets en attente",
		"es-419": "Abierto, Alta, 4 de marzo de 2026 13:05, Tickets pendientes", "ja": "オープン, 高, 2026年3月4日 13:05, 保留中のチケット",
		"ko": "진행 중, 높음, 2026년 3월 4일 13:05, 대기 중인 티켓", "nl": "Open, High, 2026-03-04 13:05, Pending tickets",
		"": "Open, High, March 4, 2026 13:05, Pending tickets",
	} {
		got := w.render("{{ticket.status}}, {{ticket.priority}}, {{ticket.created_at_with_time}}, {{zd.pending_tickets}}", liquid.Text, func(c *Context) { c.Locale = locale })
		if got != want {
			t.Errorf("%s: %s", locale, got)
		}
	}
	if got := w.render("{{dc.greeting}}", liquid.Text, func(c *Context) { c.Locale = "de-AT" }); got != "Hallo Ann: It smokes." {
		t.Errorf("dynamic content is %q", got)
	}
	for literal, want := range map[bool]string{false: "It: Hello {{ticket.requester.first_name}}", true: "It: {{dc.greeting}}"} {
		title := func(c *Context) { c.Ticket.Subject, c.Ticket.SubjectLiteral = new("It: {{dc.greeting}}"), literal }
		if got := w.render("{{ticket.title}}", liquid.Text, title); got != want {
			t.Errorf("the title is %q", got)
		}
	}
	for lang, texts := range systemTexts {
		for key := range systemTexts["en"] {
			if texts[key] == "" {
				t.Errorf("%s lacks %s", lang, key)
			}
		}
	}
}

// TestEndUsersReadNothingPrivate renders everything that can be named to an end
// user, for whom no word of a private comment is.
func TestEndUsersReadNothingPrivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all strings.Builder
	for name := range ticketMembers {
		fmt.Fprintf(&all, "{{ticket.%s}}\n", name)
	}
	all.WriteString("{% for c in ticket.comments %}{{c}}{{c.value}}{{c.value_rich}}{{c.author.name}}{% endfor %}{{ticket.comments.first.value}}{{ticket['comments'][0]}}")
	secret := regexp.MustCompile(`(?i)secret|right|internal`)
	for format := liquid.Text; format <= liquid.XML; format++ {
		if got := w.render(all.String(), format, toEndUser); secret.MatchString(got) || strings.Contains(got, "Gus") {
			t.Errorf("format %d shows a private comment or an agent's name:\n%s", format, got)
		}
		if got := w.render(all.String(), format); !secret.MatchString(got) {
			t.Errorf("format %d shows an agent no private comment", format)
		}
	}
	for text, want := range map[string]string{
		"{{ticket.comments.size}}": "2", "{{ticket.latest_comment}}": "Put it out & wait.", "{{ticket.assignee.name}}": "Support Team",
		"{{ticket.ticket_form}}": "Complain", "{{ticket.link}}": "https://acme.test/hc/requests/35",
		"{{ticket.follower_reply_type_message}}": "Antworten Sie auf diese E-Mail, um der Anfrage einen Kommentar hinzuzufügen.",
	} {
		if got := w.render(text, liquid.Text, toEndUser); got != want {
			t.Errorf("%s is %q to an end user", text, got)
		}
	}
	// A ticket that began among agents tells them nothing of that.
	w.set("UPDATE comments SET public = (id = 3) WHERE account_id = ?", w.account.ID)
	if got := w.render("{{ticket.description}}", liquid.Text, toEndUser); got != "Put it out & wait." {
		t.Errorf("the description is %q", got)
	}
	w.set("UPDATE comments SET public = false WHERE account_id = ?", w.account.ID)
	if got := w.render("{{ticket.description}}{{ticket.latest_comment}}{{ticket.comments}}{{ticket.latest_comment.author.email}}", liquid.Text, toEndUser); got != "" {
		t.Errorf("of a private ticket there is %q", got)
	}
}

func TestTheCommentOfAChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	note := models.Comment{ID: 99, AuthorID: w.gus.ID, PlainBody: "Hidden", HTMLBody: "<p>Hidden</p>", CreatedAt: noon.Add(time.Hour)}
	with := func(c *Context) { c.Comment, c.Files = &note, []models.Attachment{{Token: "tok", FileName: "a.txt"}} }
	const text = "{{ticket.latest_comment}} {{ticket.comments.size}} {{ticket.latest_comment.attachments}}"
	if got := w.render(text, liquid.Text, with); got != "Hidden 5 a.txt" {
		t.Errorf("it gives %q", got)
	}
	if got := w.render(text, liquid.Text, with, toEndUser); got != "Put it out & wait. 2 plan b.pdf" {
		t.Errorf("to an end user it gives %q", got)
	}
	created := func(c *Context) { c.Created = true; c.Ticket.Description = "Hidden" }
	if got := w.render("{{ticket.comments.size}} {{ticket.description}}", liquid.Text, with, created); got != "1 Hidden" {
		t.Errorf("of a new ticket there is %q", got)
	}
	if got := w.render("{{ticket.description}}", liquid.Text, with, created, toEndUser); got != "" {
		t.Errorf("of a new private ticket an end user reads %q", got)
	}
	note.Public = true
	if got := w.render("{{ticket.description}}", liquid.Text, with, created, toEndUser); got != "Hidden" {
		t.Errorf("of a new public ticket an end user reads %q", got)
	}
}

func TestSuppression(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	suppress := func(c *Context) { c.Suppress, c.Locale = true, "de" }
	for name := range suppressible {
		if got := w.render("[{{ticket."+name+"}}]", liquid.HTML, suppress); got != "[]" {
			t.Errorf("ticket.%s is %s", name, got)
		}
	}
	for text, want := range map[string]string{
		"{% for c in ticket.public_comments %}{{c.value_rich}}{% endfor %}": "",
		"{{ticket.title}}": `"Smoke" & <fire>`, "{{dc.greeting}}": "Hallo Ann: It smokes.",
	} {
		if got := w.render(text, liquid.Text, suppress); got != want {
			t.Errorf("%s is %q", text, got)
		}
	}
	w.Config.Settings.Tickets.AnonymousRequests, w.Config.Settings.Tickets.SignupRequired = true, false
	if !w.Suppressed(true, false, true) {
		t.Error("a stranger's new ticket is repeated to him")
	}
	for name, got := range map[string]bool{"an update": w.Suppressed(false, false, true), "the Tickets API": w.Suppressed(true, true, true), "an agent": w.Suppressed(true, false, false)} {
		if got {
			t.Errorf("%s is suppressed", name)
		}
	}
	w.Config.Settings.Tickets.SignupRequired = true
	if w.Suppressed(true, false, true) {
		t.Error("those who have registered are suppressed")
	}
}

func TestHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	night := func(c *Context) { c.Now = noon.Add(8 * time.Hour) }
	if got := w.render("{{ticket.in_business_hours}}{% if ticket.in_business_hours %}!{% endif %}", liquid.Text, night); got != "false" {
		t.Errorf("at night it is %q", got)
	}
	easter := func(c *Context) { c.Now = noon.AddDate(0, 1, 0).Add(-13 * time.Hour) } // 23:05 UTC is the next day in Berlin
	if got := w.render("{{ticket.current_holiday_name}}", liquid.Text, easter); got != "Easter" {
		t.Errorf("the holiday is %q", got)
	}
	w.Config.Schedules = nil
	if got := w.render("{{ticket.in_business_hours}}{{ticket.current_holiday_name}}", liquid.Text, night); got != "true" {
		t.Errorf("without a schedule it is %q", got)
	}
}

func TestOnlyWhatIsUsedIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, want := range map[string]Needs{
		"Hello":                       {},
		"{{ticket.id}}":               {},
		"{{ticket.requester.name}}":   {Users: true},
		"{{ticket.latest_comment}}":   {Users: true, Comments: 1},
		"{{ticket['comments'].size}}": {Users: true, Comments: MaxComments, Files: true},
		"{{ticket.group.name}}{{ticket.organization.name}}": {Groups: true, Organizations: true},
		"{{dc.greeting}}": {Users: true, FirstPublic: true},
		"{{dc.other}}":    {},
	} {
		if got := w.Needs(text); got != want {
			t.Errorf("%s needs %+v", text, got)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Hello {{ticket.requester.name}}":                                                             "",
		"{{ticket.comments_formatted}}{{ticket.comments}}":                                            "",
		"{% for c in ticket.comments %}{{c.value}}{% endfor %}":                                       "",
		"{{nothing | no_filter}}":                                                                     "",
		"{% for i in (1..100) %}{{i}}{% endfor %}":                                                    "",
		"{% for i in (1..1000000000) %}{% endfor %}":                                                  "the text takes too long",
		"{% for i in (1..ticket.id) %}{% endfor %}":                                                   "the text takes too long",
		"{% assign s = 'aaaaaaaa' %}{% for i in (1..99) %}{% assign s = s | append: s %}{% endfor %}": "the text gives more than 64 KB",
		"{% if %}":          "line 1: an expression is missing",
		"{{ a":              "line 1: {{ is not closed",
		"{% include 'x' %}": "line 1: there is no tag include",
	} {
		err := Check(text)
		if (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for raw, want := range map[string]string{
		"{{zd.pending_tickets}}": "Wartende Tickets", "My {{ zd.overdue_tasks }}": "My Überfällige Aufgaben", "{{zd.none}}": "{{zd.none}}",
		"{{dc.greeting}}": "Hallo {{ticket.requester.first_name}}: {{ticket.description}}", "{{ticket.title}}": "{{ticket.title}}", "plain": "plain",
	} {
		if got := Title(raw, w.Config.Texts, "de"); got != want {
			t.Errorf("%s is %q", raw, got)
		}
	}
}

func TestEncodedIDsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for id := range int64(20_000) {
		code := EncodedID(7, id+1)
		if seen[code] || len(code) != 11 {
			t.Fatalf("ticket %d has %s", id+1, code)
		}
		seen[code] = true
	}
	if EncodedID(7, 1) == EncodedID(8, 1) {
		t.Error("two accounts' tickets have the same")
	}
}

// FuzzRender holds that no text shows an end user what is private, and that none
// panics.
func FuzzRender(f *testing.F) {
	for name := range ticketMembers {
		f.Add("{{ticket." + name + "}}")
	}
	f.Add("{% for c in ticket.comments %}{{c.value | append: dc.x}}{% endfor %}{{agent.signature}}{{satisfaction.rating_section}}")
	f.Fuzz(func(t *testing.T, text string) {
		c := sample()
		c.Related.Comments = append(c.Related.Comments, models.Comment{ID: 77, AuthorID: 1, PlainBody: "hushhush", HTMLBody: "<p>hushhush</p>", CreatedAt: c.Now})
		c.Public = true
		for format := liquid.Text; format <= liquid.XML; format++ {
			if got := Render(text, format, c); strings.Contains(got, "hushhush") && !strings.Contains(text, "hush") {
				t.Errorf("%q shows %q", text, got)
			}
		}
		_ = Check(text)
	})
}

// BenchmarkRender renders the mail of a fresh account about a new comment.
func BenchmarkRender(b *testing.B) {
	c := sample()
	for b.Loop() {
		Render("[{{ticket.account}}] Re: {{ticket.title}}\n\n{{ticket.latest_comment_html}}", liquid.HTML, c)
	}
}
