package api

import (
	"io"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func TestRequestHashReadsAStreamAndGivesItBack(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	const file = "bytes of a file"
	sums := map[[32]byte]bool{}
	for _, content := range []string{file, file, "bytes of another"} {
		r := httptest.NewRequest("POST", "/api/v2/uploads?filename=a.txt&access_token=x", io.MultiReader(strings.NewReader(content)))
		sum, done, err := requestHash(r)
		if err != nil {
			t.Fatal(err)
		}
		sums[sum] = true
		if b, err := io.ReadAll(r.Body); err != nil || string(b) != content || r.ContentLength != int64(len(content)) {
			t.Errorf("read %q of length %d, %v", b, r.ContentLength, err)
		}
		done()
	}
	if len(sums) != 2 {
		t.Errorf("%d hashes of two files", len(sums))
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
