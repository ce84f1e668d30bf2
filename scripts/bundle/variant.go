package main

import (
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// variant is the document as oapi-codegen should see it: what the generator has
// no option for is said with its extensions, and what should not become code
// is left out.
type variant struct {
	server bool
}

// The client has the shared parameters, and plain Go types.
var serverVariant, clientVariant = variant{server: true}, variant{}

func (v variant) of(joined []byte) ([]byte, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(joined, &n); err != nil {
		return nil, err
	}
	d := &document{root: n.Content[0], file: map[string]string{}}
	d.dropTwins()
	for _, op := range d.operations() {
		v.operation(d, op)
	}
	// Nothing refers to them any more, and the generator would make types of them.
	del(get(d.root, "components"), "responses")
	for _, p := range pairs(d.components("parameters")) {
		v.parameter(p)
	}
	for name, schema := range pairs(d.components("schemas")) {
		if v.server && strings.HasSuffix(name, "List") {
			list(schema)
			continue
		}
		v.schema(d, schema)
	}
	return encode(&n)
}

// list makes of a list's envelope the one Go type that prints them all: its key
// and its paging members differ from answer to answer.
func list(schema *yaml.Node) {
	schema.Content = nil
	set(schema, "type", text("object"))
	set(schema, "x-go-type", text("wire.List"))
	set(schema, "x-go-type-import", wireImport())
}

func wireImport() *yaml.Node {
	imp := mapping()
	set(imp, "path", text("github.com/helpd/helpd/api/wire"))
	return imp
}

// operation drops error responses, which api/errors.go writes for all
// operations, and the parameters that are read from the URL in one place.
func (v variant) operation(d *document, op operation) {
	responses := get(op.node, "responses")
	for i := len(responses.Content) - 2; i >= 0; i -= 2 {
		if code := responses.Content[i].Value; code[0] != '2' && code[0] != '3' {
			del(responses, code)
		}
	}
	params := get(op.node, "parameters")
	if params == nil {
		return
	}
	var kept []*yaml.Node
	for _, p := range params.Content {
		if v.server && isTrue(d.resolve(str(p, "$ref")), "x-shared") {
			continue
		}
		v.parameter(p)
		kept = append(kept, p)
	}
	params.Content = kept
	if len(kept) == 0 {
		del(op.node, "parameters")
	}
}

// parameter makes an absent list nil, and not a pointer to a list.
func (v variant) parameter(p *yaml.Node) {
	schema := get(p, "schema")
	v.array(schema)
	if str(schema, "type") == "array" {
		set(schema, "x-go-type-skip-optional-pointer", boolean(true))
	}
}

// goType lets the server's code keep a value in a Go type of ours, named by
// x-server-go-type, where the client's has the plain one.
func (v variant) goType(schema *yaml.Node) bool {
	name := str(schema, "x-server-go-type")
	del(schema, "x-server-go-type")
	if name == "" || !v.server {
		return false
	}
	schema.Content = nil
	set(schema, "type", text("object"))
	set(schema, "x-go-type", text(name))
	set(schema, "x-go-type-import", wireImport())
	set(schema, "x-go-type-skip-optional-pointer", boolean(true))
	return true
}

func (v variant) schema(d *document, schema *yaml.Node) {
	if v.goType(schema) {
		return
	}
	v.array(schema)
	if isAny(schema) {
		del(schema, "nullable") // see allowNull; any holds nil
	}
	order := 0
	for name, prop := range pairs(get(schema, "properties")) {
		// The order of the contract is the order in which members are printed.
		order++
		set(prop, "x-order", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(order)})
		if v.goType(prop) {
			set(prop, "x-order", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(order)})
			continue
		}
		v.array(prop)
		if isAny(prop) {
			del(prop, "nullable")
		}
		required := get(schema, "required")
		optional := !contains(required, name)
		container := isContainer(d, prop)
		switch {
		case isTrue(prop, "nullable") && !isTrue(schema, "x-tristate"):
			// *T that prints nil as null. (Nullable and required would be
			// nullable.Nullable; only optional is a pointer.)
			del(prop, "nullable")
			if !optional {
				remove(required, name)
				set(prop, "x-omitempty", boolean(false))
			}
			if container {
				set(prop, "x-go-type-skip-optional-pointer", boolean(true))
			}
		case container && optional && !isTrue(prop, "nullable"):
			// Nil is absent, empty is printed: a caller can empty a list.
			set(prop, "x-go-type-skip-optional-pointer", boolean(true))
			set(prop, "x-omitempty", boolean(false))
			set(prop, "x-omitzero", boolean(true))
		}
	}
	if required := get(schema, "required"); required != nil && len(required.Content) == 0 {
		del(schema, "required")
	}
}

var arrayTypes = map[string]string{"ids": "wire.IDs", "strings": "wire.Strings", "tags": "wire.Tags"}

// array gives an array of a lenient format its Go type; the generator's type
// mapping knows scalars only.
func (v variant) array(schema *yaml.Node) {
	if str(schema, "type") != "array" {
		return
	}
	goType, ok := arrayTypes[str(schema, "format")]
	del(schema, "format")
	if ok && v.server {
		set(schema, "x-go-type", text(goType))
		set(schema, "x-go-type-skip-optional-pointer", boolean(true))
		set(schema, "x-go-type-import", wireImport())
	}
}

// isContainer tells whether the schema becomes a slice, a map or any, whose nil
// needs no pointer.
func isContainer(d *document, schema *yaml.Node) bool {
	for range 10 { // longer chains of references do not occur
		ref := str(schema, "$ref")
		if all := items(get(schema, "allOf")); ref == "" && len(all) == 1 {
			ref = str(all[0], "$ref")
		}
		if ref == "" || !strings.HasPrefix(ref, "#/components/schemas/") {
			break
		}
		schema = d.resolve(ref)
	}
	switch str(schema, "type") {
	case "array":
		return true
	case "object":
		return get(schema, "properties") == nil
	}
	return isAny(schema)
}
