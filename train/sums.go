package train

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/unitscope/unitscope/engine"
)

func dot(a, b []float32) (sum float64) {
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// mean is the mean of xs.
func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}

// deviationOfMean is the standard deviation of the mean of xs.
func deviationOfMean(xs []float64) float64 {
	average, squares := mean(xs), 0.0
	for _, x := range xs {
		squares += (x - average) * (x - average)
	}
	n := float64(len(xs))
	return math.Sqrt(squares / (n - 1) / n)
}

// moments are the mean and the variance of numbers.
func moments(xs []float32) (mean, variance float64) {
	for _, x := range xs {
		mean += float64(x)
	}
	mean /= float64(len(xs))
	for _, x := range xs {
		variance += (float64(x) - mean) * (float64(x) - mean)
	}
	return mean, variance / float64(len(xs))
}

// squaredNorms computes those of the rows of x on a device, with room for as many
// norms or more.
func squaredNorms(d engine.Device, squares []float64, room, x engine.Matrix) error {
	view, err := room.Slice(0, x.Rows())
	if err != nil {
		return err
	}
	if err := d.Reduce(view, x, engine.Total(engine.RowNorms)); err != nil {
		return err
	}
	norms := make([]float32, x.Rows())
	if err := view.Read(norms); err != nil {
		return err
	}
	for i, norm := range norms {
		squares[i] = float64(norm) * float64(norm)
	}
	return nil
}

// softplus is log(1 + exp(x)).
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

// softplusSum is the sum of softplus(scale x) over xs. The sum of log(1 +
// exp(-|y|)) is the log of a product, which takes one log instead of one per
// number. Each factor is at most 2, so no product comes near overflow.
func softplusSum[T float32 | float64](xs []T, scale float64) float64 {
	const largeProduct = 1 << 60
	positive, logs, product := 0.0, 0.0, 1.0
	for _, x := range xs {
		y := scale * float64(x)
		size := math.Abs(y)
		positive += (y + size) / 2
		product *= 1 + math.Exp(-size)
		if product > largeProduct {
			logs += math.Log(product)
			product = 1
		}
	}
	return positive + logs + math.Log(product)
}

// softplusOf is the sum of softplus over xs, given their sigmoids: log(1 + exp(x))
// is max(x, 0) less the log of the sigmoid of |x|, which is at least 1/2, so that
// float32 has it to 1e-7. It takes no exponential.
func softplusOf(xs, sigmoids []float32) float64 {
	const smallProduct = 1.0 / (1 << 60)
	positive, logs, product := 0.0, 0.0, 1.0
	for i, x := range xs {
		positive += max(float64(x), 0)
		s := float64(sigmoids[i])
		product *= max(s, 1-s)
		if product < smallProduct {
			logs += math.Log(product)
			product = 1
		}
	}
	return positive - logs - math.Log(product)
}

// inParallel does work 0..n-1, in any order. What work i computes must depend
// on i alone.
func inParallel(n int, work func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(i)
			}
		})
	}
	wait.Wait()
}
