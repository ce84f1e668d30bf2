package tickets

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/postgres"
	"github.com/helpd/helpd/server/signing"
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
	key, err := signing.KeyTx(tx, now)
	if err != nil {
		return Survey{}, err
	}
	survey := Survey{TicketID: t.ID, ExpiresAt: now.Add(SurveyLife).UTC().Truncate(time.Second)}
	survey.Token = surveyClaims{account, t.ID, t.RequesterID, survey.ExpiresAt.Unix()}.sign(key)
	return survey, nil
}

const surveyPurpose = "satisfaction survey"

// SurveyPath is where surveys are, before their token.
const SurveyPath = "/satisfaction/"

// surveyClaims are what the token of a survey says. The requester is one of
// them: a link is not good for another whom the ticket is given to.
type surveyClaims struct {
	account, ticket, requester int64
	expires                    int64 // Unix time
}

// sign is the token: the claims as text and their signature behind it.
func (c surveyClaims) sign(key signing.Key) string {
	text := fmt.Sprintf("%d.%d.%d.%d", c.account, c.ticket, c.requester, c.expires)
	return text + "." + key.Sign(surveyPurpose, text)
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
	by := auth.Actor{AccountID: c.account, Via: "survey"}
	key, err := signing.KeyOf(ctx, s.db, c.account)
	if err != nil {
		return ctx, by, 0, err
	}
	at := strings.LastIndexByte(token, '.')
	if !key.Signed(surveyPurpose, token[:at], token[at+1:]) {
		return ctx, by, 0, bad
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
