package finding

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/page"
	"github.com/helpd/helpd/server/search"
)

// Limits of an export.
const (
	MaxExported = 1_000 // records of a page
	// cursorLife is how long a cursor is good (contract search.md §1).
	cursorLife = time.Hour
)

// cursor stands at a record of an export.
type cursor struct {
	Account int64       `json:"a"`
	Kind    search.Kind `json:"k"`
	Query   string      `json:"q"` // its hash
	Created int64       `json:"t"` // microseconds since 1970
	ID      int64       `json:"i"`
	Until   int64       `json:"x"` // seconds since 1970
}

// Exported is a page of an export.
type Exported struct {
	Hits  []Hit
	After string // the cursor of the last; empty of an empty page
	More  bool
}

// Export is a page of all records of a kind that a query finds, the newest first,
// behind a cursor if there is one. It fails with fault.BadQuery, and with
// fault.BadCursor for a cursor that is older than an hour or of another account,
// kind or query.
func (s *Service) Export(ctx context.Context, by auth.Actor, query string, kind search.Kind, size int, after string) (Exported, error) {
	c, err := s.compiler(ctx, by)
	if err != nil {
		return Exported{}, err
	}
	if !slices.Contains(search.Kinds, kind) {
		return Exported{}, search.Bad("filter[type] must be one of ticket, user, organization, group")
	}
	q, err := c.compile(query, []search.Kind{kind})
	if err != nil {
		return Exported{}, err
	}
	from, err := s.behind(by, query, kind, after)
	if err != nil {
		return Exported{}, err
	}
	if err := s.index.CatchUp(ctx, by.AccountID, kind); err != nil || len(q.plans) == 0 {
		return Exported{}, err
	}
	var out Exported
	p := &q.plans[0]
	err = s.inTx(ctx, p, func(tx *gorm.DB) (err error) {
		if p.byWords() {
			err = s.kept.narrow(tx, p)
		}
		if err == nil {
			out.Hits, err = p.export(tx, from, size+1)
		}
		return err
	})
	if len(out.Hits) > size {
		out.Hits, out.More = out.Hits[:size], true
	}
	if n := len(out.Hits); n > 0 {
		last := out.Hits[n-1]
		out.After = cursor{by.AccountID, kind, hash(query), last.created.UnixMicro(), last.ID, s.now().Add(cursorLife).Unix()}.text()
	}
	return out, err
}

func hash(query string) string {
	sum := sha256.Sum256([]byte(query))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func (c cursor) text() string {
	b, _ := json.Marshal(c) // plain values
	return base64.URLEncoding.EncodeToString(b)
}

// behind reads a cursor; nil without one.
func (s *Service) behind(by auth.Actor, query string, kind search.Kind, text string) (*cursor, error) {
	if text == "" {
		return nil, nil
	}
	var c cursor
	b, err := base64.URLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.Account != by.AccountID || c.Kind != kind || c.Query != hash(query) || s.now().Unix() >= c.Until || c.Until > s.now().Add(cursorLife).Unix() {
		return nil, page.BadCursor("page[after]")
	}
	return &c, nil
}

// export reads the newest records, of equals those with the smallest numbers first.
func (p *plan) export(tx *gorm.DB, from *cursor, limit int) ([]Hit, error) {
	o := order{column: "created_at", desc: true}
	if from != nil {
		o.behind = &place{time.UnixMicro(from.Created), from.ID}
	}
	if !p.byWords() {
		n, err := p.atMost(tx, few+1)
		if err != nil {
			return nil, err
		}
		return p.inOrder(tx, o, nil, n, limit)
	}
	all, err := search.Every(tx, p.by.AccountID, search.Wanted{Kind: p.kind, Match: p.match, Without: p.without})
	if all = p.inside(all); err != nil || all.Len() == 0 {
		return nil, err
	}
	return p.inOrder(tx, o, &all, 0, limit)
}
