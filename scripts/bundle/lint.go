package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// linter collects what is wrong with a document.
type linter struct {
	doc      *document
	problems []error
}

func lint(d *document) []error {
	l := &linter{doc: d}
	l.names()
	seen := map[string]operation{}
	for _, op := range d.operations() {
		l.operation(op, seen)
	}
	for name, p := range pairs(d.components("parameters")) {
		l.parameter(place{d.file["/components/parameters/"+name], "/components/parameters/" + name}, p)
	}
	for name, h := range pairs(d.components("headers")) {
		at := place{d.file["/components/headers/"+name], "/components/headers/" + name}
		l.schema(at.in("schema"), get(h, "schema"), false)
	}
	for name, r := range pairs(d.components("responses")) {
		l.response(place{d.file["/components/responses/"+name], "/components/responses/" + name}, r)
	}
	for name, s := range pairs(d.components("schemas")) {
		l.schema(place{d.file["/components/schemas/"+name], "/components/schemas/" + name}, s, true)
	}
	return l.problems
}

// place is where something is: the fragment, and the path in the joined file.
type place struct{ file, path string }

func (p place) in(name string) place { return place{p.file, p.path + "/" + name} }

func (l *linter) refuse(at place, n *yaml.Node, format string, args ...any) {
	line := 0
	if n != nil {
		line = n.Line
	}
	l.problems = append(l.problems, fmt.Errorf("%s:%d: %s: %s", at.file, line, at.path, fmt.Sprintf(format, args...)))
}

var goName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// names checks what keeps generated names apart.
func (l *linter) names() {
	suffixes := map[string]string{"parameters": "Param", "responses": "Response", "headers": "Header", "requestBodies": "Body"}
	for kind, named := range pairs(get(l.doc.root, "components")) {
		if kind == "securitySchemes" {
			continue
		}
		for name, n := range pairs(named) {
			at := place{l.doc.file["/components/"+kind+"/"+name], "/components/" + kind + "/" + name}
			if !goName.MatchString(name) {
				l.refuse(at, n, "name it as a Go type, without underscores")
			}
			if suffix := suffixes[kind]; !strings.HasSuffix(name, suffix) {
				l.refuse(at, n, "the name must end in %s", suffix)
			}
			if kind == "schemas" && hasAnySuffix(name, "Param", "Response", "Params") {
				l.refuse(at, n, "a schema's name must not end in Param, Params or Response, which the generator uses")
			}
			if kind == "schemas" && strings.HasSuffix(name, "Input") && !isTrue(n, "x-tristate") {
				l.refuse(at, n, "an Input must have x-tristate: true, or null and absent become one")
			}
		}
	}
}

var roles = []string{"anonymous", "end-user", "agent", "admin"}

// restrictions to tickets that agents may be held to.
var restrictions = []string{"groups", "organization", "assigned"}

func (l *linter) operation(op operation, seen map[string]operation) {
	at := place{op.file, "/paths" + op.path + "/" + op.method}
	id := str(op.node, "operationId")
	switch other, twice := seen[id]; {
	case id == "":
		l.refuse(at, op.node, "has no operationId")
	case !goName.MatchString(id):
		l.refuse(at, op.node, "operationId %s is not a Go name in CamelCase", id)
	case twice:
		l.refuse(at, op.node, "operationId %s is also that of %s %s in %s", id, other.method, other.path, other.file)
	}
	seen[id] = op
	if len(items(get(op.node, "tags"))) == 0 {
		l.refuse(at, op.node, "has no tags")
	}
	if str(op.node, "summary") == "" {
		l.refuse(at, op.node, "has no summary")
	}
	if role := str(op.node, "x-allow"); !slices.Contains(roles, role) {
		l.refuse(at, op.node, "x-allow is %q and must be the least role that may call it: %s", role, strings.Join(roles, ", "))
	}
	for _, restriction := range refused(op) {
		if !slices.Contains(restrictions, restriction) {
			l.refuse(at, op.node, "x-refuse has %q and takes restrictions of agents: %s", restriction, strings.Join(restrictions, ", "))
		}
	}
	if strings.HasSuffix(op.path, ".json") {
		l.refuse(at, op.node, "paths are written without .json, which is stripped before routing")
	}
	for _, holder := range []*yaml.Node{op.node, op.item} {
		for _, p := range items(get(holder, "parameters")) {
			l.parameter(at.in("parameters"), p)
		}
	}
	l.requestBody(at.in("requestBody"), get(op.node, "requestBody"))
	l.responses(at.in("responses"), get(op.node, "responses"), op.node)
}

func (l *linter) parameter(at place, p *yaml.Node) {
	if l.reference(at, p) {
		return
	}
	at = at.in(str(p, "name"))
	if isTrue(p, "x-shared") && isTrue(p, "required") {
		l.refuse(at, p, "an x-shared parameter cannot be required: the server's generated code does not see it")
	}
	if in := str(p, "in"); isTrue(p, "x-shared") && in != "query" {
		l.refuse(at, p, "x-shared is for query parameters")
	}
	l.schema(at.in("schema"), get(p, "schema"), false)
}

func (l *linter) requestBody(at place, body *yaml.Node) {
	for contentType, media := range pairs(get(body, "content")) {
		schema := get(media, "schema")
		here := at.in(contentType)
		if strings.Contains(contentType, "json") && !strings.HasSuffix(str(schema, "$ref"), "Body") {
			l.refuse(here, media, "the schema of a JSON body must be a $ref to a schema whose name ends in Body")
		}
		l.schema(here, schema, false)
		l.inRequest(here, schema, map[string]bool{})
	}
}

// inRequest checks what holds only for schemas that a request reaches.
func (l *linter) inRequest(at place, schema *yaml.Node, seen map[string]bool) {
	if ref := str(schema, "$ref"); ref != "" {
		target := l.doc.resolve(ref)
		if seen[ref] || target == nil {
			return
		}
		seen[ref] = true
		path := strings.TrimPrefix(ref, "#")
		here := place{l.doc.file[path], path}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if !hasAnySuffix(name, "Input", "Body") && hasOptional(target) {
			l.refuse(here, target, "it is part of a request (%s) and has optional or nullable members, so its name must end in Input (and it must be x-tristate)", at.path)
		}
		l.inRequest(here, target, seen)
		return
	}
	for _, kind := range []string{"oneOf", "anyOf"} {
		if n := get(schema, kind); n != nil {
			l.refuse(at, n, "a request body has no %s: use an object with optional members, or {} for a value of any type", kind)
		}
	}
	for part, sub := range subschemas(schema) {
		l.inRequest(at.in(part), sub, seen)
	}
}

func hasOptional(schema *yaml.Node) bool {
	for name, prop := range pairs(get(schema, "properties")) {
		if isTrue(prop, "nullable") || !contains(get(schema, "required"), name) {
			return true
		}
	}
	return false
}

func (l *linter) responses(at place, responses, op *yaml.Node) {
	success := false
	for code, r := range pairs(responses) {
		here := at.in(code)
		if code[0] != '2' && code[0] != '3' {
			if !strings.HasPrefix(str(r, "$ref"), "#/components/responses/") {
				l.refuse(here, r, "an error response must be a $ref to a Response of components")
			}
			l.reference(here, r)
			continue
		}
		success = true
		if get(r, "$ref") != nil {
			l.refuse(here, r, "a success response is written in the operation")
		}
		if schema := get(get(get(r, "content"), "application/json"), "schema"); schema != nil {
			if !hasAnySuffix(str(schema, "$ref"), "Envelope", "List") {
				l.refuse(here, schema, "the schema of a success response must be a $ref to a schema whose name ends in Envelope or List")
			}
		}
		l.response(here, r)
	}
	if !success {
		l.refuse(at, op, "has no 2xx or 3xx response")
	}
}

func (l *linter) response(at place, r *yaml.Node) {
	for name, h := range pairs(get(r, "headers")) {
		if !l.reference(at.in("headers/"+name), h) {
			l.schema(at.in("headers/"+name), get(h, "schema"), false)
		}
	}
	for contentType, media := range pairs(get(r, "content")) {
		l.schema(at.in(contentType), get(media, "schema"), false)
	}
}

// reference tells whether n is a $ref, and checks it if so.
func (l *linter) reference(at place, n *yaml.Node) bool {
	ref := str(n, "$ref")
	if ref == "" {
		return false
	}
	if l.doc.resolve(ref) == nil {
		l.refuse(at, n, "there is no %s", ref)
	}
	if len(n.Content) > 2 {
		l.refuse(at, n, "members beside a $ref are ignored by OpenAPI 3.0: use allOf: [{$ref: ...}]")
	}
	return true
}

// schema checks a schema and those inside it. named is whether it stands in
// components, where it gets a Go name.
func (l *linter) schema(at place, schema *yaml.Node, named bool) {
	if schema == nil || l.reference(at, schema) {
		return
	}
	if isTrue(schema, "nullable") && str(schema, "type") == "" {
		l.refuse(at, schema, "nullable: true needs a type beside it")
	}
	if isTrue(schema, "nullable") && named {
		l.refuse(at, schema, "a named schema is not nullable: the member that holds it is, with type and allOf: [{$ref: ...}]")
	}
	if !named && (get(schema, "properties") != nil || get(schema, "enum") != nil) {
		l.refuse(at, schema, "an object or enum inside another schema must be a named schema, for its Go name")
	}
	if isTrue(schema, "x-paged") && !isTrue(schema, "x-tristate") {
		l.refuse(at, schema, "an x-paged list must be x-tristate: true")
	}
	l.properties(at, schema)
	for part, sub := range subschemas(schema) {
		l.schema(at.in(part), sub, false)
	}
}

func (l *linter) properties(at place, schema *yaml.Node) {
	required := get(schema, "required")
	for _, n := range items(required) {
		if get(get(schema, "properties"), n.Value) == nil {
			l.refuse(at, n, "requires %s, which is not among its properties", n.Value)
		}
	}
	for name, prop := range pairs(get(schema, "properties")) {
		if isTrue(prop, "nullable") && !contains(required, name) && !isTrue(schema, "x-tristate") {
			l.refuse(at.in("properties/"+name), prop, "a nullable member must be required, unless the schema is x-tristate: true (null and absent differ)")
		}
	}
}

// subschemas are the schemas directly inside one, with where they are.
func subschemas(schema *yaml.Node) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	for name, prop := range pairs(get(schema, "properties")) {
		out["properties/"+name] = prop
	}
	for _, kind := range []string{"items", "not", "additionalProperties"} {
		if n := get(schema, kind); n != nil && n.Kind == yaml.MappingNode {
			out[kind] = n
		}
	}
	for _, kind := range []string{"allOf", "anyOf", "oneOf"} {
		for i, n := range items(get(schema, kind)) {
			out[fmt.Sprintf("%s/%d", kind, i)] = n
		}
	}
	return out
}

func hasAnySuffix(s string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(s, suffix) })
}
