package kernel

// Smallest finds the picked smallest of the draws words[j]>>1, ties to the
// lower j, as engine.Corruption defines a random subset: they are the draws
// below limit and the first ties of those that equal it.
func (s *Set) Smallest(words []uint32, picked int) (limit uint32, ties int) {
	const end = 1 << 31 // above every draw
	if picked >= len(words) {
		return end, 0
	}
	// count is how many draws are below; below <= picked < above always.
	low, high := int64(0), int64(end)
	below, above := 0, len(words)
	for bisect := false; below < picked && high-low > 1; bisect = !bisect {
		// Draws are spread evenly, so a straight line finds the place in a few
		// turns; halving every other time bounds them whatever the draws are.
		middle := low + int64(float64(high-low)*(float64(picked-below)/float64(above-below)))
		if bisect {
			middle = (low + high) / 2
		}
		middle = min(max(middle, low+1), high-1)
		if n := s.CountBelow(words, uint32(2*middle)); n <= picked {
			low, below = middle, n
		} else {
			high, above = middle, n
		}
	}
	return uint32(low), picked - below
}
