package visualize

// tree is how n things were agglomerated: the joins in their order, from the
// most similar groups to the least similar.
type tree struct {
	n     int
	joins []join
}

// join puts the group of which b is the first member into that of a < b.
type join struct {
	a, b       int
	similarity float32 // of their least similar members
}

// linkage agglomerates n things by complete linkage. Of equally similar pairs
// of groups the one whose first members come first is joined first.
func linkage(n int, similarity func(i, j int) float32) tree {
	t := tree{n: n}
	g := groups{n: n, similar: make([]float32, n*n), gone: make([]bool, n), nearest: make([]int, n)}
	for i := range n {
		for j := range i {
			s := similarity(j, i)
			g.similar[i*n+j], g.similar[j*n+i] = s, s
		}
	}
	for i := range n {
		g.look(i)
	}
	for len(t.joins) < n-1 {
		t.joins = append(t.joins, g.join())
	}
	return t
}

// groups is the state of linkage. A group is known by its first member.
type groups struct {
	n       int
	similar []float32 // [n, n] of two groups
	gone    []bool    // [n] it has gone into another group
	nearest []int     // [n] the most similar of the groups after it, -1 if there is none
}

// look finds the most similar of the groups after i.
func (g *groups) look(i int) {
	g.nearest[i] = -1
	for j := i + 1; j < g.n; j++ {
		if !g.gone[j] && (g.nearest[i] < 0 || g.similar[i*g.n+j] > g.similar[i*g.n+g.nearest[i]]) {
			g.nearest[i] = j
		}
	}
}

// join joins the two most similar groups.
func (g *groups) join() join {
	a := -1
	for i, j := range g.nearest {
		if !g.gone[i] && j >= 0 && (a < 0 || g.similar[i*g.n+j] > g.similar[a*g.n+g.nearest[a]]) {
			a = i
		}
	}
	b := g.nearest[a]
	made := join{a, b, g.similar[a*g.n+b]}
	g.gone[b] = true
	for k := range g.n {
		if s := min(g.similar[a*g.n+k], g.similar[b*g.n+k]); !g.gone[k] && k != a {
			g.similar[a*g.n+k], g.similar[k*g.n+a] = s, s
		}
	}
	// Groups become less similar only: whoever had another nearest one keeps it.
	for k := range b {
		if !g.gone[k] && (k == a || g.nearest[k] == a || g.nearest[k] == b) {
			g.look(k)
		}
	}
	return made
}

// cut returns the group of each thing when groups less similar than threshold
// are not joined. Groups are numbered by their first members.
func (t tree) cut(threshold float64) []int {
	parent := make([]int, t.n)
	for i := range parent {
		parent[i] = i
	}
	for _, j := range t.joins {
		if float64(j.similarity) < threshold {
			break
		}
		parent[j.b] = j.a
	}
	group, count := make([]int, t.n), 0
	for i, p := range parent {
		if p == i {
			group[i] = count
			count++
		} else {
			group[i] = group[p]
		}
	}
	return group
}
