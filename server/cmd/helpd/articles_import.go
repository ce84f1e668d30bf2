package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/helpd/helpd/server/articlefiles"
	"github.com/helpd/helpd/server/auth"
	"github.com/helpd/helpd/server/helpcenter"
)

// newArticles is what import was asked for.
type newArticles struct {
	account, brand, author, locale, contents string
	helpcenter.ImportOptions
}

func articlesImport() *cobra.Command {
	var n newArticles
	cmd := &cobra.Command{
		Use:   "import DIR",
		Short: "Make and change articles as files say",
		Long: `Make and change articles as the Markdown (.md) and HTML (.html) files in a
directory say. A file may begin with front matter, YAML between two lines of three
hyphens; all fields may be left out, and then stay as they are:

  id                 by which the article is known again (the path without suffix)
  title              (the first heading, which then is no part of the body)
  section, category  names; [Orders, Returns] is Returns in Orders (the folder)
  labels, content_tags, redirects, user_segments     lists
  position, draft, promoted, comments_disabled, outdated, permission_group
  source_locale      of the article, if this is a translation of it

Files of one id in several languages are one article. What is said beside the text
counts in the article's own language. What a file says already stays untouched, so
that the command may be run again, and after it was stopped.

` + articlefiles.ContentsName + ` in the directory, or the file of --contents, describes categories and
sections, which are made if they are not there, and may list the articles in them.

All files are checked before the first is written. They are then written by the
hundred, each hundred as a whole.`,
		Example: `  helpd articles import articles
  helpd articles import docs/ko --locale ko --dry-run
  helpd articles import docs/en --locale en-us --category Manual --create`,
		Args: exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return onHelpCenter(cmd, n.account, n.brand, n.author, func(ctx context.Context, help *helpcenter.Service, by auth.Actor) error {
				return n.run(ctx, cmd, help, by, args[0])
			})
		},
	}
	accountFlag(cmd, &n.account)
	brandFlag(cmd, &n.brand)
	f := cmd.Flags()
	f.StringVar(&n.locale, "locale", "", "language of the files; empty: each is a folder of the directory")
	f.StringVar(&n.author, "author", "", "e-mail address of the admin who writes (the account's first)")
	f.StringVar(&n.contents, "contents", "", "file that describes categories and sections ("+articlefiles.ContentsName+" in the directory)")
	f.StringVar(&n.Category, "category", "", "category of sections that are named without one")
	f.StringVar(&n.Section, "section", "", "section of new articles that name none")
	f.BoolVar(&n.Create, "create", false, "make categories and sections that files name and that are not there")
	f.BoolVar(&n.DryRun, "dry-run", false, "tell what would be done, and do nothing")
	return cmd
}

// importing is an import of a directory.
type importing struct {
	dir   fs.FS
	into  *helpcenter.Import
	files []listedFile
	tell  func(done, total int64) error
	count map[string]int
}

// listedFile is one to be read.
type listedFile struct {
	path, locale string
	folder       string // of its language; empty: all files are in one language
}

func (n newArticles) run(ctx context.Context, cmd *cobra.Command, help *helpcenter.Service, by auth.Actor, dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usageError{cmp.Or(err, fmt.Errorf("%s is no directory", dir))}
	}
	var err error
	if n.Contents, err = readContents(cmp.Or(n.contents, filepath.Join(dir, articlefiles.ContentsName)), n.contents != ""); err != nil {
		return err
	}
	i := &importing{dir: os.DirFS(dir), count: map[string]int{}}
	if i.into, err = help.NewImport(ctx, by, n.ImportOptions); err != nil {
		return usageError{err}
	}
	if err := i.list(n.locale); err != nil {
		return err
	}
	if err := i.check(cmd); err != nil {
		return err
	}
	if err := i.into.Ready(ctx); err != nil {
		return err
	}
	began := time.Now()
	doing := "Importing"
	if n.DryRun {
		doing = "Comparing"
		i.tellMissing(cmd)
	}
	tell, end := progress(ctx, cmd, doing, "articles")
	i.tell = tell
	err = i.write(ctx, cmd, n.DryRun)
	end()
	if n.DryRun {
		return i.summedUp(cmd, err)
	}
	if err != nil {
		return fmt.Errorf("%w\n%d files were written before; the rest can be imported again", err, i.done())
	}
	took := time.Since(began)
	cmd.PrintErrf("%d articles new, %d translations new, %d changed, %d the same; %v, %.0f a second\n",
		i.count[helpcenter.OutcomeNew], i.count[helpcenter.OutcomeTranslation], i.count[helpcenter.OutcomeChanged], i.count[helpcenter.OutcomeSame],
		took.Round(time.Millisecond), float64(i.done())/took.Seconds())
	return nil
}

// summedUp ends a dry run with what would have been done.
func (i *importing) summedUp(cmd *cobra.Command, err error) error {
	if err != nil {
		return fmt.Errorf("%w\nnothing was written", err)
	}
	categories, sections := i.into.Missing()
	cmd.PrintErrf("nothing was written; an import would make %d articles, %d translations, %d categories and %d sections, change what %d files say, and leave what %d files say already\n",
		i.count[helpcenter.OutcomeNew], i.count[helpcenter.OutcomeTranslation], len(categories), len(sections), i.count[helpcenter.OutcomeChanged], i.count[helpcenter.OutcomeSame])
	return nil
}

// tellMissing tells what would be made before the first article.
func (i *importing) tellMissing(cmd *cobra.Command) {
	categories, sections := i.into.Missing()
	for _, name := range categories {
		tellOutcome(cmd, helpcenter.Outcome{What: "category", Path: name})
	}
	for _, path := range sections {
		tellOutcome(cmd, helpcenter.Outcome{What: "section", Path: path})
	}
}

func readContents(file string, must bool) (articlefiles.Contents, error) {
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) && !must {
		return articlefiles.Contents{}, nil
	}
	if err != nil {
		return articlefiles.Contents{}, err
	}
	return articlefiles.ParseContents(file, data)
}

// list finds the files: all of the directory in one language, or those of each
// folder in the language that it is called.
func (i *importing) list(locale string) error {
	locale = strings.ToLower(locale)
	if enabled := i.into.Locales().Enabled; locale != "" && !slices.Contains(enabled, locale) {
		return usageError{fmt.Errorf("the language %s is not enabled (there are %s)", locale, strings.Join(enabled, ", "))}
	}
	return fs.WalkDir(i.dir, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir() || !articlefiles.Is(name):
			return nil
		}
		of, folder := locale, ""
		if of == "" {
			var ok bool
			folder, _, ok = strings.Cut(name, "/")
			if of = strings.ToLower(folder); !ok || !slices.Contains(i.into.Locales().Enabled, of) {
				return usageError{fmt.Errorf("%s lies in no folder of an enabled language (%s): name one with --locale", name, strings.Join(i.into.Locales().Enabled, ", "))}
			}
		}
		i.files = append(i.files, listedFile{name, of, folder})
		return nil
	})
}

// maxFile is the size of the largest file that is read, in bytes: a body, and front
// matter of which nobody writes as much.
const maxFile = helpcenter.MaxBody + 64<<10

// read reads a file. Its id does not begin with the folder of its language.
func (i *importing) read(l listedFile) (articlefiles.File, error) {
	info, err := fs.Stat(i.dir, l.path)
	if err == nil && info.Size() > maxFile {
		return articlefiles.File{}, articlefiles.Problem{Path: l.path, Line: 1, Text: fmt.Sprintf("the file has %d bytes; the body may have %d", info.Size(), helpcenter.MaxBody)}
	}
	data, err := fs.ReadFile(i.dir, l.path)
	if err != nil {
		var of *fs.PathError
		if errors.As(err, &of) {
			err = of.Err
		}
		return articlefiles.File{}, articlefiles.Problem{Path: l.path, Text: err.Error()}
	}
	f, err := articlefiles.Parse(strings.TrimPrefix(l.path, l.folder+"/"), data)
	f.Path, f.Locale = l.path, l.locale
	var p articlefiles.Problem
	if errors.As(err, &p) {
		p.Path = l.path
		err = p
	}
	if f.SourceLocale == f.Locale {
		f.SourceLocale = ""
	}
	return f, err
}

// maxProblems is how many wrong files are told.
const maxProblems = 100

// check reads all files once, and tells what is wrong with any. Those in the
// languages of their articles then come first.
func (i *importing) check(cmd *cobra.Command) error {
	var problems []error
	var sources, translations []listedFile
	ignored := map[string]int{}
	one := func(l listedFile, check func(articlefiles.File) error) {
		f, err := i.read(l)
		if err == nil {
			err = check(f)
		}
		if err != nil {
			problems = append(problems, err)
		}
	}
	for _, l := range i.files {
		one(l, func(f articlefiles.File) error {
			for _, name := range f.Ignored {
				ignored[name]++
			}
			if f.SourceLocale != "" {
				translations = append(translations, l)
				return nil
			}
			sources = append(sources, l)
			return i.into.Check(f)
		})
	}
	for _, l := range translations {
		one(l, i.into.Check)
	}
	i.files = append(sources, translations...)
	for _, name := range slices.Sorted(maps.Keys(ignored)) {
		cmd.PrintErrf("helpd: %q in the front matter of %d files means nothing here, ignored\n", name, ignored[name])
	}
	if len(problems) == 0 {
		return nil
	}
	for _, p := range problems[:min(len(problems), maxProblems)] {
		cmd.PrintErrln(p)
	}
	return fmt.Errorf("%d files are wrong; nothing was written", len(problems))
}

// A batch is written as a whole; it is full with so many files or bytes.
const (
	batchFiles = 100
	batchBytes = 4 << 20
)

// batch is a number of files, ready to be written.
type batch struct {
	files []articlefiles.File
	ready helpcenter.Rendered
	err   error // why it is not ready; it is the last one then
}

// batches reads the files and makes them ready, while others are written.
func (i *importing) batches(ctx context.Context) <-chan batch {
	out := make(chan batch)
	go func() {
		defer close(out)
		b, bytes := batch{}, 0
		for n, l := range i.files {
			f, err := i.read(l)
			if err == nil {
				b.files, bytes = append(b.files, f), bytes+len(f.Body)
				if len(b.files) < batchFiles && bytes < batchBytes && n < len(i.files)-1 {
					continue
				}
				b.ready, err = i.into.Render(ctx, b.files)
			}
			b.err = err
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
			if b, bytes = (batch{}), 0; err != nil {
				return
			}
		}
	}()
	return out
}

// write writes the files in batches. While one is written, the one before is indexed: no
// search ever waits for more.
func (i *importing) write(ctx context.Context, cmd *cobra.Command, dry bool) (err error) {
	reading, stop := context.WithCancel(ctx)
	defer stop()
	var indexing errgroup.Group
	defer func() { err = cmp.Or(err, indexing.Wait()) }()
	n := 0
	for b := range i.batches(reading) {
		if b.err != nil {
			return b.err
		}
		outcomes, err := i.into.Write(ctx, b.files, b.ready)
		if err != nil {
			return err
		}
		for _, o := range outcomes {
			i.count[o.What]++
			if dry {
				tellOutcome(cmd, o)
			}
		}
		if err := indexing.Wait(); err != nil {
			return err
		}
		if !dry {
			indexing.Go(func() error { return i.into.Index(ctx) })
		}
		n += len(b.files)
		if err := i.tell(int64(n), int64(len(i.files))); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// done is how many files were written.
func (i *importing) done() (n int) {
	for _, c := range i.count {
		n += c
	}
	return n
}

func tellOutcome(cmd *cobra.Command, o helpcenter.Outcome) {
	fmt.Fprintf(cmd.OutOrStdout(), "%-11s  %s\n", o.What, o.Path)
	for _, line := range o.Diff {
		fmt.Fprintf(cmd.OutOrStdout(), "    %s\n", line)
	}
}
