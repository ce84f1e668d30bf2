package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/helpd/helpd/models"
)

// Parameters of a request to a webhook, in the place of a body: names and values,
// which are texts with placeholders.
type Parameters [][2]string

// notifyWebhook is a webhook's id and what it is sent: a text, or a list of names
// and values for requests without a body and for forms.
func notifyWebhook(env Env, raw json.RawMessage) (act, []Ref, error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || len(list) > 2 {
		return act{}, nil, errors.New("needs the id of a webhook and what to send it")
	}
	id, _ := scalar(list[0])
	w, ok := env.Config.Webhook(id)
	if !ok {
		return act{}, nil, fmt.Errorf("names a webhook %q that triggers and automations cannot use", shown(id))
	}
	e := Effect{Field: "notification_webhook", Text: id}
	if len(list) == 1 {
		list = append(list, json.RawMessage(`""`))
	}
	text, isText := scalar(list[1])
	var all [][]string
	bodyless := w.HTTPMethod == "GET" || w.HTTPMethod == "DELETE"
	switch {
	case isText && (!bodyless || strings.TrimSpace(text) == ""):
		e.Texts = []string{text}
		return act{do: simply(e).do, texts: e.Texts}, nil, nil
	case isText || w.RequestFormat != "form_encoded" && !bodyless:
		return act{}, nil, fmt.Errorf("sends a webhook with %s %s %s", w.HTTPMethod, w.RequestFormat,
			map[bool]string{true: `a list of names and values, as [["name","value"]]`, false: "a text"}[bodyless])
	case json.Unmarshal(list[1], &all) != nil:
		return act{}, nil, errors.New(`needs a text, or a list of names and values, as [["name","value"]]`)
	}
	var texts []string
	e.Parameters = Parameters{}
	for _, p := range all {
		if len(p) != 2 || p[0] == "" {
			return act{}, nil, errors.New("needs a name and a value for each parameter")
		}
		e.Parameters, texts = append(e.Parameters, [2]string(p)), append(texts, p[1])
	}
	return act{do: simply(e).do, texts: texts}, nil, nil
}

// Body is what a notification_webhook sends, as the rule has it.
func (e Effect) Body() string {
	if e.Parameters != nil {
		return string(models.ToJSON(e.Parameters))
	}
	return e.Texts[0]
}
