package gen_test

import (
	"reflect"
	"testing"

	"github.com/helpd/helpd/gen"
)

// An operation that is missing in Allow would be refused to everyone.
func TestEveryHandlerHasARole(t *testing.T) {
	t.Parallel()
	handlers := reflect.TypeFor[gen.StrictServerInterface]()
	for i := range handlers.NumMethod() {
		if name := handlers.Method(i).Name; gen.Allow[name] == "" {
			t.Errorf("Allow has no role for %s", name)
		}
	}
	if len(gen.Allow) != handlers.NumMethod() || len(gen.Operations) != handlers.NumMethod() {
		t.Errorf("%d roles and %d operations for %d handlers", len(gen.Allow), len(gen.Operations), handlers.NumMethod())
	}
}
