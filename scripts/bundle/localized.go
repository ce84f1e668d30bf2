package main

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const helpCenter = "/api/v2/help_center/"

// localize adds to each path marked x-localized its twin with a language in it,
// which answers the same in that language. The twins are for readers of
// openapi.yaml alone: the server takes the language out of a path before it looks
// for the operation.
func (d *document) localize() {
	paths := get(d.root, "paths")
	for i := 0; i < len(paths.Content); i += 2 {
		path, item := paths.Content[i].Value, paths.Content[i+1]
		if !isTrue(item, "x-localized") {
			continue
		}
		del(item, "x-localized")
		twin, at := deepCopy(item), strings.Replace(path, helpCenter, helpCenter+"{locale}/", 1)
		set(twin, "x-twin", boolean(true))
		params := get(twin, "parameters")
		if params == nil {
			params = &yaml.Node{Kind: yaml.SequenceNode}
			set(twin, "parameters", params)
		}
		ref := mapping()
		ref.Style = yaml.FlowStyle
		set(ref, "$ref", text("#/components/parameters/HelpCenterLocaleParam"))
		params.Content = slices.Insert(params.Content, 0, ref)
		for key, op := range pairs(twin) {
			if slices.Contains(methods, key) {
				set(op, "operationId", text(str(op, "operationId")+"InLocale"))
			}
		}
		d.file["/paths/"+at] = d.file["/paths/"+path]
		paths.Content = slices.Insert(paths.Content, i+2, text(at), twin)
		i += 2
	}
}

// dropTwins leaves the twins out of what code is made from.
func (d *document) dropTwins() {
	paths := get(d.root, "paths")
	for i := len(paths.Content) - 2; i >= 0; i -= 2 {
		if isTrue(paths.Content[i+1], "x-twin") {
			paths.Content = slices.Delete(paths.Content, i, i+2)
		}
	}
}

func deepCopy(n *yaml.Node) *yaml.Node {
	c := *n
	c.Content = make([]*yaml.Node, len(n.Content))
	for i, child := range n.Content {
		c.Content[i] = deepCopy(child)
	}
	return &c
}
