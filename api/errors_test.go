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
