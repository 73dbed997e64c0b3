//go:build linux

package memory_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine/memory"
)

// child is the environment variable by which the test program is a process under
// a limit that allocates what it may.
const child = "UNITSCOPE_MEMORY_PIECES"

func TestMain(m *testing.M) {
	var pieces int
	if _, err := fmt.Sscan(os.Getenv(child), &pieces); err == nil {
		allocate(pieces)
		return
	}
	os.Exit(m.Run())
}

// allocate takes all that is said to be left, in pieces.
func allocate(pieces int) {
	left, ok := memory.Available()
	most, known := memory.Total()
	if !ok || !known {
		fmt.Println("unknown")
		os.Exit(1)
	}
	var held [][]byte
	for range pieces {
		piece := make([]byte, int(left)/pieces)
		for i := 0; i < len(piece); i += 4096 {
			piece[i] = 1
		}
		held = append(held, piece)
	}
	fmt.Println(left, most, len(held))
}

// TestLimits allocates all that is said to be left under a limit: it must be
// there, and most of the limit beyond what a Go program takes of it must have been
// said to be left.
func TestLimits(t *testing.T) {
	if left, ok := memory.Available(); !ok || left < 1<<30 {
		t.Skipf("%d bytes are left here: not enough to try limits", left)
	}
	// A Go program reserves some 1.3 GB of addresses that it may never use, and one
	// with C in it another 72 MiB for each thread.
	addresses := 2200000 + (runtime.GOMAXPROCS(0)+8)*72<<10
	for _, c := range []struct {
		limit         string
		kibibytes     int
		pieces, least int
	}{
		{"-v", addresses, 1, 500 << 20},
		{"-v", addresses, 7, 500 << 20},
		{"-v", addresses, 1000, 500 << 20},
		{"-d", 800000, 1, 500 << 20},
		{"-d", 800000, 7, 500 << 20},
	} {
		t.Run(fmt.Sprint(c.limit, c.pieces), func(t *testing.T) {
			command := exec.Command("bash", "-c", fmt.Sprintf("ulimit %s %d && exec %q", c.limit, c.kibibytes, os.Args[0]))
			command.Env = append(os.Environ(), fmt.Sprintf("%s=%d", child, c.pieces))
			out, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%.500s", err, out)
			}
			var left, most, pieces int
			if _, err := fmt.Sscan(strings.TrimSpace(string(out)), &left, &most, &pieces); err != nil || pieces != c.pieces {
				t.Fatalf("%v in %q", err, out)
			}
			if most > c.kibibytes<<10 || left > most || left < c.least {
				t.Errorf("%d of %d bytes are left under ulimit %s %d", left, most, c.limit, c.kibibytes)
			}
		})
	}
}
