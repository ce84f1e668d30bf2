package api

import "testing"

func TestAPageOfAnExportHoldsWhatItNeeds(t *testing.T) {
	t.Parallel()
	for range 3 {
		exportBufferFor(1000).done() // which large pages may get, and small ones not
	}
	for records, most := range map[int]int{0: 1 << 10, 1: 4 << 10, 50: 100 << 10} {
		if size := cap(exportBufferFor(records).b); size > most {
			t.Errorf("%d records hold %d bytes", records, size)
		}
	}
	if large := exportBufferFor(1000); len(large.b) != 0 || cap(large.b) < 1000*ticketSize {
		t.Errorf("a large page begins with %d of %d bytes", len(large.b), cap(large.b))
	}
}
