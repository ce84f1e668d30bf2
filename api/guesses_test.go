package api_test

import (
	"strconv"
	"testing"
	"time"
)

func TestGuessingPasswordsIsSlowedDown(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	lee, kim := a.email("lee"), a.email("kim")
	for _, email := range []string{lee, kim} {
		a.post("/api/v2/users", `{"user":{"name":"U","verified":true,"email":"`+email+`","password":"correct horse"}}`).want(201)
	}
	for range 10 {
		a.withPassword(lee, "wrong").get("/api/v2/users/me").want(401).wantJSON(`{"error":"Couldn't authenticate you"}`)
	}
	refused := a.withPassword(lee, "correct horse").get("/api/v2/users/me").want(429)
	if wait, err := strconv.Atoi(refused.header.Get("Retry-After")); err != nil || wait < 1 || wait > 60 {
		t.Errorf("Retry-After %q", refused.header.Get("Retry-After"))
	}
	if got := refused.member("error"); got != "APIRateLimitExceeded" {
		t.Errorf("error %v", got)
	}
	a.withPassword(kim, "correct horse").get("/api/v2/users/me").want(200)
	a.as(lee).get("/api/v2/users/me").want(200)

	later := theClock.Add(2 * time.Minute)
	a.now.Store(&later)
	a.withPassword(lee, "correct horse").get("/api/v2/users/me").want(200)
}

func TestSettingsSayWhichCredentialsAreAccepted(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	lee := a.email("lee")
	a.post("/api/v2/users", `{"user":{"name":"U","verified":true,"email":"`+lee+`","password":"correct horse"}}`).want(201)
	a.withPassword(lee, "correct horse").get("/api/v2/users/me").want(200)
	a.put("/api/v2/account/settings", `{"settings":{"api":{"api_password_access":false}}}`).want(200)
	a.withPassword(lee, "correct horse").get("/api/v2/users/me").want(401)
	a.as(lee).get("/api/v2/users/me").want(200)
	a.put("/api/v2/account/settings", `{"settings":{"api":{"api_password_access":true,"api_token_access":false}}}`).want(200)
	a.as(lee).get("/api/v2/users/me").want(401)
	a.withPassword(lee, "correct horse").get("/api/v2/users/me").want(200)
}
