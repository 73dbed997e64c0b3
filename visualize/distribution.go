package visualize

import "math"

// distribution counts numbers as they come, in memory that does not grow with them. How
// they are counted depends on the numbers and not on their order: bins are the intervals
// [i w, (i+1) w) with a power of two as w, the smallest for which fineBins of them
// hold all that has come. Where a number lies outside, w doubles until it fits, and the
// counts of neighbours are added, so that they stay exact.
type distribution struct {
	n                  int
	least, largest     float64
	atLeast, atLargest int     // how many are these very numbers
	from, to           float64 // what the bins hold
	counts             []uint32
	exponent           int     // of w
	scale              float64 // 1/w
	first              int64   // i of counts[0]
}

// fineBins is how many bins there are at most. More than half of them are in use, so
// that w is less than 1/2000 of the range.
const fineBins = 1 << 12

// within gives the bins a range that they hold in any case.
func (d *distribution) within(low, high float64) {
	d.from, d.to = low, high
	d.open()
}

// add takes in a number that is finite as a float32.
func (d *distribution) add(x float64) {
	if d.n == 0 {
		d.least, d.largest = x, x
		if d.counts == nil {
			d.from, d.to = x, x
		}
	}
	d.n++
	if x < d.least {
		d.least, d.atLeast = x, 0
	} else if x > d.largest {
		d.largest, d.atLargest = x, 0
	}
	if x == d.least {
		d.atLeast++
	}
	if x == d.largest {
		d.atLargest++
	}
	if x < d.from || x > d.to {
		d.widen(x)
	}
	if d.counts != nil {
		d.counts[d.bin(x)]++
	}
}

// bin is where a number is counted that the bins hold. One that is the end of the last of
// fineBins has a place of its own, behind it.
func (d *distribution) bin(x float64) int64 { return int64(math.Floor(x*d.scale)) - d.first }

// widen makes the bins hold a number beyond them.
func (d *distribution) widen(x float64) {
	before := *d
	d.from, d.to = min(d.from, x), max(d.to, x)
	if before.counts == nil {
		d.open()
		d.counts[d.bin(before.from)] += uint32(d.n - 1) // all were the same
		return
	}
	exponent := binExponent(d.from, d.to, fineBins)
	first := int64(math.Floor(math.Ldexp(d.from, -exponent)))
	if exponent == before.exponent && first == before.first {
		return
	}
	d.open()
	for i, n := range before.counts {
		if n > 0 {
			d.counts[(before.first+int64(i))>>(d.exponent-before.exponent)-d.first] += n
		}
	}
}

// open makes empty bins for what they are to hold.
func (d *distribution) open() {
	d.counts = make([]uint32, fineBins+1)
	d.exponent = binExponent(d.from, d.to, fineBins)
	d.scale = math.Ldexp(1, -d.exponent)
	d.first = int64(math.Floor(d.from * d.scale))
}

// binExponent is the smallest e for which so many bins of the width 2^e hold a range.
// That of a range is never smaller than that of a part of it.
func binExponent(from, to float64, bins int64) int {
	_, e := math.Frexp((to - from) / float64(bins))
	for e -= 2; ; e++ {
		if int64(math.Ceil(math.Ldexp(to, -e)))-int64(math.Floor(math.Ldexp(from, -e))) <= bins {
			return e
		}
	}
}

// histogram counts the numbers in so many wider bins, at most 64, and says the edges of
// these, one more: the least multiple of w as their width for which they hold what the finer ones
// do, at multiples of it. As in numpy the last bin has its upper edge, too. Numbers that
// are all the same are in the first.
func (d *distribution) histogram(bins int) (edges []float64, counts []int) {
	counts = make([]int, bins)
	low, high, exponent := math.Floor(d.from*d.scale), math.Ceil(d.to*d.scale), d.exponent
	if d.counts == nil {
		_, exponent = math.Frexp(d.from)
		exponent -= 6
		low = math.Floor(math.Ldexp(d.from, -exponent))
		high = low
		counts[0] = d.n
	}
	width := max(1, math.Ceil((high-low)/float64(bins)))
	for math.Ceil(high/width)-math.Floor(low/width) > float64(bins) {
		width++
	}
	first := math.Floor(low / width)
	for i := range bins + 1 {
		edges = append(edges, math.Ldexp((first+float64(i))*width, exponent))
	}
	for i, n := range d.counts {
		if n > 0 {
			at := math.Floor(float64(d.first+int64(i))/width) - first
			counts[min(int(at), bins-1)] += int(n)
		}
	}
	return edges, counts
}

// quantiles are, for percentages in ascending order, the number that so many percent
// are at or below: of n sorted ones that at place percent n/100, rounded up. It is known
// to half of w, less than a 4000th of what the bins hold, and exactly where it is the
// least number or the largest.
func (d *distribution) quantiles(percents []int) (all []float64) {
	bin, below := -1, 0
	for _, p := range percents {
		place := max(1, (p*d.n+99)/100)
		switch {
		case d.counts == nil || place <= d.atLeast:
			all = append(all, d.least)
			continue
		case place > d.n-d.atLargest:
			all = append(all, d.largest)
			continue
		}
		for below < place {
			bin++
			below += int(d.counts[bin])
		}
		middle := math.Ldexp(float64(d.first+int64(bin))+0.5, d.exponent)
		all = append(all, max(d.least, min(d.largest, middle)))
	}
	return all
}
