package api

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/events"
	"github.com/helpd/helpd/server/fault"
)

const (
	defaultEvents = 100
	maxEvents     = 1_000
	// heartbeat is how long a stream is silent at most: proxies cut connections
	// that say nothing for half a minute.
	heartbeat = 15 * time.Second
	// mostFilters is how many values a filter has.
	mostFilters = 100
)

type eventHandlers struct {
	log *events.Log
	who authenticator
}

func (h eventHandlers) ListEvents(ctx context.Context, _ gen.ListEventsRequestObject) (gen.ListEventsResponseObject, error) {
	by, q := auth.From(ctx), callOf(ctx).query
	f, err := eventFilter(q)
	if err != nil {
		return nil, err
	}
	size, err := positive(q, "page[size]", defaultEvents)
	if err != nil {
		return nil, err
	}
	var after int64
	if text := q.Get("page[after]"); text != "" {
		if after, err = events.ParseCursor(by.AccountID, "page[after]", text); err != nil {
			return nil, err
		}
	}
	if _, err := h.log.Number(ctx); err != nil {
		return nil, err
	}
	list, next, more, err := h.log.Read(ctx, by.AccountID, f, after, min(size, maxEvents))
	if err != nil {
		return nil, err
	}
	out := gen.EventsEnvelope{Events: make([]wire.Raw, len(list)), Meta: gen.EventsMeta{HasMore: more, AfterCursor: events.Cursor(by.AccountID, next)}}
	for i := range list {
		out.Events[i] = wire.Raw(list[i].Envelope())
	}
	if more {
		c := callOf(ctx)
		q := cloned(c.query)
		q.Set("page[after]", out.Meta.AfterCursor)
		out.Links.Next = new(c.base + c.path + ".json?" + q.Encode())
	}
	return gen.ListEvents200JSONResponse(out), nil
}

func (h eventHandlers) StreamEvents(ctx context.Context, _ gen.StreamEventsRequestObject) (gen.StreamEventsResponseObject, error) {
	c := callOf(ctx)
	s := stream{ctx: ctx, log: h.log, account: auth.From(ctx).AccountID, again: h.who.again(c.echo, operations["StreamEvents"])}
	var err error
	if s.filter, err = eventFilter(c.query); err != nil {
		return nil, err
	}
	name, text := "Last-Event-ID", c.echo.Request().Header.Get("Last-Event-ID")
	if text == "" {
		name, text = "after", c.query.Get("after")
	}
	if text == "" {
		if _, err = h.log.Number(ctx); err == nil { // what happened before is not for it
			s.after, err = h.log.End(ctx)
		}
	} else {
		s.after, err = events.ParseCursor(s.account, name, text)
	}
	return s, err
}

// stream is an answer that goes on until the client goes or the server ends.
type stream struct {
	ctx     context.Context
	log     *events.Log
	account int64
	filter  events.Filter
	after   int64
	again   func(context.Context) error // fails when the caller may not listen any more
}

func (s stream) VisitStreamEventsResponse(w http.ResponseWriter) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	defer context.AfterFunc(edge.Ending(ctx), cancel)()
	listener := s.log.Listen(s.account)
	defer listener.Close()
	header := w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	flush := http.NewResponseController(w)
	text := []byte(": helpd\n\n") // so that the client knows at once that it is heard
	sent, checked := time.Now(), time.Now()
	for {
		if len(text) > 0 {
			if _, err := w.Write(text); err != nil || flush.Flush() != nil {
				return nil // the client is gone
			}
			text, sent = text[:0], time.Now()
		}
		list, err := listener.Next(ctx, sent.Add(heartbeat), s.after)
		if err != nil || ctx.Err() != nil {
			return err
		}
		if time.Since(checked) > heartbeat {
			if err := s.again(ctx); err != nil {
				return nil // the credentials have ended: whoever comes back is told so
			}
			checked = time.Now()
		}
		for i := range list {
			s.after = list[i].Seq
			if s.filter.Has(&list[i].Logged) {
				text = append(append(text, "id: "...), events.Cursor(s.account, s.after)...)
				text = append(append(append(text, "\ndata: "...), list[i].Text...), "\n\n"...)
			}
		}
		if len(text) == 0 && time.Since(sent) >= heartbeat {
			// It goes on from here, whatever was left out.
			text = append(append(append(text, ": heartbeat\nid: "...), events.Cursor(s.account, s.after)...), "\n\n"...)
		}
	}
}

var (
	eventType    = regexp.MustCompile(`^[a-z_]+\.([a-z_]+|\*)$`)
	eventSubject = regexp.MustCompile(`^zen:[a-z_]+:([0-9]+|\*)$`)
)

// eventFilter reads which events a caller wants.
func eventFilter(q url.Values) (f events.Filter, err error) {
	list := func(name, form string, is *regexp.Regexp) (values []string) {
		for value := range strings.SplitSeq(q.Get(name), ",") {
			value = strings.TrimPrefix(strings.TrimSpace(value), events.TypePrefix)
			if value == "" {
				continue
			}
			if !is.MatchString(value) {
				err = fault.New(fault.BadRequest, "%s has a value that is not of the form %s", name, form)
				return nil
			}
			values = append(values, value)
		}
		if len(values) > mostFilters {
			err = fault.New(fault.BadRequest, "%s has more than %d values", name, mostFilters)
		}
		return values
	}
	f.Subjects = list("filter[subject]", "zen:ticket:35", eventSubject)
	f.Except = list("exclude_source", "of "+sourceHeader, sourceID)
	for _, name := range list("filter[type]", "ticket.created or ticket.*", eventType) {
		f.Types = append(f.Types, events.TypePrefix+name)
	}
	return f, err
}
