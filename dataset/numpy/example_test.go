package numpy_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"log"

	"github.com/sbinet/npyio"

	"github.com/unitscope/unitscope/dataset/numpy"
)

func ExampleArchive_Read() {
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	x, err := w.Create("x.npy")
	if err != nil {
		log.Fatal(err)
	}
	if err := npyio.Write(x, []float64{0.5, 1, 1.5}); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	archive, err := numpy.OpenArchive(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		log.Fatal(err)
	}
	array, err := archive.Read("x")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(array.Shape, array.Floats)

	_, err = archive.Read("y")
	fmt.Println(err)
	// Output:
	// [3] [0.5 1 1.5]
	// no array "y" in it: it has "x"
}
