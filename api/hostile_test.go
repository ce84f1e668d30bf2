package api_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/helpd/helpd/gen"
)

// everyHostileRequest sends all requests that the tests below can think of, and
// not a sample of them: minutes instead of seconds.
var everyHostileRequest = flag.Bool("hostile.all", false, "send every hostile request")

// hostilePerOperation is how many of each operation's hostile requests are sent.
const hostilePerOperation = 32

// hostile is one request that no well-behaved client sends.
type hostile struct {
	about  string
	path   string
	body   func() string // written only for what is sent: there are thousands, and large ones
	header http.Header
	nobody bool // names a record that there cannot be
}

// Whatever a request holds, the answer is the contract's: no 5xx, no other form
// than JSON, and a refused write has written nothing.
func TestHostileInput(t *testing.T) {
	t.Parallel()
	areas := map[string][]gen.Operation{}
	for _, op := range gen.Operations {
		areas[op.Area] = append(areas[op.Area], op)
	}
	for area, ops := range areas {
		t.Run(area, func(t *testing.T) {
			t.Parallel()
			w := newWorld(newAPI(t))
			// What deletes comes last, that there is something to refuse.
			slices.SortStableFunc(ops, func(a, b gen.Operation) int { return order(a.Method) - order(b.Method) })
			for _, op := range ops {
				w.suffer(op)
			}
		})
	}
}

func order(method string) int {
	return slices.Index([]string{"GET", "PUT", "PATCH", "POST", "DELETE"}, method)
}

// suffer sends a sample of hostile requests to one operation, the same at each
// run of the test.
func (w *world) suffer(op gen.Operation) {
	w.t.Helper()
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(op.ID))
	random := rand.New(rand.NewPCG(seed.Sum64(), 1))
	all := append(w.hostilePaths(op), append(w.hostileQueries(op), w.hostileBodies(op)...)...)
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if !*everyHostileRequest {
		all = all[:min(len(all), hostilePerOperation)]
	}
	before := w.rows()
	for _, h := range all {
		b := *w.anAPI
		b.header = w.header.Clone()
		maps.Copy(b.header, h.header)
		body := h.body()
		r := b.do(op.Method, h.path, body)
		r.wantContract(op.ID + ", " + h.about)
		if h.nobody && r.status < 400 {
			w.t.Errorf("%s, %s: %s %s: %d %.300s", op.ID, h.about, op.Method, h.path, r.status, r.body)
		}
		if op.Method == "GET" || *everyHostileRequest { // an account that grows and grows is slow to compare
			continue
		}
		// Nothing waits to be numbered, so that what has not changed is as it was.
		if r.status >= 400 && len(changed(before, w.fingerprint())) == 0 {
			continue
		}
		after := w.rows()
		if r.status >= 400 {
			w.t.Errorf("%s, %s: %s %s %.300s was refused with %d and yet wrote to %v", op.ID, h.about, op.Method, h.path, body, r.status, changed(before, after))
		}
		before = after
	}
}

// wantContract holds an answer against what all answers have in common.
func (r *result) wantContract(about string) {
	r.t.Helper()
	if r.status >= 500 {
		r.t.Errorf("%s: %s %.300s: %d %.300s", about, r.method, r.path, r.status, r.body)
		return
	}
	if r.status == http.StatusNoContent || r.status == http.StatusNotFound && strings.HasPrefix(r.path, "/api/v2/guide/") && len(r.body) == 0 {
		return
	}
	if r.status == http.StatusOK && r.header.Get("Content-Type") == "text/event-stream" {
		return
	}
	var body map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &body); err != nil || !strings.HasPrefix(r.header.Get("Content-Type"), "application/json") {
		r.t.Errorf("%s: %s %.300s: %d is no JSON object: %.300s", about, r.method, r.path, r.status, r.body)
		return
	}
	if r.status >= 400 && body["error"] == nil && body["errors"] == nil {
		r.t.Errorf("%s: %s %.300s: %d without an error: %.300s", about, r.method, r.path, r.status, r.body)
	}
}

// Segments of a path where an id is due, as they are sent.
var hostileIDs = []string{
	"0", "-1", "-0", "00", "+1", "1.5", "1e3", "0x10", "abc", "null", "undefined", "%20", "9223372036854775807", "9223372036854775808",
	"-9223372036854775808", "99999999999999999999999999", "%00", "1%00", "%FF", "%C0%AF", "%2e%2e", "1%2F2", "%E2%80%AE1", "%D9%A1", "'", "%22",
	"1;DROP", "[]", "{}", "*", "me", "%F0%9F%98%80", "a%0Ab", "1,2", strings.Repeat("9", 2000), strings.Repeat("a", 5000),
}

// as is a body that is written already.
func as(body string) func() string { return func() string { return body } }

func (w *world) hostilePaths(op gen.Operation) []hostile {
	if !strings.Contains(op.Path, "{") {
		return nil
	}
	var all []hostile
	body := as(w.plausible(op))
	for _, bad := range hostileIDs {
		for _, at := range names(op.Path) {
			path := fill(op.Path, func(name string) string {
				if name == at {
					return bad
				}
				id, _ := w.id(op, name)
				return id
			})
			nobody := slices.Contains([]string{"0", "-1", "9223372036854775807", "9223372036854775808"}, bad)
			all = append(all, hostile{about: at + " in the path", path: path, body: body, nobody: nobody})
			all = append(all, hostile{about: at + " in the path", path: path + ".json", body: body, nobody: nobody})
		}
	}
	return all
}

func names(path string) (all []string) {
	fill(path, func(name string) string { all = append(all, name); return "" })
	return all
}

// Values of query parameters, as they are sent.
var hostileValues = []string{
	"", "0", "-1", "1", "1.5", "abc", "true", "null", "None", "101", "1000000000", "1000000000000000000", "9223372036854775807", "9223372036854775808",
	"99999999999999999999999999", "%00", "a%00b", "%FF", "%C0%AF", "%ED%A0%80", "%25", "_", "%25%25", "%5C", "'", "%22", "%27%3B--", "%E2%80%AE", "%F0%9F%98%80",
	"%CC%81", "1,,2", ",", ",,,", "1,1,1", "1,abc", "-id", "--id", "-", "id,id", "created_at", "-updated_at", "password_hash", "asc", "DESC", "sideways",
	"(", "*", "a*", "a%20b%20c", "type:", "email:", "name:\"", "external_id:%00", "user:(", "%2B", "+", "@", "a@b", "%0A", "%0D%0A", "..%2F..", "2026-13-45", "-99999999999",
	"2026-01-01T00:00:00Z", "users,groups,organizations", "everything", "open,open", "eyJvIjoiaWQiLCJ2IjoiYVJxZ3IraWFCUUFBIn0%3D", "e30%3D", "bnVsbA%3D%3D", "W10%3D", "IiI%3D",
	"eyJvIjoiaWQiLCJ2IjpbInh4Il19", "eyJvIjoibmljZV9pZCIsInYiOlsiYSIsImIiLCJjIl19", "eyJvIjoiaWQiLCJ2IjpudWxsfQ%3D%3D", "eyJvIjoxLCJ2Ijp7fX0%3D",
	strings.Repeat("a", 10_000), strings.Repeat("1,", 101) + "1", strings.Repeat("%F0%9F%98%80", 1000), strings.Repeat("9", 1000),
}

// What lists read beside the parameters that the spec names for an operation.
var commonParams = []string{"page", "per_page", "page[size]", "page[after]", "page[before]", "sort", "sort_by", "sort_order", "include", "ids", "external_ids", "query"}

func (w *world) hostileQueries(op gen.Operation) []hostile {
	_, params := specified(w.t, op)
	all := slices.Clone(commonParams)
	for _, p := range params {
		if p.Value.In == "query" {
			all = append(all, p.Value.Name, p.Value.Name) // more of what is read
		}
	}
	slices.Sort(all)
	var out []hostile
	path, body := w.path(op), as(w.plausible(op))
	for _, name := range all {
		for _, value := range hostileValues {
			query := "?" + url.QueryEscape(name) + "=" + value
			if name == "sort" {
				query += "&page[size]=2"
			}
			out = append(out, hostile{about: name + " in the query", path: path + query, body: body})
		}
		out = append(out, hostile{about: name + " twice", path: path + "?" + name + "=1&" + name + "=2&" + name + "[]=3", body: body})
	}
	return out
}

// Members of bodies, as JSON.
var hostileMembers = []string{
	`null`, `true`, `false`, `""`, `" "`, `"x"`, `0`, `-1`, `1`, `1.5`, `1e3`, `1e400`, `-1e400`, `1e-20000`, `2147483648`, `-2147483649`, `9223372036854775807`, `9223372036854775808`,
	`99999999999999999999999999`, `"9223372036854775808"`, `"-1"`, `" 1 "`, `"1e3"`, `"NaN"`, `"0x10"`, `{}`, `[]`, `[null]`, `[[]]`, `[{}]`, `["x"]`, `[1]`, `[-1,9223372036854775807]`,
	`[true]`, `{"a":{}}`, `{"id":{}}`, `{"id":1}`, `[{"id":null,"value":{}}]`, `[{"id":"abc","value":[[]]}]`, `[{"id":1,"value":1},{"id":1,"value":2}]`, `"\u0000"`, `"a\u0000b"`, `{"a\u0000":1}`, `"\u0001\u001f"`, `"\ud800"`, `"\udfff\ud800"`, `"\u202e\u200b\ufeff"`,
	`"😀"`, `"e\u0301\u0301\u0301"`, `"%s%n"`, `"'; --"`, `"<script>alert(1)</script>"`, `"<b><i><!--"`, `"{{ticket.id}}"`, `"0000-00-00"`, `"2026-02-30T00:00:00Z"`, `"99999-01-01T00:00:00Z"`,
	`"2026-01-01T00:00:00+99:99"`, `"-0001-01-01T00:00:00Z"`, `"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59Z"`, `"(?P<"`, `"(a+)+$"`, `"a@b"`, `"@"`, `"a@b@c.example"`, `"\"a b\"@c.example"`, `"a@xn--.example"`, `"ü@ü.example"`, `"a\u200b@b.example"`,
	`"a@b.example\r\nBcc: c@d.example"`, `"+4915112345678"`, `"+0"`, `"open"`, `"closed"`, `"solved"`, `"admin"`, `"agent"`, `"problem"`, `"tagger"`, `"regexp"`, `"Kyiv"`, `"Etc/Nowhere"`, `"de"`, `"xx-YY"`,
	`"` + strings.Repeat("a", 300) + `"`, `"` + strings.Repeat("😀", 300) + `"`, `"` + strings.Repeat("a b ", 20_000) + `"`, `[` + strings.Repeat(`"t",`, 3000) + `"t"]`, `[` + strings.Repeat(`1,`, 3000) + `1]`,
	`"` + strings.Repeat("x", 70_000) + `"`, strings.Repeat("[", 50) + strings.Repeat("]", 50), strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 50),
}

// Whole bodies.
var hostileTexts = []string{
	"", " ", "null", "true", "0", `""`, "[]", "{}", "[[]]", "{", "}", "[", `{"`, `{"a"`, `{"a":}`, `{"a":1,}`, `{"a":1}}`, `{"a":1} {"b":2}`, `{a:1}`, `{'a':1}`, "\x00", "{\x00}", "{\"a\":\"\x00\"}",
	"{\"a\":\"\xff\"}", "{\"a\":\"\xed\xa0\x80\"}", "\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", `{"a":"\u0000"}`, `{"a":"\uZZZZ"}`, `{"a":"\x"}`, `{"a":01}`, `{"a":NaN}`, `{"a":1e}`, "a=b&c=d", "<xml/>",
	strings.Repeat("[", 10_000), strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000), strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000),
	`{"` + strings.Repeat("k", 100_000) + `":1}`, `{` + strings.Repeat(`"a":1,`, 10_000) + `"a":1}`,
}

func (w *world) hostileBodies(op gen.Operation) []hostile {
	o, _ := specified(w.t, op)
	path := w.path(op)
	var all []hostile
	plausible := as(w.plausible(op))
	for _, text := range hostileTexts {
		all = append(all, hostile{about: "body", path: path, body: as(text)})
	}
	for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=", "application/json; charset=utf-16", "/", ";;;", "image/png"} {
		all = append(all, hostile{about: "Content-Type " + kind, path: path, body: plausible, header: http.Header{"Content-Type": {kind}}})
	}
	schema := bodySchema(o)
	if schema == nil {
		return all
	}
	base := w.minimal(op, schema)
	places(schema, nil, 0, func(place []any) {
		for _, value := range hostileMembers {
			body := func() string { return text(w.t, put(base, place, raw(value))) }
			all = append(all, hostile{about: fmt.Sprint(place), path: path, body: body})
		}
	})
	return all
}

// raw is JSON as it is: what no decoder of ours would write.
type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte("0"), nil }

// text is v as JSON, with what is raw in it as it is.
func text(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	var write func(v any)
	write = func(v any) {
		switch v := v.(type) {
		case raw:
			b.WriteString(string(v))
		case map[string]any:
			b.WriteByte('{')
			for i, name := range slices.Sorted(maps.Keys(v)) {
				if i > 0 {
					b.WriteByte(',')
				}
				write(name)
				b.WriteByte(':')
				write(v[name])
			}
			b.WriteByte('}')
		case []any:
			b.WriteByte('[')
			for i, item := range v {
				if i > 0 {
					b.WriteByte(',')
				}
				write(item)
			}
			b.WriteByte(']')
		default:
			j, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(j)
		}
	}
	write(v)
	return b.String()
}

// put is v with what is at a place (names and, for lists, 0) replaced.
func put(v any, place []any, by any) any {
	if len(place) == 0 {
		return by
	}
	switch step := place[0].(type) {
	case string:
		out := map[string]any{}
		if object, ok := v.(map[string]any); ok {
			maps.Copy(out, object)
		}
		out[step] = put(out[step], place[1:], by)
		return out
	default:
		var first any
		if items, ok := v.([]any); ok && len(items) > 0 {
			first = items[0]
		}
		return []any{put(first, place[1:], by)}
	}
}

// places calls found with the place of every member in values of a schema.
func places(s *openapi3.Schema, at []any, depth int, found func([]any)) {
	if len(at) > 0 {
		found(slices.Clone(at))
	}
	if depth > 4 {
		return
	}
	for _, part := range s.AllOf {
		places(part.Value, at, depth+1, func(place []any) {
			if len(place) > len(at) {
				found(place)
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		places(s.Properties[name].Value, append(slices.Clone(at), name), depth+1, found)
	}
	if s.Items != nil {
		places(s.Items.Value, append(slices.Clone(at), 0), depth+1, found)
	}
}

// essential members make a body that is not refused for what it lacks.
var essential = map[string]string{
	"name": "Name", "comment": "", "subject": "Subject", "title": "Title", "value": "value", "text": "nothing",
	"key": "", "content": "Content", "locale_id": "", "user_id": "", "group_id": "", "organization_id": "", "agent_label": "Label", "status_category": "open",
	// Nothing asks where a name that ends so leads (RFC 6761).
	"endpoint": "https://hooks.invalid/", "http_method": "POST", "request_format": "json",
}

// minimal is a body with little more than its wrappers.
func (w *world) minimal(op gen.Operation, s *openapi3.Schema) any {
	for _, part := range s.AllOf {
		if len(part.Value.Properties) > 0 {
			s = part.Value
		}
	}
	switch {
	case s.Items != nil:
		return []any{w.minimal(op, s.Items.Value)}
	case s.Type.Is("integer"):
		return 1
	case s.Type.Is("string"):
		return "x"
	}
	out := map[string]any{}
	for name, member := range s.Properties {
		m := member.Value
		sample, wanted := essential[name]
		switch id, known := w.id(op, name); {
		case slices.Contains(s.Required, name) && (len(m.Properties) > 0 || m.Items != nil || len(m.AllOf) > 0):
			out[name] = w.minimal(op, m)
		case !wanted && !slices.Contains(s.Required, name) || op.Method != "POST" && !slices.Contains(s.Required, name):
		case name == "comment" && !m.Type.Is("string"):
			out[name] = map[string]any{"body": "Hello"}
		case known:
			out[name] = raw(id)
		case name == "subdomain": // one in all accounts, also of tests that run beside
			out[name] = w.account.Subdomain + "x"
		case name == "type" && strings.Contains(op.Path, "identities"):
			out[name] = "email"
		case name == "type":
			out[name] = "text"
		case name == "value" && strings.Contains(op.Path, "identities"):
			out[name] = "new@hostile.example"
		case m.Type.Is("integer"):
			out[name] = 1
		case m.Type.Is("boolean"):
			out[name] = true
		case sample != "":
			out[name] = sample
		default:
			out[name] = "x"
		}
	}
	return out
}

// plausible is a minimal body of an operation as text; empty for none.
func (w *world) plausible(op gen.Operation) string {
	o, _ := specified(w.t, op)
	schema := bodySchema(o)
	if schema == nil {
		return ""
	}
	return text(w.t, w.minimal(op, schema))
}
