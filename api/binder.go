package api

import (
	"reflect"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/helpd/helpd/api/edge"
	"github.com/helpd/helpd/api/wire"
	"github.com/helpd/helpd/server/fault"
)

// binder decodes JSON bodies leniently, for the generated handlers.
type binder struct{}

// Bind decodes the request's body into what the operation takes, and refuses a
// body without its wrapper: {"subject": …} where {"ticket": {…}} is due.
func (binder) Bind(into any, c echo.Context) error {
	if err := wire.Decode(edge.BodyBytes(c.Request().Context()), into); err != nil {
		return err
	}
	body := reflect.ValueOf(into).Elem()
	if body.Kind() != reflect.Struct {
		return nil
	}
	for i := range body.NumField() {
		name, options, _ := strings.Cut(body.Type().Field(i).Tag.Get("json"), ",")
		if strings.Contains(options, "omit") || !body.Field(i).IsZero() {
			continue
		}
		// Zero: absent, null, or {} in which nothing is set.
		var present map[string]*struct{}
		if wire.Decode(edge.BodyBytes(c.Request().Context()), &present) == nil && present[name] != nil {
			continue
		}
		switch body.Field(i).Kind() {
		case reflect.Struct, reflect.Map:
			return fault.Attribute(name, "an object")
		case reflect.Slice:
			return fault.Attribute(name, "an array")
		}
		return fault.New(fault.BadRequest, "Parameter %s is missing", name)
	}
	return nil
}

// foldLists turns ids[]=1&ids[]=2 into ids=1,2 before the generated handlers
// look for it.
func foldLists(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if strings.Contains(u.RawQuery, "[]") || strings.Contains(u.RawQuery, "%5B%5D") || strings.Contains(u.RawQuery, "%5b%5d") {
			query := u.Query()
			wire.FoldLists(query)
			u.RawQuery = query.Encode()
		}
		return next(c)
	}
}
