package tickets

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/server/users"
)

// What is kept of a suspended ticket is all that was asked of it, with null and
// absent told apart.
func TestChangeIsTheSameWhenReadAgain(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	full := Change{
		Subject: some("<b> & more"), Status: new("open"), CustomStatusID: some(int64(5)), Type: none[string](), Priority: some("high"),
		RequesterID: some(int64(6)), Requester: &users.Person{Email: "ann@acme.test", Name: "Ann"}, SubmitterID: some(int64(7)),
		AssigneeID: none[int64](), AssigneeEmail: new("gus@acme.test"), GroupID: some(int64(8)), OrganizationID: some(int64(9)), BrandID: some(int64(10)),
		TicketFormID: some(int64(11)), ProblemID: some(int64(12)), ExternalID: some("x"), Recipient: some("help@acme.test"), DueAt: some(at),
		CustomFields: []FieldValue{{ID: 1, Value: json.RawMessage(`["a"]`)}}, Tags: []string{"a"}, AddTags: []string{"b"}, RemoveTags: []string{"c"},
		FollowerIDs: []int64{1}, EmailCCIDs: []int64{2}, Followers: []Collaborator{{UserID: 3}}, EmailCCs: []Collaborator{{Email: "bo@acme.test", Remove: true}}, CollaboratorIDs: []int64{4},
		Satisfaction: &Satisfaction{Score: "good", Comment: nullable.NewNullNullable[string](), ReasonCode: some(int64(5))},
		Comment:      &NewComment{Body: "a", HTML: "<p>a</p>", Public: new(false), AuthorID: 4, Uploads: []string{"t"}, At: &at},
		MacroIDs:     []int64{9},
		Metadata:     json.RawMessage(`{"a":1}`), Via: ViaChannel("web"), Origin: Origin{"curl", "127.0.0.1", "https://acme.test"}, Number: 35, FollowupOf: 34, Request: true, Solve: true,
		UpdatedStamp: &at, OpenOnly: true,
	}
	v := reflect.ValueOf(full)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("the test leaves out %s", v.Type().Field(i).Name)
		}
	}
	for _, c := range []Change{full, {}, {Tags: []string{}, Comment: &NewComment{Body: "b"}}} {
		kept, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var again Change
		if err := json.Unmarshal(kept, &again); err != nil {
			t.Fatalf("%v: %s", err, kept)
		}
		if !reflect.DeepEqual(again, c) {
			t.Errorf("%s is read as %+v", kept, again)
		}
	}
}
