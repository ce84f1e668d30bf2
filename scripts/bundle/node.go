package main

import (
	"iter"

	"gopkg.in/yaml.v3"
)

// What follows reads and changes YAML mappings in place, keeping their order
// and comments. A nil node is an empty one.

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func boolean(b bool) *yaml.Node {
	if b {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "false"}
}

func pairs(m *yaml.Node) iter.Seq2[string, *yaml.Node] {
	return func(yield func(string, *yaml.Node) bool) {
		if m == nil || m.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(m.Content); i += 2 {
			if !yield(m.Content[i].Value, m.Content[i+1]) {
				return
			}
		}
	}
}

func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

func get(m *yaml.Node, key string) *yaml.Node {
	for k, v := range pairs(m) {
		if k == key {
			return v
		}
	}
	return nil
}

func str(m *yaml.Node, key string) string {
	if v := get(m, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

func isTrue(m *yaml.Node, key string) bool { return str(m, key) == "true" }

func set(m *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			m.Content[i+1] = value
			return
		}
	}
	m.Content = append(m.Content, text(key), value)
}

func del(m *yaml.Node, key string) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			m.Content = append(m.Content[:i], m.Content[i+2:]...)
			return
		}
	}
}

// child returns the mapping at key, made if there is none.
func child(m *yaml.Node, key string) *yaml.Node {
	c := get(m, key)
	if c == nil {
		c = mapping()
		set(m, key, c)
	}
	return c
}

// contains tells whether the sequence holds the scalar s.
func contains(seq *yaml.Node, s string) bool {
	for _, n := range items(seq) {
		if n.Value == s {
			return true
		}
	}
	return false
}

func remove(seq *yaml.Node, s string) {
	for i, n := range items(seq) {
		if n.Value == s {
			seq.Content = append(seq.Content[:i], seq.Content[i+1:]...)
			return
		}
	}
}
