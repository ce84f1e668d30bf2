package wire_test

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/helpd/helpd/api/wire"
	"github.com/oapi-codegen/nullable"
)

func TestIDReads(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int64{
		`12`: 12, `"12"`: 12, `" 12 "`: 12, `12.0`: 12, `"12.000"`: 12, `1e3`: 1000, `1.5e1`: 15,
		`""`: 0, `null`: 0, `-3`: -3, `6164039664282`: 6164039664282,
		`9223372036854775807`: math.MaxInt64, `"9223372036854775807.0"`: math.MaxInt64,
	} {
		var id wire.ID
		if err := json.Unmarshal([]byte(in), &id); err != nil || int64(id) != want {
			t.Errorf("%s reads as %d, %v; want %d", in, id, err, want)
		}
	}
}

func TestIDRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{`"abc"`, `1.5`, `true`, `{}`, `[1]`, `"0x10"`, `"1_000"`, `"Infinity"`, `"NaN"`, `"."`, `"1 2"`} {
		id := wire.ID(7)
		if err := json.Unmarshal([]byte(in), &id); err == nil || id != 7 {
			t.Errorf("%s reads as %d, %v; want an error", in, id, err)
		}
	}
}

func TestIDOutOfRange(t *testing.T) {
	t.Parallel()
	for in, near := range map[string]wire.ID{
		"9223372036854775808": math.MaxInt64, "9223372036854775808.0": math.MaxInt64, "1e30": math.MaxInt64,
		"1e999": math.MaxInt64, "-9223372036854775809": math.MinInt64, "-1e30": math.MinInt64, "-1e999": math.MinInt64,
	} {
		if n, err := wire.ParseID(in); !errors.Is(err, wire.ErrRange) || n != near {
			t.Errorf("ParseID(%s) = %d, %v; want %d and ErrRange", in, n, err, near)
		}
		var field *wire.FieldError
		var body struct {
			ID wire.ID `json:"id"`
		}
		err := wire.Decode([]byte(`{"id":`+in+`}`), &body)
		if !errors.Is(err, wire.ErrRange) || !errors.As(err, &field) || field.Field != "id" {
			t.Errorf("a body with %s fails with %v; want ErrRange naming the member", in, err)
		}
		var path wire.ID
		if err := path.UnmarshalText([]byte(in)); err != nil || path != near {
			t.Errorf("a path with %s reads as %d, %v; want the nearest id, which is unknown", in, path, err)
		}
	}
}

func TestPathAndQueryScalars(t *testing.T) {
	t.Parallel()
	var id wire.ID
	if err := id.Bind("35"); err != nil || id != 35 {
		t.Errorf("id: %d, %v", id, err)
	}
	if err := id.UnmarshalText([]byte("abc")); err == nil {
		t.Error("abc is an id")
	}
	if err := id.Bind(""); err != nil || id != 0 {
		t.Errorf("empty id: %d, %v", id, err)
	}
	var n wire.Int
	if err := n.Bind("3"); err != nil || n != 3 {
		t.Errorf("number: %d, %v", n, err)
	}
	for _, in := range []string{"", "x", "9223372036854775808"} {
		if err := n.Bind(in); err == nil {
			t.Errorf("%q is a whole number", in)
		}
	}
	var f wire.Flag
	if err := f.Bind("True"); err != nil || !bool(f) {
		t.Errorf("flag: %v, %v", f, err)
	}
	var at wire.Time
	if err := at.Bind("1690000000"); err != nil || at.String() != "2023-07-22T04:26:40Z" {
		t.Errorf("time: %v, %v", at, err)
	}
}

func TestIntRefusesEmpty(t *testing.T) {
	t.Parallel()
	var n wire.Int
	if err := json.Unmarshal([]byte(`"4"`), &n); err != nil || n != 4 {
		t.Errorf(`"4" reads as %d, %v`, n, err)
	}
	if err := json.Unmarshal([]byte(`""`), &n); err == nil {
		t.Error(`"" is a whole number`)
	}
}

func TestFlag(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`true`: true, `"true"`: true, `1`: true, `"1"`: true, `"True"`: true,
		`false`: false, `"false"`: false, `0`: false, `"0"`: false, `"FALSE"`: false,
	} {
		f := wire.Flag(!want)
		if err := json.Unmarshal([]byte(in), &f); err != nil || bool(f) != want {
			t.Errorf("%s reads as %v, %v", in, f, err)
		}
	}
	for _, in := range []string{`"yes"`, `""`, `2`, `[]`, `{}`} {
		var f wire.Flag
		if err := json.Unmarshal([]byte(in), &f); err == nil {
			t.Errorf("%s reads as %v", in, f)
		}
	}
	if b, err := json.Marshal(wire.Flag(true)); string(b) != "true" || err != nil {
		t.Errorf("written as %s, %v", b, err)
	}
}

func TestTimeReads(t *testing.T) {
	t.Parallel()
	const want = "2023-09-18T23:35:11Z"
	for _, in := range []string{
		`"2023-09-18T23:35:11Z"`, `"2023-09-18T23:35:11.475Z"`, `"2023-09-18T23:35:11,475Z"`, `"2023-09-19T01:35:11+02:00"`,
		`"2023-09-19T01:35:11+0200"`, `"2023-09-19T01:35:11+02"`, `"2023-09-18t23:35:11z"`, `"2023-09-18T23:35:11"`,
		`"2023-09-18 23:35:11 +0000"`, `"2023-09-18 23:35:11 UTC"`, `1695080111`, `1695080111.9`, `"1695080111"`,
	} {
		var at wire.Time
		if err := json.Unmarshal([]byte(in), &at); err != nil || at.String() != want {
			t.Errorf("%s reads as %s, %v", in, at, err)
		}
	}
	for in, want := range map[string]string{
		`"2023-09-18"`: "2023-09-18T00:00:00Z", `"2023-09-18T23:35Z"`: "2023-09-18T23:35:00Z", `0`: "1970-01-01T00:00:00Z",
		`-1.5`: "1969-12-31T23:59:58Z", `""`: "0001-01-01T00:00:00Z",
	} {
		var at wire.Time
		if err := json.Unmarshal([]byte(in), &at); err != nil || at.String() != want {
			t.Errorf("%s reads as %s, %v; want %s", in, at, err, want)
		}
	}
}

func TestTimeRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`"soon"`, `"2023-13-01"`, `"2023-02-30"`, `"18/09/2023"`, `true`, `{}`, `[]`, `1e12`, `-1e12`, `"NaN"`, `"0x10"`,
		`"9999-12-31T23:59:59-01:00"`, `"0001-01-01T00:00:00+01:00"`, `"10000-01-01"`,
	} {
		var at wire.Time
		if err := json.Unmarshal([]byte(in), &at); err == nil {
			t.Errorf("%s reads as %s", in, at)
		}
	}
}

func TestTimeIsWrittenInUTCAndWholeSeconds(t *testing.T) {
	t.Parallel()
	at := wire.Time(time.Date(2023, 9, 19, 1, 35, 11, 999e6, time.FixedZone("", 2*60*60)))
	if b, err := json.Marshal(at); string(b) != `"2023-09-18T23:35:11Z"` || err != nil {
		t.Errorf("written as %s, %v", b, err)
	}
	if _, err := json.Marshal(wire.Time(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))); err == nil {
		t.Error("a year of five digits is written")
	}
}

func TestNullableClears(t *testing.T) {
	t.Parallel()
	var in struct {
		Null   nullable.Nullable[wire.ID]   `json:"null"`
		Empty  nullable.Nullable[wire.ID]   `json:"empty"`
		Given  nullable.Nullable[wire.ID]   `json:"given"`
		Absent nullable.Nullable[wire.ID]   `json:"absent"`
		NoTime nullable.Nullable[wire.Time] `json:"no_time"`
		Time   nullable.Nullable[wire.Time] `json:"time"`
	}
	if err := wire.Decode([]byte(`{"null":null,"empty":"","given":"7","no_time":"","time":0}`), &in); err != nil {
		t.Fatal(err)
	}
	if !wire.NullableID(in.Null).IsNull() || !wire.NullableID(in.Empty).IsNull() {
		t.Error("null and an empty string do not clear an id")
	}
	if wire.NullableID(in.Given).MustGet() != 7 || wire.NullableID(in.Absent).IsSpecified() {
		t.Error("a given id is lost, or an absent one made up")
	}
	if !wire.NullableTime(in.NoTime).IsNull() || wire.NullableTime(in.Time).MustGet().Unix() != 0 {
		t.Error("an empty time does not clear, or the first second of 1970 does")
	}
	if wire.NullableTime(nil).IsSpecified() {
		t.Error("an absent time is made up")
	}
}
