package api_test

import (
	"fmt"
	"testing"
)

// A light agent reads all and comments among agents, but owns no tickets.
func TestLightAgents(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	id := a.user("Light", a.email("light"), "agent")
	path := fmt.Sprintf("/api/v2/users/%d", id)
	owned := a.ticket(fmt.Sprintf(`{"subject":"S","comment":{"body":"x"},"assignee_id":%d}`, id))
	if got := a.get(path).want(200).member("user", "role_type"); got != nil {
		t.Errorf("role type of an agent: %v", got)
	}
	r := a.put(path, `{"user":{"only_private_comments":true}}`).want(200)
	if r.text("user", "role_type") != "1" || r.text("user", "only_private_comments") != "true" {
		t.Errorf("light: %s", r.body)
	}
	a.until("the ticket is handed over", func() bool {
		return a.get(fmt.Sprintf("/api/v2/tickets/%d", owned)).want(200).member("ticket", "assignee_id") == nil
	})
	light := a.as(a.email("light"))
	a.put(fmt.Sprintf("/api/v2/tickets/%d", owned), fmt.Sprintf(`{"ticket":{"assignee_id":%d}}`, id)).
		wantDetail("assignee", fmt.Sprintf("Assignee: %d is not an agent", id))
	light.put(fmt.Sprintf("/api/v2/tickets/%d", owned), `{"ticket":{"comment":{"body":"among us","public":true}}}`).want(200)
	if comments := a.get(fmt.Sprintf("/api/v2/tickets/%d/comments", owned)).want(200); comments.text("comments", 1, "public") != "false" {
		t.Errorf("comments: %s", comments.body)
	}
	light.put(fmt.Sprintf("/api/v2/tickets/%d", owned), `{"ticket":{"status":"solved"}}`).wantDetail("base", "Assignee: is required when solving a ticket")
	if got := a.get(fmt.Sprintf("/api/v2/tickets/%d", owned)).want(200).member("ticket", "assignee_id"); got != nil {
		t.Errorf("the light agent has the ticket: %v", got)
	}
	light.put(path, `{"user":{"only_private_comments":false}}`).wantForbidden()
	// Roles go with what comes with them.
	if r := a.put(path, `{"user":{"role":"end-user"}}`).want(200); r.text("user", "role_type") != "<nil>" || r.text("user", "only_private_comments") != "false" ||
		r.text("user", "restricted_agent") != "true" || r.text("user", "default_group_id") != "<nil>" {
		t.Errorf("demoted: %s", r.body)
	}
	if r := a.put(path, `{"user":{"role":"agent"}}`).want(200); r.text("user", "role_type") != "<nil>" || r.text("user", "restricted_agent") != "false" ||
		r.text("user", "default_group_id") == "<nil>" {
		t.Errorf("promoted: %s", r.body)
	}
}
