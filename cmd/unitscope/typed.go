package main

// typed is what the beginning of a command line leads to.
type typed struct {
	page  page // of the command
	given map[string]bool
	wants *option // the flag whose value comes next, nil for none
}

// readTyped follows words, without the program's own name.
func readTyped(program page, words []string) typed {
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
	name, _, inline := cutFlag(word)
	if name == "" {
		t.enter(word)
		return
	}
	o := t.page.option(name)
	if o == nil {
		return
	}
	for _, n := range o.names {
		t.given[n] = true
	}
	if o.value != "" && !inline {
		t.wants = o
	}
}

// enter goes into the command of a name.
func (t *typed) enter(word string) {
	for _, c := range t.page.commands {
		if lastWord(c.name) == word {
			t.page = c
			return
		}
	}
}

// option is the flag of a name, nil if there is none.
func (p page) option(name string) *option {
	for i, o := range p.options {
		for _, n := range o.names {
			if n == name {
				return &p.options[i]
			}
		}
	}
	return nil
}
