package sheets

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestSheetIsWrittenPartByPart(t *testing.T) {
	t.Parallel()
	parts := [][][]string{{{"1", "a,b"}, {"2", "say \"x\""}}, {{"3", "two\nlines"}}}
	asked := 0
	sheet := New([]string{"id", "text"}, func() ([][]string, error) {
		asked++
		if asked > len(parts) {
			return nil, nil
		}
		return parts[asked-1], nil
	})
	got, err := io.ReadAll(iotest.OneByteReader(sheet))
	if want := "id,text\n1,\"a,b\"\n2,\"say \"\"x\"\"\"\n3,\"two\nlines\"\n"; string(got) != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	broken := errors.New("broken")
	_, err = io.ReadAll(New([]string{"id"}, func() ([][]string, error) { return nil, broken }))
	if !errors.Is(err, broken) {
		t.Errorf("a part that fails: %v", err)
	}
}

func TestCellsAreNoFormulas(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"=1+1", "+1+1", "-1+cmd|x", "--1", "@x", "\t=1"} {
		if got := Cell(text); got != "'"+text {
			t.Errorf("%q is %q", text, got)
		}
	}
	for _, text := range []string{"", "-", "-3", "+4.5", "a=1", "1-1", "日本"} {
		if got := Cell(text); got != text || strings.HasPrefix(got, "'") {
			t.Errorf("%q is %q", text, got)
		}
	}
}
