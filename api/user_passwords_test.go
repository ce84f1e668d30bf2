package api_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id, ann := a.signedIn("ann", "end-user")
	other, _ := a.signedIn("ben", "end-user")
	path := fmt.Sprintf("/api/v2/users/%d/password", id)
	a.get(path + "/requirements").want(200).wantJSON(
		`{"requirements":["must be at least 8 characters","must be at most 255 characters","must be different from email address"]}`)
	ann.get(path + "/requirements").want(200)
	ann.get(fmt.Sprintf("/api/v2/users/%d/password/requirements", other)).wantMissing()

	for _, tc := range []struct{ password, says string }{
		{"short", "Password: is too short (minimum is 8 characters)"},
		{"", "Password: is too short (minimum is 8 characters)"},
		{strings.Repeat("x", 256), "Password: is too long (maximum is 255 characters)"},
		{strings.ToUpper(a.email("ann")), "Password: must be different from email address"},
	} {
		a.post(path, fmt.Sprintf(`{"password":%q}`, tc.password)).wantDetail("password", tc.says)
		ann.put(path, fmt.Sprintf(`{"previous_password":%q,"password":%q}`, passphrase, tc.password)).wantDetail("password", tc.says)
	}
	a.post(path, `{}`).wantDetail("password", "Password: is too short (minimum is 8 characters)")
	a.post("/api/v2/users/4040404/password", `{"password":"`+passphrase+`"}`).wantMissing()
	ann.post(path, `{"password":"`+passphrase+`"}`).wantForbidden()

	ann.put(path, `{"previous_password":"wrong","password":"another horse"}`).
		wantDetail("previous_password", "Previous password: is not right")
	ann.put(fmt.Sprintf("/api/v2/users/%d/password", other), `{"previous_password":"`+passphrase+`","password":"another horse"}`).wantMissing()
	a.put(path, `{"previous_password":"`+passphrase+`","password":"another horse"}`).wantDetail("base", "Password: only your own can be changed with the previous one")
	ann.put(path, `{"previous_password":"`+passphrase+`","password":"another horse"}`).want(200).wantJSON(`{}`)
	ann.get("/api/v2/users/me").want(401)
	a.withPassword(a.email("ann"), "another horse").get("/api/v2/users/me").want(200)
}

// Whoever has got hold of a token must not find the password out with it.
func TestPreviousPasswordsCannotBeGuessed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	id, _ := a.signedIn("ann", "end-user")
	ann, path := a.as(a.email("ann")), fmt.Sprintf("/api/v2/users/%d/password", id)
	for range 10 {
		ann.put(path, `{"previous_password":"wrong","password":"another horse"}`).want(422)
	}
	ann.put(path, `{"previous_password":"wrong","password":"another horse"}`).want(429)
	ann.put(path, `{"previous_password":"`+passphrase+`","password":"another horse"}`).want(429)
}
