package dataset

import (
	"fmt"
	"math"
)

// part is a run of examples of another set.
type part struct {
	of          Set
	from, count int
	size        int // of an example
}

func newPart(s Set, from, count int) *part { return &part{s, from, count, s.Info().Size()} }

// Head is the first n examples of a set, or the set itself if it has no more
// than n. n below 1 is an error. [Info] stays the whole set's, and closing the
// head closes the set.
func Head(s Set, n int) (Set, error) {
	if n < 1 {
		return nil, fmt.Errorf("first %d examples: want at least 1", n)
	}
	if n >= s.Len() {
		return s, nil
	}
	return newPart(s, 0, n), nil
}

// Split holds out the last validation examples of a set: train is the rest,
// held the ones held out, which may be none. A train without examples is an
// error. Closing either closes the set, which can be done twice.
func Split(s Set, validation int) (train, held Set, err error) {
	if validation < 0 || validation >= s.Len() {
		return nil, nil, fmt.Errorf("hold out %d of %d examples: want 0 to %d", validation, s.Len(), s.Len()-1)
	}
	rest := s.Len() - validation
	return newPart(s, 0, rest), newPart(s, rest, validation), nil
}

func (p *part) Info() Info { return p.of.Info() }

func (p *part) Len() int { return p.count }

func (p *part) Read(dst []float32, indices []int) error {
	if err := checkRead(dst, indices, p.count, p.size); err != nil {
		return err
	}
	if p.from == 0 {
		return p.of.Read(dst, indices)
	}
	moved := make([]int, len(indices))
	for i, index := range indices {
		moved[i] = p.from + index
	}
	return p.of.Read(dst, moved)
}

func (p *part) Label(index int) (int, bool) {
	if index < 0 || index >= p.count {
		return 0, false
	}
	return p.of.Label(p.from + index)
}

func (p *part) Close() error { return p.of.Close() }

// meanNormFloats is about how many numbers MeanNorm holds at a time.
const meanNormFloats = 1 << 19

// MeanNorm is the mean Euclidean norm of the first limit examples of a set (not
// evenly spaced ones), of all if limit is 0 or more than there are: rho, the radius of the sphere that activation maximization
// climbs on (section 3 of the paper). It is summed in float64, in order.
func MeanNorm(s Set, limit int) (float64, error) {
	if limit < 0 {
		return 0, fmt.Errorf("mean norm: of the first %d examples: want 0 or more", limit)
	}
	count := s.Len()
	if limit > 0 {
		count = min(count, limit)
	}
	if count == 0 {
		return 0, fmt.Errorf("mean norm: the set has no examples")
	}
	size := s.Info().Size()
	rows := min(count, max(1, meanNormFloats/max(1, size)))
	batch := make([]float32, rows*size)
	indices := make([]int, rows)
	sum := 0.0
	for from := 0; from < count; from += rows {
		n := min(count-from, rows)
		for i := range n {
			indices[i] = from + i
		}
		if err := s.Read(batch[:n*size], indices[:n]); err != nil {
			return 0, fmt.Errorf("mean norm: %w", err)
		}
		for i := range n {
			sum += norm(batch[i*size : (i+1)*size])
		}
	}
	return sum / float64(count), nil
}

func norm(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}

// Spread returns at most count of the numbers 0 to n-1, evenly spaced from 0 on: some of
// a set's examples, or of a layer's units.
func Spread(n, count int) []int {
	spread := make([]int, min(n, count))
	for i := range spread {
		spread[i] = int(int64(i) * int64(n) / int64(len(spread)))
	}
	return spread
}
