package api_test

import (
	"fmt"
	"testing"
	"time"
)

const passphrase = "correct horse battery"

// signedIn is a user with a password, who has just sent it.
func (a *anAPI) signedIn(name, role string) (id int64, by *anAPI) {
	a.t.Helper()
	id = a.user(name, a.email(name), role)
	a.post(fmt.Sprintf("/api/v2/users/%d/password", id), `{"password":"`+passphrase+`"}`).want(200).wantJSON(`{}`)
	by = a.withPassword(a.email(name), passphrase)
	by.get("/api/v2/users/me").want(200)
	return id, by
}

func TestSessions(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id, ann := a.signedIn("ann", "end-user")
	sessions := a.get(fmt.Sprintf("/api/v2/users/%d/sessions", id)).want(200).ids("sessions")
	if len(sessions) != 1 {
		t.Fatalf("sessions: %v", sessions)
	}
	session := fmt.Sprintf(`{"id":%d,"url":"http://helpd.test/api/v2/users/%d/sessions/%d.json","user_id":%d,"authenticated_at":%q,"last_seen_at":%q}`,
		sessions[0], id, sessions[0], id, clockText, clockText)
	path := fmt.Sprintf("/api/v2/users/%d/sessions/%d", id, sessions[0])
	a.get(path).want(200).wantJSON(`{"session":%s}`, session)
	a.get("/api/v2/sessions").want(200).wantJSON(`{"sessions":[%s],"next_page":null,"previous_page":null,"count":1}`, session)
	mine := fmt.Sprintf(`{"session":{"id":%d,"url":"http://%s.example.com/api/v2/users/%d/sessions/%d.json","user_id":%d,"authenticated_at":%q,"last_seen_at":%q}}`,
		sessions[0], a.account.Subdomain, id, sessions[0], id, clockText, clockText)
	ann.get("/api/v2/users/me/session").want(200).wantJSON("%s", mine)
	if token := ann.get("/api/v2/users/me/session/renew").want(200).member("authenticity_token"); len(token.(string)) < 20 {
		t.Errorf("authenticity token %v", token)
	}

	// One that goes on is seen, and is one; it ends eight hours after the last request.
	at := theClock.Add(5 * time.Hour)
	a.now.Store(&at)
	if seen := ann.get("/api/v2/users/me/session").want(200).member("session", "last_seen_at"); seen != "2026-03-04T10:06:07Z" {
		t.Errorf("last seen at %v", seen)
	}
	at2 := at.Add(8 * time.Hour)
	a.now.Store(&at2)
	a.get(path).wantMissing()
	ann.get("/api/v2/users/me").want(200)
	again := a.get("/api/v2/sessions").want(200).ids("sessions")
	if len(again) != 1 || again[0] == sessions[0] {
		t.Errorf("after it ended: %v, before: %v", again, sessions)
	}
	if last := a.get(fmt.Sprintf("/api/v2/users/%d", id)).want(200).member("user", "last_login_at"); last != "2026-03-04T18:06:07Z" {
		t.Errorf("last login at %v", last)
	}
}

// A client that sends the password with every request costs no write for each.
func TestSessionsAreNotWrittenWithEveryRequest(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	_, ann := a.signedIn("ann", "end-user")
	before := a.rows()["sessions"]
	at := theClock.Add(59 * time.Second)
	a.now.Store(&at)
	ann.get("/api/v2/users/me").want(200)
	if after := a.rows()["sessions"]; after != before {
		t.Errorf("sessions were %s and are %s", before, after)
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id, ann := a.signedIn("ann", "end-user")
	ben, _ := a.signedIn("ben", "end-user")
	first := a.get(fmt.Sprintf("/api/v2/users/%d/sessions", id)).want(200).ids("sessions")[0]
	path := fmt.Sprintf("/api/v2/users/%d/sessions", id)
	one := fmt.Sprintf("%s/%d", path, first)

	agent := a.email("agent")
	a.user("agent", agent, "agent")
	for name, other := range map[string]*anAPI{"an agent": a.as(agent), "ben": a.as(a.email("ben")), "another account": a.another()} {
		t.Log(name)
		other.get(path).wantMissing()
		other.get(one).wantMissing()
		other.delete(path).wantMissing()
		other.delete(one).wantMissing()
		other.get("/api/v2/users/me/session").wantMissing()
	}
	a.as(agent).post(fmt.Sprintf("/api/v2/users/logout_many?ids=%d", id), "").wantForbidden()
	if left := ann.get("/api/v2/sessions").want(200).ids("sessions"); len(left) != 1 || left[0] != first {
		t.Errorf("ann's sessions: %v", left)
	}

	ends := map[string]func(){
		"logout": func() { ann.delete("/api/v2/users/me/logout").want(204) },
		"one":    func() { a.delete(fmt.Sprintf("%s/%d", path, a.get(path).want(200).ids("sessions")[0])).want(204) },
		"all":    func() { a.delete(path).want(204) },
		"mine":   func() { ann.delete("/api/v2/users/me/sessions").want(204) },
		"logout_many": func() {
			a.post(fmt.Sprintf("/api/v2/users/logout_many?ids=%d,%d", id, ben), "").want(202).wantJSON(`{}`)
		},
		"password": func() {
			a.post(fmt.Sprintf("/api/v2/users/%d/password", id), `{"password":"`+passphrase+`"}`).want(200)
		},
		"suspended": func() {
			a.put(fmt.Sprintf("/api/v2/users/%d", id), `{"user":{"suspended":true}}`).want(200)
			ann.get("/api/v2/users/me").want(401)
			a.put(fmt.Sprintf("/api/v2/users/%d", id), `{"user":{"suspended":false}}`).want(200)
			a.delete(path).want(204)
		},
	}
	last := first
	for _, name := range []string{"logout", "one", "all", "mine", "logout_many", "password", "suspended"} {
		ends[name]()
		if left := a.get(path).want(200).ids("sessions"); len(left) != 0 {
			t.Errorf("after %s: %v", name, left)
		}
		ann.get("/api/v2/users/me").want(200) // the password comes again
		now := a.get(path).want(200).ids("sessions")
		if len(now) != 1 || now[0] == last {
			t.Errorf("after %s and the password: %v", name, now)
		}
		last = now[0]
	}
	a.delete(one).wantMissing()
	a.post("/api/v2/users/logout_many", "").want(400)
	a.get("/api/v2/users/4040404/sessions").wantMissing()
}
