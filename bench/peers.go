package bench

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/unitscope/unitscope/engine"
)

//go:embed peers/*.py
var scripts embed.FS

// PeerKind is another program that can do a workload: a script of the folder
// peers, and how the script is to do it.
type PeerKind struct {
	Name   string // "torch-autograd"
	script string
	mode   string
}

// PeerKinds returns the programs that can do a workload on a device: on a card
// PyTorch alone, with CUDA graphs too.
func PeerKinds(w Workload, d engine.Device) []PeerKind {
	card := onCard(d)
	torch := func(modes ...string) []PeerKind {
		var kinds []PeerKind
		for _, m := range modes {
			kinds = append(kinds, PeerKind{"torch-" + m, "torch_peer.py", m})
		}
		if card {
			kinds = append(kinds, PeerKind{"torch-graph", "torch_peer.py", "graph"})
		}
		return kinds
	}
	switch w.Name {
	case "product":
		if card {
			return torch("eager", "compile")
		}
		return []PeerKind{{"numpy-openblas", "openblas_peer.py", "numpy"}, {"scipy-openblas", "openblas_peer.py", "scipy"}, {"torch-eager", "torch_peer.py", "eager"}}
	case "ascent-wide", "ascent-paper", "ascent-patch":
		return torch("autograd", "manual", "compile")
	case "train-rbm":
		if card {
			return torch("eager", "compile")
		}
		return append(torch("eager", "compile"), PeerKind{"scikit-learn", "sklearn_peer.py", "fit"})
	case "train-dae", "gibbs":
		return torch("eager", "compile")
	}
	return nil
}

// ErrNoPeer is wrapped by the error of a peer that can't run here: a module is
// not installed, or there is no Python.
var ErrNoPeer = errors.New("not available here")

// Peer is another program, ready to do a workload again and again.
type Peer struct {
	Kind    PeerKind
	command *exec.Cmd
	stdin   io.WriteCloser
	output  io.Closer
	stdout  *bufio.Reader
	stderr  *complaints
	folder  string
	version string
}

// StartPeer starts a peer for a workload on the same device, with as many threads
// as a CPU has workers, and waits until it has warmed up. python is the interpreter. An
// error that wraps ErrNoPeer says why the peer can't run here.
func StartPeer(ctx context.Context, python string, k PeerKind, d engine.Device, w Workload, o Options) (p *Peer, err error) {
	if w.Small {
		return nil, fmt.Errorf("%s: %w: other programs do workloads of the whole size only", k.Name, ErrNoPeer)
	}
	path, err := exec.LookPath(python)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %w", k.Name, ErrNoPeer, err)
	}
	p = &Peer{Kind: k, stderr: &complaints{}}
	if p.folder, err = os.MkdirTemp("", "unitscope-peers-"); err != nil {
		return nil, fmt.Errorf("%s: %w", k.Name, err)
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", k.Name, errors.Join(err, p.Close()))
			p = nil
		}
	}()
	if err := writeScripts(p.folder); err != nil {
		return p, err
	}
	steps := o.Steps
	if steps == 0 {
		steps = w.Steps
	}
	workers := threads(d)
	p.command = exec.CommandContext(ctx, path, filepath.Join(p.folder, k.script), "--serve",
		"--workload", w.Name, "--variant", w.Variant, "--mode", k.mode,
		"--steps", fmt.Sprint(steps), "--threads", fmt.Sprint(workers), "--device", peerDevice(d), "--seed", fmt.Sprint(uint32(o.Seed)))
	p.command.Env, p.command.Stderr = PeerEnvironment(os.Environ(), workers), p.stderr
	// Programs that a peer has started and that outlive it are not waited for.
	p.command.WaitDelay = time.Second
	if p.stdin, err = p.command.StdinPipe(); err != nil {
		return p, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return p, err
	}
	p.output, p.stdout = out, bufio.NewReaderSize(out, maxLine)
	if err := p.command.Start(); err != nil {
		p.command = nil
		return p, fmt.Errorf("%w: %w", ErrNoPeer, err)
	}
	return p, p.greet()
}

// onCard says whether a device is a card, or several.
func onCard(d engine.Device) bool { return strings.HasPrefix(d.Name(), "cuda") }

// peerDevice is PyTorch's name of a device. Of several cards a peer takes the first.
func peerDevice(d engine.Device) string {
	_, number, _ := strings.Cut(d.Name(), ":")
	if _, err := strconv.Atoi(number); err != nil {
		number = "0"
	}
	if onCard(d) {
		return "cuda:" + number
	}
	return "cpu"
}

// threads is how many a peer gets: as many as the device has workers, and beside a
// card, whose workers are its own, as many as there are processors.
func threads(d engine.Device) int {
	if onCard(d) {
		return runtime.NumCPU()
	}
	return d.Info().Workers
}

// writeScripts unpacks the scripts, since an interpreter reads them from files.
func writeScripts(folder string) error {
	names, err := scripts.ReadDir("peers")
	if err != nil {
		return err
	}
	for _, n := range names {
		text, err := scripts.ReadFile("peers/" + n.Name())
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, n.Name()), text, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// tuning are variables that, where both are set, slow a current OpenBLAS: it
// reads them as the processor to tune for and its cache.
func tuning() []string { return []string{"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"} }

// PeerTuning says whether the environment has variables that slow OpenBLAS and
// that peers therefore run without.
func PeerTuning(environment []string) bool {
	for _, name := range tuning() {
		if !slices.ContainsFunc(environment, func(e string) bool { return strings.HasPrefix(e, name+"=") }) {
			return false
		}
	}
	return true
}

// PeerEnvironment is the environment of a peer: this one, without what slows
// OpenBLAS, and with the number of threads for every library that has its own.
func PeerEnvironment(environment []string, threads int) []string {
	drop := PeerTuning(environment)
	var kept []string
	for _, e := range environment {
		name, _, _ := strings.Cut(e, "=")
		if !(drop && slices.Contains(tuning(), name)) {
			kept = append(kept, e)
		}
	}
	for _, name := range []string{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"} {
		kept = append(kept, fmt.Sprintf("%s=%d", name, threads))
	}
	return kept
}

// greet reads the first line of a peer: "ready VERSION", or "skip REASON".
func (p *Peer) greet() error {
	line, err := p.line()
	if err != nil {
		return err
	}
	if reason, skip := strings.CutPrefix(line, "skip "); skip {
		return fmt.Errorf("%w: %s", ErrNoPeer, reason)
	}
	version, ready := strings.CutPrefix(line, "ready ")
	if !ready {
		return fmt.Errorf("began with %.80q", line)
	}
	p.version = version
	return nil
}

// maxLine is far beyond what a peer has to say.
const maxLine = 1 << 16

func (p *Peer) line() (string, error) {
	line, err := p.stdout.ReadSlice('\n')
	if err != nil {
		return "", fmt.Errorf("it gave no result (%w): %.200s", err, p.stderr.last())
	}
	return strings.TrimSpace(string(line)), nil
}

// complaints keeps the end of what a peer writes to its standard error, while
// others may look at it.
type complaints struct {
	sync.Mutex
	text []byte
}

// keptComplaints is how much is kept, in bytes.
const keptComplaints = 4096

func (c *complaints) Write(text []byte) (int, error) {
	c.Lock()
	defer c.Unlock()
	c.text = append(c.text, text...)
	c.text = slices.Clone(c.text[max(0, len(c.text)-keptComplaints):])
	return len(text), nil
}

// last is the last line.
func (c *complaints) last() string {
	c.Lock()
	defer c.Unlock()
	lines := strings.Split(strings.TrimSpace(string(c.text)), "\n")
	return lines[len(lines)-1]
}

// peerResult is what a script prints: the keys of Result that it knows.
type peerResult struct {
	Seconds   float64 `json:"seconds"`
	FLOPs     float64 `json:"flops"`
	PerSecond float64 `json:"per_second"`
}

// once has the peer do the workload once.
func (p *Peer) once() (done, float64, error) {
	if _, err := io.WriteString(p.stdin, "run\n"); err != nil {
		return done{}, 0, fmt.Errorf("%s: %w", p.Kind.Name, err)
	}
	line, err := p.line()
	if err != nil {
		return done{}, 0, fmt.Errorf("%s: %w", p.Kind.Name, err)
	}
	var r peerResult
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		return done{}, 0, fmt.Errorf("%s: %w", p.Kind.Name, err)
	}
	if !(r.Seconds > 0) {
		return done{}, 0, fmt.Errorf("%s: it took %g seconds", p.Kind.Name, r.Seconds)
	}
	return done{count: r.PerSecond * r.Seconds, flops: r.FLOPs}, r.Seconds, nil
}

// Version names the peer's library: "torch 2.15.0".
func (p *Peer) Version() string { return p.version }

// Close ends the program.
func (p *Peer) Close() error {
	if p.command != nil {
		// It keeps nothing, so it is killed, whatever it is doing; how it ends is
		// of no interest.
		_ = errors.Join(p.stdin.Close(), p.output.Close(), p.command.Process.Kill(), p.command.Wait())
		p.command = nil
	}
	return os.RemoveAll(p.folder)
}

// visitor is a peer as a contender.
type visitor struct {
	*Peer
	floor floor
}

// quiet is how long a peer's idle threads may keep spinning.
const quiet = 300 * time.Millisecond

func (v *visitor) turn(ctx context.Context) (turn, error) {
	before := v.floor.measure()
	d, seconds, err := v.once()
	if ctx.Err() != nil {
		return turn{}, ctx.Err()
	}
	if err != nil {
		return turn{}, err
	}
	time.Sleep(quiet)
	return turn{done: d, seconds: seconds, peak: (before + v.floor.measure()) / 2}, nil
}

func (v *visitor) describe(r *Result, variant string, _ []string) {
	r.Peer, r.Variant, r.Device = v.version+" ("+v.Kind.mode+")", join(variant, v.Kind.Name), peerDevice(v.floor.device)
}
