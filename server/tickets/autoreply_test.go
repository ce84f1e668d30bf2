package tickets

import "testing"

func TestSharesOfTickets(t *testing.T) {
	t.Parallel()
	counts := map[int]int{}
	const all = 10_000
	for id := int64(1); id <= all; id++ {
		among := false
		for _, percent := range []int{0, 1, 25, 50, 99, 100} {
			now := shared(7, id, percent)
			if now != shared(7, id, percent) {
				t.Fatalf("ticket %d is decided anew", id)
			}
			if among && !now {
				t.Fatalf("ticket %d is not among %d of a hundred and is among fewer", id, percent)
			}
			if among = now; now {
				counts[percent]++
			}
		}
	}
	for percent, most := range map[int]int{0: 0, 1: 200, 25: 2_700, 50: 5_300, 99: 9_950, 100: all} {
		if got := counts[percent]; got > most || got < percent*all/100-300 || percent == 100 && got != all {
			t.Errorf("a share of %d: %d of %d", percent, got, all)
		}
	}
}
