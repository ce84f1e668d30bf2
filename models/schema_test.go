package models_test

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm/schema"

	"github.com/helpd/helpd/models"
	"github.com/helpd/helpd/server/testdb"
)

// all has a value of each model. TestEveryModelIsListed keeps it complete.
var all = []any{
	models.Account{}, models.Brand{}, models.JobStatus{}, models.APIToken{}, models.OAuthToken{}, models.JWTKey{},
	models.IdempotencyKey{},
	models.EventBatch{}, models.EventNumber{}, models.EventQueue{}, models.EventClock{}, models.EventReader{}, models.Touched{}, models.ExportPosition{},
	models.User{}, models.UserIdentity{}, models.Organization{}, models.OrganizationMembership{}, models.Group{}, models.GroupMembership{},
	models.Field{}, models.FieldOption{}, models.DynamicContentItem{}, models.DynamicContentVariant{}, models.TicketForm{}, models.CustomStatus{},
	models.Ticket{}, models.TicketMetric{}, models.TicketMetricEvent{}, models.Audit{}, models.Comment{}, models.TicketVisit{}, models.TicketCC{}, models.Skip{}, models.TagCount{}, models.TagChange{},
	models.Upload{}, models.Attachment{}, models.UserImage{}, models.BlobRemoval{}, models.JobItem{},
	models.Session{}, models.OrganizationSubscription{}, models.Erasure{}, models.OrganizationMerge{},
	models.SatisfactionRating{}, models.SatisfactionReason{}, models.SigningKey{}, models.SuspendedTicket{},
	models.Schedule{}, models.Holiday{}, models.OutboxMail{}, models.Rule{}, models.TriggerCategory{}, models.AutomationMark{}, models.SLAPolicy{},
	models.TriggerRevision{}, models.RuleUse{}, models.RuleUsage{},
	models.Webhook{}, models.WebhookInvocation{}, models.WebhookAttempt{}, models.WebhookFailure{}, models.Export{},
	models.SearchRun{}, models.SearchBlock{}, models.SearchFresh{}, models.SearchPending{}, models.HelpCenterQuery{}, models.Deflection{}, models.Autoreply{},
	models.ArticleReview{}, models.ArticleVerification{}, models.ArticleComment{}, models.Vote{}, models.ContentSubscription{}, models.UserSubscription{},
	models.UserSegment{}, models.PermissionGroup{}, models.ContentTag{},
	models.Category{}, models.Section{}, models.Article{}, models.Translation{}, models.TranslationRevision{}, models.Label{}, models.Redirect{},
}

// parts are structs that models embed.
var parts = []string{"Tenant", "Stamps", "BusinessSeconds"}

// The Go types that hold a column of each type. A nullable column takes a
// pointer to one of the scalars, or a type of whose own nil is SQL's null.
var holds = map[string][]reflect.Type{
	"bigint":                   {reflect.TypeFor[int64]()},
	"integer":                  {reflect.TypeFor[int]()},
	"boolean":                  {reflect.TypeFor[bool]()},
	"text":                     {reflect.TypeFor[string]()},
	"timestamp with time zone": {reflect.TypeFor[time.Time]()},
	"date":                     {reflect.TypeFor[time.Time]()},
	"jsonb":                    {reflect.TypeFor[models.JSON]()},
	"json":                     {reflect.TypeFor[models.JSON]()},
	"bytea":                    {reflect.TypeFor[[]byte]()},
	"bigint[]":                 {reflect.TypeFor[models.IDs]()},
	"text[]":                   {reflect.TypeFor[models.Strings]()},
	"tsvector":                 {reflect.TypeFor[string]()},
}

type column struct {
	Table, Name, Type string
	Nullable, Key     bool
}

func columns(t *testing.T) map[string]map[string]column {
	t.Helper()
	var rows []column
	err := testdb.Shared(t).WithContext(context.Background()).Raw(`
		SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
		       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND a.attnum = ANY(i.indkey)) AS key
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
		  AND a.attnum > 0 AND NOT a.attisdropped AND c.relname NOT LIKE 'river\_%' AND c.relname NOT LIKE 'goose\_%'`).Scan(&rows).Error
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string]map[string]column{}
	for _, c := range rows {
		if tables[c.Table] == nil {
			tables[c.Table] = map[string]column{}
		}
		tables[c.Table][c.Name] = c
	}
	return tables
}

func TestModelsFitTheMigratedSchema(t *testing.T) {
	t.Parallel()
	tables := columns(t)
	for _, m := range all {
		s, err := schema.Parse(m, new(sync.Map), schema.NamingStrategy{})
		if err != nil {
			t.Fatal(err)
		}
		table := tables[s.Table]
		delete(tables, s.Table)
		if table == nil {
			t.Errorf("%s: there is no table %s", s.Name, s.Table)
			continue
		}
		for _, f := range s.Fields {
			c, ok := table[f.DBName]
			if !ok {
				t.Errorf("%s.%s: there is no column %s.%s", s.Name, f.Name, s.Table, f.DBName)
				continue
			}
			delete(table, f.DBName)
			if f.PrimaryKey != c.Key {
				t.Errorf("%s.%s: primary key is %t in the model, %t in the schema", s.Name, f.Name, f.PrimaryKey, c.Key)
			}
			checkType(t, s.Name+"."+f.Name, f.FieldType, c)
		}
		for name := range table {
			t.Errorf("%s: no field holds the column %s.%s", s.Name, s.Table, name)
		}
	}
	for name := range tables {
		t.Errorf("no model holds the table %s", name)
	}
}

func checkType(t *testing.T, name string, field reflect.Type, c column) {
	t.Helper()
	fitting, ok := holds[c.Type]
	if !ok {
		t.Errorf("%s: no Go type is known for %s", name, c.Type)
		return
	}
	pointer := field.Kind() == reflect.Pointer
	if pointer {
		field = field.Elem()
	}
	if !slices.Contains(fitting, field) {
		t.Errorf("%s: %s cannot hold a column of type %s", name, field, c.Type)
	}
	ownNil := c.Type == "jsonb" || c.Type == "json" || c.Type == "bytea"
	if pointer != (c.Nullable && !ownNil) {
		t.Errorf("%s: pointer %t, but nullable %t", name, pointer, c.Nullable)
	}
}

// TestEveryModelIsListed finds the structs of the package that all forgets.
func TestEveryModelIsListed(t *testing.T) {
	t.Parallel()
	known := slices.Clone(parts)
	for _, m := range all {
		known = append(known, reflect.TypeOf(m).Name())
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
				if _, isStruct := spec.Type.(*ast.StructType); isStruct && !slices.Contains(known, spec.Name.Name) {
					t.Errorf("the test does not know the model %s", spec.Name.Name)
				}
			}
			return true
		})
	}
}
