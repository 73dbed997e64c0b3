package numpy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The header of an npy file is a literal of Python, and numpy reads it as Python
// does: any spacing, quotes and order, trailing commas or none, 7L for 7 where
// Python 2 wrote it.

// tuple and list are Python's; its strings, whole numbers, truth values, None and
// dictionaries are string, int, bool, nil and map[string]any.
type (
	tuple []any
	list  []any
)

// maxNesting is more than any type that numpy can describe in a header has use for.
const maxNesting = 32

// literal reads a literal of Python from text, piece by piece.
type literal struct {
	text  string
	depth int
}

// parseLiteral is the value of the one literal that text holds.
func parseLiteral(text string) (any, error) {
	l := &literal{text: text}
	value, err := l.value()
	if err != nil {
		return nil, err
	}
	if l.skip(); l.text != "" {
		return nil, fmt.Errorf("%.20q follows its end", l.text)
	}
	return value, nil
}

// skip skips what means nothing: white space, lines that are continued, comments.
func (l *literal) skip() {
	for {
		l.text = strings.TrimLeft(l.text, " \t\r\n\f")
		if !strings.HasPrefix(l.text, "#") {
			return
		}
		_, l.text, _ = strings.Cut(l.text, "\n")
	}
}

// next takes a byte of punctuation if it comes next.
func (l *literal) next(punctuation byte) bool {
	l.skip()
	if l.text == "" || l.text[0] != punctuation {
		return false
	}
	l.text = l.text[1:]
	return true
}

func (l *literal) value() (any, error) {
	if l.depth++; l.depth > maxNesting {
		return nil, errors.New("it is nested too deep")
	}
	defer func() { l.depth-- }()
	switch {
	case l.next('('):
		return l.parentheses()
	case l.next('['):
		items, _, err := l.items(']')
		return list(items), err
	case l.next('{'):
		return l.dictionary()
	}
	if l.text == "" {
		return nil, errors.New("it ends too early")
	}
	switch c := l.text[0]; {
	case c == '\'' || c == '"' || startsString(l.text):
		return l.quoted()
	case c == '-' || c == '+' || c >= '0' && c <= '9':
		return l.number()
	}
	return l.name()
}

// parentheses are those of a tuple, or around one value.
func (l *literal) parentheses() (any, error) {
	items, comma, err := l.items(')')
	if err == nil && len(items) == 1 && !comma {
		return items[0], nil
	}
	return tuple(items), err
}

// items are values up to a closing bracket; comma is true if one follows the last.
func (l *literal) items(closing byte) (items []any, comma bool, err error) {
	for !l.next(closing) {
		if len(items) > 0 && !comma && l.text != "" {
			return nil, false, fmt.Errorf("%.20q where a comma or %c should be", l.text, closing)
		}
		item, err := l.value()
		if err != nil {
			return nil, false, err
		}
		items = append(items, item)
		comma = l.next(',')
	}
	return items, comma, nil
}

// dictionary has strings for keys. Of a key that comes twice the last counts.
func (l *literal) dictionary() (any, error) {
	entries := map[string]any{}
	for comma := true; !l.next('}'); comma = l.next(',') {
		if !comma && l.text != "" {
			return nil, fmt.Errorf("%.20q where a comma or } should be", l.text)
		}
		key, err := l.value()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok || !l.next(':') {
			return nil, fmt.Errorf("%.20q where a name and a colon should be", l.text)
		}
		if entries[name], err = l.value(); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

// startsString is true of a string that Python 2 marks as one of Unicode.
func startsString(text string) bool {
	return len(text) > 1 && (text[0] == 'u' || text[0] == 'U') && (text[1] == '\'' || text[1] == '"')
}

// quoted is a string in either kind of quotes, or several in a row, which are one.
func (l *literal) quoted() (any, error) {
	var b strings.Builder
	for {
		if startsString(l.text) {
			l.text = l.text[1:]
		}
		if err := l.unquote(&b); err != nil {
			return nil, err
		}
		l.skip()
		if l.text == "" || l.text[0] != '\'' && l.text[0] != '"' && !startsString(l.text) {
			return b.String(), nil
		}
	}
}

func (l *literal) unquote(b *strings.Builder) error {
	quote := l.text[0]
	l.text = l.text[1:]
	for l.text != "" {
		if l.text[0] == quote {
			l.text = l.text[1:]
			return nil
		}
		if l.text[0] == '\n' {
			break
		}
		if rest, ok := strings.CutPrefix(l.text, "\\\n"); ok {
			l.text = rest
			continue
		}
		if l.text[0] != '\\' {
			_, size := utf8.DecodeRuneInString(l.text)
			b.WriteString(l.text[:size])
			l.text = l.text[size:]
			continue
		}
		c, _, rest, err := strconv.UnquoteChar(l.text, quote)
		if err != nil {
			return fmt.Errorf("%.20q is no character of a string", l.text)
		}
		b.WriteRune(c)
		l.text = rest
	}
	return errors.New("a string does not end")
}

// number is a whole number, of any base that Python has.
func (l *literal) number() (any, error) {
	end := 1
	for end < len(l.text) && isWord(l.text[end]) {
		end++
	}
	text := l.text[:end]
	l.text = l.text[end:]
	digits := strings.TrimLeft(strings.TrimRight(text, "lL"), "+-")
	n, err := strconv.ParseInt(strings.TrimRight(text, "lL"), 0, strconv.IntSize)
	if errors.Is(err, strconv.ErrRange) {
		return nil, fmt.Errorf("%.40s is too large for this machine's address space", text)
	}
	// Python has no 07, and Go takes it for octal.
	if octal := len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'; err != nil || octal {
		return nil, fmt.Errorf("%.20q is no whole number", text)
	}
	return int(n), nil
}

// name is one of the values that have names.
func (l *literal) name() (any, error) {
	end := 0
	for end < len(l.text) && isWord(l.text[end]) {
		end++
	}
	word := l.text[:end]
	switch word {
	case "True", "False":
		l.text = l.text[end:]
		return word == "True", nil
	case "None":
		l.text = l.text[end:]
		return nil, nil
	}
	return nil, fmt.Errorf("%.20q is no value", l.text)
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
