package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Workloads returns all workloads, see the package's documentation.
func Workloads() []Workload {
	wide, patch := []int{784, 1000, 1000, 1000}, []int{144, 400, 400, 400}
	return []Workload{
		{Name: "product", What: "matrix product 512x1000x1000", Steps: 50, Unit: "products", prepare: prepareProduct},
		{Name: "ascent-wide", What: "784-1000-1000-1000, all 1000 units x 9 restarts", Steps: 200, Unit: "row-steps", prepare: climbing(wide, 1000, 9)},
		{Name: "ascent-paper", What: "784-1000-1000-1000, 36 units x 9 restarts", Steps: 1000, Unit: "row-steps", prepare: climbing(wide, 36, 9)},
		{Name: "ascent-patch", What: "144-400-400-400, 144 units x 9 restarts", Steps: 500, Unit: "row-steps", prepare: climbing(patch, 144, 9)},
		{Name: massName, What: "784-1000-1000-1000, 1000 units x 1000 restarts, a million rows", Steps: 2, Unit: "row-steps", prepare: climbingMass(wide, 1000, 1000)},
		{Name: "train-rbm", Variant: "b100", What: "784-1000 RBM, CD-1, batches of 100", Steps: 600, Unit: "examples", prepare: trainingRBM(100)},
		{Name: "train-rbm", Variant: "b1000", What: "784-1000 RBM, CD-1, batches of 1000", Steps: 60, Unit: "examples", prepare: trainingRBM(1000)},
		{Name: "train-dae", Variant: "b100", What: "784-1000 denoising auto-encoder, batches of 100", Steps: 600, Unit: "examples", prepare: trainingDAE(100)},
		{Name: "train-dae", Variant: "b1000", What: "784-1000 denoising auto-encoder, batches of 1000", Steps: 60, Unit: "examples", prepare: trainingDAE(1000)},
		{Name: "gibbs", What: "1000-1000 RBM, one unit held, 4096 chains", Steps: 1000, Unit: "chain-sweeps", prepare: sampling(1000, 1000, 4096)},
		{Name: "deform", What: "deformed digits, a million", Steps: 1000, Unit: "examples", prepare: prepareDeform},
	}
}

const massName = "ascent-mass"

// Names lists the workloads' names, each once.
func Names() []string {
	var names []string
	for _, w := range Workloads() {
		names = append(names, w.Name)
	}
	return slices.Compact(names)
}

// Select returns the workloads of a list of names like "product,train-rbm", in
// that order and with all their variants; "all" is all of them, "standard" all
// but ascent-mass. Unknown names are errors.
func Select(list string) ([]Workload, error) {
	var chosen []Workload
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		before := len(chosen)
		for _, w := range Workloads() {
			if w.Name == name || name == "all" || name == "standard" && w.Name != massName {
				chosen = append(chosen, w)
			}
		}
		if len(chosen) == before {
			return nil, fmt.Errorf("no workload %q; there are all, standard, %s", name, strings.Join(Names(), ", "))
		}
	}
	return chosen, nil
}
