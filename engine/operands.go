package engine

import "fmt"

// Own is a matrix as its device knows it: what the device says of it to
// [Operands]. Who only uses a device has no use for it.
type Own interface {
	comparable
	Matrix
	// Usable returns an error if the matrix, called name in the operation, has been
	// closed, or its device has.
	Usable(operation, name string) error
	// Place is where the matrix is: on which device, in which memory (a pointer,
	// that of a matrix and its views), and at which element there it begins.
	Place() (on Device, memory any, first int)
}

// Operands takes a device's operands: it checks what the functions Check... can't
// see, that they are on the device, open, and share memory with each other only
// where that is allowed. It remembers the first error. A missing operand is the
// zero M.
type Operands[M Own] struct {
	Device    Device
	Operation string
	Err       error
}

// Take returns an operand of the device, or the zero M if it is nil or wrong.
func (o *Operands[M]) Take(name string, m Matrix) (none M) {
	if m == nil || o.Err != nil {
		return none
	}
	own, ok := m.(M)
	if ok {
		on, _, _ := own.Place()
		ok = on == o.Device
	}
	if !ok {
		o.Err = fmt.Errorf("%s: %s belongs to another device", o.Operation, name)
		return none
	}
	if o.Err = own.Usable(o.Operation, name); o.Err != nil {
		return none
	}
	return own
}

// Apart demands that two operands, if they are there, share no memory.
func (o *Operands[M]) Apart(a string, x M, b string, y M) {
	if shared, _ := o.shared(x, y); shared {
		o.Err = fmt.Errorf("%s: %s shares memory with %s", o.Operation, a, b)
	}
}

// ApartOrSame demands that two operands of the same shape share no memory, or
// all of it.
func (o *Operands[M]) ApartOrSame(a string, x M, b string, y M) {
	if shared, same := o.shared(x, y); shared && !same {
		o.Err = fmt.Errorf("%s: %s shares some of its memory with %s; all or none is allowed", o.Operation, a, b)
	}
}

// shared says whether two operands have an element in common, and whether they
// begin with the same one.
func (o *Operands[M]) shared(x, y M) (shared, same bool) {
	var none M
	if o.Err != nil || x == none || y == none {
		return false, false
	}
	_, memory, first := x.Place()
	_, other, start := y.Place()
	size, length := x.Rows()*x.Cols(), y.Rows()*y.Cols()
	shared = memory == other && size > 0 && length > 0 && first < start+length && start < first+size
	return shared, first == start
}

// TakeElementwise takes the operands of an operation whose dst may be its x itself.
func TakeElementwise[M Own](d Device, operation string, dst, x Matrix) (mdst, mx M, err error) {
	o := Operands[M]{Device: d, Operation: operation}
	mdst, mx = o.Take("dst", dst), o.Take("x", x)
	o.ApartOrSame("dst", mdst, "x", mx)
	return mdst, mx, o.Err
}

// ProductOperands are the operands of a product, with those of its epilogue.
type ProductOperands[M Own] struct{ Dst, A, B, Bias, Hidden, Probability, Norms M }

// TakeProduct takes the operands of a product. What is written shares no memory
// with anything else.
func TakeProduct[M Own](d Device, dst, a, b Matrix, e Epilogue) (p ProductOperands[M], err error) {
	o := Operands[M]{Device: d, Operation: "gemm"}
	p = ProductOperands[M]{Dst: o.Take("dst", dst), A: o.Take("a", a), B: o.Take("b", b), Bias: o.Take("bias", e.Bias)}
	switch e.Kind {
	case EpilogueDerivative:
		p.Hidden = o.Take("hidden", e.Hidden)
	case EpilogueBernoulli:
		p.Probability = o.Take("probability", e.Probability)
	case EpilogueNorms:
		p.Norms = o.Take("norms", e.Norms)
	}
	written := [...]M{p.Dst, p.Probability, p.Norms}
	for i, name := range [...]string{"dst", "probability", "norms"} {
		o.Apart(name, written[i], "a", p.A)
		o.Apart(name, written[i], "b", p.B)
		o.Apart(name, written[i], "bias", p.Bias)
		o.Apart(name, written[i], "hidden", p.Hidden)
		if i > 0 {
			o.Apart(name, written[i], "dst", p.Dst)
		}
	}
	return p, o.Err
}

// TakeReduce takes the operands of a reduction; with is there for [RowDots] only.
func TakeReduce[M Own](d Device, dst, x Matrix, r Reduction) (mdst, mx, with M, err error) {
	o := Operands[M]{Device: d, Operation: "reduce"}
	mdst, mx = o.Take("dst", dst), o.Take("x", x)
	if r.Kind == RowDots {
		with = o.Take("with", r.With)
	}
	o.Apart("dst", mdst, "x", mx)
	o.Apart("dst", mdst, "with", with)
	return mdst, mx, with, o.Err
}

// TakeGather takes the operands of Gather.
func TakeGather[M Own](d Device, dst, src Matrix) (mdst, msrc M, err error) {
	o := Operands[M]{Device: d, Operation: "gather"}
	mdst, msrc = o.Take("dst", dst), o.Take("src", src)
	o.Apart("dst", mdst, "src", msrc)
	return mdst, msrc, o.Err
}

// TakeActivate takes the operands of Activate; slope may be missing.
func TakeActivate[M Own](d Device, h, slope, y Matrix) (mh, mslope, my M, err error) {
	o := Operands[M]{Device: d, Operation: "activate"}
	mh, mslope, my = o.Take("h", h), o.Take("slope", slope), o.Take("y", y)
	o.ApartOrSame("h", mh, "y", my)
	o.Apart("slope", mslope, "h", mh)
	o.Apart("slope", mslope, "y", my)
	return mh, mslope, my, o.Err
}

// TakeColumns takes the operands of CopyColumns.
func TakeColumns[M Own](d Device, dst, src Matrix) (mdst, msrc M, err error) {
	o := Operands[M]{Device: d, Operation: "copy columns"}
	mdst, msrc = o.Take("dst", dst), o.Take("src", src)
	o.Apart("dst", mdst, "src", msrc)
	return mdst, msrc, o.Err
}

// TakeOne takes the operand of an operation that has one only.
func TakeOne[M Own](d Device, operation, name string, m Matrix) (own M, err error) {
	o := Operands[M]{Device: d, Operation: operation}
	own = o.Take(name, m)
	return own, o.Err
}

// TakeGibbs takes the matrices of chains; means may be missing.
func TakeGibbs[M Own](d Device, s *GibbsState) (hidden, visible, means M, err error) {
	o := Operands[M]{Device: d, Operation: "gibbs"}
	hidden, visible, means = o.Take("hidden", s.Hidden), o.Take("visible", s.Visible), o.Take("means", s.Means)
	o.Apart("visible", visible, "hidden", hidden)
	o.Apart("means", means, "hidden", hidden)
	o.Apart("means", means, "visible", visible)
	return hidden, visible, means, o.Err
}

// TrainingOperands are the matrices of a run of a plan for training. Those that the
// plan has no use for are missing.
type TrainingOperands[M Own] struct {
	Data                     M
	Value, Velocity          ParametersOf[M]
	Chains, Activity, Center M
}

// ParametersOf is [Parameters] as a device knows them.
type ParametersOf[M Own] struct{ Weight, Bias, VisibleBias M }

// TakeTraining takes the matrices of a run. No two share memory.
func TakeTraining[M Own](d Device, operation string, s *TrainingState, data Matrix) (t TrainingOperands[M], err error) {
	o := Operands[M]{Device: d, Operation: operation}
	names := [...]string{"data", "weight", "bias", "visible bias", "velocity of weight", "velocity of bias", "velocity of visible bias", "chains", "activity", "center"}
	p, v := s.Parameters, s.Velocity
	var m [len(names)]M
	for i, operand := range [...]Matrix{data, p.Weight, p.Bias, p.VisibleBias, v.Weight, v.Bias, v.VisibleBias, s.Chains, s.Activity, s.Center} {
		m[i] = o.Take(names[i], operand)
		for j := range i {
			o.Apart(names[i], m[i], names[j], m[j])
		}
	}
	return TrainingOperands[M]{
		Data: m[0], Value: ParametersOf[M]{m[1], m[2], m[3]}, Velocity: ParametersOf[M]{m[4], m[5], m[6]},
		Chains: m[7], Activity: m[8], Center: m[9],
	}, o.Err
}
