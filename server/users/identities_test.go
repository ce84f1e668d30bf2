package users

import (
	"strings"
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/page"
)

func (w *world) identity(by auth.Actor, user int64, n NewIdentity) models.UserIdentity {
	w.Helper()
	i, err := w.AddIdentity(w.ctx, by, user, n)
	if err != nil {
		w.Fatal(err)
	}
	return i
}

func TestPrimaryAddressMoves(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := w.identity(w.agent, w.ann.ID, NewIdentity{Type: "email", Value: "Second@X.test"})
	if second.Primary || second.Value != "second@x.test" {
		t.Errorf("second: %+v", second)
	}
	all, err := w.MakePrimary(w.ctx, w.agent, w.ann.ID, second.ID)
	if err != nil || len(all) != 2 || all[0].Primary || !all[1].Primary {
		t.Fatalf("identities: %+v, %v", all, err)
	}
	if u, _ := w.Get(w.ctx, w.admin, w.ann.ID); *u.Email != "second@x.test" {
		t.Errorf("the user shows %s", *u.Email)
	}
	if err := w.DeleteIdentity(w.ctx, w.agent, w.ann.ID, second.ID); err != nil {
		t.Fatal(err)
	}
	if u, _ := w.Get(w.ctx, w.admin, w.ann.ID); *u.Email != "ann@example.com" {
		t.Errorf("after the deletion the user shows %s", *u.Email)
	}
	err = w.DeleteIdentity(w.ctx, w.agent, w.ann.ID, all[0].ID)
	w.refused(err, fault.Invalid, "the only e-mail address")
	want := "identity_created identity_changed identity_changed identity_deleted identity_changed"
	if got := w.happened(w.ann.ID); !strings.Contains(got, "identity_deleted") || strings.Count(got, "identity_created") != 2 {
		t.Errorf("events: %s, want about %s", got, want)
	}
}

func TestVerifiedAddressMapsToTheOrganization(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	org := w.organization("Mapped", "mapped.test")
	i := w.identity(w.agent, w.ann.ID, NewIdentity{Value: "ann@mapped.test"})
	if u, _ := w.Get(w.ctx, w.admin, w.ann.ID); u.OrganizationID != nil || u.Verified {
		t.Errorf("before: %+v", u)
	}
	i, err := w.VerifyIdentity(w.ctx, w.agent, w.ann.ID, i.ID)
	if err != nil || !i.Verified {
		t.Fatalf("%+v, %v", i, err)
	}
	if u, _ := w.Get(w.ctx, w.admin, w.ann.ID); value(u.OrganizationID) != org || !u.Verified {
		t.Errorf("after: %+v", u)
	}
}

func TestIdentityIsChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, err := w.Identities(w.ctx, w.agent, w.ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	i, err := w.UpdateIdentity(w.ctx, w.agent, w.ann.ID, first[0].ID, IdentityChange{Value: new("New@x.test"), Verified: new(true)})
	if err != nil || i.Value != "new@x.test" || !i.Verified {
		t.Errorf("changed: %+v, %v", i, err)
	}
	if u, _ := w.Get(w.ctx, w.admin, w.ann.ID); *u.Email != "new@x.test" || !u.Verified {
		t.Errorf("user: %+v", u)
	}
	_, err = w.UpdateIdentity(w.ctx, w.agent, w.ann.ID, i.ID, IdentityChange{Value: new("gus@acme.test")})
	w.refused(err, fault.Invalid, "Value: gus@acme.test is already being used by another user")
	_, err = w.UpdateIdentity(w.ctx, w.agent, w.ann.ID, i.ID, IdentityChange{Value: new("x")})
	w.refused(err, fault.Invalid, "Value: x is not properly formatted")
	_, err = w.UpdateIdentity(w.ctx, w.agent, w.agent.ID(), i.ID, IdentityChange{})
	w.refused(err, fault.NotFound, "") // another user's
}

func TestPhoneIdentityAndNumberAreOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.create(Change{Name: new("B"), Phone: str("+15551234567")})
	ids, err := w.Identities(w.ctx, w.agent, u.ID)
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	if _, err := w.UpdateIdentity(w.ctx, w.agent, u.ID, ids[0].ID, IdentityChange{Value: new("+1 555 7654321")}); err != nil {
		t.Fatal(err)
	}
	if u, _ = w.Get(w.ctx, w.admin, u.ID); value(u.Phone) != "+15557654321" {
		t.Errorf("the number is %s", value(u.Phone))
	}
	if err := w.DeleteIdentity(w.ctx, w.agent, u.ID, ids[0].ID); err != nil {
		t.Fatal(err)
	}
	if u, _ = w.Get(w.ctx, w.admin, u.ID); u.Phone != nil || u.SharedPhoneNumber != nil {
		t.Errorf("the number is still %s", *u.Phone)
	}
	other := w.identity(w.agent, u.ID, NewIdentity{Type: "phone_number", Value: "+15550000000"})
	if _, err := w.MakePrimary(w.ctx, w.agent, u.ID, other.ID); err != nil {
		t.Fatal(err)
	}
	if u, _ = w.Get(w.ctx, w.admin, u.ID); value(u.Phone) != "+15550000000" || *u.SharedPhoneNumber {
		t.Errorf("the user shows %s", value(u.Phone))
	}
}

func TestVerificationIsRequested(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := w.identity(w.agent, w.ann.ID, NewIdentity{Value: "second@x.test"})
	if err := w.RequestVerification(w.ctx, w.as(w.ann), w.ann.ID, i.ID); err != nil {
		t.Fatal(err)
	}
	if got := w.happened(w.ann.ID); !strings.HasSuffix(got, " identity_verification_requested") {
		t.Errorf("events: %s", got)
	}
	if _, err := w.VerifyIdentity(w.ctx, w.agent, w.ann.ID, i.ID); err != nil {
		t.Fatal(err)
	}
	w.refused(w.RequestVerification(w.ctx, w.agent, w.ann.ID, i.ID), fault.Invalid, "is verified already")
	other := w.identity(w.agent, w.ann.ID, NewIdentity{Type: "twitter", Value: "tweety"})
	w.refused(w.RequestVerification(w.ctx, w.agent, w.ann.ID, other.ID), fault.Invalid, "Type: twitter cannot be verified by a message")
	w.refused(w.RequestVerification(w.ctx, w.agent, w.ann.ID, 404), fault.NotFound, "")
}

func TestIdentitiesAndWhoMay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann := w.as(w.ann)
	_, err := w.AddIdentity(w.ctx, ann, w.ann.ID, NewIdentity{Value: "claim@x.test"})
	w.refused(err, fault.Forbidden, "")
	i := w.identity(w.agent, w.ann.ID, NewIdentity{Value: "second@x.test"})
	_, err = w.UpdateIdentity(w.ctx, ann, w.ann.ID, i.ID, IdentityChange{Value: new("claim@x.test")})
	w.refused(err, fault.Forbidden, "")
	_, err = w.MakePrimary(w.ctx, ann, w.ann.ID, i.ID)
	w.refused(err, fault.Invalid, "must be verified")
	_, err = w.VerifyIdentity(w.ctx, ann, w.ann.ID, i.ID)
	w.refused(err, fault.Forbidden, "")
	if _, err = w.VerifyIdentity(w.ctx, w.agent, w.ann.ID, i.ID); err != nil {
		t.Fatal(err)
	}
	if _, err = w.MakePrimary(w.ctx, ann, w.ann.ID, i.ID); err != nil {
		t.Errorf("a verified address: %v", err)
	}
	_, err = w.Identities(w.ctx, ann, w.agent.ID())
	w.refused(err, fault.NotFound, "")
	_, err = w.AddIdentity(w.ctx, ann, w.agent.ID(), NewIdentity{Value: "x@x.test"})
	w.refused(err, fault.NotFound, "")
	_, err = w.AddIdentity(w.ctx, w.agent, w.admin.ID(), NewIdentity{Value: "x@x.test"})
	w.refused(err, fault.Forbidden, "")
	_, err = w.AddIdentity(w.ctx, w.agent, 404, NewIdentity{Value: "x@x.test"})
	w.refused(err, fault.NotFound, "")
	_, err = w.Identity(w.ctx, w.agent, w.ann.ID, 404)
	w.refused(err, fault.NotFound, "")
	r, err := w.IdentityList(w.ctx, w.agent, w.ann.ID, []string{"email"}, page.First(1))
	if err != nil || len(r.Items) != 1 || !r.HasMore || r.Items[0].Value != "ann@example.com" {
		t.Errorf("page: %+v, %v", r, err)
	}
}
