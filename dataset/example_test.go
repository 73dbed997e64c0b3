package dataset_test

import (
	"fmt"
	"log"

	"github.com/unitscope/unitscope/dataset"
)

func ExampleOpen() {
	digits, err := dataset.Open("digits:n=1000", 1)
	if err != nil {
		log.Fatal(err)
	}
	defer digits.Close()
	info := digits.Info()
	batch := make([]float32, 2*info.Size())
	if err := digits.Read(batch, []int{0, 999}); err != nil {
		log.Fatal(err)
	}
	_, labelled := digits.Label(999)
	fmt.Println(info.Name, info.Shape, digits.Len(), labelled)

	_, err = dataset.Open("digits:count=5", 1)
	fmt.Println(err)
	// Output:
	// digits:n=1000 [28 28] 1000 true
	// data "digits:count=5": unknown option "count" of digits: known are n, split
}

// Patches of natural pictures, with nothing to download.
func ExampleOpen_leaves() {
	leaves, err := dataset.Open("leaves:size=8,n=1000000", 1)
	if err != nil {
		log.Fatal(err)
	}
	defer leaves.Close()
	info := leaves.Info()
	one := make([]float32, info.Size())
	if err := leaves.Read(one, []int{999_999}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Name, info.Shape, info.Low < -2, info.High > 2)

	_, err = dataset.Open("patches:IMAGES.mat,size=100", 1)
	fmt.Println(err)
	// Output:
	// leaves:size=8,n=1000000 [8 8] true true
	// data "patches:IMAGES.mat,size=100": size=100: want 2 to 64 pixels
}

// The paper's extended MNIST: any number of examples out of few.
func ExampleDeform() {
	digits, err := dataset.Open("digits:n=1000", 1)
	if err != nil {
		log.Fatal(err)
	}
	extended, err := dataset.Deform(digits, 2_500_000, 1)
	if err != nil {
		log.Fatal(err)
	}
	defer extended.Close()
	one := make([]float32, extended.Info().Size())
	if err := extended.Read(one, []int{2_499_999}); err != nil {
		log.Fatal(err)
	}
	label, _ := extended.Label(2_499_999)
	original, _ := digits.Label(999)
	fmt.Println(extended.Len(), label == original)
	// Output: 2500000 true
}

func ExampleSplit() {
	digits, err := dataset.Open("digits:n=1000", 1)
	if err != nil {
		log.Fatal(err)
	}
	defer digits.Close()
	train, held, err := dataset.Split(digits, 100)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(train.Len(), held.Len())
	// Output: 900 100
}

func ExampleMeanNorm() {
	digits, err := dataset.Open("digits", 1)
	if err != nil {
		log.Fatal(err)
	}
	defer digits.Close()
	rho, err := dataset.MeanNorm(digits, 1000)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f\n", rho)
	// Output: 9
}
