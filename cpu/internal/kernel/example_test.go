package kernel_test

import (
	"fmt"

	"github.com/unitscope/unitscope/cpu/internal/kernel"
)

// A layer of one panel: Rows units with weights 0.25 see Lanes examples of two
// inputs, 1 and 3. The result is laid out as the next layer's operand.
func ExampleSet() {
	s, err := kernel.Choose()
	if err != nil {
		fmt.Println(err)
		return
	}
	const k = 2
	weights := make([]float32, k*s.Rows) // [k][Rows]
	for i := range weights {
		weights[i] = 0.25
	}
	x := make([]float32, k*s.Lanes) // [k][Lanes]
	for j := range s.Lanes {
		x[j], x[s.Lanes+j] = 1, 3
	}
	h := make([]float32, s.Rows*s.Lanes) // [Rows][Lanes]
	s.Multiply(k, weights, x, h, s.Lanes, false)
	fmt.Println(h[0])
	s.BiasSigmoid(h, h, make([]float32, s.Rows), s.Lanes)
	fmt.Printf("%.4f\n", h[0])
	// Output:
	// 1
	// 0.7311
}
