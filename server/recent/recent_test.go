package recent

import (
	"strconv"
	"testing"
)

func TestWhatIsAskedForStays(t *testing.T) {
	t.Parallel()
	m := New[int](3)
	made := 0
	get := func(key string) int { return m.Get(key, func() int { made++; return made }) }
	often := get("often")
	for i := range 10 {
		get(strconv.Itoa(i))
		if get("often") != often {
			t.Fatalf("it was forgotten after %d others", i)
		}
	}
	if len(m.All()) != 3 || made != 11 {
		t.Errorf("%v, %d made", m.All(), made)
	}
	if get("0"); made != 12 {
		t.Error("what nobody asked for was kept")
	}
}
