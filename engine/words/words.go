// Package words is what libraries say to people: numbers of things in sentences, "1
// unit", "2 units", "3 classes", what is wrong with an option, [OptionError], and which
// word was meant, [Nearest].
package words

import (
	"fmt"
	"strings"
)

// Count is a number of things, each of which noun is the word for.
func Count[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s", n, Plural(noun))
}

// Plural is the word for several of what noun is the word for.
func Plural(noun string) string {
	for _, ending := range []string{"s", "x", "tch", "sh"} {
		if strings.HasSuffix(noun, ending) {
			return noun + "es"
		}
	}
	return noun + "s"
}
