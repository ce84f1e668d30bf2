package api

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/fault"
	"github.com/helpd/helpd/server/helpcenter"
)

// answerPage is what the page shows on which people say what came of an article that
// they were mailed.
type answerPage struct {
	Title, Wrong, Message string
	Form                  bool

	Account, Article string
	Number           int64 // of the ticket; 0: none
	Answer           string
}

// answers serves the pages of links to articles in mails. As with surveys, the link is
// all the right that it takes, and showing a page changes nothing.
func (h helpCenterHandlers) answers(e *echo.Echo) {
	headToo{e}.GET(helpcenter.AnswerPath+":link", h.showAnswer)
	e.POST(helpcenter.AnswerPath+":link", h.giveAnswer)
}

func (h helpCenterHandlers) showAnswer(c echo.Context) error {
	_, a, err := h.help.Answered(c.Request().Context(), c.Param("link"))
	if err != nil {
		return answerFailed(c, err)
	}
	p := pageOfAnswer(a)
	if c.QueryParam("saved") != "" {
		p.Message = map[string]string{
			models.DeflectionSolved:   "Thank you. Your request is closed; answer any of its mails to open it again.",
			models.DeflectionRejected: "Thank you for telling us. Your request stays open, and we will answer it.",
		}[a.Outcome]
		p.Form = p.Message == ""
	} else if answer := c.QueryParam("answer"); answered(answer) { // the link of a mail
		p.Answer = answer
	}
	return writePage(c, http.StatusOK, "answer.html", p)
}

func (h helpCenterHandlers) giveAnswer(c echo.Context) error {
	ctx, a, err := h.help.Answered(c.Request().Context(), c.Param("link"))
	if err != nil {
		return answerFailed(c, err)
	}
	p := pageOfAnswer(a)
	if p.Answer = c.FormValue("answer"); !answered(p.Answer) {
		p.Wrong = "Please choose an answer: yes or no."
		return writePage(c, http.StatusUnprocessableEntity, "answer.html", p)
	}
	if err := h.decideSuggestion(ctx, a.Token, p.Answer, originOfPage(c)); err != nil {
		return answerFailed(c, err)
	}
	pageHead(c)
	return c.Redirect(http.StatusSeeOther, helpcenter.AnswerPath+c.Param("link")+"?saved=1")
}

// answered reports whether something can be said to an article.
func answered(outcome string) bool {
	return outcome == models.DeflectionSolved || outcome == models.DeflectionRejected
}

func pageOfAnswer(a helpcenter.Answered) answerPage {
	p := answerPage{Title: "Did this answer your question?", Form: true, Account: a.Account, Article: a.Title, Number: a.TicketID}
	if answered(a.Outcome) {
		p.Answer = a.Outcome
	}
	return p
}

// answerFailed answers people, as surveyFailed does.
func answerFailed(c echo.Context, err error) error {
	if !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
		return err
	}
	return writePage(c, http.StatusNotFound, "answer.html", answerPage{Title: "This link is not valid", Wrong: "It has expired, or the request that it was for is gone."})
}
