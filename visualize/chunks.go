package visualize

import (
	"errors"
	"fmt"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/engine/memory"
)

// inChunks does rows 0..n-1 in order, at most chunk of them at a time: do is given
// rows from..to-1. Where the device has not enough memory for them, the same rows
// are done anew, half as many at a time, and so on down to a single row. So do has
// to begin anew with every call, and what it gives may depend on nothing but the
// rows. rowBytes is about what a row takes on the device, for the error.
func inChunks(d engine.Device, n, chunk int, rowBytes int64, do func(from, to int) error) error {
	for from := 0; from < n; {
		to := min(from+chunk, n)
		err := do(from, to)
		switch {
		case err == nil:
			from = to
		case !errors.Is(err, engine.ErrOutOfMemory):
			return err
		case to-from == 1:
			return memory.Explain(d, singleRow(rowBytes), smaller, err)
		default:
			chunk = (to - from) / 2
			if err := afterOutOfMemory(d); err != nil {
				return err
			}
		}
	}
	return nil
}

// fewerRows tries to make something for so many rows, and where the device has not
// enough memory for it, for half as many, and so on.
func fewerRows(d engine.Device, rows int, rowBytes int64, try func(rows int) error) error {
	for {
		err := try(rows)
		if err == nil || !errors.Is(err, engine.ErrOutOfMemory) {
			return err
		}
		if rows == 1 {
			return memory.Explain(d, singleRow(rowBytes), smaller, err)
		}
		rows /= 2
		if err := afterOutOfMemory(d); err != nil {
			return err
		}
	}
}

func singleRow(bytes int64) string {
	return fmt.Sprintf("a single row, which takes about %d bytes,", bytes)
}

// afterOutOfMemory has a device go on after an operation that it had not enough
// memory for.
func afterOutOfMemory(d engine.Device) error {
	if err := d.Sync(); err != nil && !errors.Is(err, engine.ErrOutOfMemory) {
		return err
	}
	return nil
}

// smaller is what to do about a model that there is not enough memory for.
const smaller = "a smaller model"

// checkResults refuses results that this process has not enough memory for, and as
// much again to work on them.
func checkResults(what string, bytes float64, fewer string) error {
	if err := memory.Check(2 * uint64(min(bytes, 1<<62))); err != nil {
		return fmt.Errorf("%s: %w; %s may fit", what, err, fewer)
	}
	return nil
}

// fittingRows is how many of n rows, each of so many float32, fit half of a
// device's free memory, from 1 to most.
func fittingRows(d engine.Device, n, floats, most int) int {
	free := d.Info().FreeMemory
	if free <= 0 {
		free = unknownMemory
	}
	fitting := free / 2 / int64(4*floats)
	return int(min(int64(n), max(1, min(fitting, int64(most)))))
}
