package visualize

import (
	"fmt"

	"github.com/unitscope/unitscope/engine/dense"
)

// Dendrogram is how the restarts of one unit were agglomerated, see [Modes].
type Dendrogram struct {
	// Restarts [N] are those that found something, in the order of the leaves:
	// restarts that were joined early stand side by side.
	Restarts []int
	// Joins [N-1] are in their order, from the most similar groups on.
	Joins []DendrogramJoin
}

// DendrogramJoin joins two groups. A group is a number: restart Restarts[k] is
// k, and what join j makes is N+j.
type DendrogramJoin struct {
	A, B   int
	Cosine float64 // between their least similar members
}

// Dendrogram returns the tree of unit number u of the result, whose modes are
// the groups that are left when joins below the threshold are undone. A unit
// without a restart that found anything has neither restarts nor joins.
func (r *ModesResult) Dendrogram(u int) (*Dendrogram, error) {
	units, all := len(r.Units), r.Restarts
	if u < 0 || u >= units {
		return nil, fmt.Errorf("dendrogram: unit number %d of %d", u, units)
	}
	cosines, err := dense.Data(r.Cosines)
	if err != nil {
		return nil, fmt.Errorf("dendrogram: %w", err)
	}
	if len(r.Mode) != units*all || len(cosines) != units*all*all {
		return nil, fmt.Errorf("dendrogram: %d units with %d restarts, %d modes and %d cosines", units, all, len(r.Mode), len(cosines))
	}
	var found []int
	for k, mode := range r.Mode[u*all : (u+1)*all] {
		if mode >= 0 {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return &Dendrogram{}, nil
	}
	t := linkage(len(found), func(i, j int) float32 { return cosines[(u*all+found[i])*all+found[j]] })
	return t.dendrogram(found), nil
}

// dendrogram names groups by numbers and puts the leaves, which are these
// restarts, into an order in which no two lines of the tree cross.
func (t tree) dendrogram(restarts []int) *Dendrogram {
	d := &Dendrogram{}
	group := make([]int, t.n) // that each thing is the first member of
	leaves := make([][]int, t.n, 2*t.n)
	for i := range group {
		group[i], leaves[i] = i, []int{i}
	}
	for k, j := range t.joins {
		a, b := group[j.a], group[j.b]
		d.Joins = append(d.Joins, DendrogramJoin{a, b, float64(j.similarity)})
		leaves = append(leaves, append(append([]int(nil), leaves[a]...), leaves[b]...))
		group[j.a] = t.n + k
	}
	place := make([]int, t.n)
	for at, leaf := range leaves[len(leaves)-1] {
		place[leaf] = at
		d.Restarts = append(d.Restarts, restarts[leaf])
	}
	for k := range d.Joins {
		for _, g := range []*int{&d.Joins[k].A, &d.Joins[k].B} {
			if *g < t.n {
				*g = place[*g]
			}
		}
	}
	return d
}
