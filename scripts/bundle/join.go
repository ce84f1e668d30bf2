package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// document is the joined specification. The nodes keep the lines of their
// fragments; file tells which fragment the thing at a path came from.
type document struct {
	root *yaml.Node
	file map[string]string // "/paths/<path>" or "/components/<kind>/<name>" to file name
}

const sharedFile = "_shared.yaml"

// read joins the fragments of dir: _shared.yaml first, then by name; within a
// fragment the order is kept.
func read(dir string) (*document, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files) // '_' sorts before the lower-case letters
	doc := &document{root: mapping(), file: map[string]string{}}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var n yaml.Node
		if err := yaml.Unmarshal(b, &n); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if len(n.Content) == 0 {
			continue
		}
		if err := doc.add(filepath.Base(file), n.Content[0]); err != nil {
			return nil, err
		}
	}
	if get(doc.root, "paths") == nil {
		return nil, fmt.Errorf("%s: no fragment has paths", dir)
	}
	doc.localize()
	doc.expandErrors()
	return doc, doc.expandPaged()
}

func (d *document) add(file string, fragment *yaml.Node) error {
	for key, value := range pairs(fragment) {
		var err error
		switch {
		case key == "paths":
			err = d.merge(file, "/paths", child(d.root, "paths"), value)
		case key == "components":
			for kind, named := range pairs(value) {
				into := child(child(d.root, "components"), kind)
				if err = d.merge(file, "/components/"+kind, into, named); err != nil {
					break
				}
			}
		case file == sharedFile:
			set(d.root, key, value)
		default:
			err = fmt.Errorf("%s:%d: /%s: belongs in %s; a fragment has only paths and components", file, value.Line, key, sharedFile)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *document) merge(file, at string, into, from *yaml.Node) error {
	for name, value := range pairs(from) {
		path := at + "/" + name
		if other, ok := d.file[path]; ok {
			return fmt.Errorf("%s:%d: %s: is already in %s", file, value.Line, strings.Replace(path, "//", "/", 1), other)
		}
		d.file[path] = file
		set(into, name, value)
	}
	return nil
}

var pagingParams = []string{"PageParam", "PerPageParam", "PageSizeParam", "PageAfterParam", "PageBeforeParam"}

const pagingMembers = `
next_page: {type: string, nullable: true}
previous_page: {type: string, nullable: true}
count: {type: integer, format: int64}
meta: {$ref: '#/components/schemas/Meta'}
links: {$ref: '#/components/schemas/Links'}
`

// expandPaged gives operations and schemas marked x-paged what paging needs.
func (d *document) expandPaged() error {
	for _, op := range d.operations() {
		if !isTrue(op.node, "x-paged") {
			continue
		}
		params := get(op.node, "parameters")
		if params == nil {
			params = &yaml.Node{Kind: yaml.SequenceNode}
			set(op.node, "parameters", params)
		}
		for i, name := range pagingParams {
			ref := mapping()
			ref.Style = yaml.FlowStyle
			set(ref, "$ref", text("#/components/parameters/"+name))
			params.Content = slices.Insert(params.Content, i, ref)
		}
	}
	for name, schema := range pairs(d.components("schemas")) {
		if !isTrue(schema, "x-paged") {
			continue
		}
		props := get(schema, "properties")
		if props == nil {
			return fmt.Errorf("%s:%d: /components/schemas/%s: an x-paged schema lists its properties", d.file["/components/schemas/"+name], schema.Line, name)
		}
		var members yaml.Node
		if err := yaml.Unmarshal([]byte(pagingMembers), &members); err != nil {
			return err
		}
		for key, member := range pairs(members.Content[0]) {
			if get(props, key) == nil {
				set(props, key, member)
			}
		}
	}
	return nil
}

// expandErrors gives every operation the error answers that any of its kind may
// have, so that fragments name only their own (413, 422).
func (d *document) expandErrors() {
	for _, op := range d.operations() {
		codes := map[string]string{
			"400": "BadRequestResponse", "401": "UnauthorizedResponse",
			"403": "ForbiddenResponse", // also of what anybody may do, for the scope of a token
			"429": "TooManyRequestsResponse",
		}
		// The help center of a brand may be closed.
		if strings.Contains(op.path, "{") || strings.HasPrefix(op.path, "/api/v2/help_center/") {
			codes["404"] = "NotFoundResponse"
			if strings.HasPrefix(op.path, "/api/v2/guide/") {
				codes["404"] = "GuideNotFoundResponse"
			}
		}
		if op.method != "get" { // two writes may collide, and If-Match may not hold
			codes["409"] = "ConflictResponse"
		}
		responses := child(op.node, "responses")
		for _, code := range []string{"400", "401", "403", "404", "409", "429"} {
			name, due := codes[code]
			if !due || get(responses, code) != nil || get(d.components("responses"), name) == nil {
				continue
			}
			ref := mapping()
			ref.Style = yaml.FlowStyle
			set(ref, "$ref", text("#/components/responses/"+name))
			key := text(code)
			key.Style = yaml.DoubleQuotedStyle
			responses.Content = append(responses.Content, key, ref)
		}
	}
}

// allowNull says in words of the validators that {} includes null: OpenAPI has
// it so, but kin-openapi wants nullable.
func (d *document) allowNull() {
	for _, schema := range pairs(d.components("schemas")) {
		allowNull(schema)
	}
}

func allowNull(schema *yaml.Node) {
	if isAny(schema) {
		set(schema, "nullable", boolean(true))
	}
	for _, sub := range subschemas(schema) {
		allowNull(sub)
	}
}

// isAny tells whether a schema lets every value pass.
func isAny(schema *yaml.Node) bool {
	for _, key := range []string{"$ref", "type", "allOf", "anyOf", "oneOf", "not", "enum", "properties"} {
		if get(schema, key) != nil {
			return false
		}
	}
	return schema != nil && schema.Kind == yaml.MappingNode
}

func (d *document) components(kind string) *yaml.Node {
	return get(get(d.root, "components"), kind)
}

// resolve returns what '#/components/kind/name' refers to, or nil.
func (d *document) resolve(ref string) *yaml.Node {
	rest, ok := strings.CutPrefix(ref, "#/components/")
	if !ok {
		return nil
	}
	kind, name, _ := strings.Cut(rest, "/")
	return get(d.components(kind), name)
}

// operation is one method of one path.
type operation struct {
	method, path string
	file         string
	node, item   *yaml.Node // the operation and the path item around it
}

var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

func (d *document) operations() []operation {
	var out []operation
	for path, item := range pairs(get(d.root, "paths")) {
		for key, node := range pairs(item) {
			if slices.Contains(methods, key) {
				out = append(out, operation{key, path, d.file["/paths/"+path], node, item})
			}
		}
	}
	return out
}
