package rules

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// texts are the values of a condition or an action as texts: numbers and bools
// as JSON writes them, null as "". False: it is an object, or a list of lists.
func texts(raw json.RawMessage) (list []string, ok bool) {
	if len(raw) == 0 {
		return []string{""}, true
	}
	var items []json.RawMessage
	if raw[0] != '[' {
		items = []json.RawMessage{raw}
	} else if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	for _, item := range items {
		text, ok := scalar(item)
		if !ok {
			return nil, false
		}
		list = append(list, text)
	}
	return list, true
}

func scalar(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
		return "", true
	case raw[0] == '{' || raw[0] == '[':
		return "", false
	case raw[0] == '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err == nil && !strings.ContainsRune(text, 0)
	}
	return string(raw), true
}

// one is a value that is a single text.
func one(raw json.RawMessage) (string, error) {
	list, ok := texts(raw)
	if !ok || len(list) != 1 {
		return "", fmt.Errorf("needs a single value")
	}
	return list[0], nil
}

// id is a positive number; 0 and false for what is none.
func id(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil && n > 0
}

// plain is a custom field's value as text: of a list the JSON itself.
func plain(raw json.RawMessage) string {
	text, ok := scalar(raw)
	if !ok {
		return string(raw)
	}
	return text
}

// chosen are the options in a custom field's value.
func chosen(raw json.RawMessage) []string {
	if len(raw) == 0 {
		return nil
	}
	list, _ := texts(raw)
	return list
}
