package engine

import (
	"errors"
	"fmt"
)

// Plan is work that is prepared once for a device and run many times: [Gibbs],
// [ContrastiveDivergence] or [Denoise]. The set is closed, so that devices and the
// conformance suite can switch over all of it.
//
// Every plan has a definition written with a device's primitives only (the
// plain_*.go files of this package). It is what the plan means, what runs on a
// device without a fused version, and what fused versions are tested against.
type Plan interface {
	// check refuses numbers without a meaning.
	check() error
}

// Runner is a prepared plan: a [GibbsRunner] or a [TrainingRunner].
type Runner interface {
	// Close gives back what the plan holds on the device.
	Close() error
}

// ErrNotFused is what Device.Compile and Device.Load return for a plan, or a network,
// that the device has no version of its own for.
var ErrNotFused = errors.New("the device has no fused version of this")

// Layer is one layer of a network as a plan sees it: h = sigmoid(W h_below + b).
type Layer struct {
	Weight Host      // W [units, inputs], as PyTorch's Linear
	Bias   []float32 // b [units]
}

// ErrNotFinite is wrapped by every error about NaN or Inf in parameters,
// activations or data.
var ErrNotFinite = errors.New("NaN or Inf")

// VisibleKind is the distribution of a layer's inputs (section 2 of the paper).
type VisibleKind uint8

// The kinds of visible units.
const (
	Bernoulli VisibleKind = iota // in [0, 1]: p(v=1|h) = sigmoid(W'h + c)
	Gaussian                     // real, unit variance: p(v|h) = N(W'h + c, 1)
)

// String returns "bernoulli" or "gaussian".
func (k VisibleKind) String() string {
	switch k {
	case Bernoulli:
		return "bernoulli"
	case Gaussian:
		return "gaussian"
	}
	return fmt.Sprintf("VisibleKind(%d)", uint8(k))
}

// Parameters of one layer in training, on the device.
type Parameters struct {
	Weight      Matrix // W [hidden, visible]
	Bias        Matrix // b [1, hidden]
	VisibleBias Matrix // c [1, visible]
}

// TrainingState is what training carries from update to update; nothing else
// is needed to go on later, bit for bit.
type TrainingState struct {
	Parameters Parameters
	Velocity   Parameters // of the momentum
	// Chains [chains, hidden] are the hidden states of persistent contrastive
	// divergence; nil for other training.
	Chains Matrix
	// Activity q [1, hidden] is the running mean of p(h=1|v0), of an RBM with a
	// sparsity target or centered; nil for other training. See [ActivityShare].
	Activity Matrix
	// Center mu [1, visible] is the mean of the data, of a centered RBM; it does
	// not change. nil for other training.
	Center  Matrix
	Updates uint32 // done so far; the step of the random numbers
}

// Update is the learning rule of one call of Run:
//
//	velocity  <- Momentum velocity + Rate (gradient - Decay weight)
//	parameter <- parameter + velocity
//
// with the gradient averaged over the batch and Decay applied to weights, not biases.
type Update struct {
	Rate     float32 // > 0
	Momentum float32 // 0 <= Momentum < 1
	Decay    float32 // L2, >= 0
}

// TrainingProgress is what one call of Run did.
type TrainingProgress struct {
	Updates  int
	Examples int64
	// SquaredError is the sum over the examples of ||reconstruction - x||^2. It
	// is NaN or Inf if a reconstruction is not finite.
	SquaredError float64
}

// TrainingRunner runs a [ContrastiveDivergence] or a [Denoise].
type TrainingRunner interface {
	Runner
	// Run makes one update for every Batch rows of data [n, visible], in order;
	// the last batch may be smaller. keys [n] are the examples' identities
	// ([ExampleKey]). State stays on the device between calls.
	Run(s *TrainingState, data Matrix, keys []uint64, u Update) (TrainingProgress, error)
}

// ContrastiveDivergence is one RBM in training by CD-k or, with Chains > 0, by
// persistent CD (section 2.1 of the paper; Hinton, "A Practical Guide to
// Training Restricted Boltzmann Machines", 2010, section 3). The gradient is
//
//	W: h0' v0 - hk' vk   b: h0 - hk   c: v0 - vk
//
// v0 is the data and h0 = p(h=1|v0). CD-k starts its Gibbs chain at states
// drawn from h0. It samples hidden states always, and visible ones except the
// last, vk = E[v|h], which with hk = p(h=1|vk) gives less noisy statistics.
// Persistent CD goes on from the chains' own hidden states and samples the
// last vk too, since its chains must stay true samples of the model; the
// chains' next hidden states are drawn from hk.
//
// Draws at update t and Gibbs step s use Step t*GibbsSteps+s of
// [PurposeHidden] and [PurposeVisible], keyed by example, or by
// ExampleKey(Layer, chain).
//
// Sparsity, Centered and GradientLimit change the gradient in this order; zeros
// leave it as it is.
type ContrastiveDivergence struct {
	VisibleUnits, HiddenUnits int
	Visible                   VisibleKind
	GibbsSteps                int // k, >= 1
	Chains                    int // persistent chains; 0 for CD
	Batch                     int // examples per update
	Layer                     int // 1-based, part of the chains' identity
	Seed                      uint64

	Sparsity Sparsity
	// Centered trains by the gradient of a centered RBM, whose energy is
	//
	//	-(h-q)'W(v-mu) - b'(h-q) - c'(v-mu), and 1/2 ||v||^2 more for Gaussian inputs
	//
	// with the mean mu of the data and the running mean q of h0 as offsets
	// (Melchior, Fischer and Wiskott, "How to Center Deep Boltzmann Machines",
	// Journal of Machine Learning Research 17, 2016). Written for the parameters
	// of a plain RBM, which these are, before and after, with offsets that
	// stand still during the update:
	//
	//	W: (h0-q)'(v0-mu) - (hk-q)'(vk-mu)
	//	b: h0 - hk - S mu   c: v0 - vk - S'q
	//
	// S [hidden, visible] is all that the batch and decay add to W. It learns
	// the same from data and from data with zeros and ones exchanged.
	Centered bool
	// GradientLimit > 0 bounds what one batch can do to a hidden unit: where the
	// norm of Rate times the gradient of the unit's weights (a row of W) is
	// larger, that gradient is scaled down to it. Decay and biases are not
	// limited. The hidden units of an RBM with Gaussian inputs can reconstruct
	// what is far outside the data; without a limit the weights that do so grow
	// at once, and there is no way back.
	GradientLimit float32
}

// Sparsity pushes each hidden unit towards being on for a share Target of the
// examples (Hinton's guide, section 11). The gradient of the unit's activation
// before the sigmoid, averaged over the batch, gets -Cost (q-Target), and with it
//
//	W: -Cost (q-Target)' mean v0   b: -Cost (q-Target)
//
// with q the running mean of h0; in a centered RBM v0-mu stands for v0.
type Sparsity struct {
	Target float32 // share of examples, above 0 and below 1; without Cost, 0
	Cost   float32 // >= 0; 0 for no target
}

// ActivityShare is how much an update's mean of h0 counts for the running mean:
// q <- (1-ActivityShare) q + ActivityShare mean h0. It comes first in an update.
const ActivityShare = 0.01

// Tracks says whether training needs the running mean of its hidden units,
// [TrainingState.Activity].
func (p ContrastiveDivergence) Tracks() bool { return p.Centered || p.Sparsity.Cost > 0 }

// Denoise is one denoising auto-encoder with tied weights in training
// (section 2.2 of the paper):
//
//	y = sigmoid(W C(x) + b)
//	z = sigmoid(W'y + c), loss = -sum_j x_j log z_j + (1-x_j) log(1-z_j)   Bernoulli inputs
//	z = W'y + c,          loss = 1/2 ||z - x||^2                            Gaussian inputs
//
// Both losses have the gradient z - x at the output before its nonlinearity.
// The corruption of update t uses Step t of [PurposeCorruption], keyed by example.
type Denoise struct {
	VisibleUnits, HiddenUnits int
	Visible                   VisibleKind
	Corruption                Corruption
	Batch                     int // examples per update
	Seed                      uint64
}

// CompileTraining prepares a [ContrastiveDivergence] or a [Denoise] on a
// device: the device's own version if it has one, else the definition.
func CompileTraining(d Device, p Plan) (TrainingRunner, error) {
	switch p.(type) {
	case ContrastiveDivergence, Denoise:
		return compile[TrainingRunner](d, p)
	}
	return nil, fmt.Errorf("compile training: %T is not a plan for training", p)
}

func compile[R Runner](d Device, p Plan) (R, error) {
	var none R
	if err := p.check(); err != nil {
		return none, err
	}
	r, err := d.Compile(p)
	if errors.Is(err, ErrNotFused) {
		r, err = plain(d, p)
	}
	if err != nil {
		return none, err
	}
	if _, ok := r.(R); !ok {
		return none, errors.Join(fmt.Errorf("compile %T on %s: it returned a %T, which can't run it", p, d.Name(), r), r.Close())
	}
	return checked(r, p).(R), nil
}

// Plain returns the definition of a plan, written with the device's primitives
// only.
func Plain(d Device, p Plan) (Runner, error) {
	if p == nil {
		return nil, fmt.Errorf("plain: unknown plan %T", p)
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	r, err := plain(d, p)
	if err != nil {
		return nil, err
	}
	return checked(r, p), nil
}

func plain(d Device, p Plan) (Runner, error) {
	switch p := p.(type) {
	case Gibbs:
		return newPlainGibbs(d, p)
	case ContrastiveDivergence:
		return newPlainDivergence(d, p)
	case Denoise:
		return newPlainDenoise(d, p)
	}
	return nil, fmt.Errorf("plain: unknown plan %T", p)
}

// checked is a runner of a plan that checks what it is given, so that no device has to.
func checked(r Runner, p Plan) Runner {
	switch r := r.(type) {
	case GibbsRunner:
		sizes := p.(Gibbs) // without its numbers, which may go
		sizes.Layer, sizes.VisibleBias = Layer{Weight: Host{Rows: sizes.Layer.Weight.Rows, Cols: sizes.Layer.Weight.Cols}}, nil
		return &checkedGibbs{r, sizes}
	case TrainingRunner:
		return &checkedTraining{r, p}
	}
	return r
}

type checkedGibbs struct {
	GibbsRunner
	plan Gibbs
}

// Run implements [GibbsRunner].
func (r *checkedGibbs) Run(s *GibbsState, sweeps int) (GibbsProgress, error) {
	if err := s.check(r.plan, sweeps); err != nil {
		return GibbsProgress{}, err
	}
	return r.GibbsRunner.Run(s, sweeps)
}

type checkedTraining struct {
	TrainingRunner
	plan Plan
}

// Run implements [TrainingRunner].
func (r *checkedTraining) Run(s *TrainingState, data Matrix, keys []uint64, u Update) (TrainingProgress, error) {
	if err := checkTraining(r.plan, s, data, keys, u); err != nil {
		return TrainingProgress{}, err
	}
	return r.TrainingRunner.Run(s, data, keys, u)
}
