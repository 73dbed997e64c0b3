package bench

// Pair is our result on a workload beside that of the best peer.
type Pair struct {
	Ours, Best Result
	// Ratio is how much more we do in the time: each rate as a share of the floor
	// around its own run, where there is one.
	Ratio float64
}

// Compare pairs each of our results with the best of the peers' results that
// follow it, as [Run] returns them. Results without peers have no pair.
func Compare(results []Result) []Pair {
	var pairs []Pair
	for i, ours := range results {
		if ours.Peer != "" {
			continue
		}
		var best *Pair
		for _, peer := range results[i+1:] {
			if peer.Peer == "" {
				break
			}
			if p := (Pair{ours, peer, ratio(ours, peer)}); best == nil || p.Ratio < best.Ratio {
				best = &p
			}
		}
		if best != nil {
			pairs = append(pairs, *best)
		}
	}
	return pairs
}

func ratio(ours, peer Result) float64 {
	r := ours.PerSecond / peer.PerSecond
	if ours.Peak > 0 && peer.Peak > 0 {
		r *= peer.Peak / ours.Peak
	}
	return r
}
