package tickets

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
)

// SurveyLife is how long the link of a survey is good: a ticket is mostly
// closed by then.
const SurveyLife = 28 * 24 * time.Hour

// Survey asks a ticket's requester how it was handled, by a link that needs no
// sign-in: whoever has the token may vote on this ticket, and nothing else.
type Survey struct {
	Token     string
	TicketID  int64
	ExpiresAt time.Time
}

// OfferSurvey makes a link for a ticket's requester, and the ticket's score
// offered unless there is a vote. c tells where the call came from. It fails
// with fault.NotFound, with fault.Forbidden for end users, and with
// fault.Invalid for a ticket that is closed or that its requester may not see.
func (s *Service) OfferSurvey(ctx context.Context, by auth.Actor, ticket int64, c Change) (Survey, error) {
	if !by.Staff() {
		return Survey{}, fault.Denied()
	}
	var survey Survey
	err := s.inTx(ctx, func(tx *gorm.DB) error {
		sv, err := s.lockTx(tx, by, ticket)
		if err != nil {
			return err
		}
		if !sv.before.IsPublic {
			return fault.Base(fault.CodeInvalid, "Ticket: has no public comment, so its requester cannot see it")
		}
		sv.change = c
		sv.change.Satisfaction = &Satisfaction{Score: models.ScoreOffered}
		if _, err := sv.run(); err != nil {
			return err
		}
		survey, err = surveyTx(tx, by.AccountID, &sv.before, sv.now)
		return err
	})
	return survey, err
}

// surveyTx makes the link for a ticket's requester.
func surveyTx(tx *gorm.DB, account int64, t *models.Ticket, now time.Time) (Survey, error) {
	key, err := signingKeyTx(tx, now)
	if err != nil {
		return Survey{}, err
	}
	survey := Survey{TicketID: t.ID, ExpiresAt: now.Add(SurveyLife).UTC().Truncate(time.Second)}
	survey.Token = surveyClaims{account, t.ID, t.RequesterID, survey.ExpiresAt.Unix()}.sign(key)
	return survey, nil
}

// SurveyPath is where surveys are, before their token.
const SurveyPath = "/satisfaction/"

// signingKeyTx is the account's secret, which is made when it is first needed.
func signingKeyTx(tx *gorm.DB, now time.Time) ([]byte, error) {
	key := models.SigningKey{Secret: make([]byte, sha256.Size), CreatedAt: now}
	_, _ = rand.Read(key.Secret) // never fails
	if err := tx.Clauses(clause.OnConflict{DoNothing: true}).Create(&key).Error; err != nil {
		return nil, err
	}
	err := tx.Select("secret").Take(&key).Error
	return key.Secret, err
}

// surveyClaims are what the token of a survey says. The requester is one of
// them: a link is not good for another whom the ticket is given to.
type surveyClaims struct {
	account, ticket, requester int64
	expires                    int64 // Unix time
}

// sign is the token: the claims as text and their signature behind it.
func (c surveyClaims) sign(key []byte) string {
	text := fmt.Sprintf("%d.%d.%d.%d", c.account, c.ticket, c.requester, c.expires)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("satisfaction survey\x00" + text)) // no other link of the account fits
	return text + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// readSurvey takes a token apart. Nothing of it is to be believed yet.
func readSurvey(token string) (surveyClaims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 5 || len(token) > 200 {
		return surveyClaims{}, false
	}
	var c surveyClaims
	for i, to := range []*int64{&c.account, &c.ticket, &c.requester, &c.expires} {
		n, err := strconv.ParseInt(parts[i], 10, 64)
		if err != nil || n <= 0 {
			return surveyClaims{}, false
		}
		*to = n
	}
	return c, true
}

// SurveyView is what the page of a survey shows.
type SurveyView struct {
	Account string // the account's name
	Ticket  models.Ticket
	Rating  RatingRecord // the zero value: none yet
	Reasons []models.SatisfactionReason
}

// Survey is the ticket of a survey's token. It changes nothing: scanners of
// mail follow links. It fails with fault.NotFound for a token that is not ours
// or has expired, and for a ticket that is gone or no more its requester's.
func (s *Service) Survey(ctx context.Context, token string) (SurveyView, error) {
	ctx, by, ticket, err := s.surveyed(ctx, token)
	if err != nil {
		return SurveyView{}, err
	}
	v := SurveyView{}
	if v.Ticket, err = s.Get(ctx, by, ticket); err != nil {
		return v, err
	}
	if v.Rating, err = s.rating(ctx, by, "r.ticket_id = ?", ticket); err != nil && !fault.Is(err, fault.NotFound) {
		return v, err
	}
	if v.Reasons, err = s.Reasons(ctx); err != nil {
		return v, err
	}
	return v, s.db.WithContext(ctx).Model(&models.Account{}).Where("id = ?", by.AccountID).Pluck("name", &v.Account).Error
}

// AnswerSurvey votes by a survey's token. c tells where it came from. It fails
// as Survey and Rate do.
func (s *Service) AnswerSurvey(ctx context.Context, token string, v Satisfaction, c Change) error {
	ctx, by, ticket, err := s.surveyed(ctx, token)
	if err != nil {
		return err
	}
	_, err = s.Rate(ctx, by, ticket, v, c)
	return err
}

// surveyed finds out whose a token is: the requester, with the rights that the
// link gives, and a context of the account.
func (s *Service) surveyed(ctx context.Context, token string) (context.Context, auth.Actor, int64, error) {
	bad := fault.New(fault.NotFound, "The link is not valid or has expired")
	c, ok := readSurvey(token)
	if !ok || s.now().Unix() > c.expires {
		return ctx, auth.Actor{}, 0, bad
	}
	var key []byte
	by := auth.Actor{AccountID: c.account, Via: "survey"}
	err := s.db.WithContext(postgres.AcrossAccounts(ctx)).Raw("SELECT secret FROM signing_keys WHERE account_id = ?", c.account).Row().Scan(&key)
	if isNoRows(err) || err == nil && !hmac.Equal([]byte(c.sign(key)), []byte(token)) {
		return ctx, by, 0, bad
	}
	if err != nil {
		return ctx, by, 0, err
	}
	ctx = postgres.WithAccount(ctx, c.account)
	found := s.db.WithContext(ctx).Limit(1).Find(&by.User, "id = ? AND active AND NOT suspended", c.requester)
	if found.Error != nil || found.RowsAffected == 0 {
		return ctx, by, 0, cmp.Or[error](found.Error, bad)
	}
	by.User.Verified = true // the link went to his address
	t, err := s.Get(ctx, by, c.ticket)
	if err == nil && t.RequesterID != c.requester {
		err = bad
	}
	return ctx, by, c.ticket, err
}
