//go:build cuda

package gpu

import (
	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/operand"
	"github.com/unitscope/unitscope/kernels"
)

func (d *device) Activate(h, slope, y engine.Matrix, a engine.Activation) error {
	if err := d.open("activate"); err != nil {
		return err
	}
	mh, mslope, my, err := operand.Activate[*matrix](d, h, slope, y, a)
	if err != nil {
		return err
	}
	return d.activate(mh, mslope, my, a)
}

// activate is Activate once everything has been checked; mslope may be missing.
func (d *device) activate(mh, mslope, my *matrix, a engine.Activation) (err error) {
	if my.size() == 0 {
		return nil
	}
	what := label{operation: "activate", operands: [4]named{mh.called("h"), mslope.called("slope"), my.called("y")}}
	arguments := activateArguments{
		h: mh.at(), slope: mslope.at(), y: my.at(), kind: int(a.Kind),
		alpha: a.Alpha, beta: a.Beta, low: a.Low, high: a.High,
		channels: a.Channels(), share: my.cols / a.Channels(), count: my.size(),
	}
	done := func() error { return nil }
	if a.Kind == engine.PReLU {
		if arguments.slopes, done, err = d.lend(bytesOf(a.Slopes), &what); err != nil {
			return err
		}
	}
	if err := d.launch(callActivate(arguments), kernels.Blocks(int64(my.size())), what); err != nil {
		return err
	}
	return done()
}
