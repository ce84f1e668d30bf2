package search

import (
	"strings"
	"testing"
)

// BenchmarkPack is what it costs to make the document of a short ticket.
func BenchmarkPack(b *testing.B) {
	body := strings.Repeat("I'm having an issue with the printer. It was working fine until yesterday, but now it does not respond to user42@example.com. ", 3)
	for b.Loop() {
		d := Document{Account: 10001, Kind: Ticket, ID: 7}
		d.Add(Title, "Printer does not respond")
		d.Add(Body, body)
		d.pack()
	}
}
