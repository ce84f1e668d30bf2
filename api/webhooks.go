package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/gen"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/tickets"
	"github.com/helpd/helpd/server/webhooks"
)

type webhookHandlers struct {
	webhooks *webhooks.Service
	tickets  *tickets.Service
}

func (h webhookHandlers) ListWebhooks(ctx context.Context, r gen.ListWebhooksRequestObject) (gen.ListWebhooksResponseObject, error) {
	p, err := cursorPageOf(ctx)
	if err != nil {
		return nil, err
	}
	found, err := h.webhooks.List(ctx, auth.From(ctx), webhooks.Filter{NameContains: or(r.Params.FilterNameContains, ""), Status: or(r.Params.FilterStatus, "")}, p)
	return gen.ListWebhooks200JSONResponse{Listing: listing(ctx, "webhooks", mapped(ctx, found, webhookJSON))}, asList(err)
}

// cursorPageOf is pageOf for a list that has pages by cursor also where the
// caller does not say which.
func cursorPageOf(ctx context.Context) (page.Request, error) {
	p, err := pageOf(ctx)
	q := callOf(ctx).query
	if err != nil || p.Cursor || q.Has("page") || q.Has("per_page") {
		return p, err
	}
	p = page.First(page.DefaultSize)
	p.Sort, p.Desc = strings.CutPrefix(q.Get("sort"), "-")
	return p, nil
}

func (h webhookHandlers) CreateOrCloneWebhook(ctx context.Context, r gen.CreateOrCloneWebhookRequestObject) (gen.CreateOrCloneWebhookResponseObject, error) {
	var in gen.WebhookInput
	if r.Body != nil {
		in = r.Body.Webhook
	}
	w, err := models.Webhook{}, error(nil)
	if id := or(r.Params.CloneWebhookID, ""); id != "" {
		w, err = h.webhooks.Clone(ctx, auth.From(ctx), id, webhookChange(in))
	} else {
		w, err = h.webhooks.Create(ctx, auth.From(ctx), webhookChange(in))
	}
	if err != nil {
		return nil, asList(err)
	}
	answer := webhookJSON(ctx, w)
	answer.CreatedAt, answer.UpdatedAt = w.CreatedAt.UTC().Format(time.RFC3339Nano), w.UpdatedAt.UTC().Format(time.RFC3339Nano)
	return gen.CreateOrCloneWebhook201JSONResponse{Webhook: answer}, nil
}

func (h webhookHandlers) ShowWebhook(ctx context.Context, r gen.ShowWebhookRequestObject) (gen.ShowWebhookResponseObject, error) {
	w, err := h.webhooks.Get(ctx, auth.From(ctx), r.WebhookID)
	return gen.ShowWebhook200JSONResponse{Webhook: webhookJSON(ctx, w)}, asList(err)
}

func (h webhookHandlers) UpdateWebhook(ctx context.Context, r gen.UpdateWebhookRequestObject) (gen.UpdateWebhookResponseObject, error) {
	err := h.webhooks.Replace(ctx, auth.From(ctx), r.WebhookID, webhookChange(r.Body.Webhook))
	return gen.UpdateWebhook204Response{}, asList(err)
}

func (h webhookHandlers) PatchWebhook(ctx context.Context, r gen.PatchWebhookRequestObject) (gen.PatchWebhookResponseObject, error) {
	err := h.webhooks.Update(ctx, auth.From(ctx), r.WebhookID, webhookChange(r.Body.Webhook))
	return gen.PatchWebhook204Response{}, asList(err)
}

func (h webhookHandlers) DeleteWebhook(ctx context.Context, r gen.DeleteWebhookRequestObject) (gen.DeleteWebhookResponseObject, error) {
	return gen.DeleteWebhook204Response{}, asList(h.webhooks.Delete(ctx, auth.From(ctx), r.WebhookID))
}

func (h webhookHandlers) ShowWebhookSigningSecret(ctx context.Context, r gen.ShowWebhookSigningSecretRequestObject) (gen.ShowWebhookSigningSecretResponseObject, error) {
	w, err := h.webhooks.Get(ctx, auth.From(ctx), r.WebhookID)
	return gen.ShowWebhookSigningSecret200JSONResponse{SigningSecret: signingSecretJSON(w)}, asList(err)
}

func (h webhookHandlers) ResetWebhookSigningSecret(ctx context.Context, r gen.ResetWebhookSigningSecretRequestObject) (gen.ResetWebhookSigningSecretResponseObject, error) {
	w, err := h.webhooks.Rotate(ctx, auth.From(ctx), r.WebhookID)
	return gen.ResetWebhookSigningSecret201JSONResponse{SigningSecret: signingSecretJSON(w)}, asList(err)
}

func (h webhookHandlers) TestWebhook(ctx context.Context, r gen.TestWebhookRequestObject) (gen.TestWebhookResponseObject, error) {
	in := r.Body.Request
	done, err := h.webhooks.Test(ctx, auth.From(ctx), webhooks.Try{
		WebhookID: or(r.Params.WebhookID, ""), Endpoint: (*string)(in.Endpoint), HTTPMethod: (*string)(in.HTTPMethod), RequestFormat: (*string)(in.RequestFormat),
		Payload: string(or(in.Payload, "")), Authentication: convert(in.Authentication, webhookAuthentication), Custom: convert(in.CustomHeaders, texts),
		Headers: each(in.Headers, func(h gen.WebhookHeaderInput) webhooks.Header {
			return webhooks.Header{Key: string(or(h.Key, "")), Value: string(or(h.Value, ""))}
		}),
	})
	if err != nil {
		return nil, asList(err)
	}
	answer := gen.WebhookTestAnswer{Status: statusCode(done.StatusCode), StatusCode: statusCode(done.StatusCode), Headers: each(done.Headers, webhookHeaderJSON), Payload: done.Payload}
	if done.Error != "" {
		answer.Error = &done.Error
	}
	return gen.TestWebhook200JSONResponse{Response: answer}, nil
}

// statusCode is null where there was no answer.
func statusCode(n int) nullable.Nullable[int64] {
	if n == 0 {
		return nullable.NewNullNullable[int64]()
	}
	return nullable.NewNullableWithValue(int64(n))
}

func webhookHeaderJSON(h webhooks.Header) gen.WebhookHeader {
	return gen.WebhookHeader{Key: h.Key, Value: h.Value}
}

func signingSecretJSON(w models.Webhook) gen.SigningSecret {
	return gen.SigningSecret{Secret: w.Secret, Algorithm: webhooks.Algorithm}
}

func webhookChange(in gen.WebhookInput) webhooks.Change {
	return webhooks.Change{
		Name: (*string)(in.Name), Description: nullableText(in.Description), Status: (*string)(in.Status), Endpoint: (*string)(in.Endpoint),
		HTTPMethod: (*string)(in.HTTPMethod), RequestFormat: (*string)(in.RequestFormat), Subscriptions: in.Subscriptions, ExcludedSources: in.ExcludedSources,
		Authentication: convert(in.Authentication, webhookAuthentication), Headers: convert(in.CustomHeaders, texts),
	}
}

func texts(in map[string]wire.Text) map[string]string {
	out := make(map[string]string, len(in))
	for name, text := range in {
		out[name] = string(text)
	}
	return out
}

func webhookAuthentication(in gen.WebhookAuthenticationInput) webhooks.Authentication {
	data := or(in.Data, gen.WebhookCredentialsInput{})
	return webhooks.Authentication{
		Type: string(or(in.Type, "")), Position: string(or(in.AddPosition, "")), Credentials: webhooks.Credentials{
			Username: (*string)(data.Username), Password: (*string)(data.Password), Token: (*string)(data.Token), Name: (*string)(data.Name), Value: (*string)(data.Value),
		},
	}
}

func webhookJSON(ctx context.Context, w models.Webhook) gen.Webhook {
	out := gen.Webhook{
		ID: w.ID, Name: w.Name, Description: orNull(w.Description), Status: gen.WebhookStatus(w.Status), Endpoint: w.Endpoint,
		HTTPMethod: gen.WebhookMethod(w.HTTPMethod), RequestFormat: gen.WebhookFormat(w.RequestFormat),
		Subscriptions: list(w.Subscriptions), ExcludedSources: list(w.ExcludedSources), CustomHeaders: webhooks.HeadersOf(&w),
		Authentication: nullable.NewNullNullable[gen.WebhookAuthentication](), ExternalSource: nullable.NewNullNullable[map[string]any](),
		CreatedAt: wire.Time(w.CreatedAt).String(), CreatedBy: strconv.FormatInt(w.CreatedBy, 10),
		UpdatedAt: wire.Time(w.UpdatedAt).String(), UpdatedBy: strconv.FormatInt(w.UpdatedBy, 10),
	}
	if w.AuthType != nil {
		c := webhooks.CredentialsOf(&w)
		out.Authentication.Set(gen.WebhookAuthentication{
			Type: gen.WebhookAuthenticationType(*w.AuthType), AddPosition: "header", Data: gen.WebhookCredentials{Username: c.Username, Name: c.Name},
		})
	}
	if includes(ctx, "signing_secret") {
		out.SigningSecret = new(signingSecretJSON(w))
	}
	return out
}
