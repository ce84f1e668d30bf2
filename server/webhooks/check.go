package webhooks

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"golang.org/x/net/http/httpguts"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
)

// Limits.
const (
	maxName        = 255   // characters
	maxDescription = 2_000 // characters
	maxHeaders     = 5
	maxHeaderName  = 128 // bytes
	maxHeaderValue = 4_096
	maxSources     = 100
	maxSource      = 255 // characters
)

// Code is that of what is wrong with a webhook (contract webhooks.md §3).
const Code = "InvalidWebhook"

var (
	methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}
	formats = []string{"json", "xml", "form_encoded"}
)

// invalid says what is wrong with a member of a webhook.
func invalid(field, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if field == "base" {
		field = "webhook"
	}
	return &fault.Error{Kind: fault.Invalid, Details: map[string][]fault.Detail{field: {{Description: fault.Title(field) + ": " + text, Code: Code}}}}
}

// check holds a webhook against what all must be. first is what is wrong with it
// already.
func (s *Service) check(w *models.Webhook, first error) error {
	errs := []error{first, text("name", w.Name, maxName), oneOf("status", w.Status, models.WebhookActive, models.WebhookInactive),
		oneOf("http_method", w.HTTPMethod, methods...), oneOf("request_format", w.RequestFormat, formats...)}
	if w.Description != nil && utf8.RuneCountInString(*w.Description) > maxDescription {
		errs = append(errs, invalid("description", "is longer than %d characters", maxDescription))
	}
	if err := s.guard.check(w.Endpoint); err != nil {
		errs = append(errs, invalid("endpoint", "%v", err))
	}
	errs = append(errs, checkSubscriptions(w), checkHeaders(HeadersOf(w)))
	if len(w.ExcludedSources) > maxSources {
		errs = append(errs, invalid("excluded_sources", "are more than %d", maxSources))
	}
	for _, source := range w.ExcludedSources {
		if source == "" || utf8.RuneCountInString(source) > maxSource {
			errs = append(errs, invalid("excluded_sources", "need 1 to %d characters each", maxSource))
			break
		}
	}
	return fault.Join(errs...)
}

func text(field, value string, most int) error {
	switch {
	case value == "":
		return invalid(field, "cannot be blank")
	case utf8.RuneCountInString(value) > most:
		return invalid(field, "is longer than %d characters", most)
	}
	return nil
}

func oneOf(field, value string, words ...string) error {
	switch {
	case value == "":
		return invalid(field, "cannot be blank")
	case !slices.Contains(words, value):
		return invalid(field, "cannot be %s (%s)", short(value), strings.Join(words, ", "))
	}
	return nil
}

// short is a text of a caller's as errors repeat it.
func short(text string) string {
	if r := []rune(text); len(r) > 80 {
		text = string(r[:80]) + "…"
	}
	return fmt.Sprintf("%q", text)
}

func checkSubscriptions(w *models.Webhook) error {
	kind := KindOf(w.Subscriptions)
	for _, name := range w.Subscriptions {
		rules := name == models.ConditionalEvents
		switch {
		case !rules && !events.IsType(name):
			return invalid("subscriptions", "%s is no type of events", short(name))
		case rules != (kind == ByRules):
			return invalid("subscriptions", "cannot have both %s and types of events", models.ConditionalEvents)
		}
	}
	if kind != ByEvents {
		return nil
	}
	var errs []error
	if w.HTTPMethod != "POST" {
		errs = append(errs, invalid("http_method", "must be POST for events"))
	}
	if w.RequestFormat != "json" {
		errs = append(errs, invalid("request_format", "must be json for events"))
	}
	if _, rest := splitEndpoint(w.Endpoint); strings.Contains(rest, "{{") || strings.Contains(rest, "{%") {
		errs = append(errs, invalid("endpoint", "cannot have placeholders, which are for triggers and automations"))
	}
	return fault.Join(errs...)
}

// reserved are headers that helpd sets, or that say how a request is to be read.
var reserved = []string{
	"accept-encoding", "authorization", "connection", "content-encoding", "content-length", "content-type", "expect", "host", "keep-alive",
	"te", "trailer", "transfer-encoding", "upgrade", "user-agent", "http2-settings",
}

var reservedBeginnings = []string{"proxy-", "x-zendesk-", "webhook-", ":"}

// headerName tells why a header cannot be set; nil: it can.
func headerName(name string) error {
	low := strings.ToLower(name)
	switch {
	case len(name) > maxHeaderName || !httpguts.ValidHeaderFieldName(name):
		return fmt.Errorf("%s is no name of a header", short(name))
	case slices.Contains(reserved, low) || slices.ContainsFunc(reservedBeginnings, func(b string) bool { return strings.HasPrefix(low, b) }):
		return fmt.Errorf("%s is reserved", name)
	}
	return nil
}

func headerValue(name, value string) error {
	if len(value) > maxHeaderValue || !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("%s cannot have this value", name)
	}
	return nil
}

func checkHeaders(headers map[string]string) error {
	if len(headers) > maxHeaders {
		return invalid("custom_headers", "are more than %d", maxHeaders)
	}
	var seen []string
	for _, name := range sortedNames(headers) {
		err := headerName(name)
		if err == nil {
			err = headerValue(name, headers[name])
		}
		if err == nil && slices.Contains(seen, strings.ToLower(name)) {
			err = fmt.Errorf("%s is there twice", name)
		}
		if err != nil {
			return invalid("custom_headers", "%v", err)
		}
		seen = append(seen, strings.ToLower(name))
	}
	return nil
}

// applyAuthentication gives a webhook credentials. Clients send back what they
// read, which has no secrets: those that are left out stay, if the rest does.
func applyAuthentication(w *models.Webhook, given nullable.Nullable[Authentication]) error {
	if !given.IsSpecified() {
		return nil
	}
	a, err := given.Get()
	if err != nil { // null
		w.AuthType, w.AuthData = nil, nil
		return nil
	}
	var had Credentials
	if w.AuthType != nil && *w.AuthType == a.Type {
		had = CredentialsOf(w)
	}
	c, err := credentials(a, had)
	if err != nil {
		return invalid("authentication", "%v", err)
	}
	w.AuthType, w.AuthData = &a.Type, models.ToJSON(c)
	return nil
}

func credentials(a Authentication, had Credentials) (c Credentials, err error) {
	if a.Position != "" && a.Position != "header" {
		return c, fmt.Errorf("add_position cannot be %s (header)", short(a.Position))
	}
	missing := func(text *string) bool { return text == nil || *text == "" }
	same := func(now, then *string) bool { return then != nil && (now == nil || *now == *then) }
	switch a.Type {
	case models.AuthBasic:
		c = Credentials{Username: a.Username, Password: a.Password}
		if c.Password == nil && same(c.Username, had.Username) {
			c = had
		}
		if missing(c.Username) || missing(c.Password) {
			return c, fmt.Errorf("basic_auth needs a username and a password")
		}
		if strings.Contains(*c.Username, ":") {
			return c, fmt.Errorf("username cannot have a colon")
		}
	case models.AuthBearer:
		if c.Token = a.Token; c.Token == nil {
			c.Token = had.Token
		}
		if missing(c.Token) {
			return c, fmt.Errorf("bearer_token needs a token")
		}
	case models.AuthAPIKey:
		c = Credentials{Name: a.Name, Value: a.Value}
		if c.Value == nil && same(c.Name, had.Name) {
			c = had
		}
		if missing(c.Name) || missing(c.Value) {
			return c, fmt.Errorf("api_key needs a name and a value")
		}
		if err := headerName(*c.Name); err != nil && !strings.EqualFold(*c.Name, "Authorization") {
			return c, err
		}
	default:
		return c, fmt.Errorf("type cannot be %s (%s, %s, %s)", short(a.Type), models.AuthBasic, models.AuthBearer, models.AuthAPIKey)
	}
	for name, text := range map[string]*string{"username": c.Username, "password": c.Password, "token": c.Token, "value": c.Value} {
		if text != nil {
			if err := headerValue(name, *text); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

// CredentialsOf are those of a webhook, with their secrets.
func CredentialsOf(w *models.Webhook) (c Credentials) {
	decode(w.AuthData, &c)
	return c
}

// decode reads what the program has written.
func decode(from models.JSON, into any) {
	if from == nil {
		return
	}
	if err := json.Unmarshal(from, into); err != nil {
		panic(fmt.Sprintf("decode %T: %v", into, err))
	}
}
