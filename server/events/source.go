package events

import "context"

type sourceKey struct{}

// WithSource returns a context whose changes come from a program that calls
// itself id, so that it can tell the events of its own writes from others.
func WithSource(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, sourceKey{}, id)
}

// Source is the program that the changes of ctx come from; empty: none that has
// named itself.
func Source(ctx context.Context) string {
	id, _ := ctx.Value(sourceKey{}).(string)
	return id
}
