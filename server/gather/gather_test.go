package gather_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/helpd/helpd/server/gather"
)

// TestThoseWhoComeMeanwhileShareTheNext has three callers come while the first
// one's statement runs.
func TestThoseWhoComeMeanwhileShareTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var batches [][]int
		free := make(chan struct{})
		g := gather.New(1, func(_ context.Context, keys []int, at func(int) *string) error {
			batches = append(batches, keys)
			if len(batches) == 1 {
				<-free
			}
			for i, k := range keys {
				if k != 404 {
					*at(i) = strings.Repeat("x", k)
				}
			}
			return nil
		})
		var wait sync.WaitGroup
		ask := func(key int, want string, wantFound bool) {
			wait.Go(func() {
				got, found, err := g.Get(t.Context(), key)
				if got != want || found != wantFound || err != nil {
					t.Errorf("%d: %q, %v, %v", key, got, found, err)
				}
			})
			synctest.Wait()
		}
		ask(1, "x", true)
		ask(2, "xx", true)
		ask(404, "", false)
		ask(2, "xx", true)
		close(free)
		wait.Wait()
		if len(batches) != 2 || len(batches[0]) != 1 || len(batches[1]) != 3 {
			t.Errorf("statements for %v", batches)
		}
	})
}

func TestFailureReachesEveryCaller(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	g := gather.New(1, func(_ context.Context, keys []int, _ func(int) *int) error {
		if keys[0] == 2 {
			panic("no such thing")
		}
		return broken
	})
	if _, _, err := g.Get(t.Context(), 1); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, _, err := g.Get(t.Context(), 2); err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("got %v", err)
	}
	if _, _, err := g.Get(t.Context(), 3); !errors.Is(err, broken) {
		t.Errorf("after a panic: %v", err)
	}
}

// TestWhoGoesAwayTakesNoOtherAlong has a caller give up while his statement runs.
func TestWhoGoesAwayTakesNoOtherAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{})
		g := gather.New(1, func(ctx context.Context, keys []int, at func(int) *int) error {
			<-free
			if err := ctx.Err(); err != nil {
				return err
			}
			for i, k := range keys {
				*at(i) = k
			}
			return nil
		})
		var wait sync.WaitGroup
		wait.Go(func() { _, _, _ = g.Get(t.Context(), 1) })
		synctest.Wait()
		ctx, leave := context.WithCancel(t.Context())
		wait.Go(func() {
			if _, _, err := g.Get(ctx, 2); !errors.Is(err, context.Canceled) {
				t.Errorf("who left got %v", err)
			}
		})
		wait.Go(func() {
			if got, found, err := g.Get(t.Context(), 3); got != 3 || !found || err != nil {
				t.Errorf("who stayed got %v, %v, %v", got, found, err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		close(free)
		wait.Wait()
	})
}
