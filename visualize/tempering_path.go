package visualize

import (
	"math"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
	"github.com/unitscope/unitscope/engine/words"
)

// temperingPath leads from an RBM to units that know nothing of each other. Its
// distributions, for inverse temperatures beta from 1 to 0, are the geometric averages
// p_beta ~ p_model^beta p_base^(1-beta), as annealed importance sampling has them. Each is
// an RBM again: weights are beta W, and biases those of the model and of the base, in
// these shares. A unit that is held stays at 1 in all of them.
//
// The base has about the means that the model's own units have, hidden ones too. So
// weights act on how units deviate from their means, at every beta.
type temperingPath struct {
	model       engine.Gibbs
	visibleBias []float32 // of the base
	hiddenBias  []float32
}

// at is the RBM at an inverse temperature; at 1 it is the model to the bit.
func (p *temperingPath) at(beta float64) engine.Gibbs {
	if beta == 1 {
		return p.model
	}
	q := p.model
	q.Layer.Weight.Data = make([]float32, len(p.model.Layer.Weight.Data))
	for i, w := range p.model.Layer.Weight.Data {
		q.Layer.Weight.Data[i] = float32(beta * float64(w))
	}
	q.Layer.Bias = between(p.hiddenBias, p.model.Layer.Bias, beta)
	q.VisibleBias = between(p.visibleBias, p.model.VisibleBias, beta)
	return q
}

// between are biases of the base and of the model in the shares of an inverse temperature.
func between(base, model []float32, beta float64) []float32 {
	mixed := make([]float32, len(base))
	for i, b := range base {
		mixed[i] = float32((1-beta)*float64(b) + beta*float64(model[i]))
	}
	return mixed
}

// weigher weighs hidden states at one inverse temperature.
type weigher struct {
	beta                float64
	visibleBias, hidden []float64 // biases of the path there
	real                bool      // the visible units are Gaussian
}

func (p *temperingPath) weigher(beta float64) weigher {
	w := weigher{beta: beta, real: p.model.Visible == engine.Gaussian}
	w.hidden = make([]float64, len(p.hiddenBias))
	for i, b := range p.hiddenBias {
		w.hidden[i] = (1-beta)*float64(b) + beta*float64(p.model.Layer.Bias[i])
	}
	w.visibleBias = make([]float64, len(p.visibleBias))
	for j, c := range p.visibleBias {
		w.visibleBias[j] = (1-beta)*float64(c) + beta*float64(p.model.VisibleBias[j])
	}
	return w
}

// logarithm is log p_beta(h), the visible units summed out, but for what is the same
// for all h that hold the same unit. reach [visible] is h W.
func (w *weigher) logarithm(h, reach []float32) float64 {
	sum := 0.0
	for i, on := range h {
		if on != 0 {
			sum += w.hidden[i]
		}
	}
	if w.real {
		for j, x := range reach {
			a := w.visibleBias[j] + w.beta*float64(x)
			sum += a * a / 2
		}
		return sum
	}
	return sum + w.softplus(reach)
}

// softplus is the sum of log(1 + exp(a)) over the visible units.
func (w *weigher) softplus(reach []float32) float64 {
	const (
		// The product of up to so many factors of 1 to 2 is finite, and takes one
		// logarithm.
		factors = 512
		// Beyond it exp(-a) adds nothing to 1.
		beyond = 40
	)
	sum, product := 0.0, 1.0
	for j, x := range reach {
		a := w.visibleBias[j] + w.beta*float64(x)
		away := math.Abs(a)
		sum += a + away // twice the greater of a and 0
		if away < beyond {
			product *= 1 + math.Exp(-away)
		}
		if j%factors == factors-1 {
			sum, product = sum+2*math.Log(product), 1
		}
	}
	return sum/2 + math.Log(product)
}

// ladder is a path at some inverse temperatures, which fall from 1 to 0; with one it is
// the model alone.
type ladder struct {
	temperingPath
	device engine.Device
	betas  []float64
	rungs  []engine.GibbsRunner
	weigh  []weigher // [rungs], none for one temperature
	own    engine.Matrices
	weight engine.Matrix // W, nil for one temperature
}

func newLadder(d engine.Device, p temperingPath, betas []float64) (*ladder, error) {
	l := &ladder{temperingPath: p, device: d, betas: betas}
	err := l.compile()
	if err == nil {
		return l, nil
	}
	closeInto(&err, l)
	if len(betas) > 1 {
		return nil, memory.Explain(d, "the layer at "+words.Count(len(betas), "temperature"), "fewer temperatures or "+smaller, err)
	}
	return nil, memory.Explain(d, "the layer", smaller, err)
}

func (l *ladder) compile() error {
	for _, beta := range l.betas {
		rung, err := engine.CompileGibbs(l.device, l.at(beta))
		if err != nil {
			return err
		}
		l.rungs = append(l.rungs, rung)
	}
	if len(l.betas) == 1 {
		return nil
	}
	for _, beta := range l.betas {
		l.weigh = append(l.weigh, l.weigher(beta))
	}
	var err error
	l.weight, err = l.own.Upload(l.device, l.model.Layer.Weight)
	return err
}

// Close gives the device's memory back.
func (l *ladder) Close() (err error) {
	for _, rung := range l.rungs {
		closeInto(&err, rung)
	}
	closeInto(&err, &l.own)
	return err
}
