package engine

import "errors"

// plainGibbs is the definition of [Gibbs].
type plainGibbs struct {
	plan        Gibbs
	fixed       workspace
	weight      Matrix // [hidden, visible]
	bias        Matrix // [1, hidden]
	visibleBias Matrix // [1, visible]
}

func newPlainGibbs(d Device, p Gibbs) (*plainGibbs, error) {
	r := &plainGibbs{plan: p, fixed: workspace{device: d}}
	r.weight = r.fixed.upload(p.Layer.Weight)
	r.bias = r.fixed.upload(Host{Rows: 1, Cols: len(p.Layer.Bias), Data: p.Layer.Bias})
	r.visibleBias = r.fixed.upload(Host{Rows: 1, Cols: len(p.VisibleBias), Data: p.VisibleBias})
	if r.fixed.err != nil {
		return nil, errors.Join(r.fixed.err, r.Close())
	}
	return r, nil
}

func (r *plainGibbs) Close() error { return r.fixed.Close() }

// sampling is one call of Run.
type sampling struct {
	*plainGibbs
	workspace
	state *GibbsState
	held  Matrix // [chains, hidden] 1 at the held units, 0 elsewhere
	norms Matrix // [chains, 1]
}

// Close gives back what the call has used.
func (g *sampling) Close() error { return g.workspace.Close() }

// Run implements [GibbsRunner].
func (r *plainGibbs) Run(s *GibbsState, sweeps int) (progress GibbsProgress, err error) {
	if sweeps <= 0 {
		return progress, nil
	}
	g := &sampling{plainGibbs: r, workspace: workspace{device: r.fixed.device}, state: s}
	defer func() { err = errors.Join(err, g.Close()) }()
	g.held = g.upload(Host{Rows: len(s.Clamp), Cols: r.plan.Layer.Weight.Rows, Data: r.plan.held(s.Clamp, 0)})
	g.norms = g.matrix(len(s.Clamp), 1)
	for ; sweeps > 0 && g.err == nil; sweeps-- {
		if g.sweep(s.Sweeps + 1); g.err == nil {
			s.Sweeps++
			progress.Sweeps++
			progress.ChainSweeps += int64(len(s.Clamp))
		}
	}
	g.finite(s.Hidden)
	g.finite(s.Visible)
	return progress, g.err
}

func (g *sampling) sweep(step uint32) {
	s, p := g.state, &g.plan
	g.visible(p.at(PurposeGibbsVisible, step, s.Keys))

	up := Multiply(false, true)
	up.Epilogue = Epilogue{Kind: EpilogueSigmoid, Bias: g.bias}
	g.gemm(s.Hidden, s.Visible, g.weight, up)
	// A probability of 1 or more always gives the state 1, since no uniform
	// number reaches 1; adding 0 leaves the others as they are.
	g.axpby(s.Hidden, 1, g.held, 1)
	g.bernoulli(s.Hidden, s.Hidden, p.at(PurposeGibbsHidden, step, s.Keys))
}

// visible draws from p(v|h).
func (g *sampling) visible(at Stream) {
	s := g.state
	means := s.Means
	if means == nil {
		means = s.Visible
	}
	g.gemm(means, s.Hidden, g.weight, reconstruct(g.plan.Visible, g.visibleBias))
	if g.plan.Visible == Gaussian {
		g.gaussian(s.Visible, means, 1, at)
	} else {
		g.bernoulli(s.Visible, means, at)
	}
}

// finite fails at the first chain whose states are not all finite.
func (g *sampling) finite(states Matrix) {
	norms := make([]float32, len(g.state.Clamp))
	g.reduce(g.norms, states, Total(RowNorms))
	g.read(norms, g.norms)
	for row, norm := range norms {
		if norm-norm != 0 && g.err == nil {
			g.err = g.state.NotFinite(row)
		}
	}
}
