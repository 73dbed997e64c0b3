package job

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/report/site"
)

// The tasks of run folders that other commands read.
const (
	DemoTask     = "demo"
	FineTuneTask = "finetune"
	SearchTask   = "search"
	TrialTask    = "search trial"
	AscentTask   = "visualize ascent" // what --ascent takes
	PaperTask    = "paper"
)

// The files of run folders that commands read back.
const (
	learningName   = "learning.csv" // what the layers of a model have learned
	ScoresName     = "scores.csv"   // the errors of a fine-tuned model
	TableFile      = "search.csv"
	TrialFile      = "trial.csv"
	PretrainedFile = "pretrained.safetensors"
	FineTuneFile   = "finetune.csv"
	SummaryName    = "summary.md"
	StagesName     = "stages.json"
)

// Planned are the files that a run of a command may write. Its record has them from
// its first moment, so that they are known for its own even if it is killed, and so
// that it replaces nobody else's. A * stands for layers, their number or name.
func Planned(task string) []string {
	switch task {
	case "train dbn", "train sdae":
		return slices.Concat(trainingFiles(), pictureFiles("filters"))
	case FineTuneTask:
		return append(trainingFiles(), ScoresName)
	case SearchTask:
		return []string{TableFile}
	case TrialTask:
		return append(trainingFiles(), PretrainedFile, FineTuneFile, TrialFile)
	case AscentTask:
		return append(pictureFiles("units", "restarts", "curves"), "ascent.npz", "restarts.csv", "curves.npz")
	case "visualize sample":
		return append(pictureFiles("means", "samples"), "samples.npz", "mixing.csv")
	case "visualize combine":
		return append(pictureFiles("combine"), "combine.npz")
	case "visualize examples":
		return append(pictureFiles("examples"), "examples.npz")
	case "analyze restarts":
		return append(pictureFiles("modes", "trained-layer*-similarity", "untrained-layer*-similarity"),
			"modes.csv", "modes-sweep.csv", "trained-layer*.npz", "untrained-layer*.npz")
	case "analyze selectivity":
		return append(pictureFiles("selectivity"), "selectivity.npz", "selectivity.csv")
	case "analyze compare":
		return append(pictureFiles("compare", "activations"), "compare.npz", "compare.csv")
	case "analyze likelihood":
		return []string{"likelihood.csv", "partition.csv", "runs.csv"}
	case "figure 1", "figure 2":
		return append(pictureFiles(strings.ReplaceAll(task, " ", "")), figure1Arrays()...)
	case "figure 3":
		return append(pictureFiles("figure3"), "layer*-samples.npz", "layer*-mixing.csv")
	case "figure 4":
		return append(pictureFiles("figure4"), "layer*-samples.npz", "layer*-mixing.csv", "layer*-combine.npz", "layer*-ascent.npz")
	case "figure selectivity":
		return append(pictureFiles("selectivity"), "dbn-layer*.npz", "sdae-layer*.npz")
	case DemoTask:
		return slices.Concat(pictureFiles("figure1"), figure1Arrays(), reportFiles())
	case PaperTask:
		return append(reportFiles(), StagesName, SummaryName)
	case site.Task:
		return reportFiles()
	}
	return nil
}

func trainingFiles() []string {
	return []string{runfolder.ModelName, runfolder.LogName, runfolder.CheckpointName, learningName}
}

func figure1Arrays() []string {
	return []string{"dbn-layer*.npz", "sdae-layer*.npz", "dbn-restarts.npz", "sdae-restarts.npz"}
}

func reportFiles() []string { return []string{site.IndexName, "layer-*.html"} }

// pictureFiles are what writePicture makes of pictures by these names.
func pictureFiles(names ...string) (files []string) {
	for _, name := range names {
		files = append(files, name+".png", name+".svg")
	}
	return files
}

// LayerArrays is the name of the arrays behind one panel.
func LayerArrays(family string, layer int) string {
	return fmt.Sprintf("%s-layer%d.npz", family, layer)
}
