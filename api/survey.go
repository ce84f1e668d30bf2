package api

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"
	"github.com/oapi-codegen/nullable"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/tickets"
)

//go:embed *.html
var pageFiles embed.FS

// pageTemplates are the pages that people come to by links in mails.
var pageTemplates = template.Must(template.ParseFS(pageFiles, "*.html"))

// pagePolicy lets a page load and run nothing, be framed by nobody, and
// send its form to this server alone.
const pagePolicy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// surveyPage is what the template shows.
type surveyPage struct {
	Title, Wrong, Message string
	Form                  bool // whether a vote can be given

	Number           int64
	Subject, Account string
	Score, Comment   string
	Reason           int // the code; none below 0
	Reasons          []models.SatisfactionReason
	MaxComment       int
}

// surveys serves the pages of surveys. The token in the address is all the
// right that it takes, so a foreign page that posts here gains nothing by the
// reader's cookies; and showing a page changes nothing, since scanners of mail
// open links.
func (h satisfactionHandlers) surveys(e *echo.Echo) {
	headToo{e}.GET(tickets.SurveyPath+":token", h.showSurvey)
	e.POST(tickets.SurveyPath+":token", h.answerSurvey)
}

func (h satisfactionHandlers) showSurvey(c echo.Context) error {
	v, err := h.tickets.Survey(c.Request().Context(), c.Param("token"))
	if err != nil {
		return surveyFailed(c, err)
	}
	p := pageOfSurvey(v)
	if c.QueryParam("saved") != "" && p.Score != "" {
		p.Message = "Thank you. Your rating was saved; you can still change it."
	}
	if score := c.QueryParam("score"); score == models.ScoreGood || score == models.ScoreBad { // the button of a mail
		p.Score = score
	}
	return writeSurvey(c, http.StatusOK, p)
}

func (h satisfactionHandlers) answerSurvey(c echo.Context) error {
	ctx := c.Request().Context()
	token := c.Param("token")
	v, err := h.tickets.Survey(ctx, token)
	if err != nil {
		return surveyFailed(c, err)
	}
	p := pageOfSurvey(v)
	p.Score, p.Comment = c.FormValue("score"), c.FormValue("comment")
	vote := tickets.Satisfaction{
		Score: p.Score, Comment: nullable.NewNullableWithValue(p.Comment), ReasonCode: nullable.NewNullNullable[int64](),
	}
	p.Reason = -1
	if code, err := strconv.Atoi(c.FormValue("reason")); err == nil {
		p.Reason = code
		vote.ReasonCode.Set(int64(code))
	}
	switch {
	case !p.Form:
		return writeSurvey(c, http.StatusUnprocessableEntity, p)
	case p.Score != models.ScoreGood && p.Score != models.ScoreBad:
		p.Wrong = "Please choose a rating: good or bad."
		return writeSurvey(c, http.StatusUnprocessableEntity, p)
	case wire.CheckString(p.Comment) != nil:
		p.Wrong = "The comment has characters that cannot be saved."
		return writeSurvey(c, http.StatusUnprocessableEntity, p)
	}
	change := tickets.Change{Via: tickets.ViaChannel("web"), Origin: originOfPage(c)}
	if err := h.tickets.AnswerSurvey(ctx, token, vote, change); err != nil {
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Invalid {
			return surveyFailed(c, err)
		}
		p.Wrong = f.Error()
		return writeSurvey(c, http.StatusUnprocessableEntity, p)
	}
	pageHead(c)
	return c.Redirect(http.StatusSeeOther, tickets.SurveyPath+token+"?saved=1")
}

// originOfPage is where the call of a page came from, which is no operation.
func originOfPage(c echo.Context) tickets.Origin {
	o := requestOf(c.Request().Context())
	o.Client, o.Base = c.Request().UserAgent(), edge.BaseURL(c.Request().Context())
	return o
}

func pageOfSurvey(v tickets.SurveyView) surveyPage {
	p := surveyPage{
		Title: "How did we do?", Form: v.Ticket.Status != models.StatusClosed, Number: v.Ticket.ID, Account: v.Account,
		Reason: -1, Reasons: v.Reasons, MaxComment: tickets.MaxRatingComment,
	}
	p.Subject, p.Comment = or(v.Ticket.Subject, ""), or(v.Rating.Comment, "")
	if v.Rating.Score == models.ScoreGood || v.Rating.Score == models.ScoreBad {
		p.Score = v.Rating.Score
	}
	for _, r := range v.Reasons {
		if v.Rating.ReasonID != nil && *v.Rating.ReasonID == r.ID {
			p.Reason = r.ReasonCode
		}
	}
	if !p.Form {
		p.Message = "This request is closed. It cannot be rated any more."
	}
	return p
}

// surveyFailed answers people, where other paths answer programs. What is not
// about the link is an outage, which the error handler logs.
func surveyFailed(c echo.Context, err error) error {
	if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Forbidden) {
		return err
	}
	return writeSurvey(c, http.StatusNotFound, surveyPage{
		Title: "This link is not valid", Wrong: "It has expired, or the request that it was for is gone.",
	})
}

func pageHead(c echo.Context) {
	h := c.Response().Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex")
}

func writeSurvey(c echo.Context, status int, p surveyPage) error {
	return writePage(c, status, "survey.html", p)
}

// writePage answers with one of pageTemplates.
func writePage(c echo.Context, status int, name string, p any) error {
	var b bytes.Buffer
	if err := pageTemplates.ExecuteTemplate(&b, name, p); err != nil {
		return err
	}
	pageHead(c)
	return c.HTMLBlob(status, b.Bytes())
}
