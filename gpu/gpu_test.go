//go:build cuda

package gpu

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/enginetest"
)

// needCard skips a test where no card, real or emulated, can be used, unless
// UNITSCOPE_REQUIRE names cuda.
func needCard(t testing.TB) {
	t.Helper()
	d, err := engine.Open("cuda")
	if err == nil {
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	if strings.Contains(","+os.Getenv("UNITSCOPE_REQUIRE")+",", ",cuda,") {
		t.Fatal(err)
	}
	t.Skipf("no card to test on (%v); make test-emulated runs this on an emulated one", err)
}

func openCard(t testing.TB) engine.Device {
	t.Helper()
	d, err := engine.Open("cuda")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestConformance(t *testing.T) {
	needCard(t)
	enginetest.Run(t, func(t *testing.T) engine.Device { return openCard(t) })
}

// TestManyKeys checks random numbers for more rows than a segment of the ring
// has room for keys.
func TestManyKeys(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	const rows = segmentBytes/8 + 77
	at := engine.Stream{Seed: 5, Purpose: engine.PurposeHidden, Step: 3, Keys: make([]uint64, rows)}
	for i := range at.Keys {
		at.Keys[i] = engine.ExampleKey(1, int64(i)*7)
	}
	m, err := d.New(rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	drawn := make([]float32, rows)
	if err := errors.Join(d.Uniform(m, at), m.Read(drawn)); err != nil {
		t.Fatal(err)
	}
	for i, u := range drawn {
		if want := at.Uniform(i, 0); u != want {
			t.Fatalf("row %d: %g, want %g", i, u, want)
		}
	}
}

// TestOneByOne checks that waiting for every launch changes no bit, and that
// without memory kept for later every matrix has its own.
func TestOneByOne(t *testing.T) {
	needCard(t)
	var results [2][]float32
	for i, sync := range []string{"0", "1"} {
		t.Setenv(syncVariable, sync)
		d := openCard(t)
		const m, n, k = 70, 65, 33
		a, b, dst, norms := fill(t, d, m, k), fill(t, d, n, k), fill(t, d, m, n), fill(t, d, m, 1)
		p := engine.Multiply(false, true)
		p.Epilogue = engine.Epilogue{Kind: engine.EpilogueNorms, Norms: norms}
		results[i] = make([]float32, m*n+m)
		if err := errors.Join(d.Gemm(dst, a, b, p), dst.Read(results[i][:m*n]), norms.Read(results[i][m*n:]), d.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for i, x := range results[0] {
		if x != results[1][i] {
			t.Fatalf("number %d: %g, one by one %g", i, x, results[1][i])
		}
	}
}

func fill(t *testing.T, d engine.Device, rows, cols int) engine.Matrix {
	t.Helper()
	m, err := d.New(rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]float32, rows*cols)
	for i := range data {
		data[i] = float32((i*i*31+rows)%101)/50 - 1
	}
	if err := m.Write(data); err != nil {
		t.Fatal(err)
	}
	return m
}
