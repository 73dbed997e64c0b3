package words

import (
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"strings"
)

// Documentation is the doc comment of a function of a Go source file, or that of
// its package for "", as text for a program's help: what go doc says and what the
// program says are then the same. Paragraphs are one line each and parted by empty
// lines; lines of code begin with two spaces; headings end with a colon.
func Documentation(source []byte, function string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return "", fmt.Errorf("documentation: %w", err)
	}
	group := file.Doc
	if function != "" {
		group = nil
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == function && f.Recv == nil {
				group = f.Doc
			}
		}
	}
	if group == nil {
		return "", fmt.Errorf("documentation: %q has none", function)
	}
	// Links to names of the package are names.
	reader := comment.Parser{LookupSym: func(_, name string) bool { return token.IsExported(name) }}
	var parts []string
	for _, block := range reader.Parse(group.Text()).Content {
		parts = append(parts, blockText(block))
	}
	return strings.Join(parts, "\n\n"), nil
}

// blockText is a part of a doc comment.
func blockText(block comment.Block) string {
	if heading, ok := block.(*comment.Heading); ok {
		block = &comment.Paragraph{Text: heading.Text}
		return blockText(block) + ":"
	}
	printer := comment.Printer{TextWidth: -1, TextCodePrefix: "  "}
	return strings.TrimRight(string(printer.Text(&comment.Doc{Content: []comment.Block{block}})), "\n")
}
