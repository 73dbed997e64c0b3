package site_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/unitscope/unitscope/report/site"
)

// One file about all runs below a folder. What is not shown is named, with the reason.
func Example() {
	ctx := context.Background()
	report, err := site.Build(ctx, []string{"runs"}, site.Options{Title: "Digits"})
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range report.Problems {
		fmt.Println(p.Folder, p.Text)
	}
	file, err := os.Create("digits.html")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	if err := report.WriteOne(ctx, file); err != nil {
		log.Fatal(err)
	}
}
