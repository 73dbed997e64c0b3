package bench_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/bench"
)

// TestPeersOfACard: beside a card run only programs that use the same card.
func TestPeersOfACard(t *testing.T) {
	cpu := open(t, "")
	for _, w := range bench.Workloads() {
		for _, k := range bench.PeerKinds(w, elsewhere{cpu, "cuda:1"}) {
			if !strings.HasPrefix(k.Name, "torch-") {
				t.Errorf("%s: %s does not run on a card", title(w), k.Name)
			}
		}
	}
	w := bench.SmallWorkloads()[0]
	if _, err := bench.StartPeer(t.Context(), "python3", bench.PeerKinds(w, cpu)[0], cpu, w, quick()); !errors.Is(err, bench.ErrNoPeer) {
		t.Errorf("a peer of a small workload: %v", err)
	}
}

// interpreter is a stand-in for one, a shell script.
func interpreter(t *testing.T, script string) string {
	t.Helper()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("the stand-in is a shell script: ", err)
	}
	path := t.TempDir() + "/python"
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPeerDevice: a peer is told PyTorch's name of the device; of several cards it
// takes the first.
func TestPeerDevice(t *testing.T) {
	cpu, w := open(t, ""), bench.Workloads()[0]
	echo := interpreter(t, `echo "skip $*"`)
	for name, want := range map[string]string{"cpu": "cpu", "cuda:1": "cuda:1", "cuda:all": "cuda:0"} {
		d := elsewhere{cpu, name}
		_, err := bench.StartPeer(t.Context(), echo, bench.PeerKinds(w, d)[0], d, w, quick())
		if !errors.Is(err, bench.ErrNoPeer) || !strings.Contains(err.Error(), " --device "+want+" ") {
			t.Errorf("%s is not %s to PyTorch: %v", name, want, err)
		}
	}
}

func TestPeerEnvironment(t *testing.T) {
	both := []string{"HOME=/", "OPENBLAS_CORETYPE=Haswell", "OPENBLAS_L2_SIZE=1"}
	got := bench.PeerEnvironment(both, 3)
	if want := []string{"HOME=/", "OMP_NUM_THREADS=3", "OPENBLAS_NUM_THREADS=3", "MKL_NUM_THREADS=3"}; !slices.Equal(got, want) || !bench.PeerTuning(both) {
		t.Errorf("both set: %v", got)
	}
	if got := bench.PeerEnvironment(both[:2], 1); !slices.Contains(got, both[1]) || bench.PeerTuning(both[:2]) {
		t.Errorf("one set: %v", got)
	}
}

// TestPeers talks to a stand-in for an interpreter.
func TestPeers(t *testing.T) {
	d := open(t, "")
	w := bench.Workloads()[0]
	kind := bench.PeerKinds(w, d)[0]
	start := func(t *testing.T, script string) (*bench.Peer, error) {
		return bench.StartPeer(t.Context(), interpreter(t, script), kind, d, w, quick())
	}
	t.Run("takes turns", func(t *testing.T) {
		p, err := start(t, `echo ready stand-in 1; while read line; do echo '{"seconds": 0.5, "flops": 1e9, "per_second": 4}'; done`)
		if err != nil {
			t.Fatal(err)
		}
		defer closeForTest(t, p)
		results, err := bench.Run(t.Context(), d, w, quick(), p)
		if err != nil {
			t.Fatal(err)
		}
		if len(results) != 2 || results[1].GFLOPs != 2 || results[1].PerSecond != 4 || results[1].Variant != kind.Name || results[1].Peer == "" {
			t.Errorf("results %+v", results)
		}
	})
	for name, c := range map[string]struct {
		script  string
		missing bool
	}{
		"a module is missing": {"echo skip no module named torch", true},
		"it crashes":          {"echo trouble >&2; exit 1", false},
		"it babbles":          {"echo hello", false},
		"a line without end":  {"head -c 1000000 /dev/zero", false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := start(t, c.script)
			if err == nil {
				closeForTest(t, p)
				t.Fatal("no error")
			}
			if errors.Is(err, bench.ErrNoPeer) != c.missing {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("no interpreter", func(t *testing.T) {
		if _, err := bench.StartPeer(t.Context(), "no-such-python", kind, d, w, quick()); !errors.Is(err, bench.ErrNoPeer) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("it dies at work", func(t *testing.T) {
		p, err := start(t, "echo ready x; read line; echo nonsense")
		if err != nil {
			t.Fatal(err)
		}
		defer closeForTest(t, p)
		if _, err := bench.Run(t.Context(), d, w, quick(), p); err == nil {
			t.Error("no error")
		}
	})
}

func closeForTest(t *testing.T, p *bench.Peer) {
	t.Helper()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
