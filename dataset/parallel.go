package dataset

import (
	"errors"
	"runtime"
	"sync"
)

// minShare is the fewest examples worth a goroutine of their own.
const minShare = 16

// inParallel splits 0..n-1 among up to GOMAXPROCS goroutines, each with at least
// share of them. Which one makes an example must not matter to the example.
func inParallel(n, share int, work func(from, to int) error) error {
	workers := min(runtime.GOMAXPROCS(0), n/share)
	if workers <= 1 {
		return work(0, n)
	}
	errs := make([]error, workers)
	var wait sync.WaitGroup
	for w := range workers {
		wait.Go(func() { errs[w] = work(w*n/workers, (w+1)*n/workers) })
	}
	wait.Wait()
	return errors.Join(errs...)
}
