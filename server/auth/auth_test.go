package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/accounts"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/testdb"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const password = "correct horse"

// door is an account with its admin Ada and a clock that tests move.
type door struct {
	*testing.T
	*auth.Service
	db        *gorm.DB
	account   models.Account
	ada       models.User
	at        time.Time
	subdomain string
}

func newDoor(t *testing.T) *door { t.Helper(); return newDoorOn(t, testdb.Tx(t)) }

func newDoorOn(t *testing.T, db *gorm.DB) *door {
	t.Helper()
	d := &door{T: t, db: db, at: noon, subdomain: strings.ToLower(rand.Text())}
	d.Service = auth.New(db, func() time.Time { return d.at })
	d.account, d.ada = d.open(d.subdomain)
	return d
}

func (d *door) open(subdomain string) (models.Account, models.User) {
	d.Helper()
	account, admin, err := accounts.Create(d.Context(), d.db, noon, accounts.New{
		Subdomain: subdomain, Name: "Acme", AdminName: "Ada", AdminEmail: "ada@acme.test", AdminPassword: password,
	})
	if err != nil {
		d.Fatal(err)
	}
	return account, admin
}

func (d *door) exec(statement string, args ...any) {
	d.Helper()
	if err := d.db.Exec(statement, args...).Error; err != nil {
		d.Fatal(err)
	}
}

func (d *door) apiToken() string {
	d.Helper()
	_, token, err := d.NewAPIToken(d.Context(), d.account.ID, "test", "")
	if err != nil {
		d.Fatal(err)
	}
	return token
}

func (d *door) oauthToken(expires time.Time, scopes ...string) string {
	d.Helper()
	_, token, err := d.NewOAuthToken(d.Context(), d.account.ID, d.ada.ID, scopes, expires)
	if err != nil {
		d.Fatal(err)
	}
	return token
}

func (d *door) opens(what string, a auth.Actor, err error) {
	d.Helper()
	if err != nil || a.AccountID != d.account.ID || a.ID() != d.ada.ID || !a.Admin() {
		d.Errorf("%s: %+v, %v", what, a, err)
	}
}

func (d *door) shut(what string, err error, kind fault.Kind) {
	d.Helper()
	if !fault.Is(err, kind) {
		d.Errorf("%s: %v", what, err)
	}
}

func TestAPIToken(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	token := d.apiToken()
	if len(token) != 43 {
		t.Errorf("%d letters", len(token))
	}
	a, err := d.APIToken(t.Context(), "ADA@acme.test", token)
	d.opens("the right token", a, err)
	if a.Via != "token" || a.Scopes != nil || len(a.GroupIDs) != 1 {
		t.Errorf("%+v", a)
	}
	_, err = d.APIToken(t.Context(), "ada@acme.test", token[1:])
	d.shut("part of it", err, fault.Unauthenticated)
	_, err = d.APIToken(t.Context(), "bo@acme.test", token)
	d.shut("of a user who is not there", err, fault.Unauthenticated)
	other, _ := d.open(strings.ToLower(rand.Text()))
	a, err = d.APIToken(t.Context(), "ada@acme.test", token)
	d.opens("with a namesake in another account", a, err)
	if other.ID == a.AccountID {
		t.Error("signed in to another account")
	}
	d.exec("UPDATE accounts SET settings = jsonb_set(settings::jsonb, '{api,api_token_access}', 'false') WHERE id = ?", d.account.ID)
	d.Forget(d.Context(), d.account.ID)
	_, err = d.APIToken(t.Context(), "ada@acme.test", token)
	d.shut("where tokens are switched off", err, fault.Unauthenticated)
	if _, _, err := d.NewAPIToken(t.Context(), d.account.ID, "", "short"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a short token: %v", err)
	}
}

func TestSignInIsRememberedUntilForgotten(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	token := d.apiToken()
	sign := func() error { _, err := d.APIToken(t.Context(), "ada@acme.test", token); return err }
	if err := sign(); err != nil {
		t.Fatal(err)
	}
	d.exec("UPDATE users SET suspended = true WHERE account_id = ? AND id = ?", d.account.ID, d.ada.ID)
	d.Forget(d.Context(), d.account.ID+1)
	if err := sign(); err != nil {
		t.Errorf("within a second: %v", err)
	}
	d.Forget(d.Context(), d.account.ID)
	d.shut("forgotten", sign(), fault.Unauthenticated)
	d.exec("UPDATE users SET suspended = false WHERE account_id = ? AND id = ?", d.account.ID, d.ada.ID)
	if err := sign(); err != nil {
		t.Errorf("a failure is not remembered: %v", err)
	}
	d.exec("UPDATE users SET active = false WHERE account_id = ? AND id = ?", d.account.ID, d.ada.ID)
	d.at = d.at.Add(time.Second)
	d.shut("a second later", sign(), fault.Unauthenticated)
}

func TestRevokedCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	api, access := d.apiToken(), d.oauthToken(time.Time{}, "read")
	key, err := d.NewJWTKey(t.Context(), d.account.ID, "HS256", nil)
	if err != nil {
		t.Fatal(err)
	}
	signed := sign(t, key, key.Secret, nil)
	list, err := d.Credentials(t.Context(), d.account.ID)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, c := range list {
		if strings.Contains(fmt.Sprintf("%+v", c), api) || strings.Contains(fmt.Sprintf("%+v", c), access) {
			t.Errorf("a secret in %+v", c)
		}
		if err := d.Revoke(t.Context(), d.account.ID+1_000_000, c.Name()); !fault.Is(err, fault.NotFound) {
			t.Errorf("of another account: %v", err)
		}
	}
	tries := map[string]func() error{
		auth.KindAPI:   func() error { _, err := d.APIToken(t.Context(), "ada@acme.test", api); return err },
		auth.KindOAuth: func() error { _, err := d.OAuth(t.Context(), access); return err },
		auth.KindJWT:   func() error { _, err := d.JWT(t.Context(), signed); return err },
	}
	for _, c := range list {
		if err := tries[c.Kind](); err != nil {
			t.Errorf("%s: %v", c.Name(), err)
		}
		if err := d.Revoke(t.Context(), d.account.ID, c.Name()); err != nil {
			t.Error(err)
		}
		if err := tries[c.Kind](); fault.Of(err) == nil {
			t.Errorf("%s is revoked: %v", c.Name(), err)
		}
		d.shut("a second revocation", d.Revoke(t.Context(), d.account.ID, c.Name()), fault.NotFound)
	}
	for _, name := range []string{"", "api", "api:x", "pin:1"} {
		d.shut("revocation of "+name, d.Revoke(t.Context(), d.account.ID, name), fault.NotFound)
	}
}

func TestUseOfTokensIsNoted(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	api, access := d.apiToken(), d.oauthToken(time.Time{}, "read")
	_, _ = d.APIToken(t.Context(), "ada@acme.test", api)
	_, _ = d.OAuth(t.Context(), access)
	if err := d.WriteUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := d.Credentials(t.Context(), d.account.ID)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, c := range list {
		if c.LastUsed == nil || !c.LastUsed.Equal(noon) {
			t.Errorf("%s was used at %v", c.Name(), c.LastUsed)
		}
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	a, err := d.Password(t.Context(), d.account.ID, "Ada@acme.test", password)
	d.opens("the right password", a, err)
	for what, try := range map[string]struct {
		account         int64
		email, password string
	}{
		"a wrong password":  {d.account.ID, "ada@acme.test", "wrong horse"},
		"an empty password": {d.account.ID, "ada@acme.test", ""},
		"a stranger":        {d.account.ID, "bo@acme.test", password},
		"another account":   {d.account.ID + 1_000_000, "ada@acme.test", password},
		"the hash's own":    {d.account.ID, "bo@acme.test", "nobody's"},
	} {
		_, err := d.Password(t.Context(), try.account, try.email, try.password)
		d.shut(what, err, fault.Unauthenticated)
	}
	d.exec("UPDATE users SET suspended = true WHERE account_id = ? AND id = ?", d.account.ID, d.ada.ID)
	_, err = d.Password(t.Context(), d.account.ID, "ada@acme.test", password)
	d.shut("a suspended user with a password remembered", err, fault.Unauthenticated)
	d.exec("UPDATE users SET suspended = false, password_hash = ? WHERE account_id = ? AND id = ?", auth.HashPassword("another one"), d.account.ID, d.ada.ID)
	_, err = d.Password(t.Context(), d.account.ID, "ada@acme.test", password)
	d.shut("the password before", err, fault.Unauthenticated)
	d.exec("UPDATE accounts SET settings = jsonb_set(settings::jsonb, '{api,api_password_access}', 'false') WHERE id = ?", d.account.ID)
	_, err = d.Password(t.Context(), d.account.ID, "ada@acme.test", "another one")
	d.shut("where passwords are switched off", err, fault.Unauthenticated)
}

// Two who sign in as one user at once, the first since his last session, share one.
func TestSignInsAtOnceShareASession(t *testing.T) {
	t.Parallel()
	d := newDoorOn(t, testdb.DB(t))
	ctx := postgres.WithAccount(t.Context(), d.account.ID)
	count := func(query string) (n int) {
		t.Helper()
		if err := d.db.WithContext(ctx).Raw(query).Row().Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	tx := d.db.WithContext(ctx).Begin() // has both find no session before either begins one
	if err := tx.Exec("SELECT FROM users WHERE id = ? FOR UPDATE", d.ada.ID).Error; err != nil {
		t.Fatal(err)
	}
	const both = 2
	in := make(chan auth.Actor, both)
	for range both {
		go func() {
			a, err := d.Password(t.Context(), d.account.ID, "ada@acme.test", password)
			if err != nil {
				t.Error(err)
			}
			in <- a
		}()
	}
	for late := time.Now().Add(20 * time.Second); count("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") < both; {
		if time.Now().After(late) {
			t.Fatal("they do not wait for the user")
		}
		time.Sleep(time.Millisecond)
	}
	if err := tx.Commit().Error; err != nil {
		t.Fatal(err)
	}
	if first, second := <-in, <-in; first.SessionID == 0 || first.SessionID != second.SessionID {
		t.Errorf("sessions %d and %d", first.SessionID, second.SessionID)
	}
	if sessions, logins := count("SELECT count(*) FROM sessions"), count("SELECT count(*) FROM events WHERE type LIKE '%user.last_login_changed'"); sessions != 1 || logins != 1 {
		t.Errorf("%d sessions, %d events", sessions, logins)
	}
}

func TestOAuthToken(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	lasting, hour := d.oauthToken(time.Time{}, "tickets:read", "write"), d.oauthToken(noon.Add(time.Hour), "read")
	a, err := d.OAuth(t.Context(), lasting)
	d.opens("a token", a, err)
	for _, tc := range []struct {
		resource, action string
		allowed          bool
	}{
		{"tickets", "read", true}, {"users", "read", false}, {"users", "write", true}, {"tickets", "write", true}, {"", "impersonate", false},
	} {
		if a.HasScope(tc.resource, tc.action) != tc.allowed {
			t.Errorf("%s %s is allowed: %v", tc.action, tc.resource, !tc.allowed)
		}
	}
	none, err := d.OAuth(t.Context(), d.oauthToken(time.Time{}))
	d.opens("a token without scopes", none, err)
	if none.HasScope("tickets", "read") {
		t.Error("a token without scopes reads tickets")
	}
	d.at = noon.Add(time.Hour - time.Nanosecond)
	a, err = d.OAuth(t.Context(), hour)
	d.opens("just before its end", a, err)
	d.Forget(d.Context(), d.account.ID)
	d.at = noon.Add(time.Hour)
	_, err = d.OAuth(t.Context(), hour)
	d.shut("at its end", err, fault.BadToken)
	_, err = d.OAuth(t.Context(), "made up")
	d.shut("a token that is none", err, fault.BadToken)
	for _, scope := range []string{"", "everything", "tickets:delete", ":", "read:"} {
		if _, _, err := d.NewOAuthToken(t.Context(), d.account.ID, d.ada.ID, []string{scope}, time.Time{}); !fault.Is(err, fault.Invalid) {
			t.Errorf("scope %q: %v", scope, err)
		}
	}
}

func TestTokenThatEndsIsNotRememberedBeyond(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	token := d.oauthToken(noon.Add(time.Millisecond), "read")
	if _, err := d.OAuth(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	d.at = noon.Add(time.Millisecond)
	_, err := d.OAuth(t.Context(), token)
	d.shut("at its end", err, fault.BadToken)
}

func TestAdminActsAsAnotherUser(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	admin, err := d.Actor(t.Context(), d.account.ID, d.ada.ID, "token")
	d.opens("the admin", admin, err)
	a, err := d.AsUser(t.Context(), admin, "ADA@acme.test")
	d.opens("as himself", a, err)
	_, err = d.AsUser(t.Context(), admin, "bo@acme.test")
	d.shut("as nobody", err, fault.Unauthenticated)
	agent := admin
	agent.User.Role = models.RoleAgent
	_, err = d.AsUser(t.Context(), agent, "ada@acme.test")
	d.shut("an agent", err, fault.Forbidden)
	limited := admin
	limited.Scopes = []string{"read", "write"}
	_, err = d.AsUser(t.Context(), limited, "ada@acme.test")
	d.shut("a token without the scope", err, fault.MissingScope)
	limited.Scopes = []string{"read", "impersonate"}
	a, err = d.AsUser(t.Context(), limited, "ada@acme.test")
	d.opens("a token with it", a, err)
	if a.HasScope("tickets", "write") {
		t.Error("acting as another user widens the scopes")
	}
	d.exec("UPDATE users SET suspended = true WHERE account_id = ? AND id = ?", d.account.ID, d.ada.ID)
	_, err = d.AsUser(t.Context(), admin, "ada@acme.test")
	d.shut("as a suspended user", err, fault.Unauthenticated)
}

func TestAccountByHost(t *testing.T) {
	t.Parallel()
	d := newDoorOn(t, testdb.DB(t))
	for _, host := range []string{"localhost", "127.0.0.1", d.subdomain + ".example.com", ""} {
		if id, _, err := d.ByHost(t.Context(), host); id != d.account.ID || err != nil {
			t.Errorf("%q of the only account: %d, %v", host, id, err)
		}
	}
	second, _ := d.open("second")
	d.at = d.at.Add(time.Second)
	for host, want := range map[string]int64{
		d.subdomain + ".example.com": d.account.ID, "second.example.com": second.ID, "SECOND.example.com": second.ID, "second": second.ID,
		"localhost": 0, "third.example.com": 0, "": 0, "example.second.com": 0,
	} {
		id, _, err := d.ByHost(t.Context(), host)
		if id != want || (want == 0) != fault.Is(err, fault.NoAccount) {
			t.Errorf("%q of two accounts: %d, %v", host, id, err)
		}
	}
}

func TestBrandByHost(t *testing.T) {
	t.Parallel()
	d := newDoorOn(t, testdb.DB(t))
	ctx := postgres.WithAccount(t.Context(), d.account.ID)
	lamps := models.Brand{Name: "Lamps", Subdomain: "lamps", HostMapping: new("help.lamps.example"), Active: true, HasHelpCenter: true, HelpCenterState: models.HelpCenterRestricted}
	closed := models.Brand{Name: "Closed", Subdomain: "closed", HostMapping: new("help.closed.example"), HelpCenterState: models.HelpCenterDisabled}
	gone := models.Brand{Name: "Gone", Subdomain: "gone", Active: false, IsDeleted: true, HelpCenterState: models.HelpCenterEnabled, HasHelpCenter: true}
	for _, b := range []*models.Brand{&lamps, &closed, &gone} {
		if err := d.db.WithContext(ctx).Create(b).Error; err != nil {
			t.Fatal(err)
		}
	}
	var own int64
	if err := d.db.WithContext(ctx).Model(&models.Brand{}).Where(`"default"`).Pluck("id", &own).Error; err != nil {
		t.Fatal(err)
	}
	known := func(host string, brand int64) {
		t.Helper()
		account, b, err := d.ByHost(t.Context(), host)
		if err != nil || b.ID != brand || brand != 0 && account != d.account.ID {
			t.Errorf("%s: brand %+v of account %d, %v; want %d", host, b, account, err, brand)
		}
	}
	unknown := func(host string) {
		t.Helper()
		if account, b, err := d.ByHost(t.Context(), host); !fault.Is(err, fault.NoAccount) {
			t.Errorf("%s: brand %+v of account %d, %v; want none", host, b, account, err)
		}
	}
	known("localhost", own)
	known(d.subdomain+".example.com", own)
	known("Lamps.Example.com.", lamps.ID)
	known("HELP.lamps.example", lamps.ID)
	known("help.example.com", own)
	for _, host := range []string{"closed.example.com", "help.closed.example", "gone.example.com"} {
		unknown(host)
	}
	// Another default brand: each is still at its own host, and localhost moves.
	d.exec(`UPDATE brands SET "default" = (id = ?) WHERE account_id = ? AND id <> ?`, 0, d.account.ID, lamps.ID)
	d.exec(`UPDATE brands SET "default" = true WHERE account_id = ? AND id = ?`, d.account.ID, lamps.ID)
	known("localhost", own) // remembered for a second
	d.ForgetHosts(t.Context())
	known("localhost", lamps.ID)
	known(d.subdomain+".example.com", own)
	// The account is at its own subdomain whatever its brands are.
	d.exec("UPDATE brands SET active = false WHERE account_id = ? AND id = ?", d.account.ID, own)
	d.ForgetHosts(t.Context())
	known(d.subdomain+".example.com", lamps.ID)
	second, _ := d.open("second")
	d.at = d.at.Add(time.Second)
	unknown("localhost")
	if account, _, err := d.ByHost(t.Context(), "second.example.com"); account != second.ID || err != nil {
		t.Errorf("the other account's host: %d, %v", account, err)
	}
	// Who signed in is at the host's brand, if it is of his account.
	for host, want := range map[string]int64{"help.lamps.example": lamps.ID, "localhost": lamps.ID, "second.example.com": lamps.ID, "closed.example.com": lamps.ID} {
		a, err := d.At(t.Context(), auth.Actor{AccountID: d.account.ID}, host)
		if a.Brand.ID != want || a.Brand.HelpCenter != models.HelpCenterRestricted || err != nil {
			t.Errorf("%s: brand %+v, %v, want %d", host, a.Brand, err, want)
		}
	}
}

// sign makes a JWT for Bo that ends in an hour, after change.
func sign(t *testing.T, key models.JWTKey, with any, change func(*jwt.Token, jwt.MapClaims)) string {
	t.Helper()
	claims := jwt.MapClaims{"external_id": "bo-1", "email": "bo@acme.test", "name": "Bo", "exp": noon.Add(time.Hour).Unix()}
	token := jwt.NewWithClaims(jwt.GetSigningMethod(key.Algorithm), claims)
	token.Header["kid"] = key.Kid
	if change != nil {
		change(token, claims)
	}
	text, err := token.SignedString(with)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// keyPair is a private key of the algorithm and its public half in PEM.
func keyPair(t *testing.T, algorithm string) (private crypto.Signer, public []byte) {
	t.Helper()
	var err error
	switch algorithm {
	case "RS256":
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "EdDSA":
		_, private, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return private, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

func TestJWTOfEveryAlgorithm(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	keys, privates := map[string]models.JWTKey{}, map[string]any{}
	for _, algorithm := range auth.Algorithms {
		var public []byte
		if algorithm != "HS256" {
			privates[algorithm], public = keyPair(t, algorithm)
		}
		key, err := d.NewJWTKey(t.Context(), d.account.ID, algorithm, public)
		if err != nil {
			t.Fatal(err)
		}
		if algorithm == "HS256" {
			privates[algorithm] = key.Secret
		}
		keys[algorithm] = key
		p, err := d.JWT(t.Context(), sign(t, key, privates[algorithm], nil))
		if err != nil || p != (auth.Person{AccountID: d.account.ID, ExternalID: "bo-1", Email: "bo@acme.test", Name: "Bo"}) {
			t.Errorf("%s: %+v, %v", algorithm, p, err)
		}
	}
	for _, signer := range auth.Algorithms {
		for _, pinned := range auth.Algorithms {
			if signer == pinned {
				continue
			}
			text := sign(t, models.JWTKey{Kid: keys[pinned].Kid, Algorithm: signer}, privates[signer], nil)
			_, err := d.JWT(t.Context(), text)
			d.shut(signer+" with a key of "+pinned, err, fault.BadToken)
		}
	}
	// The public key is known to all: it must not pass for a shared secret.
	text := sign(t, models.JWTKey{Kid: keys["RS256"].Kid, Algorithm: "HS256"}, keys["RS256"].Secret, nil)
	_, err := d.JWT(t.Context(), text)
	d.shut("the public key as a secret", err, fault.BadToken)
}

func TestJWTThatIsRefused(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	key, err := d.NewJWTKey(t.Context(), d.account.ID, "HS256", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		change func(*jwt.Token, jwt.MapClaims)
		ok     bool
	}{
		{"with the subject alone", func(_ *jwt.Token, c jwt.MapClaims) { delete(c, "external_id"); delete(c, "email"); c["sub"] = "bo-1" }, true},
		{"that ended within the leeway", func(_ *jwt.Token, c jwt.MapClaims) { c["exp"] = noon.Add(-20 * time.Second).Unix() }, true},
		{"that lasts a day", func(_ *jwt.Token, c jwt.MapClaims) { c["exp"] = noon.Add(24 * time.Hour).Unix() }, true},
		{"that ended", func(_ *jwt.Token, c jwt.MapClaims) { c["exp"] = noon.Add(-time.Minute).Unix() }, false},
		{"that lasts longer", func(_ *jwt.Token, c jwt.MapClaims) { c["exp"] = noon.Add(25 * time.Hour).Unix() }, false},
		{"without an end", func(_ *jwt.Token, c jwt.MapClaims) { delete(c, "exp") }, false},
		{"that is not valid yet", func(_ *jwt.Token, c jwt.MapClaims) { c["nbf"] = noon.Add(time.Hour).Unix() }, false},
		{"about nobody", func(_ *jwt.Token, c jwt.MapClaims) { delete(c, "external_id"); delete(c, "email") }, false},
		{"without a kid", func(t *jwt.Token, _ jwt.MapClaims) { delete(t.Header, "kid") }, false},
		{"with a kid of none", func(t *jwt.Token, _ jwt.MapClaims) { t.Header["kid"] = "x" }, false},
		{"with a kid that is a number", func(t *jwt.Token, _ jwt.MapClaims) { t.Header["kid"] = 7 }, false},
		{"with a zero byte in the kid", func(t *jwt.Token, _ jwt.MapClaims) { t.Header["kid"] = key.Kid + "\x00" }, false},
	} {
		_, err := d.JWT(t.Context(), sign(t, key, key.Secret, tc.change))
		if tc.ok && err != nil || !tc.ok && !fault.Is(err, fault.BadToken) {
			t.Errorf("a token %s: %v", tc.name, err)
		}
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"external_id": "bo-1", "exp": noon.Add(time.Hour).Unix()})
	unsigned.Header["kid"] = key.Kid
	none, err := unsigned.SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	good := sign(t, key, key.Secret, nil)
	for what, text := range map[string]string{
		"an unsigned one": none, "one cut short": good[:len(good)-2], "one without signature": good[:strings.LastIndex(good, ".")+1],
		"one of another secret": sign(t, key, []byte(strings.Repeat("x", 40)), nil), "nothing": "", "noise": "a.b.c", "a huge one": strings.Repeat("a", 1<<20),
	} {
		_, err := d.JWT(t.Context(), text)
		d.shut(what, err, fault.BadToken)
	}
	for algorithm, secret := range map[string]string{"none": "", "HS512": "", "HS256": "short", "RS256": "no PEM"} {
		if _, err := d.NewJWTKey(t.Context(), d.account.ID, algorithm, []byte(secret)); !fault.Is(err, fault.Invalid) {
			t.Errorf("a key for %s: %v", algorithm, err)
		}
	}
}

func TestDatabaseOutageIsNoWrongCredential(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	api, access := d.apiToken(), d.oauthToken(time.Time{}, "read")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, byToken := d.APIToken(ctx, "ada@acme.test", api)
	_, byPassword := d.Password(ctx, d.account.ID, "ada@acme.test", password)
	_, byOAuth := d.OAuth(ctx, access)
	_, _, byHost := d.ByHost(ctx, "x")
	for what, err := range map[string]error{"token": byToken, "password": byPassword, "oauth": byOAuth, "host": byHost} {
		if err == nil || fault.Of(err) != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	as := func(role string) auth.Actor {
		return auth.Actor{User: models.User{Tenant: models.Tenant{ID: 1}, Role: role}}
	}
	for _, tc := range []struct {
		who     string
		actor   auth.Actor
		atLeast string // the highest of the roles that he has
	}{
		{"nobody", auth.Actor{}, "anonymous"},
		{"an end user", as(models.RoleEndUser), "anonymous end-user"},
		{"an agent", as(models.RoleAgent), "anonymous end-user agent"},
		{"an admin", as(models.RoleAdmin), "anonymous end-user agent admin"},
		{"the system", auth.System(1), "anonymous end-user agent admin"},
		{"an unknown role", as("owner"), "anonymous"},
	} {
		var got []string
		for _, role := range []string{"anonymous", "end-user", "agent", "admin"} {
			if tc.actor.AtLeast(role) {
				got = append(got, role)
			}
		}
		if strings.Join(got, " ") != tc.atLeast {
			t.Errorf("%s is at least %v", tc.who, got)
		}
	}
	ctx := auth.With(t.Context(), auth.System(7))
	if postgres.Account(ctx) != 7 || auth.From(ctx).ID() != models.SystemUser {
		t.Error("the context does not carry the actor")
	}
}

func TestTokensAreDistinctLettersAndDigits(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		token := auth.NewToken()
		if seen[token] || strings.Trim(token, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") != "" {
			t.Fatalf("token %s", token)
		}
		seen[token] = true
	}
}
