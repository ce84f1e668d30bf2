package api

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/server/fault"
)

// Error bodies that clients compare word for word, such as tap-zendesk when it looks for
// what it may read.
const (
	forbiddenText = "Access to this resource is restricted. Please contact the account administrator for assistance."
	badTokenText  = "The access token provided is expired, revoked, malformed or invalid for other reasons."
	outdatedText  = "Safe Update prevented the update due to outdated ticket data. Please fetch the latest ticket data and try again."
)

type errorBody struct {
	Error            any    `json:"error"`
	Description      string `json:"description,omitempty"`
	ErrorDescription string `json:"error_description,omitempty"`
	MaxCount         int    `json:"max_count,omitempty"`

	Details map[string][]errorDetail `json:"details,omitempty"`
}

type errorDetail struct {
	Description string `json:"description"`
	Error       string `json:"error,omitempty"`
}

var missing = errorBody{Error: "RecordNotFound", Description: "Not found"}

// titled is the form that errors about roles and attribute types have.
type titled struct {
	Title   string `json:"title"`
	Message string `json:"message"`
}

type errorList struct {
	Errors []errorItem `json:"errors"`
}

// missingBody tells in both ways that there is no record: clients look for
// RecordNotFound everywhere, and for the list with trigger categories.
type missingBody struct {
	errorBody
	errorList
}

type errorItem struct {
	Code  string `json:"code"`
	Title string `json:"title"`
}

// answer is what an error becomes on the wire.
type answer struct {
	status     int
	body       any
	retryAfter int // seconds; 0 for none
}

// errorHandler writes every error as JSON: faults as the contract says, what
// echo and the generated binding raise in the same form, and everything else as
// a bare 500 whose cause is logged and not told.
func errorHandler(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		ctx := c.Request().Context()
		a := answerOf(err)
		if a.status >= 500 && !errors.Is(err, context.Canceled) && !errors.Is(err, edge.ErrPanicked) {
			log.ErrorContext(ctx, "request failed", "method", c.Request().Method, "route", c.Path(), "status", a.status, "error", err)
		}
		if a.retryAfter > 0 {
			c.Response().Header().Set("Retry-After", strconv.Itoa(a.retryAfter))
		}
		// Headers that the handler meant for its success.
		c.Response().Header().Del("Location")
		if err := writeJSON(c.Response(), a.status, a.body); err != nil {
			log.InfoContext(ctx, "write error answer", "error", err)
		}
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) error {
	if body == nil {
		w.WriteHeader(status)
		return nil
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	return wire.NewEncoder(w).Encode(body)
}

// listed is an error of the operations on trigger categories and webhooks, which
// tell what is wrong as a list.
type listed struct {
	error
	missing bool // what is missing is told so, too
}

// Unwrap is the error itself.
func (e listed) Unwrap() error { return e.error }

// asList is err in that form; nil stays nil.
func asList(err error) error {
	if err == nil {
		return nil
	}
	return listed{error: err}
}

// allAsList is asList that also tells what is missing in that form.
func allAsList(err error) error {
	if err == nil {
		return nil
	}
	return listed{err, true}
}

// answer is the answer to what is wrong with a request, or missing; anything else
// has the form that it has everywhere.
func (e listed) answer() (answer, bool) {
	f := fault.Of(e.error)
	if f != nil && f.Kind == fault.NotFound && e.missing {
		return answer{status: 404, body: missingBody{missing, errorList{[]errorItem{{"RecordNotFound", f.Message}}}}}, true
	}
	if f == nil || f.Kind != fault.Invalid && f.Kind != fault.BadRequest {
		return answer{}, false
	}
	items := []errorItem{}
	for _, field := range slices.Sorted(maps.Keys(f.Details)) {
		for _, d := range f.Details[field] {
			items = append(items, errorItem{d.Code, d.Description})
		}
	}
	if f.Kind == fault.BadRequest {
		items = append(items, errorItem{cmp.Or(f.Code, "BadRequest"), f.Message})
	}
	return answer{status: 400, body: errorList{items}}, true
}

func answerOf(err error) answer {
	var list listed
	if errors.As(err, &list) {
		if a, ok := list.answer(); ok {
			return a
		}
	}
	var fields fieldErrors
	if errors.As(err, &fields) {
		if a, ok := fields.answer(); ok {
			return a
		}
	}
	if f := fault.Of(err); f != nil {
		return answerOfFault(f)
	}
	var field *wire.FieldError
	var syntax *wire.SyntaxError
	var httpErr *echo.HTTPError
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &field):
		return badAttribute(field.Field, field.Error())
	case errors.Is(err, wire.ErrNoBody):
		return answer{status: 400, body: errorBody{Error: "Unprocessable JSON", Description: "the request has no body"}}
	case errors.As(err, &syntax):
		return answer{status: 400, body: errorBody{Error: "Unprocessable JSON", Description: syntax.Error()}}
	case errors.As(err, &httpErr):
		return answerOfEcho(httpErr)
	case errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "55P03"):
		return answer{status: 409, body: errorBody{Error: "DatabaseConflict", Description: "Database collision"}}
	case errors.As(err, &pg) && pg.Code == "22021": // in a parameter or a header; bodies are checked before
		return answer{status: 400, body: errorBody{Error: "BadRequest", Description: "A text has a NUL character or is not UTF-8"}}
	case errors.Is(err, context.DeadlineExceeded):
		return answer{status: 503, body: errorBody{Error: "ServiceUnavailable", Description: "The server took too long"}, retryAfter: 5}
	}
	return answer{status: 500, body: errorBody{Error: "InternalServerError", Description: "An unexpected error occurred"}}
}

func answerOfFault(f *fault.Error) answer {
	text := f.Message
	switch f.Kind {
	case fault.Invalid:
		return answer{status: 422, body: invalidBody(f)}
	case fault.NotFound:
		return answer{status: 404, body: missing}
	case fault.Forbidden:
		return answer{status: 403, body: errorBody{Error: titled{"Forbidden", forbiddenText}}}
	case fault.Unauthenticated:
		return answer{status: 401, body: errorBody{Error: "Couldn't authenticate you"}}
	case fault.NoAccount:
		return answer{status: 401, body: errorBody{Error: "Couldn't authenticate you", Description: text}}
	case fault.BadToken:
		return answer{status: 401, body: errorBody{Error: "invalid_token", ErrorDescription: badTokenText}}
	case fault.MissingScope:
		return answer{status: 403, body: errorBody{Error: "Forbidden", Description: "Missing the following required scopes: " + text}}
	case fault.BadAttribute:
		return badAttribute(f.Field, text)
	case fault.BadPage:
		return answer{status: 400, body: errorBody{Error: "InvalidPaginationParameter", Description: text}}
	case fault.BadCursor:
		return answer{status: 400, body: errorList{[]errorItem{{"InvalidPaginationParameter", text}}}}
	case fault.TooMany:
		return answer{status: 400, body: errorBody{Error: "TooManyValues", Description: text, MaxCount: f.Max}}
	case fault.BadLink:
		return answer{status: 403, body: errorBody{Error: "InvalidLink", Description: text}}
	case fault.KeyReused:
		return answer{status: 400, body: errorBody{Error: "IdempotentRequestError", Description: text}}
	case fault.Outdated:
		return answer{status: 409, body: errorBody{Error: "UpdateConflict", Description: outdatedText}}
	case fault.Busy:
		return answer{status: 409, body: errorBody{Error: "DatabaseConflict", Description: "Database collision"}}
	case fault.TooLarge:
		return answer{status: 413, body: errorBody{Error: "RequestEntityTooLarge", Description: text}}
	case fault.BadQuery:
		return answer{status: 422, body: errorBody{Error: "invalid", Description: text}}
	case fault.RateLimited:
		return answer{429, errorBody{Error: "APIRateLimitExceeded", Description: "Number of allowed API requests per minute exceeded"}, seconds(f)}
	case fault.TooManyJobs:
		return answer{429, errorBody{Error: "TooManyJobs", Description: "Too many jobs are currently queued or running. Try again later."}, max(seconds(f), 5)}
	case fault.Overloaded:
		return answer{503, errorBody{Error: "ServiceUnavailable", Description: "The server is busy. Try again later."}, seconds(f)}
	case fault.Unavailable:
		return answer{503, errorBody{Error: "unavailable", Description: text}, seconds(f)}
	case fault.NoSuchOperation:
		return answer{status: 404, body: errorBody{Error: "InvalidEndpoint", Description: "Not found"}}
	}
	return answer{status: 400, body: errorBody{Error: cmp.Or(f.Code, "BadRequest"), Description: text}}
}

func invalidBody(f *fault.Error) errorBody {
	details := make(map[string][]errorDetail, len(f.Details))
	for field, list := range f.Details {
		for _, d := range list {
			details[field] = append(details[field], errorDetail{d.Description, d.Code})
		}
	}
	return errorBody{Error: "RecordInvalid", Description: "Record validation errors", Details: details}
}

// badAttribute is the answer to a value of the wrong type, with the member's
// path in it: ticket.assignee_id.
func badAttribute(field, text string) answer {
	value := "value for the " + field + " attribute"
	if field == "" { // the body itself
		value = "request body"
	}
	return answer{status: 400, body: errorBody{Error: titled{
		"Invalid attribute", "You passed an invalid " + value + ". Invalid parameter: " + text,
	}}}
}

// wrongWith is what is wrong with a parameter: the words of api/wire at the end
// of what the generated binding says of it, or that it is not there.
func wrongWith(text string) string {
	if i := strings.LastIndex(text, ": "); i >= 0 && strings.HasPrefix(text[i+2:], "is ") {
		return text[i+2:]
	}
	if strings.HasSuffix(text, " is required") {
		return "is missing"
	}
	return "is not of the type it must be"
}

func answerOfEcho(e *echo.HTTPError) answer {
	text, _ := e.Message.(string)
	switch e.Code {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return answerOfFault(fault.New(fault.NoSuchOperation, ""))
	case http.StatusRequestEntityTooLarge:
		return answerOfFault(fault.New(fault.TooLarge, "The request body is too large"))
	case http.StatusBadRequest:
		// The generated binding of path and query parameters, whose text names
		// Go types behind the parameter.
		if name, ok := strings.CutPrefix(text, "Invalid format for parameter "); ok {
			name, _, _ = strings.Cut(name, ":")
			return badAttribute(name, name+" "+wrongWith(text))
		}
		return answer{status: 400, body: errorBody{Error: "BadRequest", Description: text}}
	}
	if e.Code >= 400 && e.Code < 500 {
		return answer{status: e.Code, body: errorBody{Error: http.StatusText(e.Code), Description: text}}
	}
	return answer{status: 500, body: errorBody{Error: "InternalServerError", Description: "An unexpected error occurred"}}
}

func seconds(f *fault.Error) int {
	return max(1, int(math.Ceil(f.RetryAfter.Seconds())))
}
