package bench

import (
	"fmt"
	"slices"
	"strings"
)

// Workloads returns all workloads, see the package's documentation.
func Workloads() []Workload {
	return list(sizes{
		product: [3]int{512, 1000, 1000},
		wide:    []int{784, 1000, 1000, 1000}, patch: []int{144, 400, 400, 400},
		wideUnits: 1000, paperUnits: 36, patchUnits: 144, massRestarts: 1000,
		visible: 784, hidden: 1000, chains: 4096,
	})
}

// SmallWorkloads returns the same workloads at sizes that even an emulated card
// does in seconds. They say whether everything runs and is right, and nothing
// about speed; "small" is part of their results' variants.
func SmallWorkloads() []Workload {
	all := list(sizes{
		product: [3]int{70, 50, 40},
		wide:    []int{70, 40, 30, 20}, patch: []int{36, 20, 20, 20},
		wideUnits: 20, paperUnits: 4, patchUnits: 10, massRestarts: 20,
		visible: 70, hidden: 40, chains: 100,
	})
	for i := range all {
		all[i].Small = true
	}
	return all
}

// sizes are those of workloads. The first of a network's are its inputs.
type sizes struct {
	product                           [3]int // rows, terms, columns
	wide, patch                       []int  // networks
	wideUnits, paperUnits, patchUnits int    // that climb
	massRestarts                      int    // of each of wideUnits
	visible, hidden                   int    // of a layer in training; gibbs has hidden of both
	chains                            int
}

func list(s sizes) []Workload {
	wide, patch := joined(s.wide, "-"), joined(s.patch, "-")
	layer := fmt.Sprintf("%d-%d", s.visible, s.hidden)
	return []Workload{
		{Name: "product", What: "matrix product " + joined(s.product[:], "x"), Steps: 50, Unit: "products", prepare: multiplying(s.product[0], s.product[1], s.product[2])},
		{Name: "ascent-wide", What: fmt.Sprintf("%s, all %d units x 9 restarts", wide, s.wideUnits), Steps: 200, Unit: "row-steps", prepare: ascentOf(s.wide, s.wideUnits, 9)},
		{Name: "ascent-paper", What: fmt.Sprintf("%s, %d units x 9 restarts", wide, s.paperUnits), Steps: 1000, Unit: "row-steps", prepare: ascentOf(s.wide, s.paperUnits, 9)},
		{Name: "ascent-patch", What: fmt.Sprintf("%s, %d units x 9 restarts", patch, s.patchUnits), Steps: 500, Unit: "row-steps", prepare: ascentOf(s.patch, s.patchUnits, 9)},
		{Name: massName, What: fmt.Sprintf("%s, %d units x %d restarts", wide, s.wideUnits, s.massRestarts), Steps: 2, Unit: "row-steps", prepare: massOf(s.wide, s.wideUnits, s.massRestarts)},
		{Name: "train-rbm", Variant: "b100", What: layer + " RBM, CD-1, batches of 100", Steps: 600, Unit: "examples", prepare: trainingRBM(s.visible, s.hidden, 100)},
		{Name: "train-rbm", Variant: "b1000", What: layer + " RBM, CD-1, batches of 1000", Steps: 60, Unit: "examples", prepare: trainingRBM(s.visible, s.hidden, 1000)},
		{Name: "train-dae", Variant: "b100", What: layer + " denoising auto-encoder, batches of 100", Steps: 600, Unit: "examples", prepare: trainingDAE(s.visible, s.hidden, 100)},
		{Name: "train-dae", Variant: "b1000", What: layer + " denoising auto-encoder, batches of 1000", Steps: 60, Unit: "examples", prepare: trainingDAE(s.visible, s.hidden, 1000)},
		{Name: "gibbs", What: fmt.Sprintf("%d-%d RBM, one unit held, %d chains", s.hidden, s.hidden, s.chains), Steps: 1000, Unit: "chain-sweeps", prepare: sampling(s.hidden, s.hidden, s.chains)},
		{Name: "deform", What: "deformed digits, a million; on the processor", Steps: 1000, Unit: "examples", host: true, prepare: prepareDeform},
	}
}

// joined is "784-1000-1000".
func joined(ns []int, separator string) string {
	var texts []string
	for _, n := range ns {
		texts = append(texts, fmt.Sprint(n))
	}
	return strings.Join(texts, separator)
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

// Select returns those of the workloads from a list of names like
// "product,train-rbm", in that order and with all their variants; "all" is all of
// them, "standard" all but ascent-mass. Unknown names are errors.
func Select(from []Workload, list string) ([]Workload, error) {
	var chosen []Workload
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		before := len(chosen)
		for _, w := range from {
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
