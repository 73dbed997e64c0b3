// Package bench holds the standard workloads, which say how fast a device is,
// and runs them beside the same work in other programs. `unitscope bench` is
// this package's face.
//
// The machines that this runs on are shared, so a number of seconds alone means
// little. Every run of a workload is therefore enclosed by two measurements of
// the device's own floor, the rate of multiply-adds on registers, and what is
// reported is the run whose fraction of that floor is the median of several.
// Other programs ([Peer]) take turns with ours: A B A B.
//
// A workload checks its result before its number counts: a few rows again in
// float64, or the first update again by the definition ([engine.Plain]).
//
// # The workloads
//
//	product       [512, 1000] x [1000, 1000]
//	ascent-wide   784-1000-1000-1000, layer 3, 1000 units x 9 restarts, 200 steps
//	ascent-paper  the same network, 36 units x 9 restarts, 1000 steps
//	ascent-patch  144-400-400-400, layer 3, 144 units x 9 restarts, 500 steps
//	ascent-mass   the wide network, 1000 units x 1000 restarts by visualize.Ascend
//	train-rbm     784-1000 RBM, CD-1, batches of 100 and of 1000, 60,000 examples
//	train-dae     784-1000 tied auto-encoder, 25 % masked, the same batches
//	gibbs         1000-1000 RBM, one unit held, 4096 chains, 1000 sweeps
//	deform        a million deformed digits
//
// Floating-point operations are those of the matrix products: per row and step
// of an ascent 4 times the weights below the target layer; per example in
// training 10 times the weights (five products), 7.84 million at 784-1000; per
// chain and sweep 4 times the weights.
package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/unitscope/unitscope/dataset"
	"github.com/unitscope/unitscope/engine"
)

// Result is what a contender achieved on a workload. It is one object of the
// file that `unitscope bench --json` writes.
type Result struct {
	Workload  string  `json:"workload"`
	Variant   string  `json:"variant"`   // "b100/avx512": batch, if there are several, and instruction set; or the peer
	Device    string  `json:"device"`    // "cpu", "cuda:0", ...
	Hardware  string  `json:"hardware"`  // the processor or card, by its own name; "Emulated GPU" is none
	Precision string  `json:"precision"` // "fp32"
	Seconds   float64 `json:"seconds"`
	FLOPs     float64 `json:"flops"`
	GFLOPs    float64 `json:"gflops"`      // per second; 0 where products are not the work
	Peak      float64 `json:"peak_gflops"` // measured right before and after; 0 if the device can't tell
	Fraction  float64 `json:"fraction"`    // GFLOPs / Peak
	PerSecond float64 `json:"per_second"`
	Unit      string  `json:"unit"` // what PerSecond counts: "row-steps", "examples", ...

	// Peer is the program that did it, "" for this one.
	Peer string `json:"peer,omitempty"`
	// Memory is the peak working set of the process in bytes, for workloads that
	// are about it; 0 for others.
	Memory int64 `json:"-"`
}

// Options say how to run workloads.
type Options struct {
	Seed uint64 // of weights, starts and states
	// Steps shortens a workload: products, steps of an ascent, updates of
	// training, sweeps, or thousands of examples. 0 is the whole workload.
	Steps   int
	Repeats int // runs of each contender, >= 1; the median counts
	// Data are the examples of train-rbm, train-dae and deform; nil means random
	// ones, a pixel in eight on. Training takes the first 60,000 at most.
	Data dataset.Set
	// Floor is how long the floor is measured before and after each run; 0
	// means 50 milliseconds.
	Floor time.Duration
}

// Workload is one piece of standard work.
type Workload struct {
	Name    string // "train-rbm"
	Variant string // "b100"; "" if there is only one
	What    string // a line for people
	Steps   int    // of the whole workload
	Unit    string // what is counted
	// Small is set for the sizes of [SmallWorkloads].
	Small bool
	// host is set for work that the processor does, whatever the device.
	host    bool
	prepare func(kit *kit, o Options) (job, error)
}

// kit is what a workload is made with: the device, and what is made on it.
type kit struct {
	device   engine.Device
	matrices engine.Matrices
	made     []interface{ Close() error }
}

func (k *kit) matrix(rows, cols int) (engine.Matrix, error) {
	return k.matrices.New(k.device, rows, cols)
}

// keep has c closed with the workload.
func (k *kit) keep(c interface{ Close() error }) { k.made = append(k.made, c) }

func (k *kit) close() error {
	var errs []error
	for _, c := range k.made {
		errs = append(errs, c.Close())
	}
	errs = append(errs, k.matrices.Close())
	return errors.Join(errs...)
}

// job is a workload made ready on a device.
type job interface {
	// reset puts back what a run changes. It is not timed.
	reset() error
	// run does the work once.
	run(ctx context.Context) (done, error)
	// check compares the results of the latest run with what they must be.
	check() error
}

// done is what a run has done.
type done struct {
	count  float64 // in the workload's unit
	flops  float64
	memory int64
}

// Run runs a workload on a device, taking turns with peers, and returns its
// result followed by theirs in order. Errors name the workload. When ctx ends,
// so does Run, with an error that wraps the context's.
func Run(ctx context.Context, d engine.Device, w Workload, o Options, peers ...*Peer) (results []Result, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", w.title(), err)
		}
	}()
	if o.Repeats < 1 || o.Steps < 0 {
		return nil, fmt.Errorf("%d repeats of %d steps, want at least 1 repeat, and 0 steps or more", o.Repeats, o.Steps)
	}
	if o.Steps == 0 {
		o.Steps = w.Steps
	}
	k := &kit{device: d}
	defer func() { err = errors.Join(err, k.close()) }()
	j, err := w.prepare(k, o)
	if err != nil {
		return nil, err
	}
	contenders := []contender{&own{job: j, floor: floor{d, o.Floor}}}
	for _, p := range peers {
		contenders = append(contenders, &visitor{Peer: p, floor: floor{d, o.Floor}})
	}
	turns := make([][]turn, len(contenders))
	for range o.Repeats {
		for i, c := range contenders {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			t, err := c.turn(ctx)
			if err != nil {
				return nil, err
			}
			turns[i] = append(turns[i], t)
		}
	}
	if err := j.check(); err != nil {
		return nil, fmt.Errorf("the result is wrong: %w", err)
	}
	for i, c := range contenders {
		r := Result{Workload: w.Name, Precision: "fp32", Unit: w.Unit}
		info := w.where(d)
		r.Device, r.Hardware = info.Name, info.Description
		c.describe(&r, join(w.Variant, w.size()), info.Features)
		results = append(results, median(turns[i]).result(r))
	}
	return results, nil
}

// title is the name with the variant: "train-rbm/b100".
func (w Workload) title() string { return join(w.Name, w.Variant) }

// size is part of the variant of every result that is not of the whole size.
func (w Workload) size() string {
	if w.Small {
		return "small"
	}
	return ""
}

// where is what does the work: the device, or the processor for work of the host.
func (w Workload) where(d engine.Device) engine.Info {
	if !w.host || d.Name() == "cpu" {
		return d.Info()
	}
	for _, found := range engine.Devices() {
		if found.Name == "cpu" {
			return engine.Info{Name: found.Name, Description: found.Description}
		}
	}
	return engine.Info{Name: "cpu"}
}

// join joins the parts that are not empty: "b100/avx512".
func join(parts ...string) string {
	var full []string
	for _, p := range parts {
		if p != "" {
			full = append(full, p)
		}
	}
	return strings.Join(full, "/")
}
