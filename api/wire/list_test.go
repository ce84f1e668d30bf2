package wire_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"testing"

	"github.com/helpd/helpd/api/wire"
)

func TestLists(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in   string
		into any
		want any
	}{
		{`[1,"2",3.0]`, new(wire.IDs), &wire.IDs{1, 2, 3}},
		{`[1,null,""]`, new(wire.IDs), &wire.IDs{1}},
		{`7`, new(wire.IDs), &wire.IDs{7}},
		{`"1, 2,,3"`, new(wire.IDs), &wire.IDs{1, 2, 3}},
		{`""`, new(wire.IDs), &wire.IDs{}},
		{`[]`, new(wire.IDs), &wire.IDs{}},
		{`null`, new(wire.IDs), new(wire.IDs)},
		{`["a b","c",1,true,null]`, new(wire.Strings), &wire.Strings{"a b", "c", "1", "true"}},
		{`"tok"`, new(wire.Strings), &wire.Strings{"tok"}},
		{`[]`, new(wire.Strings), &wire.Strings{}},
		{`null`, new(wire.Strings), new(wire.Strings)},
		{`["VIP","big deal","a,b","vip"]`, new(wire.Tags), &wire.Tags{"vip", "big", "deal", "a", "b"}},
		{`"VIP  new,ÄRGER"`, new(wire.Tags), &wire.Tags{"vip", "new", "ärger"}},
		{`""`, new(wire.Tags), &wire.Tags{}},
		{`null`, new(wire.Tags), new(wire.Tags)},
		{`"x"`, new(wire.Text), ptr(wire.Text("x"))},
		{`12.50`, new(wire.Text), ptr(wire.Text("12.50"))},
		{`false`, new(wire.Text), ptr(wire.Text("false"))},
		{`null`, new(wire.Text), new(wire.Text)},
	} {
		if err := json.Unmarshal([]byte(tc.in), tc.into); err != nil || !reflect.DeepEqual(tc.into, tc.want) {
			t.Errorf("%s reads as %#v, %v; want %#v", tc.in, tc.into, err, tc.want)
		}
	}
}

func TestListsRefuse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in   string
		into any
	}{
		{`{}`, new(wire.IDs)}, {`[[1]]`, new(wire.IDs)}, {`"a"`, new(wire.IDs)}, {`["a"]`, new(wire.IDs)}, {`true`, new(wire.IDs)},
		{`"9223372036854775808"`, new(wire.IDs)},
		{`{}`, new(wire.Strings)}, {`[{}]`, new(wire.Strings)},
		{`{}`, new(wire.Tags)}, {`[["a"]]`, new(wire.Tags)},
		{`{}`, new(wire.Text)}, {`["a"]`, new(wire.Text)},
	} {
		if err := json.Unmarshal([]byte(tc.in), tc.into); err == nil {
			t.Errorf("%s is read into a %T", tc.in, tc.into)
		}
	}
}

func TestInt64sLeavesEmptyPlacesOut(t *testing.T) {
	t.Parallel()
	if got := (wire.IDs{1, 0, 2}).Int64s(); !reflect.DeepEqual(got, []int64{1, 2}) {
		t.Errorf("got %v", got)
	}
	if got := wire.IDs(nil).Int64s(); got != nil {
		t.Errorf("absent ids are %v", got)
	}
}

func TestFoldLists(t *testing.T) {
	t.Parallel()
	q := url.Values{"ids[]": {"1", "2"}, "role": {"agent"}, "role[]": {"admin"}, "page[size]": {"2"}, "[]": {"x"}}
	if !wire.FoldLists(q) {
		t.Error("found none")
	}
	want := url.Values{"ids": {"1,2"}, "role": {"agent,admin"}, "page[size]": {"2"}, "[]": {"x"}}
	if !reflect.DeepEqual(q, want) || wire.FoldLists(q) {
		t.Errorf("got %v", q)
	}
}

func ptr[T any](v T) *T { return &v }
