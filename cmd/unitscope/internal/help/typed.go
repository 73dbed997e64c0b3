package help

import (
	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// typed is what the beginning of a command line leads to.
type typed struct {
	page  Page // of the command
	given map[string]bool
	wants *Option // the flag whose value comes next, nil for none
}

// readTyped follows words, without the program's own name.
func readTyped(program Page, words []string) typed {
	t := typed{page: program, given: map[string]bool{}}
	if len(words) > 0 && words[0] == "help" {
		words = words[1:]
	}
	for _, word := range words {
		t.read(word)
	}
	return t
}

// read follows one more word; one that means nothing here leads nowhere else.
func (t *typed) read(word string) {
	if t.wants != nil {
		t.wants = nil
		return
	}
	name, _, inline := usage.CutFlag(word)
	if name == "" {
		t.enter(word)
		return
	}
	o := t.page.Option(name)
	if o == nil {
		return
	}
	for _, n := range o.Names {
		t.given[n] = true
	}
	if o.Value != "" && !inline {
		t.wants = o
	}
}

// enter goes into the command of a name.
func (t *typed) enter(word string) {
	if c := t.page.Command(word); c != nil {
		t.page = *c
	}
}

// Command is the command of a name in a group, nil if there is none.
func (p Page) Command(name string) *Page {
	for i, c := range p.Commands {
		if lastWord(c.Name) == name {
			return &p.Commands[i]
		}
	}
	return nil
}

// Option is the flag of a name, nil if there is none.
func (p Page) Option(name string) *Option {
	for i, o := range p.Options {
		for _, n := range o.Names {
			if n == name {
				return &p.Options[i]
			}
		}
	}
	return nil
}
