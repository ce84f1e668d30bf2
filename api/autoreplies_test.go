package api_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/autoreplies"
	"github.com/helpd/helpd/server/testdb"
)

// aReplyingShop is a shop on a database of its own: autoreplies are sent for all
// accounts of one.
type aReplyingShop struct {
	*aHelpCenter
	replies        *autoreplies.Service
	lamp, password int64
}

func newReplyingShop(t *testing.T) *aReplyingShop {
	t.Helper()
	dsn := testdb.DSN(t)
	a, services := buildAPI(t, testdb.Open(t, dsn), dsn)
	s := &aReplyingShop{replies: services.Autoreplies}
	s.aHelpCenter, s.lamp, s.password = newHelpCenterOf(a).stocked()
	s.noTriggers()
	return s
}

const created = `{"field":"update_type","operator":"is","value":"Create"}`

// autoreply makes a trigger for new tickets; share is "" or `,"25"`.
func (s *aReplyingShop) autoreply(title, body, share string) int64 {
	s.t.Helper()
	return s.triggered(title, created, fmt.Sprintf(`{"field":"deflection","value":["requester_id","Re: {{ticket.title}}",%q%s]}`, body, share))
}

func (s *aReplyingShop) send() {
	s.t.Helper()
	if err := s.replies.Send(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

// asks is a ticket of somebody's.
func (s *aReplyingShop) asks(email, subject, text string) int64 {
	s.t.Helper()
	return s.ticket(fmt.Sprintf(`{"subject":%q,"requester":{"name":"Ann Other","email":%q},"comment":{"body":%q}}`, subject, email, text))
}

// offered are the articles that a ticket was offered, as the ledger has them.
func (s *aReplyingShop) offered(ticket int64) []string {
	return s.names("SELECT article_id || ' ' || locale || ' ' || outcome FROM deflections WHERE account_id = ? AND ticket_id = ? ORDER BY article_id", s.account.ID, ticket)
}

func TestAutoreplies(t *testing.T) {
	t.Parallel()
	s := newReplyingShop(t)
	staff := s.post(help+"/user_segments", `{"user_segment":{"name":"Staff","user_type":"staff"}}`).want(201).id("user_segment")
	s.article(fmt.Sprintf(`"title":"Returning a broken lamp: what we pay","user_segment_id":%d`, staff))
	gold := s.post(help+"/user_segments", `{"user_segment":{"name":"Gold","user_type":"signed_in_users","tags":["gold"]}}`).want(201).id("user_segment")
	golden := s.article(fmt.Sprintf(`"title":"Returning a broken lamp with gold","user_segment_id":%d`, gold))
	trigger := s.autoreply("Self-service", "Hello {{ticket.requester.first_name}}, {{answer_bot.article_count}} may help. {{answer_bot.article_list}}", "")

	ann := s.email("ann")
	ticket := s.asks(ann, "Broken lamp", "How do I return it?")
	if mails, n := s.mails(ticket), len(s.offered(ticket)); len(mails)+n != 0 {
		t.Errorf("before it is due: %q, %d", mails, n)
	}
	s.send()
	const site = "http://helpd.test"
	page := fmt.Sprintf("/hc/en-us/articles/%d-Returning-a-broken-lamp", s.lamp)
	mails := s.mails(ticket)
	if len(mails) != 1 || !strings.HasPrefix(mails[0], ann+" cc : Re: Broken lamp: Hello Ann, 1 may help.") {
		t.Fatalf("mails %q", mails)
	}
	var html string
	if err := s.db.WithContext(s.ctx()).Model(&models.OutboxMail{}).Where("ticket_id = ?", ticket).Pluck("html_body", &html).Error; err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(html, -1)
	if len(links) != 3 || links[0][1] != site+page || !strings.HasSuffix(links[1][1], "?answer=solved") || !strings.HasSuffix(links[2][1], "?answer=rejected") {
		t.Fatalf("links %v in %s", links, html)
	}
	if strings.Contains(html, "what we pay") || strings.Contains(html, "gold") {
		t.Errorf("shows what the requester may not see: %s", html)
	}
	for _, link := range links { // for those who read plain text, too
		if !strings.Contains(mails[0], link[1]) {
			t.Errorf("the text has no %s: %s", link[1], mails[0])
		}
	}
	want := []string{fmt.Sprintf("%d en-us offered", s.lamp)}
	if got := s.offered(ticket); !slices.Equal(got, want) {
		t.Errorf("ledger %v, want %v", got, want)
	}
	audits := s.get(s.path(ticket) + "/audits").want(200)
	if got := told(audits, "audits", 1, "events"); audits.count("audits") != 2 || got != "AutomaticAnswerSend  <nil> <nil>" {
		t.Errorf("audits %d, %s", audits.count("audits"), got)
	}
	if got := canonicalOf(audits.member("audits", 1, "via", "source", "from")); got != fmt.Sprintf(`{"deleted":false,"id":%d,"title":"Self-service"}`, trigger) {
		t.Errorf("via %s", got)
	}
	event := audits.member("audits", 1, "events", 0).(map[string]any)
	if got, want := canonicalOf(event["body"]), fmt.Sprintf(`[{"article":{"article_id":%d,"brand_id":%v,"html_url":"%s","id":%d,"locale":"en-us","score":%v,"title":"Returning a broken lamp"}}]`,
		s.lamp, audits.member("audits", 1, "events", 0, "body", 0, "article", "brand_id"), site+page, s.lamp, audits.member("audits", 1, "events", 0, "body", 0, "article", "score")); got != want || event["public"] != true {
		t.Errorf("event %s, want %s", got, want)
	}
	for _, path := range []string{"/api/v2/incremental/ticket_events.json?start_time=0", s.path(ticket) + "/audits", "/api/v2/rules/explain"} {
		switch {
		case strings.HasSuffix(path, "explain"):
			s.post(path, fmt.Sprintf(`{"ticket_id":%d}`, ticket)).want(200)
		default:
			s.get(path).want(200)
		}
	}
	if got := s.number("SELECT count(*) FROM rule_uses WHERE account_id = ? AND rule_id = ?", s.account.ID, trigger); got != 1 {
		t.Errorf("%d uses", got)
	}

	t.Run("of_the_brand", func(t *testing.T) {
		b, host := withBrand(s.anAPI, "")
		category := b.post(help+"/en-us/categories", `{"category":{"name":"Lamps"}}`).want(201).id("category")
		section := b.post(fmt.Sprintf("%s/en-us/categories/%d/sections", help, category), `{"section":{"name":"Returns"}}`).want(201).id("section")
		lamp := b.post(fmt.Sprintf("%s/en-us/sections/%d/articles", help, section), `{"article":{"title":"Returning a broken lamp of this brand"}}`).want(201).id("article")
		body := fmt.Sprintf(`{"ticket":{"subject":"Broken lamp","requester":{"name":"Bea","email":%q},"comment":{"body":"How do I return it?"}}}`, s.email("bea"))
		made := b.post("/api/v2/tickets", body).want(201)
		if fmt.Sprint(made.member("ticket", "brand_id")) != fmt.Sprint(b.id) {
			t.Errorf("a ticket of the brand's host: %s", made.body)
		}
		ticket := made.id("ticket")
		s.send()
		if got, want := s.offered(ticket), []string{fmt.Sprintf("%d en-us offered", lamp)}; !slices.Equal(got, want) {
			t.Errorf("ledger %v, want %v", got, want)
		}
		link := fmt.Sprintf("http://%s/hc/en-us/articles/%d-Returning-a-broken-lamp-of-this-brand", host, lamp)
		if mails := s.mails(ticket); len(mails) != 1 || !strings.Contains(mails[0], link) {
			t.Errorf("mails %q, want %s", mails, link)
		}
		if got := s.get(s.path(ticket)+"/audits").want(200).member("audits", 1, "events", 0, "body", 0, "article", "html_url"); got != link {
			t.Errorf("the audit has %v, want %s", got, link)
		}
		// An agent is shown articles of the ticket's brand, wherever he asks.
		if got := s.post(help+"/suggestions", fmt.Sprintf(`{"suggestion":{"ticket_id":%d}}`, ticket)).want(200).member("suggestions", 0, "article_id"); fmt.Sprint(got) != fmt.Sprint(lamp) {
			t.Errorf("suggested %v, want %d", got, lamp)
		}
		// What is closed is offered to nobody.
		b.put(b.path, `{"brand":{"help_center_state":"restricted"}}`).want(200)
		ticket = s.post("/api/v2/tickets", strings.Replace(body, `"subject"`, fmt.Sprintf(`"brand_id":%d,"subject"`, b.id), 1)).want(201).id("ticket")
		s.send()
		if got := s.offered(ticket); len(got) != 0 {
			t.Errorf("offered of a closed help center: %v", got)
		}
	})

	t.Run("once", func(t *testing.T) {
		s.put("/api/v2/triggers/"+fmt.Sprint(trigger), `{"trigger":{"conditions":{"all":[]  ,"any":[{"field":"update_type","operator":"is","value":"Change"},`+created+`]}}}`).want(200)
		s.put(s.path(ticket), `{"ticket":{"comment":{"body":"The lamp is still broken."}}}`).want(200)
		s.send()
		if n := len(s.mails(ticket)); n != 1 {
			t.Errorf("%d mails after an update", n)
		}
	})
	t.Run("whom", func(t *testing.T) {
		none := func(what string, id int64) {
			t.Helper()
			s.send()
			if mails, offered := s.mails(id), s.offered(id); len(mails)+len(offered) != 0 || s.get(s.path(id)+"/audits").want(200).count("audits") != 1 {
				t.Errorf("%s: %q, %v", what, mails, offered)
			}
		}
		none("nothing answers", s.asks(ann, "Zebras", "Colourless green ideas sleep furiously."))
		none("among agents", s.ticket(fmt.Sprintf(`{"subject":"Broken lamp","requester":{"name":"Ann","email":%q},"comment":{"body":"How to return a broken lamp","public":false}}`, ann)))
		suspended := s.asks(s.email("late"), "Broken lamp", "How do I return it?")
		s.put(fmt.Sprintf("/api/v2/users/%v", s.get(s.path(suspended)).want(200).member("ticket", "requester_id")), `{"user":{"suspended":true}}`).want(200)
		none("a suspended requester", suspended)
		solved := s.asks(ann, "Broken lamp", "How do I return it?")
		s.put(s.path(solved), fmt.Sprintf(`{"ticket":{"status":"solved","assignee_id":%d}}`, s.admin.ID)).want(200)
		s.send()
		if n := len(s.mails(solved)) + len(s.offered(solved)); n != 0 {
			t.Errorf("a solved ticket: %d", n)
		}
		s.user("Gold", s.email("gold"), "end-user")
		r := s.get("/api/v2/users/search?query=" + s.email("gold")).want(200)
		s.put(fmt.Sprintf("/api/v2/users/%v", r.member("users", 0, "id")), `{"user":{"tags":["gold"]}}`).want(200)
		s.user("Kim", s.email("kim"), "end-user")
		r = s.get("/api/v2/users/search?query=" + s.email("kim")).want(200)
		s.put(fmt.Sprintf("/api/v2/users/%v", r.member("users", 0, "id")), `{"user":{"locale":"ko"}}`).want(200)
		gold, kim := s.asks(s.email("gold"), "Broken lamp", "How do I return it?"), s.asks(s.email("kim"), "램프 반품", "램프를 반품하고 싶어요")
		s.send()
		if got, want := s.offered(gold), []string{fmt.Sprintf("%d en-us offered", s.lamp), fmt.Sprintf("%d en-us offered", golden)}; !slices.Equal(got, want) {
			t.Errorf("to gold: %v, want %v", got, want)
		}
		if got, want := s.offered(kim), []string{fmt.Sprintf("%d ko offered", s.lamp)}; !slices.Equal(got, want) || !strings.Contains(strings.Join(s.mails(kim), ""), "예, 해결되었습니다") {
			t.Errorf("in Korean: %v, %q", got, s.mails(kim))
		}
	})
	t.Run("links", func(t *testing.T) {
		path := strings.TrimPrefix(strings.TrimSuffix(links[1][1], "?answer=solved"), site)
		reader := s.reader()
		before := s.rows()
		reader.get(path).want(200).wantPage("Returning a broken lamp", fmt.Sprintf("#%d", ticket), "Acme", `value="solved" required>`)
		reader.get(path + "?answer=solved").want(200).wantPage(`value="solved" required checked`)
		reader.do("HEAD", path, "").want(200)
		if tables := changed(before, s.rows()); len(tables) > 0 {
			t.Fatalf("opening the link wrote to %v", tables)
		}
		reader.post(path, "answer=perhaps").want(422).wantPage("Please choose an answer")
		reader.post(path, "answer=rejected").want(303)
		reader.get(path + "?saved=1").want(200).wantPage("Your request stays open")
		if got := s.offered(ticket); !strings.HasSuffix(got[0], "rejected") {
			t.Errorf("no: %v", got)
		}
		reader.post(path, "answer=solved").want(303)
		reader.get(path + "?saved=1").want(200).wantPage("Your request is closed")
		if got := s.get(s.path(ticket)).want(200).member("ticket", "status"); got != "solved" || !strings.HasSuffix(s.offered(ticket)[0], "solved") {
			t.Errorf("yes: %v, %v", got, s.offered(ticket))
		}
		token := strings.TrimPrefix(path, "/answers/")
		for _, bad := range []string{"x", "0.x", token + "x", "1" + token, strings.Replace(token, ".", ".x", 1), "99999999999999999999." + token, fmt.Sprint(s.another().account.ID) + token[strings.Index(token, "."):]} {
			reader.get("/answers/" + bad).want(404).wantPage("This link is not valid")
			reader.post("/answers/"+bad, "answer=solved").want(404)
		}
		s.put(fmt.Sprintf("%s/articles/%d", help, s.lamp), `{"article":{"title":"New"}}`)
		s.delete(fmt.Sprintf("%s/articles/%d", help, s.lamp)).want(204)
		if r := reader.get(path).want(200).wantPage("sent you an article"); strings.Contains(string(r.body), "lamp") {
			t.Errorf("shows an article that is gone: %s", r.body)
		}
		s.later(29 * 24 * time.Hour)
		reader.get(path).want(404).wantPage("This link is not valid")
	})
}

func TestAutorepliesAreShared(t *testing.T) {
	t.Parallel()
	s := newReplyingShop(t)
	create := func(n int) (ids []int64) {
		var list []string
		for range n {
			list = append(list, fmt.Sprintf(`{"subject":"Broken lamp","requester":{"name":"Ann","email":%q},"comment":{"body":"How do I return it?"}}`, s.email("ann")))
		}
		for _, one := range list {
			ids = append(ids, s.ticket(one))
		}
		return ids
	}
	asked := func() []string {
		return s.names("SELECT ticket_id::text FROM autoreplies WHERE account_id = ? ORDER BY ticket_id", s.account.ID)
	}
	never := s.autoreply("Never", "{{answer_bot.article_list}}", `,0`)
	create(5)
	if got := asked(); len(got) != 0 {
		t.Errorf("a share of 0: %v", got)
	}
	s.delete(fmt.Sprintf("/api/v2/triggers/%d", never)).want(204)
	s.autoreply("A quarter", "See below.", `,"25"`)
	create(40)
	some := asked()
	if len(some) < 2 || len(some) > 25 {
		t.Errorf("a quarter of 40: %v", some)
	}
	// Several processes at once, one of which ended while it had some in hand.
	if err := s.db.WithContext(s.ctx()).Exec("UPDATE autoreplies SET due_at = due_at + interval '1 minute', tries = 1 WHERE account_id = ? AND ticket_id = ?", s.account.ID, some[0]).Error; err != nil {
		t.Fatal(err)
	}
	var both errgroup.Group
	for range 2 {
		both.Go(func() error { return s.replies.Send(context.Background()) })
	}
	if err := both.Wait(); err != nil {
		t.Fatal(err)
	}
	sent := func() []string {
		return s.names("SELECT ticket_id::text FROM outbox WHERE account_id = ? ORDER BY ticket_id", s.account.ID)
	}
	if got := sent(); !slices.Equal(got, some[1:]) {
		t.Errorf("sent for %v, asked for %v", got, some)
	}
	s.later(2 * time.Minute)
	s.send()
	if got := sent(); !slices.Equal(got, some) {
		t.Errorf("in the end sent for %v, asked for %v", got, some)
	}
	if got := s.names("SELECT text_body FROM outbox WHERE account_id = ? LIMIT 1", s.account.ID)[0]; !strings.HasPrefix(got, "See below.") || !strings.Contains(got, "Returning a broken lamp") {
		t.Errorf("a body that names no articles: %q", got)
	}
	if left := s.number("SELECT count(*) FROM autoreplies WHERE account_id = ? AND (due_at IS NOT NULL OR body <> '')", s.account.ID); left != 0 {
		t.Errorf("%d are left", left)
	}

	for value, why := range map[string]string{
		`"requester_id"`:                "needs a recipient, a subject and a body, and may have a share of tickets in percent",
		`["requester_id","S"]`:          "needs a recipient, a subject and a body, and may have a share of tickets in percent",
		`["requester_id","S"," "]`:      "needs a subject and a body",
		`["all_agents","S","B"]`:        `cannot go to "all_agents" (requester_id)`,
		`["requester_id","S","B",""]`:   `cannot be for a share of "" (0 to 100)`,
		`["requester_id","S","B",101]`:  `cannot be for a share of "101" (0 to 100)`,
		`["requester_id","S","B",25,1]`: "needs a recipient, a subject and a body, and may have a share of tickets in percent",
	} {
		s.post("/api/v2/triggers", fmt.Sprintf(`{"trigger":{"title":"x","all":[%s],"actions":[{"field":"deflection","value":%s}]}}`, created, value)).wantDetail("base", "actions[0]: deflection "+why)
	}
	r := s.post("/api/v2/triggers", fmt.Sprintf(`{"trigger":{"title":"x","all":[%s],"actions":[{"field":"deflection","value":["requester_id","S","{%% if %%}"]}]}}`, created)).want(422)
	if !strings.Contains(string(r.body), "actions[0]") {
		t.Errorf("a body that is no Liquid: %s", r.body)
	}
	s.post("/api/v2/automations", `{"automation":{"title":"x","all":[{"field":"status","operator":"is","value":"open"},{"field":"OPEN","operator":"greater_than","value":"1"}],"actions":[{"field":"deflection","value":["requester_id","S","B"]}]}}`).
		wantDetail("base", "actions[0]: deflection cannot be done by this kind of rule")
	definitions := canonicalOf(s.get("/api/v2/triggers/definitions").want(200).member("definitions", "actions"))
	if want := `{"group":"notification","nullable":false,"repeatable":false,"subject":"deflection","title":"Autoreply with articles","type":"list","values":[{"enabled":true,"title":"(requester)","value":"requester_id"}]}`; !strings.Contains(definitions, want) {
		t.Errorf("definitions have no %s", want)
	}
	s.later(-2 * time.Minute)
	dry := s.post("/api/v2/rules/dry_run", fmt.Sprintf(`{"trigger":{"title":"x","all":[%s],"actions":[{"field":"deflection","value":["requester_id","S","B"]}]}}`, created)).want(200)
	if got := canonicalOf(dry.member("dry_run", "matches", 0, "messages")); !strings.Contains(got, `"field":"deflection"`) {
		t.Errorf("tried out: %s", got)
	}
}
