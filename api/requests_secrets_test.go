package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/helpd/helpd/gen"
)

// hidden are words in places that no end user may read, by place.
type hidden map[string]string

func (h hidden) in(place string) string {
	h[place] = "zqhidden" + strings.ReplaceAll(place, " ", "") + "zq"
	return h[place]
}

// wantNone checks that an answer has none of the words.
func (h hidden) wantNone(t *testing.T, about string, r *result) {
	t.Helper()
	for place, word := range h {
		if strings.Contains(strings.ToLower(string(r.body)+fmt.Sprint(r.header)), word) {
			t.Errorf("%s: %s %.200s shows the %s: %.500s", about, r.method, r.path, place, r.body)
		}
	}
}

// hide puts a word into every place of w that end users may not read.
func (w *world) hide() hidden {
	w.t.Helper()
	h := hidden{}
	ticket, agent, user := "/api/v2/tickets/"+w.ids["ticket_id"], "/api/v2/users/"+w.ids["agent_id"], "/api/v2/users/"+w.ids["user_id"]
	field := w.ticketField(`{"type":"text","title":%q,"description":%q}`, h.in("title of a field"), h.in("description of a field"))
	portal := w.ticketField(`{"type":"text","title":%q,"title_in_portal":"Model","description":"Which one","agent_description":%q,"visible_in_portal":true}`, h.in("title for agents"), h.in("agents description"))
	w.put(ticket, fmt.Sprintf(`{"ticket":{"custom_fields":[{"id":%d,"value":%q},{"id":%d,"value":"shown"}],"external_id":%q,"additional_tags":[%q]}}`,
		field, h.in("value of a field"), portal, h.in("external id"), h.in("tag"))).want(200)
	token := w.upload("filename="+h.in("private file")+".txt", "text/plain", h.in("contents of a private file")).Upload.Token
	w.put(ticket, fmt.Sprintf(`{"ticket":{"comment":{"body":%q,"public":false,"uploads":[%q]},"metadata":{"x":%q}}}`, h.in("private comment"), token, h.in("metadata"))).want(200)
	w.put(agent, fmt.Sprintf(`{"user":{"name":%q,"alias":"Support","notes":%q,"details":%q,"signature":%q,"phone":"+4915112345679"}}`,
		h.in("name of an agent with an alias"), h.in("notes about an agent"), h.in("details of an agent"), h.in("signature"))).want(200)
	w.put(user, fmt.Sprintf(`{"user":{"notes":%q,"details":%q,"tags":[%q]}}`, h.in("notes about a user"), h.in("details of a user"), h.in("tag of a user"))).want(200)
	w.put("/api/v2/organizations/"+w.ids["organization_id"], fmt.Sprintf(`{"organization":{"notes":%q,"details":%q,"tags":[%q]}}`,
		h.in("notes about an organization"), h.in("details of an organization"), h.in("tag of an organization"))).want(200)
	w.as(w.agent).put(ticket, `{"ticket":{"comment":{"body":"We look at it."}}}`).want(200)
	// Another's ticket, and one that follows it up but is this user's.
	other := w.user(h.in("name of another"), w.email(h.in("address of another")), "end-user")
	body := fmt.Sprintf(`{"ticket":{"subject":%q,"requester_id":%d,"status":"solved","assignee_id":%s,"comment":{"body":%q}}}`,
		h.in("subject of another"), other, w.ids["agent_id"], h.in("comment of another"))
	foreign := w.post("/api/v2/tickets", body).want(201).id("ticket")
	w.put(fmt.Sprintf("/api/v2/tickets/%d", foreign), `{"ticket":{"status":"closed"}}`).want(200)
	w.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"Again","requester_id":%s,"via_followup_source_id":%d,"comment":{"body":"x"}}}`, w.ids["user_id"], foreign)).want(201)
	// A ticket that was private and then answered.
	first := w.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"requester_id":%s,"comment":{"body":%q,"public":false}}}`, w.ids["user_id"], h.in("private first comment"))).want(201).id("ticket")
	w.put(fmt.Sprintf("/api/v2/tickets/%d", first), `{"ticket":{"comment":{"body":"An answer"}}}`).want(200)
	w.ids["other_ticket"], w.ids["other_user"] = fmt.Sprint(foreign), fmt.Sprint(other)
	return h
}

// What only agents may read turns up in no answer to an end user or to nobody, by
// any operation that they may call, nor does it decide what they find.
func TestEndUsersFindNothingHidden(t *testing.T) {
	t.Parallel()
	w := newWorld(newAPI(t))
	h := w.hide()
	for place, word := range h { // or the test below would find nothing wherever it is
		if strings.HasPrefix(place, "contents") {
			continue
		}
		if !w.tells(word) {
			t.Errorf("no agent finds the %s either", place)
		}
	}
	for _, who := range []*anAPI{w.as(w.endUser), w.anonymous()} {
		caller := *w
		caller.anAPI = who
		for _, op := range byHarm() {
			if ranks[op.Allow] > ranks["end-user"] {
				continue
			}
			for _, r := range caller.reachFor(op) {
				h.wantNone(t, op.ID, r)
			}
		}
	}
	customer := w.as(w.endUser)
	for place, word := range h {
		r := customer.get("/api/v2/requests/search?query=" + url.QueryEscape(word)).want(200)
		if ids := r.ids("requests"); len(ids) > 0 {
			t.Errorf("the %s leads to %v", place, ids)
		}
	}
	for _, path := range []string{"/api/v2/requests/" + w.ids["other_ticket"], "/api/v2/requests/" + w.ids["other_ticket"] + "/comments", "/api/v2/users/" + w.ids["other_user"] + "/requests"} {
		customer.get(path).wantMissing()
	}
	for _, path := range []string{"/api/v2/requests", "/api/v2/requests/search", "/api/v2/requests?include=users,organizations&page[size]=100", "/api/v2/organizations/" + w.ids["organization_id"] + "/requests"} {
		h.wantNone(t, path, customer.get(path))
	}
}

// tells reports whether an admin reads a word by any operation.
func (w *world) tells(word string) bool {
	w.t.Helper()
	for _, op := range gen.Operations {
		if op.Method != "GET" {
			continue
		}
		if strings.Contains(string(w.do("GET", w.path(op)+"?include=users,last_audits", "").body), word) {
			return true
		}
	}
	return false
}
