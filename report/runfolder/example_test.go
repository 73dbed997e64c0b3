package runfolder_test

import (
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/unitscope/unitscope/engine"
	"github.com/unitscope/unitscope/report/runfolder"
)

func Example() {
	parent, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(parent)

	record, err := runfolder.NewRecord("train dbn", os.Args, nil, 1, engine.Info{Name: "cpu"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	folder, err := runfolder.Create(filepath.Join(parent, "run"), runfolder.Fresh, record)
	if err != nil {
		log.Fatal(err)
	}
	err = folder.Write("result.csv", func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "unit,activation")
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := folder.Finish(); err != nil {
		log.Fatal(err)
	}
	done, err := runfolder.ReadRecord(filepath.Join(parent, "run"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(done.Task, done.Status, done.Outputs[0].Name, done.Outputs[0].Bytes)
	// Output: train dbn complete result.csv 16
}
