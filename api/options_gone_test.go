package api_test

import (
	"fmt"
	"testing"
)

// storedValue is a value of a record as the database has it; "" for none.
func (a *anAPI) storedValue(table, column string, id, field int64) string {
	a.t.Helper()
	var value string
	err := a.db.WithContext(a.ctx()).Raw("SELECT coalesce(("+column+" -> ?)::text, '') FROM "+table+" WHERE account_id = ? AND id = ?",
		fmt.Sprint(field), a.account.ID, id).Row().Scan(&value)
	if err != nil {
		a.t.Fatal(err)
	}
	return value
}

// Options that go, or whose values change, are out of sight at once, and out of
// the records soon: an option of the same value that comes later does not bring
// them back.
func TestOptionsInUseGo(t *testing.T) {
	t.Parallel()
	a := newWorkingAPI(t, nil)
	const options = `"custom_field_options":[{"name":"A","value":"a%[1]s"},{"name":"B","value":"b%[1]s"},{"name":"C","value":"c%[1]s"}]`
	one := a.ticketField(`{"type":"tagger","title":"One",`+options+`}`, "1")
	many := a.ticketField(`{"type":"multiselect","title":"Many",`+options+`}`, "2")
	ticket := a.post("/api/v2/tickets", fmt.Sprintf(`{"ticket":{"subject":"x","comment":{"body":"x"},
		"custom_fields":[{"id":%d,"value":"a1"},{"id":%d,"value":["a2","b2","c2"]}]}}`, one, many)).want(201).id("ticket")
	path := fmt.Sprintf("/api/v2/tickets/%d", ticket)
	closed := a.post("/api/v2/imports/tickets", fmt.Sprintf(`{"ticket":{"subject":"x","status":"closed","comments":[{"body":"x"}],
		"custom_fields":[{"id":%d,"value":"a1"},{"id":%d,"value":["a2","b2","c2"]}]}}`, one, many)).want(201).id("ticket")
	unchanged := a.get(a.path(closed) + "/audits").want(200).body
	first := a.get(fmt.Sprintf("/api/v2/ticket_fields/%d/options", one)).ids("custom_field_options")[0]
	a.delete(fmt.Sprintf("/api/v2/ticket_fields/%d/options/%d", one, first)).want(204)
	if r := a.get(path); r.member("ticket", "custom_fields", 0, "value") != nil {
		t.Errorf("the option is still shown: %s", r.body)
	}
	a.put(fmt.Sprintf("/api/v2/ticket_fields/%d", many), `{"ticket_field":{"custom_field_options":[{"name":"A","value":"a2"},{"name":"C","value":"c2"}]}}`).want(200)
	a.until("the tickets' values are cleared", func() bool {
		return a.storedValue("tickets", "custom_fields", ticket, one) == "" && a.storedValue("tickets", "custom_fields", ticket, many) == `["a2", "c2"]` &&
			a.storedValue("tickets", "custom_fields", closed, one) == "" && a.storedValue("tickets", "custom_fields", closed, many) == `["a2", "c2"]`
	})
	a.post(fmt.Sprintf("/api/v2/ticket_fields/%d/options", one), `{"custom_field_option":{"name":"A again","value":"a1"}}`).want(201)
	r := a.get(path)
	if r.member("ticket", "custom_fields", 0, "value") != nil || fmt.Sprint(r.member("ticket", "custom_fields", 1, "value")) != "[a2 c2]" {
		t.Errorf("ticket %s", r.body)
	}
	r.wantTags("ticket", "a1", "a2", "b2", "c2") // tags stay
	if got := a.get(a.path(closed) + "/audits").want(200).body; string(got) != string(unchanged) {
		t.Errorf("the closed ticket's audits: %s", got)
	}
	a.get(a.path(closed)).want(200).wantTags("ticket", "a1", "a2", "b2", "c2")
	audits := a.get(path + "/audits").want(200)
	if got := len(audits.member("audits").([]any)); got != 3 {
		t.Errorf("%d audits: %s", got, audits.body)
	}

	for _, k := range keyed {
		one := a.keyedField(k.kind, `{"type":"dropdown","title":"One","key":"one",`+options+`}`, "1")
		many := a.keyedField(k.kind, `{"type":"multiselect","title":"Many","key":"many",`+options+`}`, "2")
		record := a.post("/api/v2/"+k.record, `{"`+k.kind+`":{"name":"Ann","`+k.kind+`_fields":{"one":"b1","many":["a2","b2","c2"]}}}`).want(201).id(k.kind)
		last := a.post("/api/v2/"+k.record, `{"`+k.kind+`":{"name":"Bo","`+k.kind+`_fields":{"one":"c1","many":["b2"]}}}`).want(201).id(k.kind)
		a.put(fmt.Sprintf("%s/%d", k.path, one), `{"`+k.key+`":{"custom_field_options":[{"name":"A","value":"a1"},{"name":"C","value":"c1"}]}}`).want(200)
		second := a.get(fmt.Sprintf("%s/%d/options", k.path, many)).ids("custom_field_options")[1]
		a.post(fmt.Sprintf("%s/%d/options", k.path, many), fmt.Sprintf(`{"custom_field_option":{"id":%d,"value":"renamed"}}`, second)).want(200)
		path := fmt.Sprintf("/api/v2/%s/%d", k.record, record)
		a.get(path).want(200).wantValues(k.kind, `{"one":null,"many":["a2","c2"]}`)
		a.until("the values are cleared", func() bool {
			return a.storedValue(k.record, k.kind+"_fields", record, one) == "" && a.storedValue(k.record, k.kind+"_fields", record, many) == `["a2", "c2"]` &&
				a.storedValue(k.record, k.kind+"_fields", last, many) == ""
		})
		if got := a.storedValue(k.record, k.kind+"_fields", last, one); got != `"c1"` {
			t.Errorf("another option is %s", got)
		}
	}
}
