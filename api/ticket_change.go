package api

import (
	"bytes"
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/users"
)

// ticketChange reads what a caller asks of a ticket.
func ticketChange(ctx context.Context, in gen.TicketInput) (tickets.Change, error) {
	return changeIn(ctx, "ticket", in)
}

// ticketUpdate is ticketChange of a ticket that exists. Only a new ticket's
// description stands for its comment: with others it is what clients have read
// and send back.
func ticketUpdate(ctx context.Context, in gen.TicketInput) (tickets.Change, error) {
	in.Description = nil
	return ticketChange(ctx, in)
}

// changeIn is ticketChange of a body's member root, which errors name.
func changeIn(ctx context.Context, root string, in gen.TicketInput) (tickets.Change, error) {
	c := tickets.Change{
		Subject: text(in.Subject), Status: in.Status, CustomStatusID: wire.NullableID(in.CustomStatusID), Type: in.Type, Priority: in.Priority,
		RequesterID: wire.NullableID(in.RequesterID), SubmitterID: wire.NullableID(in.SubmitterID), AssigneeID: wire.NullableID(in.AssigneeID),
		AssigneeEmail: in.AssigneeEmail, GroupID: wire.NullableID(in.GroupID), OrganizationID: wire.NullableID(in.OrganizationID),
		BrandID: wire.NullableID(in.BrandID), TicketFormID: wire.NullableID(in.TicketFormID), ProblemID: wire.NullableID(in.ProblemID),
		ExternalID: text(in.ExternalID), Recipient: in.Recipient, Tags: in.Tags, AddTags: in.AdditionalTags, RemoveTags: in.RemoveTags,
		FollowerIDs: int64s(in.FollowerIds), EmailCCIDs: int64s(in.EmailCcIds), Metadata: in.Metadata,
	}
	if !in.Subject.IsSpecified() {
		c.Subject = text(in.RawSubject)
	}
	if in.DueAt.IsSpecified() {
		c.DueAt = nullable.NewNullNullable[time.Time]()
		if due, err := in.DueAt.Get(); err == nil {
			c.DueAt.Set(time.Time(due))
		}
	}
	if r := in.Requester; r != nil {
		c.Requester = requesterOf(*r)
	}
	if id, err := in.ViaFollowupSourceID.Get(); err == nil {
		c.FollowupOf = int64(id)
	}
	c.MacroIDs = int64s(in.MacroIds)
	if id, err := in.MacroID.Get(); err == nil {
		c.MacroIDs = append(c.MacroIDs, int64(id))
	}
	if in.SafeUpdate != nil && bool(*in.SafeUpdate) {
		if in.UpdatedStamp == nil {
			return c, fault.Attribute(root+".updated_stamp", "the updated_at that you saw")
		}
		stamp := time.Time(*in.UpdatedStamp)
		c.UpdatedStamp = &stamp
	}
	c.Comment = newComment(in)
	for _, read := range []func(string, gen.TicketInput, *tickets.Change) error{readFieldValues, readCollaborators, readVia, readMetadata} {
		if err := read(root, in, &c); err != nil {
			return c, err
		}
	}
	fromRequest(ctx, &c)
	return c, nil
}

// fromRequest notes for the audit from where the request came. A job has none.
func fromRequest(ctx context.Context, c *tickets.Change) { c.Origin = requestOf(ctx) }

func requestOf(ctx context.Context) (o tickets.Origin) {
	if addr := edge.ClientIP(ctx); addr.IsValid() {
		o.IP = addr.String()
	}
	if call, ok := ctx.Value(callKey{}).(call); ok {
		o.Client, o.Base = call.client, call.base
	}
	return o
}

func requesterOf(r gen.TicketRequesterInput) *users.Person {
	p := &users.Person{
		Email: strings.TrimSpace(orZero(r.Email)), Name: string(orZero(r.Name)),
		ExternalID: string(orZero(r.ExternalID)), Phone: string(orZero(r.Phone)), Locale: orZero(r.Locale),
	}
	if r.ID != nil {
		p.ID = int64(*r.ID)
	}
	return p
}

// newComment reads the comment. Older clients and bulk imports send a
// description in its place.
func newComment(in gen.TicketInput) *tickets.NewComment {
	if in.Comment == nil {
		if d := string(orZero(in.Description)); d != "" {
			return &tickets.NewComment{Body: d}
		}
		return nil
	}
	c := commentOf(*in.Comment)
	return &c
}

func commentOf(c gen.TicketCommentInput) tickets.NewComment {
	out := tickets.NewComment{
		Body: string(orZero(c.Body)), HTML: string(orZero(c.HTMLBody)), AuthorID: int64(orZero(c.AuthorID)), Uploads: c.Uploads,
	}
	if out.Body == "" {
		out.Body = string(orZero(c.Value))
	}
	if public, err := c.Public.Get(); err == nil {
		b := bool(public)
		out.Public = &b
	}
	return out
}

// readFieldValues reads custom fields in their two forms: a list of {id, value}
// and an object of values by id.
func readFieldValues(root string, in gen.TicketInput, c *tickets.Change) error {
	raw, member := in.CustomFields, root+".custom_fields"
	if len(raw) == 0 || isNullJSON(raw) {
		raw, member = in.Fields, root+".fields"
	}
	if len(raw) == 0 || isNullJSON(raw) {
		return nil
	}
	if bytes.TrimLeft(raw, " \t\r\n")[0] == '{' {
		var byID map[string]json.RawMessage
		if err := json.Unmarshal(raw, &byID); err != nil {
			return fault.Attribute(member, "a list of {id, value}")
		}
		for key, value := range byID {
			id, err := strconv.ParseInt(key, 10, 64)
			if err != nil {
				continue // unknown fields are ignored
			}
			c.CustomFields = append(c.CustomFields, tickets.FieldValue{ID: id, Value: value})
		}
		return nil
	}
	var list []struct {
		ID    wire.ID         `json:"id"`
		Value json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return fault.Attribute(member, "a list of {id, value}")
	}
	for _, v := range list {
		c.CustomFields = append(c.CustomFields, tickets.FieldValue{ID: int64(v.ID), Value: v.Value})
	}
	return nil
}

// readCollaborators reads the forms in which clients name who is copied: lists
// of {user_id, user_email, action}, and the older mixed lists of ids, addresses
// and {name, email}, whose people become e-mail CCs.
func readCollaborators(root string, in gen.TicketInput, c *tickets.Change) error {
	for member, list := range map[string][]gen.CollaboratorInput{"followers": in.Followers, "email_ccs": in.EmailCcs} {
		for _, p := range list {
			if a := orZero(p.Action); a != "" && a != "put" && a != "delete" {
				return fault.InvalidField(member, "the action %s is not one of put, delete", a)
			}
		}
	}
	c.Followers, c.EmailCCs = collaborators(in.Followers), collaborators(in.EmailCcs)
	if in.CollaboratorIds != nil && c.EmailCCIDs == nil && c.FollowerIDs == nil {
		c.CollaboratorIDs = int64s(in.CollaboratorIds)
	}
	for _, list := range []struct {
		raw     wire.Raw
		member  string
		replace bool
	}{{in.Collaborators, root + ".collaborators", true}, {in.AdditionalCollaborators, root + ".additional_collaborators", false}} {
		if len(list.raw) == 0 || isNullJSON(list.raw) {
			continue
		}
		people, err := mixedPeople(list.raw)
		if err != nil {
			return fault.Attribute(list.member, "a list of ids, addresses and {name, email}")
		}
		if list.replace && c.EmailCCIDs == nil && c.CollaboratorIDs == nil {
			c.EmailCCIDs = []int64{}
		}
		c.EmailCCs = append(c.EmailCCs, people...)
	}
	return nil
}

func collaborators(in []gen.CollaboratorInput) []tickets.Collaborator {
	var out []tickets.Collaborator
	for _, p := range in {
		out = append(out, tickets.Collaborator{
			UserID: int64(orZero(p.UserID)), Email: strings.TrimSpace(orZero(p.UserEmail)), Name: orZero(p.UserName),
			Remove: orZero(p.Action) == "delete",
		})
	}
	return out
}

func mixedPeople(raw wire.Raw) ([]tickets.Collaborator, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	var out []tickets.Collaborator
	for _, item := range list {
		var id wire.ID
		var address string
		var person struct{ Name, Email string }
		switch {
		case json.Unmarshal(item, &id) == nil && id != 0:
			out = append(out, tickets.Collaborator{UserID: int64(id)})
		case json.Unmarshal(item, &address) == nil:
			out = append(out, tickets.Collaborator{Email: strings.TrimSpace(address)})
		default:
			if err := json.Unmarshal(item, &person); err != nil {
				return nil, err
			}
			out = append(out, tickets.Collaborator{Email: strings.TrimSpace(person.Email), Name: person.Name})
		}
	}
	return out, nil
}

// channels that a caller may name as the one a ticket came by.
var channels = map[string]bool{
	"web": true, "api": true, "email": true, "mobile": true, "mobile_sdk": true, "web_widget": true, "chat": true, "voice": true, "sms": true,
	"facebook": true, "twitter": true, "any_channel": true, "help_center": true, "native_messaging": true, "line": true, "whatsapp": true,
}

func readVia(root string, in gen.TicketInput, c *tickets.Change) error {
	if len(in.Via) == 0 || isNullJSON(in.Via) {
		return nil
	}
	var via struct {
		Channel wire.Text         `json:"channel"`
		Source  tickets.ViaSource `json:"source"`
	}
	if json.Unmarshal(in.Via, &via.Channel) != nil && json.Unmarshal(in.Via, &via) != nil {
		return fault.Attribute(root+".via", "an object with a channel")
	}
	if !channels[string(via.Channel)] {
		return nil // as the original: what it does not know came by the API
	}
	v := tickets.Via{Channel: string(via.Channel), Source: via.Source}
	if v.Source.From == nil {
		v.Source.From = map[string]any{}
	}
	if v.Source.To == nil {
		v.Source.To = map[string]any{}
	}
	c.Via = &v
	return nil
}

func readMetadata(root string, in gen.TicketInput, c *tickets.Change) error {
	if len(in.Metadata) == 0 || isNullJSON(in.Metadata) {
		c.Metadata = nil
		return nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(in.Metadata, &object); err != nil {
		return fault.Attribute(root+".metadata", "an object")
	}
	return nil
}

func isNullJSON(raw []byte) bool { return string(bytes.TrimSpace(raw)) == "null" }

func text(n nullable.Nullable[wire.Text]) nullable.Nullable[string] {
	switch {
	case !n.IsSpecified():
		return nil
	case n.IsNull():
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(string(n.MustGet()))
}

func int64s(ids wire.IDs) []int64 {
	if ids == nil {
		return nil
	}
	return ids.Int64s()
}

func orZero[T any](n nullable.Nullable[T]) T {
	v, _ := n.Get()
	return v
}
