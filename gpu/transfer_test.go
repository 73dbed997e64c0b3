//go:build cuda

package gpu

import (
	"errors"
	"testing"

	"github.com/unitscope/unitscope/engine"
)

// TestWritesAmongOperations checks that an operation before a write sees what was
// there, and one after it what was written, while the card is far behind: with
// copies of all sizes, more of them than the ring holds.
func TestWritesAmongOperations(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	const rows = 4
	for _, bytes := range []int{4 * rows, overlapBytes - 4*rows, overlapBytes, segmentBytes, segmentBytes + overlapBytes} {
		cols := bytes / (4 * rows)
		written, sum := fill(t, d, rows, cols), fill(t, d, rows, cols)
		data, want := make([]float32, rows*cols), make([]float32, rows*cols)
		if err := sum.Read(want); err != nil {
			t.Fatal(err)
		}
		times := 3 + min(segments*segmentBytes/bytes, 20)
		for k := range times {
			for i := range data {
				data[i] = float32((i+3*k)%1000 - 500)
				want[i] += data[i]
			}
			if err := errors.Join(written.Write(data), d.Axpby(sum, 1, written, 1)); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]float32, rows*cols)
		if err := sum.Read(got); err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("%d bytes, %d times: element %d is %g, want %g", bytes, times, i, got[i], want[i])
			}
		}
		if err := errors.Join(written.Close(), sum.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLargeKeys checks random numbers whose keys have a stream of their own to
// travel by.
func TestLargeKeys(t *testing.T) {
	needCard(t)
	d := openCard(t)
	defer d.Close()
	const rows = overlapBytes/8 + 5
	m, err := d.New(rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	for step := range uint32(3) {
		at := engine.Stream{Seed: 5, Purpose: engine.PurposeHidden, Step: step, Keys: make([]uint64, rows)}
		for i := range at.Keys {
			at.Keys[i] = engine.ExampleKey(1, int64(i)+int64(step)*rows)
		}
		drawn := make([]float32, rows)
		if err := errors.Join(d.Uniform(m, at), m.Read(drawn)); err != nil {
			t.Fatal(err)
		}
		for i, u := range drawn {
			if want := at.Uniform(i, 0); u != want {
				t.Fatalf("step %d, row %d: %g, want %g", step, i, u, want)
			}
		}
	}
}

// TestMissingWaitShows checks that the tests above test something: on the emulated
// card an operation that does not wait for a copy of another stream never sees it.
func TestMissingWaitShows(t *testing.T) {
	needCard(t)
	if engine.Devices()[0].Description != "Emulated GPU" {
		t.Skip("on a real card it may see it")
	}
	opened := openCard(t)
	defer opened.Close()
	d := opened.(*device)
	m, err := d.New(1, 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.Write([]float32{1, 2, 3, 4}), d.Sync()); err != nil {
		t.Fatal(err)
	}
	for _, wait := range []bool{false, true} {
		host, _ := d.place(16)
		copy(host, bytesOf([]float32{5, 6, 7, 8}))
		err := d.worker.wait(func() error {
			if err := errors.Join(copyFromHost(m.(*matrix).at(), host, d.ring.stream), d.ring.arrived.Record(d.ring.stream)); err != nil || !wait {
				return err
			}
			return d.stream.Wait(d.ring.arrived, 0)
		})
		got := make([]float32, 4)
		if err := errors.Join(err, m.Read(got)); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]float32{false: 1, true: 5}[wait]; got[0] != want {
			t.Errorf("waiting %v: read %v, want %g first", wait, got, want)
		}
	}
}
