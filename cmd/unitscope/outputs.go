package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unitscope/unitscope/report/runfolder"
	"github.com/unitscope/unitscope/report/site"
)

// The tasks of run folders that other commands read.
const (
	demoTask     = "demo"
	fineTuneTask = "finetune"
	searchTask   = "search"
	trialTask    = "search trial"
	ascentTask   = "visualize ascent" // what --ascent takes
	paperTask    = "paper"
)

// The files of run folders that commands read back.
const (
	learningName   = "learning.csv" // what the layers of a model have learned
	scoresName     = "scores.csv"   // the errors of a fine-tuned model
	tableFile      = "search.csv"
	trialFile      = "trial.csv"
	pretrainedFile = "pretrained.safetensors"
	fineTuneFile   = "finetune.csv"
	summaryName    = "summary.md"
	stagesName     = "stages.json"
)

// planned are the files that a run of a command may write. Its record has them from
// its first moment, so that they are known for its own even if it is killed, and so
// that it replaces nobody else's. A * stands for layers, their number or name.
func planned(task string) []string {
	switch task {
	case "train dbn", "train sdae":
		return slices.Concat(trainingFiles(), pictureFiles("filters"))
	case fineTuneTask:
		return append(trainingFiles(), scoresName)
	case searchTask:
		return []string{tableFile}
	case trialTask:
		return append(trainingFiles(), pretrainedFile, fineTuneFile, trialFile)
	case ascentTask:
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
	case demoTask:
		return slices.Concat(pictureFiles("figure1"), figure1Arrays(), reportFiles())
	case paperTask:
		return append(reportFiles(), stagesName, summaryName)
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

// layerArrays is the name of the arrays behind one panel.
func layerArrays(family string, layer int) string {
	return fmt.Sprintf("%s-layer%d.npz", family, layer)
}
