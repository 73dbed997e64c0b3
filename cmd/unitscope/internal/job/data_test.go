package job

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/report/runfolder"
)

func TestSortedLabels(t *testing.T) {
	labelled := func(examples, classes int) runfolder.Data {
		return runfolder.Data{Examples: examples, Labelled: true, Classes: classes}
	}
	for _, c := range []struct {
		data, held runfolder.Data
		warns      bool
	}{
		{labelled(900, 10), labelled(100, 10), false},
		{labelled(900, 10), labelled(100, 2), true},
		{labelled(900, 9), labelled(100, 1), true},
		{labelled(900, 10), labelled(20, 5), false}, // few examples have few classes
		{labelled(900, 2), labelled(100, 2), false},
		{labelled(900, 1), labelled(100, 1), false},
		{runfolder.Data{Examples: 900}, runfolder.Data{Examples: 100}, false},
		{labelled(1<<21, 0), labelled(100, 1), false}, // not counted
	} {
		if warning := sortedLabels(c.data, c.held); (warning != "") != c.warns {
			t.Errorf("%d of %d classes, %d examples: %q", c.held.Classes, c.data.Classes, c.held.Examples, warning)
		}
	}
}

func TestSameData(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	made := func(role, specification string, seed uint64) runfolder.Data {
		return runfolder.Data{Role: role, Specification: specification, Seed: seed}
	}
	read := func(role, specification string) runfolder.Data {
		return runfolder.Data{Role: role, Specification: specification, Files: 1}
	}
	for _, c := range []struct {
		data, test runfolder.Data
		warns      bool
	}{
		{made("data", "digits:n=9", 1), made("test", "digits:n=9", 1), true},
		{made("data", "digits:n=9", 1), made("test", "digits:n=5", 1), true},
		{made("data", "digits:n=9", 2), made("test", "digits:n=9", 1), false},
		{made("data", "digits:n=9", 1), made("test", "digits:n=9,split=test", 1), false},
		{read("data", "npy:a.npy"), read("test", "npy:"+filepath.Join(here, "a.npy")), true},
		{read("data", "npy:a.npy"), read("test", "npy:b.npy"), false},
	} {
		if warning := sameData([]runfolder.Data{c.data, c.test}); (warning != "") != c.warns || c.warns && !strings.Contains(warning, "are among those of --data") {
			t.Errorf("%v and %v: %q", c.data, c.test, warning)
		}
	}
}
