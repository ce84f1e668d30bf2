// Command bundle joins the fragments of api/spec into openapi.yaml and checks
// them. Usually scripts/generate runs it, from the root of the repository:
//
//	go run ./scripts/bundle [-server FILE] [-client FILE]
//
// # Writing a fragment
//
// A fragment is api/spec/<area>.yaml with paths and components; its references
// are those of the joined file ('#/components/...'), so that it may use what
// other areas define. groups.yaml is the one to copy. What bundle refuses, it
// says with file, line and path; lint.go has the rules. Beyond OpenAPI:
//
//   - x-allow, on each operation: the least role that may call it, one of
//     anonymous, end-user, agent, admin. It becomes gen.Allow.
//   - x-refuse: [groups], on an operation: the restrictions to tickets (groups,
//     organization, assigned) of agents who may not call it all the same. It
//     becomes Operation.Refuse.
//   - x-server-go-type: wire.Raw, on a schema or property: the Go type that the
//     server's code has for it (the client's has the plain one).
//   - x-paged: true, on an operation: it gets the parameters of both ways of
//     paging; on a list schema: it gets next_page, previous_page, count, meta
//     and links, all optional.
//   - x-tristate: true, on a schema: null and absent differ. A nullable member
//     becomes nullable.Nullable[T]. Required on every ...Input; on a response it
//     says that a nullable member may be absent. Without it a nullable member
//     must be required, becomes *T, and prints null.
//   - x-localized: true, on a path of the help center: it has a twin with a
//     language behind /help_center (localized.go).
//   - x-shared: true, on a parameter: our code reads it from the URL in one
//     place, so the server's generated code does not have it.
//
// Formats for requests, read leniently by api/wire: integer "id" (wire.ID) and
// "integer" (wire.Int), boolean "flag" (wire.Flag), string "text" (wire.Text),
// array "ids" (wire.IDs), "strings" (wire.Strings), "tags" (wire.Tags).
// Responses use int64, boolean and string as they are: style.md's int64 and not
// wire.ID. "date-time" is wire.Time in both. A query parameter of format ids has
// explode: false; ids[]=1 is folded into it (wire.FoldLists).
//
// An optional list or map is left out when nil and printed when empty.
//
// A body of any content type, as raw bytes, is
//
//	requestBody: {required: true, content: {'*/*': {schema: {type: string, format: binary}}}}
//
// which gives the handler Body (an io.Reader) and ContentType.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/getkin/kin-openapi/openapi3"
	"gopkg.in/yaml.v3"
)

func main() {
	dir := flag.String("spec", "api/spec", "the folder of the fragments")
	out := flag.String("out", "openapi.yaml", "where to write the joined document")
	roles := flag.String("roles", "gen/roles.gen.go", "where to write the roles of the operations")
	embed := flag.String("embed", "gen", "the folder to write what the program embeds of the document to")
	server := flag.String("server", "", "where to write the document that oapi-codegen makes the server from, if anywhere")
	client := flag.String("client", "", "the same for the client")
	flag.Parse()
	if err := run(*dir, *out, *roles, *embed, *server, *client); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(dir, out, roles, embed, server, client string) error {
	doc, err := read(dir)
	if err != nil {
		return err
	}
	if problems := lint(doc); len(problems) > 0 {
		return errors.Join(problems...)
	}
	doc.allowNull()
	joined, err := encode(doc.root)
	if err != nil {
		return err
	}
	if err := validate(joined); err != nil {
		return fmt.Errorf("the joined document is not valid OpenAPI 3.0: %w", err)
	}
	rolesFile, err := rolesSource(doc)
	if err != nil {
		return err
	}
	if err := write(out, append([]byte(header), joined...)); err != nil {
		return err
	}
	if err := writeEmbedded(embed, joined); err != nil {
		return err
	}
	if err := write(roles, rolesFile); err != nil {
		return err
	}
	for file, v := range map[string]variant{server: serverVariant, client: clientVariant} {
		if file == "" {
			continue
		}
		b, err := v.of(joined)
		if err != nil {
			return err
		}
		if err := write(file, b); err != nil {
			return err
		}
	}
	return nil
}

const header = "# Joined from api/spec by scripts/generate. DO NOT EDIT.\n"

// write leaves a file that would not change alone, so that nothing is rebuilt
// because of its time.
func write(file string, b []byte) error {
	if old, err := os.ReadFile(file); err == nil && bytes.Equal(old, b) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, b, 0o644)
}

func validate(joined []byte) error {
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromData(joined)
	if err != nil {
		return err
	}
	// The formats of api/wire are unknown to the validator, and bounds of
	// examples are checked where the examples are used: in tests.
	return doc.Validate(loader.Context, openapi3.DisableExamplesValidation())
}

func encode(n *yaml.Node) ([]byte, error) {
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return nil, err
	}
	return buf.Bytes(), enc.Close()
}
