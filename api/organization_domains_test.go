package api_test

import (
	"fmt"
	"testing"
)

// Who is there already belongs to the organization that gets the domain.
func TestNewDomainsTakeInUsers(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	other := a.organization("Other")
	user := func(email string) int64 { return a.user("U", email, "end-user") }
	in, also, address := user("ann@new.example"), user("Ben@New.Example"), user("eve@elsewhere.example")
	sub, neighbour, taken := user("ann@sub.new.example"), user("eva@elsewhere.example"), user("kim@new.example")
	a.put(fmt.Sprintf("/api/v2/users/%d", taken), fmt.Sprintf(`{"user":{"organization_id":%d}}`, other)).want(200)
	agent := a.user("Agent", "agent@new.example", "agent")
	id := a.organization("New")
	a.put(fmt.Sprintf("/api/v2/organizations/%d", id), `{"organization":{"domain_names":["new.example","eve@elsewhere.example"]}}`).want(200)
	a.until("the users are in", func() bool {
		return len(a.get(fmt.Sprintf("/api/v2/organizations/%d/users", id)).want(200).ids("users")) == 3
	})
	for user, want := range map[int64]string{
		in: fmt.Sprint(id), also: fmt.Sprint(id), address: fmt.Sprint(id), sub: "<nil>", neighbour: "<nil>", taken: fmt.Sprint(other), agent: "<nil>",
	} {
		if got := fmt.Sprint(a.get(fmt.Sprintf("/api/v2/users/%d", user)).want(200).member("user", "organization_id")); got != want {
			t.Errorf("user %d is of %s, want %s", user, got, want)
		}
	}
	late := a.post("/api/v2/organizations", `{"organization":{"name":"Late","domain_names":["sub.new.example"]}}`).want(201).id("organization")
	a.until("the user is in", func() bool {
		return fmt.Sprint(a.get(fmt.Sprintf("/api/v2/users/%d", sub)).want(200).member("user", "organization_id")) == fmt.Sprint(late)
	})
}
