package chart

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// span is what an axis shows, from low to high.
type span struct {
	low, high float64
	any       bool // it holds a number
	fraction  bool // a number that it holds is not whole
}

func (s *span) add(v float64) {
	if !s.any {
		s.low, s.high, s.any = v, v, true
	}
	s.low, s.high = min(s.low, v), max(s.high, v)
	s.fraction = s.fraction || v != math.Trunc(v)
}

// counts is true for the span of what is counted, such as epochs and units.
func (s span) counts() bool { return s.any && !s.fraction }

// reach makes the span of Y as long as the axes want it.
func (a Axes) reach(y *span) {
	if a.YLow < a.YHigh {
		y.add(a.YLow)
		y.add(a.YHigh)
	}
}

// wide returns the span with a margin at both ends, relative to its length. A
// span of one number, or of numbers that are nearly equal, becomes wide enough
// to have marks.
func (s span) wide(margin float64, log bool) span {
	if log {
		low, high := math.Log(s.low), math.Log(s.high)
		if high-low < 1e-6 {
			low, high = low-math.Ln2, high+math.Ln2
		}
		length := high - low
		return span{low: math.Exp(low - margin*length), high: math.Exp(high + margin*length), any: true}
	}
	if largest := max(math.Abs(s.low), math.Abs(s.high)); s.high-s.low <= 1e-9*largest || largest < 1/maxNumber {
		half := max(0.5*largest, 1/maxNumber)
		if largest < 1/maxNumber {
			half = 0.5
		}
		return span{low: s.low - half, high: s.high + half, any: true}
	}
	length := s.high - s.low
	return span{low: s.low - margin*length, high: s.high + margin*length, any: true}
}

// base is where bars begin.
func (s span) base() float64 {
	if s.low > 0 {
		return s.low
	}
	return 0
}

// linearTicks marks multiples of 1, 2 or 5 times a power of ten, if whole is true
// of 1 and more.
type linearTicks struct{ whole bool }

// Ticks returns four to ten marks between two values, fewer where there are not as
// many whole numbers.
func (t linearTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	step := math.Pow10(int(math.Floor(math.Log10((high - low) / 4))))
	for _, factor := range []float64{5, 2} {
		if factor*step <= (high-low)/4 {
			step *= factor
			break
		}
	}
	if t.whole {
		step = max(step, 1)
	}
	// Of numbers that are large beside the step, rounding may leave none.
	for k := math.Ceil(low/step - 1e-9); k*step <= high+1e-9*step && len(ticks) < 12; k++ {
		ticks = append(ticks, plot.Tick{Value: k * step, Label: number(k * step)})
	}
	return ticks
}

// logTicks marks powers of ten, and what lies between them where there are few.
type logTicks struct{ whole bool }

// Ticks returns the marks between two values above 0.
func (t logTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	from, to := int(math.Floor(math.Log10(low))), int(math.Ceil(math.Log10(high)))
	decades := math.Log10(high / low)
	every := max(1, int(math.Ceil(decades/6)))
	if decades < 0.3 {
		return linearTicks(t).Ticks(low, high)
	}
	for e := from; e <= to; e++ {
		for m := 1; m < 10; m++ {
			v := float64(m) * math.Pow10(e)
			if v < low || v > high || m > 1 && decades > 8 {
				continue
			}
			tick := plot.Tick{Value: v}
			if m == 1 && e%every == 0 || decades < 2 && (m == 2 || m == 5) || decades < 0.7 {
				tick.Label = number(v)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// number writes a mark's number: 0.25, 1000, 1e6.
func number(v float64) string {
	if v == 0 {
		return "0" // not -0
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if rounded, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 10, 64), 64); err == nil {
		text = strconv.FormatFloat(rounded, 'f', -1, 64)
		if a := math.Abs(rounded); a != 0 && (a >= 1e6 || a < 1e-4) {
			text = exponent(strconv.FormatFloat(rounded, 'e', -1, 64))
		}
	}
	return text
}

// exponent takes the zeros and the plus sign out of 1e+06.
func exponent(text string) string {
	for i := 0; i < len(text); i++ {
		if text[i] != 'e' {
			continue
		}
		power, err := strconv.Atoi(text[i+1:])
		if err != nil {
			return text
		}
		return text[:i+1] + strconv.Itoa(power)
	}
	return text
}
