package api

import (
	"context"
	"net/http"
	"strconv"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/tickets"
)

// Both answers are written by hand: a ticket is encoded already, and what a macro
// leaves alone is absent from its changes, while what it empties is null.

func (a ticketAnswer) VisitShowChangesToTicketResponse(w http.ResponseWriter) error {
	return a.write(w)
}

func (a ticketAnswer) VisitShowTicketAfterChangesResponse(w http.ResponseWriter) error {
	return a.write(w)
}

func (h ticketHandlers) ShowChangesToTicket(ctx context.Context, r gen.ShowChangesToTicketRequestObject) (gen.ShowChangesToTicketResponseObject, error) {
	a, err := h.tickets.ApplyMacro(ctx, auth.From(ctx), int64(r.MacroID), 0, callOf(ctx).base)
	if err != nil {
		return nil, err
	}
	return macroResult(appendChanges(nil, a)), nil
}

func (h ticketHandlers) ShowTicketAfterChanges(ctx context.Context, r gen.ShowTicketAfterChangesRequestObject) (gen.ShowTicketAfterChangesResponseObject, error) {
	a, err := h.tickets.ApplyMacro(ctx, auth.From(ctx), int64(r.MacroID), int64(r.TicketID), callOf(ctx).base)
	if err != nil {
		return nil, err
	}
	return macroResult(appendTicket(ctx, nil, callOf(ctx).base, &a.Ticket, a.Config, ticketExtras{comment: draftJSON(a.Comment)})), nil
}

func macroResult(ticket []byte) ticketAnswer {
	return ticketAnswer{status: http.StatusOK, body: append(append([]byte(`{"result":{"ticket":`), ticket...), "}}"...)}
}

// draftJSON is a drafted comment; nil for none.
func draftJSON(c *tickets.DraftComment) wire.Raw {
	if c == nil {
		return nil
	}
	scoped := each(c.Texts, func(t tickets.ChannelText) []string { return []string{t.Channel, t.Text} })
	return wire.Raw(models.ToJSON(gen.MacroComment{Body: c.Body, HTMLBody: c.HTML, Public: c.Public, ScopedBody: scoped}))
}

// appendChanges appends what a macro changes in any ticket, as a ticket is
// updated.
func appendChanges(b []byte, a tickets.Applied) []byte {
	t, o := &a.Ticket, wire.BeginObject(b)
	for _, m := range []struct {
		name  string
		value *string
	}{{"subject", t.Subject}, {"type", t.Type}, {"priority", t.Priority}} {
		if m.value != nil {
			o.String(m.name, *m.value)
		}
	}
	if t.Status != "" {
		o.String("status", t.Status)
	}
	if id := t.CustomStatusID; id != 0 && id != a.Config.DefaultStatus(t.Status).ID {
		o.Int("custom_status_id", id)
	}
	for _, m := range []struct {
		name  string
		value *int64
		set   bool
	}{{"group_id", t.GroupID, a.SetGroup}, {"assignee_id", t.AssigneeID, a.SetAssignee}, {"ticket_form_id", t.TicketFormID, t.TicketFormID != nil}} {
		if m.set {
			o.ID(m.name, m.value)
		}
	}
	if t.BrandID != 0 {
		o.Int("brand_id", t.BrandID)
	}
	if a.Tags != nil {
		o.Strings("tags", a.Tags)
	}
	if len(a.AddTags) > 0 {
		o.Strings("additional_tags", a.AddTags)
	}
	if len(a.RemoveTags) > 0 {
		o.Strings("remove_tags", a.RemoveTags)
	}
	for _, m := range []struct {
		name string
		ids  models.IDs
	}{{"followers", t.FollowerIDs}, {"email_ccs", t.EmailCCIDs}} {
		if len(m.ids) > 0 {
			o.Raw(m.name, models.ToJSON(each(m.ids, func(id int64) gen.MacroCollaborator { return gen.MacroCollaborator{UserID: id, Action: "put"} })))
		}
	}
	if len(a.Fields) > 0 {
		o.Value("fields", func(b []byte) []byte {
			fields := wire.BeginObject(b)
			for _, f := range a.Fields {
				fields.Raw(strconv.FormatInt(f.ID, 10), f.Value)
			}
			return fields.End()
		})
	}
	if a.Comment != nil {
		o.Raw("comment", draftJSON(a.Comment))
	}
	return o.End()
}
