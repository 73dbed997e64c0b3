// Package schema is what is in run folders: which kinds of run there are, which files
// each of them may write, and which arrays and columns are in these, in words. It is
// the one place that has their names. Who writes a file and who reads it, commands,
// libraries and the HTML report, take them from here; nothing else has to be changed
// when one is added but the two of them and docs/formats.md.
//
// A name means one thing wherever it is: units [U] are the units that a result is about,
// in each npz file, and activation is that before the sigmoid. So names are constants,
// and files say which of them they have.
//
// Two things are told elsewhere, by those who own them: the tensors and metadata of
// model files by package network, those of checkpoints by package train; and what is in
// run.json by [runfolder.Record].
//
// [runfolder.Record]: https://pkg.go.dev/github.com/unitscope/unitscope/report/runfolder#Record
package schema

import (
	"slices"
	"strings"
)

// Kind is a kind of run: a command, by its name in records, and the files that it may
// write to its folder besides the record itself.
type Kind struct {
	Task  string // "visualize ascent"
	Files []File
}

// File is a file of a run folder. A * in its name stands for a layer, by its number or
// its name.
type File struct {
	Name string
	// Fields are the arrays of an npz file, or the columns of a table in their order;
	// nil for other files.
	Fields []Field
}

// Field is an array or a column. A * in its name stands for one of several, such as the
// methods of a comparison.
type Field struct {
	Name  string
	About string // its shape, if it is an array, and what is in it
	// Sometimes is true for what is there only if it was asked for, or is known.
	Sometimes bool
}

// Columns are the names of a table's columns, in their order, by the name of its file.
// One with a * is there for each of several. [Log] is that of training; that of
// fine-tuning has the columns of [FineTuneTable].
func Columns(table string, several ...string) []string { return fileBy(table).names(several) }

func (f File) names(several []string) (names []string) {
	for _, field := range f.Fields {
		if !strings.Contains(field.Name, "*") {
			names = append(names, field.Name)
			continue
		}
		for _, one := range several {
			names = append(names, strings.Replace(field.Name, "*", one, 1))
		}
	}
	return names
}

// fileBy is a file with fields by its own name.
func fileBy(name string) File {
	all := tables()
	i := slices.IndexFunc(all, func(f File) bool { return f.Name == name })
	if i < 0 {
		panic("schema: " + name + " is no table")
	}
	return all[i]
}

// Of is the kind of run that a command makes. found is false for commands that make
// none, and for those of other versions.
func Of(task string) (kind Kind, found bool) {
	all := Kinds()
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Task == task })
	if i < 0 {
		return Kind{}, false
	}
	return all[i], true
}

// Planned are the names of the files that a run of a command may write, as a record has
// them.
func Planned(task string) (names []string) {
	kind, _ := Of(task)
	for _, f := range kind.Files {
		names = append(names, f.Name)
	}
	return names
}
