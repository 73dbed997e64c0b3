package engine

import (
	"fmt"
	"math"
)

// ActivationKind names a nonlinearity.
type ActivationKind uint8

// The activations f(y). Alpha, Beta, Low, High and Slopes are those of [Activation].
const (
	Identity    ActivationKind = iota // y
	Sigmoid                           // 1 / (1 + exp(-y))
	Tanh                              // tanh y
	ReLU                              // max(y, 0)
	LeakyReLU                         // y above 0, else Alpha y
	PReLU                             // y above 0, else Slopes[channel] y
	ELU                               // y above 0, else Alpha (exp(y) - 1)
	GELU                              // y Phi(y), Phi the normal distribution function
	GELUTanh                          // GELU's usual approximation, y/2 (1 + tanh(sqrt(2/pi) (y + 0.044715 y^3)))
	SiLU                              // y sigmoid(y)
	Softplus                          // log(1 + exp(y))
	HardSigmoid                       // min(max(Alpha y + Beta, 0), 1)
	HardSwish                         // y min(max(y/6 + 1/2, 0), 1)
	Clip                              // min(max(y, Low), High)
)

var activationNames = [...]string{
	Identity: "identity", Sigmoid: "sigmoid", Tanh: "tanh", ReLU: "relu", LeakyReLU: "leakyrelu", PReLU: "prelu", ELU: "elu",
	GELU: "gelu", GELUTanh: "gelu-tanh", SiLU: "silu", Softplus: "softplus", HardSigmoid: "hardsigmoid", HardSwish: "hardswish", Clip: "clip",
}

// String returns the activation's name in lower case, as files and flags have it.
func (k ActivationKind) String() string {
	if int(k) < len(activationNames) {
		return activationNames[k]
	}
	return fmt.Sprintf("ActivationKind(%d)", uint8(k))
}

// ParseActivation returns the activation of a name that [ActivationKind.String]
// returns, with the parameters that frameworks take unless they are told otherwise.
// Those with a parameter for each channel, or without a usual one, have no such
// name.
func ParseActivation(name string) (Activation, error) {
	var known []string
	for k, n := range activationNames {
		kind := ActivationKind(k)
		if kind == PReLU || kind == Clip {
			continue
		}
		if n == name {
			return UsualActivation(kind), nil
		}
		known = append(known, n)
	}
	return Activation{}, fmt.Errorf("activation %.40q: want one of %v", name, known)
}

// UsualActivation is an activation with PyTorch's defaults: LeakyReLU 0.01, ELU 1,
// HardSigmoid y/6 + 1/2.
func UsualActivation(k ActivationKind) Activation {
	switch k {
	case LeakyReLU:
		return Activation{Kind: k, Alpha: 0.01}
	case ELU:
		return Activation{Kind: k, Alpha: 1}
	case HardSigmoid:
		return Activation{Kind: k, Alpha: 1. / 6, Beta: 0.5}
	}
	return Activation{Kind: k}
}

// Activation is a nonlinearity f, applied to each element of what an operation has
// computed. The zero Activation is the identity.
type Activation struct {
	Kind        ActivationKind
	Alpha, Beta float32   // of LeakyReLU, ELU and HardSigmoid
	Low, High   float32   // of Clip; infinite for no bound
	Slopes      []float32 // of PReLU, one a channel
}

// Channels is how many channels the activation tells apart: 1 but for PReLU.
func (a Activation) Channels() int {
	if a.Kind == PReLU {
		return max(1, len(a.Slopes))
	}
	return 1
}

// At returns f(y) and its slope f'(y) in float64: what every device's float32 is
// checked against. channel chooses the slope of PReLU. At a kink the slope is the
// one of the side where f is flatter, as in PyTorch: 0 for ReLU at 0, and for Clip at
// its bounds.
func (a Activation) At(y float64, channel int) (h, slope float64) {
	switch a.Kind {
	case Identity:
		return y, 1
	case Sigmoid:
		h = sigmoid64(y)
		return h, h * (1 - h)
	case Tanh:
		s := sigmoid64(-2 * math.Abs(y)) // 1 - tanh^2 has no digits left where tanh is 1
		return math.Tanh(y), 4 * s * (1 - s)
	case ReLU:
		return rectified(y, 0)
	case LeakyReLU:
		return rectified(y, float64(a.Alpha))
	case PReLU:
		return rectified(y, float64(a.Slopes[channel]))
	case ELU:
		if y > 0 {
			return y, 1
		}
		return float64(a.Alpha) * math.Expm1(y), float64(a.Alpha) * math.Exp(y)
	case GELU:
		below := math.Erfc(-y/math.Sqrt2) / 2
		return times(y, below), below + times(y, math.Exp(-y*y/2)/math.Sqrt(2*math.Pi))
	case GELUTanh:
		return geluTanh(y)
	case SiLU:
		s := sigmoid64(y)
		return times(y, s), s + times(y, s*(1-s))
	case Softplus:
		return math.Max(y, 0) + math.Log1p(math.Exp(-math.Abs(y))), sigmoid64(y)
	case HardSigmoid:
		return clipped(float64(a.Alpha)*y+float64(a.Beta), 0, 1, float64(a.Alpha))
	case HardSwish:
		return hardSwish(y)
	case Clip:
		return clipped(y, float64(a.Low), float64(a.High), 1)
	}
	return math.NaN(), math.NaN()
}

func sigmoid64(y float64) float64 { return 1 / (1 + math.Exp(-y)) }

func rectified(y, below float64) (h, slope float64) {
	switch {
	case y > 0 || y != y:
		return y, 1
	case below == 0:
		return 0, 0 // of -Inf too
	}
	return below * y, below
}

// times is y f where f vanishes faster than any y grows.
func times(y, f float64) float64 {
	if f == 0 {
		return 0
	}
	return y * f
}

func geluTanh(y float64) (h, slope float64) {
	const scale, cubic = 0.7978845608028654, 0.044715 // sqrt(2/pi)
	// (1 + tanh u)/2 is sigmoid(2u), which keeps its digits where tanh is -1.
	s := sigmoid64(2 * scale * (y + cubic*y*y*y))
	return times(y, s), s + times(2*y*scale*(1+3*cubic*y*y), s*(1-s))
}

func hardSwish(y float64) (h, slope float64) {
	switch {
	case y < -3:
		return 0, 0
	case y <= 3:
		return y * (y/6 + 0.5), y/3 + 0.5
	}
	return y, 1 // NaN too
}

func clipped(y, low, high, within float64) (h, slope float64) {
	switch {
	case y <= low:
		return low, 0
	case y >= high:
		return high, 0
	}
	return y, within
}

// Check refuses parameters without a meaning; channels is how many the activation
// is applied to.
func (a Activation) Check(channels int) error {
	number := func(name string, x float32) error {
		if x-x != 0 {
			return fmt.Errorf("%s: %s %g: %w", a.Kind, name, x, ErrNotFinite)
		}
		return nil
	}
	switch a.Kind {
	case LeakyReLU, ELU:
		return number("alpha", a.Alpha)
	case HardSigmoid:
		if err := number("beta", a.Beta); err != nil {
			return err
		}
		return number("alpha", a.Alpha)
	case Clip:
		if !(a.Low <= a.High) {
			return fmt.Errorf("clip: bounds %g and %g, want the lower one first", a.Low, a.High)
		}
	case PReLU:
		if len(a.Slopes) != channels {
			return fmt.Errorf("prelu: %d slopes for %d channels", len(a.Slopes), channels)
		}
		if !finite(a.Slopes) {
			return fmt.Errorf("prelu: slopes: %w", ErrNotFinite)
		}
	case Identity, Sigmoid, Tanh, ReLU, GELU, GELUTanh, SiLU, Softplus, HardSwish:
	default:
		return fmt.Errorf("there is no activation %s", a.Kind)
	}
	return nil
}
