package api_test

import (
	"fmt"
	"testing"
)

func TestDeletedUsers(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	agent, ann := a.email("agent"), a.user("Ann", a.email("ann"), "end-user")
	a.user("Agent", agent, "agent")
	gone := a.post("/api/v2/users", fmt.Sprintf(`{"user":{"name":"Gone","email":%q,"phone":"+4915112345678"}}`, a.email("gone"))).want(201).id("user")
	a.get(fmt.Sprintf("/api/v2/deleted_users/%d", gone)).wantMissing()
	a.delete(fmt.Sprintf("/api/v2/users/%d", gone)).want(200)
	user := fmt.Sprintf(`{"id":%d,"url":"http://helpd.test/api/v2/deleted_users/%d.json","name":"Gone","email":%q,"created_at":%q,"updated_at":%q,
		"time_zone":"UTC","phone":"+4915112345678","shared_phone_number":false,"photo":null,"locale_id":1,"locale":"en-US",
		"organization_id":null,"role":"end-user","active":false}`, gone, gone, a.email("gone"), clockText, clockText)
	a.as(agent).get(fmt.Sprintf("/api/v2/deleted_users/%d", gone)).want(200).wantJSON(`{"deleted_user":%s}`, user)
	a.as(agent).get("/api/v2/deleted_users").want(200).wantJSON(`{"deleted_users":[%s],"next_page":null,"previous_page":null,"count":1}`, user)
	if n := a.get("/api/v2/deleted_users/count").want(200).member("count", "value"); fmt.Sprint(n) != "1" {
		t.Errorf("count %v", n)
	}
	a.get(fmt.Sprintf("/api/v2/deleted_users/%d", ann)).wantMissing()
	a.as(a.email("ann")).get("/api/v2/deleted_users").wantForbidden()
	a.as(a.email("ann")).get(fmt.Sprintf("/api/v2/deleted_users/%d", gone)).wantForbidden()
	b := a.another()
	b.get(fmt.Sprintf("/api/v2/deleted_users/%d", gone)).wantMissing()
	b.get("/api/v2/deleted_users").want(200).wantJSON(`{"deleted_users":[],"next_page":null,"previous_page":null,"count":0}`)
}

func TestUsersAreAskedFor(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	agent := a.email("agent")
	id := a.user("Agent", agent, "agent")
	a.as(agent).post("/api/v2/users/request_create", `{"user":{"name":"Zoe","email":"zoe@example.com"}}`).want(200).wantJSON(`{}`)
	a.as(agent).post("/api/v2/users/request_create", "").want(200)
	var n int
	err := a.db.WithContext(a.ctx()).Raw(`SELECT count(*) FROM events WHERE account_id = ? AND actor_id = ? AND type = 'zen:event-type:user.creation_requested'
		AND change->>'email' IN ('zoe@example.com', '')`, a.account.ID, id).Row().Scan(&n)
	if err != nil || n != 2 {
		t.Errorf("%d events, %v", n, err)
	}
	a.user("Ann", a.email("ann"), "end-user")
	a.as(a.email("ann")).post("/api/v2/users/request_create", "").wantForbidden()
}

func TestOwnSettings(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id := a.user("Ann", a.email("ann"), "end-user")
	a.put(fmt.Sprintf("/api/v2/users/%d", id), `{"user":{"locale":"de","time_zone":"Berlin"}}`).want(200)
	a.as(a.email("ann")).get("/api/v2/users/me/settings").want(200).wantJSON(
		`{"settings":{"localization":{"locale":"de","locale_id":8,"time_zone":"Berlin","iana_time_zone":"Europe/Berlin"}}}`)
	a.anonymous().get("/api/v2/users/me/settings").want(401)
}
