package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/unitscope/unitscope/schema"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageStyle string

//go:embed page.js
var pageScript string

// maxPage is how many bytes of pictures one file takes; a report with more is
// split into a file for each layer.
const maxPage = 40 << 20

// page is one file of a report.
type page struct {
	Report  *Report
	Index   bool // the overview is in it
	Layers  []*layer
	Nav     []link
	Style   template.CSS
	Script  template.JS
	Policy  string
	sources []*sheets // of Layers
}

// link leads to a layer's grid.
type link struct {
	Key, Href string
}

// Write writes the files of a report by write, such as runfolder.Folder.Write. When
// ctx ends, it stops after a piece of a file with an error that wraps the context's.
func (r *Report) Write(ctx context.Context, write func(name string, to func(io.Writer) error) error) error {
	parsed, err := parsePage()
	if err != nil {
		return err
	}
	for name, p := range r.pages(maxPage) {
		if err := write(name, func(w io.Writer) error { return p.write(ctx, w, parsed) }); err != nil {
			return err
		}
	}
	return nil
}

// WriteOne writes the whole report as one file, however large it gets.
func (r *Report) WriteOne(ctx context.Context, w io.Writer) error {
	parsed, err := parsePage()
	if err != nil {
		return err
	}
	return r.pages(math.MaxInt)[schema.IndexPage].write(ctx, w, parsed)
}

func parsePage() (*template.Template, error) {
	parsed, err := template.New("page").Funcs(template.FuncMap{"when": when, "seconds": seconds, "size": size, "command": command}).Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return parsed, nil
}

// pages divides the report into files, by their names: into one for each layer if
// their pictures take more than limit bytes.
func (r *Report) pages(limit int) map[string]*page {
	total := 0
	for _, s := range r.sheets {
		total += s.bytes
	}
	split := total > limit
	index := &page{Report: r, Index: true}
	pages := map[string]*page{schema.IndexPage: index}
	var nav []link
	for _, m := range r.Models {
		for _, l := range m.Layers {
			p, name := index, ""
			if split {
				name = schema.LayerPage(len(nav)+1, m.slug, l.Number)
				p = &page{Report: r}
				pages[name] = p
			}
			p.Layers, p.sources = append(p.Layers, l), append(p.sources, r.sheets[l.Key])
			nav = append(nav, link{l.Key, name + "#" + l.Key})
		}
	}
	for _, p := range pages {
		p.Nav = nav
		p.Style, p.Script = template.CSS(pageStyle), template.JS(pageScript)
		p.Policy = fmt.Sprintf("default-src 'none'; img-src data: blob:; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", hash(pageStyle), hash(pageScript))
	}
	return pages
}

// hash is how a content security policy names an inline style or script.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

func (p *page) write(ctx context.Context, w io.Writer, t *template.Template) error {
	var top, bottom bytes.Buffer
	if err := t.ExecuteTemplate(&top, "top", p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if err := t.ExecuteTemplate(&bottom, "bottom", p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if _, err := top.WriteTo(w); err != nil {
		return err
	}
	// Sheets are base64, which needs no escaping; a template would copy them.
	for i, s := range p.sources {
		for k, picture := range s.pictures {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("report: %w", err)
			}
			if _, err := fmt.Fprintf(w, "<script type=\"text/plain\" id=\"sheet-%d-%d\">%s</script>\n", i, k, picture); err != nil {
				return err
			}
		}
	}
	_, err := bottom.WriteTo(w)
	return err
}

func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// seconds are written with so many places; "" if they are not known.
func seconds(s *float64, places int) string {
	if s == nil {
		return ""
	}
	return strconv.FormatFloat(*s, 'f', places, 64)
}

func size(bytes int64) string {
	switch {
	case bytes >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	case bytes >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	}
	return fmt.Sprintf("%d bytes", bytes)
}

// command is a call as a shell takes it.
func command(args []string) string {
	var words []string
	for _, a := range args {
		if a == "" || strings.ContainsFunc(a, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=./:,+@%", r))
		}) {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// Href is the address of a layer's grid.
func (p *page) Href(key string) string {
	for _, l := range p.Nav {
		if l.Key == key {
			return l.Href
		}
	}
	return "#" + key
}
