package cpu_test

import (
	"fmt"
	"log"

	"github.com/unitscope/unitscope/cpu"
	"github.com/unitscope/unitscope/engine"
)

func ExampleOpen() {
	device, err := cpu.Open(cpu.Options{Variant: "generic", Workers: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer device.Close()

	a, err := device.New(1, 2)
	if err != nil {
		log.Fatal(err)
	}
	product, err := device.New(1, 1)
	if err != nil {
		log.Fatal(err)
	}
	if err := a.Write([]float32{3, 4}); err != nil {
		log.Fatal(err)
	}
	if err := device.Gemm(product, a, a, engine.Multiply(false, true)); err != nil {
		log.Fatal(err)
	}
	number := make([]float32, 1)
	if err := product.Read(number); err != nil {
		log.Fatal(err)
	}
	fmt.Println(device.Name(), device.Info().Features, number[0])
	// Output: cpu [generic] 25
}
