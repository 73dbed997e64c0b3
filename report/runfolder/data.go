package runfolder

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/unitscope/unitscope/engine/words"
)

// Data says what a run took a data set for.
type Data struct {
	Role          string `json:"role"`          // the flag that named it, as data or test; validation for what was held out of data
	Specification string `json:"specification"` // as `--data` takes it
	Seed          uint64 `json:"seed"`          // that examples which are made depend on
	Files         int    `json:"files"`         // how many of the run's inputs it was read from
	Examples      int    `json:"examples"`
	Shape         []int  `json:"shape"` // of one example
	// Stored is how numbers were held and what became of them; "" if they are made.
	Stored   string  `json:"stored,omitempty"`
	Low      float32 `json:"low"` // what components can take, or for patches usually take
	High     float32 `json:"high"`
	Labelled bool    `json:"labelled"`
	Classes  int     `json:"classes,omitempty"` // different labels; 0 for none, or where that was not counted
	// Rho is the mean norm of the first RhoExamples examples, after the preprocessing
	// of the model if there is one; 0 where it was not computed.
	Rho         float64  `json:"rho,omitempty"`
	RhoExamples int      `json:"rho_examples,omitempty"`
	Remarks     []string `json:"remarks,omitempty"`
}

// String says in a line what the data were taken for: how many examples of what shape,
// how numbers were stored, labels, and rho.
func (d Data) String() string {
	count := thousands(d.Examples) + " examples"
	if d.Examples == 1 {
		count = "1 example"
	}
	parts := []string{count + " of " + d.shape() + ", " + d.numbers()}
	switch {
	case d.Classes == 1:
		parts = append(parts, "all of one class")
	case d.Classes > 0:
		parts = append(parts, fmt.Sprintf("%d classes", d.Classes))
	case d.Labelled:
		parts = append(parts, "with labels")
	default:
		parts = append(parts, "no labels")
	}
	if d.Rho > 0 {
		of := count
		if d.RhoExamples < d.Examples {
			of = "the first " + thousands(d.RhoExamples)
		}
		parts = append(parts, fmt.Sprintf("rho %.3g (mean norm of %s)", d.Rho, of))
	}
	return strings.Join(parts, "; ")
}

// numbers says how numbers were held, or where they lie if they are made.
func (d Data) numbers() string {
	switch {
	case d.Stored != "":
		return d.Stored
	case d.Low == 0 && d.High == 1:
		return "numbers from 0 to 1"
	}
	return fmt.Sprintf("numbers mostly from %.3g to %.3g", d.Low, d.High)
}

// shape is that of an example, as in "28x28".
func (d Data) shape() string {
	if len(d.Shape) == 1 {
		return words.Count(d.Shape[0], "number")
	}
	var sides []string
	for _, side := range d.Shape {
		sides = append(sides, strconv.Itoa(side))
	}
	return strings.Join(sides, "x")
}

// thousands is a count of 0 or more that people can read: 60,000.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
