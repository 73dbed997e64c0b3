package engine_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

// pretend is a driver of devices that exist by name only. A device's name says
// which driver opened it.
type pretend struct {
	engine.Device
	found []engine.Found
	alias string // a name that is understood and not listed
	name  string
}

func (p pretend) Devices() []engine.Found { return p.found }
func (p pretend) Name() string            { return p.name }
func (p pretend) Open(name string) (engine.Device, error) {
	if name == "stuck:0" {
		return nil, errStuck
	}
	if name == p.alias || slices.ContainsFunc(p.found, func(f engine.Found) bool { return f.Name == name }) {
		return pretend{name: name}, nil
	}
	if name == "fast:lame" {
		return nil, errDriver
	}
	return nil, engine.ErrUnknownDevice
}

func found(name string, unusable error) engine.Found {
	return engine.Found{Info: engine.Info{Name: name}, Unusable: unusable}
}

var (
	errDriver = errors.New("no driver")
	errStuck  = errors.New("its kernels don't load")
)

// Kinds are registered for the life of the program.
func init() {
	engine.Register("fast", 10, pretend{found: []engine.Found{found("fast:0", errDriver), found("fast:1", nil)}, alias: "fast:both"})
	engine.Register("broken", 20, pretend{found: []engine.Found{found("broken", errDriver)}})
	engine.Register("absent", 30, pretend{})
	engine.Register("stuck", 15, pretend{found: []engine.Found{found("stuck:0", nil), found("stuck:1", nil), found("stuck:all", nil)}})
}

// TestRegistry checks which device Open finds. The kind cpu is registered by
// package cpu, with rank 0.
func TestRegistry(t *testing.T) {
	for _, c := range []struct{ open, want string }{
		{"cpu", "cpu"},
		{"fast:1", "fast:1"},
		{"fast", "fast:1"},
		{"fast:both", "fast:both"},
		{"auto", "stuck:1"}, // stuck:0 is listed as usable and does not open
		{"stuck", "stuck:1"},
		{"stuck:all", "stuck:all"},
	} {
		d, err := engine.Open(c.open)
		if err != nil {
			t.Errorf("open %s: %v", c.open, err)
			continue
		}
		if d.Name() != c.want {
			t.Errorf("open %s: got %s, want %s", c.open, d.Name(), c.want)
		}
		if c.want == "cpu" {
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	for _, name := range []string{"fast:0", "broken", "fast:lame"} {
		if _, err := engine.Open(name); !errors.Is(err, errDriver) || name != "fast:lame" && !strings.Contains(err.Error(), name) {
			t.Errorf("open %s: %v", name, err)
		}
	}
	for _, name := range []string{"", "abacus", "absent", "fast:2", "cpu:0"} {
		if _, err := engine.Open(name); !errors.Is(err, engine.ErrUnknownDevice) || !strings.Contains(err.Error(), "cpu") {
			t.Errorf("open %q: %v", name, err)
		}
	}
	if _, err := engine.Open("stuck:0"); !errors.Is(err, errStuck) {
		t.Errorf("open stuck:0: %v", err)
	}
	_, skipped, err := engine.OpenFirst("auto")
	if err != nil || len(skipped) != 2 || skipped[0].Name != "broken" || !errors.Is(skipped[0].Reason, errDriver) || skipped[1].Name != "stuck:0" || !errors.Is(skipped[1].Reason, errStuck) {
		t.Errorf("skipped for auto: %v, error %v", skipped, err)
	}
	var names []string
	for _, f := range engine.Devices() {
		names = append(names, f.Name)
	}
	if got := strings.Join(names, " "); got != "broken stuck:0 stuck:1 stuck:all fast:0 fast:1 cpu" {
		t.Errorf("devices: %s", got)
	}
	defer func() {
		if recover() == nil {
			t.Error("registering a kind twice did not panic")
		}
	}()
	engine.Register("fast", 0, pretend{})
}

// TestPlanChecks checks that a plan with wrong numbers is refused, in words that
// name them.
func TestPlanChecks(t *testing.T) {
	d, err := cpu.Open(cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	divergence := func(change func(p *engine.ContrastiveDivergence)) engine.Plan {
		p := engine.ContrastiveDivergence{VisibleUnits: 4, HiddenUnits: 3, GibbsSteps: 1, Batch: 2}
		change(&p)
		return p
	}
	denoise := func(change func(p *engine.Denoise)) engine.Plan {
		p := engine.Denoise{VisibleUnits: 4, HiddenUnits: 3, Batch: 2}
		change(&p)
		return p
	}
	for _, c := range []struct {
		name string
		plan engine.Plan
		want string // in the error; nothing if the plan is right
	}{
		{"divergence", divergence(func(p *engine.ContrastiveDivergence) {}), ""},
		{"sizes", divergence(func(p *engine.ContrastiveDivergence) { p.HiddenUnits = 0 }), "0 hidden units"},
		{"Gibbs steps", divergence(func(p *engine.ContrastiveDivergence) { p.GibbsSteps = 0 }), "0 Gibbs steps"},
		{"chains", divergence(func(p *engine.ContrastiveDivergence) { p.Chains = -1 }), "-1 chains"},
		{"visible kind", divergence(func(p *engine.ContrastiveDivergence) { p.Visible = 9 }), "kind of visible units 9"},

		{"denoise", denoise(func(p *engine.Denoise) {}), ""},
		{"batch", denoise(func(p *engine.Denoise) { p.Batch = 0 }), "batch 0"},
		{"corruption level", denoise(func(p *engine.Denoise) { p.Corruption.Level = 1.01 }), "level 1.01"},
		{"noise", denoise(func(p *engine.Denoise) {
			p.Corruption = engine.Corruption{Kind: engine.CorruptionGaussian, Level: -0.1}
		}), "level -0.1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := engine.CompileTraining(d, c.plan)
			_, plain := engine.Plain(d, c.plan)
			if c.want == "" {
				if err != nil || plain != nil {
					t.Errorf("%v; plain: %v", err, plain)
				}
				return
			}
			for _, err := range []error{err, plain} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v lacks %q", err, c.want)
				}
			}
		})
	}
	if _, err := engine.CompileTraining(d, engine.Gibbs{}); err == nil {
		t.Error("a Gibbs chain was compiled for training")
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		got  fmt.Stringer
		want string
	}{
		{engine.Running, "running"}, {engine.StopConverged, "converged"}, {engine.StopSteps, "steps"}, {engine.StopVanished, "vanished"}, {engine.StopReason(9), "StopReason(9)"},
		{engine.Bernoulli, "bernoulli"}, {engine.Gaussian, "gaussian"}, {engine.VisibleKind(9), "VisibleKind(9)"},
	} {
		if c.got.String() != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
