package webhooks

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/liquid"
	"github.com/helpd/helpd/server/placeholders"
)

// payloadFormats are how values are written into payloads.
var payloadFormats = map[string]liquid.Format{"json": liquid.JSON, "xml": liquid.XML, "form_encoded": liquid.Text}

// Called is the delivery that a rule asks of a webhook, with what its texts mean
// for the ticket of c, which must have been loaded: a body, or parameters. One
// whose texts fail, or make no JSON where that is due, is not sent and says why;
// one to a webhook that is not active is kept to be sent by hand.
func Called(w *models.Webhook, body []string, params [][2]string, c placeholders.Context, now time.Time) models.WebhookInvocation {
	payload, endpoint, err := rendered(w, body, params, c)
	row := newInvocation(w.AccountID, w.ID, payload, now)
	if endpoint != w.Endpoint {
		row.Endpoint = &endpoint
	}
	switch {
	case err != nil:
		Reject(&row, err.Error(), now)
	case w.Status != models.WebhookActive && row.NextAt != nil:
		row.Status, row.NextAt = StatusInactive, nil
	}
	return row
}

func rendered(w *models.Webhook, body []string, params [][2]string, c placeholders.Context) (payload, endpoint string, err error) {
	place, rest := splitEndpoint(w.Endpoint)
	rest, err = placeholders.TryRender(rest, liquid.URL, c)
	endpoint = place + rest
	if err != nil {
		return "", endpoint, fmt.Errorf("the endpoint %w", err)
	}
	if _, err := url.Parse(endpoint); err != nil {
		return "", endpoint, errors.New("the endpoint with its placeholders is no URL")
	}
	if params != nil {
		values := make([][2]string, len(params))
		for i, p := range params {
			value, wrong := placeholders.TryRender(p[1], liquid.Text, c)
			values[i] = [2]string{p[0], value}
			if wrong != nil && err == nil {
				err = fmt.Errorf("the parameter %s %w", p[0], wrong)
			}
		}
		if bodyless(w.HTTPMethod) {
			return "", withQuery(endpoint, values), err
		}
		return encoded(values), endpoint, err
	}
	text := strings.Join(body, "")
	payload, err = placeholders.TryRender(text, payloadFormats[w.RequestFormat], c)
	switch {
	case err != nil:
		return payload, endpoint, fmt.Errorf("the payload %w", err)
	case w.RequestFormat == "json" && payload != "" && !json.Valid([]byte(payload)):
		return payload, endpoint, errors.New("the payload is no JSON" + whereBroken(payload))
	}
	return payload, endpoint, nil
}

// whereBroken is where a text stops to be JSON.
func whereBroken(payload string) string {
	var into any
	var wrong *json.SyntaxError
	if err := json.Unmarshal([]byte(payload), &into); errors.As(err, &wrong) {
		at := min(int(wrong.Offset), len(payload))
		return fmt.Sprintf(": byte %d, after %s", wrong.Offset, short(strings.ToValidUTF8(payload[max(0, at-40):at], "")))
	}
	return ""
}
