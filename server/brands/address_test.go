package brands_test

import (
	"testing"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/brands"
)

func TestWhereBrandsAre(t *testing.T) {
	t.Parallel()
	account := models.Account{Subdomain: "acme"}
	acme := models.Brand{Subdomain: "acme", Default: true}
	lamps := models.Brand{Subdomain: "lamps"}
	chairs := models.Brand{Subdomain: "chairs", HostMapping: new("help.chairs.example")}
	all := []models.Brand{acme, chairs, lamps}
	for _, w := range []struct {
		base string
		b    models.Brand
		want string
	}{
		{"http://localhost:8080", lamps, "http://localhost:8080"},
		{"http://127.0.0.1:8080", chairs, "http://127.0.0.1:8080"},
		{"http://[::1]:8080", lamps, "http://[::1]:8080"},
		{"https://acme.desk.example", lamps, "https://lamps.desk.example"},
		{"https://ACME.desk.example:8443", lamps, "https://lamps.desk.example:8443"},
		{"https://lamps.desk.example", acme, "https://acme.desk.example"},
		{"https://lamps.desk.example", lamps, "https://lamps.desk.example"},
		{"http://acme.localhost:8080", lamps, "http://lamps.localhost:8080"},
		{"https://acme.desk.example", chairs, "https://help.chairs.example"},
		{"https://chairs.desk.example", chairs, "https://chairs.desk.example"},
		{"https://help.chairs.example", chairs, "https://help.chairs.example"},
		{"https://help.chairs.example", lamps, "https://help.chairs.example"},
		{"https://desk.example", acme, "https://desk.example"},
		{"https://desk.example", lamps, "https://lamps.desk.example"},
		{"", lamps, ""},
	} {
		if got := brands.Address(w.base, account, all, w.b); got != w.want {
			t.Errorf("%s where the account is at %s: %s, want %s", w.b.Subdomain, w.base, got, w.want)
		}
	}
	for host, want := range map[string]string{"acme.desk.example": "lamps.desk.example", "desk.example": "lamps.desk.example", "localhost": "lamps.localhost", "10.0.0.1": "lamps.localhost"} {
		if got := brands.Host(host, account, all, lamps); got != want {
			t.Errorf("the host beside %s: %s, want %s", host, got, want)
		}
	}
}
