package exports

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/signing"
)

// LinkLife is how long a link of a file is good. Whoever shows the export again has
// a new one, as long as there are files.
const LinkLife = time.Hour

const linkPurpose = "export file"

// Links makes links of files, which are good without a sign-in.
type Links struct {
	key signing.Key
	now time.Time
}

// Links are those of an account's files, as of now.
func (f *Files) Links(ctx context.Context, by auth.Actor) (Links, error) {
	if !by.Admin() {
		return Links{}, fault.Denied()
	}
	key, err := signing.KeyFor(ctx, f.db, f.now())
	return Links{key, f.now()}, err
}

// Of is where a file of an export is, below exports/, with the link's end and
// signature.
func (l Links) Of(e models.Export, name string) string { return SignedLink(l.key, e, name, l.now) }

// SignedLink is what Links.Of gives, by an account's key and the time.
func SignedLink(key signing.Key, e models.Export, name string, now time.Time) string {
	expires := min(now.Add(LinkLife).Unix(), e.ExpiresAt.Unix())
	q := url.Values{"expires": {strconv.FormatInt(expires, 10)}, "signature": {key.Sign(linkPurpose, linkText(e.Token, name, expires))}}
	return e.Token + "/" + name + "?" + q.Encode()
}

func linkText(token, name string, expires int64) string {
	return fmt.Sprintf("%s/%s.%d", token, name, expires)
}

// Open is a file of an export by the parts of its link, until that expires. It
// fails with fault.BadLink for a link that is not as it was given, and alike for one
// of an export that there is not, so that nobody learns which there are; and for one
// that has expired. It fails with fault.NotFound for a good link of files that are
// gone.
func (f *Files) Open(ctx context.Context, token, name, expires, signature string) (*blob.Reader, error) {
	altered := fault.New(fault.BadLink, "The link is not as it was given: its signature does not fit")
	end, err := strconv.ParseInt(expires, 10, 64)
	if err != nil {
		return nil, altered
	}
	e, found, err := f.byCondition(ctx, "token = ?", token)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, altered
	}
	key, err := signing.KeyOf(ctx, f.db, e.AccountID)
	if err != nil {
		return nil, err
	}
	gone := fault.Missing("file", name)
	switch {
	case !key.Signed(linkPurpose, linkText(token, name, end), signature):
		return nil, altered
	case e.Doomed || e.Status != models.JobCompleted || !f.now().Before(e.ExpiresAt) || !slices.Contains(Names(e), name):
		return nil, gone
	case f.now().Unix() >= end:
		return nil, fault.New(fault.BadLink, "The link has expired. Show the export again for a new one")
	}
	r, err := f.bucket.NewReader(ctx, runPrefix(e)+name, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		err = gone
	}
	return r, err
}
