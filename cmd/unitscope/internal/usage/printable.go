package usage

import (
	"strings"
	"unicode"
)

// Printable is text for a terminal: names of files and messages of drivers may hold
// what moves its cursor, or forges another line.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
