package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An area that is in order; each case below spoils one thing of it.
const things = `
paths:
  /api/v2/things/{thing_id}:
    parameters: [{$ref: '#/components/parameters/ThingIdParam'}]
    put:
      tags: [Things]
      operationId: UpdateThing
      summary: Changes a thing.
      x-allow: agent
      x-refuse: [groups]
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/ThingBody'}}}}
      responses:
        "200": {description: The thing., content: {application/json: {schema: {$ref: '#/components/schemas/ThingEnvelope'}}}}
        "404": {$ref: '#/components/responses/NotFoundResponse'}
  /api/v2/things:
    get:
      tags: [Things]
      operationId: ListThings
      summary: Lists things.
      x-allow: anonymous
      x-paged: true
      parameters:
        - {$ref: '#/components/parameters/SortParam'}
        - {name: color, in: query, schema: {$ref: '#/components/schemas/Color'}}
      responses:
        "200": {description: The things., content: {application/json: {schema: {$ref: '#/components/schemas/ThingList'}}}}
components:
  parameters:
    ThingIdParam: {name: thing_id, in: path, required: true, schema: {type: integer, format: id}}
  schemas:
    Color: {type: string, enum: [red, green]}
    Thing:
      type: object
      required: [id, color, tags, value]
      properties:
        id: {type: integer, format: int64}
        color: {type: string, nullable: true, allOf: [{$ref: '#/components/schemas/Color'}]}
        tags: {type: array, items: {type: string}}
        more: {type: array, items: {type: string}}
        value: {}
    ThingInput:
      x-tristate: true
      type: object
      properties:
        color: {type: string, nullable: true, allOf: [{$ref: '#/components/schemas/Color'}]}
        tags: {type: array, format: tags, items: {type: string}}
        part: {$ref: '#/components/schemas/PartInput'}
    PartInput: {x-tristate: true, type: object, properties: {name: {type: string}}}
    ThingBody: {type: object, required: [thing], properties: {thing: {$ref: '#/components/schemas/ThingInput'}}}
    ThingEnvelope: {type: object, required: [thing], properties: {thing: {$ref: '#/components/schemas/Thing'}}}
    ThingList:
      x-tristate: true
      x-paged: true
      type: object
      required: [things]
      properties: {things: {type: array, items: {$ref: '#/components/schemas/Thing'}}}
`

// bundle runs the program on the real _shared.yaml and the given fragments, and
// returns the files written.
func bundle(t *testing.T, fragments map[string]string) (map[string]string, error) {
	t.Helper()
	dir := t.TempDir()
	shared, err := os.ReadFile("../../api/spec/" + sharedFile)
	if err != nil {
		t.Fatal(err)
	}
	spec := filepath.Join(dir, "spec")
	if err := os.Mkdir(spec, 0o755); err != nil {
		t.Fatal(err)
	}
	fragments[sharedFile] = string(shared)
	for name, text := range fragments {
		if err := os.WriteFile(filepath.Join(spec, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := run(spec, at("openapi"), at("roles"), at("embed"), at("server"), at("client")); err != nil {
		return nil, err
	}
	written := map[string]string{}
	for _, name := range []string{"openapi", "roles", "server", "client"} {
		b, err := os.ReadFile(at(name))
		if err != nil {
			t.Fatal(err)
		}
		written[name] = string(b)
	}
	return written, nil
}

func TestJoins(t *testing.T) {
	t.Parallel()
	first, err := bundle(t, map[string]string{"things.yaml": things})
	if err != nil {
		t.Fatal(err)
	}
	second, err := bundle(t, map[string]string{"things.yaml": things})
	if err != nil {
		t.Fatal(err)
	}
	for name := range first {
		if first[name] != second[name] {
			t.Errorf("%s comes out differently the second time", name)
		}
	}
	for name, wants := range map[string][]string{
		"openapi": {"next_page: {type: string, nullable: true}", "parameters/PageSizeParam", "value: {nullable: true}"},
		"roles": {
			`{"UpdateThing", "PUT", "/api/v2/things/{thing_id}", "agent", "things", []string{"groups"}}`,
			`{"ListThings", "GET", "/api/v2/things", "anonymous", "things", nil}`,
			`"ListThings":  "anonymous"`,
		},
		"client": {"parameters/PageSizeParam", "parameters/SortParam", "name: color"},
		"server": {"name: color", "x-go-type: wire.Tags", "required: [id, tags, value]", "more: {type: array, items: {type: string}, x-order: 4, x-go-type-skip-optional-pointer: true, x-omitempty: false, x-omitzero: true}"},
	} {
		for _, want := range wants {
			if !strings.Contains(first[name], want) {
				t.Errorf("%s lacks %s:\n%s", name, want, first[name])
			}
		}
	}
	for name, unwanted := range map[string][]string{
		"server": {"$ref: '#/components/parameters/PageSizeParam'", "$ref: '#/components/responses/NotFoundResponse'"},
		"client": {"x-go-type: wire", "$ref: '#/components/responses/NotFoundResponse'"},
	} {
		for _, s := range unwanted {
			if strings.Contains(first[name], s) {
				t.Errorf("%s has %s", name, s)
			}
		}
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, old, new, want string }{
		{"no operationId", "      operationId: UpdateThing\n", "", "things.yaml:6: /paths/api/v2/things/{thing_id}/put: has no operationId"},
		{"two of an operationId", "operationId: ListThings", "operationId: UpdateThing", "operationId UpdateThing is also that of put"},
		{"operationId not in CamelCase", "operationId: ListThings", "operationId: list_things", "operationId list_things is not"},
		{"no tags", "      tags: [Things]\n      operationId: ListThings", "      operationId: ListThings", "has no tags"},
		{"no summary", "      summary: Lists things.\n", "", "has no summary"},
		{"no role", "      x-allow: anonymous\n", "", `x-allow is ""`},
		{"unknown role", "x-allow: anonymous", "x-allow: everyone", `x-allow is "everyone"`},
		{"unknown restriction", "x-refuse: [groups]", "x-refuse: [groups, colors]", `x-refuse has "colors"`},
		{"suffix in a path", "/api/v2/things:", "/api/v2/things.json:", "without .json"},
		{"inline error", `"404": {$ref: '#/components/responses/NotFoundResponse'}`, `"404": {description: Gone.}`, "must be a $ref to a Response"},
		{"no success", `"200": {description: The things., content: {application/json: {schema: {$ref: '#/components/schemas/ThingList'}}}}`, `"404": {$ref: '#/components/responses/NotFoundResponse'}`, "has no 2xx or 3xx response"},
		{"response without an envelope", `schema: {$ref: '#/components/schemas/ThingList'}`, `schema: {$ref: '#/components/schemas/Thing'}`, "ends in Envelope or List"},
		{"inline response", `schema: {$ref: '#/components/schemas/ThingList'}`, `schema: {type: array, items: {type: string}}`, "ends in Envelope or List"},
		{"request that is not a Body", "schema: {$ref: '#/components/schemas/ThingBody'}", "schema: {$ref: '#/components/schemas/ThingInput'}", "ends in Body"},
		{"parameter's name", "ThingIdParam", "ThingId", "/components/parameters/ThingId: the name must end in Param"},
		{"schema's name", "Color", "color_name", "name it as a Go type"},
		{"schema named as a parameter", "Color", "ColorParam", "must not end in Param"},
		{"Input without x-tristate", "PartInput: {x-tristate: true, type", "PartInput: {type", "things.yaml:48: /components/schemas/PartInput: an Input must have x-tristate: true"},
		{"request part without Input", "PartInput", "Part", "its name must end in Input"},
		{"oneOf in a request", "thing: {$ref: '#/components/schemas/ThingInput'}", "thing: {oneOf: [{$ref: '#/components/schemas/ThingInput'}]}", "a request body has no oneOf"},
		{"nullable without type", "color: {type: string, nullable: true,", "color: {nullable: true,", "nullable: true needs a type"},
		{"nullable named schema", "Color: {type: string,", "Color: {type: string, nullable: true,", "a named schema is not nullable"},
		{"nullable and not required", "required: [id, color, tags, value]", "required: [id, tags, value]", "/components/schemas/Thing/properties/color: a nullable member must be required"},
		{"required and unknown", "required: [id, color,", "required: [id, colour, color,", "requires colour"},
		{"dangling reference", "items: {$ref: '#/components/schemas/Thing'}", "items: {$ref: '#/components/schemas/Thinh'}", "there is no #/components/schemas/Thinh"},
		{"dangling parameter", "parameters/SortParam", "parameters/SoartParam", "there is no #/components/parameters/SoartParam"},
		{"members beside a reference", "part: {$ref: '#/components/schemas/PartInput'}", "part: {$ref: '#/components/schemas/PartInput', nullable: true}", "members beside a $ref"},
		{"inline object", "more: {type: array, items: {type: string}}", "more: {type: object, properties: {a: {type: string}}}", "must be a named schema"},
		{"inline enum", "more: {type: array, items: {type: string}}", "more: {type: array, items: {type: string, enum: [a]}}", "more/items: an object or enum inside another schema"},
		{"paged list without x-tristate", "ThingList:\n      x-tristate: true", "ThingList:", "an x-paged list must be x-tristate"},
		{"something of the whole", "paths:", "info: {title: x}\npaths:", "things.yaml:2: /info: belongs in _shared.yaml"},
		{"a name of _shared.yaml", "Color:", "Count:", "/components/schemas/Count: is already in _shared.yaml"},
		{"what OpenAPI refuses", "in: path, required: true", "in: path", "the joined document is not valid OpenAPI"},
		{"what YAML refuses", "paths:", "paths: [", "things.yaml: yaml:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			spoiled := strings.ReplaceAll(things, tc.old, tc.new)
			if spoiled == things {
				t.Fatalf("%q does not occur", tc.old)
			}
			_, err := bundle(t, map[string]string{"things.yaml": spoiled})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v; want %s", err, tc.want)
			}
		})
	}
}

func TestRefusesTwoFragmentsOfOnePath(t *testing.T) {
	t.Parallel()
	_, err := bundle(t, map[string]string{"a.yaml": things, "b.yaml": things})
	if err == nil || !strings.Contains(err.Error(), "b.yaml:4: /paths/api/v2/things/{thing_id}: is already in a.yaml") {
		t.Errorf("got %v", err)
	}
}
