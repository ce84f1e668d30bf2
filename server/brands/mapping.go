package brands

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
)

// Why a host mapping does not work.
const (
	NotAHost    = "not_a_host"    // it is no name of a host
	Taken       = "already_taken" // by another brand or account
	NotACNAME   = "not_a_cname"   // the name servers know no alias of that name
	WrongCNAME  = "wrong_cname"   // it is one of another host
	NotReadable = "lookup_failed" // the name servers did not answer
)

// lookTime is how long name servers may take to answer.
const lookTime = 5 * time.Second

// Mapping is whether a host may be that of a brand.
type Mapping struct {
	CNAME  string // what the host is an alias of; empty: of none
	Reason string // why it is not valid; empty: it is
}

// CheckHost looks whether a host can be the mapping of a brand whose own host is
// expected. id is the brand, or 0 for one to be made.
func (s *Service) CheckHost(ctx context.Context, by auth.Actor, id int64, host, expected string) (Mapping, error) {
	name, err := hostOf(host)
	if err != nil {
		return Mapping{Reason: NotAHost}, nil
	}
	b := models.Brand{Tenant: models.Tenant{ID: id}}
	err = s.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error { return freeTx(tx, "host_mapping", name, takenHosts, by, &b) })
	if fault.Is(err, fault.Invalid) {
		return Mapping{Reason: Taken}, nil
	}
	if err != nil {
		return Mapping{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	found, err := s.look(ctx, name)
	found = strings.TrimSuffix(strings.ToLower(found), ".")
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound, err == nil && (found == "" || found == name):
		return Mapping{Reason: NotACNAME}, nil
	case err != nil:
		return Mapping{Reason: NotReadable}, nil
	case found != strings.ToLower(expected):
		return Mapping{CNAME: found, Reason: WrongCNAME}, nil
	}
	return Mapping{CNAME: found}, nil
}
