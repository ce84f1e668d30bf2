package api_test

import "testing"

func TestWrongTypesAreNamed(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	for _, tc := range []struct{ path, message string }{
		{"/api/v2/groups/abc", "value for the group_id attribute. Invalid parameter: group_id is not a whole number"},
		{"/api/v2/groups?exclude_deleted=perhaps", "value for the exclude_deleted attribute. Invalid parameter: exclude_deleted is neither true nor false"},
	} {
		a.get(tc.path).want(400).wantJSON(`{"error":{"title":"Invalid attribute","message":"You passed an invalid %s"}}`, tc.message)
	}
	a.post("/api/v2/groups", `[]`).want(400).wantJSON(
		`{"error":{"title":"Invalid attribute","message":"You passed an invalid request body. Invalid parameter: the body must be an object and is a list"}}`)
}

// Who calls an installation of several accounts by its address is told what is
// missing; wrong credentials are told nothing.
func TestAHostWithoutAccountIsExplained(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.another()
	const says = `{"error":"Couldn't authenticate you","description":"The host 127.0.0.1 names none of the accounts here: ` +
		`call the host that begins with the account's subdomain, or sign in with a token"}`
	for _, who := range []*anAPI{a.anonymous(), a.withPassword("x@y.example", "wrong")} {
		who.with("X-Test-Host", "127.0.0.1:8080").get("/api/v2/users/me").want(401).wantJSON(says)
		who.with("X-Test-Host", "127.0.0.1:8080").post("/api/v2/requests", `{}`).want(401).wantJSON(says)
	}
	a.withPassword("x@y.example", "wrong").get("/api/v2/users/me").want(401).wantJSON(`{"error":"Couldn't authenticate you"}`)
	a.with("X-Test-Host", "127.0.0.1:8080").get("/api/v2/users/me").want(200) // the token says whose
}
